//! `ember provider commit` and `reveal`: sealed bids.

use crate::{
    chain::ChainClient,
    config::Global,
    daemon::{Opening, Openings, bidder::bid_deposit},
};
use anyhow::{Context, Result, bail};
use cosmwasm_std::Binary;
use ember_types::{
    events::{self, key},
    ids::{BidId, OrderId},
    market::{BidResponse, ExecuteMsg, OrderResponse, QueryMsg},
    money::Rate,
    pricing::{MatchAt, sealed_tender::bytes32},
};
use serde_json::{Value, json};

/// Commits to `rate` on an order. What opens it is kept in the home before it is sent.
pub async fn commit(g: &Global, order: OrderId, rate: Rate, units: Option<u32>) -> Result<Value> {
    let chain = g.signing_chain()?;
    let q = QueryMsg::Order { order_id: order };
    let o: OrderResponse = chain.ask_market(&q).await?;
    let (Some(reveal_from), MatchAt::Time(until)) =
        (o.pricing.sealed_until(), o.pricing.match_at())
    else {
        bail!(
            "order {order} is priced by {}, which takes no sealed bids; see `ember provider bid`",
            o.pricing.name()
        );
    };
    let funds = bid_deposit(&chain, &o.ceiling.denom).await?;
    let opening = Opening::new(order, rate, until);
    let hash = Openings::open(&g.home()?, chain.address())
        .keep(&opening)
        .context("what opens the bid could not be kept, so nothing was sent")?;
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
        "bid_id": bid.parse::<u64>()?, "salt": opening.salt(), "rate": rate,
        "reveal_from": reveal_from, "reveal_until": until, "tx_hash": tx.hash,
    }))
}

/// Reveals a bid: with the rate and the salt that are given, or else with those that the home keeps for it.
pub async fn reveal(g: &Global, bid: BidId, given: Option<(Rate, String)>) -> Result<Value> {
    let chain = g.signing_chain()?;
    let (rate, salt) = match given {
        Some((rate, salt)) => {
            let salt = hex::decode(salt).context("--salt: expected 64 hexadecimal digits")?;
            (rate, bytes32("--salt", &salt)?.into())
        }
        None => {
            let b: BidResponse = chain.ask_market(&QueryMsg::Bid { bid_id: bid }).await?;
            let Some(hash) = b.commitment else {
                bail!("bid {bid} was never sealed: there is nothing to reveal");
            };
            let opening = Openings::open(&g.home()?, chain.address())
                .find(&hash)?
                .with_context(|| format!("bid {bid} was not committed to from this home and key; give --price and --salt"))?;
            (opening.rate, Binary::from(opening.salt().as_slice()))
        }
    };
    let m = ExecuteMsg::RevealBid {
        bid_id: bid,
        rate,
        salt,
    };
    let tx = chain.tell_market(&m, &[]).await?;
    Ok(json!({"bid_id": bid, "tx_hash": tx.hash}))
}
