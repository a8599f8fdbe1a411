//! What a block collected, to who voted for it.

use super::store;
use crate::{
    codec::{address, dec::Dec, dec_coins::DecCoins},
    ctx::{Ctx, Event},
    error::Result,
    modules::{
        bank,
        stakes::{self, Validator},
    },
};

/// A validator of the last block, whether it signed or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// The address of its key.
    pub cons: Vec<u8>,
    /// Its power.
    pub power: i64,
}

/// Distributes what the fee collector holds: the last block's fees and this block's inflation. Nothing on a chain
/// without the module.
///
/// # Errors
/// When a vote is of nobody or the state is broken: the node must stop.
pub fn begin_block(ctx: &Ctx, votes: &[Vote], proposer: &[u8]) -> Result<()> {
    if !store::enabled(ctx) {
        return Ok(());
    }
    if ctx.block.height > 1 {
        allocate(ctx, votes)?;
    }
    store::set_previous_proposer(ctx, proposer)
}

fn allocate(ctx: &Ctx, votes: &[Vote]) -> Result<()> {
    let collector = address::module("fee_collector");
    let coins = bank::keeper::all_balances(ctx, &collector)?;
    let collected = DecCoins::from_coins(&coins);
    bank::keeper::send(ctx, &collector, &store::account(), &coins)?;
    let total: i64 = votes.iter().map(|v| v.power).sum();
    if total == 0 {
        return store::add_to_pool(ctx, &collected);
    }
    let tax = store::params(ctx)?.community_tax;
    let shared = collected.mul_truncate(&(&Dec::one() - &tax));
    let mut remaining = collected;
    for vote in votes {
        let validator = stakes::validator_by_cons(ctx, &vote.cons)?;
        let fraction = Dec::from_int(vote.power).quo_truncate(&Dec::from_int(total))?;
        let reward = shared.mul_truncate(&fraction);
        to_validator(ctx, &validator, &reward)?;
        remaining = remaining.sub(&reward)?;
    }
    store::add_to_pool(ctx, &remaining)
}

/// Books coins that are in the module's account already for a validator: its commission, the rest for who delegated.
///
/// # Errors
/// sdk/11.
pub fn to_validator(ctx: &Ctx, val: &Validator, coins: &DecCoins) -> Result<()> {
    let commission = coins.mul(&val.commission);
    let shared = coins.sub(&commission)?;
    let event = |kind: &str, amount: &DecCoins| {
        Event::new(kind)
            .attr("amount", amount.to_string())
            .attr("validator", val.name.clone())
    };
    ctx.emit(event("commission", &commission));
    let mut accumulated = store::commission(ctx, &val.operator)?;
    accumulated.add(&commission);
    store::set_commission(ctx, &val.operator, &accumulated)?;
    let (mut rewards, period) = store::current(ctx, &val.operator)?;
    rewards.add(&shared);
    store::set_current(ctx, &val.operator, &rewards, period)?;
    ctx.emit(event("rewards", coins));
    let mut outstanding = store::outstanding(ctx, &val.operator)?;
    outstanding.add(coins);
    store::set_outstanding(ctx, &val.operator, &outstanding)
}
