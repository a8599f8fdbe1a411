//! `Deposit`: by anyone, into an order that is not closed.

use crate::{account::Account, error::ContractError, escrow, funds, lifecycle, outbox::Outbox};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::{ids::OrderId, lease::OrderState};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    order_id: OrderId,
) -> Result<Response, ContractError> {
    let mut account = Account::load(deps.storage, order_id)?;
    let amount = funds::one(info, &account.order.ceiling.denom)?;
    let now = env.block.time.seconds();
    let mut out = Outbox::default();
    lifecycle::catch_up(deps.storage, &mut out, &mut account, now)?;
    if account.order.state == OrderState::Closed {
        account.expect(OrderState::Open)?;
    }
    escrow::deposit(deps.storage, &mut out, &mut account, &info.sender, amount)?;
    if account.order.state == OrderState::Leased {
        lifecycle::revive(&mut out, &mut account, now)?;
    }
    account.save(deps.storage)?;
    Ok(out.into_response())
}
