//! `PlaceBid`, `WithdrawBid`, `AcceptBid`, and the end of an auction.

use cosmwasm_std::{Uint128, coin};
use ember_testing::{
    Settings, Suite,
    suite::{NATIVE, USDC, any_gpu, refused},
};
use ember_types::{
    ids::{BidId, OrderId},
    lease::{BidState, LeaseState, OrderState},
    market::{BidResponse, ExecuteMsg, QueryMsg},
    money::Rate,
    pricing::{PricingMode, reverse_auction::ReverseAuction},
    registry,
    resources::ResourceSpec,
};

fn get(suite: &Suite, bid_id: BidId) -> BidResponse {
    suite.ask_market(&QueryMsg::Bid { bid_id }).unwrap()
}

#[test]
fn the_lowest_bid_wins_in_the_block_that_reaches_the_close() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let providers: Vec<_> = (0..4)
        .map(|i| suite.provider(&format!("p{i}"), 1))
        .collect();
    let had: Vec<_> = providers.iter().map(|p| suite.balance(p, USDC)).collect();
    let order_id = suite.auction(&tenant, 50_000, USDC);
    let rates = [7_000_000, 3_000_000, 3_000_000, 5_000_000];
    let ids: Vec<_> = providers
        .iter()
        .zip(rates)
        .map(|(p, rate)| suite.bid(p, order_id, rate).unwrap())
        .collect();
    assert_eq!(suite.order(order_id).unwrap().open_bids, 4);

    suite.wait(99);
    assert_eq!(suite.order(order_id).unwrap().state, OrderState::Open);
    suite.wait(1);
    let o = suite.order(order_id).unwrap();
    assert_eq!((o.state, o.open_bids), (OrderState::Leased, 0));
    let lease = suite.lease(o.lease_id.unwrap());
    // Among equals the oldest.
    assert_eq!(lease.provider, providers[1]);
    assert_eq!(lease.rate, Rate::new(3_000_000));
    assert_eq!(lease.opened_at.seconds(), suite.now());
    assert_eq!(lease.ends_at.seconds(), suite.now() + 3_600);
    for (i, id) in ids.iter().enumerate() {
        let bid = get(&suite, *id);
        let expected = if i == 1 {
            BidState::Won
        } else {
            BidState::Lost
        };
        assert_eq!((bid.state, bid.deposit), (expected, Uint128::zero()));
        assert_eq!(suite.balance(&providers[i], USDC), had[i], "deposit of {i}");
    }
    suite.check_books().unwrap();
}

#[test]
fn without_a_bid_the_order_closes_and_the_money_returns() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let order_id = suite.auction(&tenant, 50_000, NATIVE);
    suite.wait(100);
    assert_eq!(suite.order(order_id).unwrap().state, OrderState::Closed);
    assert_eq!(suite.balance(&tenant, NATIVE), 100_000);
    suite.check_books().unwrap();
}

#[test]
fn a_winner_that_cannot_serve_any_more_is_passed_over() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let (a, b, c) = (
        suite.provider("a", 1),
        suite.provider("b", 1),
        suite.provider("c", 1),
    );
    let order_id = suite.auction(&tenant, 50_000, USDC);
    for (p, rate) in [(&a, 1), (&b, 2), (&c, 3)] {
        suite.bid(p, order_id, rate).unwrap();
    }
    let leave = registry::ExecuteMsg::UnregisterProvider {};
    suite.registry(&a, &leave, &[]).unwrap();
    let unbond = registry::ExecuteMsg::Unbond {
        amount: Uint128::new(2_000_001),
    };
    suite.registry(&b, &unbond, &[]).unwrap();
    suite.wait(100);
    let lease_id = suite.order(order_id).unwrap().lease_id.unwrap();
    assert_eq!(suite.lease(lease_id).provider, c);
    suite.check_books().unwrap();
}

