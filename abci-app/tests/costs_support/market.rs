//! Every message of the market, once or more often.

use super::{
    fill::{
        AUTHORITY, BID_DEPOSIT, OTHER, PROVIDER, TENANT, ask, auction, bid, create, market, order,
    },
    world::{NATIVE, USDC, World, account},
};
use anyhow::Result;
use base64::{Engine, engine::general_purpose::STANDARD};
use cosmwasm_std::Addr;
use ember_types::{ids::OrderId, money::Rate, pricing::sealed_tender::commitment};
use serde_json::{Value, json};

/// A micro-unit a second.
const RATE: u128 = 1_000_000;
const DEPOSIT: u128 = 5_000_000;
const SALT: [u8; 32] = [7; 32];

/// Message and SDK gas, in the order of the messages.
pub fn costs(world: &mut World) -> Result<Vec<(&'static str, u64)>> {
    let mut out = Vec::new();
    auctions(world, &mut out)?;
    sealed(world, &mut out)?;
    performance(world, &mut out)?;
    asks(world, &mut out)?;
    let fee = |denom: &str| {
        json!({
            "denom": denom, "take_bps": 2_000, "reservation_bps": 25, "min_deposit": "1000",
            "bid_deposit": BID_DEPOSIT.to_string(),
        })
    };
    let fees = json!({ "update_fees": { "fees": [fee(USDC), fee(NATIVE)] } });
    out.push(("update_fees", market(world, AUTHORITY, &fees, &[])?.gas));
    Ok(out)
}

type Out = Vec<(&'static str, u64)>;

/// Sends a message about one thing without funds.
fn about(world: &mut World, sender: &str, what: &str, field: &str, id: u64) -> Result<u64> {
    Ok(market(world, sender, &json!({ what: { field: id } }), &[])?.gas)
}

fn auctions(world: &mut World, out: &mut Out) -> Result<()> {
    let pricing = auction(world);
    let created = create(world, &pricing, DEPOSIT)?;
    out.push(("create_order, reverse_auction", created.gas));
    let id = created.id("wasm-order_created", "order_id")?;
    let placed = bid(world, OTHER, id, RATE)?;
    out.push(("place_bid", placed.gas));
    let first = placed.id("wasm-bid_placed", "bid_id")?;
    out.push((
        "withdraw_bid",
        about(world, OTHER, "withdraw_bid", "bid_id", first)?,
    ));
    let won = bid(world, PROVIDER, id, RATE)?.id("wasm-bid_placed", "bid_id")?;
    let accept = json!({ "accept_bid": { "bid_id": won } });
    let accepted = market(world, TENANT, &accept, &[])?;
    out.push(("accept_bid", accepted.gas));
    let lease = accepted.id("wasm-lease_opened", "lease_id")?;
    let deposit = json!({ "deposit": { "order_id": id } });
    out.push((
        "deposit",
        market(world, TENANT, &deposit, &[(10_000, USDC)])?.gas,
    ));
    world.advance(100);
    out.push(("settle", about(world, OTHER, "settle", "lease_id", lease)?));
    world.advance(100);
    out.push((
        "withdraw",
        about(world, PROVIDER, "withdraw", "lease_id", lease)?,
    ));
    out.push((
        "give_notice",
        about(world, PROVIDER, "give_notice", "lease_id", lease)?,
    ));
    world.advance(100);
    out.push((
        "close_lease",
        about(world, TENANT, "close_lease", "lease_id", lease)?,
    ));
    let pricing = auction(world);
    let id = create(world, &pricing, DEPOSIT)?.id("wasm-order_created", "order_id")?;
    out.push((
        "close_order",
        about(world, TENANT, "close_order", "order_id", id)?,
    ));
    Ok(())
}

fn sealed(world: &mut World, out: &mut Out) -> Result<()> {
    let (commit_until, reveal_until) = (world.now() + 100, world.now() + 200);
    let tender = json!({ "sealed_tender": {
        "commit_until": commit_until, "reveal_until": reveal_until, "rule": "second_price",
    } });
    let created = create(world, &tender, DEPOSIT)?;
    out.push(("create_order, sealed_tender", created.gas));
    let id = created.id("wasm-order_created", "order_id")?;
    let hash = commitment(
        OrderId(id),
        &Addr::unchecked(account(PROVIDER)),
        Rate::new(RATE),
        &SALT,
    );
    let commit = json!({ "commit_bid": { "order_id": id, "commitment": STANDARD.encode(hash) } });
    let committed = market(world, PROVIDER, &commit, &[(BID_DEPOSIT, USDC)])?;
    out.push(("commit_bid", committed.gas));
    let bid = committed.id("wasm-bid_committed", "bid_id")?;
    world.advance(150);
    let reveal = json!({ "reveal_bid": {
        "bid_id": bid, "rate": RATE.to_string(), "salt": STANDARD.encode(SALT),
    } });
    out.push(("reveal_bid", market(world, PROVIDER, &reveal, &[])?.gas));
    Ok(())
}

fn performance(world: &mut World, out: &mut Out) -> Result<()> {
    let pricing = json!({ "performance": {
        "closes_at": world.now() + 1_000, "benchmark": "points", "measure_secs": 600,
    } });
    let created = create(world, &pricing, DEPOSIT)?;
    out.push(("create_order, performance", created.gas));
    let id = created.id("wasm-order_created", "order_id")?;
    let place = json!({ "place_bid": { "order_id": id, "rate": "1000", "score": 500 } });
    let placed = market(world, PROVIDER, &place, &[(BID_DEPOSIT, USDC)])?;
    out.push(("place_bid with a score", placed.gas));
    let accept = json!({ "accept_bid": { "bid_id": placed.id("wasm-bid_placed", "bid_id")? } });
    let lease = market(world, TENANT, &accept, &[])?.id("wasm-lease_opened", "lease_id")?;
    let report = json!({ "report_score": { "lease_id": lease, "score": 400 } });
    out.push(("report_score", market(world, PROVIDER, &report, &[])?.gas));
    Ok(())
}

/// Crossings take the cheapest asks there are, so they leave fewer behind.
fn asks(world: &mut World, out: &mut Out) -> Result<()> {
    let placed = ask(world, PROVIDER, 999)?;
    out.push(("place_ask", placed.gas));
    let id = placed.id("wasm-ask_placed", "ask_id")?;
    out.push((
        "withdraw_ask",
        about(world, PROVIDER, "withdraw_ask", "ask_id", id)?,
    ));
    let crossings: [(_, Value, _); 3] = [
        ("create_order, market, crosses", json!({ "market": {} }), 1),
        (
            "create_order, market, 3 units in parts",
            json!({ "market": { "partial": true } }),
            3,
        ),
        (
            "create_order, cluster of 3 asks",
            json!({ "cluster": { "of": { "market": {} } } }),
            3,
        ),
    ];
    for (name, pricing, units) in crossings {
        out.push((name, order(world, &pricing, DEPOSIT, units)?.gas));
    }
    Ok(())
}
