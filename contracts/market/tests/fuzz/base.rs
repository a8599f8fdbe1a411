//! A world in which every message finds something to act on.

use cosmwasm_std::{Addr, Coin};
use ember_testing::{
    Bare, Settings,
    suite::{NATIVE, USDC, any_gpu},
};
use ember_types::{
    ids::{BidId, OrderId},
    market::{Ceiling, ExecuteMsg, Terms},
    money::Rate,
    pricing::{
        PricingMode,
        market::Market,
        performance::Performance,
        reverse_auction::ReverseAuction,
        sealed_tender::{PriceRule, SealedTender, commitment},
    },
};

fn order(world: &mut Bare, tenant: &Addr, deposit: u128, auction: bool) {
    let closes_at = world.now() + 1_000;
    let pricing = if auction {
        PricingMode::ReverseAuction(ReverseAuction { closes_at })
    } else {
        PricingMode::Market(Market::default())
    };
    priced(world, tenant, deposit, pricing);
}

/// Commitments for so many seconds, then reveals for as long.
fn tender(world: &mut Bare, tenant: &Addr, secs: u64) {
    let commit_until = world.now() + secs;
    let pricing = PricingMode::SealedTender(SealedTender {
        commit_until,
        reveal_until: commit_until + 1_000,
        rule: PriceRule::SecondPrice,
    });
    priced(world, tenant, 40_000, pricing);
}

fn priced(world: &mut Bare, tenant: &Addr, deposit: u128, pricing: PricingMode) {
    let terms = Terms {
        notice_hours: u16::from(pricing.takes_bids()),
        relist: true,
    };
    let msg = ExecuteMsg::CreateOrder {
        resources: any_gpu(1),
        pricing,
        ceiling: Ceiling {
            denom: USDC.into(),
            rate: Rate::new(10_000_000),
        },
        max_duration_secs: 36_000,
        terms,
    };
    world
        .market(tenant, msg, &[Coin::new(deposit, USDC)])
        .unwrap();
}

/// Every order wants to open again; auctions ask for an hour of notice.
/// Order 1 open with bids 1 and 2, order 2 leased (1), order 3 with a suspended lease (2), order 4 closed, order 5
/// leased (3) from ask 2; ask 1 stands. Order 6 takes reveals, of bid 6 too; order 7 takes commitments. Order 8
/// is leased (4) by performance.
pub fn base(settings: &Settings) -> (Bare, Vec<Addr>) {
    let mut world = Bare::new(settings);
    let people = ["t0", "t1", "p0", "p1"].map(|n| world.account(n));
    let [t0, t1, p0, p1] = people.clone();
    let people = [people.to_vec(), vec![world.authority.clone()]].concat();
    for who in &people {
        for denom in [NATIVE, USDC] {
            world.bank.mint(who, u128::MAX / 16, denom);
        }
    }
    for provider in [&p0, &p1] {
        world.register(provider, 3, 3_000_000).unwrap();
    }
    let bid = |world: &mut Bare, who: &Addr, order: u64| {
        let msg = ExecuteMsg::PlaceBid {
            order_id: OrderId(order),
            rate: Rate::new(9_000_000),
            units: None,
            score: None,
        };
        world.market(who, msg, &[Coin::new(500u128, USDC)]).unwrap();
    };
    let accept = |world: &mut Bare, who: &Addr, bid: u64| {
        world
            .market(who, ExecuteMsg::AcceptBid { bid_id: BidId(bid) }, &[])
            .unwrap();
    };
    order(&mut world, &t0, 40_000, true);
    bid(&mut world, &p0, 1);
    bid(&mut world, &p1, 1);
    order(&mut world, &t0, 40_000, true);
    bid(&mut world, &p0, 2);
    accept(&mut world, &t0, 3);
    order(&mut world, &t1, 1_000, true);
    bid(&mut world, &p1, 3);
    accept(&mut world, &t1, 4);
    order(&mut world, &t1, 1_000, true);
    world
        .market(
            &t1,
            ExecuteMsg::CloseOrder {
                order_id: OrderId(4),
            },
            &[],
        )
        .unwrap();
    for provider in [&p0, &p1] {
        let rate = Rate::new(if *provider == p1 { 1 } else { 8_000_000 });
        let msg = ExecuteMsg::PlaceAsk {
            device: "gpu-0".into(),
            units: 3,
            denom: USDC.into(),
            rate,
            assurance: Default::default(),
        };
        world.market(provider, msg, &[]).unwrap();
    }
    order(&mut world, &t0, 1_000, false);
    tender(&mut world, &t0, 100);
    let order_id = OrderId(6);
    let hash = commitment(order_id, &p0, Rate::new(5_000_000), &[7; 32]);
    let msg = ExecuteMsg::CommitBid {
        order_id,
        commitment: hash.into(),
        units: None,
    };
    world.market(&p0, msg, &[Coin::new(500u128, USDC)]).unwrap();
    tender(&mut world, &t0, 1_000);
    let pricing = PricingMode::Performance(Performance {
        closes_at: world.now() + 1_000,
        benchmark: "points".into(),
        measure_secs: 3_600,
    });
    priced(&mut world, &t0, 40_000, pricing);
    let msg = ExecuteMsg::PlaceBid {
        order_id: OrderId(8),
        rate: Rate::new(90_000),
        units: None,
        score: Some(100),
    };
    world.market(&p1, msg, &[Coin::new(500u128, USDC)]).unwrap();
    accept(&mut world, &t0, 7);
    world.pass(200);
    world.hook();
    (world, people)
}
