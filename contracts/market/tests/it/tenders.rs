//! `CommitBid`, `RevealBid`, and the end of a sealed tender.

use cosmwasm_std::{Addr, Binary, Uint128, coin};
use cw_multi_test::AppResponse;
use ember_testing::{
    Settings, Suite,
    suite::{USDC, any_gpu, attribute, refused},
};
use ember_types::{
    ids::{BidId, OrderId},
    lease::{BidState, OrderState},
    market::{BidResponse, ExecuteMsg, QueryMsg},
    money::Rate,
    pricing::{
        PricingMode,
        sealed_tender::{PriceRule, SealedTender, commitment},
    },
};

const CEILING: u128 = 10_000_000;
const SALT: [u8; 32] = [7; 32];

/// 100 seconds to commit, 50 to reveal.
fn tender(suite: &mut Suite, tenant: &Addr, rule: PriceRule) -> OrderId {
    let commit_until = suite.now() + 100;
    let mode = PricingMode::SealedTender(SealedTender {
        commit_until,
        reveal_until: commit_until + 50,
        rule,
    });
    let funds = [coin(50_000, USDC)];
    suite
        .create_order(tenant, any_gpu(1), mode, (CEILING, USDC), 3_600, &funds)
        .unwrap()
        .order_id
}

fn commit(suite: &mut Suite, who: &Addr, order_id: OrderId, rate: u128) -> anyhow::Result<BidId> {
    let hash = commitment(order_id, who, Rate::new(rate), &SALT);
    let commitment = Binary::from(hash);
    let msg = ExecuteMsg::CommitBid {
        order_id,
        commitment,
        units: None,
    };
    let answer = suite.market(who, &msg, &[coin(500, USDC)])?;
    Ok(BidId(attribute(&answer, "wasm-bid_committed", "bid_id")?))
}

fn reveal(suite: &mut Suite, who: &Addr, bid_id: BidId, rate: u128) -> anyhow::Result<AppResponse> {
    let msg = ExecuteMsg::RevealBid {
        bid_id,
        rate: Rate::new(rate),
        salt: SALT.into(),
    };
    suite.market(who, &msg, &[])
}

fn get(suite: &Suite, bid_id: BidId) -> BidResponse {
    suite.ask_market(&QueryMsg::Bid { bid_id }).unwrap()
}

fn providers(suite: &mut Suite, n: usize) -> Vec<Addr> {
    (0..n)
        .map(|i| suite.provider(&format!("p{i}"), 1))
        .collect()
}

#[test]
fn the_cheapest_revealed_bid_wins_and_is_paid_by_the_rule() {
    for (rule, paid) in [
        (PriceRule::FirstPrice, 3_000_000),
        (PriceRule::SecondPrice, 5_000_000),
    ] {
        let mut suite = Suite::new();
        let tenant = suite.rich("tenant", 100_000);
        let who = providers(&mut suite, 3);
        let order_id = tender(&mut suite, &tenant, rule);
        let rates = [7_000_000, 3_000_000, 5_000_000];
        let had: Vec<_> = who.iter().map(|p| suite.balance(p, USDC)).collect();
        let ids: Vec<_> = (0..3)
            .map(|i| commit(&mut suite, &who[i], order_id, rates[i]).unwrap())
            .collect();
        let bid = get(&suite, ids[0]);
        assert_eq!((bid.state, bid.rate), (BidState::Sealed, Rate::new(0)));
        assert_eq!(bid.commitment.unwrap().len(), 32);
        suite.check_books().unwrap();
        suite.wait(100);
        for i in 0..3 {
            reveal(&mut suite, &who[i], ids[i], rates[i]).unwrap();
            assert_eq!(get(&suite, ids[i]).rate, Rate::new(rates[i]));
        }
        suite.wait(49);
        assert_eq!(suite.order(order_id).unwrap().state, OrderState::Open);
        suite.wait(1);
        let o = suite.order(order_id).unwrap();
        assert_eq!((o.state, o.open_bids), (OrderState::Leased, 0));
        let lease = suite.lease(o.lease_id.unwrap());
        assert_eq!((&lease.provider, lease.rate), (&who[1], Rate::new(paid)));
        for i in 0..3 {
            assert_eq!(suite.balance(&who[i], USDC), had[i], "deposit of {i}");
        }
        suite.check_books().unwrap();
    }
}

