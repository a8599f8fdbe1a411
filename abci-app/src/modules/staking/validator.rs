//! A validator: tokens, the shares of them, and what state it is in.

use super::error;
use crate::{
    codec::{coins, dec::Dec, times},
    ctx::Ctx,
    error::{AppError, Result},
    modules::stakes,
    store::merkle::sha256,
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        crypto::ed25519::PubKey,
        staking::v1beta1::{self as proto, BondStatus, Description},
    },
};
use prost::Message;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{abci::ValidatorUpdate, crypto},
};

/// Tokens of one unit of power (`sdk.DefaultPowerReduction`).
pub const POWER_REDUCTION: u128 = 1_000_000;
/// The only kind of key that CometBFT's default consensus parameters allow.
pub const ED25519: &str = "/cosmos.crypto.ed25519.PubKey";

/// Where a validator stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not in the set, and not liable.
    Unbonded,
    /// Left the set, and still liable for what it did there.
    Unbonding,
    /// In the set.
    Bonded,
}

/// What a validator keeps of rewards, as fractions of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commission {
    /// Now.
    pub rate: Dec,
    /// At most, ever.
    pub max_rate: Dec,
    /// At most more in a day.
    pub max_change_rate: Dec,
    /// When it last changed, nanoseconds.
    pub updated_ns: u64,
}

/// A validator.
#[derive(Debug, Clone, PartialEq)]
pub struct Validator {
    /// Its operator's address.
    pub operator: Vec<u8>,
    /// The same as text.
    pub name: String,
    /// Its ed25519 key.
    pub key: Vec<u8>,
    /// Whether it is kept out of the set until it is unjailed.
    pub jailed: bool,
    /// Where it stands.
    pub status: Status,
    /// What is delegated to it, micro-units.
    pub tokens: u128,
    /// The shares of that.
    pub shares: Dec,
    /// What it says of itself.
    pub description: Description,
    /// When it began to unbond.
    pub unbonding_height: u64,
    /// When it will have unbonded, nanoseconds.
    pub unbonding_ns: u64,
    /// What it keeps of rewards.
    pub commission: Commission,
    /// The least that its operator delegates to it, else it is jailed.
    pub min_self_delegation: u128,
    /// Ids of its unbondings.
    pub unbonding_ids: Vec<u64>,
}

/// Nanoseconds since the epoch; times before it, which no block has, are zero, and
/// those after 2554 are the last.
pub fn nanos(t: Option<Timestamp>) -> u64 {
    let nanos = times::nanos(&t.unwrap_or_default());
    u64::try_from(nanos.max(0)).unwrap_or(u64::MAX)
}

/// As protobuf has times.
pub fn timestamp(ns: u64) -> Timestamp {
    times::stamp(i128::from(ns))
}

/// The bytes of a validator's key.
///
/// # Errors
/// sdk/8 for another kind of key.
pub fn key_of(any: Option<&Any>) -> Result<Vec<u8>> {
    let any = any.ok_or_else(error::empty_pub_key)?;
    let key = (any.type_url == ED25519)
        .then(|| PubKey::decode(any.value.as_slice()).ok())
        .flatten()
        .map(|k| k.key)
        .filter(|k| k.len() == 32);
    key.ok_or_else(|| {
        AppError::invalid_pubkey(format_args!(
            "validator key: expected {ED25519} of 32 bytes, got {}",
            any.type_url.chars().take(80).collect::<String>()
        ))
    })
}

impl Validator {
    /// From a record or a genesis.
    ///
    /// # Errors
    /// When a field is not of its form: a broken node, or a wrong genesis.
    pub fn from_proto(ctx: &Ctx, v: proto::Validator) -> Result<Self> {
        let commission = v.commission.unwrap_or_default();
        let rates = commission.commission_rates.unwrap_or_default();
        Ok(Self {
            operator: stakes::operator(ctx, &v.operator_address)?,
            name: v.operator_address,
            key: key_of(v.consensus_pubkey.as_ref())?,
            jailed: v.jailed,
            status: match BondStatus::try_from(v.status) {
                Ok(BondStatus::Unbonded) => Status::Unbonded,
                Ok(BondStatus::Unbonding) => Status::Unbonding,
                Ok(BondStatus::Bonded) => Status::Bonded,
                _ => return Err(AppError::invalid_request("invalid validator status")),
            },
            tokens: coins::amount(&v.tokens)?,
            shares: Dec::from_proto(&v.delegator_shares)?,
            description: v.description.unwrap_or_default(),
            unbonding_height: u64::try_from(v.unbonding_height).unwrap_or(0),
            unbonding_ns: nanos(v.unbonding_time),
            commission: Commission {
                rate: Dec::from_proto(&rates.rate)?,
                max_rate: Dec::from_proto(&rates.max_rate)?,
                max_change_rate: Dec::from_proto(&rates.max_change_rate)?,
                updated_ns: nanos(commission.update_time),
            },
            min_self_delegation: coins::amount(&v.min_self_delegation)?,
            unbonding_ids: v.unbonding_ids,
        })
    }

