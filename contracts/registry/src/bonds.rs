//! Bonded stake: it counts from the moment it comes, and leaves through a queue.

use crate::{
    error::ContractError,
    state::{BONDS, CONFIG, MAX_UNBONDINGS, UNBONDINGS},
};
use cosmwasm_std::{Addr, Event, Storage, Timestamp, Uint128};
use ember_types::{
    events::{self, key},
    registry::{SlashResponse, Unbonding},
};

/// What `owner` has bonded, micro-units.
///
/// # Errors
/// When the storage is broken.
pub fn bonded(storage: &dyn Storage, owner: &Addr) -> Result<Uint128, ContractError> {
    Ok(BONDS.may_load(storage, owner)?.unwrap_or_default())
}

/// Adds `amount` to the bond.
///
/// # Errors
/// When the sum does not fit 128 bits.
pub fn add(
    storage: &mut dyn Storage,
    owner: &Addr,
    amount: Uint128,
) -> Result<Event, ContractError> {
    let bonded = bonded(storage, owner)?;
    let sum = bonded
        .checked_add(amount)
        .map_err(|_| ContractError::BondOverflow {
            bonded,
            added: amount,
        })?;
    BONDS.save(storage, owner, &sum)?;
    Ok(event("bond", owner, amount, bonded, sum))
}

/// Takes `amount` out of the bond and puts it at the end of the owner's queue.
///
/// # Errors
/// When less is bonded or the queue is full.
pub fn start_unbonding(
    storage: &mut dyn Storage,
    owner: &Addr,
    amount: Uint128,
    now: Timestamp,
) -> Result<Event, ContractError> {
    let bonded = bonded(storage, owner)?;
    let rest = bonded
        .checked_sub(amount)
        .map_err(|_| ContractError::InsufficientBond {
            asked: amount,
            bonded,
        })?;
    let mut queue = UNBONDINGS.may_load(storage, owner)?.unwrap_or_default();
    if let Some(first) = queue.first().filter(|_| queue.len() >= MAX_UNBONDINGS) {
        return Err(ContractError::UnbondingQueueFull {
            max: MAX_UNBONDINGS,
            first_release: first.release_at,
        });
    }
    queue.push(Unbonding {
        amount,
        release_at: later(now, CONFIG.load(storage)?.unbonding_secs),
    });
    UNBONDINGS.save(storage, owner, &queue)?;
    save(storage, owner, rest)?;
    Ok(event("unbond", owner, amount, bonded, rest))
}

/// `Timestamp::plus_seconds` panics after the year 2554.
fn later(now: Timestamp, secs: u64) -> Timestamp {
    let more = secs.saturating_mul(1_000_000_000);
    Timestamp::from_nanos(now.nanos().saturating_add(more))
}

/// Takes every released unbonding out of the queue; answers their sum.
///
/// # Errors
/// When none is released.
pub fn claim(
    storage: &mut dyn Storage,
    owner: &Addr,
    now: Timestamp,
) -> Result<Uint128, ContractError> {
    let queue = UNBONDINGS.may_load(storage, owner)?.unwrap_or_default();
    let (released, waiting): (Vec<_>, Vec<_>) =
        queue.into_iter().partition(|u| u.release_at <= now);
    if released.is_empty() {
        return Err(ContractError::NothingToClaim {
            waiting: waiting.len(),
        });
    }
    save_queue(storage, owner, &waiting)?;
    let mut sum = Uint128::zero();
    for u in released {
        sum = sum
            .checked_add(u.amount)
            .map_err(|_| ContractError::BondOverflow {
                bonded: sum,
                added: u.amount,
            })?;
    }
    Ok(sum)
}

/// Takes up to `amount` away from `owner`: from the bond, then from what is still unbonding, in the order of its release.
///
/// # Errors
/// When there is nothing to take.
pub fn slash(
    storage: &mut dyn Storage,
    owner: &Addr,
    amount: Uint128,
    now: Timestamp,
) -> Result<SlashResponse, ContractError> {
    let bonded = bonded(storage, owner)?;
    let from_bond = bonded.min(amount);
    save(storage, owner, bonded.saturating_sub(from_bond))?;
    let mut left = amount.saturating_sub(from_bond);
    let mut from_unbonding = Uint128::zero();
    let mut queue = UNBONDINGS.may_load(storage, owner)?.unwrap_or_default();
    // The period may have been changed in between, so that the oldest need not be the first to go.
    queue.sort_by_key(|u| u.release_at);
    for u in queue.iter_mut().filter(|u| u.release_at > now) {
        let part = u.amount.min(left);
        u.amount = u.amount.saturating_sub(part);
        left = left.saturating_sub(part);
        from_unbonding = from_unbonding.saturating_add(part);
    }
    if from_bond.is_zero() && from_unbonding.is_zero() {
        return Err(ContractError::NothingToSlash {
            owner: owner.clone(),
        });
    }
    if !from_unbonding.is_zero() {
        queue.retain(|u| !u.amount.is_zero());
        save_queue(storage, owner, &queue)?;
    }
    Ok(SlashResponse {
        from_bond,
        from_unbonding,
    })
}

fn save(storage: &mut dyn Storage, owner: &Addr, bonded: Uint128) -> Result<(), ContractError> {
    if bonded.is_zero() {
        BONDS.remove(storage, owner);
        return Ok(());
    }
    Ok(BONDS.save(storage, owner, &bonded)?)
}

fn save_queue(
    storage: &mut dyn Storage,
    owner: &Addr,
    queue: &Vec<Unbonding>,
) -> Result<(), ContractError> {
    if queue.is_empty() {
        UNBONDINGS.remove(storage, owner);
        return Ok(());
    }
    Ok(UNBONDINGS.save(storage, owner, queue)?)
}

/// The event of a movement of `amount` that took the bond from `before` to `after`.
pub fn event(
    action: &str,
    owner: &Addr,
    amount: Uint128,
    before: Uint128,
    after: Uint128,
) -> Event {
    Event::new(events::BOND)
        .add_attribute(key::ACTION, action)
        .add_attribute(key::OWNER, owner)
        .add_attribute(key::AMOUNT, amount)
        .add_attribute(key::BEFORE, before)
        .add_attribute(key::AFTER, after)
}
