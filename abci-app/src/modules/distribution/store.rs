//! The module's records, read and written. What is not there is empty, as in the SDK.

use super::{keys, params::Params};
use crate::{
    codec::{address, dec_coins::DecCoins},
    ctx::Ctx,
    error::{AppError, Result},
    store::{Order, StoreKey, prefix_end},
};
use cosmos_sdk_proto::cosmos::distribution::v1beta1 as proto;
use prost::Message;

pub(super) const STORE: StoreKey = StoreKey::Distribution;

/// `google.protobuf.BytesValue`, in which the SDK keeps the proposer.
#[derive(Clone, PartialEq, Message)]
struct BytesValue {
    #[prost(bytes = "vec", tag = "1")]
    value: Vec<u8>,
}

/// The module's account: everything that is not withdrawn, and the community pool.
pub fn account() -> Vec<u8> {
    address::module("distribution")
}

fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes).map_err(AppError::tx_decode)
}

pub(super) fn get<M: Message + Default>(ctx: &Ctx, key: &[u8]) -> Result<M> {
    decode(&ctx.get(STORE, key)?.unwrap_or_default())
}

pub(super) fn set(ctx: &Ctx, key: &[u8], record: &impl Message) -> Result<()> {
    ctx.set(STORE, key, record.encode_to_vec())
}

/// Every key below `prefix`, with its value.
pub(super) fn scan(ctx: &Ctx, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    between(ctx, prefix, prefix_end(prefix).as_deref())
}

fn between(ctx: &Ctx, from: &[u8], to: Option<&[u8]>) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let (mut from, mut out) = (from.to_vec(), Vec::new());
    while let Some((key, value)) = ctx.seek(STORE, &from, to, Order::Ascending)? {
        from = [key.as_slice(), &[0]].concat();
        out.push((key, value));
    }
    Ok(out)
}

/// Deletes every key below `prefix`.
pub(super) fn clear(ctx: &Ctx, prefix: &[u8]) -> Result<()> {
    for (key, _) in scan(ctx, prefix)? {
        ctx.remove(STORE, &key)?;
    }
    Ok(())
}

/// Whether this chain distributes rewards. Free of gas: in the SDK every chain that has the module does.
pub fn enabled(ctx: &Ctx) -> bool {
    ctx.with_layers(|l| l.get(STORE, keys::PARAMS)).is_some()
}

/// The parameters.
///
/// # Errors
/// sdk/37 on a chain that does not distribute.
pub fn params(ctx: &Ctx) -> Result<Params> {
    let bytes = ctx.get(STORE, keys::PARAMS)?.ok_or_else(|| {
        AppError::not_supported(
            "distribution: expected app_state.distribution in this chain's genesis, got none",
        )
    })?;
    Params::from_proto(&decode(&bytes)?)
}

/// Stores the parameters. The caller has checked them.
///
/// # Errors
/// sdk/11.
pub fn set_params(ctx: &Ctx, params: &Params) -> Result<()> {
    set(ctx, keys::PARAMS, &params.to_proto())
}

/// The community pool.
///
/// # Errors
/// sdk/11.
pub fn community_pool(ctx: &Ctx) -> Result<DecCoins> {
    DecCoins::from_proto(&get::<proto::FeePool>(ctx, keys::FEE_POOL)?.community_pool)
}

/// Stores the community pool.
///
/// # Errors
/// sdk/11.
pub fn set_community_pool(ctx: &Ctx, pool: &DecCoins) -> Result<()> {
    let community_pool = pool.to_proto();
    set(ctx, keys::FEE_POOL, &proto::FeePool { community_pool })
}

/// Adds to the community pool. The coins are in the module's account already.
///
/// # Errors
/// sdk/11.
pub fn add_to_pool(ctx: &Ctx, coins: &DecCoins) -> Result<()> {
    let mut pool = community_pool(ctx)?;
    pool.add(coins);
    set_community_pool(ctx, &pool)
}

/// The key address of the last block's proposer.
///
/// # Errors
/// sdk/11.
pub fn previous_proposer(ctx: &Ctx) -> Result<Vec<u8>> {
    Ok(get::<BytesValue>(ctx, keys::PROPOSER)?.value)
}

/// Stores the proposer.
///
/// # Errors
/// sdk/11.
pub fn set_previous_proposer(ctx: &Ctx, cons: &[u8]) -> Result<()> {
    let value = cons.to_vec();
    set(ctx, keys::PROPOSER, &BytesValue { value })
}

/// Where an account's rewards go: to itself when it has named nobody.
///
/// # Errors
/// sdk/11.
pub fn withdraw_addr(ctx: &Ctx, delegator: &[u8]) -> Result<Vec<u8>> {
    let named = ctx.get(STORE, &keys::of(keys::WITHDRAW_ADDR, delegator))?;
    Ok(named.unwrap_or_else(|| delegator.to_vec()))
}

