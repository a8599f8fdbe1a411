//! From offers to a lease: the pricing mode names the winner, the registry says whether it can still serve.

use crate::{
    account::Account,
    asks, bids,
    error::{ContractError, Ineligible},
    escrow, lifecycle,
    lifecycle::Winner,
    outbox::Outbox,
    providers,
    state::{self, ASK_BOOK, CONFIG, Lease},
};
use cosmwasm_std::{Env, Event, Order, QuerierWrapper, Storage, Uint128};
use ember_types::{
    events::{self, key},
    ids::{AskId, BidId, LeaseId},
    lease::{BidState, LeaseState},
    pricing::{Award, Fill, MAX_PARTS, Offer, PricingMode, Wanted, stake_weighted::Draw},
};

/// Most asks of the book that one order looks at.
pub const MAX_ASKS_SEEN: usize = 200;
/// Most asks whose provider one order asks the registry about.
pub const MAX_ASKS_TRIED: usize = 50;

/// A winner, and what its provider has bonded.
type Won = (Award, Uint128);
/// Who was asked already and can serve: offer, units, bond.
type Able = Vec<(BidId, u32, Uint128)>;

/// The winners among those offers that `can_serve` so many units, which answers the bond of their provider. Who does not
/// serve is passed over, as winner and as maker of somebody else's price.
fn winners(
    out: &mut Outbox,
    pricing: &PricingMode,
    wanted: &Wanted,
    offers: &mut Vec<Offer>,
    able: &mut Able,
    mut can_serve: impl FnMut(BidId, u32) -> Result<Option<Uint128>, ContractError>,
) -> Result<(Vec<Won>, Option<Draw>), ContractError> {
    'again: loop {
        let Fill {
            awards,
            priced_by,
            draw,
        } = pricing.fill(wanted, offers);
        let price = priced_by.map(|id| (id, 1));
        for (id, units) in awards.iter().map(|a| (a.id, a.units)).chain(price) {
            if able.iter().any(|(own, n, _)| *own == id && *n >= units) {
                continue;
            }
            out.ask();
            match can_serve(id, units)? {
                Some(bonded) => able.push((id, units, bonded)),
                None => {
                    offers.retain(|o| o.id != id);
                    continue 'again;
                }
            }
        }
        let bond = |id| able.iter().find(|(own, ..)| *own == id).map(|(.., b)| *b);
        let won = awards.into_iter().map(|a| {
            let bonded = bond(a.id).unwrap_or_default();
            (a, bonded)
        });
        return Ok((won.collect(), draw));
    }
}

fn wanted(order: &state::Order, units: u32) -> Wanted {
    Wanted {
        units,
        ceiling: order.ceiling.rate,
        seed: order.draws_with(),
    }
}

/// The end of an auction: its winners get the leases; with none the order closes and everything goes back.
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
    let wanted = wanted(order, order.resources.units);
    let can_serve = |id, units| -> Result<_, ContractError> {
        let bid = bids::load(storage, id)?;
        let part = order.part(units, bid.score);
        Ok(providers::can_serve(querier, &config, &bid.provider, part).ok())
    };
    let mut able = Able::new();
    let (won, draw) = winners(
        out,
        &order.pricing,
        &wanted,
        &mut offers,
        &mut able,
        can_serve,
    )?;
    let Some((first, _)) = won.first() else {
        return expire(storage, out, account);
    };
    if let Some(draw) = draw {
        out.emit(drawn(account, &wanted, &draw, first.id));
    }
    award(storage, out, account, &won, now)
}

/// All that it takes to draw the lot again, beside what the bids' own events say.
fn drawn(account: &Account, wanted: &Wanted, draw: &Draw, won: BidId) -> Event {
    let among: Vec<_> = draw.among.iter().map(ToString::to_string).collect();
    Event::new(events::DRAW)
        .add_attribute(key::ORDER_ID, account.id.to_string())
        .add_attribute(key::BID_ID, won.to_string())
        .add_attribute(key::SEED, bids::hex(&wanted.seed))
        .add_attribute(key::AMONG, among.join(","))
        .add_attribute(key::TOTAL, draw.total)
        .add_attribute(key::TICKET, draw.ticket)
}

/// Gives the order to one open bid, as its tenant wants.
///
/// # Errors
/// When the bid is not live, or its provider cannot serve the order any more.
pub fn accept(
    storage: &mut dyn Storage,
    querier: QuerierWrapper,
    out: &mut Outbox,
    account: &mut Account,
    id: BidId,
    now: u64,
) -> Result<(), ContractError> {
    let config = CONFIG.load(storage)?;
    let bid = bids::load(storage, id)?;
    let offer = bids::offer(storage, account, id)?;
    let order = &account.order;
    let (units, provider) = (order.resources.units, &bid.provider);
    let bonded = providers::can_serve(querier, &config, provider, order.part(units, bid.score))
        .map_err(|reason| providers::refuse(provider, reason))?;
    let fill = order.pricing.fill(&wanted(order, units), &[offer]);
    let won: Vec<_> = fill.awards.into_iter().map(|a| (a, bonded)).collect();
    award(storage, out, account, &won, now)
}

