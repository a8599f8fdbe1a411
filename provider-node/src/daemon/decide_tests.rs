use super::*;
use crate::daemon::price::Strategy;
use cosmwasm_std::{Addr, Timestamp, Uint128};
use ember_types::{
    ids::{AskId, LeaseId},
    market::{Ceiling, Terms},
    pricing::{
        PricingMode,
        cluster::{Cluster, ClusterPricing},
        market as standing_asks,
        performance::Performance,
        reverse_auction::ReverseAuction,
        sealed_tender::{PriceRule, SealedTender},
        stake_weighted::StakeWeighted,
    },
    registry::Attribute,
    resources::{ResourceSpec, Score, VulkanProfile},
};
use proptest::prelude::*;

const ME: &str = "me";

pub fn devices(n: usize) -> Vec<Device> {
    let one = |i| Device {
        id: format!("gpu-{i}"),
        model: "mesa/lavapipe".into(),
        vram_mib: 2_048,
        profile: VulkanProfile::Portable1,
        driver: "x".into(),
        scores: vec![],
        known_answer: None,
    };
    (0..n).map(one).collect()
}

pub fn me() -> ProviderResponse {
    ProviderResponse {
        address: Addr::unchecked(ME),
        host_uri: "https://127.0.0.1:1".into(),
        devices: devices(2),
        attributes: vec![Attribute {
            key: "region".into(),
            value: "eu".into(),
        }],
        bonded: Uint128::new(100),
        may_bid: true,
        registered_at: Timestamp::from_seconds(0),
        assurances: vec![],
        revision: 1,
        trust: 0,
        seen_at: Timestamp::from_seconds(0),
        live: true,
    }
}

pub fn order(id: u64, units: u32) -> OrderResponse {
    OrderResponse {
        id: OrderId(id),
        tenant: Addr::unchecked("tenant"),
        resources: ResourceSpec {
            units,
            ..ResourceSpec::default()
        },
        pricing: PricingMode::ReverseAuction(ReverseAuction { closes_at: 100 }),
        ceiling: Ceiling {
            denom: "uusdc".into(),
            rate: Rate::new(1_000),
        },
        max_duration_secs: 60,
        terms: Terms::default(),
        state: OrderState::Open,
        created_at: Timestamp::from_seconds(0),
        open_bids: 0,
        lease_id: None,
        more_leases: vec![],
        past_leases: vec![],
    }
}

/// Commitments are taken before 100, reveals before 200.
pub fn tender(id: u64, units: u32) -> OrderResponse {
    OrderResponse {
        pricing: PricingMode::SealedTender(sealed(200)),
        ..order(id, units)
    }
}

fn sealed(reveal_until: u64) -> SealedTender {
    SealedTender {
        commit_until: 100,
        reveal_until,
        rule: PriceRule::FirstPrice,
    }
}

fn cluster(id: u64, units: u32, of: ClusterPricing) -> OrderResponse {
    OrderResponse {
        pricing: PricingMode::Cluster(Cluster { of }),
        ..order(id, units)
    }
}

fn auction() -> ClusterPricing {
    ClusterPricing::ReverseAuction(ReverseAuction { closes_at: 100 })
}

pub fn commitment(id: u64, order: u64, provider: &str) -> BidResponse {
    BidResponse {
        commitment: Some([7; 32].into()),
        state: BidState::Sealed,
        ..bid(id, order, provider, 0)
    }
}

pub fn bid(id: u64, order: u64, provider: &str, rate: u128) -> BidResponse {
    BidResponse {
        id: BidId(id),
        order_id: OrderId(order),
        provider: Addr::unchecked(provider),
        units: 1,
        rate: Rate::new(rate),
        commitment: None,
        weight: Uint128::zero(),
        score: None,
        state: BidState::Open,
        deposit: Uint128::zero(),
        placed_at: Timestamp::from_seconds(0),
    }
}

