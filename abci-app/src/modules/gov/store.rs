//! The module's records.

use super::{error::missing, keys};
use crate::{
    codec::times,
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth::keeper::human,
    store::{Order, StoreKey, prefix_end},
};
use cosmos_sdk_proto::cosmos::gov::v1::{Deposit, Params, Proposal, ProposalStatus, Vote};
use prost::Message;
use tendermint_proto::google::protobuf::Timestamp;

/// The module's store.
pub const STORE: StoreKey = StoreKey::Gov;

fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes).map_err(AppError::tx_decode)
}

fn get<M: Message + Default>(ctx: &Ctx, key: &[u8]) -> Result<Option<M>> {
    ctx.get(STORE, key)?.map(|b| decode(&b)).transpose()
}

/// Whether the chain has this module. Costs no gas.
///
/// # Errors
/// sdk/37 when it has not.
pub fn check_enabled(ctx: &Ctx) -> Result<()> {
    if ctx.with_layers(|l| l.get(STORE, keys::PARAMS)).is_some() {
        return Ok(());
    }
    Err(AppError::not_supported(
        "gov: expected app_state.staking in this chain's genesis, got none",
    ))
}

/// The parameters.
///
/// # Errors
/// sdk/37 on a chain without staking.
pub fn params(ctx: &Ctx) -> Result<Params> {
    check_enabled(ctx)?;
    Ok(get(ctx, keys::PARAMS)?.unwrap_or_default())
}

/// Stores the parameters, which the caller has checked.
///
/// # Errors
/// sdk/11.
pub fn set_params(ctx: &Ctx, params: &Params) -> Result<()> {
    ctx.set(STORE, keys::PARAMS, params.encode_to_vec())
}

/// What the chain says of itself.
///
/// # Errors
/// sdk/11.
pub fn constitution(ctx: &Ctx) -> Result<String> {
    let bytes = ctx.get(STORE, keys::CONSTITUTION)?.unwrap_or_default();
    String::from_utf8(bytes).map_err(AppError::tx_decode)
}

/// Stores what the chain says of itself.
///
/// # Errors
/// sdk/11.
pub fn set_constitution(ctx: &Ctx, text: &str) -> Result<()> {
    ctx.set(STORE, keys::CONSTITUTION, text.as_bytes().to_vec())
}

/// The number of the next proposal.
///
/// # Errors
/// sdk/11.
pub fn next_id(ctx: &Ctx) -> Result<u64> {
    let bytes = ctx.get(STORE, keys::NEXT_ID)?;
    Ok(bytes
        .and_then(|b| b.try_into().ok())
        .map_or(1, u64::from_be_bytes))
}

/// Sets the number of the next proposal.
///
/// # Errors
/// sdk/11.
pub fn set_next_id(ctx: &Ctx, id: u64) -> Result<()> {
    ctx.set(STORE, keys::NEXT_ID, id.to_be_bytes().to_vec())
}

/// A proposal, if there is one.
///
/// # Errors
/// sdk/11.
pub fn find(ctx: &Ctx, id: u64) -> Result<Option<Proposal>> {
    get(ctx, &keys::of(keys::PROPOSAL, id))
}

/// A proposal.
///
/// # Errors
/// undefined/1 when there is none.
pub fn proposal(ctx: &Ctx, id: u64) -> Result<Proposal> {
    find(ctx, id)?.ok_or_else(|| missing(id, "Proposal"))
}

/// Stores a proposal, and whether it is voted on.
///
/// # Errors
/// sdk/11.
pub fn set_proposal(ctx: &Ctx, p: &Proposal) -> Result<()> {
    let voted_on = keys::of(keys::VOTED_ON, p.id);
    if p.status == ProposalStatus::VotingPeriod as i32 {
        ctx.set(STORE, &voted_on, vec![1])?;
    } else {
        ctx.remove(STORE, &voted_on)?;
    }
    ctx.set(STORE, &keys::of(keys::PROPOSAL, p.id), p.encode_to_vec())
}

/// Whether a proposal is voted on.
///
/// # Errors
/// sdk/11.
pub fn is_voted_on(ctx: &Ctx, id: u64) -> Result<bool> {
    ctx.has(STORE, &keys::of(keys::VOTED_ON, id))
}

/// Removes a proposal and its place in the queues. Deposits and votes stay.
///
/// # Errors
/// undefined/1 when there is none.
pub fn delete_proposal(ctx: &Ctx, id: u64) -> Result<()> {
    let p = proposal(ctx, id)?;
    if p.deposit_end_time.is_some() {
        unqueue(ctx, keys::INACTIVE, p.deposit_end_time.as_ref(), id)?;
    }
    if p.voting_end_time.is_some() {
        unqueue(ctx, keys::ACTIVE, p.voting_end_time.as_ref(), id)?;
        ctx.remove(STORE, &keys::of(keys::VOTED_ON, id))?;
    }
    ctx.remove(STORE, &keys::of(keys::PROPOSAL, id))
}

fn nanos(t: Option<&Timestamp>) -> i128 {
    t.map_or(0, times::nanos)
}

