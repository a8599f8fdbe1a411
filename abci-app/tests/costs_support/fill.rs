//! A chain with many orders, leases, asks and providers on it, all made by real messages.

use super::world::{Done, NATIVE, USDC, World, account, device};
use anyhow::Result;
use serde_json::{Value, json};
use std::path::Path;

pub const TENANT: &str = "tenant";
pub const PROVIDER: &str = "provider";
pub const OTHER: &str = "other";
pub const NEWCOMER: &str = "newcomer";
pub const AUDITOR: &str = "auditor";
pub const AUTHORITY: &str = "authority";
/// What a bid carries in these chains.
pub const BID_DEPOSIT: u128 = 500;
/// Seconds from the start in which nothing that a fill made is due.
pub const FAR: u64 = 20 * 24 * 3_600;
/// The most that an order here pays: 2 micro-units a second.
const CEILING: u128 = 2_000_000;

/// How many of each there are.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Open orders, each an auction with one bid, all of one tenant and one provider.
    pub orders: u64,
    /// Running leases of the same two.
    pub leases: u64,
    /// Standing asks of that provider.
    pub asks: u64,
    /// Registered providers.
    pub providers: u64,
}

/// A chain of this size.
pub fn filled(contracts: &Path, size: Size) -> Result<World> {
    let mut names = vec![TENANT, PROVIDER, OTHER, NEWCOMER, AUDITOR, AUTHORITY];
    let crowd: Vec<_> = (2..size.providers).map(|i| format!("crowd-{i}")).collect();
    names.extend(crowd.iter().map(String::as_str));
    let mut world = World::new(contracts, &names, BID_DEPOSIT)?;
    for name in [PROVIDER, OTHER] {
        register(&mut world, name)?;
    }
    for (i, name) in crowd.iter().enumerate() {
        register(&mut world, name)?;
        tidy(&mut world, i as u64);
    }
    for i in 0..size.leases {
        let pricing = auction(&world);
        let order = create(&mut world, &pricing, 1_000)?.id("wasm-order_created", "order_id")?;
        // At a thousandth of a micro-unit a second none of them runs dry.
        let bid = bid(&mut world, PROVIDER, order, 1_000)?.id("wasm-bid_placed", "bid_id")?;
        let accept = json!({ "accept_bid": { "bid_id": bid } });
        market(&mut world, TENANT, &accept, &[])?;
        tidy(&mut world, i);
    }
    for i in 0..size.orders {
        let pricing = auction(&world);
        let order = create(&mut world, &pricing, 1_000)?.id("wasm-order_created", "order_id")?;
        bid(&mut world, PROVIDER, order, 1_000)?;
        tidy(&mut world, i);
    }
    for i in 0..size.asks {
        ask(&mut world, PROVIDER, 1_000 + u128::from(i))?;
        tidy(&mut world, i);
    }
    // What was made long ago was made in other blocks.
    world.advance(5);
    world.commit();
    Ok(world)
}

fn tidy(world: &mut World, i: u64) {
    if i % 200 == 199 {
        world.commit();
    }
}

/// A message to the market.
pub fn market(
    world: &mut World,
    sender: &str,
    msg: &Value,
    funds: &[(u128, &str)],
) -> Result<Done> {
    let contract = world.market.clone();
    world.execute(&account(sender), &contract, msg, funds)
}

/// A message to the registry.
pub fn registry(
    world: &mut World,
    sender: &str,
    msg: &Value,
    funds: &[(u128, &str)],
) -> Result<Done> {
    let contract = world.registry.clone();
    world.execute(&account(sender), &contract, msg, funds)
}

pub fn register(world: &mut World, name: &str) -> Result<Done> {
    let msg = json!({ "register_provider": {
        "host_uri": format!("https://{name}.example:8443"),
        "devices": [device("gpu-0"), device("gpu-1")],
        "attributes": [{ "key": "region", "value": "eu" }],
    } });
    registry(world, name, &msg, &[(5_000_000, NATIVE)])
}

/// An auction that closes long after everything here.
pub fn auction(world: &World) -> Value {
    json!({ "reverse_auction": { "closes_at": world.now() + FAR } })
}

/// An order of one unit, paid in USDC.
pub fn create(world: &mut World, pricing: &Value, deposit: u128) -> Result<Done> {
    order(world, pricing, deposit, 1)
}

pub fn order(world: &mut World, pricing: &Value, deposit: u128, units: u32) -> Result<Done> {
    let msg = json!({ "create_order": {
        "resources": { "units": units, "gpu": {
            "model": "nvidia/rtx-4090", "min_vram_mib": 16_384, "profile": "portable1", "region": "eu",
            "min_bond": "1000000",
        } },
        "pricing": pricing,
        "ceiling": { "denom": USDC, "rate": CEILING.to_string() },
        "max_duration_secs": 2 * FAR,
        "terms": { "notice_hours": 1, "relist": false },
    } });
    market(world, TENANT, &msg, &[(deposit, USDC)])
}

pub fn bid(world: &mut World, provider: &str, order: u64, rate: u128) -> Result<Done> {
    let msg = json!({ "place_bid": { "order_id": order, "rate": rate.to_string() } });
    market(world, provider, &msg, &[(BID_DEPOSIT, USDC)])
}

pub fn ask(world: &mut World, provider: &str, rate: u128) -> Result<Done> {
    let msg = json!({ "place_ask": {
        "device": "gpu-0", "units": 1, "denom": USDC, "rate": rate.to_string(),
    } });
    market(world, provider, &msg, &[])
}