pub fn lease(id: u64, units: u32) -> LeaseResponse {
    LeaseResponse {
        id: LeaseId(id),
        order_id: OrderId(id + 1_000),
        tenant: Addr::unchecked("tenant"),
        provider: Addr::unchecked(ME),
        resources: order(0, units).resources,
        denom: "uusdc".into(),
        rate: Rate::new(1),
        state: LeaseState::Active,
        opened_at: Timestamp::from_seconds(0),
        settled_at: Timestamp::from_seconds(0),
        suspended_at: None,
        closed_at: None,
        close_reason: None,
        leaves_at: None,
        ends_at: Timestamp::from_seconds(60),
        performance: None,
    }
}

fn ask(units: u32) -> AskResponse {
    AskResponse {
        id: AskId(1),
        provider: Addr::unchecked(ME),
        device: "gpu-0".into(),
        assurance: Default::default(),
        units,
        denom: "uusdc".into(),
        rate: Rate::new(1),
        placed_at: Timestamp::from_seconds(0),
    }
}

fn market(orders: Vec<OrderResponse>) -> Market {
    Market {
        now: 0,
        me: me(),
        orders,
        bids: vec![],
        leases: vec![],
        asks: vec![],
        left_alone: BTreeSet::new(),
    }
}

pub fn prices(strategy: Strategy) -> Prices {
    Prices {
        set: BTreeMap::new(),
        otherwise: Some(Rate::new(400)),
        strategy,
    }
}

