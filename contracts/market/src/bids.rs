//! The book of an order: its live bids, best first, and their deposits.

use crate::{
    account::Account,
    error::ContractError,
    fees,
    outbox::Outbox,
    state::{
        BIDS, BIDS_BY_ORDER, BIDS_BY_PROVIDER, BOOK, Bid, CONFIG, LAST_BID, LIVE_BID, SEALED,
        next_id,
    },
};
use cosmwasm_std::{
    Addr, Binary, Empty, Event, HexBinary, Order, StdResult, Storage, Timestamp, Uint128,
};
use ember_types::{
    error::ValidationError,
    events::{self, key},
    ids::{BidId, OrderId},
    lease::BidState,
    money::Rate,
    pricing::{Award, Offer},
};

/// # Errors
/// When there is no such bid.
pub fn load(storage: &dyn Storage, id: BidId) -> Result<Bid, ContractError> {
    BIDS.may_load(storage, id.0)?
        .ok_or(ContractError::NoBid(id))
}

/// The bid of this id, which is in the state `expected`.
///
/// # Errors
/// When there is none or it is in another.
pub fn load_in(storage: &dyn Storage, id: BidId, expected: BidState) -> Result<Bid, ContractError> {
    let bid = load(storage, id)?;
    if bid.state == expected {
        return Ok(bid);
    }
    Err(ContractError::BidState {
        bid_id: id,
        expected,
        got: bid.state,
    })
}

/// The live bid of this id, open or sealed.
///
/// # Errors
/// When there is none or it is over.
pub fn load_live(storage: &dyn Storage, id: BidId) -> Result<Bid, ContractError> {
    let bid = load(storage, id)?;
    match bid.state {
        BidState::Sealed => Ok(bid),
        _ => load_in(storage, id, BidState::Open),
    }
}

/// What a live bid asks for each unit.
pub enum Price {
    /// A rate, seen by all.
    Open(Rate),
    /// A hash of one.
    Sealed(Binary),
}

/// The units of a bid that names `units` or, with `None`, offers all that the order wants.
///
/// # Errors
/// When the order does not take that many, or no parts.
pub fn units(account: &Account, units: Option<u32>) -> Result<u32, ContractError> {
    let (order, wanted) = (&account.order, account.order.resources.units);
    match units {
        None => Ok(wanted),
        Some(n) if n == wanted || (order.pricing.takes_parts() && n > 0 && n < wanted) => Ok(n),
        Some(n) => {
            let least = if order.pricing.takes_parts() {
                1
            } else {
                wanted
            };
            let expected = format!("{least} to {wanted}");
            Err(ValidationError::range("units", expected, n).into())
        }
    }
}

/// A bid that comes with a message.
pub struct NewBid {
    /// Who bids.
    pub provider: Addr,
    /// Units offered.
    pub units: u32,
    /// What each costs.
    pub price: Price,
    /// What its provider has bonded.
    pub weight: Uint128,
    /// The score that it promises.
    pub score: Option<u64>,
    /// What came with the message.
    pub deposit: Uint128,
    /// Block time.
    pub placed_at: Timestamp,
}