#[test]
fn a_bid_needs_a_provider_with_bond_devices_and_region() {
    let mut suite = Suite::new();
    let (tenant, stranger) = (
        suite.rich("tenant", 100_000),
        suite.rich("stranger", 10_000),
    );
    let provider = suite.provider("p", 2);
    let mut order = |change: &dyn Fn(&mut ResourceSpec)| {
        let mut spec = any_gpu(1);
        change(&mut spec);
        let closes_at = suite.now() + 100;
        let mode = PricingMode::ReverseAuction(ReverseAuction { closes_at });
        let funds = [coin(1_000, NATIVE)];
        let answer = suite.create_order(&tenant, spec, mode, (100, NATIVE), 60, &funds);
        answer.unwrap().order_id
    };
    let cases = [
        (
            order(&|s| s.units = 3),
            "3 matching devices are needed, it has 2",
        ),
        (order(&|s| s.gpu.min_vram_mib = 4_096), "it has 0"),
        (
            order(&|s| s.gpu.region = Some("us".into())),
            "the order asks for region \"us\", its region is \"eu\"",
        ),
        (
            order(&|s| s.gpu.min_bond = Uint128::new(3_000_001)),
            "a bond of 3000001, its bond is 3000000",
        ),
    ];
    let fits = order(&|s| {
        s.units = 2;
        s.gpu.region = Some("eu".into());
        s.gpu.model = Some("mesa/lavapipe".into());
        s.gpu.min_bond = Uint128::new(3_000_000);
    });
    for (order_id, text) in cases {
        refused(suite.bid(&provider, order_id, 1), text);
    }
    refused(suite.bid(&stranger, fits, 1), "not a registered provider");
    suite.bid(&provider, fits, 1).unwrap();
    let unbond = registry::ExecuteMsg::Unbond {
        amount: Uint128::new(2_500_000),
    };
    suite.registry(&provider, &unbond, &[]).unwrap();
    refused(
        suite.bid(&provider, fits, 1),
        "its bond of 500000 is below the registry's least bond",
    );
}

#[test]
fn a_bid_above_the_ceiling_is_refused_with_both_numbers() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let order_id = suite.auction(&tenant, 50_000, USDC);
    refused(
        suite.bid(&provider, order_id, 10_000_001),
        "rate 10000001 is above the ceiling 10000000",
    );
    suite.bid(&provider, order_id, 10_000_000).unwrap();
}

#[test]
fn the_bid_deposit_is_exact() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let order_id = suite.auction(&tenant, 50_000, USDC);
    let rate = Rate::new(1);
    let msg = ExecuteMsg::PlaceBid {
        order_id,
        rate,
        units: None,
        score: None,
    };
    refused(
        suite.market(&provider, &msg, &[]),
        "expected one coin of uusdc",
    );
    refused(
        suite.market(&provider, &msg, &[coin(500, NATIVE)]),
        "expected one coin of uusdc, got 500uember",
    );
    for wrong in [499, 501] {
        refused(
            suite.market(&provider, &msg, &[coin(wrong, USDC)]),
            "expected exactly 500uusdc",
        );
    }
    suite.market(&provider, &msg, &[coin(500, USDC)]).unwrap();
    assert_eq!(suite.ledger(USDC).bid_deposits, Uint128::new(500));
    suite.check_books().unwrap();
}

#[test]
fn where_the_schedule_asks_no_deposit_none_is_taken() {
    let mut settings = Settings::default();
    settings.fees[0].bid_deposit = Uint128::zero();
    let mut suite = Suite::with(&settings);
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let order_id = suite.auction(&tenant, 50_000, USDC);
    let rate = Rate::new(1);
    let msg = ExecuteMsg::PlaceBid {
        order_id,
        rate,
        units: None,
        score: None,
    };
    refused(
        suite.market(&provider, &msg, &[coin(1, USDC)]),
        "expected no funds",
    );
    suite.market(&provider, &msg, &[]).unwrap();
    suite.wait(100);
    suite.check_books().unwrap();
}

#[test]
fn a_second_bid_replaces_the_first() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let order_id = suite.auction(&tenant, 50_000, USDC);
    let first = suite.bid(&provider, order_id, 5).unwrap();
    let second = suite.bid(&provider, order_id, 9).unwrap();
    assert_eq!(get(&suite, first).state, BidState::Withdrawn);
    assert_eq!(get(&suite, second).state, BidState::Open);
    assert_eq!(suite.order(order_id).unwrap().open_bids, 1);
    assert_eq!(suite.ledger(USDC).bid_deposits, Uint128::new(500));
    suite.check_books().unwrap();
}

#[test]
fn a_better_bid_replaces_the_worst_of_a_full_book() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let order_id = suite.auction(&tenant, 50_000, USDC);
    let rates = [50, 40, 50, 20, 10];
    let ids: Vec<_> = rates
        .iter()
        .enumerate()
        .map(|(i, rate)| {
            let p = suite.provider(&format!("p{i}"), 1);
            suite.bid(&p, order_id, *rate).unwrap()
        })
        .collect();
    let late = suite.provider("late", 1);
    let had = suite.balance(&late, USDC);
    refused(
        suite.bid(&late, order_id, 50),
        "has its 5 bids: expected a rate below the worst, 50, got 50",
    );
    suite.bid(&late, order_id, 49).unwrap();
    // The newest among the dearest.
    assert_eq!(get(&suite, ids[2]).state, BidState::Lost);
    assert_eq!(get(&suite, ids[0]).state, BidState::Open);
    assert_eq!(suite.order(order_id).unwrap().open_bids, 5);
    assert_eq!(suite.balance(&late, USDC), had - 500);
    // One that is in the book already needs no place in it.
    suite.bid(&late, order_id, 60).unwrap();
    assert_eq!(suite.order(order_id).unwrap().open_bids, 5);
    suite.check_books().unwrap();
}

