//! `CloseLease`: by its tenant or its provider. Where time has closed it already, that closing stands.

use super::{expect_running, unauthorized};
use crate::{
    account::Account, error::ContractError, funds, lifecycle, outbox::Outbox, state::Lease,
};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::{
    ids::LeaseId,
    lease::{CloseReason, LeaseState, OrderState},
};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    lease_id: LeaseId,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let mut account = Account::of_lease(deps.storage, lease_id)?;
    let provider = account.lease.as_ref().map(|l| &l.provider);
    let mut reason = if info.sender == account.order.tenant {
        CloseReason::Tenant
    } else if Some(&info.sender) == provider {
        CloseReason::Provider
    } else {
        return unauthorized("the lease's tenant or provider", &info.sender);
    };
    expect_running(&account, lease_id)?;
    let now = env.block.time.seconds();
    let mut out = Outbox::default();
    lifecycle::catch_up(deps.storage, &mut out, &mut account, now)?;
    if account.order.state == OrderState::Leased {
        if reason == CloseReason::Provider && may_leave(&account, lease_id, now)? {
            reason = CloseReason::Notice;
        }
        lifecycle::close(deps.storage, &mut out, &mut account, now, reason)?;
    }
    account.save(deps.storage)?;
    Ok(out.into_response())
}

/// Whether the provider's notice has run; false where none is asked for, or nothing is paid.
fn may_leave(account: &Account, lease_id: LeaseId, now: u64) -> Result<bool, ContractError> {
    let hours = account.order.terms.notice_hours;
    let leaves_at = account.lease.as_ref().and_then(|l| l.leaves_at);
    let paid = |l: &Lease| l.state == LeaseState::Active;
    if hours == 0 || !account.lease.as_ref().is_some_and(paid) {
        return Ok(false);
    }
    match leaves_at {
        Some(t) if t <= now => Ok(true),
        leaves_at => Err(ContractError::NoticeFirst {
            lease_id,
            hours,
            leaves_at,
        }),
    }
}
