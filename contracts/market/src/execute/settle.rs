//! `Settle`: by anyone. Books what has accrued: to the provider's balance, the take fee to the collector.

use super::expect_running;
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
    expect_running(&account, lease_id)?;
    let now = env.block.time.seconds();
    let mut out = Outbox::default();
    lifecycle::catch_up(deps.storage, &mut out, &mut account, now)?;
    if account.is_running(lease_id) {
        escrow::book(deps.storage, &mut out, &mut account, now)?;
    }
    account.save(deps.storage)?;
    Ok(out.into_response())
}
