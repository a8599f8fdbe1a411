//! `app_state.gov`, in and out, in the SDK's JSON.

use super::{deposit::plus, keys, params, store};
use crate::{
    codec::{coins, json},
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth::keeper::{addr, ensure_account},
        bank, stakes, staking,
    },
};
use cosmos_sdk_proto::cosmos::gov::v1::{GenesisState, ProposalStatus};
use prost::Message;
use serde_json::Value;
use std::collections::BTreeSet;

const NAME: &str = "cosmos.gov.v1.GenesisState";

fn bad(detail: impl std::fmt::Display) -> AppError {
    AppError::invalid_request(format_args!("genesis: app_state.gov: {detail}"))
}

/// Reads the module's genesis, after bank's and staking's. A chain with staking and without this has the SDK's
/// parameters, with deposits in the staking coin.
///
/// # Errors
/// sdk/18 with what is wrong.
pub fn import(ctx: &Ctx, app_state: &Value) -> Result<()> {
    if !staking::store::enabled(ctx) {
        return Ok(());
    }
    ensure_account(ctx, &store::account())?;
    let state = &app_state["gov"];
    if state.is_null() {
        store::set_next_id(ctx, 1)?;
        store::set_constitution(ctx, "")?;
        return store::set_params(ctx, &params::default(&stakes::bond_denom(ctx)?));
    }
    let bytes = json::read(NAME, state).map_err(bad)?;
    let genesis = GenesisState::decode(bytes.as_slice()).map_err(bad)?;
    read(ctx, genesis).map_err(|e| bad(e.log))
}

fn read(ctx: &Ctx, genesis: GenesisState) -> Result<()> {
    if genesis.starting_proposal_id == 0 {
        return Err(bad("starting proposal id must be greater than 0"));
    }
    let p = genesis
        .params
        .ok_or_else(|| bad("params: expected parameters, got none"))?;
    params::check(ctx, &p)?;
    store::set_next_id(ctx, genesis.starting_proposal_id)?;
    store::set_params(ctx, &p)?;
    store::set_constitution(ctx, &genesis.constitution)?;
    let mut ids = BTreeSet::new();
    for p in &genesis.proposals {
        if !ids.insert(p.id) {
            return Err(bad(format_args!("duplicate proposal id: {}", p.id)));
        }
    }
    let known = |what: &str, id| {
        if ids.contains(&id) {
            return Ok(());
        }
        Err(bad(format_args!(
            "{what} has non-existent proposal id: {id}"
        )))
    };
    let mut held = coins::Coins::new();
    for d in &genesis.deposits {
        known("deposit", d.proposal_id)?;
        let who = addr(ctx, &d.depositor)?;
        if store::deposit(ctx, d.proposal_id, &who)?.is_some() {
            return Err(bad(format_args!("duplicate deposit: {}", d.depositor)));
        }
        store::set_deposit(ctx, &who, d)?;
        held = plus(&held, &coins::check(&d.amount)?)?;
    }
    for v in &genesis.votes {
        known("vote", v.proposal_id)?;
        let who = addr(ctx, &v.voter)?;
        if store::vote(ctx, v.proposal_id, &who)?.is_some() {
            return Err(bad(format_args!("duplicate vote: {}", v.voter)));
        }
        for option in &v.options {
            super::keeper::weight(option)?;
        }
        store::set_vote(ctx, &who, v)?;
    }
    for p in &genesis.proposals {
        let (queue, end) = match ProposalStatus::try_from(p.status) {
            Ok(ProposalStatus::DepositPeriod) => (keys::INACTIVE, p.deposit_end_time.as_ref()),
            Ok(ProposalStatus::VotingPeriod) => (keys::ACTIVE, p.voting_end_time.as_ref()),
            _ => (0, None),
        };
        if queue != 0 {
            let end = end.ok_or_else(|| bad(format_args!("proposal {}: no end", p.id)))?;
            store::queue(ctx, queue, Some(end), p.id)?;
        }
        store::set_proposal(ctx, p)?;
    }
    let balance = bank::keeper::all_balances(ctx, &store::account())?;
    if balance != held {
        return Err(bad(format_args!(
            "expected module account was {} but we got {}",
            coins::display(&balance),
            coins::display(&held)
        )));
    }
    Ok(())
}

/// Writes the module's genesis; null on a chain without staking.
///
/// # Errors
/// When the store is broken.
pub fn export(ctx: &Ctx) -> Result<Value> {
    if store::check_enabled(ctx).is_err() {
        return Ok(Value::Null);
    }
    let genesis = GenesisState {
        starting_proposal_id: store::next_id(ctx)?,
        deposits: store::every(ctx, keys::DEPOSIT)?,
        votes: store::every(ctx, keys::VOTE)?,
        proposals: store::every(ctx, keys::PROPOSAL)?,
        params: Some(store::params(ctx)?),
        constitution: store::constitution(ctx)?,
        ..GenesisState::default()
    };
    json::print(NAME, &genesis.encode_to_vec()).map_err(bad)
}
