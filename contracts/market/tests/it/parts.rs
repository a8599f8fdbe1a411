//! Orders that several providers fill: partial fills of `market` orders, and clusters.

use cosmwasm_std::{Addr, coin};
use ember_testing::{
    Suite,
    suite::{USDC, any_gpu, attribute, refused},
};
use ember_types::{
    ids::{BidId, LeaseId, OrderId},
    lease::{BidState, CloseReason, LeaseState, OrderState},
    market::{BidResponse, Ceiling, ExecuteMsg, LeaseResponse, OrderResponse, QueryMsg, Terms},
    money::Rate,
    pricing::{
        PricingMode,
        cluster::{Cluster, ClusterPricing},
        market::Market,
        reverse_auction::ReverseAuction,
        sealed_tender::{PriceRule, SealedTender, commitment},
    },
};

const TERM: u64 = 1_000;
const PARTIAL: PricingMode = PricingMode::Market(Market { partial: true });
const SALT: [u8; 32] = [3; 32];

fn cluster(of: ClusterPricing) -> PricingMode {
    PricingMode::Cluster(Cluster { of })
}

/// At 10 micro-units a second a unit at most.
fn order(
    suite: &mut Suite,
    (tenant, deposit): (&Addr, u128),
    units: u32,
    pricing: PricingMode,
    relist: bool,
) -> anyhow::Result<OrderId> {
    let msg = ExecuteMsg::CreateOrder {
        resources: any_gpu(units),
        pricing,
        ceiling: Ceiling {
            denom: USDC.into(),
            rate: Rate::new(10_000_000),
        },
        max_duration_secs: TERM,
        terms: Terms {
            relist,
            ..Terms::default()
        },
    };
    let answer = suite.market(tenant, &msg, &[coin(deposit, USDC)])?;
    Ok(OrderId(attribute(
        &answer,
        "wasm-order_created",
        "order_id",
    )?))
}

fn leases(suite: &Suite, id: OrderId) -> Vec<LeaseResponse> {
    let o: OrderResponse = suite.order(id).unwrap();
    let ids = o.lease_id.into_iter().chain(o.more_leases);
    ids.map(|id| suite.lease(id)).collect()
}

/// Provider and units of each.
fn parts(suite: &Suite, id: OrderId) -> Vec<(Addr, u32)> {
    let parts = leases(suite, id).into_iter();
    parts.map(|l| (l.provider, l.resources.units)).collect()
}

fn bid(
    suite: &mut Suite,
    who: &Addr,
    id: OrderId,
    rate: u128,
    units: u32,
) -> anyhow::Result<BidId> {
    let msg = ExecuteMsg::PlaceBid {
        order_id: id,
        rate: Rate::new(rate),
        units: Some(units),
        score: None,
    };
    let answer = suite.market(who, &msg, &[coin(500, USDC)])?;
    Ok(BidId(attribute(&answer, "wasm-bid_placed", "bid_id")?))
}

fn close(suite: &mut Suite, who: &Addr, lease_id: LeaseId) {
    suite
        .market(who, &ExecuteMsg::CloseLease { lease_id }, &[])
        .unwrap();
}

fn three(suite: &mut Suite, devices: usize) -> [Addr; 3] {
    ["a", "b", "c"].map(|name| suite.provider(name, devices))
}

#[test]
fn a_partial_order_takes_the_cheapest_units_there_are() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let [a, b, c] = three(&mut suite, 3);
    suite.ask(&a, 2, USDC, 5_000_000).unwrap();
    suite.ask(&b, 3, USDC, 3_000_000).unwrap();
    suite.ask(&c, 3, USDC, 11_000_000).unwrap();
    let with = |n| (&tenant, n);
    let id = order(&mut suite, with(100_000), 4, PARTIAL, false).unwrap();
    assert_eq!(parts(&suite, id), [(b.clone(), 3), (a.clone(), 1)]);
    // One unit is left below the ceiling: better than none, and the other two are dropped.
    let rest = order(&mut suite, with(100_000), 3, PARTIAL, false).unwrap();
    assert_eq!(parts(&suite, rest), [(a.clone(), 1)]);
    let none = order(&mut suite, with(100_000), 3, PARTIAL, false);
    refused(none, "no standing ask in uusdc");
    // Each pays its own rate, out of one escrow: 3 x 3 + 1 x 5 micro-units a second.
    let had = [&a, &b].map(|p| suite.balance(p, USDC));
    let before = suite.balance(&tenant, USDC);
    suite.wait(TERM);
    let got = [&a, &b].map(|p| suite.balance(p, USDC));
    // A fifth is the fee; `a` serves the other order too.
    assert_eq!([got[0] - had[0], got[1] - had[1]], [8_000, 7_200]);
    let e = suite.escrow(id);
    assert_eq!((e.paid.u128(), e.held.u128()), (11_200, 0));
    assert_eq!(suite.order(id).unwrap().state, OrderState::Closed);
    assert_eq!(
        suite.balance(&tenant, USDC) - before,
        2 * 99_750 - 14_000 - 5_000
    );
    suite.check_books().unwrap();
}