fn bids_on(m: &Market, n: usize, strategy: Strategy) -> Vec<(u64, u128)> {
    decide(m, &devices(n), &prices(strategy))
        .into_iter()
        .map(|a| match a {
            Action::Bid(o) => (o.order_id.0, o.rate.0.u128()),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn an_order_that_fits_gets_one_bid() {
    let mut m = market(vec![order(1, 1)]);
    assert_eq!(bids_on(&m, 1, Strategy::Fixed), [(1, 400)]);
    m.bids.push(bid(1, 1, ME, 400));
    assert_eq!(bids_on(&m, 1, Strategy::Fixed), []);
}

#[test]
fn an_order_that_does_not_fit_gets_none() {
    type Change = fn(&mut Market);
    let cases: [(&str, Change); 12] = [
        ("closed", |m| m.orders[0].state = OrderState::Closed),
        ("another model", |m| {
            m.orders[0].resources.gpu.model = Some("nvidia/h200".into())
        }),
        ("another region", |m| {
            m.orders[0].resources.gpu.region = Some("us".into())
        }),
        ("more bond", |m| {
            m.orders[0].resources.gpu.min_bond = Uint128::new(101)
        }),
        ("more units", |m| m.orders[0].resources.units = 3),
        ("no bids taken", |m| {
            m.orders[0].pricing = PricingMode::Market(standing_asks::Market::default());
        }),
        ("one's own order", |m| {
            m.orders[0].tenant = Addr::unchecked(ME)
        }),
        ("left alone", |m| {
            m.left_alone.insert(OrderId(1));
        }),
        ("over, and not matched yet", |m| m.now = 100),
        ("a tender with too little time to reveal", |m| {
            m.orders[0].pricing = PricingMode::SealedTender(sealed(102));
        }),
        ("too little bond", |m| m.me.may_bid = false),
        ("all devices leased", |m| {
            m.leases = vec![lease(1, 1), lease(2, 1)]
        }),
    ];
    for (name, change) in cases {
        let mut m = market(vec![order(1, 1)]);
        change(&mut m);
        assert_eq!(bids_on(&m, 2, Strategy::Fixed), [], "{name}");
    }
}

#[test]
fn leases_asks_and_bids_all_reserve() {
    let mut m = market(vec![order(1, 1), order(2, 1), order(3, 1)]);
    assert_eq!(bids_on(&m, 2, Strategy::Fixed), [(1, 400), (2, 400)]);
    m.asks = vec![ask(1)];
    assert_eq!(bids_on(&m, 2, Strategy::Fixed), [(1, 400)]);
    m.leases = vec![lease(1, 1)];
    assert_eq!(bids_on(&m, 2, Strategy::Fixed), []);
    m.leases[0].state = LeaseState::Closed;
    assert_eq!(bids_on(&m, 2, Strategy::Fixed), [(1, 400)]);
}

#[test]
fn a_rival_is_undercut_down_to_the_floor() {
    let mut m = market(vec![order(1, 1)]);
    assert_eq!(bids_on(&m, 1, Strategy::Undercut), [(1, 1_000)]);
    m.bids = vec![bid(1, 1, ME, 1_000), bid(2, 1, "rival", 900)];
    assert_eq!(bids_on(&m, 1, Strategy::Undercut), [(1, 891)]);
    m.bids = vec![bid(1, 1, ME, 891), bid(2, 1, "rival", 900)];
    assert_eq!(bids_on(&m, 1, Strategy::Undercut), [], "cheapest already");
    m.bids = vec![bid(1, 1, ME, 400), bid(2, 1, "rival", 300)];
    assert_eq!(
        bids_on(&m, 1, Strategy::Undercut),
        [],
        "never below the floor"
    );
}

#[test]
fn bids_without_devices_are_withdrawn_newest_first() {
    let mut m = market(vec![order(1, 1), order(2, 1)]);
    m.bids = vec![bid(1, 1, ME, 400), bid(2, 2, ME, 400)];
    let got = decide(&m, &devices(1), &prices(Strategy::Fixed));
    assert_eq!(got, [Action::Withdraw { bid_id: BidId(2) }]);
}

fn commit(order: u64, rate: u128, units: Option<u32>) -> Action {
    Action::Commit(Offer {
        order_id: OrderId(order),
        denom: "uusdc".into(),
        units,
        score: None,
        rate: Rate::new(rate),
    })
}

#[test]
fn a_tender_is_committed_to_at_the_set_price_and_revealed_in_its_window() {
    let reveal = Action::Reveal { bid_id: BidId(1) };
    for strategy in [Strategy::Fixed, Strategy::Undercut] {
        let mut m = market(vec![tender(1, 1)]);
        let at = |m: &mut Market, now| {
            m.now = now;
            decide(m, &devices(1), &prices(strategy))
        };
        m.bids = vec![commitment(9, 1, "rival")];
        assert_eq!(at(&mut m, 99), [commit(1, 400, None)]);
        assert_eq!(at(&mut m, 100), [], "too late");
        m.bids = vec![commitment(1, 1, ME), commitment(9, 1, "rival")];
        assert_eq!(at(&mut m, 99), []);
        assert_eq!(at(&mut m, 100), std::slice::from_ref(&reveal));
        m.me.may_bid = false;
        assert_eq!(at(&mut m, 199), std::slice::from_ref(&reveal));
        assert_eq!(at(&mut m, 200), [], "too late");
        m.bids[0].state = BidState::Open;
        assert_eq!(at(&mut m, 150), [], "revealed already");
    }
}

#[test]
fn a_commitment_that_binds_comes_before_a_bid_that_does_not() {
    let mut m = market(vec![order(1, 1), tender(2, 1)]);
    m.orders[0].pricing = PricingMode::ReverseAuction(ReverseAuction { closes_at: 1_000 });
    m.bids = vec![bid(1, 1, ME, 400), commitment(2, 2, ME)];
    let at = |m: &mut Market, now, n| {
        m.now = now;
        decide(m, &devices(n), &prices(Strategy::Fixed))
    };
    let withdraw = |id| Action::Withdraw { bid_id: BidId(id) };
    assert_eq!(at(&mut m, 50, 1), [withdraw(2)], "the newest");
    let reveal = Action::Reveal { bid_id: BidId(2) };
    assert_eq!(at(&mut m, 150, 1), [reveal, withdraw(1)]);
    let forfeit = Action::Forfeit { bid_id: BidId(2) };
    assert_eq!(at(&mut m, 150, 0), [forfeit, withdraw(1)]);
    assert_eq!(at(&mut m, 250, 0), [withdraw(1)]);
    m.bids[1].state = BidState::Open;
    assert_eq!(
        at(&mut m, 150, 1),
        [withdraw(1)],
        "revealed, it still holds its device"
    );
}

#[test]
fn of_a_cluster_as_many_units_are_offered_as_there_are() {
    let offers = |m: &Market, n| -> Vec<_> {
        let offer = |a| match a {
            Action::Bid(o) | Action::Commit(o) => (o.order_id.0, o.units),
            other => panic!("{other:?}"),
        };
        let actions = decide(m, &devices(n), &prices(Strategy::Fixed));
        actions.into_iter().map(offer).collect()
    };
    let mut m = market(vec![
        cluster(1, 3, auction()),
        cluster(2, 3, ClusterPricing::SealedTender(sealed(200))),
        cluster(3, 3, ClusterPricing::Market(Default::default())),
        order(4, 2),
    ]);
    assert_eq!(offers(&m, 0), []);
    assert_eq!(offers(&m, 2), [(1, Some(2))]);
    assert_eq!(offers(&m, 5), [(1, None), (2, Some(2))]);
    assert_eq!(offers(&m, 8), [(1, None), (2, None), (4, None)]);
    // A part that stands is undercut as the part that it is.
    m.orders.truncate(1);
    m.bids = vec![bid(1, 1, ME, 1_000), bid(2, 1, "rival", 900)];
    let got = decide(&m, &devices(3), &prices(Strategy::Undercut));
    assert!(
        matches!(got.as_slice(), [Action::Bid(o)] if o.units == Some(1) && o.rate == Rate::new(891)),
        "{got:?}"
    );
}

#[test]
fn a_draw_is_enrolled_for_at_its_ceiling_where_that_is_enough() {
    let mut m = market(vec![order(1, 1)]);
    m.orders[0].pricing = PricingMode::StakeWeighted(StakeWeighted {
        commit_until: 100,
        reveal_until: 200,
    });
    let mut p = prices(Strategy::Fixed);
    assert_eq!(decide(&m, &devices(1), &p), [commit(1, 1_000, None)]);
    p.set.insert("uusdc".into(), Rate::new(1_001));
    assert_eq!(decide(&m, &devices(1), &p), []);
}

#[test]
fn of_a_benchmark_what_all_its_units_reached_is_promised_and_priced_by_the_point() {
    let with = |scores: &[u64]| -> Vec<Device> {
        let device = |(d, value): (Device, &u64)| Device {
            scores: vec![Score {
                name: "gemm".into(),
                value: *value,
            }],
            ..d
        };
        let all = devices(scores.len()).into_iter();
        all.zip(scores).map(device).collect()
    };
    let mut m = market(vec![order(1, 2)]);
    let by = |benchmark: &str| {
        PricingMode::Performance(Performance {
            closes_at: 100,
            benchmark: benchmark.into(),
            measure_secs: 10,
        })
    };
    m.orders[0].pricing = by("gemm");
    let bid_of = |m: &Market, scores: &[u64], strategy| {
        let actions = decide(m, &with(scores), &prices(strategy));
        match actions.as_slice() {
            [] => None,
            [Action::Bid(o)] => Some((o.score, o.rate.0.u128())),
            other => panic!("{other:?}"),
        }
    };
    let fixed = |m: &Market, scores: &[u64]| bid_of(m, scores, Strategy::Fixed);
    // 400 a unit, 90 points of the second best: 4.4 a point, rounded up.
    assert_eq!(fixed(&m, &[80, 100, 90]), Some((Some(90), 5)));
    assert_eq!(fixed(&m, &[100, 0, 0]), None, "one unit has no score");
    assert_eq!(fixed(&m, &[2_000; 2]), None, "a point would be for nothing");
    m.orders[0].ceiling.rate = Rate::new(400);
    assert_eq!(
        fixed(&m, &[90; 2]),
        Some((Some(90), 4)),
        "not over the ceiling"
    );
    m.orders[0].ceiling.rate = Rate::new(1_000);
    m.bids = vec![bid(2, 1, "rival", 9)];
    let undercut = |m: &Market| bid_of(m, &[100; 2], Strategy::Undercut);
    assert_eq!(undercut(&m), Some((Some(100), 9)), "1 % is no whole point");
    m.bids.push(BidResponse {
        units: 2,
        ..bid(1, 1, ME, 9)
    });
    assert_eq!(undercut(&m), None);
    m.orders[0].pricing = by("another");
    assert_eq!(fixed(&m, &[100; 2]), None);
}

proptest! {
    /// Whatever stands, what is promised after the actions never exceeds the devices, unless leases and asks alone do.
    #[test]
    fn the_inventory_is_never_promised_twice(
        n in 0usize..6,
        now in prop::sample::select(vec![0u64, 99, 100, 199, 200]),
        wanted in prop::collection::vec((1u32..4, 0u8..4), 0..8),
        mine in prop::collection::vec((any::<bool>(), any::<bool>(), 1u32..4), 8),
        leased in prop::collection::vec(1u32..3, 0..4),
        asked in 0u32..3,
        undercut in any::<bool>(),
    ) {
        let orders: Vec<_> = wanted.iter().enumerate().map(|(i, (units, mode))| match (i as u64, *mode) {
            (id, 0) => order(id, *units),
            (id, 1) => tender(id, *units),
            (id, 2) => cluster(id, *units, auction()),
            (id, _) => cluster(id, *units, ClusterPricing::SealedTender(sealed(200))),
        }).collect();
        let mut m = market(orders);
        m.now = now;
        for (i, (stands, revealed, part)) in mine.iter().take(wanted.len()).enumerate().filter(|(_, b)| b.0) {
            let (id, (whole, mode)) = (i as u64, wanted[i]);
            let units = if mode >= 2 { whole.min(*part) } else { whole };
            let sealed = mode % 2 == 1 && (now < 100 || !revealed);
            let b = if sealed { commitment(id, id, ME) } else { bid(id, id, ME, 900) };
            m.bids.push(BidResponse { units, ..b });
            assert!(stands);
        }
        m.leases = leased.iter().enumerate().map(|(i, u)| lease(i as u64, *u)).collect();
        if asked > 0 { m.asks = vec![ask(asked)]; }
        let strategy = if undercut { Strategy::Undercut } else { Strategy::Fixed };
        // Sealed bids count only once they are revealed: until then they may be left sealed.
        let loose = |b: &BidResponse| now < 100 || b.state == BidState::Open;
        let mut held: BTreeMap<OrderId, u32> = m.bids.iter().filter(|b| loose(b)).map(|b| (b.order_id, b.units)).collect();
        for a in decide(&m, &devices(n), &prices(strategy)) {
            match a {
                Action::Bid(o) | Action::Commit(o) => {
                    let whole = wanted[o.order_id.0 as usize].0;
                    prop_assert!(o.rate <= Rate::new(1_000) && o.units.is_none_or(|n| n > 0 && n < whole));
                    held.insert(o.order_id, o.units.unwrap_or(whole));
                }
                Action::Reveal { bid_id } => {
                    let b = m.bids.iter().find(|b| b.id == bid_id).unwrap();
                    prop_assert!((100..200).contains(&now) && b.state == BidState::Sealed);
                    held.insert(b.order_id, b.units);
                }
                Action::Forfeit { bid_id } => prop_assert!(!held.contains_key(&OrderId(bid_id.0))),
                Action::Withdraw { bid_id } => { held.remove(&OrderId(bid_id.0)); }
            }
        }
        // A revealed bid can no more be taken back than a lease.
        let revealed: u32 = m.bids.iter()
            .filter(|b| now >= 100 && b.state == BidState::Open && wanted[b.order_id.0 as usize].1 % 2 == 1)
            .map(|b| { held.remove(&b.order_id); b.units }).sum();
        let bound: u32 = leased.iter().sum::<u32>() + asked + revealed;
        let bids: u32 = held.values().sum();
        prop_assert!(bids == 0 || bound + bids <= n as u32, "{bound} + {bids} > {n}");
    }
}
