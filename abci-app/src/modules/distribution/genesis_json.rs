//! The JSON shape of the module's genesis: the SDK's, where 64-bit numbers and decimals are texts.

use super::params::Params;
use crate::codec::{as_text, dec::Dec, dec_coins::DecCoins};
use serde::{Deserialize, Serialize};

/// `app_state.distribution`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Genesis {
    pub params: Params,
    #[serde(default)]
    pub fee_pool: FeePool,
    #[serde(default)]
    pub delegator_withdraw_infos: Vec<WithdrawInfo>,
    #[serde(default)]
    pub previous_proposer: String,
    #[serde(default)]
    pub outstanding_rewards: Vec<Outstanding>,
    #[serde(default)]
    pub validator_accumulated_commissions: Vec<Accumulated>,
    #[serde(default)]
    pub validator_historical_rewards: Vec<HistoricalRecord>,
    #[serde(default)]
    pub validator_current_rewards: Vec<CurrentRecord>,
    #[serde(default)]
    pub delegator_starting_infos: Vec<StartingRecord>,
    #[serde(default)]
    pub validator_slash_events: Vec<SlashRecord>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FeePool {
    pub community_pool: DecCoins,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WithdrawInfo {
    pub delegator_address: String,
    pub withdraw_address: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outstanding {
    pub validator_address: String,
    pub outstanding_rewards: DecCoins,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accumulated {
    pub validator_address: String,
    pub accumulated: Commission,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Commission {
    pub commission: DecCoins,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoricalRecord {
    pub validator_address: String,
    #[serde(with = "as_text")]
    pub period: u64,
    pub rewards: Historical,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Historical {
    pub cumulative_reward_ratio: DecCoins,
    pub reference_count: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CurrentRecord {
    pub validator_address: String,
    pub rewards: Current,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Current {
    pub rewards: DecCoins,
    #[serde(with = "as_text")]
    pub period: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StartingRecord {
    pub delegator_address: String,
    pub validator_address: String,
    pub starting_info: StartingInfo,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StartingInfo {
    #[serde(with = "as_text")]
    pub previous_period: u64,
    #[serde(with = "as_text")]
    pub stake: Dec,
    #[serde(with = "as_text")]
    pub height: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SlashRecord {
    pub validator_address: String,
    #[serde(with = "as_text")]
    pub height: u64,
    #[serde(with = "as_text")]
    pub period: u64,
    pub validator_slash_event: SlashEvent,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SlashEvent {
    #[serde(with = "as_text")]
    pub validator_period: u64,
    #[serde(with = "as_text")]
    pub fraction: Dec,
}
