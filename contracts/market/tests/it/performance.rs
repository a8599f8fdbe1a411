//! Orders that pay for a benchmark's score.

use cosmwasm_std::{Addr, coin};
use ember_testing::{
    Suite,
    suite::{USDC, any_gpu, attribute, refused},
};
use ember_types::{
    ids::{BidId, LeaseId, OrderId},
    lease::{LeaseState, OrderState},
    market::{ExecuteMsg, LeaseResponse},
    money::Rate,
    pricing::{PricingMode, performance::Performance},
    registry,
    resources::{Device, ResourceSpec, Score},
};

fn points(value: u64) -> Score {
    Score {
        name: "points".into(),
        value,
    }
}

/// A provider with one device that reached so many points.
fn provider(suite: &mut Suite, name: &str, reached: u64) -> Addr {
    let who = suite.provider(name, 1);
    let msg = registry::ExecuteMsg::UpdateProvider {
        host_uri: None,
        devices: Some(vec![Device {
            scores: vec![points(reached)],
            ..ember_testing::suite::device("gpu-0")
        }]),
        attributes: None,
        assurances: None,
    };
    suite.registry(&who, &msg, &[]).unwrap();
    who
}

fn create(
    suite: &mut Suite,
    tenant: &Addr,
    deposit: u128,
    wanted: ResourceSpec,
) -> anyhow::Result<OrderId> {
    let mode = PricingMode::Performance(Performance {
        closes_at: suite.now() + 100,
        benchmark: "points".into(),
        measure_secs: 50,
    });
    let funds = [coin(deposit, USDC)];
    let answer = suite.create_order(tenant, wanted, mode, (10_000_000, USDC), 1_000, &funds)?;
    Ok(answer.order_id)
}

/// 100 seconds of auction, 50 to measure, a term of 1,000; 10 micro-units a second at most.
fn order(suite: &mut Suite, tenant: &Addr, deposit: u128) -> OrderId {
    create(suite, tenant, deposit, any_gpu(1)).unwrap()
}

fn bid(
    suite: &mut Suite,
    who: &Addr,
    id: OrderId,
    rate: u128,
    score: u64,
) -> anyhow::Result<BidId> {
    let msg = ExecuteMsg::PlaceBid {
        order_id: id,
        rate: Rate::new(rate),
        units: None,
        score: Some(score),
    };
    let answer = suite.market(who, &msg, &[coin(500, USDC)])?;
    Ok(BidId(attribute(&answer, "wasm-bid_placed", "bid_id")?))
}

fn report(suite: &mut Suite, who: &Addr, lease_id: LeaseId, score: u64) -> anyhow::Result<()> {
    let msg = ExecuteMsg::ReportScore { lease_id, score };
    suite.market(who, &msg, &[]).map(drop)
}

fn the_lease(suite: &Suite, id: OrderId) -> LeaseResponse {
    suite.lease(suite.order(id).unwrap().lease_id.unwrap())
}

#[test]
fn the_lowest_rate_a_point_wins_and_is_paid_for_its_points() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let (slow, fast) = (
        provider(&mut suite, "slow", 100),
        provider(&mut suite, "fast", 400),
    );
    let id = order(&mut suite, &tenant, 50_000);
    bid(&mut suite, &slow, id, 22_000, 100).unwrap();
    bid(&mut suite, &fast, id, 20_000, 400).unwrap();
    suite.wait(100);
    // Dearer by the second, cheaper by the work.
    let lease = the_lease(&suite, id);
    assert_eq!((&lease.provider, lease.rate), (&fast, Rate::new(8_000_000)));
    assert_eq!(lease.resources.gpu.min_score, Some(points(400)));
    let p = lease.performance.unwrap();
    assert_eq!(
        (p.rate, p.promised, p.measured),
        (Rate::new(20_000), 400, None)
    );
    let had = suite.balance(&fast, USDC);
    suite.wait(1_000);
    // 8 micro-units a second, less a fifth.
    assert_eq!(suite.balance(&fast, USDC) - had, 6_400);
    suite.check_books().unwrap();
}

#[test]
fn a_bid_is_bound_by_the_ceiling_and_by_what_the_device_reached() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let p = provider(&mut suite, "p", 100);
    let id = order(&mut suite, &tenant, 50_000);
    refused(
        bid(&mut suite, &p, id, 1, 101),
        "1 matching devices are needed, it has 0",
    );
    refused(
        bid(&mut suite, &p, id, 1, 0),
        "score: expected 1 or more, got 0",
    );
    refused(
        suite.bid(&p, id, 1).map(drop),
        "score: expected 1 or more, got none",
    );
    refused(bid(&mut suite, &p, id, 100_001, 100), "10000100");
    refused(bid(&mut suite, &p, id, u128::MAX, 100), "rate");
    assert!(bid(&mut suite, &p, id, 100_000, 100).is_ok());
    let other = suite.auction(&tenant, 50_000, USDC);
    refused(
        bid(&mut suite, &p, other, 1, 1),
        "score: expected none, got 1",
    );
}

