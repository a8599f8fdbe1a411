//! What the registry says about a provider, and whether that serves an order.

use crate::{
    error::{ContractError, Ineligible},
    state::Config,
};
use cosmwasm_std::{Addr, QuerierWrapper, Uint128};
use ember_types::{
    registry::{ProviderResponse, QueryMsg},
    resources::{Device, GpuSpec, ResourceSpec},
};

/// Asks the registry. It answers with an error for an unknown provider, and nothing else can fail there.
fn ask(
    querier: QuerierWrapper,
    config: &Config,
    provider: &Addr,
) -> Result<ProviderResponse, Ineligible> {
    let p: ProviderResponse = querier
        .query_wasm_smart(
            &config.registry,
            &QueryMsg::Provider {
                address: provider.to_string(),
            },
        )
        .map_err(|_| Ineligible::NotRegistered)?;
    if !p.may_bid {
        return Err(Ineligible::MayNotBid { bonded: p.bonded });
    }
    Ok(p)
}

/// Whether `provider` may bid and has the devices, the region and the bond that `wanted` names. Answers its bond.
///
/// # Errors
/// The first thing that it lacks.
pub fn can_serve(
    querier: QuerierWrapper,
    config: &Config,
    provider: &Addr,
    wanted: &ResourceSpec,
) -> Result<Uint128, Ineligible> {
    let p = ask(querier, config, provider)?;
    terms(&p, &wanted.gpu)?;
    let got = p.devices.iter().filter(|d| wanted.gpu.matches(d)).count();
    if got < wanted.units as usize {
        return Err(Ineligible::Devices {
            expected: wanted.units,
            got,
        });
    }
    Ok(p.bonded)
}

/// Whether `provider` may still sell `units` of what it once posted as `device`, on the terms of `wanted`. Answers its bond.
///
/// # Errors
/// The first thing that it lacks.
pub fn can_sell(
    querier: QuerierWrapper,
    config: &Config,
    provider: &Addr,
    device: &Device,
    units: u32,
    wanted: Option<&GpuSpec>,
) -> Result<Uint128, Ineligible> {
    let p = ask(querier, config, provider)?;
    if let Some(wanted) = wanted {
        terms(&p, wanted)?;
    }
    alike(&p, device, units)?;
    Ok(p.bonded)
}

/// The device of this id, of which `provider` has `units` alike.
///
/// # Errors
/// When the provider may not bid or has not that many.
pub fn device(
    querier: QuerierWrapper,
    config: &Config,
    provider: &Addr,
    id: &str,
    units: u32,
) -> Result<Device, Ineligible> {
    let p = ask(querier, config, provider)?;
    let device = p
        .devices
        .iter()
        .find(|d| d.id == id)
        .cloned()
        .ok_or_else(|| Ineligible::NoDevice(id.to_owned()))?;
    alike(&p, &device, units)?;
    Ok(device)
}

/// Bond and region.
fn terms(p: &ProviderResponse, wanted: &GpuSpec) -> Result<(), Ineligible> {
    if p.bonded < wanted.min_bond {
        return Err(Ineligible::BondTooSmall {
            expected: wanted.min_bond,
            bonded: p.bonded,
        });
    }
    let region = p.attributes.iter().find(|a| a.key == "region");
    match &wanted.region {
        Some(expected) if region.is_none_or(|a| a.value != *expected) => Err(Ineligible::Region {
            expected: expected.clone(),
            got: region.map(|a| a.value.clone()).unwrap_or_default(),
        }),
        _ => Ok(()),
    }
}

fn alike(p: &ProviderResponse, device: &Device, units: u32) -> Result<(), Ineligible> {
    if !p.devices.iter().any(|d| d.id == device.id) {
        return Err(Ineligible::NoDevice(device.id.clone()));
    }
    let kind = |d: &Device| (d.model.clone(), d.vram_mib, d.profile);
    let got = p.devices.iter().filter(|d| kind(d) == kind(device)).count();
    if got < units as usize {
        return Err(Ineligible::Devices {
            expected: units,
            got,
        });
    }
    Ok(())
}

/// [`Ineligible`] with its provider.
pub fn refuse(provider: &Addr, reason: Ineligible) -> ContractError {
    ContractError::Ineligible {
        provider: provider.clone(),
        reason,
    }
}
