//! The steps of an order and its lease.

use crate::{
    account::Account,
    asks,
    error::ContractError,
    escrow,
    outbox::Outbox,
    providers,
    state::{CONFIG, LAST_LEASE, LEASES, Lease, next_id},
};
use cosmwasm_std::{Addr, Event, Storage, Uint128};
use ember_types::{
    events::{self, key},
    ids::{AskId, BidId, LeaseId},
    lease::{CloseReason, LeaseState, OrderState},
    money::Rate,
    standing::LeaseReport,
};

/// How often one order opens again at most; its leases are listed in it.
pub const MAX_RELISTS: usize = 16;

/// Who won an order, and how.
#[derive(Debug, Clone)]
pub struct Winner {
    /// Who serves.
    pub provider: Addr,
    /// Per unit.
    pub rate: Rate,
    /// The bid that won.
    pub bid: BidId,
    /// The ask that the bid was, in `market` mode.
    pub ask: Option<AskId>,
    /// Its provider's bond now, for the rebate.
    pub bonded: Uint128,
}

/// Opens the lease of an open order.
///
/// # Errors
/// When the storage is broken.
pub fn open_lease(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    winner: &Winner,
    now: u64,
) -> Result<LeaseId, ContractError> {
    account.expect(OrderState::Open)?;
    let fees = escrow::schedule(storage, account)?;
    let (take_bps, tiers) = fees.for_bond(winner.bonded);
    let id = LeaseId(next_id(storage, &LAST_LEASE)?);
    let order = &mut account.order;
    let lease = Lease {
        order_id: account.id,
        tenant: order.tenant.clone(),
        provider: winner.provider.clone(),
        resources: order.resources.clone(),
        denom: order.ceiling.denom.clone(),
        rate: winner.rate,
        take_bps,
        tiers,
        ask: winner.ask,
        state: LeaseState::Active,
        opened_at: now,
        ends_at: now.saturating_add(order.max_duration_secs),
        settled_at: now,
        suspended_at: None,
        leaves_at: None,
        closed_at: None,
        close_reason: None,
        active_secs: 0,
        active_since: now,
        gross: Uint128::zero(),
        fee: Uint128::zero(),
    };
    order.fees = fees;
    order.state = OrderState::Leased;
    order.lease_id = Some(id);
    let mut event = lease_event(events::LEASE_OPENED, id, &lease)
        .add_attribute(key::BID_ID, winner.bid.to_string())
        .add_attribute(key::DENOM, &lease.denom)
        .add_attribute(key::RATE, lease.rate.to_string())
        .add_attribute(key::UNITS, lease.resources.units.to_string())
        .add_attribute(key::MODE, order.pricing.name());
    if let Some(ask) = winner.ask {
        event = event.add_attribute(key::ASK_ID, ask.to_string());
    }
    out.emit(event);
    let report = LeaseReport::Opened {
        units: lease.resources.units,
        model: lease.resources.gpu.model.clone(),
    };
    let config = CONFIG.load(storage)?;
    out.report(providers::report(&config, id, &lease.provider, report)?);
    account.lease = Some(lease);
    escrow::session_fee(storage, out, account)?;
    Ok(id)
}

/// Takes every step of the lease that time alone has brought, each at its own second, however late the block is:
/// funds run dry, the grace window passes, the term ends. Does nothing to an order that is not leased.
///
/// # Errors
/// When the storage is broken.
pub fn catch_up(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    now: u64,
) -> Result<(), ContractError> {
    let grace_secs = CONFIG.load(storage)?.grace_secs;
    while account.order.state == OrderState::Leased {
        let (_, lease, escrow) = account.running()?;
        let exhausted_at = lease.exhausted_at(escrow);
        let grace_over_at = lease.grace_over_at(grace_secs);
        let ends_at = lease.ends_at;
        // Exhaustion lies before the end of term or is none; grace may end after it.
        match (exhausted_at, grace_over_at) {
            (Some(at), _) if at <= now => suspend(storage, out, account, at)?,
            (_, Some(at)) if at <= now && at < ends_at => {
                close(storage, out, account, at, CloseReason::Exhausted)?;
            }
            _ if ends_at <= now => close(storage, out, account, ends_at, CloseReason::EndOfTerm)?,
            _ => break,
        }
    }
    Ok(())
}

/// The escrow ran dry at `at`.
fn suspend(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    at: u64,
) -> Result<(), ContractError> {
    escrow::book(storage, out, account, at)?;
    let (id, lease, escrow) = account.running()?;
    lease.active_secs = lease
        .active_at(at)
        .min(lease.covered(escrow).unwrap_or(u64::MAX));
    step(id, lease, LeaseState::Suspended)?;
    lease.suspended_at = Some(at);
    out.emit(lease_event(events::LEASE_SUSPENDED, id, lease));
    Ok(())
}