    /// As the record, and as clients see it.
    pub fn to_proto(&self) -> proto::Validator {
        proto::Validator {
            operator_address: self.name.clone(),
            consensus_pubkey: Some(Any {
                type_url: ED25519.into(),
                value: PubKey {
                    key: self.key.clone(),
                }
                .encode_to_vec(),
            }),
            jailed: self.jailed,
            status: self.bond_status() as i32,
            tokens: self.tokens.to_string(),
            delegator_shares: self.shares.to_proto(),
            description: Some(self.description.clone()),
            unbonding_height: i64::try_from(self.unbonding_height).unwrap_or(i64::MAX),
            unbonding_time: Some(timestamp(self.unbonding_ns)),
            commission: Some(self.commission.to_proto()),
            min_self_delegation: self.min_self_delegation.to_string(),
            unbonding_on_hold_ref_count: 0,
            unbonding_ids: self.unbonding_ids.clone(),
        }
    }

    /// Where it stands, as protobuf says it.
    pub const fn bond_status(&self) -> BondStatus {
        match self.status {
            Status::Unbonded => BondStatus::Unbonded,
            Status::Unbonding => BondStatus::Unbonding,
            Status::Bonded => BondStatus::Bonded,
        }
    }

    /// The address of its key: how CometBFT names it.
    pub fn cons(&self) -> Vec<u8> {
        sha256(&self.key)[..20].to_vec()
    }

    /// The power that its tokens would have in the set.
    pub fn potential_power(&self) -> u64 {
        u64::try_from(self.tokens / POWER_REDUCTION).unwrap_or(u64::MAX)
    }

    /// Its power: none outside the set.
    pub fn power(&self) -> u64 {
        match self.status {
            Status::Bonded => self.potential_power(),
            _ => 0,
        }
    }

    /// What CometBFT is told of it, with a power.
    pub fn update(&self, power: u64) -> ValidatorUpdate {
        ValidatorUpdate {
            pub_key: Some(crypto::PublicKey {
                sum: Some(crypto::public_key::Sum::Ed25519(self.key.clone())),
            }),
            power: i64::try_from(power).unwrap_or(i64::MAX),
        }
    }

    /// Whether everything was slashed, so that shares have no price.
    pub fn has_bad_exchange_rate(&self) -> bool {
        self.tokens == 0 && self.shares.is_positive()
    }

    /// What shares are worth (`TokensFromShares`).
    ///
    /// # Errors
    /// sdk/111222 when there are no shares.
    pub fn tokens_from_shares(&self, shares: &Dec) -> Result<Dec> {
        shares.mul_int(self.tokens).quo(&self.shares)
    }

    /// The shares of an amount (`SharesFromTokens`); rounded towards zero, as `SharesFromTokensTruncated` too.
    ///
    /// # Errors
    /// staking/22 when there are no tokens.
    pub fn shares_from_tokens(&self, amount: u128) -> Result<Dec> {
        if self.tokens == 0 {
            return Err(error::insufficient_shares());
        }
        self.shares.mul_int(amount).quo_int(self.tokens)
    }

    /// Adds an amount; the shares issued for it.
    ///
    /// # Errors
    /// staking/22 when everything was slashed; sdk/10 when tokens exceed 128 bits.
    pub fn add_tokens(&mut self, amount: u128) -> Result<Dec> {
        let issued = if self.shares.is_zero() {
            Dec::from_int(amount)
        } else {
            self.shares_from_tokens(amount)?
        };
        self.tokens = self
            .tokens
            .checked_add(amount)
            .ok_or_else(|| AppError::invalid_coins("a validator's tokens above 2^128"))?;
        self.shares += &issued;
        Ok(issued)
    }

