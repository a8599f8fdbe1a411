//! `CloseLease`: by its tenant or its provider. Where time has closed it already, that closing stands.

use super::{expect_running, unauthorized};
use crate::{account::Account, error::ContractError, funds, lifecycle, outbox::Outbox};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::{
    ids::LeaseId,
    lease::{CloseReason, LeaseState},
};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    lease_id: LeaseId,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let mut account = Account::of_lease(deps.storage, lease_id)?;
    let provider = &account.lease(lease_id)?.provider;
    let mut reason = if info.sender == account.order.tenant {
        CloseReason::Tenant
    } else if info.sender == *provider {
        CloseReason::Provider
    } else {
        return unauthorized("the lease's tenant or provider", &info.sender);
    };
    expect_running(&account, lease_id)?;
    let now = env.block.time.seconds();
    let mut out = Outbox::default();
    lifecycle::catch_up(deps.storage, &mut out, &mut account, now)?;
    if account.is_running(lease_id) {
        if reason == CloseReason::Provider && may_leave(&account, lease_id, now)? {
            reason = CloseReason::Notice;
        }
        lifecycle::close_one(
            deps.storage,
            &mut out,
            &mut account,
            now,
            (lease_id, reason),
        )?;
    }
    account.save(deps.storage)?;
    Ok(out.into_response())
}

/// Whether the provider's notice has run; false where none is asked for, or nothing is paid.
fn may_leave(account: &Account, lease_id: LeaseId, now: u64) -> Result<bool, ContractError> {
    let hours = account.order.terms.notice_hours;
    let lease = account.lease(lease_id)?;
    if hours == 0 || lease.state != LeaseState::Active {
        return Ok(false);
    }
    match lease.leaves_at {
        Some(t) if t <= now => Ok(true),
        leaves_at => Err(ContractError::NoticeFirst {
            lease_id,
            hours,
            leaves_at,
        }),
    }
}
