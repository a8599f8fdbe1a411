//! From offers to a lease: the pricing mode names the winner, the registry says whether it can still serve.

use crate::{
    account::Account,
    asks, bids,
    error::{ContractError, Ineligible},
    escrow, lifecycle,
    lifecycle::Winner,
    outbox::Outbox,
    providers,
    state::{ASK_BOOK, CONFIG},
};
use cosmwasm_std::{Env, Order, QuerierWrapper, Storage, Uint128};
use ember_types::{
    ids::{AskId, BidId, LeaseId},
    lease::BidState,
    money::Rate,
    pricing::{Offer, PricingMode},
};

/// Most asks of the book that one order looks at.
pub const MAX_ASKS_SEEN: usize = 200;
/// Most asks whose provider one order asks the registry about.
pub const MAX_ASKS_TRIED: usize = 50;

/// The mode's winner among those offers that `can_serve`, which answers the bond of their provider. Drops the others.
fn pick(
    pricing: &PricingMode,
    units: u32,
    offers: &mut Vec<Offer>,
    mut can_serve: impl FnMut(BidId) -> Result<Option<Uint128>, ContractError>,
) -> Result<Option<(BidId, Uint128)>, ContractError> {
    while let Some(id) = pricing.winner(units, offers) {
        if let Some(bonded) = can_serve(id)? {
            return Ok(Some((id, bonded)));
        }
        offers.retain(|o| o.id != id);
    }
    Ok(None)
}

/// The end of an auction: its winner gets the lease; with none the order closes and everything goes back.
///
/// # Errors
/// When the storage is broken.
pub fn close_auction(
    storage: &mut dyn Storage,
    querier: QuerierWrapper,
    out: &mut Outbox,
    account: &mut Account,
    now: u64,
) -> Result<(), ContractError> {
    let config = CONFIG.load(storage)?;
    bids::end_sealed(storage, out, account, BidState::Forfeited, "unrevealed")?;
    let mut offers = bids::offers(storage, account)?;
    let order = &account.order;
    let can_serve = |id| {
        let bid = bids::load(storage, id)?;
        Ok(providers::can_serve(querier, &config, &bid.provider, &order.resources).ok())
    };
    let units = order.resources.units;
    let won = pick(&order.pricing, units, &mut offers, can_serve)?;
    // Only who can serve sets the price of somebody else.
    let runner_up = match won {
        Some((id, _)) if order.pricing.asks_runner_up() => {
            offers.retain(|o| o.id != id);
            let next = pick(&order.pricing, units, &mut offers, can_serve)?;
            next.map(|(id, _)| bids::load(storage, id)).transpose()?
        }
        _ => None,
    };
    match won {
        Some((id, bonded)) => {
            let next = runner_up.map(|b| b.rate);
            award(storage, out, account, id, (bonded, next), now)?;
        }
        None => expire(storage, out, account)?,
    }
    Ok(())
}

/// Nobody serves the order: everything goes back.
fn expire(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
) -> Result<(), ContractError> {
    bids::end_all(storage, out, account, None)?;
    escrow::refund(storage, out, account)?;
    lifecycle::close_order(out, account, "expired");
    Ok(())
}

/// An order that opened again crosses, or expires.
///
/// # Errors
/// When the storage is broken.
pub fn cross_again(
    storage: &mut dyn Storage,
    querier: QuerierWrapper,
    out: &mut Outbox,
    account: &mut Account,
    env: &Env,
) -> Result<(), ContractError> {
    match cross(storage, querier, out, account, env) {
        Err(ContractError::NothingAdmits { .. }) => expire(storage, out, account),
        crossed => crossed.map(drop),
    }
}

/// Gives the order to an open bid, whose provider has `bonded`; `runner_up` is the rate of who would have won without it.
///
/// # Errors
/// When the bid is not live.
pub fn award(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    id: BidId,
    (bonded, runner_up): (Uint128, Option<Rate>),
    now: u64,
) -> Result<LeaseId, ContractError> {
    let bid = bids::load_in(storage, id, BidState::Open)?;
    bids::end_all(storage, out, account, Some(id))?;
    let order = &account.order;
    let winner = Winner {
        provider: bid.provider,
        rate: order.pricing.price(bid.rate, runner_up, order.ceiling.rate),
        bid: id,
        ask: None,
        bonded,
    };
    lifecycle::open_lease(storage, out, account, &winner, now)
}

/// Crosses a new order with the standing asks.
///
/// # Errors
/// When none of those looked at admits it.
pub fn cross(
    storage: &mut dyn Storage,
    querier: QuerierWrapper,
    out: &mut Outbox,
    account: &mut Account,
    env: &Env,
) -> Result<LeaseId, ContractError> {
    let config = CONFIG.load(storage)?;
    let order = &account.order;
    let (wanted, units) = (&order.resources.gpu, order.resources.units);
    let mut looked_at = 0;
    let mut offers = Vec::new();
    for key in ASK_BOOK
        .sub_prefix(&order.ceiling.denom)
        .keys(storage, None, None, Order::Ascending)
        .take(MAX_ASKS_SEEN)
    {
        let (rate, id) = key?;
        if rate > order.ceiling.rate.0.u128() || offers.len() >= MAX_ASKS_TRIED {
            break;
        }
        looked_at += 1;
        let ask = asks::load(storage, AskId(id))?;
        if wanted.matches(&ask.device)
            && ask.units >= units
            && ask.assurance.serves(order.resources.assurance)
        {
            // An offer's id only ranks it; an ask has no bid yet.
            offers.push(Offer {
                id: BidId(id),
                rate: ask.rate,
                units: ask.units,
            });
        }
    }
    let won = pick(&order.pricing, units, &mut offers, |BidId(id)| {
        let ask = asks::load(storage, AskId(id))?;
        if account.was_left_by(storage, &ask.provider)? {
            return Ok(None);
        }
        let can: Result<_, Ineligible> = providers::can_sell(
            querier,
            &config,
            &ask.provider,
            &ask.device,
            units,
            Some(&order.resources),
        );
        Ok(can.ok())
    })?;
    let Some((BidId(id), bonded)) = won else {
        return Err(ContractError::NothingAdmits {
            denom: order.ceiling.denom.clone(),
            ceiling: order.ceiling.rate,
            looked_at,
        });
    };
    let ask_id = AskId(id);
    let ask = asks::take(storage, out, ask_id, units)?;
    let bid = bids::from_ask(storage, account.id, &ask.provider, ask.rate, env.block.time)?;
    let winner = Winner {
        provider: ask.provider,
        rate: ask.rate,
        bid,
        ask: Some(ask_id),
        bonded,
    };
    lifecycle::open_lease(storage, out, account, &winner, env.block.time.seconds())
}
