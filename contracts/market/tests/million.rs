//! A million random messages in every default run: whatever accounts, time and a forgetful chain do, every micro-unit
//! is accounted for, states take legal steps only, nobody moves what is not theirs, replayed hooks change nothing, and
//! settling often pays what settling once pays.
//!
//! `EMBER_SEED=n` runs the one history of that seed, `EMBER_OPERATIONS=n` another number of messages.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "million/draw.rs"]
mod draw;
#[path = "million/rules.rs"]
mod rules;
#[path = "million/world.rs"]
mod world;

use cosmwasm_std::Addr;
use ember_testing::events::Seen;
use ember_types::{events::Emitter, market::ExecuteMsg, registry};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};
use world::{DENOMS, Op, Totals, World};

const OPERATIONS: u64 = 1_000_000;
/// Messages of one history: long enough for orders, leases and their ends to pile up.
const HISTORY: u64 = 2_000;
const CHECK_EVERY: u64 = 250;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}: expected a number, got \"{text}\"")),
    )
}

/// Runs `history` of a seed; a panic names the seed and the message.
fn named<T>(seed: u64, at: &mut (u64, String), history: impl FnOnce(&mut (u64, String)) -> T) -> T {
    catch_unwind(AssertUnwindSafe(|| history(at))).unwrap_or_else(|panic| {
        eprintln!(
            "FAILED: EMBER_SEED={seed}, message {} of its history: {}",
            at.0, at.1
        );
        resume_unwind(panic)
    })
}

/// Everything ends: nothing is left in the market.
fn drain(w: &mut World) {
    for _ in 0..4 {
        w.take(&Op::Block(40_000_000));
    }
    rules::everything(w);
    assert!(
        w.orders.is_empty() && w.leases.is_empty() && w.bids.is_empty(),
        "something never ends"
    );
    for denom in DENOMS {
        assert_eq!(
            w.bare.bank.balance(&w.bare.market, denom),
            0,
            "{denom} left behind"
        );
    }
}

fn history(seed: u64, operations: u64) -> (Totals, Seen) {
    named(seed, &mut (0, String::new()), |at| {
        let mut w = World::new(seed);
        for n in 1..=operations {
            let op = w.draw();
            *at = (n, format!("{op:?}"));
            w.take(&op);
            if n % CHECK_EVERY == 0 {
                rules::everything(&w);
            }
        }
        let totals = w.totals.clone();
        drain(&mut w);
        (totals, w.bare.seen)
    })
}

/// A history of a market that the registry does not listen to any more.
fn unheard(seed: u64) -> Seen {
    let mut w = World::new(seed);
    let (authority, stranger) = (w.bare.authority.clone(), w.bare.account("stranger"));
    let update = registry::ConfigUpdate {
        market: Some(stranger.to_string()),
        ..registry::ConfigUpdate::default()
    };
    let update = registry::ExecuteMsg::UpdateConfig(update);
    w.bare.registry(&authority, update, &[]).unwrap();
    named(seed, &mut (0, String::new()), |at| {
        for n in 1..=HISTORY {
            let op = w.draw();
            *at = (n, format!("{op:?}"));
            w.take(&op);
        }
        drain(&mut w);
    });
    w.bare.seen
}

#[test]
fn a_million_random_messages_break_nothing() {
    let seeds = match number("EMBER_SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            0..number("EMBER_OPERATIONS")
                .unwrap_or(OPERATIONS)
                .div_ceil(HISTORY)
        }
    };
    let (mut totals, mut seen) = (Totals::default(), Seen::default());
    for seed in seeds.clone() {
        let (taken, emitted) = history(seed, HISTORY);
        totals.add(&taken);
        seen.add(&emitted);
    }
    println!("| message | taken | refused |\n|---|---|---|");
    for (kind, (taken, refused)) in &totals.0 {
        println!("| `{kind}` | {taken} | {refused} |");
    }
    println!("| **{}** | | |", totals.all());
    if seeds.end - seeds.start < 10 {
        return;
    }
    for message in messages() {
        let (taken, refused) = totals.0.get(&message).copied().unwrap_or_default();
        assert!(
            taken > 0 && refused > 0,
            "{message}: draw.rs must draw it, both right and wrong: {taken} taken, {refused} refused"
        );
    }
    seen.add(&unheard(seeds.end));
    let missing = seen.missing(Emitter::Market);
    assert!(
        missing.is_empty(),
        "documented, and never emitted: {missing:#?}"
    );
}

/// The names of the market's messages, from their schema.
fn messages() -> Vec<String> {
    let schema = serde_json::to_value(cosmwasm_schema::schema_for!(ExecuteMsg)).unwrap();
    let variants = schema["oneOf"].as_array().unwrap();
    variants
        .iter()
        .map(|v| v["required"][0].as_str().unwrap().to_owned())
        .collect()
}

/// Who has what, and how every lease ended.
fn outcome(w: &World) -> (BTreeMap<(Addr, &'static str), u128>, Vec<String>) {
    let everyone = w
        .people
        .iter()
        .chain([&w.bare.fee_collector, &w.bare.market, &w.bare.registry]);
    let balances =
        everyone.flat_map(|a| DENOMS.map(|d| ((a.clone(), d), w.bare.bank.balance(a, d))));
    let leases = (1..).map_while(|id| w.lease(id));
    (
        balances.collect(),
        leases
            .map(|l| {
                format!(
                    "{:?} {:?} {} {}",
                    l.closed_at, l.close_reason, l.gross, l.fee
                )
            })
            .collect(),
    )
}

/// The same history with every settlement and withdrawal, and with none. The hook comes in every block here: who books
/// a step that time brought long ago gives units back to their ask, which others see.
#[test]
fn settling_often_pays_what_settling_once_pays() {
    let seeds = number("EMBER_SEED").map_or(1_000_000..1_000_040, |s| s..s + 1);
    let mut settled = 0;
    for seed in seeds {
        named(seed, &mut (0, String::new()), |at| {
            let (mut often, mut once) = (World::new(seed), World::new(seed));
            for n in 1..=1_000 {
                let op = match often.draw() {
                    Op::Pass(secs) => Op::Block(secs),
                    op => op,
                };
                *at = (n, format!("{op:?}"));
                let taken = often.take(&op);
                if matches!(
                    op,
                    Op::Market(
                        _,
                        ExecuteMsg::Settle { .. } | ExecuteMsg::Withdraw { .. },
                        _
                    )
                ) {
                    settled += u64::from(taken);
                } else {
                    assert_eq!(once.take(&op), taken, "settling changed what may be done");
                }
            }
            drain(&mut often);
            drain(&mut once);
            assert_eq!(outcome(&often), outcome(&once));
        });
    }
    println!("{settled} settlements and withdrawals made no difference");
    assert!(settled > 0);
}
