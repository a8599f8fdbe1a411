//! `app_state.distribution`, in and out. It is read before staking's, whose validators and delegations call the hooks.

use super::{
    genesis_json::{
        Accumulated, Commission, Current, CurrentRecord, FeePool, Genesis, Historical,
        HistoricalRecord, Outstanding, SlashEvent, SlashRecord, StartingInfo, StartingRecord,
        WithdrawInfo,
    },
    keys, store,
};
use crate::{
    codec::{address, coins, dec::Dec, dec_coins::DecCoins},
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth::{self, keeper::addr},
        bank,
        stakes::{operator, operator_name},
    },
};
use cosmos_sdk_proto::cosmos::distribution::v1beta1 as proto;
use prost::Message;
use serde::Deserialize;
use serde_json::Value;

fn bad(detail: impl std::fmt::Display) -> AppError {
    AppError::invalid_request(format_args!("genesis: app_state.distribution: {detail}"))
}

/// The prefix of the addresses of validators' keys.
fn cons_prefix(ctx: &Ctx) -> Result<String> {
    Ok(format!("{}valcons", auth::keeper::prefix(ctx)?))
}

/// Reads the module's genesis. Without one nothing is ever distributed.
///
/// # Errors
/// sdk/18 with what is wrong; also when the module's account holds something else than the records say.
pub fn import(ctx: &Ctx, app_state: &Value) -> Result<()> {
    let state = &app_state["distribution"];
    if state.is_null() {
        return Ok(());
    }
    let genesis = Genesis::deserialize(state).map_err(bad)?;
    read(ctx, &genesis).map_err(|e| bad(e.log))
}

fn read(ctx: &Ctx, genesis: &Genesis) -> Result<()> {
    genesis.params.check()?;
    store::set_params(ctx, &genesis.params)?;
    let mut holdings = genesis.fee_pool.community_pool.clone();
    store::set_community_pool(ctx, &holdings)?;
    for w in &genesis.delegator_withdraw_infos {
        let (from, to) = (
            addr(ctx, &w.delegator_address)?,
            addr(ctx, &w.withdraw_address)?,
        );
        store::set_withdraw_addr(ctx, &from, &to)?;
    }
    let proposer = match genesis.previous_proposer.as_str() {
        "" => Vec::new(),
        text => address::decode(&cons_prefix(ctx)?, text)?,
    };
    store::set_previous_proposer(ctx, &proposer)?;
    for r in &genesis.outstanding_rewards {
        let val = operator(ctx, &r.validator_address)?;
        store::set_outstanding(ctx, &val, &r.outstanding_rewards)?;
        holdings.add(&r.outstanding_rewards);
    }
    for r in &genesis.validator_accumulated_commissions {
        let val = operator(ctx, &r.validator_address)?;
        store::set_commission(ctx, &val, &r.accumulated.commission)?;
    }
    for r in &genesis.validator_historical_rewards {
        let val = operator(ctx, &r.validator_address)?;
        let Historical {
            cumulative_reward_ratio: ratio,
            reference_count,
        } = &r.rewards;
        store::set_historical(ctx, &val, r.period, ratio, *reference_count)?;
    }
    for r in &genesis.validator_current_rewards {
        let val = operator(ctx, &r.validator_address)?;
        store::set_current(ctx, &val, &r.rewards.rewards, r.rewards.period)?;
    }
    for r in &genesis.delegator_starting_infos {
        let (val, del) = (
            operator(ctx, &r.validator_address)?,
            addr(ctx, &r.delegator_address)?,
        );
        let info = proto::DelegatorStartingInfo {
            previous_period: r.starting_info.previous_period,
            stake: r.starting_info.stake.to_proto(),
            height: r.starting_info.height,
        };
        store::set(ctx, &keys::starting_info(&val, &del), &info)?;
    }
    for r in &genesis.validator_slash_events {
        let val = operator(ctx, &r.validator_address)?;
        let event = proto::ValidatorSlashEvent {
            validator_period: r.validator_slash_event.validator_period,
            fraction: r.validator_slash_event.fraction.to_proto(),
        };
        store::set(ctx, &keys::slash(&val, r.height, r.period), &event)?;
    }
    let account = store::account();
    auth::keeper::ensure_account(ctx, &account)?;
    let (balance, holdings) = (
        bank::keeper::all_balances(ctx, &account)?,
        holdings.truncate()?.0,
    );
    if balance != holdings {
        return Err(bad(format_args!(
            "distribution module balance does not match the module holdings: {} <-> {}",
            coins::display(&balance),
            coins::display(&holdings)
        )));
    }
    Ok(())
}