/// Stores where an account's rewards go.
///
/// # Errors
/// sdk/11.
pub fn set_withdraw_addr(ctx: &Ctx, delegator: &[u8], to: &[u8]) -> Result<()> {
    let key = keys::of(keys::WITHDRAW_ADDR, delegator);
    ctx.set(STORE, &key, to.to_vec())
}

/// What a validator's delegators and it have not withdrawn.
///
/// # Errors
/// sdk/11.
pub fn outstanding(ctx: &Ctx, val: &[u8]) -> Result<DecCoins> {
    let key = keys::of(keys::OUTSTANDING, val);
    DecCoins::from_proto(&get::<proto::ValidatorOutstandingRewards>(ctx, &key)?.rewards)
}

/// Stores what has not been withdrawn.
///
/// # Errors
/// sdk/11.
pub fn set_outstanding(ctx: &Ctx, val: &[u8], rewards: &DecCoins) -> Result<()> {
    let rewards = rewards.to_proto();
    let key = keys::of(keys::OUTSTANDING, val);
    set(ctx, &key, &proto::ValidatorOutstandingRewards { rewards })
}

/// The commission that a validator has not withdrawn.
///
/// # Errors
/// sdk/11.
pub fn commission(ctx: &Ctx, val: &[u8]) -> Result<DecCoins> {
    let key = keys::of(keys::COMMISSION, val);
    DecCoins::from_proto(&get::<proto::ValidatorAccumulatedCommission>(ctx, &key)?.commission)
}

/// Stores the commission.
///
/// # Errors
/// sdk/11.
pub fn set_commission(ctx: &Ctx, val: &[u8], commission: &DecCoins) -> Result<()> {
    let commission = commission.to_proto();
    let key = keys::of(keys::COMMISSION, val);
    set(
        ctx,
        &key,
        &proto::ValidatorAccumulatedCommission { commission },
    )
}

/// The rewards of the running period, and its number.
///
/// # Errors
/// sdk/11.
pub fn current(ctx: &Ctx, val: &[u8]) -> Result<(DecCoins, u64)> {
    let key = keys::of(keys::CURRENT, val);
    let r: proto::ValidatorCurrentRewards = get(ctx, &key)?;
    Ok((DecCoins::from_proto(&r.rewards)?, r.period))
}

/// Stores the running period.
///
/// # Errors
/// sdk/11.
pub fn set_current(ctx: &Ctx, val: &[u8], rewards: &DecCoins, period: u64) -> Result<()> {
    let rewards = rewards.to_proto();
    let key = keys::of(keys::CURRENT, val);
    set(
        ctx,
        &key,
        &proto::ValidatorCurrentRewards { rewards, period },
    )
}

/// Rewards for one token up to the end of a period, and how many records need it.
///
/// # Errors
/// sdk/11.
pub fn historical(ctx: &Ctx, val: &[u8], period: u64) -> Result<(DecCoins, u32)> {
    let r: proto::ValidatorHistoricalRewards = get(ctx, &keys::historical(val, period))?;
    let ratio = DecCoins::from_proto(&r.cumulative_reward_ratio)?;
    Ok((ratio, r.reference_count))
}

/// Stores a period that has ended; deletes it when nothing needs it.
///
/// # Errors
/// sdk/11.
pub fn set_historical(
    ctx: &Ctx,
    val: &[u8],
    period: u64,
    ratio: &DecCoins,
    reference_count: u32,
) -> Result<()> {
    let key = keys::historical(val, period);
    if reference_count == 0 {
        return ctx.remove(STORE, &key);
    }
    let record = proto::ValidatorHistoricalRewards {
        cumulative_reward_ratio: ratio.to_proto(),
        reference_count,
    };
    set(ctx, &key, &record)
}

/// Since when a delegation earns; `None` when it does not.
///
/// # Errors
/// sdk/11.
pub fn starting_info(
    ctx: &Ctx,
    val: &[u8],
    del: &[u8],
) -> Result<Option<proto::DelegatorStartingInfo>> {
    ctx.get(STORE, &keys::starting_info(val, del))?
        .map(|b| decode(&b))
        .transpose()
}

/// The slashes of a validator from one height to another, both included.
///
/// # Errors
/// sdk/11.
pub fn slashes(
    ctx: &Ctx,
    val: &[u8],
    from: u64,
    to: u64,
) -> Result<Vec<proto::ValidatorSlashEvent>> {
    let end = match to.checked_add(1) {
        Some(after) => Some(keys::slashes_at(val, after)),
        None => prefix_end(&keys::of(keys::SLASH, val)),
    };
    between(ctx, &keys::slashes_at(val, from), end.as_deref())?
        .into_iter()
        .map(|(_, value)| decode(&value))
        .collect()
}
