//! Entry points.

use crate::{
    error::ContractError,
    execute, fees, funds, invariants,
    query::{self as q, lists},
    state::{CONFIG, Config},
    sudo as s,
};
use cosmwasm_std::{
    Binary, Deps, DepsMut, Env, Event, MessageInfo, Reply, Response, to_json_binary,
};
use ember_types::{
    error::ValidationError,
    events::{self, key},
    list::{self, Page},
    market::{ExecuteMsg, InstantiateMsg, MigrateMsg, QueryMsg},
    sudo::SudoMsg,
};

/// The name that cw2 stores.
pub const NAME: &str = "crate:ember-market";
/// The version that cw2 stores.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The largest `max_bids_per_order`: closing an auction returns that many deposits in one block.
pub const MAX_BIDS_PER_ORDER: u32 = 250;
/// The largest `grace_secs`: 30 days.
pub const MAX_GRACE_SECS: u64 = 30 * 24 * 3_600;

/// Sets the contract up.
///
/// # Errors
/// When a field is out of its range or not of its form.
pub fn instantiate(
    deps: DepsMut,
    _env: Env,
    info: MessageInfo,
    msg: InstantiateMsg,
) -> Result<Response, ContractError> {
    funds::none(&info)?;
    let ranges = [
        (
            "max_bids_per_order",
            1,
            u64::from(MAX_BIDS_PER_ORDER),
            u64::from(msg.max_bids_per_order),
        ),
        ("grace_secs", 0, MAX_GRACE_SECS, msg.grace_secs),
    ];
    for (field, least, most, got) in ranges {
        if !(least..=most).contains(&got) {
            let expected = format!("{least} to {most}");
            return Err(ValidationError::range(field, expected, got).into());
        }
    }
    cw2::set_contract_version(deps.storage, NAME, VERSION)?;
    let addr = |a: &str| deps.api.addr_validate(a);
    CONFIG.save(
        deps.storage,
        &Config {
            authority: addr(&msg.authority)?,
            registry: addr(&msg.registry)?,
            fee_collector: addr(&msg.fee_collector)?,
            grace_secs: msg.grace_secs,
            max_bids_per_order: msg.max_bids_per_order,
        },
    )?;
    fees::replace(deps.storage, &msg.fees)?;
    Ok(Response::new())
}

/// What an account asks.
///
/// # Errors
/// The reason of the refusal.
pub fn execute(
    deps: DepsMut,
    env: Env,
    info: MessageInfo,
    msg: ExecuteMsg,
) -> Result<Response, ContractError> {
    match msg {
        ExecuteMsg::CreateOrder {
            resources,
            pricing,
            ceiling,
            max_duration_secs,
            terms,
        } => execute::create_order::execute(
            deps,
            &env,
            &info,
            resources,
            pricing,
            ceiling,
            max_duration_secs,
            terms,
        ),
        ExecuteMsg::CloseOrder { order_id } => {
            execute::close_order::execute(deps, &env, &info, order_id)
        }
        ExecuteMsg::PlaceBid {
            order_id,
            rate,
            units,
            score,
        } => execute::place_bid::execute(deps, &env, &info, order_id, rate, (units, score)),
        ExecuteMsg::CommitBid {
            order_id,
            commitment,
            units,
        } => execute::commit_bid::execute(deps, &env, &info, order_id, commitment, units),
        ExecuteMsg::RevealBid { bid_id, rate, salt } => {
            execute::reveal_bid::execute(deps, &env, &info, bid_id, rate, &salt)
        }
        ExecuteMsg::WithdrawBid { bid_id } => {
            execute::withdraw_bid::execute(deps, &env, &info, bid_id)
        }
        ExecuteMsg::AcceptBid { bid_id } => execute::accept_bid::execute(deps, &env, &info, bid_id),
        ExecuteMsg::PlaceAsk {
            device,
            units,
            denom,
            rate,
            assurance,
        } => {
            execute::place_ask::execute(deps, &env, &info, &device, units, (denom, rate), assurance)
        }
        ExecuteMsg::WithdrawAsk { ask_id } => execute::withdraw_ask::execute(deps, &info, ask_id),
        ExecuteMsg::GiveNotice { lease_id } => {
            execute::give_notice::execute(deps, &env, &info, lease_id)
        }
        ExecuteMsg::CloseLease { lease_id } => {
            execute::close_lease::execute(deps, &env, &info, lease_id)
        }
        ExecuteMsg::ReportScore { lease_id, score } => {
            execute::report_score::execute(deps, &env, &info, lease_id, score)
        }
        ExecuteMsg::Deposit { order_id } => execute::deposit::execute(deps, &env, &info, order_id),
        ExecuteMsg::Settle { lease_id } => execute::settle::execute(deps, &env, &info, lease_id),
        ExecuteMsg::Withdraw { lease_id } => {
            execute::withdraw::execute(deps, &env, &info, lease_id)
        }
        ExecuteMsg::UpdateFees { fees } => execute::update_fees::execute(deps, &info, &fees),
    }
}

