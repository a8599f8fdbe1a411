//! The steps of an order and its leases.

use crate::{
    account::Account,
    accrual::pays_a_second,
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
    market::LeaseScore,
    money::Rate,
    standing::LeaseReport,
};

/// How often one order opens again, or crosses again for units that it lost, at most.
pub const MAX_RELISTS: u8 = 16;

/// Who won an order, and how.
#[derive(Debug, Clone)]
pub struct Winner {
    /// Who serves.
    pub provider: Addr,
    /// Units that it serves.
    pub units: u32,
    /// The rate a point and the score that it promised, where it is paid by performance.
    pub score: Option<(Rate, u64)>,
    /// Per unit.
    pub rate: Rate,
    /// The bid that won.
    pub bid: BidId,
    /// The ask that the bid was, in `market` mode.
    pub ask: Option<AskId>,
    /// Its provider's bond now, for the rebate.
    pub bonded: Uint128,
}

/// Opens a lease: the first of an open order, or one beside those that run, until the same end of term.
///
/// # Errors
/// When the order is closed.
pub fn open_lease(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    winner: &Winner,
    now: u64,
) -> Result<LeaseId, ContractError> {
    if account.order.state == OrderState::Closed {
        account.expect(OrderState::Open)?;
    }
    let fees = escrow::schedule(storage, account)?;
    let (take_bps, tiers) = fees.for_bond(winner.bonded);
    let id = LeaseId(next_id(storage, &LAST_LEASE)?);
    let ends_at = account.running().map(|(_, l)| l.ends_at).next();
    let order = &mut account.order;
    let resources = order.part(winner.units, winner.score.map(|(_, promised)| promised));
    let mode = order.pricing.performance();
    let performance = mode
        .zip(winner.score)
        .map(|(mode, (rate, promised))| LeaseScore {
            rate,
            promised,
            measured: None,
            measure_until: now.saturating_add(mode.measure_secs),
        });
    let lease = Lease {
        order_id: account.id,
        tenant: order.tenant.clone(),
        provider: winner.provider.clone(),
        resources,
        denom: order.ceiling.denom.clone(),
        rate: winner.rate,
        take_bps,
        tiers,
        ask: winner.ask,
        state: LeaseState::Active,
        opened_at: now,
        ends_at: ends_at.unwrap_or_else(|| now.saturating_add(order.max_duration_secs)),
        settled_at: now,
        suspended_at: None,
        leaves_at: None,
        closed_at: None,
        close_reason: None,
        active_secs: 0,
        active_since: now,
        gross: Uint128::zero(),
        fee: Uint128::zero(),
        payable: Uint128::zero(),
        performance,
    };
    order.fees = fees;
    order.state = OrderState::Leased;
    match order.lease_id {
        None => order.lease_id = Some(id),
        Some(_) => order.more_leases.push(id),
    }
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
    account.leases.push((id, lease));
    escrow::session_fee(storage, out, account)?;
    Ok(id)
}

/// Takes every step of the leases that time alone has brought, each at its own second, however late the block is: funds
/// run dry, the grace window passes, the term ends. Does nothing to an order that is not leased.
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
    // The leases of an order are suspended together and have one end of term.
    loop {
        let first = account.running().next();
        let Some((ends_at, grace_over_at)) =
            first.map(|(_, l)| (l.ends_at, l.grace_over_at(grace_secs)))
        else {
            break;
        };
        // Exhaustion lies before the end of term or is none; grace may end after it.
        let (at, reason) = match (account.exhausted_at(), grace_over_at) {
            (Some(at), _) if at <= now => {
                suspend(storage, out, account, at)?;
                continue;
            }
            (_, Some(at)) if at <= now && at < ends_at => (at, CloseReason::Exhausted),
            _ if ends_at <= now => (ends_at, CloseReason::EndOfTerm),
            _ => break,
        };
        let all = account.running_ids().into_iter();
        let ended: Vec<_> = all.map(|id| (id, reason)).collect();
        close(storage, out, account, at, &ended)?;
    }
    Ok(())
}

/// The escrow ran dry at `at`, for all leases at once.
fn suspend(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    at: u64,
) -> Result<(), ContractError> {
    escrow::book(storage, out, account, at)?;
    for id in account.running_ids() {
        let (lease, _) = account.running_lease(id)?;
        lease.active_secs = lease.active_at(at);
        step(id, lease, LeaseState::Suspended)?;
        lease.suspended_at = Some(at);
        out.emit(lease_event(events::LEASE_SUSPENDED, id, lease));
    }
    Ok(())
}

