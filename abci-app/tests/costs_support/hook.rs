//! What the end-block hook costs: with nothing due, and when more is due than it does in a block.

use super::{
    fill::{TENANT, market, registry},
    world::{NATIVE, USDC, World, device},
};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::path::Path;

/// SDK gas of one block of each contract's hook, registry first. The code is pinned in the first.
pub fn idle(world: &mut World) -> Result<[u64; 2]> {
    let contracts = [world.registry.clone(), world.market.clone()];
    let mut gas = [0; 2];
    for (gas, contract) in gas.iter_mut().zip(contracts) {
        world.end_block(&contract)?;
        let done = world.end_block(&contract)?;
        ensure!(
            done.events.iter().all(|e| !e.kind.starts_with("wasm-")),
            "nothing was to be due: {:?}",
            done.events
        );
        *gas = done.gas;
    }
    Ok(gas)
}

/// Orders with full books that all end in one block.
#[derive(Debug, Clone, Copy)]
pub struct Full {
    /// How many orders.
    pub orders: u64,
    /// Bids of each.
    pub bids: u64,
    /// What a bid carries, micro-units; without it no refund ends the block early.
    pub deposit: u128,
    /// Devices of each bidder.
    pub devices: usize,
    /// Whether the bidders can still serve then: else the registry is asked about each.
    pub able: bool,
}

/// The largest blocks that we know, and what they are.
pub const WORST: [(&str, Full); 4] = [
    (
        "deposits go back",
        Full {
            deposit: 500,
            ..FULL
        },
    ),
    ("no bid deposits", FULL),
    (
        "no bid deposits, no bidder can serve any more",
        Full {
            able: false,
            ..FULL
        },
    ),
    (
        "the same, each bidder with 256 devices",
        Full {
            able: false,
            devices: 256,
            ..FULL
        },
    ),
];
const FULL: Full = Full {
    orders: 150,
    bids: 50,
    deposit: 0,
    devices: 1,
    able: true,
};

/// SDK gas of each block until nothing is due any more.
pub fn due(contracts: &Path, full: Full) -> Result<Vec<u64>> {
    let bidders: Vec<_> = (0..full.bids).map(|i| format!("bidder-{i}")).collect();
    let mut names = vec![TENANT];
    names.extend(bidders.iter().map(String::as_str));
    let mut world = World::new(contracts, &names, full.deposit)?;
    for name in &bidders {
        let msg = json!({ "register_provider": {
            "host_uri": format!("https://{name}.example:8443"),
            "devices": devices(full.devices, 24_576),
            "attributes": [],
        } });
        registry(&mut world, name, &msg, &[(5_000_000, NATIVE)])?;
    }
    let closes_at = world.now() + 1_000;
    let funds: &[_] = if full.deposit > 0 {
        &[(full.deposit, USDC)]
    } else {
        &[]
    };
    for _ in 0..full.orders {
        let create = json!({ "create_order": {
            "resources": { "units": 1, "gpu": {
                "model": device("gpu-0")["model"], "min_vram_mib": 16_384, "profile": "portable1", "region": null,
                "min_bond": "0",
            } },
            "pricing": { "reverse_auction": { "closes_at": closes_at } },
            "ceiling": { "denom": USDC, "rate": "1000000" },
            "max_duration_secs": 100_000,
        } });
        let order = market(&mut world, TENANT, &create, &[(1_000_000, USDC)])?;
        let order = order.id("wasm-order_created", "order_id")?;
        for (i, name) in bidders.iter().enumerate() {
            let rate = (1_000 + i).to_string();
            let bid = json!({ "place_bid": { "order_id": order, "rate": rate } });
            market(&mut world, name, &bid, funds)?;
        }
        world.commit();
    }
    if !full.able {
        for name in &bidders {
            let shrink = json!({ "update_provider": { "devices": devices(full.devices, 8_192) } });
            registry(&mut world, name, &shrink, &[])?;
        }
    }
    world.advance(1_000);
    blocks(&mut world, full.orders)
}

/// Long ones, as far as a record of 128 KiB takes 256.
fn devices(n: usize, vram_mib: u32) -> Vec<Value> {
    let one = |i| {
        let mut one = device(&format!("gpu-{i}"));
        one["vram_mib"] = vram_mib.into();
        one["driver"] = "d".repeat(128).into();
        one["known_answer"] = "0f".repeat(32).into();
        one
    };
    (0..n).map(one).collect()
}

/// Runs the market's hook until all those orders are won or closed.
fn blocks(world: &mut World, orders: u64) -> Result<Vec<u64>> {
    let (contract, mut gas, mut ended) = (world.market.clone(), Vec::new(), 0);
    while ended < orders {
        let done = world.end_block(&contract)?;
        let over = |kind: &str| matches!(kind, "wasm-lease_opened" | "wasm-order_closed");
        let now = done.events.iter().filter(|e| over(&e.kind)).count() as u64;
        ensure!(now > 0, "the hook did nothing");
        ended += now;
        gas.push(done.gas);
        world.advance(1);
        world.commit();
    }
    Ok(gas)
}
