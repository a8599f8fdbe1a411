//! The parameters.

use crate::{
    codec::{as_text, dec::Dec},
    error::{AppError, Result},
};
use cosmos_sdk_proto::cosmos::distribution::v1beta1 as proto;
use serde::{Deserialize, Serialize};

/// The parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The community pool's part of what is distributed, as a fraction of one.
    #[serde(with = "as_text")]
    pub community_tax: Dec,
    /// Without effect since SDK 0.47.
    #[serde(with = "as_text")]
    pub base_proposer_reward: Dec,
    /// Without effect since SDK 0.47.
    #[serde(with = "as_text")]
    pub bonus_proposer_reward: Dec,
    /// Whether delegators may name another account for their rewards.
    pub withdraw_addr_enabled: bool,
}

/// An error that the SDK has not registered.
fn plain(log: String) -> AppError {
    AppError::new("undefined", 1, log)
}

#[allow(deprecated, reason = "the fields are part of the message")]
impl Params {
    /// From a message or the store.
    ///
    /// # Errors
    /// undefined/1 without a tax, sdk/18 for what is no decimal.
    pub fn from_proto(p: &proto::Params) -> Result<Self> {
        if p.community_tax.is_empty() {
            return Err(plain("community tax must be not nil".into()));
        }
        Ok(Self {
            community_tax: Dec::from_proto(&p.community_tax)?,
            base_proposer_reward: Dec::from_proto(&p.base_proposer_reward)?,
            bonus_proposer_reward: Dec::from_proto(&p.bonus_proposer_reward)?,
            withdraw_addr_enabled: p.withdraw_addr_enabled,
        })
    }

    /// As protobuf.
    pub fn to_proto(&self) -> proto::Params {
        proto::Params {
            community_tax: self.community_tax.to_proto(),
            base_proposer_reward: self.base_proposer_reward.to_proto(),
            bonus_proposer_reward: self.bonus_proposer_reward.to_proto(),
            withdraw_addr_enabled: self.withdraw_addr_enabled,
        }
    }

    /// Whether they make sense.
    ///
    /// # Errors
    /// undefined/1 with the SDK's text.
    pub fn check(&self) -> Result<()> {
        let tax = &self.community_tax;
        if tax.is_negative() {
            return Err(plain(format!("community tax must be positive: {tax}")));
        }
        if *tax > Dec::one() {
            return Err(plain(format!("community tax too large: {tax}")));
        }
        Ok(())
    }
}