#[test]
fn who_does_not_reveal_forfeits_and_a_lone_second_price_is_the_ceiling() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let who = providers(&mut suite, 2);
    let order_id = tender(&mut suite, &tenant, PriceRule::SecondPrice);
    let silent = commit(&mut suite, &who[0], order_id, 1).unwrap();
    let told = commit(&mut suite, &who[1], order_id, 4_000_000).unwrap();
    let had = [0, 1].map(|i| suite.balance(&who[i], USDC));
    let collected = suite.balance(&suite.fee_collector, USDC);
    suite.wait(100);
    reveal(&mut suite, &who[1], told, 4_000_000).unwrap();
    suite.wait(50);
    let lease_id = suite.order(order_id).unwrap().lease_id.unwrap();
    let lease = suite.lease(lease_id);
    assert_eq!((&lease.provider, lease.rate), (&who[1], Rate::new(CEILING)));
    let bid = get(&suite, silent);
    assert_eq!(
        (bid.state, bid.deposit),
        (BidState::Forfeited, Uint128::zero())
    );
    assert_eq!(suite.balance(&who[0], USDC), had[0]);
    assert_eq!(suite.balance(&who[1], USDC), had[1] + 500);
    assert_eq!(suite.balance(&suite.fee_collector, USDC), collected + 500);
    suite.check_books().unwrap();
}

#[test]
fn with_no_reveal_the_tenant_gets_everything_back() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let who = providers(&mut suite, 1);
    let before = suite.balance(&tenant, USDC);
    let order_id = tender(&mut suite, &tenant, PriceRule::FirstPrice);
    let kept = suite.balance(&suite.fee_collector, USDC);
    commit(&mut suite, &who[0], order_id, 1).unwrap();
    suite.wait(150);
    assert_eq!(suite.order(order_id).unwrap().state, OrderState::Closed);
    // The reservation fee of the deposit stays with the chain.
    assert_eq!(suite.balance(&tenant, USDC), before - kept);
    assert_eq!(suite.balance(&suite.market, USDC), 0);
    suite.check_books().unwrap();
}

#[test]
fn only_who_can_serve_sets_the_second_price() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let who = providers(&mut suite, 3);
    let order_id = tender(&mut suite, &tenant, PriceRule::SecondPrice);
    let rates = [2_000_000, 3_000_000, 9_000_000];
    let ids: Vec<_> = (0..3)
        .map(|i| commit(&mut suite, &who[i], order_id, rates[i]).unwrap())
        .collect();
    suite.wait(100);
    for i in 0..3 {
        reveal(&mut suite, &who[i], ids[i], rates[i]).unwrap();
    }
    let leave = ember_types::registry::ExecuteMsg::UnregisterProvider {};
    suite.registry(&who[1], &leave, &[]).unwrap();
    suite.wait(50);
    let lease = suite.lease(suite.order(order_id).unwrap().lease_id.unwrap());
    assert_eq!(
        (&lease.provider, lease.rate),
        (&who[0], Rate::new(9_000_000))
    );
}

#[test]
fn a_commitment_can_be_replaced_and_taken_back_until_the_window_ends() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let who = providers(&mut suite, 1);
    let had = suite.balance(&who[0], USDC);
    let order_id = tender(&mut suite, &tenant, PriceRule::FirstPrice);
    let first = commit(&mut suite, &who[0], order_id, 1).unwrap();
    let second = commit(&mut suite, &who[0], order_id, 2).unwrap();
    assert_eq!(get(&suite, first).state, BidState::Withdrawn);
    assert_eq!(suite.order(order_id).unwrap().open_bids, 1);
    let withdraw = |bid_id| ExecuteMsg::WithdrawBid { bid_id };
    suite.market(&who[0], &withdraw(second), &[]).unwrap();
    assert_eq!(suite.balance(&who[0], USDC), had);
    let third = commit(&mut suite, &who[0], order_id, 3).unwrap();
    suite.wait(100);
    let late = "took commitments until";
    refused(suite.market(&who[0], &withdraw(third), &[]), late);
    refused(commit(&mut suite, &who[0], order_id, 4), late);
    let close = ExecuteMsg::CloseOrder { order_id };
    refused(suite.market(&tenant, &close, &[]), late);
    reveal(&mut suite, &who[0], third, 3).unwrap();
    // A revealed bid binds as well.
    refused(suite.market(&who[0], &withdraw(third), &[]), late);
    suite.check_books().unwrap();
}

