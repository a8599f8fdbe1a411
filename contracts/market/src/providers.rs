//! What the registry says: whether a provider serves an order. And what it is told: how leases begin and end.

use crate::{
    error::{ContractError, Ineligible},
    state::Config,
};
use cosmwasm_schema::cw_serde;
use cosmwasm_std::{Addr, QuerierWrapper, StdResult, SubMsg, Uint128, WasmMsg, to_json_binary};
use ember_types::{
    eligibility::{CanServeResponse, FeasibleResponse, Kind, Like, Scope},
    ids::LeaseId,
    lean::Lean,
    resources::{Device, ResourceSpec},
    standing::LeaseReport,
};
use serde::Deserialize;

/// Most live providers that a new order is compared with.
pub const MAX_PROVIDERS_SEEN: u32 = 20;
/// Most SDK gas that a report of a lease may use: what it needs does not grow with anything.
pub const REPORT_GAS: u64 = 400_000;
/// The id of the reply to a failed report.
pub const REPORT: u64 = 1;

/// The registry's queries that the market asks, as `ember_types::registry::QueryMsg` has them: the whole of that enum
/// would make the wasm larger.
#[cw_serde]
enum Ask {
    Config {},
    CanServe {
        provider: String,
        resources: ResourceSpec,
        like: Option<Like>,
    },
    Feasible {
        resources: ResourceSpec,
        scope: Scope,
        start_after: Option<String>,
        limit: Option<u32>,
    },
}

/// What is read of the registry's configuration, an `ember_types::registry::InstantiateMsg`.
#[derive(Deserialize)]
struct Trusted {
    authority: String,
    #[serde(default)]
    trust_setters: Vec<String>,
}

/// The registry's message that the market sends, likewise.
#[cw_serde]
enum Tell {
    ReportLease {
        lease_id: LeaseId,
        provider: String,
        report: LeaseReport,
    },
}

/// Asks the registry. It has an answer for every account, so nothing can fail there.
fn ask(
    querier: QuerierWrapper,
    config: &Config,
    provider: &Addr,
    resources: ResourceSpec,
    like: Option<Like>,
) -> Result<CanServeResponse, Ineligible> {
    let question = Ask::CanServe {
        provider: provider.to_string(),
        resources,
        like,
    };
    let Lean(answer): Lean<CanServeResponse> = querier
        .query_wasm_smart(&config.registry, &question)
        .map_err(|_| Ineligible::NotRegistered {})?;
    match answer.lacks {
        Some(lack) => Err(lack),
        None => Ok(answer),
    }
}

/// Whether `provider` may bid and has all that `wanted` names. Answers its bond.
///
/// # Errors
/// The first thing that it lacks.
pub fn can_serve(
    querier: QuerierWrapper,
    config: &Config,
    provider: &Addr,
    wanted: ResourceSpec,
) -> Result<Uint128, Ineligible> {
    Ok(ask(querier, config, provider, wanted, None)?.bonded)
}

/// Whether `provider` may still sell `units` of what it once posted as `device`, on the terms of `wanted`. Answers its bond.
///
/// # Errors
/// The first thing that it lacks.
pub fn can_sell(
    querier: QuerierWrapper,
    config: &Config,
    provider: &Addr,
    device: &Device,
    units: u32,
    wanted: Option<&ResourceSpec>,
) -> Result<Uint128, Ineligible> {
    let resources = ResourceSpec {
        units,
        ..wanted.cloned().unwrap_or_default()
    };
    let like = Like {
        id: device.id.clone(),
        kind: Some(Kind::from(device)),
    };
    Ok(ask(querier, config, provider, resources, Some(like))?.bonded)
}

/// The device of this id, of which `provider` has `wanted.units` alike, and the rest of what `wanted` names.
///
/// # Errors
/// When the provider may not bid or has not that many.
pub fn device(
    querier: QuerierWrapper,
    config: &Config,
    provider: &Addr,
    id: &str,
    wanted: ResourceSpec,
) -> Result<Device, Ineligible> {
    let like = Like {
        id: id.into(),
        kind: None,
    };
    let answer = ask(querier, config, provider, wanted, Some(like))?;
    answer
        .device
        .ok_or_else(|| Ineligible::NoDevice { id: id.into() })
}

/// A dry run over one page of providers.
///
/// # Errors
/// When the order is not well formed.
pub fn feasible(
    querier: QuerierWrapper,
    config: &Config,
    resources: ResourceSpec,
    scope: Scope,
    start_after: Option<String>,
    limit: Option<u32>,
) -> StdResult<FeasibleResponse> {
    let question = Ask::Feasible {
        resources,
        scope,
        start_after,
        limit,
    };
    let Lean(answer) = querier.query_wasm_smart(&config.registry, &question)?;
    Ok(answer)
}

/// Whether the account may measure what others deliver: the registry's authority, or one whom it lets set trust levels.
///
/// # Errors
/// When the registry does not answer.
pub fn may_measure(querier: QuerierWrapper, config: &Config, who: &Addr) -> StdResult<bool> {
    let Lean(registry): Lean<Trusted> =
        querier.query_wasm_smart(&config.registry, &Ask::Config {})?;
    Ok(registry.authority == who.as_str()
        || registry.trust_setters.iter().any(|t| *t == who.as_str()))
}

/// Tells the registry of a lease. Whatever becomes of it there, the market's own message goes on: an error comes back to
/// `reply`, which lets it be, and the gas is bounded.
///
/// # Errors
/// When it cannot be encoded.
pub fn report(
    config: &Config,
    lease_id: LeaseId,
    provider: &Addr,
    report: LeaseReport,
) -> StdResult<SubMsg> {
    let msg = Tell::ReportLease {
        lease_id,
        provider: provider.to_string(),
        report,
    };
    let execute = WasmMsg::Execute {
        contract_addr: config.registry.to_string(),
        msg: to_json_binary(&msg)?,
        funds: Vec::new(),
    };
    Ok(SubMsg::reply_on_error(execute, REPORT).with_gas_limit(REPORT_GAS))
}

/// [`Ineligible`] with its provider.
pub fn refuse(provider: &Addr, reason: Ineligible) -> ContractError {
    ContractError::Ineligible {
        provider: provider.clone(),
        reason,
    }
}
