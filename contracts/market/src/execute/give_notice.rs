//! `GiveNotice`: by the lease's provider, where the order's terms ask for notice.

use super::{expect_running, unauthorized};
use crate::{account::Account, error::ContractError, funds, lifecycle, outbox::Outbox};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::{
    events::{self, key},
    ids::LeaseId,
};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    lease_id: LeaseId,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let mut account = Account::of_lease(deps.storage, lease_id)?;
    if account.lease(lease_id)?.provider != info.sender {
        return unauthorized("the lease's provider", &info.sender);
    }
    expect_running(&account, lease_id)?;
    if account.order.terms.notice_hours == 0 {
        return Err(ContractError::NoNotice { lease_id });
    }
    let now = env.block.time.seconds();
    let mut out = Outbox::default();
    lifecycle::catch_up(deps.storage, &mut out, &mut account, now)?;
    if account.is_running(lease_id) {
        let leaves_at = account.order.terms.leaves_at(now);
        let (lease, _) = account.running_lease(lease_id)?;
        if let Some(leaves_at) = lease.leaves_at {
            return Err(ContractError::NoticeGiven {
                lease_id,
                leaves_at,
            });
        }
        lease.leaves_at = Some(leaves_at);
        out.emit(
            lifecycle::lease_event(events::LEASE_NOTICE, lease_id, lease)
                .add_attribute(key::LEAVES_AT, leaves_at.to_string()),
        );
    }
    account.save(deps.storage)?;
    Ok(out.into_response())
}