#[test]
fn a_bid_is_withdrawn_by_its_provider_only() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let had = suite.balance(&provider, USDC);
    let order_id = suite.auction(&tenant, 50_000, USDC);
    let bid_id = suite.bid(&provider, order_id, 5).unwrap();
    let msg = ExecuteMsg::WithdrawBid { bid_id };
    refused(suite.market(&tenant, &msg, &[]), "only the bidder");
    suite.market(&provider, &msg, &[]).unwrap();
    assert_eq!(suite.balance(&provider, USDC), had);
    assert_eq!(get(&suite, bid_id).state, BidState::Withdrawn);
    refused(
        suite.market(&provider, &msg, &[]),
        "bid 1: expected it Open, it is Withdrawn",
    );
    let bid_id = BidId(7);
    refused(
        suite.market(&provider, &ExecuteMsg::WithdrawBid { bid_id }, &[]),
        "no bid 7",
    );
    suite.check_books().unwrap();
}

#[test]
fn the_tenant_may_accept_any_bid_early() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let (a, b) = (suite.provider("a", 1), suite.provider("b", 1));
    let order_id = suite.auction(&tenant, 50_000, USDC);
    let cheap = suite.bid(&a, order_id, 5).unwrap();
    let liked = suite.bid(&b, order_id, 9).unwrap();
    let accept = |bid_id| ExecuteMsg::AcceptBid { bid_id };
    refused(suite.market(&b, &accept(liked), &[]), "only the tenant");
    suite.market(&tenant, &accept(liked), &[]).unwrap();
    let o = suite.order(order_id).unwrap();
    let lease = suite.lease(o.lease_id.unwrap());
    assert_eq!((lease.provider, lease.rate), (b, Rate::new(9)));
    assert_eq!(lease.state, LeaseState::Active);
    assert_eq!(get(&suite, cheap).state, BidState::Lost);
    refused(suite.market(&tenant, &accept(cheap), &[]), "it is Leased");
    suite.check_books().unwrap();
}

#[test]
fn a_bid_whose_provider_left_cannot_be_accepted() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let order_id = suite.auction(&tenant, 50_000, USDC);
    let bid_id = suite.bid(&provider, order_id, 5).unwrap();
    let leave = registry::ExecuteMsg::UnregisterProvider {};
    suite.registry(&provider, &leave, &[]).unwrap();
    refused(
        suite.market(&tenant, &ExecuteMsg::AcceptBid { bid_id }, &[]),
        "not a registered provider",
    );
    // Its deposit still comes back.
    let had = suite.balance(&provider, USDC);
    suite
        .market(&provider, &ExecuteMsg::WithdrawBid { bid_id }, &[])
        .unwrap();
    assert_eq!(suite.balance(&provider, USDC), had + 500);
}

#[test]
fn after_the_close_nobody_moves_until_the_hook_has_drawn_the_winner() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let order_id = suite.auction(&tenant, 50_000, USDC);
    let bid_id = suite.bid(&provider, order_id, 5).unwrap();
    suite.pass(100);
    refused(
        suite.bid(&provider, order_id, 4),
        "the auction of order 1 closed at",
    );
    for (who, msg) in [
        (&provider, ExecuteMsg::WithdrawBid { bid_id }),
        (&tenant, ExecuteMsg::AcceptBid { bid_id }),
        (&tenant, ExecuteMsg::CloseOrder { order_id }),
    ] {
        refused(
            suite.market(who, &msg, &[]),
            "the auction of order 1 closed at",
        );
    }
    suite.end_block();
    assert_eq!(suite.order(order_id).unwrap().state, OrderState::Leased);
}

#[test]
fn market_orders_take_no_bids() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    suite.ask(&provider, 1, USDC, 5).unwrap();
    let order_id = suite.buy(&tenant, 1, 50_000, USDC).unwrap().order_id;
    assert_eq!(order_id, OrderId(1));
    refused(suite.bid(&provider, order_id, 4), "it is Leased");
}
