//! `ember provider commit` and `reveal`: bids of a sealed tender.

use crate::{chain::ChainClient, config::Global, daemon::run::bid_deposit};
use anyhow::{Context, Result};
use cosmwasm_std::{Addr, Binary};
use ember_types::{
    events::{self, key},
    ids::{BidId, OrderId},
    market::{ExecuteMsg, OrderResponse, QueryMsg},
    money::Rate,
    pricing::sealed_tender::{SALT_LEN, bytes32, commitment},
};
use rand_core::{OsRng, RngCore};
use serde_json::{Value, json};

/// Commits to `rate` on an order. The answer holds the salt: without it the bid cannot be revealed.
pub async fn commit(g: &Global, order: OrderId, rate: Rate, units: Option<u32>) -> Result<Value> {
    let chain = g.signing_chain()?;
    let q = QueryMsg::Order { order_id: order };
    let o: OrderResponse = chain.ask_market(&q).await?;
    let funds = bid_deposit(&chain, &o.ceiling.denom).await?;
    let mut salt = [0; SALT_LEN];
    OsRng.fill_bytes(&mut salt);
    let hash = commitment(order, &Addr::unchecked(chain.address()), rate, &salt);
    let m = ExecuteMsg::CommitBid {
        order_id: order,
        commitment: Binary::from(hash),
        units,
    };
    let tx = chain.tell_market(&m, &funds).await?;
    let bid = tx
        .attribute(&format!("wasm-{}", events::BID_COMMITTED), key::BID_ID)
        .context("the chain took the commitment but named no bid; see `ember order bids`")?;
    Ok(json!({
        "bid_id": bid.parse::<u64>()?, "salt": hex::encode(salt), "rate": rate,
        "reveal_from": o.pricing.sealed_until(), "tx_hash": tx.hash,
    }))
}

/// Reveals a bid: the rate and the salt that it was committed with.
pub async fn reveal(g: &Global, bid: BidId, rate: Rate, salt: &str) -> Result<Value> {
    let salt = hex::decode(salt).context("--salt: expected 64 hexadecimal digits")?;
    bytes32("--salt", &salt)?;
    let m = ExecuteMsg::RevealBid {
        bid_id: bid,
        rate,
        salt: salt.into(),
    };
    let tx = g.signing_chain()?.tell_market(&m, &[]).await?;
    Ok(json!({"bid_id": bid, "tx_hash": tx.hash}))
}