/// Nobody serves the order: everything goes back.
fn expire(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
) -> Result<(), ContractError> {
    bids::end_all(storage, out, account, &[])?;
    escrow::refund(storage, out, account)?;
    lifecycle::close_order(out, account, "expired");
    Ok(())
}

/// Gives the order to open bids, whose providers have bonded so much.
fn award(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    won: &[Won],
    now: u64,
) -> Result<(), ContractError> {
    let awards: Vec<_> = won.iter().map(|(a, _)| a.clone()).collect();
    bids::end_all(storage, out, account, &awards)?;
    for (award, bonded) in won {
        let bid = bids::load(storage, award.id)?;
        let winner = Winner {
            provider: bid.provider,
            score: bid.score.map(|promised| (bid.rate, promised)),
            units: award.units,
            rate: award.rate,
            bid: award.id,
            ask: None,
            bonded: *bonded,
        };
        lifecycle::open_lease(storage, out, account, &winner, now)?;
    }
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
    let units = account.order.resources.units;
    match cross(storage, querier, out, account, units, env) {
        Err(ContractError::NothingAdmits { .. }) => expire(storage, out, account),
        crossed => crossed,
    }
}

/// An order that lost units while others run crosses for as many, and goes on without those it cannot get.
///
/// # Errors
/// When the storage is broken.
pub fn cross_missing(
    storage: &mut dyn Storage,
    querier: QuerierWrapper,
    out: &mut Outbox,
    account: &mut Account,
    env: &Env,
) -> Result<(), ContractError> {
    let units = std::mem::take(&mut account.order.missing);
    let active = |(_, l): &(LeaseId, Lease)| l.state == LeaseState::Active;
    if units == 0 || account.leases.len() >= MAX_PARTS || !account.running().all(active) {
        return Ok(());
    }
    // What the others have earned is not there for a session fee.
    escrow::book(storage, out, account, env.block.time.seconds())?;
    match cross(storage, querier, out, account, units, env) {
        Err(ContractError::NothingAdmits { .. }) => Ok(()),
        crossed => crossed,
    }
}

/// Crosses `units` of an order with the standing asks.
///
/// # Errors
/// When none of those looked at admits it.
pub fn cross(
    storage: &mut dyn Storage,
    querier: QuerierWrapper,
    out: &mut Outbox,
    account: &mut Account,
    units: u32,
    env: &Env,
) -> Result<(), ContractError> {
    let config = CONFIG.load(storage)?;
    let order = &account.order;
    let spec = &order.resources.gpu;
    let least = if order.pricing.takes_parts() {
        1
    } else {
        units
    };
    let wanted = wanted(order, units);
    let can_sell = |BidId(id), units| -> Result<_, ContractError> {
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
    };
    let book = ASK_BOOK.sub_prefix(&order.ceiling.denom);
    let mut book = book
        .keys(storage, None, None, Order::Ascending)
        .take(MAX_ASKS_SEEN);
    let (mut looked_at, mut tried) = (0, 0);
    let (mut offers, mut able) = (Vec::<Offer>::new(), Able::new());
    let won = loop {
        // The book has the cheapest first, so what is further back wins only where these do not serve.
        let there: u64 = offers.iter().map(|o| u64::from(o.units)).sum();
        let mut short = u64::from(units).saturating_sub(there);
        while short > 0 {
            let Some(key) = book.next() else {
                break;
            };
            let (rate, id) = key?;
            if rate > order.ceiling.rate.0.u128() || tried >= MAX_ASKS_TRIED {
                break;
            }
            looked_at += 1;
            let ask = asks::load(storage, AskId(id))?;
            if spec.matches(&ask.device)
                && ask.units >= least
                && ask.assurance.serves(order.resources.assurance)
            {
                tried += 1;
                short = short.saturating_sub(u64::from(ask.units));
                // An offer's id only ranks it; an ask has no bid yet.
                offers.push(Offer {
                    id: BidId(id),
                    rate: ask.rate,
                    units: ask.units,
                    weight: Uint128::zero(),
                    score: None,
                });
            }
        }
        let asked = offers.len();
        let (won, _) = winners(
            out,
            &order.pricing,
            &wanted,
            &mut offers,
            &mut able,
            can_sell,
        )?;
        // Short: the book is at its end. As many as before: nobody was passed over.
        if short > 0 || offers.len() == asked {
            break won;
        }
    };
    drop(book);
    if won.is_empty() {
        return Err(ContractError::NothingAdmits {
            denom: order.ceiling.denom.clone(),
            ceiling: order.ceiling.rate,
            looked_at,
        });
    }
    for (award, bonded) in won {
        let ask_id = AskId(award.id.0);
        let ask = asks::take(storage, out, ask_id, award.units)?;
        let (order_id, now) = (account.id, env.block.time);
        let bid = bids::from_ask(storage, order_id, &ask.provider, award.units, ask.rate, now)?;
        let winner = Winner {
            provider: ask.provider,
            score: None,
            units: award.units,
            rate: award.rate,
            bid,
            ask: Some(ask_id),
            bonded,
        };
        lifecycle::open_lease(storage, out, account, &winner, now.seconds())?;
    }
    Ok(())
}
