//! `AcceptBid`: by the order's tenant, while the auction runs.

use super::unauthorized;
use crate::{account::Account, bids, error::ContractError, funds, matching, outbox::Outbox};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::ids::BidId;

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    bid_id: BidId,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let bid = bids::load(deps.storage, bid_id)?;
    let mut account = Account::load(deps.storage, bid.order_id)?;
    if info.sender != account.order.tenant {
        return unauthorized(format!("the tenant {}", account.order.tenant), &info.sender);
    }
    let now = env.block.time.seconds();
    account.expect_auction(now)?;
    if !account.order.pricing.tenant_may_accept() {
        return Err(ContractError::Mode {
            order_id: bid.order_id,
            mode: account.order.pricing.name(),
            refuses: "lets no tenant choose",
        });
    }
    let mut out = Outbox::default();
    matching::accept(
        deps.storage,
        deps.querier,
        &mut out,
        &mut account,
        bid_id,
        now,
    )?;
    account.save(deps.storage)?;
    Ok(out.into_response())
}
