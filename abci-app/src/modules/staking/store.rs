//! The module's records, read and written.

use super::{error, keys, params::Params, validator::Validator};
use crate::{
    codec::dec::Dec,
    ctx::Ctx,
    error::{AppError, Result},
    store::{Order, StoreKey, prefix_end},
};
use cosmos_sdk_proto::cosmos::staking::v1beta1 as proto;
use prost::Message;

/// The module's store.
pub const STORE: StoreKey = StoreKey::Staking;

/// `google.protobuf.Int64Value`, in which the SDK keeps powers.
#[derive(Clone, PartialEq, Message)]
struct Int64Value {
    #[prost(int64, tag = "1")]
    value: i64,
}

/// `cosmos.base.v1beta1.IntProto`.
#[derive(Clone, PartialEq, Message)]
struct IntProto {
    #[prost(string, tag = "1")]
    int: String,
}

/// A record; `None` when there is none.
///
/// # Errors
/// sdk/2 when it is another: a broken node.
pub fn get<M: Message + Default>(ctx: &Ctx, key: &[u8]) -> Result<Option<M>> {
    let bytes = ctx.get(STORE, key)?;
    bytes
        .map(|b| M::decode(b.as_slice()).map_err(AppError::tx_decode))
        .transpose()
}

/// Stores a record.
///
/// # Errors
/// sdk/11.
pub fn set(ctx: &Ctx, key: &[u8], record: &impl Message) -> Result<()> {
    ctx.set(STORE, key, record.encode_to_vec())
}

/// Every key from `from` to `to`, with its value, in `order`.
///
/// # Errors
/// sdk/11.
pub fn between(ctx: &Ctx, from: &[u8], to: Option<&[u8]>) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let (mut from, mut out) = (from.to_vec(), Vec::new());
    while let Some((key, value)) = ctx.seek(STORE, &from, to, Order::Ascending)? {
        from = [key.as_slice(), &[0]].concat();
        out.push((key, value));
    }
    Ok(out)
}

/// Every key below `prefix`, with its value.
///
/// # Errors
/// sdk/11.
pub fn scan(ctx: &Ctx, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    between(ctx, prefix, prefix_end(prefix).as_deref())
}

/// Whether this chain has staking. Free of gas: in the SDK every chain that has the module does.
pub fn enabled(ctx: &Ctx) -> bool {
    ctx.with_layers(|l| l.get(STORE, keys::PARAMS)).is_some()
}

/// The parameters.
///
/// # Errors
/// sdk/37 on a chain without staking.
pub fn params(ctx: &Ctx) -> Result<Params> {
    let params: Option<proto::Params> = get(ctx, keys::PARAMS)?;
    let params = params.ok_or_else(|| {
        AppError::not_supported(
            "staking: expected app_state.staking in this chain's genesis, got none",
        )
    })?;
    Params::from_proto(&params)
}

/// Stores the parameters. The caller has checked them.
///
/// # Errors
/// sdk/11.
pub fn set_params(ctx: &Ctx, params: &Params) -> Result<()> {
    set(ctx, keys::PARAMS, &params.to_proto())
}

/// A validator; `None` when there is none.
///
/// # Errors
/// sdk/11.
pub fn find_validator(ctx: &Ctx, operator: &[u8]) -> Result<Option<Validator>> {
    let record: Option<proto::Validator> = get(ctx, &keys::of(keys::VALIDATOR, &[operator]))?;
    record.map(|v| Validator::from_proto(ctx, v)).transpose()
}

/// A validator.
///
/// # Errors
/// staking/3 when there is none.
pub fn validator(ctx: &Ctx, operator: &[u8]) -> Result<Validator> {
    find_validator(ctx, operator)?.ok_or_else(error::no_validator)
}

/// The validator of a key's address; `None` when there is none.
///
/// # Errors
/// sdk/11.
pub fn validator_by_cons(ctx: &Ctx, cons: &[u8]) -> Result<Option<Validator>> {
    match ctx.get(STORE, &keys::of(keys::BY_CONS, &[cons]))? {
        Some(operator) => find_validator(ctx, &operator),
        None => Ok(None),
    }
}

/// Every validator, by operator.
///
/// # Errors
/// sdk/11.
pub fn validators(ctx: &Ctx) -> Result<Vec<Validator>> {
    let decode = |bytes: Vec<u8>| {
        proto::Validator::decode(bytes.as_slice())
            .map_err(AppError::tx_decode)
            .and_then(|v| Validator::from_proto(ctx, v))
    };
    let records = scan(ctx, &[keys::VALIDATOR])?;
    records.into_iter().map(|(_, v)| decode(v)).collect()
}

/// Stores a validator's record.
///
/// # Errors
/// sdk/11.
pub fn set_validator(ctx: &Ctx, v: &Validator) -> Result<()> {
    set(
        ctx,
        &keys::of(keys::VALIDATOR, &[&v.operator]),
        &v.to_proto(),
    )
}

/// Makes a validator findable by its key.
///
/// # Errors
/// sdk/11.
pub fn set_by_cons(ctx: &Ctx, v: &Validator) -> Result<()> {
    ctx.set(
        STORE,
        &keys::of(keys::BY_CONS, &[&v.cons()]),
        v.operator.clone(),
    )
}

