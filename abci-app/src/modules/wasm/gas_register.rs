//! What contracts cost, in SDK gas: wasmd 0.61's numbers, because clients and contracts hard-code gas limits.

use super::fail::Res;
use crate::{ctx::Ctx, error::AppError};
use cosmwasm_std::{Attribute, Event, Reply, SubMsgResult};

/// VM gas per SDK gas.
pub(super) const MULTIPLIER: u64 = 140_000;
/// Loading a contract that is not pinned and was not loaded before in this transaction.
const INSTANCE: u64 = 60_000;
/// Loading a contract that is pinned on chain, was loaded before, or gets a reply.
const INSTANCE_DISCOUNT: u64 = 2_000;
/// Compiling one byte of wasm.
const COMPILE_PER_BYTE: u64 = 3;
/// An attribute of a contract's event.
const PER_ATTRIBUTE: u64 = 10;
/// A custom event.
const PER_CUSTOM_EVENT: u64 = 20;
/// Bytes of attributes that cost nothing, in one response.
const ATTRIBUTE_FREE_BYTES: u64 = 100;

/// Pinning a code, and unpinning one.
pub(super) const PIN: u64 = 500_000;

/// Loading a contract. Messages to it cost nothing by the byte, as in wasmd.
pub(super) const fn setup(discount: bool) -> u64 {
    if discount {
        INSTANCE_DISCOUNT
    } else {
        INSTANCE
    }
}

/// Compiling `bytes` of wasm.
pub(super) const fn compile(bytes: usize) -> u64 {
    COMPILE_PER_BYTE.saturating_mul(bytes as u64)
}

/// Emitting a response's attributes and events.
pub(super) fn events(attributes: &[Attribute], events: &[Event]) -> u64 {
    let (mut gas, mut free) = attributes_cost(attributes, ATTRIBUTE_FREE_BYTES);
    for e in events {
        let (cost, left) = attributes_cost(&e.attributes, free);
        free = left;
        gas = gas
            .saturating_add(PER_CUSTOM_EVENT)
            .saturating_add(e.ty.len() as u64)
            .saturating_add(cost);
    }
    gas
}

/// Handling a reply. The free bytes are shared by all its events.
pub(super) fn reply(reply: &Reply) -> u64 {
    let mut gas = setup(true);
    if let SubMsgResult::Ok(ok) = &reply.result {
        let all: Vec<Attribute> = ok
            .events
            .iter()
            .flat_map(|e| e.attributes.iter().cloned())
            .collect();
        let types: u64 = ok.events.iter().map(|e| e.ty.len() as u64).sum();
        gas = gas.saturating_add(types).saturating_add(events(&all, &[]));
    }
    gas
}

fn attributes_cost(attributes: &[Attribute], free: u64) -> (u64, u64) {
    if attributes.is_empty() {
        return (0, free);
    }
    let bytes: u64 = attributes
        .iter()
        .map(|a| (a.key.len() + a.value.len()) as u64)
        .sum();
    let paid = bytes.saturating_sub(free);
    (
        paid.saturating_add(PER_ATTRIBUTE.saturating_mul(attributes.len() as u64)),
        free.saturating_sub(bytes),
    )
}

/// SDK gas as VM gas.
pub(super) const fn to_vm(sdk: u64) -> u64 {
    sdk.saturating_mul(MULTIPLIER)
}

/// The VM gas a contract may use: all that the meter has left.
pub(super) fn vm_gas_left(ctx: &Ctx) -> u64 {
    let meter = ctx.gas();
    if meter.limit() == u64::MAX {
        u64::MAX
    } else {
        to_vm(meter.left())
    }
}

/// Charge VM gas that was used inside the VM.
///
/// # Errors
/// sdk/11 when the limit is reached: the VM stops exactly at it.
pub(super) fn consume_vm(ctx: &Ctx, vm_gas: u64) -> Res<()> {
    ctx.consume_gas(vm_gas / MULTIPLIER, "wasm contract")?;
    let meter = ctx.gas();
    if meter.limit() != u64::MAX && meter.used() >= meter.limit() {
        return Err(AppError::out_of_gas(format_args!(
            "out of gas in location: Wasm engine function execution; gasWanted: {}, gasUsed: {}",
            meter.limit(),
            meter.used()
        ))
        .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attr(key: &str, value: &str) -> Attribute {
        Attribute {
            key: key.into(),
            value: value.into(),
        }
    }

    #[test]
    fn costs_are_wasmds() {
        assert_eq!(setup(false), 60_000);
        assert_eq!(setup(true), 2_000);
        assert_eq!(compile(10), 30);
        // Free tier spans the response; custom event types are outside it.
        let a = [attr(&"k".repeat(60), &"v".repeat(30))];
        assert_eq!(events(&a, &[]), 10);
        let e = Event::new("my-ev").add_attribute("a".repeat(10), "b".repeat(10));
        assert_eq!(events(&a, std::slice::from_ref(&e)), 10 + 20 + 5 + 10 + 10);
        assert_eq!(events(&[], &[]), 0);
        assert_eq!(events(&[], &[Event::new("abc")]), 23);
    }
}
