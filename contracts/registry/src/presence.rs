//! Who is there, and how many devices that makes: counters that every message about one provider keeps right for it, at
//! a cost that does not grow with the number of providers.

use crate::{
    bonds,
    error::ContractError,
    state::{
        BY_MODEL, CONFIG, EXPIRES, IN_USE, LEASED, LIVE, Leased, MAX_MODELS, PRESENCE, PROVIDERS,
        Presence, SUPPLY, Tally,
    },
};
use cosmwasm_std::{Addr, Empty, Order, Storage};
use ember_types::resources::Device;
use std::collections::BTreeMap;

/// The presence of a registered provider; of one that registered before there was any, made from its record.
///
/// # Errors
/// When it is not registered.
pub fn load(storage: &dyn Storage, address: &Addr) -> Result<Presence, ContractError> {
    if let Some(presence) = PRESENCE.may_load(storage, address)? {
        return Ok(presence);
    }
    let Some(provider) = PROVIDERS.may_load(storage, address)? else {
        return Err(ContractError::NotRegistered {
            address: address.clone(),
        });
    };
    Ok(Presence {
        seen_at: provider.registered_at.seconds(),
        until: None,
        models: tally(&provider.devices),
        counted: Vec::new(),
    })
}

/// Devices by model, ascending. Only a provider of an older version can have more than [`MAX_MODELS`]; the rest of its
/// models is not counted.
fn tally(devices: &[Device]) -> Vec<Tally> {
    let mut models: BTreeMap<&str, u32> = BTreeMap::new();
    for d in devices {
        let n = models.entry(&d.model).or_default();
        *n = n.saturating_add(1);
    }
    let tallies = models.into_iter().take(MAX_MODELS);
    tallies
        .map(|(model, devices)| Tally {
            model: model.into(),
            devices,
            in_use: 0,
        })
        .collect()
}

/// Counts a provider anew after anything about it changed: its devices when given, its bond, a lease; `seen` when it gave
/// a sign of life. Does nothing for an account that is no provider.
///
/// # Errors
/// When the storage is broken.
pub fn refresh(
    storage: &mut dyn Storage,
    address: &Addr,
    devices: Option<&[Device]>,
    seen: bool,
    now: u64,
) -> Result<(), ContractError> {
    let mut presence = match load(storage, address) {
        Ok(presence) => presence,
        Err(ContractError::NotRegistered { .. }) => return Ok(()),
        Err(e) => return Err(e),
    };
    if seen {
        presence.seen_at = now;
    }
    if let Some(devices) = devices {
        for t in &presence.models {
            BY_MODEL.remove(storage, (&t.model, address));
        }
        presence.models = tally(devices);
        index(storage, address, &presence)?;
    }
    let config = CONFIG.load(storage)?;
    let until = presence.seen_at.saturating_add(config.seen_secs);
    let counts = until > now && bonds::bonded(storage, address)? >= config.min_bond;
    let counted = if counts {
        leased(storage, address, &presence.models)?
    } else {
        Vec::new()
    };
    let until = (!counted.is_empty()).then_some(until);
    recount(storage, address, &presence.counted, &counted)?;
    if presence.until != until {
        if let Some(old) = presence.until {
            EXPIRES.remove(storage, (old, address));
        }
        if let Some(new) = until {
            EXPIRES.save(storage, (new, address), &Empty {})?;
        }
    }
    presence.counted = counted;
    presence.until = until;
    Ok(PRESENCE.save(storage, address, &presence)?)
}

/// Counts a provider whose record was just made.
///
/// # Errors
/// When the storage is broken.
pub fn register(storage: &mut dyn Storage, address: &Addr, now: u64) -> Result<(), ContractError> {
    let presence = load(storage, address)?;
    index(storage, address, &presence)?;
    refresh(storage, address, None, true, now)
}

/// Puts a provider's models into the index of lists.
fn index(storage: &mut dyn Storage, address: &Addr, p: &Presence) -> Result<(), ContractError> {
    for t in &p.models {
        BY_MODEL.save(storage, (&t.model, address), &Empty {})?;
    }
    Ok(())
}

/// The same tallies with what is leased of each.
fn leased(
    storage: &dyn Storage,
    address: &Addr,
    models: &[Tally],
) -> Result<Vec<Tally>, ContractError> {
    let mut counted = models.to_vec();
    for t in &mut counted {
        let units = IN_USE.may_load(storage, (address, &t.model))?;
        t.in_use = units.unwrap_or_default().min(t.devices);
    }
    Ok(counted)
}