/// Revives suspended leases when the escrow pays all of them for at least a second again.
///
/// # Errors
/// When the storage is broken.
pub fn revive(out: &mut Outbox, account: &mut Account, now: u64) -> Result<(), ContractError> {
    let suspended = |l: &Lease| l.state == LeaseState::Suspended;
    if !account.running().all(|(_, l)| suspended(l))
        || !pays_a_second(account.running().map(|(_, l)| l), &account.escrow)
    {
        return Ok(());
    }
    for id in account.running_ids() {
        let (lease, _) = account.running_lease(id)?;
        step(id, lease, LeaseState::Active)?;
        lease.suspended_at = None;
        lease.active_since = now;
        lease.settled_at = now;
        out.emit(lease_event(events::LEASE_REVIVED, id, lease));
    }
    Ok(())
}

/// Ends one lease before its time, and with it those that end together.
///
/// # Errors
/// When it is over.
pub fn close_one(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    at: u64,
    (id, reason): (LeaseId, CloseReason),
) -> Result<(), ContractError> {
    let mut ended = vec![(id, reason)];
    if account.order.pricing.ends_together() {
        let others = account.running_ids().into_iter().filter(|own| *own != id);
        // A tenant that closes one lease of a cluster closes the cluster.
        let reason = if reason.is_providers() {
            CloseReason::Cluster
        } else {
            reason
        };
        ended.extend(others.map(|id| (id, reason)));
    }
    close(storage, out, account, at, &ended)
}

/// Ends leases as of `at`: their providers are paid, fees go out, units return to the asks. With the last one the rest is
/// refunded, or the order opens again where a provider left and the terms say so. While others run, what a provider that
/// left had served is missing, where the terms say so.
fn close(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    at: u64,
    ended: &[(LeaseId, CloseReason)],
) -> Result<(), ContractError> {
    for (id, _) in ended {
        // What was not measured by now never will be.
        if let Some(p) = &mut account.running_lease(*id)?.0.performance {
            p.measure_until = p.measure_until.min(at);
        }
    }
    escrow::book(storage, out, account, at)?;
    let config = CONFIG.load(storage)?;
    let mut lost = 0_u32;
    for (id, reason) in ended.iter().copied() {
        escrow::pay(storage, out, account, id)?;
        let (lease, _) = account.running_lease(id)?;
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
        out.report(providers::report(&config, id, &lease.provider, report)?);
        let (ask, units) = (lease.ask, lease.resources.units);
        if reason.is_providers() && at < lease.ends_at {
            lost = lost.saturating_add(units);
        }
        if let Some(ask) = ask {
            asks::give_back(storage, out, ask, units)?;
        }
    }
    let order = &mut account.order;
    let relist = lost > 0
        && order.terms.relist
        && order.relists < MAX_RELISTS
        && !account.escrow.free()?.is_zero();
    if relist {
        order.missing = order.missing.saturating_add(lost);
        order.relists = order.relists.saturating_add(1);
    }
    if account.running().next().is_some() {
        if relist {
            account.order.relisted_at = Some(at);
        }
        // What did not pay for all may pay for those that are left.
        return revive(out, account, at);
    }
    if relist {
        open_again(storage, out, account, at)
    } else {
        escrow::refund(storage, out, account)?;
        let reason = ended.first().map_or("", |(_, r)| r.name());
        close_order(out, account, reason);
        Ok(())
    }
}

/// An order whose leases are all over waits for a match again, with what its escrow has left, for what is left of its
/// term; for what it lost, where its units are leased in parts.
fn open_again(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    now: u64,
) -> Result<(), ContractError> {
    let order = &mut account.order;
    let lost = std::mem::take(&mut order.missing);
    if order.pricing.takes_parts() && !order.pricing.ends_together() {
        order.resources.units = lost;
    }
    order.past_leases.extend(order.lease_id.take());
    order.past_leases.append(&mut order.more_leases);
    for (id, lease) in account.leases.drain(..) {
        order.max_duration_secs = lease.ends_at.saturating_sub(now);
        LEASES.save(storage, id.0, &lease)?;
    }
    let opened = order.relisted_at.unwrap_or(order.created_at.seconds());
    order.pricing = order.pricing.again(opened, now);
    order.relisted_at = Some(now);
    order.seed = None;
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
    account.order.missing = 0;
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
