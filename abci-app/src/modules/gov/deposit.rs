//! Deposits: the module's account holds them until they are given back or burnt.

use super::{
    error::{deposit_too_small, inactive, invalid_denom},
    keeper,
    params::{is_all_gte, shown},
    store,
};
use crate::{
    codec::{
        address,
        coins::{self, Coins},
        dec::Dec,
    },
    ctx::{Ctx, Event},
    error::{AppError, Result},
    modules::{
        auth::keeper::{addr, human},
        bank, distribution,
    },
};
use cosmos_sdk_proto::cosmos::{
    base::v1beta1::Coin,
    gov::v1::{Deposit, Params, Proposal, ProposalStatus},
};

/// The sum of two sets of coins.
///
/// # Errors
/// sdk/10 above 128 bits.
pub(super) fn plus(a: &[(String, u128)], b: &[(String, u128)]) -> Result<Coins> {
    let mut sum = std::collections::BTreeMap::new();
    for (denom, amount) in a.iter().chain(b) {
        let slot = sum.entry(denom.clone()).or_insert(0u128);
        *slot = slot
            .checked_add(*amount)
            .ok_or_else(|| AppError::invalid_coins(format_args!("{denom}: a sum above 2^128")))?;
    }
    Ok(sum.into_iter().filter(|(_, amount)| *amount > 0).collect())
}

/// A part of an amount.
fn part(amount: u128, ratio: &Dec) -> Dec {
    Dec::from_int(amount).mul(ratio)
}

/// What a proposal needs.
fn least(p: &Params, expedited: bool) -> Result<Coins> {
    coins::check(if expedited {
        &p.expedited_min_deposit
    } else {
        &p.min_deposit
    })
}

/// Coins that may be a deposit; none are.
///
/// # Errors
/// sdk/10.
pub fn check(amount: &[Coin]) -> Result<Coins> {
    coins::check(amount).map_err(|_| AppError::invalid_coins(shown(amount)))
}

/// Whether a proposal may begin with a deposit.
///
/// # Errors
/// gov/16 when it is too small, gov/23.
pub fn check_initial(p: &Params, amount: &[(String, u128)], expedited: bool) -> Result<()> {
    let ratio: Dec = p.min_initial_deposit_ratio.parse()?;
    if !ratio.is_zero() {
        let mut need = Coins::new();
        for (denom, amount) in least(p, expedited)? {
            let rounded = Dec::from_int(part(amount, &ratio).round_int());
            need.push((denom, rounded.truncate_u128()?));
        }
        if !is_all_gte(amount, &need) {
            return Err(deposit_too_small(format_args!(
                "was ({}), need ({})",
                coins::display(amount),
                coins::display(&need)
            )));
        }
    }
    check_denoms(p, amount)
}

fn check_denoms(p: &Params, amount: &[(String, u128)]) -> Result<()> {
    let taken: Vec<_> = p.min_deposit.iter().map(|c| c.denom.as_str()).collect();
    if amount.iter().all(|(d, _)| taken.contains(&d.as_str())) {
        return Ok(());
    }
    Err(invalid_denom(format_args!(
        "deposited {}, but gov accepts only the following denom(s): [{}]",
        coins::display(amount),
        taken.join(" ")
    )))
}

/// Whether a deposit is worth the trouble: of one coin at least the ratio of what is needed.
fn check_ratio(p: &Params, amount: &[(String, u128)], needed: &[(String, u128)]) -> Result<()> {
    let ratio: Dec = p.min_deposit_ratio.parse()?;
    if ratio.is_zero() {
        return Ok(());
    }
    let mut thresholds = Coins::new();
    for (denom, needed) in needed {
        let threshold = part(*needed, &ratio).truncate_u128()?;
        if amount.iter().any(|(d, a)| d == denom && *a >= threshold) {
            return Ok(());
        }
        thresholds.push((denom.clone(), threshold));
    }
    Err(deposit_too_small(format_args!(
        "received {} but need at least one of the following: {}",
        coins::display(amount),
        coins::display(&thresholds)
    )))
}

