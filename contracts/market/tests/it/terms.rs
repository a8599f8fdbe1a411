//! An order's terms: notice before the provider leaves, and opening again when it has left.

use cosmwasm_std::{Addr, coin};
use ember_testing::{
    Suite,
    suite::{USDC, any_gpu, refused},
};
use ember_types::{
    ids::{BidId, LeaseId, OrderId},
    lease::{BidState, CloseReason, LeaseState, OrderState},
    market::{Ceiling, ExecuteMsg, Terms},
    money::Rate,
    pricing::{PricingMode, market::Market, reverse_auction::ReverseAuction},
};

const TERM: u64 = 100_000;

/// An order of these terms; its auction stays open for 100 s, its ceiling is a micro-unit a second.
fn order(suite: &mut Suite, tenant: &Addr, terms: Terms, deposit: u128, auction: bool) -> OrderId {
    let closes_at = suite.now() + 100;
    let msg = ExecuteMsg::CreateOrder {
        resources: any_gpu(1),
        pricing: if auction {
            PricingMode::ReverseAuction(ReverseAuction { closes_at })
        } else {
            PricingMode::Market(Market::default())
        },
        ceiling: Ceiling {
            denom: USDC.into(),
            rate: Rate::new(1_000_000),
        },
        max_duration_secs: TERM,
        terms,
    };
    let answer = suite.market(tenant, &msg, &[coin(deposit, USDC)]).unwrap();
    OrderId(ember_testing::suite::attribute(&answer, "wasm-order_created", "order_id").unwrap())
}

fn leased(suite: &mut Suite, who: &Addr, id: OrderId) -> LeaseId {
    suite.bid(who, id, 1_000_000).unwrap();
    suite.wait(100);
    suite.order(id).unwrap().lease_id.unwrap()
}

fn close(suite: &mut Suite, who: &Addr, lease_id: LeaseId) -> anyhow::Result<()> {
    suite
        .market(who, &ExecuteMsg::CloseLease { lease_id }, &[])
        .map(drop)
}

#[test]
fn a_provider_leaves_after_its_notice_and_is_paid_through_it() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 1_000_000), suite.provider("p", 1));
    let had = suite.balance(&provider, USDC);
    let terms = Terms {
        notice_hours: 2,
        relist: false,
    };
    let id = order(&mut suite, &tenant, terms, 50_000, true);
    let lease_id = leased(&mut suite, &provider, id);
    refused(
        close(&mut suite, &provider, lease_id),
        "its provider may leave 2 h after give_notice",
    );
    let notice = ExecuteMsg::GiveNotice { lease_id };
    refused(
        suite.market(&tenant, &notice, &[]),
        "only the lease's provider",
    );
    refused(
        suite.market(&provider, &notice, &[coin(1, USDC)]),
        "expected no funds",
    );
    let answer = suite.market(&provider, &notice, &[]).unwrap();
    let leaves_at = suite.now() + 7_200;
    let said: u64 =
        ember_testing::suite::attribute(&answer, "wasm-lease_notice", "leaves_at").unwrap();
    assert_eq!(
        (said, suite.lease(lease_id).leaves_at.unwrap().seconds()),
        (leaves_at, leaves_at)
    );
    refused(
        suite.market(&provider, &notice, &[]),
        "notice was given already",
    );
    suite.wait(7_199);
    refused(
        close(&mut suite, &provider, lease_id),
        "expected that time past",
    );
    suite.wait(1);
    close(&mut suite, &provider, lease_id).unwrap();
    let lease = suite.lease(lease_id);
    assert_eq!(lease.close_reason, Some(CloseReason::Notice));
    // 7200 earned at 20 %.
    assert_eq!(suite.balance(&provider, USDC), had + 5_760);
    assert_eq!(suite.order(id).unwrap().state, OrderState::Closed);
    refused(suite.market(&provider, &notice, &[]), "it is Closed");
    suite.check_books().unwrap();
}

#[test]
fn the_tenant_goes_at_any_time_and_nobody_serves_an_empty_escrow() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 1_000_000), suite.provider("p", 1));
    let terms = Terms {
        notice_hours: 720,
        relist: true,
    };
    let id = order(&mut suite, &tenant, terms.clone(), 50_000, true);
    let lease_id = leased(&mut suite, &provider, id);
    suite
        .market(&provider, &ExecuteMsg::GiveNotice { lease_id }, &[])
        .unwrap();
    close(&mut suite, &tenant, lease_id).unwrap();
    assert_eq!(
        suite.lease(lease_id).close_reason,
        Some(CloseReason::Tenant)
    );
    // The tenant ended it: it does not open again.
    assert_eq!(suite.order(id).unwrap().state, OrderState::Closed);
    let id = order(&mut suite, &tenant, terms, 1_000, true);
    let lease_id = leased(&mut suite, &provider, id);
    suite.wait(1_100);
    assert_eq!(suite.lease(lease_id).state, LeaseState::Suspended);
    close(&mut suite, &provider, lease_id).unwrap();
    assert_eq!(
        suite.lease(lease_id).close_reason,
        Some(CloseReason::Provider)
    );
    // With nothing left to pay with it does not open again either.
    assert_eq!(suite.order(id).unwrap().state, OrderState::Closed);
    suite.check_books().unwrap();
}