/// Revives a suspended lease when its escrow pays for at least a second again.
///
/// # Errors
/// When the order is not leased.
pub fn revive(out: &mut Outbox, account: &mut Account, now: u64) -> Result<(), ContractError> {
    let (id, lease, escrow) = account.running()?;
    let pays = lease.covered(escrow).is_none_or(|s| s > lease.active_secs);
    if lease.state != LeaseState::Suspended || !pays {
        return Ok(());
    }
    step(id, lease, LeaseState::Active)?;
    lease.suspended_at = None;
    lease.active_since = now;
    lease.settled_at = now;
    out.emit(lease_event(events::LEASE_REVIVED, id, lease));
    Ok(())
}

/// Ends the lease as of `at`: the provider is paid, fees go out, units return to the ask. The rest is refunded, or the
/// order opens again where its provider left and its terms say so.
///
/// # Errors
/// When the order is not leased.
pub fn close(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    at: u64,
    reason: CloseReason,
) -> Result<(), ContractError> {
    escrow::book(storage, out, account, at)?;
    escrow::pay(storage, out, account)?;
    let relist = reason.is_providers() && may_relist(account, at)?;
    if !relist {
        escrow::refund(storage, out, account)?;
    }
    let (id, lease, _) = account.running()?;
    lease.active_secs = lease.active_at(at);
    step(id, lease, LeaseState::Closed)?;
    lease.suspended_at = None;
    lease.closed_at = Some(at);
    lease.close_reason = Some(reason);
    out.emit(
        lease_event(events::LEASE_CLOSED, id, lease).add_attribute(key::REASON, reason.name()),
    );
    let report = LeaseReport::Ended {
        reason,
        paid_secs: lease.active_secs,
    };
    let config = CONFIG.load(storage)?;
    out.report(providers::report(&config, id, &lease.provider, report)?);
    let (ask, units) = (lease.ask, lease.resources.units);
    if let Some(ask) = ask {
        asks::give_back(storage, out, ask, units)?;
    }
    if relist {
        open_again(storage, out, account, at)
    } else {
        close_order(out, account, reason.name());
        Ok(())
    }
}

/// Whether the order wants another provider for the rest of its term and has money left for one.
fn may_relist(account: &mut Account, at: u64) -> Result<bool, ContractError> {
    let wants = account.order.terms.relist && account.order.past_leases.len() < MAX_RELISTS;
    let (_, lease, escrow) = account.running()?;
    Ok(wants && at < lease.ends_at && !escrow.free()?.is_zero())
}

/// The order of a lease that has just closed waits for a match again, with what its escrow has left, for what is left
/// of its term.
fn open_again(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    now: u64,
) -> Result<(), ContractError> {
    let order = &mut account.order;
    if let (Some(id), Some(lease)) = (order.lease_id.take(), account.lease.take()) {
        order.max_duration_secs = lease.ends_at.saturating_sub(now);
        order.past_leases.push(id);
        LEASES.save(storage, id.0, &lease)?;
    }
    let opened = order.relisted_at.unwrap_or(order.created_at.seconds());
    order.pricing = order.pricing.again(opened, now);
    order.relisted_at = Some(now);
    order.state = OrderState::Open;
    out.emit(
        Event::new(events::ORDER_RELISTED)
            .add_attribute(key::ORDER_ID, account.id.to_string())
            .add_attribute(key::TENANT, &account.order.tenant)
            .add_attribute(key::MODE, account.order.pricing.name()),
    );
    Ok(())
}

/// Marks the order closed; its money has left already.
pub fn close_order(out: &mut Outbox, account: &mut Account, reason: &str) {
    account.order.state = OrderState::Closed;
    out.emit(
        Event::new(events::ORDER_CLOSED)
            .add_attribute(key::ORDER_ID, account.id.to_string())
            .add_attribute(key::TENANT, &account.order.tenant)
            .add_attribute(key::REASON, reason),
    );
}

fn step(id: LeaseId, lease: &mut Lease, to: LeaseState) -> Result<(), ContractError> {
    if !lease.state.may_become(to) {
        return Err(ContractError::IllegalStep {
            lease_id: id,
            from: lease.state,
            to,
        });
    }
    lease.state = to;
    Ok(())
}

pub(crate) fn lease_event(name: &str, id: LeaseId, lease: &Lease) -> Event {
    Event::new(name)
        .add_attribute(key::LEASE_ID, id.to_string())
        .add_attribute(key::ORDER_ID, lease.order_id.to_string())
        .add_attribute(key::TENANT, &lease.tenant)
        .add_attribute(key::PROVIDER, &lease.provider)
}
