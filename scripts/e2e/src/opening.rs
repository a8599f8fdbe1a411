//! From an order to a lease, in each of the ways that an order finds its price.

use crate::{
    books::number,
    process::wait_for,
    world::{Chapter, World},
};
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde_json::Value;
use std::time::Duration;

/// How the story's orders find their price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pricing {
    /// Providers bid each other down; the tenant accepts a bid
    #[value(alias = "reverse_auction")]
    ReverseAuction,
    /// The order crosses a standing ask at once
    Market,
}

/// Brings a chapter's order to its lease, and says how.
///
/// # Errors
/// At the first step that fails, with what it said.
pub fn open(
    world: &mut World,
    chapter: &Chapter,
    pricing: Pricing,
    say: &mut dyn FnMut(&str),
) -> Result<u64> {
    match pricing {
        Pricing::ReverseAuction => {
            let order = create(
                world,
                chapter,
                &["--mode", "reverse-auction", "--closes-in", "60s"],
                say,
            )?;
            accept(world, &number(&order["order_id"])?.to_string(), say)
        }
        Pricing::Market => {
            let ask = world.provider.ember(&[
                "provider",
                "ask",
                "--denom",
                chapter.denom,
                "--price",
                chapter.max_price,
            ])?;
            let ask = number(&ask["ask_id"])?.to_string();
            say(&format!("ask {ask} stands in the book"));
            let order = create(world, chapter, &["--mode", "market"], say)?;
            let lease = number(&order["lease_id"]).context("the order did not cross the ask")?;
            // Its units come back when the lease ends; the next chapter's ask needs them.
            world.provider.ember(&["provider", "unask", &ask])?;
            say(&format!("it crossed: lease {lease} is open"));
            Ok(lease)
        }
    }
}

/// The chapter's order.
fn create(
    world: &World,
    chapter: &Chapter,
    mode: &[&str],
    say: &mut dyn FnMut(&str),
) -> Result<Value> {
    let duration = format!("{}s", chapter.seconds);
    let mut args = vec!["order", "create", "--units", "1"];
    args.extend(mode);
    args.extend([
        "--denom",
        chapter.denom,
        "--max-price",
        chapter.max_price,
        "--deposit",
        chapter.deposit,
        "--duration",
        &duration,
    ]);
    let order = world.tenant.ember(&args)?;
    say(&format!(
        "order {}: one GPU for {duration} at no more than {} {} an hour",
        number(&order["order_id"])?,
        chapter.max_price,
        chapter.denom
    ));
    Ok(order)
}

/// The tenant accepts the first bid.
fn accept(world: &mut World, order_id: &str, say: &mut dyn FnMut(&str)) -> Result<u64> {
    let bid = wait_for("a bid", Duration::from_secs(30), || {
        world.check()?;
        let bids = world.tenant.ember(&["order", "bids", order_id])?;
        Ok(bids["bids"]
            .as_array()
            .and_then(|b| b.iter().find(|b| b["state"] == "open"))
            .cloned())
    })?;
    let bid_id = number(&bid["id"])?.to_string();
    let accepted = world.tenant.ember(&["order", "accept", &bid_id])?;
    let lease_id = number(&accepted["lease_id"]).context("no lease")?;
    say(&format!(
        "bid {bid_id} at rate {} accepted: lease {lease_id} is open",
        bid["rate"]
    ));
    Ok(lease_id)
}
