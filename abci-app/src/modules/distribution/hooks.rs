//! What staking tells of before and after it changes something. All do nothing on a chain without the module.

use super::{delegation, keys, store, validator};
use crate::{
    codec::dec::Dec,
    ctx::Ctx,
    error::Result,
    modules::{bank, stakes},
};

/// A validator was created.
///
/// # Errors
/// sdk/11.
pub fn after_validator_created(ctx: &Ctx, operator: &[u8]) -> Result<()> {
    if !store::enabled(ctx) {
        return Ok(());
    }
    validator::initialize(ctx, operator)
}

/// A validator without delegations was removed: its commission is paid, the rest is dust for the community.
///
/// # Errors
/// sdk/11.
pub fn after_validator_removed(ctx: &Ctx, operator: &[u8]) -> Result<()> {
    if !store::enabled(ctx) {
        return Ok(());
    }
    let mut outstanding = store::outstanding(ctx, operator)?;
    let commission = store::commission(ctx, operator)?;
    if !commission.is_empty() {
        outstanding = outstanding.sub(&commission)?;
        let (coins, remainder) = commission.truncate()?;
        store::add_to_pool(ctx, &remainder)?;
        if !coins.is_empty() {
            let to = store::withdraw_addr(ctx, operator)?;
            bank::keeper::send(ctx, &store::account(), &to, &coins)?;
        }
    }
    store::add_to_pool(ctx, &outstanding)?;
    ctx.remove(store::STORE, &keys::of(keys::OUTSTANDING, operator))?;
    ctx.remove(store::STORE, &keys::of(keys::COMMISSION, operator))?;
    store::clear(ctx, &keys::of(keys::SLASH, operator))?;
    store::clear(ctx, &keys::of(keys::HISTORICAL, operator))?;
    ctx.remove(store::STORE, &keys::of(keys::CURRENT, operator))
}

/// A delegation is about to be made.
///
/// # Errors
/// sdk/11.
pub fn before_delegation_created(ctx: &Ctx, operator: &[u8]) -> Result<()> {
    if !store::enabled(ctx) {
        return Ok(());
    }
    let validator = stakes::validator(ctx, operator)?;
    validator::increment_period(ctx, &validator).map(drop)
}

/// A delegation is about to get other shares, or to end: it is paid what it has earned.
///
/// # Errors
/// sdk/11.
pub fn before_delegation_shares_modified(
    ctx: &Ctx,
    delegator: &[u8],
    operator: &[u8],
) -> Result<()> {
    if !store::enabled(ctx) {
        return Ok(());
    }
    let validator = stakes::validator(ctx, operator)?;
    let delegation = stakes::delegation(ctx, delegator, operator)?;
    delegation::withdraw(ctx, &validator, &delegation).map(drop)
}

/// A delegation was made, or has other shares.
///
/// # Errors
/// sdk/11.
pub fn after_delegation_modified(ctx: &Ctx, delegator: &[u8], operator: &[u8]) -> Result<()> {
    if !store::enabled(ctx) {
        return Ok(());
    }
    delegation::initialize(ctx, operator, delegator)
}

/// A validator is about to lose a fraction of its tokens.
///
/// # Errors
/// sdk/11; sdk/111222 when the fraction is none.
pub fn before_validator_slashed(ctx: &Ctx, operator: &[u8], fraction: &Dec) -> Result<()> {
    if !store::enabled(ctx) {
        return Ok(());
    }
    let validator = stakes::validator(ctx, operator)?;
    validator::record_slash(ctx, &validator, fraction)
}