#[test]
fn a_least_score_is_of_the_benchmark_that_is_paid_for() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let p = provider(&mut suite, "p", 100);
    let mut wanted = any_gpu(1);
    wanted.gpu.min_score = Some(Score {
        name: "other".into(),
        value: 1,
    });
    let other = create(&mut suite, &tenant, 50_000, wanted.clone());
    refused(
        other,
        "resources.gpu.min_score.name: expected points, got other",
    );
    wanted.gpu.min_score = Some(points(90));
    let id = create(&mut suite, &tenant, 50_000, wanted).unwrap();
    // It promises less than its device has: the order's least still counts.
    bid(&mut suite, &p, id, 1_000, 50).unwrap();
    suite.wait(100);
    let lease = the_lease(&suite, id);
    assert_eq!(lease.rate, Rate::new(50_000));
    assert_eq!(lease.resources.gpu.min_score, Some(points(90)));
}

#[test]
fn a_score_under_the_promised_one_goes_back_to_the_tenant_from_the_first_second() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let p = provider(&mut suite, "p", 100);
    let (setter, had) = (suite.trust_setter.clone(), suite.balance(&p, USDC));
    let before = suite.balance(&tenant, USDC);
    let id = order(&mut suite, &tenant, 20_000);
    bid(&mut suite, &p, id, 100_000, 100).unwrap();
    suite.wait(100);
    let lease_id = the_lease(&suite, id).id;
    suite.wait(20);
    // Nothing is booked before it is measured.
    suite
        .market(&p, &ExecuteMsg::Withdraw { lease_id }, &[])
        .unwrap();
    assert_eq!(
        (
            suite.balance(&p, USDC),
            suite.escrow(id).leases[0].accrued.u128()
        ),
        (had, 0)
    );
    report(&mut suite, &p, lease_id, 120).unwrap();
    assert_eq!(
        the_lease(&suite, id).rate,
        Rate::new(10_000_000),
        "no more than promised"
    );
    report(&mut suite, &setter, lease_id, 60).unwrap();
    report(&mut suite, &p, lease_id, 90).unwrap();
    assert_eq!(
        the_lease(&suite, id).rate,
        Rate::new(6_000_000),
        "the lowest counts"
    );
    let performance = the_lease(&suite, id).performance.unwrap();
    assert_eq!(performance.measured, Some(60));
    suite.wait(30);
    refused(
        report(&mut suite, &setter, lease_id, 1),
        "expected a score before",
    );
    // 50 seconds at 6, a fifth of it fees.
    suite
        .market(&p, &ExecuteMsg::Withdraw { lease_id }, &[])
        .unwrap();
    assert_eq!(suite.balance(&p, USDC) - had, 240);
    suite.wait(1_000);
    assert_eq!(suite.balance(&p, USDC) - had, 4_800);
    assert_eq!(before - suite.balance(&tenant, USDC), 6_000 + 50);
    suite.check_books().unwrap();
}

#[test]
fn neither_the_tenant_nor_a_stranger_measures() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let (p, other) = (
        provider(&mut suite, "p", 100),
        provider(&mut suite, "other", 100),
    );
    let id = order(&mut suite, &tenant, 20_000);
    bid(&mut suite, &p, id, 100_000, 100).unwrap();
    suite.wait(100);
    let lease_id = the_lease(&suite, id).id;
    for who in [&tenant, &other] {
        refused(
            report(&mut suite, who, lease_id, 1),
            "whom the registry lets set trust levels",
        );
    }
    let authority = suite.authority.clone();
    report(&mut suite, &authority, lease_id, 99).unwrap();
    let (_, plain) = suite.lease_of(&tenant, &p, 5_000, USDC, 1_000_000);
    refused(report(&mut suite, &p, plain, 1), "pays for no score");
}

#[test]
fn what_ends_before_it_is_measured_is_paid_as_promised() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let p = provider(&mut suite, "p", 100);
    let had = suite.balance(&p, USDC);
    let id = order(&mut suite, &tenant, 20_000);
    bid(&mut suite, &p, id, 100_000, 100).unwrap();
    suite.wait(100);
    let lease_id = the_lease(&suite, id).id;
    suite.wait(10);
    suite
        .market(&tenant, &ExecuteMsg::CloseLease { lease_id }, &[])
        .unwrap();
    assert_eq!(suite.balance(&p, USDC) - had, 80);
    refused(report(&mut suite, &p, lease_id, 1), "it is Closed");
    suite.check_books().unwrap();
}

#[test]
fn a_lease_that_ran_dry_unmeasured_is_paid_for_what_it_did_and_a_lower_score_revives_it() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let p = provider(&mut suite, "p", 100);
    let had = suite.balance(&p, USDC);
    // Money for 30 seconds of what it promised.
    let id = order(&mut suite, &tenant, 1_000);
    let deposit = suite.escrow(id).held.u128();
    bid(&mut suite, &p, id, 100_000, 100).unwrap();
    suite.wait(100);
    let lease_id = the_lease(&suite, id).id;
    suite.wait(40);
    assert_eq!(the_lease(&suite, id).state, LeaseState::Active);
    let rate = deposit / 10;
    suite.wait(u64::try_from(rate).unwrap() - 40);
    assert_eq!(the_lease(&suite, id).state, LeaseState::Suspended);
    refused(
        report(&mut suite, &p, lease_id, 50),
        "expected a score before",
    );
    suite.wait(100_000);
    assert_eq!(suite.order(id).unwrap().state, OrderState::Closed);
    assert_eq!(suite.balance(&p, USDC) - had, rate * 10 * 4 / 5);
    suite.check_books().unwrap();
}
