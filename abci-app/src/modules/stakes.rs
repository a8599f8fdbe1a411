//! What inflation and rewards need of staking, read from its store as the SDK lays it out.

use crate::{
    codec::{address, dec::Dec},
    ctx::Ctx,
    error::{AppError, Result},
    modules::bank,
    store::{Order, StoreKey, prefix_end},
};
use cosmos_sdk_proto::cosmos::staking::v1beta1 as proto;
use prost::Message;

const STORE: StoreKey = StoreKey::Staking;

/// A validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validator {
    /// Its operator's address.
    pub operator: Vec<u8>,
    /// The same as text.
    pub name: String,
    /// What is delegated to it, in micro-units of the staking coin.
    pub tokens: u128,
    /// The shares of that.
    pub shares: Dec,
    /// The part of rewards that it keeps, as a fraction of one.
    pub commission: Dec,
}

/// A delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// Who delegated.
    pub delegator: Vec<u8>,
    /// To which operator.
    pub operator: Vec<u8>,
    /// That operator as text.
    pub validator_name: String,
    /// The delegator as text.
    pub delegator_name: String,
    /// The shares.
    pub shares: Dec,
}

impl Validator {
    /// What shares are worth (`TokensFromShares`).
    ///
    /// # Errors
    /// sdk/111222 when the validator has no shares.
    pub fn tokens_from_shares(&self, shares: &Dec) -> Result<Dec> {
        shares.mul_int(self.tokens).quo(&self.shares)
    }

    /// The same, rounded towards zero.
    ///
    /// # Errors
    /// sdk/111222 when the validator has no shares.
    pub fn tokens_from_shares_truncated(&self, shares: &Dec) -> Result<Dec> {
        shares.mul_int(self.tokens).quo_truncate(&self.shares)
    }
}

/// A key, and an address with its length.
fn key(prefix: u8, addr: &[u8]) -> Vec<u8> {
    // Addresses are 20 or 32 bytes.
    [&[prefix, addr.len().to_le_bytes()[0]], addr].concat()
}

/// The text of an operator's address.
///
/// # Errors
/// sdk/7.
pub fn operator_name(ctx: &Ctx, operator: &[u8]) -> Result<String> {
    let prefix = crate::modules::auth::keeper::prefix(ctx)?;
    address::encode(&format!("{prefix}valoper"), operator)
}

/// The operator of a text.
///
/// # Errors
/// sdk/7.
pub fn operator(ctx: &Ctx, text: &str) -> Result<Vec<u8>> {
    let prefix = crate::modules::auth::keeper::prefix(ctx)?;
    address::decode(&format!("{prefix}valoper"), text)
}

fn no_validator() -> AppError {
    AppError::new("staking", 3, "validator does not exist")
}

/// The validator of an operator.
///
/// # Errors
/// staking/3 when there is none.
pub fn validator(ctx: &Ctx, operator: &[u8]) -> Result<Validator> {
    let bytes = ctx
        .get(STORE, &key(0x21, operator))?
        .ok_or_else(no_validator)?;
    let v = proto::Validator::decode(bytes.as_slice()).map_err(AppError::tx_decode)?;
    let rates = v.commission.and_then(|c| c.commission_rates);
    Ok(Validator {
        operator: operator.to_vec(),
        name: v.operator_address,
        tokens: crate::codec::coins::amount(&v.tokens)?,
        shares: Dec::from_proto(&v.delegator_shares)?,
        commission: Dec::from_proto(&rates.unwrap_or_default().rate)?,
    })
}

/// The validator that votes with a key, by the key's address.
///
/// # Errors
/// staking/3 when there is none.
pub fn validator_by_cons(ctx: &Ctx, cons: &[u8]) -> Result<Validator> {
    let operator = ctx.get(STORE, &key(0x22, cons))?;
    validator(ctx, &operator.ok_or_else(no_validator)?)
}

fn decode(ctx: &Ctx, bytes: &[u8]) -> Result<Delegation> {
    let d = proto::Delegation::decode(bytes).map_err(AppError::tx_decode)?;
    Ok(Delegation {
        delegator: crate::modules::auth::keeper::addr(ctx, &d.delegator_address)?,
        operator: operator(ctx, &d.validator_address)?,
        validator_name: d.validator_address,
        delegator_name: d.delegator_address,
        shares: Dec::from_proto(&d.shares)?,
    })
}

/// A delegation.
///
/// # Errors
/// staking/19 when there is none.
pub fn delegation(ctx: &Ctx, delegator: &[u8], operator: &[u8]) -> Result<Delegation> {
    let at = [key(0x31, delegator), key(0, operator)[1..].to_vec()].concat();
    let bytes = ctx.get(STORE, &at)?.ok_or_else(|| {
        AppError::new(
            "staking",
            19,
            "no delegation for (address, validator) tuple",
        )
    })?;
    decode(ctx, &bytes)
}

/// Everything that an account has delegated, by operator.
///
/// # Errors
/// sdk/11.
pub fn delegations(ctx: &Ctx, delegator: &[u8]) -> Result<Vec<Delegation>> {
    let prefix = key(0x31, delegator);
    let (mut from, end) = (prefix.clone(), prefix_end(&prefix));
    let mut out = Vec::new();
    while let Some((at, value)) = ctx.seek(STORE, &from, end.as_deref(), Order::Ascending)? {
        out.push(decode(ctx, &value)?);
        from = [at.as_slice(), &[0]].concat();
    }
    Ok(out)
}

/// The staking coin.
///
/// # Errors
/// sdk/38 on a chain without staking.
pub fn bond_denom(ctx: &Ctx) -> Result<String> {
    let bytes = ctx
        .get(STORE, &[0x51])?
        .ok_or_else(|| AppError::not_found("this chain has no staking"))?;
    let params = proto::Params::decode(bytes.as_slice()).map_err(AppError::tx_decode)?;
    Ok(params.bond_denom)
}

/// All there is of the staking coin.
///
/// # Errors
/// sdk/38 on a chain without staking.
pub fn supply(ctx: &Ctx) -> Result<u128> {
    bank::keeper::supply_of(ctx, &bond_denom(ctx)?)
}

/// The share of the staking coin that is bonded.
///
/// # Errors
/// sdk/38 on a chain without staking.
pub fn bonded_ratio(ctx: &Ctx) -> Result<Dec> {
    let denom = bond_denom(ctx)?;
    let supply = bank::keeper::supply_of(ctx, &denom)?;
    if supply == 0 {
        return Ok(Dec::zero());
    }
    let pool = address::module("bonded_tokens_pool");
    Dec::from_int(bank::keeper::balance(ctx, &pool, &denom)?).quo_int(supply)
}
