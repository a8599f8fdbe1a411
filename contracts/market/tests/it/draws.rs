//! Orders at a posted rate, whose provider is drawn by lot.

use cosmwasm_std::{Addr, Event, HexBinary, coin};
use ember_testing::{
    Suite,
    suite::{USDC, any_gpu, attribute, refused},
};
use ember_types::{
    ids::{BidId, OrderId},
    lease::{BidState, OrderState},
    market::{BidResponse, ExecuteMsg, QueryMsg},
    money::Rate,
    pricing::{
        PricingMode,
        sealed_tender::commitment,
        stake_weighted::{StakeWeighted, stir},
    },
    registry,
};
use std::collections::BTreeMap;

const POSTED: u128 = 10_000_000;

/// 100 seconds to commit, 50 to reveal.
fn order(suite: &mut Suite, tenant: &Addr) -> OrderId {
    let commit_until = suite.now() + 100;
    let mode = PricingMode::StakeWeighted(StakeWeighted {
        commit_until,
        reveal_until: commit_until + 50,
    });
    let funds = [coin(50_000, USDC)];
    suite
        .create_order(tenant, any_gpu(1), mode, (POSTED, USDC), 3_600, &funds)
        .unwrap()
        .order_id
}

fn enrol(
    suite: &mut Suite,
    who: &Addr,
    order_id: OrderId,
    salt: u8,
) -> anyhow::Result<(BidId, Event)> {
    let msg = ExecuteMsg::CommitBid {
        order_id,
        commitment: commitment(order_id, who, Rate::new(1), &[salt; 32]).into(),
        units: None,
    };
    let answer = suite.market(who, &msg, &[coin(500, USDC)])?;
    let id = attribute(&answer, "wasm-bid_committed", "bid_id")?;
    let event = answer.events.iter().find(|e| e.ty == "wasm-bid_committed");
    Ok((BidId(id), event.unwrap().clone()))
}

fn reveal(suite: &mut Suite, who: &Addr, bid_id: BidId, salt: u8) -> Event {
    let msg = ExecuteMsg::RevealBid {
        bid_id,
        rate: Rate::new(1),
        salt: [salt; 32].into(),
    };
    let answer = suite.market(who, &msg, &[]).unwrap();
    let event = answer.events.iter().find(|e| e.ty == "wasm-bid_revealed");
    event.unwrap().clone()
}

fn value(event: &Event, key: &str) -> String {
    let found = event.attributes.iter().find(|a| a.key == key);
    found
        .unwrap_or_else(|| panic!("{event:?} has no {key}"))
        .value
        .clone()
}

/// What anyone does who has read the events and nothing else.
fn drawn_again(order_id: OrderId, committed: &[Event], revealed: &[Event], draw: &Event) -> BidId {
    let id = |e: &Event| BidId(value(e, "bid_id").parse().unwrap());
    let weights: BTreeMap<_, u128> = committed
        .iter()
        .map(|e| (id(e), value(e, "weight").parse().unwrap()))
        .collect();
    let mut seed = [0; 32];
    for e in revealed {
        let salt = HexBinary::from_hex(&value(e, "salt")).unwrap();
        seed = stir(&seed, order_id, id(e), &salt.to_array().unwrap());
    }
    assert_eq!(HexBinary::from(seed).to_hex(), value(draw, "seed"));
    let among: Vec<BidId> = value(draw, "among")
        .split(',')
        .map(|s| BidId(s.parse().unwrap()))
        .collect();
    let total: u128 = among.iter().map(|b| weights[b]).sum();
    assert_eq!(total.to_string(), value(draw, "total"));
    // The seed modulo the total, by hand.
    let ticket = seed
        .iter()
        .fold(0, |rest, byte| (rest * 256 + u128::from(*byte)) % total);
    assert_eq!(ticket.to_string(), value(draw, "ticket"));
    let mut sum = 0;
    let mut sums = among.into_iter().map(|b| {
        sum += weights[&b];
        (b, sum)
    });
    sums.find(|(_, sum)| ticket < *sum).unwrap().0
}

