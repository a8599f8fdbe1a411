//! `CloseOrder`: by its tenant, while it is open.

use super::unauthorized;
use crate::{
    account::Account, bids, error::ContractError, escrow, funds, lifecycle, outbox::Outbox,
};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::ids::OrderId;

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    order_id: OrderId,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let mut account = Account::load(deps.storage, order_id)?;
    if info.sender != account.order.tenant {
        return unauthorized(format!("the tenant {}", account.order.tenant), &info.sender);
    }
    let now = env.block.time.seconds();
    account.expect_auction(now)?;
    account.expect_unbound(now, "its tenant cannot close it any more")?;
    let mut out = Outbox::default();
    bids::end_all(deps.storage, &mut out, &mut account, &[])?;
    escrow::refund(deps.storage, &mut out, &mut account)?;
    lifecycle::close_order(&mut out, &mut account, "tenant");
    account.save(deps.storage)?;
    Ok(out.into_response())
}
