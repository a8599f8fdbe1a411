use super::*;
use crate::daemon::price::Strategy;
use cosmwasm_std::{Addr, Timestamp, Uint128};
use ember_types::{
    ids::{AskId, LeaseId},
    market::{Ceiling, Terms},
    pricing::{PricingMode, market as standing_asks, reverse_auction::ReverseAuction},
    registry::Attribute,
    resources::{ResourceSpec, VulkanProfile},
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
        me: me(),
        orders,
        bids: vec![],
        leases: vec![],
        asks: vec![],
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
            Action::Bid { order_id, rate, .. } => (order_id.0, rate.0.u128()),
            Action::Withdraw { bid_id } => panic!("withdrew {bid_id}"),
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
    let cases: [(&str, Change); 9] = [
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

proptest! {
    /// Whatever stands, what is promised after the actions never exceeds the devices, unless leases and asks alone do.
    #[test]
    fn the_inventory_is_never_promised_twice(
        n in 0usize..6,
        units in prop::collection::vec(1u32..4, 0..8),
        mine in prop::collection::vec(any::<bool>(), 8),
        leased in prop::collection::vec(1u32..3, 0..4),
        asked in 0u32..3,
        undercut in any::<bool>(),
    ) {
        let orders: Vec<_> = units.iter().enumerate().map(|(i, u)| order(i as u64, *u)).collect();
        let mut m = market(orders);
        m.bids = mine.iter().take(units.len()).enumerate().filter(|(_, b)| **b)
            .map(|(i, _)| bid(i as u64, i as u64, ME, 900)).collect();
        m.leases = leased.iter().enumerate().map(|(i, u)| lease(i as u64, *u)).collect();
        if asked > 0 { m.asks = vec![ask(asked)]; }
        let strategy = if undercut { Strategy::Undercut } else { Strategy::Fixed };
        let mut standing: std::collections::BTreeSet<u64> = m.bids.iter().map(|b| b.order_id.0).collect();
        for a in decide(&m, &devices(n), &prices(strategy)) {
            match a {
                Action::Bid { order_id, rate, .. } => {
                    prop_assert!(rate <= Rate::new(1_000));
                    standing.insert(order_id.0);
                }
                Action::Withdraw { bid_id } => { standing.remove(&bid_id.0); }
            }
        }
        let bound: u32 = leased.iter().sum::<u32>() + asked;
        let bids: u32 = standing.iter().map(|i| units[*i as usize]).sum();
        prop_assert!(bids == 0 || bound + bids <= n as u32, "{bound} + {bids} > {n}");
    }
}