#[test]
fn a_lot_is_drawn_and_anyone_can_draw_it_again() {
    let mut winners = BTreeMap::<usize, u32>::new();
    for round in 0..24_u8 {
        let mut suite = Suite::new();
        let tenant = suite.rich("tenant", 1_000_000);
        let who = ["a", "b", "c"].map(|n| suite.provider(n, 1));
        let order_id = order(&mut suite, &tenant);
        let salts = [0, 1, 2].map(|i| round * 3 + i);
        let committed: Vec<_> = who
            .iter()
            .zip(salts)
            .map(|(p, salt)| enrol(&mut suite, p, order_id, salt).unwrap())
            .collect();
        suite.wait(100);
        let mut revealed = vec![];
        for (i, (bid, _)) in committed.iter().enumerate().rev() {
            revealed.push(reveal(&mut suite, &who[i], *bid, salts[i]));
        }
        let block = suite.wait(50);
        let draw = block.events.iter().find(|e| e.ty == "wasm-draw").unwrap();
        let events: Vec<_> = committed.iter().map(|(_, e)| e.clone()).collect();
        let won = drawn_again(order_id, &events, &revealed, draw);
        let lease = suite.lease(suite.order(order_id).unwrap().lease_id.unwrap());
        let i = committed.iter().position(|(b, _)| *b == won).unwrap();
        assert_eq!(lease.provider, who[i]);
        assert_eq!(
            lease.rate,
            Rate::new(POSTED),
            "the posted rate, not the bid's"
        );
        suite.check_books().unwrap();
        *winners.entry(i).or_default() += 1;
    }
    assert_eq!(winners.len(), 3, "{winners:?}");
}

#[test]
fn bonding_late_buys_no_chance() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let a = suite.provider("a", 1);
    let order_id = order(&mut suite, &tenant);
    let (bid_id, event) = enrol(&mut suite, &a, order_id, 1).unwrap();
    let weight: u128 = value(&event, "weight").parse().unwrap();
    suite.mint(&a, 5_000_000, ember_testing::suite::NATIVE);
    let funds = [coin(5_000_000, ember_testing::suite::NATIVE)];
    suite
        .registry(&a, &registry::ExecuteMsg::Bond {}, &funds)
        .unwrap();
    let bid: BidResponse = suite.ask_market(&QueryMsg::Bid { bid_id }).unwrap();
    assert_eq!(bid.weight.u128(), weight);
    suite.wait(100);
    reveal(&mut suite, &a, bid_id, 1);
    let block = suite.wait(50);
    let draw = block.events.iter().find(|e| e.ty == "wasm-draw").unwrap();
    assert_eq!(value(draw, "total"), weight.to_string());
}

#[test]
fn who_withholds_its_salt_loses_its_lot_and_its_deposit() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let [a, b] = ["a", "b"].map(|n| suite.provider(n, 1));
    let order_id = order(&mut suite, &tenant);
    let (first, _) = enrol(&mut suite, &a, order_id, 1).unwrap();
    let (second, _) = enrol(&mut suite, &b, order_id, 2).unwrap();
    suite.wait(100);
    let close = ExecuteMsg::CloseOrder { order_id };
    refused(
        suite.market(&tenant, &close, &[]),
        "its tenant cannot close it any more",
    );
    reveal(&mut suite, &b, second, 2);
    let collected = suite.balance(&suite.fee_collector, USDC);
    suite.wait(50);
    let bid: BidResponse = suite.ask_market(&QueryMsg::Bid { bid_id: first }).unwrap();
    assert_eq!(bid.state, BidState::Forfeited);
    assert_eq!(suite.balance(&suite.fee_collector, USDC) - collected, 500);
    let lease = suite.lease(suite.order(order_id).unwrap().lease_id.unwrap());
    assert_eq!(lease.provider, b);
    suite.check_books().unwrap();
}

#[test]
fn who_is_drawn_and_cannot_serve_any_more_is_passed_over() {
    for salt in 0..8 {
        let mut suite = Suite::new();
        let tenant = suite.rich("tenant", 1_000_000);
        let [a, b] = ["a", "b"].map(|n| suite.provider(n, 1));
        let order_id = order(&mut suite, &tenant);
        let (first, _) = enrol(&mut suite, &a, order_id, salt).unwrap();
        let (second, _) = enrol(&mut suite, &b, order_id, 100 + salt).unwrap();
        suite.wait(100);
        reveal(&mut suite, &a, first, salt);
        reveal(&mut suite, &b, second, 100 + salt);
        suite
            .registry(&a, &registry::ExecuteMsg::UnregisterProvider {}, &[])
            .unwrap();
        suite.wait(50);
        let o = suite.order(order_id).unwrap();
        assert_eq!(o.state, OrderState::Leased);
        assert_eq!(suite.lease(o.lease_id.unwrap()).provider, b);
        suite.check_books().unwrap();
    }
}