/// Takes `old` out of the supply and puts `new` in.
fn recount(
    storage: &mut dyn Storage,
    address: &Addr,
    old: &[Tally],
    new: &[Tally],
) -> Result<(), ContractError> {
    if old == new {
        return Ok(());
    }
    for t in old {
        let mut s = SUPPLY.may_load(storage, &t.model)?.unwrap_or_default();
        s.providers = s.providers.saturating_sub(1);
        s.devices = s.devices.saturating_sub(t.devices);
        s.in_use = s.in_use.saturating_sub(t.in_use);
        if s.providers == 0 {
            SUPPLY.remove(storage, &t.model);
        } else {
            SUPPLY.save(storage, &t.model, &s)?;
        }
        LIVE.remove(storage, (&t.model, address));
    }
    for t in new {
        let mut s = SUPPLY.may_load(storage, &t.model)?.unwrap_or_default();
        s.providers = s.providers.saturating_add(1);
        s.devices = s.devices.saturating_add(t.devices);
        s.in_use = s.in_use.saturating_add(t.in_use);
        SUPPLY.save(storage, &t.model, &s)?;
        LIVE.save(storage, (&t.model, address), &Empty {})?;
    }
    if new.is_empty() {
        LIVE.remove(storage, ("", address));
    } else if old.is_empty() {
        LIVE.save(storage, ("", address), &Empty {})?;
    }
    Ok(())
}

/// Takes a provider that leaves out of every index and count.
///
/// # Errors
/// When it is not registered.
pub fn leave(storage: &mut dyn Storage, address: &Addr) -> Result<(), ContractError> {
    let presence = load(storage, address)?;
    for t in &presence.models {
        BY_MODEL.remove(storage, (&t.model, address));
    }
    recount(storage, address, &presence.counted, &[])?;
    if let Some(until) = presence.until {
        EXPIRES.remove(storage, (until, address));
    }
    PRESENCE.remove(storage, address);
    Ok(())
}

/// Takes out those who were not seen for too long, `max` at most.
///
/// # Errors
/// When the storage is broken.
pub fn expire(storage: &mut dyn Storage, max: usize, now: u64) -> Result<(), ContractError> {
    for _ in 0..max {
        let Some(((until, address), _)) = EXPIRES.first(storage)? else {
            break;
        };
        if until > now {
            break;
        }
        refresh(storage, &address, None, false, now)?;
    }
    Ok(())
}

/// Whether somebody waits to be taken out.
///
/// # Errors
/// When the storage is broken.
pub fn behind(storage: &dyn Storage, now: u64) -> Result<bool, ContractError> {
    let first = EXPIRES.first(storage)?;
    Ok(first.is_some_and(|((until, _), _)| until <= now))
}

/// A lease opened: its units are in use, of `model` or, when it names none, where most are free.
///
/// # Errors
/// When the storage is broken.
pub fn lease_opened(
    storage: &mut dyn Storage,
    lease: u64,
    address: &Addr,
    model: Option<String>,
    units: u32,
    now: u64,
) -> Result<(), ContractError> {
    let model = match model {
        Some(model) => model,
        None => roomiest(storage, address)?,
    };
    move_units(storage, address, &model, |n| n.saturating_add(units))?;
    let row = Leased {
        provider: address.clone(),
        model,
        units,
    };
    LEASED.save(storage, lease, &row)?;
    refresh(storage, address, None, false, now)
}

/// The model of which a provider has most that is not leased; the empty one when it has none at all.
fn roomiest(storage: &dyn Storage, address: &Addr) -> Result<String, ContractError> {
    let models = match PRESENCE.may_load(storage, address)? {
        Some(p) => leased(storage, address, &p.models)?,
        None => Vec::new(),
    };
    let best = models
        .into_iter()
        .max_by_key(|t| t.devices.saturating_sub(t.in_use));
    Ok(best.map(|t| t.model).unwrap_or_default())
}

/// A lease ended: its units are free again, where they were counted. Nothing to do when its opening was never reported.
///
/// # Errors
/// When the storage is broken.
pub fn lease_ended(storage: &mut dyn Storage, lease: u64, now: u64) -> Result<(), ContractError> {
    let Some(l) = LEASED.may_load(storage, lease)? else {
        return Ok(());
    };
    LEASED.remove(storage, lease);
    move_units(storage, &l.provider, &l.model, |n| {
        n.saturating_sub(l.units)
    })?;
    refresh(storage, &l.provider, None, false, now)
}

fn move_units(
    storage: &mut dyn Storage,
    address: &Addr,
    model: &str,
    change: impl FnOnce(u32) -> u32,
) -> Result<(), ContractError> {
    let key = (address, model);
    match change(IN_USE.may_load(storage, key)?.unwrap_or_default()) {
        0 => IN_USE.remove(storage, key),
        n => IN_USE.save(storage, key, &n)?,
    }
    Ok(())
}

/// Indexes providers of a version without presences, `max` at most; later ones are when they next say something.
///
/// # Errors
/// When the storage is broken.
pub fn adopt(storage: &mut dyn Storage, max: usize, now: u64) -> Result<(), ContractError> {
    let all: Vec<_> = PROVIDERS
        .keys(storage, None, None, Order::Ascending)
        .take(max)
        .collect::<Result<_, _>>()?;
    for address in all {
        if !PRESENCE.has(storage, &address) {
            let presence = load(storage, &address)?;
            index(storage, &address, &presence)?;
            refresh(storage, &address, None, false, now)?;
        }
    }
    Ok(())
}
