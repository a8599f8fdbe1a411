//! `ReportLease`: by the market. The market's own message does not fail when this one does.

use super::only;
use crate::{
    error::ContractError,
    funds, presence,
    state::{CONFIG, REPUTATION},
    validate,
};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::{
    ids::LeaseId,
    lease::CloseReason,
    standing::{LeaseReport, Reputation},
};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    lease: LeaseId,
    provider: &str,
    report: LeaseReport,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let market = CONFIG.load(deps.storage)?.market;
    let market = market.ok_or(ContractError::NotConfigured { what: "market" })?;
    only("the market", &market, &info.sender)?;
    let address = validate::address(deps.api, "provider", provider)?;
    let mut r = REPUTATION
        .may_load(deps.storage, &address)?
        .unwrap_or_default();
    let now = env.block.time.seconds();
    match report {
        LeaseReport::Opened { units, model } => {
            r.opened = r.opened.saturating_add(1);
            presence::lease_opened(deps.storage, lease.0, &address, model, units, now)?;
        }
        LeaseReport::Ended { reason, paid_secs } => {
            let counter = ended(&mut r, reason);
            *counter = counter.saturating_add(1);
            r.paid_secs = r.paid_secs.saturating_add(paid_secs);
            presence::lease_ended(deps.storage, lease.0, now)?;
        }
    }
    REPUTATION.save(deps.storage, &address, &r)?;
    Ok(Response::new())
}

fn ended(r: &mut Reputation, reason: CloseReason) -> &mut u64 {
    match reason {
        CloseReason::EndOfTerm => &mut r.completed,
        CloseReason::Provider => &mut r.closed_by_provider,
        CloseReason::Notice => &mut r.left_with_notice,
        CloseReason::Tenant => &mut r.closed_by_tenant,
        CloseReason::Exhausted => &mut r.exhausted,
        CloseReason::Cluster => &mut r.ended_with_cluster,
    }
}
