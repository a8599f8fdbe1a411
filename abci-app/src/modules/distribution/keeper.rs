//! What accounts and the community do with rewards.

use super::{delegation, store};
use crate::{
    codec::{
        coins::{self, Coins},
        dec_coins::DecCoins,
    },
    ctx::{Ctx, Event},
    error::{AppError, Result},
    modules::{auth::keeper::human, bank, stakes},
};

/// Names the account that a delegator's rewards go to.
///
/// # Errors
/// sdk/4 for a module's account, distribution/8 when the parameters forbid it.
pub fn set_withdraw_addr(ctx: &Ctx, delegator: &[u8], to: &[u8]) -> Result<()> {
    let name = human(ctx, to)?;
    if bank::keeper::is_blocked(to) {
        return Err(AppError::unauthorized(format_args!(
            "{name} is not allowed to receive external funds"
        )));
    }
    if !store::params(ctx)?.withdraw_addr_enabled {
        return Err(AppError::new(
            "distribution",
            8,
            "set withdraw address disabled",
        ));
    }
    ctx.emit(Event::new("set_withdraw_address").attr("withdraw_address", name));
    store::set_withdraw_addr(ctx, delegator, to)
}

/// Pays a delegator what it has earned with a validator; the coins.
///
/// # Errors
/// staking/3 and staking/19 for what is not there, distribution/5 when it earns nothing.
pub fn withdraw_rewards(ctx: &Ctx, delegator: &[u8], operator: &[u8]) -> Result<Coins> {
    let validator = stakes::validator(ctx, operator)?;
    let delegation = stakes::delegation(ctx, delegator, operator)?;
    let coins = delegation::withdraw(ctx, &validator, &delegation)?;
    delegation::initialize(ctx, operator, delegator)?;
    Ok(coins)
}

/// Pays a validator its commission; the coins. A fraction waits for the next time.
///
/// # Errors
/// distribution/7 when there is none.
pub fn withdraw_commission(ctx: &Ctx, operator: &[u8]) -> Result<Coins> {
    let commission = store::commission(ctx, operator)?;
    if commission.is_empty() {
        return Err(AppError::new(
            "distribution",
            7,
            "no validator commission to withdraw",
        ));
    }
    let (coins, remainder) = commission.truncate()?;
    store::set_commission(ctx, operator, &remainder)?;
    let outstanding = store::outstanding(ctx, operator)?;
    let left = outstanding.sub(&DecCoins::from_coins(&coins))?;
    store::set_outstanding(ctx, operator, &left)?;
    if !coins.is_empty() {
        let to = store::withdraw_addr(ctx, operator)?;
        bank::keeper::send(ctx, &store::account(), &to, &coins)?;
    }
    ctx.emit(Event::new("withdraw_commission").attr("amount", coins::display(&coins)));
    Ok(coins)
}

/// Gives coins to the community pool. The caller has checked who signed.
///
/// # Errors
/// sdk/5 when the balance is too small.
pub fn fund_community_pool(ctx: &Ctx, from: &[u8], coins: &[(String, u128)]) -> Result<()> {
    bank::keeper::send(ctx, from, &store::account(), coins)?;
    store::add_to_pool(ctx, &DecCoins::from_coins(coins))
}

/// Pays from the community pool. The caller has checked who may.
///
/// # Errors
/// distribution/9 when the pool has less.
pub fn spend_community_pool(ctx: &Ctx, to: &[u8], coins: &[(String, u128)]) -> Result<()> {
    let left = store::community_pool(ctx)?.checked_sub(&DecCoins::from_coins(coins));
    let left = left.ok_or_else(|| {
        AppError::new(
            "distribution",
            9,
            "community pool does not have sufficient coins to distribute",
        )
    })?;
    bank::keeper::send(ctx, &store::account(), to, coins)?;
    store::set_community_pool(ctx, &left)
}
