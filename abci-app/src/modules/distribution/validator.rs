//! A validator's periods. One ends whenever a delegation to it changes or it is slashed; of every ended period that a
//! record begins at, the rewards for one token up to then are kept (F1).

use super::{keys, store};
use crate::{
    codec::{dec::Dec, dec_coins::DecCoins},
    ctx::Ctx,
    error::{AppError, Result},
    modules::stakes::Validator,
};
use cosmos_sdk_proto::cosmos::distribution::v1beta1::ValidatorSlashEvent;

/// What the SDK makes of a panic in a transaction; in a block it ends the node.
pub(super) fn panicked(what: impl std::fmt::Display) -> AppError {
    AppError::new("sdk", 111_222, format!("recovered: {what}: panic"))
}

/// The records of a new validator.
///
/// # Errors
/// sdk/11.
pub fn initialize(ctx: &Ctx, val: &[u8]) -> Result<()> {
    let none = DecCoins::default();
    store::set_historical(ctx, val, 0, &none, 1)?;
    store::set_current(ctx, val, &none, 1)?;
    store::set_commission(ctx, val, &none)?;
    store::set_outstanding(ctx, val, &none)
}

/// Ends the running period; its number.
///
/// # Errors
/// sdk/11; sdk/111222 when the records are broken.
pub fn increment_period(ctx: &Ctx, val: &Validator) -> Result<u64> {
    let operator = &val.operator;
    let (rewards, period) = store::current(ctx, operator)?;
    let ratio = if val.tokens == 0 {
        // Nobody is there to get them.
        let outstanding = store::outstanding(ctx, operator)?;
        store::add_to_pool(ctx, &rewards)?;
        store::set_outstanding(ctx, operator, &outstanding.sub(&rewards)?)?;
        DecCoins::default()
    } else {
        rewards.quo_truncate(&Dec::from_int(val.tokens))?
    };
    let before = period
        .checked_sub(1)
        .ok_or_else(|| panicked("validator without a period"))?;
    let (mut cumulative, _) = store::historical(ctx, operator, before)?;
    decrement_references(ctx, operator, before)?;
    cumulative.add(&ratio);
    store::set_historical(ctx, operator, period, &cumulative, 1)?;
    let next = period.saturating_add(1);
    store::set_current(ctx, operator, &DecCoins::default(), next)?;
    Ok(period)
}

/// One more record needs an ended period.
///
/// # Errors
/// sdk/11; sdk/111222 when more need it than can.
pub fn increment_references(ctx: &Ctx, val: &[u8], period: u64) -> Result<()> {
    let (ratio, count) = store::historical(ctx, val, period)?;
    if count > 1 {
        return Err(panicked("reference count should never exceed 2"));
    }
    store::set_historical(ctx, val, period, &ratio, count + 1)
}

/// One record less needs an ended period; the last deletes it.
///
/// # Errors
/// sdk/11; sdk/111222 when none needed it.
pub fn decrement_references(ctx: &Ctx, val: &[u8], period: u64) -> Result<()> {
    let (ratio, count) = store::historical(ctx, val, period)?;
    let left = count
        .checked_sub(1)
        .ok_or_else(|| panicked("cannot set negative reference count"))?;
    store::set_historical(ctx, val, period, &ratio, left)
}

/// Records that a validator is about to lose `fraction` of its tokens.
///
/// # Errors
/// sdk/11; sdk/111222 when the fraction is not between 0 and 1.
pub fn record_slash(ctx: &Ctx, val: &Validator, fraction: &Dec) -> Result<()> {
    if fraction.is_negative() || *fraction > Dec::one() {
        return Err(panicked(format_args!(
            "fraction must be >=0 and <=1, current fraction: {fraction}"
        )));
    }
    let operator = &val.operator;
    let period = increment_period(ctx, val)?;
    increment_references(ctx, operator, period)?;
    let event = ValidatorSlashEvent {
        validator_period: period,
        fraction: fraction.to_proto(),
    };
    let key = keys::slash(operator, ctx.block.height, period);
    store::set(ctx, &key, &event)
}
