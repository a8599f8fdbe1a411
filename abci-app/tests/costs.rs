//! Gas is the same on every machine, so what a message costs can be tested: no more with many orders than with few.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod costs_support;

use costs_support::{
    fill::{Size, filled},
    hook::{self, Full},
    market, registry,
    world::contracts_dir,
};
use ember_abci_app::modules::hooks;
use std::path::PathBuf;

/// In hundredths, what many may cost of what few cost.
const MOST: u64 = 110;
/// What the hook of a contract may cost when nothing is due.
const IDLE: u64 = 50_000;

fn contracts() -> Option<PathBuf> {
    let dir = contracts_dir();
    if dir.is_none() {
        eprintln!("SKIP: no contracts: run ./scripts/build-contracts or set EMBER_CONTRACTS_DIR");
    }
    dir
}

#[test]
fn no_message_costs_more_with_many_orders_and_the_hook_nothing_when_nothing_is_due() {
    let Some(dir) = contracts() else {
        return;
    };
    let size = |n| Size {
        orders: n,
        leases: n / 2,
        asks: n,
        providers: n.min(100),
    };
    let mut few = filled(&dir, size(10)).unwrap();
    let mut many = filled(&dir, size(1_000)).unwrap();
    let idle = [
        hook::idle(&mut few).unwrap(),
        hook::idle(&mut many).unwrap(),
    ];
    assert_eq!(idle[0], idle[1], "whatever the number of leases");
    assert!(idle[0].iter().all(|gas| *gas < IDLE), "{idle:?}");
    let costs = [market::costs, registry::costs]
        .into_iter()
        .flat_map(|costs| {
            let few = costs(&mut few).unwrap();
            few.into_iter().zip(costs(&mut many).unwrap())
        });
    let mut messages = 0;
    for ((name, few), (_, many)) in costs {
        assert!(
            many * 100 <= few * MOST,
            "{name}: {few} with few, {many} with many"
        );
        messages += 1;
    }
    assert!(messages > 30);
}

#[test]
fn a_block_of_the_hook_fits_whatever_is_due() {
    let Some(dir) = contracts() else {
        return;
    };
    for (name, full) in hook::WORST {
        let full = Full {
            orders: full.orders.min(12),
            ..full
        };
        let gas = hook::due(&dir, full).unwrap();
        let largest = *gas.iter().max().unwrap();
        assert!(largest < hooks::MAX_GAS / 2, "{name}: {gas:?}");
    }
}
