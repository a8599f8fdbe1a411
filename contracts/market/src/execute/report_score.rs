//! `ReportScore`: by the lease's provider, or whom the registry lets set trust levels, while the score may be measured. Not
//! by whom the order names: a tenant that measured for itself would pay nothing.

use super::{expect_running, unauthorized};
use crate::{
    account::Account, error::ContractError, funds, lifecycle, outbox::Outbox, providers,
    state::CONFIG,
};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::{
    events::{self, key},
    ids::LeaseId,
    lease::OrderState,
    pricing::performance::unit_rate,
};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    lease_id: LeaseId,
    score: u64,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let mut account = Account::of_lease(deps.storage, lease_id)?;
    let lease = account.lease(lease_id)?;
    let config = CONFIG.load(deps.storage)?;
    if info.sender != lease.provider
        && !providers::may_measure(deps.querier, &config, &info.sender)?
    {
        let expected = "the lease's provider or whom the registry lets set trust levels";
        return unauthorized(expected, &info.sender);
    }
    expect_running(&account, lease_id)?;
    let now = env.block.time.seconds();
    let Some(until) = lease.performance.as_ref().map(|p| p.measure_until) else {
        return Err(ContractError::Mode {
            order_id: account.id,
            mode: account.order.pricing.name(),
            refuses: "pays for no score",
        });
    };
    if now >= until {
        return Err(ContractError::MeasuredLate {
            lease_id,
            until,
            now,
        });
    }
    let mut out = Outbox::default();
    lifecycle::catch_up(deps.storage, &mut out, &mut account, now)?;
    if account.is_running(lease_id) {
        let (lease, _) = account.running_lease(lease_id)?;
        if let Some(p) = &mut lease.performance {
            let measured = p.measured.map_or(score, |lowest| lowest.min(score));
            p.measured = Some(measured);
            // Nothing is booked before the window is over, so this holds from the first second.
            lease.rate = unit_rate(p.rate, measured.min(p.promised))?;
            let promised = p.promised.to_string();
            out.emit(
                lifecycle::lease_event(events::LEASE_MEASURED, lease_id, lease)
                    .add_attribute(key::SCORE, score.to_string())
                    .add_attribute(key::PROMISED, promised)
                    .add_attribute(key::RATE, lease.rate.to_string()),
            );
        }
        if account.order.state == OrderState::Leased {
            lifecycle::revive(&mut out, &mut account, now)?;
        }
    }
    account.save(deps.storage)?;
    Ok(out.into_response())
}