#[test]
fn a_tender_that_its_tenant_closes_in_time_returns_all_deposits() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let who = providers(&mut suite, 2);
    let had = [0, 1].map(|i| suite.balance(&who[i], USDC));
    let order_id = tender(&mut suite, &tenant, PriceRule::FirstPrice);
    for p in &who {
        commit(&mut suite, p, order_id, 1).unwrap();
    }
    let close = ExecuteMsg::CloseOrder { order_id };
    suite.market(&tenant, &close, &[]).unwrap();
    assert_eq!([0, 1].map(|i| suite.balance(&who[i], USDC)), had);
    assert_eq!(suite.balance(&suite.market, USDC), 0);
    suite.check_books().unwrap();
}

#[test]
fn a_reveal_must_be_the_bidders_in_time_and_what_was_committed() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let who = providers(&mut suite, 2);
    let order_id = tender(&mut suite, &tenant, PriceRule::FirstPrice);
    let bid_id = commit(&mut suite, &who[0], order_id, 5).unwrap();
    let dear = commit(&mut suite, &who[1], order_id, CEILING + 1).unwrap();
    refused(reveal(&mut suite, &who[0], bid_id, 5), "takes reveals from");
    suite.wait(100);
    refused(reveal(&mut suite, &who[1], bid_id, 5), "only the bidder");
    refused(
        reveal(&mut suite, &who[0], bid_id, 6),
        "expected a rate and salt that hash to",
    );
    refused(
        reveal(&mut suite, &who[1], dear, CEILING + 1),
        "above the ceiling",
    );
    let short = ExecuteMsg::RevealBid {
        bid_id,
        rate: Rate::new(5),
        salt: Binary::from([7; 31]),
    };
    refused(
        suite.market(&who[0], &short, &[]),
        "salt: expected 32 bytes, got 31 bytes",
    );
    reveal(&mut suite, &who[0], bid_id, 5).unwrap();
    refused(
        reveal(&mut suite, &who[0], bid_id, 5),
        "expected it Sealed, it is Open",
    );
    suite.pass(50);
    refused(reveal(&mut suite, &who[1], dear, 5), "closed at");
}

#[test]
fn open_bids_and_sealed_bids_do_not_mix_and_a_tender_can_be_full() {
    let mut suite = Suite::with(&Settings {
        max_bids_per_order: 1,
        ..Settings::default()
    });
    let tenant = suite.rich("tenant", 100_000);
    let who = providers(&mut suite, 2);
    let auction = suite.auction(&tenant, 4_000, USDC);
    refused(
        commit(&mut suite, &who[0], auction, 1),
        "takes no sealed bids",
    );
    let order_id = tender(&mut suite, &tenant, PriceRule::FirstPrice);
    refused(suite.bid(&who[0], order_id, 1), "takes no bids");
    let bid_id = commit(&mut suite, &who[0], order_id, 1).unwrap();
    refused(
        suite.market(&tenant, &ExecuteMsg::AcceptBid { bid_id }, &[]),
        "lets no tenant choose",
    );
    refused(
        commit(&mut suite, &who[1], order_id, 1),
        "has its 1 sealed bids already",
    );
    // One's own commitment can be replaced all the same.
    commit(&mut suite, &who[0], order_id, 2).unwrap();
}

#[test]
fn a_copied_commitment_cannot_be_revealed_by_another() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let who = providers(&mut suite, 2);
    let order_id = tender(&mut suite, &tenant, PriceRule::FirstPrice);
    commit(&mut suite, &who[0], order_id, 5).unwrap();
    let commitment = Binary::from(commitment(order_id, &who[0], Rate::new(5), &SALT));
    let msg = ExecuteMsg::CommitBid {
        order_id,
        commitment,
        units: None,
    };
    let answer = suite.market(&who[1], &msg, &[coin(500, USDC)]).unwrap();
    let copy = BidId(attribute(&answer, "wasm-bid_committed", "bid_id").unwrap());
    suite.wait(100);
    refused(
        reveal(&mut suite, &who[1], copy, 5),
        "expected a rate and salt that hash to",
    );
}