#[test]
fn parts_of_who_cannot_serve_any_more_come_from_further_back_in_the_book() {
    let whole = cluster(ClusterPricing::Market(Market::default()));
    for mode in [PARTIAL, whole] {
        let mut suite = Suite::new();
        let tenant = suite.rich("tenant", 1_000_000);
        let [a, b, c] = three(&mut suite, 3);
        suite.ask(&a, 2, USDC, 1_000_000).unwrap();
        suite.ask(&b, 1, USDC, 2_000_000).unwrap();
        suite.ask(&a, 1, USDC, 2_500_000).unwrap();
        suite.ask(&c, 3, USDC, 3_000_000).unwrap();
        let leave = ember_types::registry::ExecuteMsg::UnregisterProvider {};
        suite.registry(&a, &leave, &[]).unwrap();
        let id = order(&mut suite, (&tenant, 100_000), 3, mode, false).unwrap();
        assert_eq!(parts(&suite, id), [(b, 1), (c, 2)]);
        suite.check_books().unwrap();
    }
}

#[test]
fn what_runs_together_runs_dry_together_and_comes_back_together() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let [a, b, _] = three(&mut suite, 3);
    suite.ask(&a, 1, USDC, 3_000_000).unwrap();
    suite.ask(&b, 1, USDC, 4_000_000).unwrap();
    let id = order(&mut suite, (&tenant, 1_006), 2, PARTIAL, false).unwrap();
    let free = suite.escrow(id).held.u128();
    let secs = u64::try_from(free / 7).unwrap();
    suite.wait(secs - 1);
    assert!(
        leases(&suite, id)
            .iter()
            .all(|l| l.state == LeaseState::Active)
    );
    suite.wait(1);
    let states: Vec<_> = leases(&suite, id)
        .iter()
        .map(|l| (l.state, l.suspended_at))
        .collect();
    assert_eq!(states[0], states[1]);
    assert_eq!(states[0].0, LeaseState::Suspended);
    // On a shortfall everybody is paid for the same seconds.
    let e = suite.escrow(id);
    let accrued: Vec<_> = e.leases.iter().map(|l| l.accrued.u128()).collect();
    assert_eq!(accrued, [u128::from(secs) * 3, u128::from(secs) * 4]);
    // What is left pays a second of one, so without the dearer one the cheaper goes on.
    assert!(free % 7 >= 3, "{free}");
    let dear = leases(&suite, id)[1].id;
    close(&mut suite, &b, dear);
    assert_eq!(leases(&suite, id)[0].state, LeaseState::Active);
    suite.wait(5);
    assert_eq!(leases(&suite, id)[0].state, LeaseState::Suspended);
    let deposit = ExecuteMsg::Deposit { order_id: id };
    suite
        .market(&tenant, &deposit, &[coin(1_000, USDC)])
        .unwrap();
    assert_eq!(leases(&suite, id)[0].state, LeaseState::Active);
    suite.check_books().unwrap();
    suite.wait(TERM);
    assert_eq!(suite.order(id).unwrap().state, OrderState::Closed);
    suite.check_books().unwrap();
}

#[test]
fn a_part_whose_provider_leaves_crosses_again_and_the_others_go_on() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let [a, b, c] = three(&mut suite, 3);
    suite.ask(&a, 1, USDC, 3_000_000).unwrap();
    suite.ask(&b, 2, USDC, 4_000_000).unwrap();
    let id = order(&mut suite, (&tenant, 500_000), 3, PARTIAL, true).unwrap();
    let ends_at = leases(&suite, id)[0].ends_at;
    suite.wait(10);
    let second = leases(&suite, id)[1].id;
    close(&mut suite, &b, second);
    suite.ask(&c, 1, USDC, 5_000_000).unwrap();
    suite.end_block();
    // Not from `b`, whose ask has its units back; one of the two cannot be had.
    let now = leases(&suite, id);
    let got: Vec<_> = now
        .iter()
        .map(|l| (&l.provider, l.resources.units, l.state))
        .collect();
    assert_eq!(
        got,
        [
            (&a, 1, LeaseState::Active),
            (&b, 2, LeaseState::Closed),
            (&c, 1, LeaseState::Active)
        ]
    );
    assert!(now.iter().all(|l| l.ends_at == ends_at));
    // The last two leave: the order opens again for what it lost, finds nobody, and gives the rest back.
    close(&mut suite, &a, now[0].id);
    close(&mut suite, &c, now[2].id);
    let o = suite.order(id).unwrap();
    assert_eq!((o.state, o.resources.units), (OrderState::Open, 2));
    suite.end_block();
    assert_eq!(suite.order(id).unwrap().state, OrderState::Closed);
    assert_eq!(suite.escrow(id).held.u128(), 0);
    suite.check_books().unwrap();
}

