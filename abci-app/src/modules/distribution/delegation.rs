//! What a delegation has earned: its stake times what one token earned since it began, slash by slash.

use super::{
    keys, store,
    validator::{decrement_references, increment_period, increment_references, panicked},
};
use crate::{
    codec::{
        coins::{self, Coins},
        dec::Dec,
        dec_coins::DecCoins,
    },
    ctx::{Ctx, Event},
    error::{AppError, Result},
    modules::{
        bank,
        stakes::{self, Delegation, Validator},
    },
};
use cosmos_sdk_proto::cosmos::distribution::v1beta1::DelegatorStartingInfo;

/// Begins a delegation's earnings. The validator's period has just been ended.
///
/// # Errors
/// staking/3 and staking/19 for what is not there; sdk/11.
pub fn initialize(ctx: &Ctx, val: &[u8], del: &[u8]) -> Result<()> {
    let (_, period) = store::current(ctx, val)?;
    let previous_period = period
        .checked_sub(1)
        .ok_or_else(|| panicked("validator without a period"))?;
    increment_references(ctx, val, previous_period)?;
    let validator = stakes::validator(ctx, val)?;
    let delegation = stakes::delegation(ctx, del, val)?;
    // Truncated, so that nobody gets more than there is.
    let stake = validator.tokens_from_shares_truncated(&delegation.shares)?;
    let info = DelegatorStartingInfo {
        previous_period,
        stake: stake.to_proto(),
        height: ctx.block.height,
    };
    store::set(ctx, &keys::starting_info(val, del), &info)
}

/// What `stake` earned from the end of one period to the end of another.
fn between(ctx: &Ctx, val: &[u8], from: u64, to: u64, stake: &Dec) -> Result<DecCoins> {
    if from > to {
        return Err(panicked(
            "startingPeriod cannot be greater than endingPeriod",
        ));
    }
    if stake.is_negative() {
        return Err(panicked("stake should not be negative"));
    }
    let (starting, _) = store::historical(ctx, val, from)?;
    let (ending, _) = store::historical(ctx, val, to)?;
    let earned = ending
        .checked_sub(&starting)
        .ok_or_else(|| panicked("negative rewards should not be possible"))?;
    Ok(earned.mul_truncate(stake))
}

/// What a delegation has earned up to the end of a period.
///
/// # Errors
/// sdk/11; sdk/111222 when the records are broken.
pub fn rewards(ctx: &Ctx, val: &Validator, del: &Delegation, ending: u64) -> Result<DecCoins> {
    let operator = &val.operator;
    let info = store::starting_info(ctx, operator, &del.delegator)?.unwrap_or_default();
    let mut rewards = DecCoins::default();
    let height = ctx.block.height;
    if info.height == height {
        return Ok(rewards);
    }
    let mut period = info.previous_period;
    let mut stake = Dec::from_proto(&info.stake)?;
    if height > info.height {
        // Those of this block come after its rewards; the check of the stake below needs them.
        for slash in store::slashes(ctx, operator, info.height, height)? {
            if slash.validator_period <= period {
                continue;
            }
            rewards.add(&between(
                ctx,
                operator,
                period,
                slash.validator_period,
                &stake,
            )?);
            let left = &Dec::one() - &Dec::from_proto(&slash.fraction)?;
            stake = stake.mul_truncate(&left);
            period = slash.validator_period;
        }
    }
    let current = val.tokens_from_shares(&del.shares)?;
    if stake > current {
        // Slashes one by one round otherwise than all at once: in the last digit.
        let margin = Dec::from_proto("3")?;
        if stake > &current + &margin {
            return Err(panicked(format_args!(
                "calculated final stake for delegator {} greater than current stake\n\tfinal stake:\t{stake}\n\tcurrent stake:\t{current}",
                del.delegator_name
            )));
        }
        stake = current;
    }
    rewards.add(&between(ctx, operator, period, ending, &stake)?);
    Ok(rewards)
}

/// Pays a delegation what it has earned and ends its record; the coins. A fraction goes to the community pool.
///
/// # Errors
/// distribution/5 when it earns nothing; sdk/11; sdk/111222 when the records are broken.
pub fn withdraw(ctx: &Ctx, val: &Validator, del: &Delegation) -> Result<Coins> {
    let (operator, delegator) = (&val.operator, &del.delegator);
    let info = store::starting_info(ctx, operator, delegator)?
        .ok_or_else(|| AppError::new("distribution", 5, "no delegation distribution info"))?;
    let ending = increment_period(ctx, val)?;
    let earned = rewards(ctx, val, del, ending)?;
    let outstanding = store::outstanding(ctx, operator)?;
    // The last digits of rounding may not take what is not there.
    let paid = earned.intersect(&outstanding);
    if paid != earned {
        tracing::info!(validator = val.name, delegator = del.delegator_name, got = %paid, expected = %earned, "rounding error withdrawing rewards from validator");
    }
    let (mut coins, remainder) = paid.truncate()?;
    if !coins.is_empty() {
        let to = store::withdraw_addr(ctx, delegator)?;
        bank::keeper::send(ctx, &store::account(), &to, &coins)?;
    }
    store::set_outstanding(ctx, operator, &outstanding.sub(&paid)?)?;
    store::add_to_pool(ctx, &remainder)?;
    decrement_references(ctx, operator, info.previous_period)?;
    ctx.remove(store::STORE, &keys::starting_info(operator, delegator))?;
    if coins.is_empty() {
        // The SDK answers with a zero of its base denom.
        coins.push((stakes::bond_denom(ctx)?, 0));
    }
    ctx.emit(
        Event::new("withdraw_rewards")
            .attr("amount", coins::display(&coins))
            .attr("validator", val.name.clone())
            .attr("delegator", del.delegator_name.clone()),
    );
    Ok(coins)
}
