//! Whether a provider can serve what is asked for.

use crate::{
    bonds,
    error::ContractError,
    state::{CONFIG, PROVIDERS, Provider},
    vouching,
};
use cosmwasm_std::{Addr, Storage, Uint128};
use ember_types::{
    eligibility::{CanServeResponse, Ineligible, Kind, Like},
    resources::{Device, ResourceSpec},
};

/// Whether `address` can serve `wanted`, with devices like `like` when given, at block time `now`.
///
/// # Errors
/// When the storage is broken; what the provider lacks is part of the answer.
pub fn can_serve(
    storage: &dyn Storage,
    address: &Addr,
    wanted: &ResourceSpec,
    like: Option<&Like>,
    now: u64,
) -> Result<CanServeResponse, ContractError> {
    let Some(provider) = PROVIDERS.may_load(storage, address)? else {
        return Ok(CanServeResponse {
            bonded: Uint128::zero(),
            device: None,
            lacks: Some(Ineligible::NotRegistered {}),
        });
    };
    let bonded = bonds::bonded(storage, address)?;
    let device = like.and_then(|l| provider.devices.iter().find(|d| d.id == l.id));
    let asked = Asked {
        storage,
        address,
        provider: &provider,
        bonded,
        wanted,
        now,
    };
    Ok(CanServeResponse {
        bonded,
        lacks: asked.lacks(like, device)?.err(),
        device: device.cloned(),
    })
}

struct Asked<'a> {
    storage: &'a dyn Storage,
    address: &'a Addr,
    provider: &'a Provider,
    bonded: Uint128,
    wanted: &'a ResourceSpec,
    now: u64,
}

type Verdict<T = ()> = Result<Result<T, Ineligible>, ContractError>;

impl Asked<'_> {
    /// The first thing that the provider lacks: what concerns all of it first, then its devices.
    fn lacks(&self, like: Option<&Like>, device: Option<&Device>) -> Verdict {
        if let Err(lack) = self.terms()? {
            return Ok(Err(lack));
        }
        let rule = &self.wanted.gpu.audits;
        let upto = match vouching::covered(self.storage, self.address, rule, self.now)? {
            Ok(upto) => upto,
            Err(lack) => return Ok(Err(lack)),
        };
        let kind = match (like, device) {
            (Some(l), None) => return Ok(Err(Ineligible::NoDevice { id: l.id.clone() })),
            (Some(l), Some(d)) => Some(l.kind.clone().unwrap_or_else(|| d.into())),
            (None, _) => None,
        };
        self.devices(kind.as_ref(), upto)
    }

    /// Bond, region, assurance.
    fn terms(&self) -> Verdict {
        let (bonded, wanted) = (self.bonded, self.wanted);
        if bonded < CONFIG.load(self.storage)?.min_bond {
            return Ok(Err(Ineligible::MayNotBid { bonded }));
        }
        let expected = wanted.gpu.min_bond;
        if bonded < expected {
            return Ok(Err(Ineligible::BondTooSmall { expected, bonded }));
        }
        let region = self.region().map(|(value, _)| value);
        if let Some(expected) = &wanted.gpu.region
            && region != Some(expected)
        {
            return Ok(Err(Ineligible::Region {
                expected: expected.clone(),
                got: region.cloned().unwrap_or_default(),
            }));
        }
        let offered = &self.provider.assurances;
        let asked = wanted.assurance;
        if !asked.is_none() && !offered.iter().any(|a| a.serves(asked)) {
            let mut names: Vec<_> = offered.iter().map(|a| a.name()).collect();
            names.insert(0, "none");
            return Ok(Err(Ineligible::Assurance {
                expected: asked.name().into(),
                offered: names.join(", "),
            }));
        }
        Ok(Ok(()))
    }

    /// The `region` attribute, and the revision at which it last changed.
    fn region(&self) -> Option<(&String, u64)> {
        let mut all = self.provider.attributes_since();
        all.find(|(a, _)| a.key == "region")
            .map(|(a, since)| (&a.value, since))
    }

    /// Enough devices that match, that audits up to revision `upto` cover, and that are trusted.
    fn devices(&self, kind: Option<&Kind>, upto: u64) -> Verdict {
        let gpu = &self.wanted.gpu;
        let units = self.wanted.units;
        let all = self.provider.devices_since();
        let mut matching: Vec<_> = all
            .filter(|(d, _)| gpu.matches(d) && kind.is_none_or(|k| *k == Kind::from(*d)))
            .collect();
        let got = count(&matching);
        if got < units {
            return Ok(Err(Ineligible::Devices {
                expected: units,
                got,
            }));
        }
        let region_since = self.region().map_or(0, |(_, since)| since);
        if gpu.region.is_some() && region_since > upto {
            matching.clear();
        }
        matching.retain(|(_, since)| *since <= upto);
        let got = count(&matching);
        if got < units {
            return Ok(Err(Ineligible::Unaudited {
                expected: units,
                got,
            }));
        }
        if gpu.min_trust == 0 {
            return Ok(Ok(()));
        }
        let whole = vouching::trust(self.storage, self.address, "", self.now)?;
        let mut got = 0u32;
        for (d, since) in matching {
            let level = vouching::level(
                self.storage,
                self.address,
                &d.id,
                since,
                whole.as_ref(),
                self.now,
            )?;
            got = got.saturating_add(u32::from(level >= gpu.min_trust));
            if got >= units {
                return Ok(Ok(()));
            }
        }
        Ok(Err(Ineligible::Trust {
            level: gpu.min_trust,
            expected: units,
            got,
        }))
    }
}

fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}
