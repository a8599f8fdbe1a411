//! `WithdrawBid`: by its provider, while the auction runs.

use super::unauthorized;
use crate::{account::Account, bids, error::ContractError, funds, outbox::Outbox};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response};
use ember_types::{ids::BidId, lease::BidState};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    bid_id: BidId,
) -> Result<Response, ContractError> {
    funds::none(info)?;
    let bid = bids::load(deps.storage, bid_id)?;
    if info.sender != bid.provider {
        return unauthorized(format!("the bidder {}", bid.provider), &info.sender);
    }
    let bid = bids::load_live(deps.storage, bid_id)?;
    let mut account = Account::load(deps.storage, bid.order_id)?;
    let now = env.block.time.seconds();
    account.expect_auction(now)?;
    account.expect_unbound(now, "bids are revealed, not withdrawn")?;
    let mut out = Outbox::default();
    let state = BidState::Withdrawn;
    bids::end(
        deps.storage,
        &mut out,
        &mut account,
        bid_id,
        state,
        "withdrawn",
    )?;
    account.save(deps.storage)?;
    Ok(out.into_response())
}