/// Puts a validator into the order of powers, unless it is jailed.
///
/// # Errors
/// sdk/11.
pub fn set_by_power(ctx: &Ctx, v: &Validator) -> Result<()> {
    if v.jailed {
        return Ok(());
    }
    ctx.set(
        STORE,
        &keys::by_power(v.potential_power(), &v.operator),
        v.operator.clone(),
    )
}

/// Takes a validator out of the order of powers.
///
/// # Errors
/// sdk/11.
pub fn remove_by_power(ctx: &Ctx, v: &Validator) -> Result<()> {
    ctx.remove(STORE, &keys::by_power(v.potential_power(), &v.operator))
}

/// A validator changed by `change`, which may change its tokens, and stored in both places; what `change` gave.
///
/// # Errors
/// Those of `change`.
pub fn change_tokens<T>(
    ctx: &Ctx,
    v: &mut Validator,
    change: impl FnOnce(&mut Validator) -> Result<T>,
) -> Result<T> {
    remove_by_power(ctx, v)?;
    let out = change(v)?;
    set_validator(ctx, v)?;
    set_by_power(ctx, v)?;
    Ok(out)
}

/// Those of the order of powers, the greatest first, while `go_on`.
///
/// # Errors
/// sdk/11.
pub fn by_power(ctx: &Ctx, mut go_on: impl FnMut(Validator) -> Result<bool>) -> Result<()> {
    let from = [keys::BY_POWER];
    let mut to = prefix_end(&from);
    while let Some((key, operator)) = ctx.seek(STORE, &from, to.as_deref(), Order::Descending)? {
        if !go_on(validator(ctx, &operator)?)? {
            break;
        }
        to = Some(key);
    }
    Ok(())
}

/// The set as CometBFT knows it: operators with their powers.
///
/// # Errors
/// sdk/11.
pub fn last_powers(ctx: &Ctx) -> Result<Vec<(Vec<u8>, u64)>> {
    let mut out = Vec::new();
    for (key, value) in scan(ctx, &[keys::LAST_POWER])? {
        let power = Int64Value::decode(value.as_slice()).map_err(AppError::tx_decode)?;
        let operator = keys::addresses(&key).pop().unwrap_or_default();
        out.push((operator, u64::try_from(power.value).unwrap_or(0)));
    }
    Ok(out)
}

/// Stores a power of the set; `None` takes the validator out.
///
/// # Errors
/// sdk/11.
pub fn set_last_power(ctx: &Ctx, operator: &[u8], power: Option<u64>) -> Result<()> {
    let key = keys::of(keys::LAST_POWER, &[operator]);
    match power {
        None => ctx.remove(STORE, &key),
        Some(power) => {
            let value = i64::try_from(power).unwrap_or(i64::MAX);
            set(ctx, &key, &Int64Value { value })
        }
    }
}

/// The sum of the set's powers.
///
/// # Errors
/// sdk/11.
pub fn last_total_power(ctx: &Ctx) -> Result<String> {
    let total: Option<IntProto> = get(ctx, keys::LAST_TOTAL_POWER)?;
    Ok(total.map_or_else(|| "0".into(), |t| t.int))
}

/// Stores the sum of the set's powers.
///
/// # Errors
/// sdk/11.
pub fn set_last_total_power(ctx: &Ctx, total: &str) -> Result<()> {
    set(ctx, keys::LAST_TOTAL_POWER, &IntProto { int: total.into() })
}

/// The shares of a delegation; `None` when there is none.
///
/// # Errors
/// sdk/11.
pub fn delegation(ctx: &Ctx, delegator: &[u8], operator: &[u8]) -> Result<Option<Dec>> {
    let key = keys::of(keys::DELEGATION, &[delegator, operator]);
    let record: Option<proto::Delegation> = get(ctx, &key)?;
    record.map(|d| Dec::from_proto(&d.shares)).transpose()
}

/// The next id of something that unbonds.
///
/// # Errors
/// sdk/11.
pub fn next_unbonding_id(ctx: &Ctx) -> Result<u64> {
    let last = ctx.get(STORE, keys::UNBONDING_ID)?;
    let last = last
        .and_then(|b| b.try_into().ok())
        .map_or(0, u64::from_be_bytes);
    let id = last.saturating_add(1);
    ctx.set(STORE, keys::UNBONDING_ID, id.to_be_bytes().to_vec())?;
    Ok(id)
}

/// What unbonds, as the SDK numbers it.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// An unbonding delegation.
    Delegation = 1,
    /// A redelegation.
    Redelegation = 2,
    /// A validator.
    Validator = 3,
}

/// Makes something that unbonds findable by its id.
///
/// # Errors
/// sdk/11.
pub fn set_unbonding(ctx: &Ctx, id: u64, key: Vec<u8>, kind: Kind) -> Result<()> {
    ctx.set(STORE, &keys::number(keys::UNBONDING_INDEX, id), key)?;
    let kind = (kind as u64).to_be_bytes().to_vec();
    ctx.set(STORE, &keys::number(keys::UNBONDING_TYPE, id), kind)
}

/// Forgets an id.
///
/// # Errors
/// sdk/11.
pub fn remove_unbonding(ctx: &Ctx, id: u64) -> Result<()> {
    ctx.remove(STORE, &keys::number(keys::UNBONDING_INDEX, id))
}