#[test]
fn a_cluster_of_asks_fills_whole_or_not_at_all() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let [a, b, _] = three(&mut suite, 3);
    let mode = || cluster(ClusterPricing::Market(Market::default()));
    suite.ask(&a, 2, USDC, 5_000_000).unwrap();
    suite.ask(&b, 3, USDC, 3_000_000).unwrap();
    let before = suite.balance(&tenant, USDC);
    let six = order(&mut suite, (&tenant, 100_000), 6, mode(), false);
    refused(six, "no standing ask in uusdc");
    assert_eq!(suite.balance(&tenant, USDC), before);
    let id = order(&mut suite, (&tenant, 100_000), 5, mode(), false).unwrap();
    assert_eq!(parts(&suite, id), [(b, 3), (a, 2)]);
    suite.check_books().unwrap();
}

#[test]
fn a_cluster_of_bids_takes_the_cheapest_units_at_the_close() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let [a, b, c] = three(&mut suite, 4);
    let closes_at = suite.now() + 100;
    let mode = cluster(ClusterPricing::ReverseAuction(ReverseAuction { closes_at }));
    let id = order(&mut suite, (&tenant, 100_000), 6, mode, false).unwrap();
    bid(&mut suite, &a, id, 5_000_000, 4).unwrap();
    let cheap = bid(&mut suite, &b, id, 4_000_000, 3).unwrap();
    bid(&mut suite, &c, id, 6_000_000, 4).unwrap();
    for (units, text) in [(0, "1 to 6"), (7, "1 to 6")] {
        refused(bid(&mut suite, &a, id, 1, units), text);
    }
    refused(bid(&mut suite, &a, id, 1, 5), "has 4");
    let accept = ExecuteMsg::AcceptBid { bid_id: cheap };
    refused(suite.market(&tenant, &accept, &[]), "lets no tenant choose");
    suite.wait(100);
    assert_eq!(parts(&suite, id), [(b, 3), (a, 3)]);
    let rates: Vec<_> = leases(&suite, id).iter().map(|l| l.rate).collect();
    assert_eq!(rates, [Rate::new(4_000_000), Rate::new(5_000_000)]);
    suite.check_books().unwrap();
    suite.wait(TERM);
    assert_eq!(suite.order(id).unwrap().state, OrderState::Closed);
    suite.check_books().unwrap();
}

#[test]
fn a_cluster_without_enough_bids_expires_whole() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let [a, b, _] = three(&mut suite, 4);
    let before = suite.balance(&tenant, USDC);
    let closes_at = suite.now() + 100;
    let mode = cluster(ClusterPricing::ReverseAuction(ReverseAuction { closes_at }));
    let id = order(&mut suite, (&tenant, 100_000), 6, mode, false).unwrap();
    bid(&mut suite, &a, id, 5_000_000, 4).unwrap();
    let lost = bid(&mut suite, &b, id, 4_000_000, 1).unwrap();
    suite.wait(100);
    assert_eq!(suite.order(id).unwrap().state, OrderState::Closed);
    let bid: BidResponse = suite.ask_market(&QueryMsg::Bid { bid_id: lost }).unwrap();
    assert_eq!((bid.state, bid.units), (BidState::Lost, 1));
    // All but the reservation fee.
    assert_eq!(before - suite.balance(&tenant, USDC), 250);
    suite.check_books().unwrap();
}

