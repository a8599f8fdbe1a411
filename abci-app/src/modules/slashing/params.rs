//! The parameters.

use crate::{
    codec::{dec::Dec, times},
    error::Result,
    modules::staking::error::plain,
};
use cosmos_sdk_proto::cosmos::slashing::v1beta1 as proto;
use tendermint_proto::google::protobuf::Duration;

/// The parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    /// Blocks that are looked back on.
    pub window: u64,
    /// The fraction of them that must be signed.
    pub min_signed: Dec,
    /// How long who missed too many is jailed, nanoseconds.
    pub jail_ns: u64,
    /// What signing twice costs, a fraction of the stake.
    pub double_sign: Dec,
    /// What missing too many costs, a fraction of the stake.
    pub downtime: Dec,
}

impl Default for Params {
    /// The SDK's.
    fn default() -> Self {
        Self {
            window: 100,
            min_signed: Dec::with_places(5, 1),
            jail_ns: 600_000_000_000,
            double_sign: Dec::with_places(5, 2),
            downtime: Dec::with_places(1, 2),
        }
    }
}

/// A decimal that protobuf carries as bytes.
fn decimal(bytes: &[u8]) -> Result<Dec> {
    Dec::from_proto(&String::from_utf8_lossy(bytes))
}

impl Params {
    /// From a message, a genesis or the store.
    ///
    /// # Errors
    /// undefined/1 with the SDK's text for what makes no sense.
    pub fn from_proto(p: &proto::Params) -> Result<Self> {
        let window = p.signed_blocks_window;
        let jail = times::duration(&p.downtime_jail_duration.unwrap_or_default());
        let params = Self {
            window: u64::try_from(window)
                .ok()
                .filter(|w| *w > 0)
                .ok_or_else(|| {
                    plain(format_args!(
                        "signed blocks window must be positive: {window}"
                    ))
                })?,
            min_signed: decimal(&p.min_signed_per_window)?,
            jail_ns: u64::try_from(jail).ok().filter(|j| *j > 0).ok_or_else(|| {
                plain(format_args!(
                    "downtime jail duration must be positive: {jail}ns"
                ))
            })?,
            double_sign: decimal(&p.slash_fraction_double_sign)?,
            downtime: decimal(&p.slash_fraction_downtime)?,
        };
        for (name, value) in [
            ("min signed per window", &params.min_signed),
            ("double sign slash fraction", &params.double_sign),
            ("downtime slash fraction", &params.downtime),
        ] {
            if value.is_negative() {
                return Err(plain(format_args!("{name} cannot be negative: {value}")));
            }
            if *value > Dec::one() {
                return Err(plain(format_args!("{name} too large: {value}")));
            }
        }
        Ok(params)
    }

    /// As protobuf.
    pub fn to_proto(&self) -> proto::Params {
        proto::Params {
            signed_blocks_window: i64::try_from(self.window).unwrap_or(i64::MAX),
            min_signed_per_window: self.min_signed.to_proto().into_bytes(),
            downtime_jail_duration: Some(Duration {
                seconds: i64::try_from(self.jail_ns / 1_000_000_000).unwrap_or(i64::MAX),
                nanos: i32::try_from(self.jail_ns % 1_000_000_000).unwrap_or(0),
            }),
            slash_fraction_double_sign: self.double_sign.to_proto().into_bytes(),
            slash_fraction_downtime: self.downtime.to_proto().into_bytes(),
        }
    }

    /// How many blocks of the window must be signed.
    ///
    /// # Errors
    /// Never: the fraction is at most one.
    pub fn min_signed_blocks(&self) -> Result<u64> {
        let least = Dec::from_int(self.min_signed.mul_int(self.window).round_int());
        let least = least.truncate_u128()?;
        u64::try_from(least).map_err(plain)
    }
}
