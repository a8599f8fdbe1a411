//! `CloseLease`: by its tenant or its provider. Where time has closed it already, that closing stands.

use super::{expect_running, unauthorized};
use crate::{account::Account, error::ContractError, funds, lifecycle, outbox::Outbox};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::{
    ids::LeaseId,
    lease::{CloseReason, OrderState},
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
    let reason = if info.sender == account.order.tenant {
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
        lifecycle::close(deps.storage, &mut out, &mut account, now, reason)?;
    }
    account.save(deps.storage)?;
    Ok(out.into_response())
}
