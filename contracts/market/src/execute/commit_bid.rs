//! `CommitBid`: by a provider who can serve the order, with the bid deposit, while commitments are taken.

use super::place_bid::{admit, bid_deposit};
use crate::{
    account::Account,
    bids::{self, NewBid, Price},
    error::ContractError,
    outbox::Outbox,
    state::{CONFIG, LIVE_BID},
};
use cosmwasm_std::{Binary, DepsMut, Env, MessageInfo, Response};
use ember_types::{
    ids::{BidId, OrderId},
    lease::BidState,
    pricing::sealed_tender::bytes32,
};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    order_id: OrderId,
    commitment: Binary,
    units: Option<u32>,
) -> Result<Response, ContractError> {
    let config = CONFIG.load(deps.storage)?;
    let mut account = Account::load(deps.storage, order_id)?;
    let now = env.block.time.seconds();
    account.expect_auction(now)?;
    if account.order.pricing.sealed_until().is_none() {
        return Err(ContractError::Mode {
            order_id,
            mode: account.order.pricing.name(),
            refuses: "takes no sealed bids",
        });
    }
    account.expect_unbound(now, "no bid comes in any more")?;
    bytes32("commitment", &commitment)?;
    let units = bids::units(&account, units)?;
    let deposit = bid_deposit(&deps, info, &account)?;
    let weight = admit(
        deps.as_ref(),
        &config,
        &account,
        &info.sender,
        (units, None),
    )?;
    let mut out = Outbox::default();
    if let Some(own) = LIVE_BID.may_load(deps.storage, (order_id.0, &info.sender))? {
        let (id, state) = (BidId(own), BidState::Withdrawn);
        bids::end(deps.storage, &mut out, &mut account, id, state, "replaced")?;
    }
    let max = config.max_bids_per_order;
    if account.order.open_bids >= max {
        return Err(ContractError::TenderFull { order_id, max });
    }
    let new = NewBid {
        provider: info.sender.clone(),
        units,
        price: Price::Sealed(commitment),
        weight,
        score: None,
        deposit,
        placed_at: env.block.time,
    };
    bids::place(deps.storage, &mut out, &mut account, new)?;
    account.save(deps.storage)?;
    Ok(out.into_response())
}