/// What anyone may read.
///
/// # Errors
/// When what is asked for does not exist.
pub fn query(deps: Deps, env: Env, msg: QueryMsg) -> Result<Binary, ContractError> {
    let answer = match msg {
        QueryMsg::Config {} => to_json_binary(&q::config(deps)?),
        QueryMsg::Order { order_id } => to_json_binary(&q::order(deps, order_id)?),
        QueryMsg::Orders {
            tenant,
            state,
            model,
            start_after,
            limit,
            descending,
        } => {
            let page = Page::new(start_after, limit, descending);
            let (tenant, model) = (tenant.as_deref(), model.as_deref());
            to_json_binary(&lists::orders(deps, tenant, state, model, &page)?)
        }
        QueryMsg::Bid { bid_id } => to_json_binary(&q::bid(deps, bid_id)?),
        QueryMsg::Bids {
            order_id,
            provider,
            state,
            start_after,
            limit,
            descending,
        } => {
            let page = Page::new(start_after, limit, descending);
            let provider = provider.as_deref();
            to_json_binary(&lists::bids(deps, order_id, provider, state, &page)?)
        }
        QueryMsg::Asks {
            provider,
            model,
            for_sale,
            start_after,
            limit,
            descending,
        } => {
            let page = Page::new(start_after, limit, descending);
            let (provider, model) = (provider.as_deref(), model.as_deref());
            to_json_binary(&lists::asks(deps, provider, model, for_sale, &page)?)
        }
        QueryMsg::Lease { lease_id } => to_json_binary(&q::lease(deps, lease_id)?),
        QueryMsg::Leases {
            tenant,
            provider,
            state,
            model,
            start_after,
            limit,
            descending,
        } => {
            let page = Page::new(start_after, limit, descending);
            let parties = (tenant.as_deref(), provider.as_deref());
            let model = model.as_deref();
            to_json_binary(&lists::leases(deps, parties, state, model, &page)?)
        }
        QueryMsg::Escrow { order_id } => to_json_binary(&q::escrow(deps, &env, order_id)?),
        QueryMsg::Invariants { start_after, limit } => {
            let limit = list::size(limit);
            to_json_binary(&invariants::check(deps, &env, start_after, limit)?)
        }
        QueryMsg::Ledger { denom } => to_json_binary(&q::ledger(deps, denom)?),
        QueryMsg::CanFill {
            resources,
            start_after,
            limit,
        } => to_json_binary(&q::can_fill(deps, resources, start_after, limit)?),
    };
    Ok(answer?)
}

/// The registry refused a report of a lease. The lease does not suffer for it: nothing is undone, an event tells.
///
/// # Errors
/// None.
pub fn reply(_deps: DepsMut, _env: Env, reply: Reply) -> Result<Response, ContractError> {
    Ok(report_failed(
        reply.result.into_result().err().unwrap_or_default(),
    ))
}

pub(crate) fn report_failed(reason: String) -> Response {
    Response::new().add_event(Event::new(events::REPORT_FAILED).add_attribute(key::REASON, reason))
}

/// What the chain itself sends.
///
/// # Errors
/// When the storage is broken.
pub fn sudo(deps: DepsMut, env: Env, msg: SudoMsg) -> Result<Response, ContractError> {
    match msg {
        SudoMsg::EndBlock {} => s::end_block(deps, &env),
    }
}

/// Takes over the state of the same contract in an older or the same version.
///
/// # Errors
/// When the state is another contract's or newer than this code.
pub fn migrate(deps: DepsMut, _env: Env, _msg: MigrateMsg) -> Result<Response, ContractError> {
    let stored = cw2::get_contract_version(deps.storage)?;
    if stored.contract != NAME {
        return Err(ContractError::WrongContract {
            expected: NAME,
            got: stored.contract,
        });
    }
    if version(&stored.version).is_none_or(|v| Some(v) > version(VERSION)) {
        return Err(ContractError::WrongVersion {
            expected: VERSION,
            got: stored.version,
        });
    }
    cw2::set_contract_version(deps.storage, NAME, VERSION)?;
    Ok(Response::new())
}

/// `major.minor.patch`.
fn version(text: &str) -> Option<[u64; 3]> {
    let mut parts = text.split('.').map(|p| p.parse().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}
