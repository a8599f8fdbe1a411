//! What contracts say to the distribution module and ask it.

use super::{
    coins,
    fail::{Code, Fail, Res},
    keeper::Keeper,
};
use crate::codec::{dec::Dec, type_url};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        base::v1beta1::DecCoin,
        distribution::v1beta1::{
            DelegationDelegatorReward, MsgFundCommunityPool, MsgSetWithdrawAddress,
            MsgWithdrawDelegatorReward, QueryDelegationRewardsRequest,
            QueryDelegationRewardsResponse, QueryDelegationTotalRewardsRequest,
            QueryDelegationTotalRewardsResponse, QueryDelegatorValidatorsRequest,
            QueryDelegatorValidatorsResponse, QueryDelegatorWithdrawAddressRequest,
            QueryDelegatorWithdrawAddressResponse,
        },
    },
};
use cosmwasm_std::{DistributionMsg, DistributionQuery};
use prost::{Message, Name};
use serde::Serialize;

const SERVICE: &str = "/cosmos.distribution.v1beta1.Query/";

/// An amount with its fraction, fields in wasmvm's order.
#[derive(Serialize)]
struct Amount {
    amount: String,
    denom: String,
}

/// What one validator owes.
#[derive(Serialize)]
struct Reward {
    reward: Vec<Amount>,
    validator_address: String,
}

#[derive(Serialize)]
struct Rewards<T> {
    rewards: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Vec<Amount>>,
}

#[derive(Serialize)]
struct Validators {
    validators: Vec<String>,
}

#[derive(Serialize)]
struct WithdrawAddress {
    withdraw_address: String,
}

/// A message of the chain.
pub(super) fn any<M: Message + Name>(m: &M) -> Any {
    Any {
        type_url: type_url::<M>(),
        value: m.encode_to_vec(),
    }
}

/// The chain's message for a contract's; the contract at `human` signs it.
///
/// # Errors
/// sdk/10 for what are no coins; wasm/14 for a message of a later CosmWasm.
pub(super) fn encode(human: &str, msg: DistributionMsg) -> Res<Any> {
    Ok(match msg {
        DistributionMsg::SetWithdrawAddress { address } => any(&MsgSetWithdrawAddress {
            delegator_address: human.to_owned(),
            withdraw_address: address,
        }),
        DistributionMsg::WithdrawDelegatorReward { validator } => {
            any(&MsgWithdrawDelegatorReward {
                delegator_address: human.to_owned(),
                validator_address: validator,
            })
        }
        DistributionMsg::FundCommunityPool { amount } => any(&MsgFundCommunityPool {
            amount: coins::from_contract(&amount)?,
            depositor: human.to_owned(),
        }),
        _ => {
            return Err(Fail::new(
                Code::UnknownMsg,
                "unknown variant of Distribution",
            ));
        }
    })
}

fn amounts(coins: Vec<DecCoin>) -> Res<Vec<Amount>> {
    let amount = |c: DecCoin| {
        Ok(Amount {
            amount: Dec::from_proto(&c.amount)?.to_string(),
            denom: c.denom,
        })
    };
    coins.into_iter().map(amount).collect()
}

/// An answer.
pub(super) fn json(value: &impl Serialize) -> Res<Vec<u8>> {
    cosmwasm_std::to_json_vec(value).map_err(|e| Fail::new(Code::QueryFailed, e))
}

/// Answers a contract's query.
///
/// # Errors
/// The module's.
pub(super) fn answer(keeper: &Keeper, query: DistributionQuery) -> Res<Vec<u8>> {
    match query {
        DistributionQuery::DelegatorWithdrawAddress { delegator_address } => {
            let request = QueryDelegatorWithdrawAddressRequest { delegator_address };
            let got: QueryDelegatorWithdrawAddressResponse =
                ask(keeper, "DelegatorWithdrawAddress", &request)?;
            json(&WithdrawAddress {
                withdraw_address: got.withdraw_address,
            })
        }
        DistributionQuery::DelegationRewards {
            delegator_address,
            validator_address,
        } => {
            let request = QueryDelegationRewardsRequest {
                delegator_address,
                validator_address,
            };
            let got: QueryDelegationRewardsResponse = ask(keeper, "DelegationRewards", &request)?;
            json(&Rewards {
                rewards: amounts(got.rewards)?,
                total: None,
            })
        }
        DistributionQuery::DelegationTotalRewards { delegator_address } => {
            let request = QueryDelegationTotalRewardsRequest { delegator_address };
            let got: QueryDelegationTotalRewardsResponse =
                ask(keeper, "DelegationTotalRewards", &request)?;
            let reward = |r: DelegationDelegatorReward| {
                Ok(Reward {
                    reward: amounts(r.reward)?,
                    validator_address: r.validator_address,
                })
            };
            json(&Rewards {
                rewards: got.rewards.into_iter().map(reward).collect::<Res<_>>()?,
                total: Some(amounts(got.total)?),
            })
        }
        DistributionQuery::DelegatorValidators { delegator_address } => {
            let request = QueryDelegatorValidatorsRequest { delegator_address };
            let got: QueryDelegatorValidatorsResponse =
                ask(keeper, "DelegatorValidators", &request)?;
            json(&Validators {
                validators: got.validators,
            })
        }
        _ => Err(Fail::unsupported("unknown distribution query")),
    }
}

/// What one delegation would be paid now, without fractions.
///
/// # Errors
/// The module's.
pub(super) fn own_rewards(
    keeper: &Keeper,
    delegator: &str,
    validator: &str,
) -> Res<Vec<cosmwasm_std::Coin>> {
    let request = QueryDelegationRewardsRequest {
        delegator_address: delegator.to_owned(),
        validator_address: validator.to_owned(),
    };
    let got: QueryDelegationRewardsResponse = ask(keeper, "DelegationRewards", &request)?;
    let whole = |c: DecCoin| {
        let amount = Dec::from_proto(&c.amount)?.truncate_u128()?;
        Ok(cosmwasm_std::Coin::new(amount, c.denom))
    };
    got.rewards.into_iter().map(whole).collect()
}

fn ask<R: Message + Default>(keeper: &Keeper, method: &str, request: &impl Message) -> Res<R> {
    let path = format!("{SERVICE}{method}");
    let bytes = keeper
        .chain
        .ask(&keeper.ctx, &path, &request.encode_to_vec())?;
    R::decode(bytes.as_slice()).map_err(|e| Fail::new(Code::QueryFailed, e))
}