#[test]
fn a_sealed_cluster_pays_the_rate_of_the_first_unit_that_lost() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let who = three(&mut suite, 4);
    let commit_until = suite.now() + 100;
    let mode = cluster(ClusterPricing::SealedTender(SealedTender {
        commit_until,
        reveal_until: commit_until + 50,
        rule: PriceRule::SecondPrice,
    }));
    let id = order(&mut suite, (&tenant, 100_000), 4, mode, false).unwrap();
    let rates = [2_000_000, 3_000_000, 7_000_000].map(Rate::new);
    let mut bids = vec![];
    for (p, rate) in who.iter().zip(rates) {
        let msg = ExecuteMsg::CommitBid {
            order_id: id,
            commitment: commitment(id, p, rate, &SALT).into(),
            units: Some(2),
        };
        let answer = suite.market(p, &msg, &[coin(500, USDC)]).unwrap();
        bids.push(attribute(&answer, "wasm-bid_committed", "bid_id").unwrap());
    }
    suite.wait(100);
    for ((p, rate), bid) in who.iter().zip(rates).zip(bids) {
        let msg = ExecuteMsg::RevealBid {
            bid_id: BidId(bid),
            rate,
            salt: SALT.into(),
        };
        suite.market(p, &msg, &[]).unwrap();
    }
    suite.wait(50);
    assert_eq!(
        parts(&suite, id),
        [(who[0].clone(), 2), (who[1].clone(), 2)]
    );
    assert!(leases(&suite, id).iter().all(|l| l.rate == rates[2]));
    suite.check_books().unwrap();
}

/// A tenant, a cluster of an auction with a lease of `a` and one of `b`, at the same rate.
fn running(suite: &mut Suite, relist: bool) -> (Addr, [Addr; 3], OrderId) {
    let tenant = suite.rich("tenant", 1_000_000);
    let who = three(suite, 2);
    let closes_at = suite.now() + 100;
    let mode = cluster(ClusterPricing::ReverseAuction(ReverseAuction { closes_at }));
    let id = order(suite, (&tenant, 100_000), 3, mode, relist).unwrap();
    bid(suite, &who[0], id, 5_000_000, 2).unwrap();
    bid(suite, &who[1], id, 5_000_000, 2).unwrap();
    suite.wait(100);
    assert_eq!(parts(suite, id), [(who[0].clone(), 2), (who[1].clone(), 1)]);
    (tenant, who, id)
}

#[test]
fn a_cluster_ends_together_and_says_why() {
    let mut suite = Suite::new();
    let (_, [_, b, _], id) = running(&mut suite, false);
    suite.wait(10);
    let second = leases(&suite, id)[1].id;
    close(&mut suite, &b, second);
    let why: Vec<_> = leases(&suite, id).iter().map(|l| l.close_reason).collect();
    let expected = [CloseReason::Cluster, CloseReason::Provider].map(Some);
    assert_eq!(why, expected);
    assert_eq!(suite.order(id).unwrap().state, OrderState::Closed);
    suite.check_books().unwrap();

    let mut suite = Suite::new();
    let (tenant, _, id) = running(&mut suite, true);
    let first = leases(&suite, id)[0].id;
    close(&mut suite, &tenant, first);
    let why: Vec<_> = leases(&suite, id).iter().map(|l| l.close_reason).collect();
    assert_eq!(why, [CloseReason::Tenant; 2].map(Some));
    assert_eq!(suite.order(id).unwrap().state, OrderState::Closed);
    suite.check_books().unwrap();
}

#[test]
fn a_cluster_that_a_provider_left_opens_again_whole_and_without_it() {
    let mut suite = Suite::new();
    let (_, [a, b, c], id) = running(&mut suite, true);
    suite.wait(10);
    let (first, second) = (leases(&suite, id)[0].id, leases(&suite, id)[1].id);
    close(&mut suite, &b, second);
    let o = suite.order(id).unwrap();
    assert_eq!(
        (o.state, o.lease_id, o.more_leases.len()),
        (OrderState::Open, None, 0)
    );
    assert_eq!(o.past_leases, [first, second]);
    assert_eq!(o.resources.units, 3);
    refused(bid(&mut suite, &b, id, 1, 1), "left");
    // Who only ended with the cluster may serve it again.
    bid(&mut suite, &a, id, 5_000_000, 2).unwrap();
    bid(&mut suite, &c, id, 6_000_000, 1).unwrap();
    suite.wait(100);
    assert_eq!(parts(&suite, id), [(a, 2), (c, 1)]);
    suite.check_books().unwrap();
}

#[test]
fn other_modes_take_no_parts() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let [a, ..] = three(&mut suite, 2);
    let id = suite.auction(&tenant, 50_000, USDC);
    refused(
        bid(&mut suite, &a, id, 1, 2),
        "units: expected 1 to 1, got 2",
    );
    let closes_at = suite.now() + 100;
    let mode = PricingMode::ReverseAuction(ReverseAuction { closes_at });
    let two = order(&mut suite, (&tenant, 10_000), 2, mode, false).unwrap();
    refused(
        bid(&mut suite, &a, two, 1, 1),
        "units: expected 2 to 2, got 1",
    );
    assert!(bid(&mut suite, &a, two, 1, 2).is_ok());
}