/// Adds a deposit to a proposal; whether it is voted on from now.
///
/// # Errors
/// undefined/1 when there is no proposal; gov/3 when it is over, gov/16, gov/23; sdk/5.
pub fn add(ctx: &Ctx, id: u64, who: &[u8], amount: &[(String, u128)]) -> Result<bool> {
    let mut p = store::proposal(ctx, id)?;
    let (deposits, voting) = (
        ProposalStatus::DepositPeriod as i32,
        ProposalStatus::VotingPeriod as i32,
    );
    if ![deposits, voting].contains(&p.status) {
        return Err(inactive(id));
    }
    let params = store::params(ctx)?;
    let needed = least(&params, p.expedited)?;
    check_denoms(&params, amount)?;
    check_ratio(&params, amount, &needed)?;
    bank::keeper::send(ctx, who, &store::account(), amount)?;
    let total = plus(&coins::check(&p.total_deposit)?, amount)?;
    p.total_deposit = coins::to_proto(&total);
    store::set_proposal(ctx, &p)?;
    let begins = p.status == deposits && is_all_gte(&total, &needed);
    if begins {
        keeper::begin_voting(ctx, p)?;
    }
    let had = match store::deposit(ctx, id, who)? {
        Some(d) => coins::check(&d.amount)?,
        None => Coins::new(),
    };
    let depositor = human(ctx, who)?;
    ctx.emit(
        Event::new("proposal_deposit")
            .attr("depositor", depositor.clone())
            .attr("amount", coins::display(amount))
            .attr("proposal_id", id.to_string()),
    );
    let deposit = Deposit {
        proposal_id: id,
        depositor,
        amount: coins::to_proto(&plus(&had, amount)?),
    };
    store::set_deposit(ctx, who, &deposit)?;
    Ok(begins)
}

fn pay(ctx: &Ctx, to: &[u8], amount: &[(String, u128)]) -> Result<()> {
    bank::keeper::check_recipient(ctx, to)?;
    bank::keeper::send(ctx, &store::account(), to, amount)
}

/// Gives a proposal's deposits back.
///
/// # Errors
/// sdk/5 when the module has too little: its books are broken.
pub fn refund(ctx: &Ctx, id: u64) -> Result<()> {
    for (who, d) in store::deposits(ctx, id)? {
        pay(ctx, &who, &coins::check(&d.amount)?)?;
        store::remove_deposit(ctx, id, &who)?;
    }
    Ok(())
}

/// Burns a proposal's deposits.
///
/// # Errors
/// sdk/5 when the module has too little: its books are broken.
pub fn burn(ctx: &Ctx, id: u64) -> Result<()> {
    let mut sum = Coins::new();
    for (who, d) in store::deposits(ctx, id)? {
        sum = plus(&sum, &coins::check(&d.amount)?)?;
        store::remove_deposit(ctx, id, &who)?;
    }
    bank::keeper::burn(ctx, &store::account(), &sum)
}

/// Gives the deposits of a proposal that its proposer takes back to the depositors, less the fraction that the
/// parameters charge: that is burnt, or goes where they say.
///
/// # Errors
/// sdk/4 when it would go where nothing may be sent.
pub fn charge(ctx: &Ctx, p: &Proposal, params: &Params) -> Result<()> {
    let rate: Dec = params.proposal_cancel_ratio.parse()?;
    let mut charged = Coins::new();
    for (who, d) in store::deposits(ctx, p.id)? {
        let all = coins::check(&d.amount)?;
        let mut taken = Coins::new();
        for (denom, amount) in &all {
            taken.push((denom.clone(), part(*amount, &rate).truncate_u128()?));
        }
        let left = coins::minus(&all, &taken).unwrap_or_default();
        if !left.is_empty() {
            pay(ctx, &who, &left)?;
        }
        charged = plus(&charged, &taken)?;
        store::remove_deposit(ctx, p.id, &who)?;
    }
    let to = params.proposal_cancel_dest.as_str();
    if charged.is_empty() {
        Ok(())
    } else if to.is_empty() {
        bank::keeper::burn(ctx, &store::account(), &charged)
    } else if to == human(ctx, &address::module("distribution"))? {
        distribution::keeper::fund_community_pool(ctx, &store::account(), &charged)
    } else {
        pay(ctx, &addr(ctx, to)?, &charged)
    }
}
