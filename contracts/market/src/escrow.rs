//! Money into, within and out of an escrow account. Every movement keeps the account and the denom's ledger in
//! step and emits one event.

use crate::{
    account::Account,
    error::ContractError,
    fees,
    outbox::Outbox,
    state::{CONFIG, Deposit, Escrow, FEES},
};
use cosmwasm_std::{Addr, Event, Storage, Uint128};
use ember_types::{
    events::{self, key},
    fees::{DenomFees, share_with_rest},
    ids::{LeaseId, OrderId},
    lease::{LeaseState, OrderState},
};

/// Most deposits that wait in one account. The tenant always gets in, so that strangers cannot keep it out.
pub const MAX_DEPOSITS: usize = 32;

/// The fees that apply to the order now: its own while it is leased, else the schedule's.
///
/// # Errors
/// When the storage is broken.
pub fn schedule(storage: &dyn Storage, account: &Account) -> Result<DenomFees, ContractError> {
    let own = &account.order.fees;
    if account.order.state == OrderState::Leased {
        return Ok(own.clone());
    }
    // A denom that has left the schedule keeps serving the orders that are already in it.
    Ok(FEES
        .may_load(storage, &own.denom)?
        .map_or_else(|| own.clone(), |listed| listed.0))
}

/// Puts `amount` in: the reservation fee goes to the collector, the rest to the end of the deposits.
///
/// # Errors
/// When a total leaves 128 bits or a stranger is one too many.
pub fn deposit(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    depositor: &Addr,
    amount: Uint128,
) -> Result<(), ContractError> {
    let schedule = schedule(storage, account)?;
    let denom = schedule.denom.as_str();
    let escrow = &mut account.escrow;
    let bps = schedule.reservation_bps;
    // On the total of all deposits, so that many small ones pay what a single one pays.
    let (fee, rest) = share_with_rest(amount, bps, escrow.reservation_rest);
    escrow.reservation_rest = rest;
    let before = escrow.held()?;
    let full = before.checked_add(amount)?;
    escrow.deposited = escrow.deposited.checked_add(amount)?;
    fees::ledger(storage, denom, |l| {
        l.deposited = l.deposited.checked_add(amount)?;
        Ok(())
    })?;
    out.emit(
        movement("deposit", account.id, denom, amount, before, full)
            .add_attribute(key::DEPOSITOR, depositor),
    );
    let is_tenant = *depositor == account.order.tenant;
    append(
        account.id,
        escrow,
        depositor,
        amount.checked_sub(fee)?,
        is_tenant,
    )?;
    if !fee.is_zero() {
        let after = full.checked_sub(fee)?;
        let event = movement("reservation_fee", account.id, denom, fee, full, after);
        collect(storage, out, escrow, denom, fee, event)?;
    }
    Ok(())
}

/// Takes the flat fee of a lease that opens out of the first deposits, or what there is.
///
/// # Errors
/// When the storage is broken.
pub fn session_fee(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
) -> Result<(), ContractError> {
    let (fees, escrow) = (&account.order.fees, &mut account.escrow);
    let fee = fees.session_fee.min(escrow.free()?);
    if fee.is_zero() {
        return Ok(());
    }
    let before = escrow.held()?;
    escrow.consume(fee)?;
    let after = escrow.held()?;
    let event = movement("session_fee", account.id, &fees.denom, fee, before, after);
    collect(storage, out, escrow, &fees.denom, fee, event)
}

/// Sends a fee that has left the account to the collector.
fn collect(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    escrow: &mut Escrow,
    denom: &str,
    fee: Uint128,
    event: Event,
) -> Result<(), ContractError> {
    let collector = CONFIG.load(storage)?.fee_collector;
    escrow.fees = escrow.fees.checked_add(fee)?;
    fees::ledger(storage, denom, |l| {
        l.fees = l.fees.checked_add(fee)?;
        Ok(())
    })?;
    out.send(&collector, fee, denom);
    out.emit(event.add_attribute(key::RECIPIENT, collector));
    Ok(())
}

fn append(
    id: OrderId,
    escrow: &mut Escrow,
    depositor: &Addr,
    amount: Uint128,
    is_tenant: bool,
) -> Result<(), ContractError> {
    if amount.is_zero() {
        return Ok(());
    }
    let full = escrow.deposits.len() >= MAX_DEPOSITS;
    // In a full list an old depositor adds to the last of its own deposits.
    let own = escrow
        .deposits
        .iter()
        .rposition(|d| d.depositor == *depositor)
        .filter(|i| full || i + 1 == escrow.deposits.len());
    match own.and_then(|i| escrow.deposits.get_mut(i)) {
        Some(deposit) => deposit.left = deposit.left.checked_add(amount)?,
        None if full && !is_tenant => {
            return Err(ContractError::TooManyDepositors {
                order_id: id,
                max: MAX_DEPOSITS,
            });
        }
        None => escrow.deposits.push(Deposit {
            depositor: depositor.clone(),
            left: amount,
        }),
    }
    Ok(())
}

