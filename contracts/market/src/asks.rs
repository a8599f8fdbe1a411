//! Standing asks, and the book of those with units for sale.

use crate::{
    error::ContractError,
    outbox::Outbox,
    state::{ASK_BOOK, ASKS, ASKS_BY_PROVIDER, Ask, LAST_ASK, next_id},
};
use cosmwasm_std::{Empty, Event, Storage};
use ember_types::{
    error::ValidationError,
    events::{self, key},
    ids::AskId,
};

/// # Errors
/// When there is no such ask.
pub fn load(storage: &dyn Storage, id: AskId) -> Result<Ask, ContractError> {
    ASKS.may_load(storage, id.0)?
        .ok_or(ContractError::NoAsk(id))
}

/// Posts an ask.
///
/// # Errors
/// When the storage is broken.
pub fn place(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    ask: &Ask,
) -> Result<AskId, ContractError> {
    let id = AskId(next_id(storage, &LAST_ASK)?);
    ASKS.save(storage, id.0, ask)?;
    ASKS_BY_PROVIDER.save(storage, (&ask.provider, id.0), &Empty {})?;
    enter_book(storage, out, id, ask, "posted")?;
    Ok(id)
}

/// Takes an ask away for good. Leases that crossed it go on, and their units do not come back.
///
/// # Errors
/// When there is no such ask.
pub fn withdraw(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    id: AskId,
) -> Result<(), ContractError> {
    let ask = load(storage, id)?;
    leave_book(storage, out, id, &ask, "withdrawn");
    ASKS_BY_PROVIDER.remove(storage, (&ask.provider, id.0));
    ASKS.remove(storage, id.0);
    Ok(())
}

/// Takes `units` out of an ask; with none left it leaves the book but still stands.
///
/// # Errors
/// When it has fewer.
pub fn take(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    id: AskId,
    units: u32,
) -> Result<Ask, ContractError> {
    let mut ask = load(storage, id)?;
    ask.units = ask
        .units
        .checked_sub(units)
        .ok_or_else(|| ValidationError::range("units", format!("at most {}", ask.units), units))?;
    ASKS.save(storage, id.0, &ask)?;
    if ask.units == 0 {
        leave_book(storage, out, id, &ask, "used_up");
    }
    Ok(ask)
}

/// Gives `units` back when a lease ends, if the ask still stands.
///
/// # Errors
/// When the storage is broken.
pub fn give_back(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    id: AskId,
    units: u32,
) -> Result<(), ContractError> {
    let Some(mut ask) = ASKS.may_load(storage, id.0)? else {
        return Ok(());
    };
    let was_used_up = ask.units == 0;
    ask.units = ask.units.saturating_add(units);
    ASKS.save(storage, id.0, &ask)?;
    if was_used_up {
        enter_book(storage, out, id, &ask, "units_returned")?;
    }
    Ok(())
}

fn enter_book(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    id: AskId,
    ask: &Ask,
    action: &str,
) -> Result<(), ContractError> {
    ASK_BOOK.save(storage, (&ask.denom, ask.rate.0.u128(), id.0), &Empty {})?;
    out.emit(event(events::ASK_PLACED, id, ask).add_attribute(key::ACTION, action));
    Ok(())
}

fn leave_book(storage: &mut dyn Storage, out: &mut Outbox, id: AskId, ask: &Ask, reason: &str) {
    ASK_BOOK.remove(storage, (&ask.denom, ask.rate.0.u128(), id.0));
    out.emit(event(events::ASK_ENDED, id, ask).add_attribute(key::REASON, reason));
}

fn event(name: &str, id: AskId, ask: &Ask) -> Event {
    Event::new(name)
        .add_attribute(key::ASK_ID, id.to_string())
        .add_attribute(key::PROVIDER, &ask.provider)
        .add_attribute(key::DENOM, &ask.denom)
        .add_attribute(key::RATE, ask.rate.to_string())
        .add_attribute(key::UNITS, ask.units.to_string())
}