/// Puts a live bid into the book, or among the sealed ones.
///
/// # Errors
/// When a total leaves its range.
pub fn place(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    new: NewBid,
) -> Result<BidId, ContractError> {
    let order_id = account.id;
    let id = BidId(next_id(storage, &LAST_BID)?);
    let (name, rate, state, commitment) = match new.price {
        Price::Open(rate) => (events::BID_PLACED, rate, BidState::Open, None),
        Price::Sealed(hash) => (
            events::BID_COMMITTED,
            Rate::new(0),
            BidState::Sealed,
            Some(hash),
        ),
    };
    let event = Event::new(name)
        .add_attribute(key::ORDER_ID, order_id.to_string())
        .add_attribute(key::BID_ID, id.to_string())
        .add_attribute(key::PROVIDER, &new.provider)
        .add_attribute(key::UNITS, new.units.to_string())
        .add_attribute(key::WEIGHT, new.weight);
    let event = match &commitment {
        None => {
            BOOK.save(storage, (order_id.0, rate.0.u128(), id.0), &Empty {})?;
            let event = event.add_attribute(key::RATE, rate.to_string());
            match new.score {
                Some(score) => event.add_attribute(key::SCORE, score.to_string()),
                None => event,
            }
        }
        Some(hash) => {
            SEALED.save(storage, (order_id.0, id.0), &Empty {})?;
            event.add_attribute(key::COMMITMENT, hex(hash))
        }
    };
    let deposit = new.deposit;
    let bid = Bid {
        order_id,
        provider: new.provider,
        units: Some(new.units),
        rate,
        commitment,
        weight: new.weight,
        score: new.score,
        state,
        deposit,
        placed_at: new.placed_at,
    };
    add(storage, id, &bid)?;
    LIVE_BID.save(storage, (order_id.0, &bid.provider), &id.0)?;
    account.order.open_bids = account.order.open_bids.saturating_add(1);
    let denom = account.order.ceiling.denom.as_str();
    fees::ledger(storage, denom, |l| {
        l.bid_deposits = l.bid_deposits.checked_add(deposit)?;
        Ok(())
    })?;
    out.emit(
        event
            .add_attribute(key::DENOM, denom)
            .add_attribute(key::AMOUNT, deposit),
    );
    Ok(id)
}

/// Opens a sealed bid: it enters the book with its rate, and keeps its deposit.
///
/// # Errors
/// When it is not sealed.
pub fn reveal(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    id: BidId,
    rate: Rate,
    salt: &[u8],
) -> Result<(), ContractError> {
    let mut bid = load_in(storage, id, BidState::Sealed)?;
    let order_id = bid.order_id;
    SEALED.remove(storage, (order_id.0, id.0));
    BOOK.save(storage, (order_id.0, rate.0.u128(), id.0), &Empty {})?;
    (bid.state, bid.rate) = (BidState::Open, rate);
    out.emit(
        Event::new(events::BID_REVEALED)
            .add_attribute(key::ORDER_ID, order_id.to_string())
            .add_attribute(key::BID_ID, id.to_string())
            .add_attribute(key::PROVIDER, &bid.provider)
            .add_attribute(key::RATE, rate.to_string())
            .add_attribute(key::SALT, hex(salt)),
    );
    Ok(BIDS.save(storage, id.0, &bid)?)
}

/// Stores a new bid, for lists too.
fn add(storage: &mut dyn Storage, id: BidId, bid: &Bid) -> Result<(), ContractError> {
    BIDS.save(storage, id.0, bid)?;
    BIDS_BY_ORDER.save(storage, (bid.order_id.0, id.0), &Empty {})?;
    Ok(BIDS_BY_PROVIDER.save(storage, (&bid.provider, id.0), &Empty {})?)
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    HexBinary::from(bytes).to_hex()
}

/// The bid that a crossed ask became: won at once, without a deposit, never in the book.
///
/// # Errors
/// When the storage is broken.
pub fn from_ask(
    storage: &mut dyn Storage,
    order_id: OrderId,
    provider: &Addr,
    units: u32,
    rate: Rate,
    now: Timestamp,
) -> Result<BidId, ContractError> {
    let id = BidId(next_id(storage, &LAST_BID)?);
    let bid = Bid {
        order_id,
        provider: provider.clone(),
        units: Some(units),
        rate,
        commitment: None,
        weight: Uint128::zero(),
        score: None,
        state: BidState::Won,
        deposit: Uint128::zero(),
        placed_at: now,
    };
    add(storage, id, &bid)?;
    Ok(id)
}

