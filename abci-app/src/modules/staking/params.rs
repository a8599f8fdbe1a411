//! The parameters.

use super::error::plain;
use crate::{
    codec::{coins, dec::Dec},
    error::{AppError, Result},
};
use cosmos_sdk_proto::cosmos::staking::v1beta1 as proto;
use tendermint_proto::google::protobuf::Duration;

/// The parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    /// How long what unbonds stays liable, nanoseconds.
    pub unbonding_ns: u64,
    /// Most validators of the set.
    pub max_validators: u32,
    /// Most unbondings or redelegations of one delegator from one validator at a time.
    pub max_entries: u32,
    /// How many headers are kept.
    pub historical_entries: u32,
    /// The staking coin.
    pub bond_denom: String,
    /// The least commission.
    pub min_commission_rate: Dec,
}

impl Params {
    /// From a message, a genesis or the store.
    ///
    /// # Errors
    /// sdk/18 for what is no decimal or no time.
    pub fn from_proto(p: &proto::Params) -> Result<Self> {
        let time = p.unbonding_time.unwrap_or_default();
        let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
        Ok(Self {
            unbonding_ns: u64::try_from(nanos)
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| plain(format_args!("unbonding time must be positive: {nanos}")))?,
            max_validators: p.max_validators,
            max_entries: p.max_entries,
            historical_entries: p.historical_entries,
            bond_denom: p.bond_denom.clone(),
            min_commission_rate: Dec::from_proto(&p.min_commission_rate)?,
        })
    }

    /// As protobuf.
    pub fn to_proto(&self) -> proto::Params {
        proto::Params {
            unbonding_time: Some(Duration {
                seconds: i64::try_from(self.unbonding_ns / 1_000_000_000).unwrap_or(i64::MAX),
                nanos: i32::try_from(self.unbonding_ns % 1_000_000_000).unwrap_or(0),
            }),
            max_validators: self.max_validators,
            max_entries: self.max_entries,
            historical_entries: self.historical_entries,
            bond_denom: self.bond_denom.clone(),
            min_commission_rate: self.min_commission_rate.to_proto(),
        }
    }

    /// Whether they make sense.
    ///
    /// # Errors
    /// undefined/1 with the SDK's text.
    pub fn check(&self) -> Result<()> {
        if self.max_validators == 0 {
            return Err(plain("max validators must be positive: 0"));
        }
        if self.max_entries == 0 {
            return Err(plain("max entries must be positive: 0"));
        }
        if self.bond_denom.trim().is_empty() {
            return Err(plain("bond denom cannot be blank"));
        }
        coins::check_denom(&self.bond_denom).map_err(|e: AppError| plain(e.log))?;
        let least = &self.min_commission_rate;
        if least.is_negative() {
            return Err(plain(format_args!(
                "minimum commission rate cannot be negative: {least}"
            )));
        }
        if *least > Dec::one() {
            return Err(plain(format_args!(
                "minimum commission rate cannot be greater than 100%: {least}"
            )));
        }
        Ok(())
    }
}