    /// Takes shares away; the tokens that go with them. The last shares take all tokens, dust included.
    ///
    /// # Errors
    /// sdk/111222 when there are fewer.
    pub fn remove_shares(&mut self, shares: &Dec) -> Result<u128> {
        let remaining = &self.shares - shares;
        let tokens = if remaining.is_zero() {
            self.tokens
        } else {
            self.tokens_from_shares(shares)?.truncate_u128()?
        };
        self.tokens = self
            .tokens
            .checked_sub(tokens)
            .filter(|_| !remaining.is_negative())
            .ok_or_else(|| {
                AppError::new(
                    "sdk",
                    111_222,
                    "attempting to remove more tokens than available in validator",
                )
            })?;
        self.shares = remaining;
        Ok(tokens)
    }
}

impl Commission {
    /// As protobuf.
    pub fn to_proto(&self) -> proto::Commission {
        proto::Commission {
            commission_rates: Some(proto::CommissionRates {
                rate: self.rate.to_proto(),
                max_rate: self.max_rate.to_proto(),
                max_change_rate: self.max_change_rate.to_proto(),
            }),
            update_time: Some(timestamp(self.updated_ns)),
        }
    }

    /// Whether the rates make sense.
    ///
    /// # Errors
    /// staking/9 to 14.
    pub fn check(&self) -> Result<()> {
        let fault = if self.max_rate.is_negative() || self.rate.is_negative() {
            error::commission_negative
        } else if self.max_rate > Dec::one() {
            error::commission_huge
        } else if self.rate > self.max_rate {
            error::commission_above_max
        } else if self.max_change_rate.is_negative() {
            error::change_rate_negative
        } else if self.max_change_rate > self.max_rate {
            error::change_rate_above_max
        } else {
            return Ok(());
        };
        Err(fault())
    }

    /// Whether the rate may change to `rate` now.
    ///
    /// # Errors
    /// staking/9, 11, 12, 15.
    pub fn check_new_rate(&self, rate: &Dec, now_ns: u64) -> Result<()> {
        const DAY_NS: u64 = 24 * 3_600 * 1_000_000_000;
        let fault = if now_ns.saturating_sub(self.updated_ns) < DAY_NS {
            error::commission_too_soon
        } else if rate.is_negative() {
            error::commission_negative
        } else if *rate > self.max_rate {
            error::commission_above_max
        } else if (rate - &self.rate) > self.max_change_rate {
            error::change_above_max
        } else {
            return Ok(());
        };
        Err(fault())
    }
}

/// Most bytes of each part of a description, in order: moniker, identity, website, security contact, details.
const DESCRIPTION: [(&str, usize); 5] = [
    ("moniker", 70),
    ("identity", 3_000),
    ("website", 140),
    ("security contact", 140),
    ("details", 280),
];

/// Whether a description is short enough.
///
/// # Errors
/// sdk/18.
pub fn check_description(d: &Description) -> Result<()> {
    let parts = [
        &d.moniker,
        &d.identity,
        &d.website,
        &d.security_contact,
        &d.details,
    ];
    for ((name, max), part) in DESCRIPTION.iter().zip(parts) {
        if part.len() > *max {
            return Err(AppError::invalid_request(format_args!(
                "invalid {name} length; got: {}, max: {max}",
                part.len()
            )));
        }
    }
    Ok(())
}

/// A description with what an edit leaves as it is (`DoNotModifyDesc`).
///
/// # Errors
/// sdk/18 when a part is too long.
pub fn edit_description(old: &Description, new: Description) -> Result<Description> {
    let kept = |old: &String, new: String| match new.as_str() {
        "[do-not-modify]" => old.clone(),
        _ => new,
    };
    let edited = Description {
        moniker: kept(&old.moniker, new.moniker),
        identity: kept(&old.identity, new.identity),
        website: kept(&old.website, new.website),
        security_contact: kept(&old.security_contact, new.security_contact),
        details: kept(&old.details, new.details),
    };
    check_description(&edited)?;
    Ok(edited)
}
