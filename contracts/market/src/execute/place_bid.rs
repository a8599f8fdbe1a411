//! `PlaceBid`: by a provider who can serve the order, with the bid deposit.

use crate::{
    account::Account,
    bids::{self, NewBid, Price},
    error::{ContractError, Ineligible},
    escrow, funds,
    outbox::Outbox,
    providers,
    state::{CONFIG, LIVE_BID},
};
use cosmwasm_std::{DepsMut, Env, MessageInfo, Response, Uint128};
use ember_types::{
    ids::{BidId, OrderId},
    lease::BidState,
    money::Rate,
};

pub(crate) fn execute(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    order_id: OrderId,
    rate: Rate,
    units: Option<u32>,
) -> Result<Response, ContractError> {
    let config = CONFIG.load(deps.storage)?;
    let mut account = Account::load(deps.storage, order_id)?;
    account.expect_auction(env.block.time.seconds())?;
    if !account.order.pricing.takes_bids() {
        return Err(ContractError::Mode {
            order_id,
            mode: account.order.pricing.name(),
            refuses: "takes no bids",
        });
    }
    let units = bids::units(&account, units)?;
    let deposit = bid_deposit(&deps, info, &account)?;
    let ceiling = account.order.ceiling.rate;
    if rate > ceiling {
        return Err(ContractError::AboveCeiling {
            order_id,
            rate,
            ceiling,
        });
    }
    providers::can_serve(
        deps.querier,
        &config,
        &info.sender,
        account.order.part(units),
    )
    .map_err(|reason| providers::refuse(&info.sender, reason))?;
    if account.was_left_by(deps.storage, &info.sender)? {
        return Err(providers::refuse(&info.sender, Ineligible::Left {}));
    }
    let mut out = Outbox::default();
    if let Some(own) = LIVE_BID.may_load(deps.storage, (order_id.0, &info.sender))? {
        let (id, state) = (BidId(own), BidState::Withdrawn);
        bids::end(deps.storage, &mut out, &mut account, id, state, "replaced")?;
    }
    if account.order.open_bids >= config.max_bids_per_order
        && let Some((worst, id)) = bids::worst(deps.storage, order_id)?
    {
        if rate >= worst {
            return Err(ContractError::BookFull {
                order_id,
                max: config.max_bids_per_order,
                worst,
                rate,
            });
        }
        let state = BidState::Lost;
        bids::end(deps.storage, &mut out, &mut account, id, state, "outbid")?;
    }
    let new = NewBid {
        provider: info.sender.clone(),
        units,
        price: Price::Open(rate),
        deposit,
        placed_at: env.block.time,
    };
    bids::place(deps.storage, &mut out, &mut account, new)?;
    account.save(deps.storage)?;
    Ok(out.into_response())
}

/// Exactly the schedule's deposit, or nothing where it asks for none.
pub(super) fn bid_deposit(
    deps: &DepsMut,
    info: &MessageInfo,
    account: &Account,
) -> Result<Uint128, ContractError> {
    let schedule = escrow::schedule(deps.storage, account)?;
    let expected = schedule.bid_deposit;
    if expected.is_zero() {
        funds::none(info)?;
        return Ok(expected);
    }
    let got = funds::one(info, &schedule.denom)?;
    if got != expected {
        return Err(ContractError::WrongBidDeposit {
            expected,
            got,
            denom: schedule.denom,
        });
    }
    Ok(got)
}