#[test]
fn notice_is_at_most_thirty_days_and_only_where_it_is_asked_for() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 1_000_000), suite.provider("p", 1));
    let msg = ExecuteMsg::CreateOrder {
        resources: any_gpu(1),
        pricing: PricingMode::Market(Market::default()),
        ceiling: Ceiling {
            denom: USDC.into(),
            rate: Rate::new(1),
        },
        max_duration_secs: 60,
        terms: Terms {
            notice_hours: 721,
            relist: false,
        },
    };
    let text = "terms.notice_hours: expected 0 to 720, got 721";
    refused(suite.market(&tenant, &msg, &[coin(1_000, USDC)]), text);
    let (_, lease_id) = suite.lease_of(&tenant, &provider, 1_000, USDC, 1);
    let notice = ExecuteMsg::GiveNotice { lease_id };
    refused(
        suite.market(&provider, &notice, &[]),
        "its order asks for no notice",
    );
}

#[test]
fn an_order_whose_provider_left_is_auctioned_again_with_what_is_left() {
    let mut suite = Suite::new();
    let (tenant, first, second) = (
        suite.rich("tenant", 1_000_000),
        suite.provider("p", 1),
        suite.provider("q", 1),
    );
    let terms = Terms {
        notice_hours: 0,
        relist: true,
    };
    let id = order(&mut suite, &tenant, terms, 50_000, true);
    let lost = suite.bid(&second, id, 1_000_000);
    let one = leased(&mut suite, &first, id);
    // The older of two equal bids won.
    assert_eq!(suite.lease(one).provider, second);
    let (first, second) = (second, first);
    lost.unwrap();
    suite.wait(10_000);
    close(&mut suite, &first, one).unwrap();
    let open = suite.order(id).unwrap();
    assert_eq!(
        (open.state, open.lease_id, open.past_leases.clone()),
        (OrderState::Open, None, vec![one])
    );
    assert_eq!(open.max_duration_secs, TERM - 10_000);
    let mode = PricingMode::ReverseAuction(ReverseAuction {
        closes_at: suite.now() + 100,
    });
    assert_eq!(open.pricing, mode);
    let e = suite.escrow(id);
    assert_eq!(
        (e.held.u128(), e.leases[0].accrued.u128()),
        (39_875, 10_000)
    );
    suite.check_books().unwrap();
    refused(suite.bid(&first, id, 1), "it left this order before");
    let two = leased(&mut suite, &second, id);
    assert_eq!(suite.lease(two).provider, second);
    // Who names the first does not reach the second.
    refused(close(&mut suite, &tenant, one), "it is Closed");
    refused(close(&mut suite, &first, one), "it is Closed");
    suite.wait(1_000);
    close(&mut suite, &tenant, two).unwrap();
    let e = suite.escrow(id);
    let parts: Vec<_> = e
        .leases
        .iter()
        .map(|l| (l.lease_id, l.accrued.u128(), l.paid.u128()))
        .collect();
    assert_eq!(parts, [(one, 10_000, 8_000), (two, 1_000, 800)]);
    assert_eq!(suite.balance(&tenant, USDC), 1_000_000 - 125 - 11_000);
    suite.check_books().unwrap();
}

#[test]
fn a_market_order_whose_provider_left_crosses_the_next_ask_in_that_block() {
    let mut suite = Suite::new();
    let (tenant, first, second) = (
        suite.rich("tenant", 1_000_000),
        suite.provider("p", 1),
        suite.provider("q", 1),
    );
    suite.ask(&first, 1, USDC, 100_000).unwrap();
    suite.ask(&second, 1, USDC, 200_000).unwrap();
    let terms = Terms {
        notice_hours: 0,
        relist: true,
    };
    let id = order(&mut suite, &tenant, terms, 50_000, false);
    let one = suite.order(id).unwrap().lease_id.unwrap();
    assert_eq!(suite.lease(one).provider, first);
    suite.pass(50);
    close(&mut suite, &first, one).unwrap();
    assert_eq!(suite.order(id).unwrap().state, OrderState::Open);
    refused(suite.bid(&second, id, 1), "takes no bids");
    // The first's ask has its unit back and is cheaper, but it left.
    suite.end_block();
    let two = suite.order(id).unwrap().lease_id.unwrap();
    assert_eq!(suite.lease(two).provider, second);
    suite.check_books().unwrap();
    // Nobody else is there: what is left goes back.
    suite.pass(50);
    close(&mut suite, &second, two).unwrap();
    suite.end_block();
    let over = suite.order(id).unwrap();
    assert_eq!(
        (over.state, over.past_leases),
        (OrderState::Closed, vec![one, two])
    );
    assert_eq!(suite.balance(&suite.market, USDC), 0);
    suite.check_books().unwrap();
}

#[test]
fn the_tenant_may_close_an_order_that_waits_again() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 1_000_000), suite.provider("p", 1));
    let terms = Terms {
        notice_hours: 0,
        relist: true,
    };
    let id = order(&mut suite, &tenant, terms, 50_000, true);
    let lease_id = leased(&mut suite, &provider, id);
    close(&mut suite, &provider, lease_id).unwrap();
    suite
        .market(&tenant, &ExecuteMsg::CloseOrder { order_id: id }, &[])
        .unwrap();
    assert_eq!(suite.balance(&tenant, USDC), 1_000_000 - 125);
    let bid: ember_types::market::BidResponse = suite
        .ask_market(&ember_types::market::QueryMsg::Bid { bid_id: BidId(1) })
        .unwrap();
    assert_eq!(bid.state, BidState::Won);
    suite.check_books().unwrap();
}
