//! What contracts say to the staking module and ask it. The module is read where it stands, so that a query costs what
//! wasmd's does.

use super::{
    coins,
    fail::{Code, Fail, Res},
    keeper::Keeper,
    rewards::{any, json, own_rewards},
};
use crate::{
    error::AppError,
    modules::{
        auth, stakes,
        staking::{
            keys,
            store::{self, by_power, find_validator},
            validator::{Status, Validator},
        },
    },
};
use cosmos_sdk_proto::{
    Any,
    cosmos::staking::v1beta1::{MsgBeginRedelegate, MsgDelegate, MsgUndelegate},
};
use cosmwasm_std::{Coin, StakingMsg, StakingQuery};
use serde::Serialize;

/// A validator as contracts see it, fields in wasmvm's order.
#[derive(Serialize)]
struct ValidatorInfo {
    address: String,
    commission: String,
    max_commission: String,
    max_change_rate: String,
}

impl From<Validator> for ValidatorInfo {
    fn from(v: Validator) -> Self {
        Self {
            address: v.name,
            commission: v.commission.rate.to_string(),
            max_commission: v.commission.max_rate.to_string(),
            max_change_rate: v.commission.max_change_rate.to_string(),
        }
    }
}

#[derive(Serialize)]
struct Denom {
    denom: String,
}

#[derive(Serialize)]
struct Validators {
    validators: Vec<ValidatorInfo>,
}

/// `null` when there is none.
#[derive(Serialize)]
struct OneValidator {
    validator: Option<ValidatorInfo>,
}

#[derive(Serialize)]
struct Delegation {
    delegator: String,
    validator: String,
    amount: Coin,
}

#[derive(Serialize)]
struct Delegations {
    delegations: Vec<Delegation>,
}

#[derive(Serialize)]
struct FullDelegation {
    delegator: String,
    validator: String,
    amount: Coin,
    accumulated_rewards: Vec<Coin>,
    can_redelegate: Coin,
}

/// Nothing at all when there is none.
#[derive(Serialize)]
struct OneDelegation {
    #[serde(skip_serializing_if = "Option::is_none")]
    delegation: Option<FullDelegation>,
}

/// The chain's message for a contract's; the contract at `human` signs it.
///
/// # Errors
/// sdk/10 for what is no coin; wasm/20 for a message of a later CosmWasm.
pub(super) fn encode(human: &str, msg: StakingMsg) -> Res<Any> {
    let delegator_address = human.to_owned();
    Ok(match msg {
        StakingMsg::Delegate { validator, amount } => any(&MsgDelegate {
            delegator_address,
            validator_address: validator,
            amount: Some(coins::one_from_contract(&amount)?),
        }),
        StakingMsg::Undelegate { validator, amount } => any(&MsgUndelegate {
            delegator_address,
            validator_address: validator,
            amount: Some(coins::one_from_contract(&amount)?),
        }),
        StakingMsg::Redelegate {
            src_validator,
            dst_validator,
            amount,
        } => any(&MsgBeginRedelegate {
            delegator_address,
            validator_src_address: src_validator,
            validator_dst_address: dst_validator,
            amount: Some(coins::one_from_contract(&amount)?),
        }),
        _ => return Err(Fail::new(Code::UnknownMsg, "unknown variant of Staking")),
    })
}

fn delegator(k: &Keeper, text: &str) -> Res<Vec<u8>> {
    auth::keeper::addr(&k.ctx, text).map_err(|_| AppError::invalid_address(text).into())
}

/// Answers a contract's query.
///
/// # Errors
/// The module's; sdk/37 on a chain without staking.
pub(super) fn answer(k: &Keeper, query: StakingQuery) -> Res<Vec<u8>> {
    let ctx = &k.ctx;
    match query {
        StakingQuery::BondedDenom {} => json(&Denom {
            denom: store::params(ctx)?.bond_denom,
        }),
        StakingQuery::AllValidators {} => {
            let most = store::params(ctx)?.max_validators as usize;
            let mut validators = Vec::new();
            by_power(ctx, |v| {
                if validators.len() < most && v.status == Status::Bonded {
                    validators.push(ValidatorInfo::from(v));
                }
                Ok(validators.len() < most)
            })?;
            json(&Validators { validators })
        }
        StakingQuery::Validator { address } => {
            let operator = stakes::operator(ctx, &address)?;
            let validator = find_validator(ctx, &operator)?.map(ValidatorInfo::from);
            json(&OneValidator { validator })
        }
        StakingQuery::AllDelegations { delegator: who } => {
            let all = stakes::delegations(ctx, &delegator(k, &who)?)?;
            let denom = store::params(ctx)?.bond_denom;
            let delegations = all.into_iter().map(|d| {
                let amount = worth(k, &d, &denom)?;
                Ok(Delegation {
                    delegator: d.delegator_name,
                    validator: d.validator_name,
                    amount,
                })
            });
            let delegations = delegations.collect::<Res<_>>()?;
            json(&Delegations { delegations })
        }
        StakingQuery::Delegation {
            delegator: who,
            validator,
        } => {
            let who = delegator(k, &who)?;
            let operator = stakes::operator(ctx, &validator)
                .map_err(|_| AppError::invalid_address(&validator))?;
            let delegation = match stakes::delegation(ctx, &who, &operator) {
                Ok(d) => Some(full(k, d)?),
                Err(e) if (e.codespace, e.code) == ("staking", 19) => None,
                Err(e) => return Err(e.into()),
            };
            json(&OneDelegation { delegation })
        }
        _ => Err(Fail::unsupported("unknown Staking variant")),
    }
}

/// What a delegation is worth now.
fn worth(k: &Keeper, d: &stakes::Delegation, denom: &str) -> Res<Coin> {
    let tokens = stakes::validator(&k.ctx, &d.operator)?.tokens_from_shares(&d.shares)?;
    Ok(Coin::new(tokens.truncate_u128()?, denom))
}

fn full(k: &Keeper, d: stakes::Delegation) -> Res<FullDelegation> {
    let denom = store::params(&k.ctx)?.bond_denom;
    let amount = worth(k, &d, &denom)?;
    // As wasmd has it: what somebody is still redelegating to a validator cannot go on from there, else all can.
    let receiving = keys::of(
        keys::REDELEGATION_BY_DESTINATION,
        &[&d.operator, &d.delegator],
    );
    let can_redelegate = if store::scan(&k.ctx, &receiving)?.is_empty() {
        amount.clone()
    } else {
        Coin::new(0_u128, denom)
    };
    let accumulated_rewards = own_rewards(k, &d.delegator_name, &d.validator_name)?;
    Ok(FullDelegation {
        delegator: d.delegator_name,
        validator: d.validator_name,
        amount,
        accumulated_rewards,
        can_redelegate,
    })
}
