//! `Withdraw`: by the lease's provider. Settles, then pays the provider's balance out.

use super::{expect_running, unauthorized};
use crate::{account::Account, error::ContractError, escrow, funds, lifecycle, outbox::Outbox};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::ids::LeaseId;

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
    let now = env.block.time.seconds();
    let mut out = Outbox::default();
    lifecycle::catch_up(deps.storage, &mut out, &mut account, now)?;
    if account.is_running(lease_id) {
        escrow::book(deps.storage, &mut out, &mut account, now)?;
        escrow::pay(deps.storage, &mut out, &mut account, lease_id)?;
    }
    account.save(deps.storage)?;
    Ok(out.into_response())
}