/// Puts a proposal into a queue.
///
/// # Errors
/// sdk/11.
pub(super) fn queue(ctx: &Ctx, queue: u8, end: Option<&Timestamp>, id: u64) -> Result<()> {
    let key = keys::queued(queue, nanos(end), id)?;
    ctx.set(STORE, &key, id.to_be_bytes().to_vec())
}

/// Takes a proposal out of a queue.
///
/// # Errors
/// sdk/11.
pub(super) fn unqueue(ctx: &Ctx, queue: u8, end: Option<&Timestamp>, id: u64) -> Result<()> {
    ctx.remove(STORE, &keys::queued(queue, nanos(end), id)?)
}

/// The proposals of a queue whose time has come, by time.
///
/// # Errors
/// sdk/11.
pub(super) fn due(ctx: &Ctx, queue: u8) -> Result<Vec<u64>> {
    let end = prefix_end(&keys::until(queue, i128::from(ctx.block.time_ns))?);
    let mut from = vec![queue];
    let mut out = Vec::new();
    while let Some((key, value)) = ctx.seek(STORE, &from, end.as_deref(), Order::Ascending)? {
        let id = value.try_into().map(u64::from_be_bytes);
        out.push(id.map_err(|_| AppError::tx_decode("gov: a broken queue"))?);
        from = [key.as_slice(), &[0]].concat();
    }
    Ok(out)
}

/// Every record of a proposal below a prefix: its address and its bytes.
fn all(ctx: &Ctx, prefix: u8, id: u64) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let prefix = keys::of(prefix, id);
    let (mut from, end) = (prefix.clone(), prefix_end(&prefix));
    let mut out = Vec::new();
    while let Some((key, value)) = ctx.seek(STORE, &from, end.as_deref(), Order::Ascending)? {
        out.push((keys::who(&key).to_vec(), value));
        from = [key.as_slice(), &[0]].concat();
    }
    Ok(out)
}

fn read<M: Message + Default>(all: Vec<(Vec<u8>, Vec<u8>)>) -> Result<Vec<(Vec<u8>, M)>> {
    let read = |(who, bytes): (Vec<u8>, Vec<u8>)| Ok((who, decode(&bytes)?));
    all.into_iter().map(read).collect()
}

/// A deposit, if there is one.
///
/// # Errors
/// sdk/11.
pub fn deposit(ctx: &Ctx, id: u64, who: &[u8]) -> Result<Option<Deposit>> {
    get(ctx, &keys::by(keys::DEPOSIT, id, who))
}

/// Stores a deposit.
///
/// # Errors
/// sdk/11.
pub fn set_deposit(ctx: &Ctx, who: &[u8], d: &Deposit) -> Result<()> {
    let key = keys::by(keys::DEPOSIT, d.proposal_id, who);
    ctx.set(STORE, &key, d.encode_to_vec())
}

/// Removes a deposit.
///
/// # Errors
/// sdk/11.
pub fn remove_deposit(ctx: &Ctx, id: u64, who: &[u8]) -> Result<()> {
    ctx.remove(STORE, &keys::by(keys::DEPOSIT, id, who))
}

/// A proposal's deposits, by depositor.
///
/// # Errors
/// sdk/11.
pub fn deposits(ctx: &Ctx, id: u64) -> Result<Vec<(Vec<u8>, Deposit)>> {
    read(all(ctx, keys::DEPOSIT, id)?)
}

/// A vote, if there is one.
///
/// # Errors
/// sdk/11.
pub fn vote(ctx: &Ctx, id: u64, who: &[u8]) -> Result<Option<Vote>> {
    get(ctx, &keys::by(keys::VOTE, id, who))
}

/// Stores a vote.
///
/// # Errors
/// sdk/11.
pub fn set_vote(ctx: &Ctx, who: &[u8], v: &Vote) -> Result<()> {
    let key = keys::by(keys::VOTE, v.proposal_id, who);
    ctx.set(STORE, &key, v.encode_to_vec())
}

/// A proposal's votes, by voter.
///
/// # Errors
/// sdk/11.
pub fn votes(ctx: &Ctx, id: u64) -> Result<Vec<(Vec<u8>, Vote)>> {
    read(all(ctx, keys::VOTE, id)?)
}

/// Removes a proposal's votes.
///
/// # Errors
/// sdk/11.
pub fn remove_votes(ctx: &Ctx, id: u64) -> Result<()> {
    for (who, _) in all(ctx, keys::VOTE, id)? {
        ctx.remove(STORE, &keys::by(keys::VOTE, id, &who))?;
    }
    Ok(())
}

/// Every record below a prefix, for a genesis; costs no gas.
///
/// # Errors
/// When the store is broken.
pub(super) fn every<M: Message + Default>(ctx: &Ctx, prefix: u8) -> Result<Vec<M>> {
    let prefix = [prefix];
    let pairs = ctx.with_layers(|l| l.scan(STORE, &prefix, prefix_end(&prefix).as_deref()));
    pairs.iter().map(|(_, v)| decode(v)).collect()
}

/// The module's account as text.
///
/// # Errors
/// sdk/7.
pub fn account_name(ctx: &Ctx) -> Result<String> {
    human(ctx, &account())
}

/// The module's account.
pub fn account() -> Vec<u8> {
    crate::codec::address::module("gov")
}