/// Ends a live bid: it leaves the book and its deposit goes back, or to the fee collector when it is forfeited.
///
/// # Errors
/// When the storage is broken.
pub fn end(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    id: BidId,
    state: BidState,
    reason: &str,
) -> Result<(), ContractError> {
    let mut bid = load_live(storage, id)?;
    SEALED.remove(storage, (account.id.0, id.0));
    BOOK.remove(storage, (account.id.0, bid.rate.0.u128(), id.0));
    LIVE_BID.remove(storage, (account.id.0, &bid.provider));
    account.order.open_bids = account.order.open_bids.saturating_sub(1);
    let denom = account.order.ceiling.denom.as_str();
    let deposit = std::mem::take(&mut bid.deposit);
    fees::ledger(storage, denom, |l| {
        l.bid_deposits = l.bid_deposits.checked_sub(deposit)?;
        Ok(())
    })?;
    if state == BidState::Forfeited {
        out.send(&CONFIG.load(storage)?.fee_collector, deposit, denom);
    } else {
        out.send(&bid.provider, deposit, denom);
    }
    out.emit(
        Event::new(events::BID_ENDED)
            .add_attribute(key::ORDER_ID, account.id.to_string())
            .add_attribute(key::BID_ID, id.to_string())
            .add_attribute(key::PROVIDER, &bid.provider)
            .add_attribute(key::REASON, reason)
            .add_attribute(key::DENOM, denom)
            .add_attribute(key::AMOUNT, deposit),
    );
    bid.state = state;
    Ok(BIDS.save(storage, id.0, &bid)?)
}

/// Ends every live bid of the order: `winners` have won, the others lost.
///
/// # Errors
/// When the storage is broken.
pub fn end_all(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    winners: &[Award],
) -> Result<(), ContractError> {
    for offer in offers(storage, account)? {
        let (state, reason) = if winners.iter().any(|w| w.id == offer.id) {
            (BidState::Won, "won")
        } else if winners.is_empty() {
            (BidState::Lost, "order_closed")
        } else {
            (BidState::Lost, "lost")
        };
        end(storage, out, account, offer.id, state, reason)?;
    }
    end_sealed(storage, out, account, BidState::Lost, "order_closed")
}

/// Ends every sealed bid of the order; as many as the configuration allows at most.
///
/// # Errors
/// When the storage is broken.
pub fn end_sealed(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    state: BidState,
    reason: &str,
) -> Result<(), ContractError> {
    let ids = SEALED
        .prefix(account.id.0)
        .keys(storage, None, None, Order::Ascending)
        .collect::<StdResult<Vec<_>>>()?;
    for id in ids {
        end(storage, out, account, BidId(id), state, reason)?;
    }
    Ok(())
}

/// Every live bid of the order, best first; as many as the configuration allows at most.
///
/// # Errors
/// When the storage is broken.
pub fn offers(storage: &dyn Storage, account: &Account) -> Result<Vec<Offer>, ContractError> {
    BOOK.sub_prefix(account.id.0)
        .keys(storage, None, None, Order::Ascending)
        .map(|key| {
            let (_, id) = key?;
            offer(storage, account, BidId(id))
        })
        .collect()
}

/// One live bid of the order.
///
/// # Errors
/// When there is none of this id.
pub fn offer(storage: &dyn Storage, account: &Account, id: BidId) -> Result<Offer, ContractError> {
    let bid = load_in(storage, id, BidState::Open)?;
    Ok(Offer {
        id,
        rate: bid.rate,
        units: bid.units.unwrap_or(account.order.resources.units),
        weight: bid.weight,
        score: bid.score,
    })
}

/// The worst live bid of the order: the dearest, the newest among equals.
///
/// # Errors
/// When the storage is broken.
pub fn worst(
    storage: &dyn Storage,
    order_id: OrderId,
) -> Result<Option<(Rate, BidId)>, ContractError> {
    let last = BOOK
        .sub_prefix(order_id.0)
        .keys(storage, None, None, Order::Descending)
        .next()
        .transpose()?;
    Ok(last.map(|(rate, id)| (Rate::new(rate), BidId(id))))
}
