//! Lists: pages, filters, and every filter against a plain scan.

use cosmwasm_std::Addr;
use ember_testing::{Suite, suite::NATIVE};
use ember_types::{
    ids::{BidId, LeaseId},
    lease::{LeaseState, OrderState},
    market::{
        AsksResponse, BidsResponse, ExecuteMsg, LeaseResponse, LeasesResponse, OrderResponse,
        OrdersResponse, QueryMsg,
    },
};

fn orders(
    suite: &Suite,
    tenant: Option<&Addr>,
    state: Option<OrderState>,
    limit: u32,
) -> Vec<OrderResponse> {
    let mut all: Vec<OrderResponse> = Vec::new();
    loop {
        let page: OrdersResponse = suite
            .ask_market(&QueryMsg::Orders {
                tenant: tenant.map(ToString::to_string),
                state,
                start_after: all.last().map(|o| o.id),
                limit: Some(limit),
            })
            .unwrap();
        assert!(page.orders.len() <= limit as usize);
        if page.orders.is_empty() {
            return all;
        }
        all.extend(page.orders);
    }
}

fn leases(
    suite: &Suite,
    tenant: Option<&Addr>,
    provider: Option<&Addr>,
    state: Option<LeaseState>,
) -> Vec<LeaseResponse> {
    let mut all: Vec<LeaseResponse> = Vec::new();
    loop {
        let page: LeasesResponse = suite
            .ask_market(&QueryMsg::Leases {
                tenant: tenant.map(ToString::to_string),
                provider: provider.map(ToString::to_string),
                state,
                start_after: all.last().map(|l| l.id),
                limit: Some(2),
            })
            .unwrap();
        if page.leases.is_empty() {
            return all;
        }
        all.extend(page.leases);
    }
}

#[test]
fn filters_agree_with_a_plain_scan() {
    let mut suite = Suite::new();
    let tenants = [suite.rich("t0", 1_000_000), suite.rich("t1", 1_000_000)];
    let providers = [suite.provider("p0", 1), suite.provider("p1", 1)];
    // Three states of leases and orders for every pair.
    for i in 0..12u64 {
        let (t, p) = (&tenants[i as usize % 2], &providers[i as usize / 2 % 2]);
        let deposit = if i % 3 == 0 { 1_000 } else { 50_000 };
        let (_, lease_id) = suite.lease_of(t, p, deposit, NATIVE, 10_000_000);
        if i % 3 == 1 {
            suite
                .market(t, &ExecuteMsg::CloseLease { lease_id }, &[])
                .unwrap();
        }
    }
    suite.wait(100);
    for _ in 0..3 {
        suite.auction(&tenants[0], 1_000, NATIVE);
    }

    let all = suite.orders().unwrap();
    assert_eq!(all.len(), 15);
    let states = [OrderState::Open, OrderState::Leased, OrderState::Closed];
    let one_of = |s: OrderState| all.iter().any(|o| o.state == s);
    assert!(states.into_iter().all(one_of));
    for tenant in [None, Some(&tenants[0]), Some(&tenants[1])] {
        for state in states.map(Some).into_iter().chain([None]) {
            let fits = |o: &&OrderResponse| {
                tenant.is_none_or(|t| o.tenant == *t) && state.is_none_or(|s| o.state == s)
            };
            let expected: Vec<_> = all.iter().filter(fits).cloned().collect();
            for limit in [1, 2, 100] {
                assert_eq!(
                    orders(&suite, tenant, state, limit),
                    expected,
                    "{tenant:?} {state:?}"
                );
            }
        }
    }

    let all = leases(&suite, None, None, None);
    assert_eq!(all.len(), 12);
    let states = [
        LeaseState::Active,
        LeaseState::Suspended,
        LeaseState::Closed,
    ];
    let one_of = |s: LeaseState| all.iter().any(|l| l.state == s);
    assert!(states.into_iter().all(one_of));
    for tenant in [None, Some(&tenants[0]), Some(&tenants[1])] {
        for provider in [None, Some(&providers[0]), Some(&providers[1])] {
            for state in states.map(Some).into_iter().chain([None]) {
                let fits = |l: &&LeaseResponse| {
                    tenant.is_none_or(|t| l.tenant == *t)
                        && provider.is_none_or(|p| l.provider == *p)
                        && state.is_none_or(|s| l.state == s)
                };
                let expected: Vec<_> = all.iter().filter(fits).cloned().collect();
                assert_eq!(leases(&suite, tenant, provider, state), expected);
            }
        }
    }
}

#[test]
fn a_page_has_thirty_entries_unless_asked_and_a_hundred_at_most() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    for _ in 0..105 {
        suite.auction(&tenant, 1_000, NATIVE);
    }
    let page = |limit| -> usize {
        let answer: OrdersResponse = suite
            .ask_market(&QueryMsg::Orders {
                tenant: None,
                state: None,
                start_after: None,
                limit,
            })
            .unwrap();
        answer.orders.len()
    };
    assert_eq!(page(None), 30);
    assert_eq!(page(Some(0)), 0);
    assert_eq!(page(Some(u32::MAX)), 100);
}

#[test]
fn bids_and_asks_have_pages_too() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let order_id = suite.auction(&tenant, 1_000, NATIVE);
    let providers: Vec<_> = (0..5)
        .map(|i| suite.provider(&format!("p{i}"), 1))
        .collect();
    for p in &providers {
        suite.bid(p, order_id, 5).unwrap();
        suite.ask(p, 1, NATIVE, 5).unwrap();
    }
    suite.bid(&providers[0], order_id, 4).unwrap();
    let bids: BidsResponse = suite
        .ask_market(&QueryMsg::Bids {
            order_id,
            start_after: Some(BidId(2)),
            limit: Some(3),
        })
        .unwrap();
    let ids: Vec<_> = bids.bids.iter().map(|b| b.id.0).collect();
    assert_eq!(ids, [3, 4, 5]);
    let asks: AsksResponse = suite
        .ask_market(&QueryMsg::Asks {
            provider: Some(providers[3].to_string()),
            start_after: None,
            limit: None,
        })
        .unwrap();
    assert_eq!(asks.asks.len(), 1);
    assert_eq!(asks.asks[0].provider, providers[3]);
    let nobody: LeasesResponse = suite
        .ask_market(&QueryMsg::Leases {
            tenant: None,
            provider: None,
            state: None,
            start_after: Some(LeaseId(99)),
            limit: None,
        })
        .unwrap();
    assert_eq!(nobody.leases, []);
}
