//! From an order to its leases, in each of the ways that an order finds its price.

use crate::{
    books::number,
    pricing::{MEASURED, PROMISED, Pricing},
    process::wait_for,
    world::{Chapter, World},
};
use anyhow::{Context, Result};
use serde_json::Value;
use std::time::Duration;

/// Brings a chapter's order to its leases, and says how.
///
/// # Errors
/// At the first step that fails, with what it said.
pub fn open(
    world: &mut World,
    chapter: &Chapter,
    pricing: Pricing,
    say: &mut dyn FnMut(&str),
) -> Result<Vec<u64>> {
    match pricing {
        Pricing::ReverseAuction => {
            let order = order(world, chapter, pricing, say)?;
            Ok(vec![accept(world, order, pricing, say)?])
        }
        Pricing::SealedTender | Pricing::StakeWeighted => {
            let order = order(world, chapter, pricing, say)?;
            bids(world, order, "sealed", pricing)?;
            say("the providers committed to bids that nobody can read yet");
            for b in bids(world, order, "open", pricing)? {
                say(&format!(
                    "commitments are over: bid {} was revealed, rate {}",
                    b["id"], b["rate"]
                ));
            }
            leases(world, order, say)
        }
        Pricing::Market => {
            let ask = world.provider.party.ember(&[
                "provider",
                "ask",
                "--denom",
                chapter.denom,
                "--price",
                chapter.max_price,
            ])?;
            let ask = number(&ask["ask_id"])?.to_string();
            say(&format!("ask {ask} stands in the book"));
            let order = order(world, chapter, pricing, say)?;
            let opened = leases(world, order, say)?;
            // Its units come back when the lease ends; the next chapter's ask needs them.
            world.provider.party.ember(&["provider", "unask", &ask])?;
            Ok(opened)
        }
        Pricing::Performance => {
            let order = order(world, chapter, pricing, say)?;
            let lease = accept(world, order, pricing, say)?;
            let id = lease.to_string();
            let report = ["provider", "report-score", &id, "--score", MEASURED];
            world.provider.party.ember(&report)?;
            say(&format!(
                "{PROMISED} points were promised, {MEASURED} measured: so much less is paid, from the first second"
            ));
            Ok(vec![lease])
        }
        Pricing::Cluster => {
            let order = order(world, chapter, pricing, say)?;
            say("one provider has one GPU: two offer a part each");
            leases(world, order, say)
        }
    }
}

/// Puts a chapter's order on the chain, and answers its id.
///
/// # Errors
/// When it is refused.
pub fn order(
    world: &World,
    chapter: &Chapter,
    pricing: Pricing,
    say: &mut dyn FnMut(&str),
) -> Result<u64> {
    let duration = format!("{}s", chapter.seconds);
    let mut args = vec!["order", "create"];
    args.extend(pricing.arguments());
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
    let order = number(&world.tenant.ember(&args)?["order_id"])?;
    let gpus = match pricing.gpus() {
        1 => "one GPU".to_owned(),
        n => format!("{n} GPUs"),
    };
    say(&format!(
        "order {order}: {gpus} for {duration} at no more than {} {} an hour",
        chapter.max_price, chapter.denom
    ));
    Ok(order)
}

/// Waits for a bid of every provider in `state`.
///
/// # Errors
/// When one does not come.
pub fn bids(world: &mut World, order: u64, state: &str, pricing: Pricing) -> Result<Vec<Value>> {
    let order = order.to_string();
    let limit = Duration::from_secs(30);
    wait_for(&format!("bids that are {state}"), limit, || {
        world.check()?;
        let bids = world.tenant.ember(&["order", "bids", &order])?;
        let all = bids["bids"].as_array().into_iter().flatten();
        let found: Vec<_> = all.filter(|b| b["state"] == state).cloned().collect();
        Ok((found.len() as u64 >= pricing.providers()).then_some(found))
    })
}

/// The tenant accepts the first bid.
fn accept(
    world: &mut World,
    order: u64,
    pricing: Pricing,
    say: &mut dyn FnMut(&str),
) -> Result<u64> {
    let bids = bids(world, order, "open", pricing)?;
    let bid = bids.first().context("no bid")?;
    let bid_id = number(&bid["id"])?.to_string();
    let accepted = world.tenant.ember(&["order", "accept", &bid_id])?;
    let lease_id = number(&accepted["lease_id"]).context("no lease")?;
    say(&format!(
        "bid {bid_id} at rate {} accepted: lease {lease_id} is open",
        bid["rate"]
    ));
    Ok(lease_id)
}

/// Waits for the order's leases.
///
/// # Errors
/// When none comes.
pub fn leases(world: &mut World, order: u64, say: &mut dyn FnMut(&str)) -> Result<Vec<u64>> {
    let order = order.to_string();
    let opened = wait_for("the order's leases", Duration::from_secs(30), || {
        world.check()?;
        let shown = world.tenant.ember(&["order", "show", &order])?;
        let order = &shown["order"];
        let more = order["more_leases"].as_array().into_iter().flatten();
        let all = std::iter::once(&order["lease_id"]).chain(more);
        Ok((order["state"] == "leased").then(|| all.map(number).collect::<Result<Vec<_>>>()))
    })??;
    for lease in &opened {
        let shown = world.tenant.ember(&["lease", "show", &lease.to_string()])?;
        let lease_of = &shown["lease"];
        let who = lease_of["provider"].as_str().context("no provider")?;
        say(&format!(
            "matched: lease {lease} of {} at rate {} is open",
            world.name_of(who),
            lease_of["rate"]
        ));
    }
    Ok(opened)
}