/// Writes the module's genesis; null on a chain without.
///
/// # Errors
/// When the store is broken.
pub fn export(ctx: &Ctx) -> Result<Value> {
    if !store::enabled(ctx) {
        return Ok(Value::Null);
    }
    let proposer = store::previous_proposer(ctx)?;
    let previous_proposer = if proposer.is_empty() {
        String::new()
    } else {
        address::encode(&cons_prefix(ctx)?, &proposer)?
    };
    let genesis = Genesis {
        params: store::params(ctx)?,
        fee_pool: FeePool {
            community_pool: store::community_pool(ctx)?,
        },
        delegator_withdraw_infos: records(ctx, keys::WITHDRAW_ADDR, |addr, _, value| {
            Ok(WithdrawInfo {
                delegator_address: auth::keeper::human(ctx, addr)?,
                withdraw_address: auth::keeper::human(ctx, value)?,
            })
        })?,
        previous_proposer,
        outstanding_rewards: records(ctx, keys::OUTSTANDING, |val, _, _| {
            Ok(Outstanding {
                validator_address: operator_name(ctx, val)?,
                outstanding_rewards: store::outstanding(ctx, val)?,
            })
        })?,
        validator_accumulated_commissions: records(ctx, keys::COMMISSION, |val, _, _| {
            Ok(Accumulated {
                validator_address: operator_name(ctx, val)?,
                accumulated: Commission {
                    commission: store::commission(ctx, val)?,
                },
            })
        })?,
        validator_historical_rewards: records(ctx, keys::HISTORICAL, |val, rest, value| {
            let r: proto::ValidatorHistoricalRewards = decode(value)?;
            Ok(HistoricalRecord {
                validator_address: operator_name(ctx, val)?,
                period: rest.try_into().map_or(0, u64::from_le_bytes),
                rewards: Historical {
                    cumulative_reward_ratio: DecCoins::from_proto(&r.cumulative_reward_ratio)?,
                    reference_count: r.reference_count,
                },
            })
        })?,
        validator_current_rewards: records(ctx, keys::CURRENT, |val, _, _| {
            let (rewards, period) = store::current(ctx, val)?;
            Ok(CurrentRecord {
                validator_address: operator_name(ctx, val)?,
                rewards: Current { rewards, period },
            })
        })?,
        delegator_starting_infos: records(ctx, keys::STARTING_INFO, |val, rest, value| {
            let r: proto::DelegatorStartingInfo = decode(value)?;
            Ok(StartingRecord {
                delegator_address: auth::keeper::human(ctx, rest.get(1..).unwrap_or_default())?,
                validator_address: operator_name(ctx, val)?,
                starting_info: StartingInfo {
                    previous_period: r.previous_period,
                    stake: Dec::from_proto(&r.stake)?,
                    height: r.height,
                },
            })
        })?,
        validator_slash_events: records(ctx, keys::SLASH, |val, rest, value| {
            let r: proto::ValidatorSlashEvent = decode(value)?;
            let height = rest.get(..8).and_then(|h| h.try_into().ok());
            Ok(SlashRecord {
                validator_address: operator_name(ctx, val)?,
                height: height.map_or(0, u64::from_be_bytes),
                period: r.validator_period,
                validator_slash_event: SlashEvent {
                    validator_period: r.validator_period,
                    fraction: Dec::from_proto(&r.fraction)?,
                },
            })
        })?,
    };
    serde_json::to_value(genesis).map_err(bad)
}

fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes).map_err(AppError::tx_decode)
}

/// Every record below a prefix, made of its key's address, what follows that, and the value.
fn records<T>(
    ctx: &Ctx,
    prefix: u8,
    make: impl Fn(&[u8], &[u8], &[u8]) -> Result<T>,
) -> Result<Vec<T>> {
    store::scan(ctx, &[prefix])?
        .into_iter()
        .map(|(key, value)| {
            let (addr, rest) = keys::split(&key);
            make(addr, rest, &value)
        })
        .collect()
}