/// Books what every lease has earned up to `time`: out of the first deposits, the take fee to the collector, the rest to
/// the provider's balance.
///
/// # Errors
/// When the storage is broken.
pub fn book(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    time: u64,
) -> Result<(), ContractError> {
    // Nobody is paid for a second that not all of them are paid for.
    let upto = account.exhausted_at().map_or(time, |t| t.min(time));
    let (order_id, escrow) = (account.id, &mut account.escrow);
    for (id, lease) in &mut account.leases {
        // A suspended lease has earned what it had when it ran dry, which is booked once it is measured.
        if lease.state == LeaseState::Closed || lease.is_unmeasured(time) {
            continue;
        }
        let total = lease.accrued(upto)?;
        let gross = total.gross.checked_sub(lease.gross)?;
        let fee = total.fee.checked_sub(lease.fee)?;
        if lease.state == LeaseState::Active {
            lease.settled_at = upto.min(lease.ends_at).max(lease.settled_at);
        }
        if gross.is_zero() {
            continue;
        }
        (lease.gross, lease.fee) = (total.gross, total.fee);
        let denom = lease.denom.as_str();
        let before = escrow.held()?;
        escrow.consume(gross)?;
        let net = gross.checked_sub(fee)?;
        escrow.payable = escrow.payable.checked_add(net)?;
        lease.payable = lease.payable.checked_add(net)?;
        let after = escrow.held()?;
        if !net.is_zero() {
            out.emit(
                movement("accrue", order_id, denom, net, before, before)
                    .add_attribute(key::LEASE_ID, id.to_string()),
            );
        }
        if !fee.is_zero() {
            let event = movement("take_fee", order_id, denom, fee, before, after);
            let event = event.add_attribute(key::LEASE_ID, id.to_string());
            collect(storage, out, escrow, denom, fee, event)?;
        }
    }
    Ok(())
}

/// Pays the provider of a lease all that is booked for it.
///
/// # Errors
/// When the lease is over.
pub fn pay(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
    id: LeaseId,
) -> Result<(), ContractError> {
    let order_id = account.id;
    let (lease, escrow) = account.running_lease(id)?;
    let amount = std::mem::take(&mut lease.payable);
    if amount.is_zero() {
        return Ok(());
    }
    let denom = lease.denom.as_str();
    let before = escrow.held()?;
    escrow.payable = escrow.payable.checked_sub(amount)?;
    escrow.paid = escrow.paid.checked_add(amount)?;
    let after = escrow.held()?;
    fees::ledger(storage, denom, |l| {
        l.paid = l.paid.checked_add(amount)?;
        Ok(())
    })?;
    out.send(&lease.provider, amount, denom);
    out.emit(
        movement("pay", order_id, denom, amount, before, after)
            .add_attribute(key::LEASE_ID, id.to_string())
            .add_attribute(key::RECIPIENT, &lease.provider),
    );
    Ok(())
}

/// Returns what is left of every deposit, in the order they came.
///
/// # Errors
/// When a total leaves 128 bits.
pub fn refund(
    storage: &mut dyn Storage,
    out: &mut Outbox,
    account: &mut Account,
) -> Result<(), ContractError> {
    let denom = account.order.ceiling.denom.as_str();
    let escrow = &mut account.escrow;
    let mut before = escrow.held()?;
    for Deposit { depositor, left } in std::mem::take(&mut escrow.deposits) {
        let after = before.checked_sub(left)?;
        escrow.refunded = escrow.refunded.checked_add(left)?;
        fees::ledger(storage, denom, |l| {
            l.refunded = l.refunded.checked_add(left)?;
            Ok(())
        })?;
        out.send(&depositor, left, denom);
        out.emit(
            movement("refund", account.id, denom, left, before, after)
                .add_attribute(key::RECIPIENT, depositor),
        );
        before = after;
    }
    Ok(())
}

fn movement(
    action: &str,
    id: OrderId,
    denom: &str,
    amount: Uint128,
    before: Uint128,
    after: Uint128,
) -> Event {
    Event::new(events::ESCROW)
        .add_attribute(key::ACTION, action)
        .add_attribute(key::ORDER_ID, id.to_string())
        .add_attribute(key::DENOM, denom)
        .add_attribute(key::AMOUNT, amount)
        .add_attribute(key::BEFORE, before)
        .add_attribute(key::AFTER, after)
}
