//! `CreateOrder` and `CloseOrder`.

use cosmwasm_std::coin;
use ember_testing::{
    Suite,
    suite::{NATIVE, USDC, any_gpu, refused},
};
use ember_types::{
    ids::OrderId,
    lease::OrderState,
    market::ExecuteMsg,
    pricing::{PricingMode, reverse_auction::ReverseAuction},
};

fn auction_until(closes_at: u64) -> PricingMode {
    PricingMode::ReverseAuction(ReverseAuction { closes_at })
}

#[test]
fn an_order_is_stored_as_it_was_asked() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let closes_at = suite.now() + 60;
    let answer = suite
        .create_order(
            &tenant,
            any_gpu(2),
            auction_until(closes_at),
            (77, USDC),
            3_600,
            &[coin(10_000, USDC)],
        )
        .unwrap();
    assert_eq!((answer.order_id, answer.lease_id), (OrderId(1), None));
    let o = suite.order(OrderId(1)).unwrap();
    assert_eq!(o.tenant, tenant);
    assert_eq!(o.resources, any_gpu(2));
    assert_eq!(o.pricing, auction_until(closes_at));
    assert_eq!(o.ceiling.rate.0.u128(), 77);
    assert_eq!(o.state, OrderState::Open);
    assert_eq!(o.open_bids, 0);
    // 0.25 % of the deposit is the reservation fee.
    let e = suite.escrow(OrderId(1));
    assert_eq!(
        (e.deposited.u128(), e.fees.u128(), e.held.u128()),
        (10_000, 25, 9_975)
    );
    assert_eq!(suite.balance(&suite.fee_collector, USDC), 25);
    suite.check_books().unwrap();
}

#[test]
fn funds_are_one_coin_of_the_ceilings_denom() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    suite.mint(&tenant, 1_000_000, "uother");
    let mode = auction_until(suite.now() + 60);
    let mut create = |denom: &str, funds: &[_]| {
        suite.create_order(&tenant, any_gpu(1), mode.clone(), (77, denom), 60, funds)
    };
    refused(create(USDC, &[]), "expected one coin of uusdc, got nothing");
    refused(
        create(USDC, &[coin(5_000, NATIVE)]),
        "expected one coin of uusdc, got 5000uember",
    );
    refused(
        create(USDC, &[coin(5_000, NATIVE), coin(5_000, USDC)]),
        "expected one coin of uusdc",
    );
    refused(
        create("uother", &[coin(5_000, "uother")]),
        "unknown denom uother: expected one of uember, uusdc",
    );
    refused(
        create(USDC, &[coin(999, USDC)]),
        "expected at least 1000uusdc, got 999uusdc",
    );
    create(USDC, &[coin(1_000, USDC)]).unwrap();
}

#[test]
fn fields_out_of_range_are_refused() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 1_000_000);
    let now = suite.now();
    let mut create = |units, closes_at, duration| {
        let mode = auction_until(closes_at);
        let funds = [coin(1_000, NATIVE)];
        suite.create_order(
            &tenant,
            any_gpu(units),
            mode,
            (77, NATIVE),
            duration,
            &funds,
        )
    };
    refused(
        create(0, now + 60, 60),
        "resources.units: expected 1 to 1024, got 0",
    );
    refused(create(1_025, now + 60, 60), "got 1025");
    refused(create(1, now, 60), "pricing.closes_at");
    refused(create(1, now + 31 * 86_400, 60), "pricing.closes_at");
    refused(
        create(1, now + 60, 0),
        "max_duration_secs: expected 1 to 31536000, got 0",
    );
    refused(create(1, now + 60, 31_536_001), "got 31536001");
    create(1_024, now + 60, 31_536_000).unwrap();
}

#[test]
fn closing_an_open_order_returns_everything_but_the_reservation_fee() {
    let mut suite = Suite::new();
    let (tenant, friend) = (suite.rich("tenant", 100_000), suite.rich("friend", 100_000));
    let (a, b) = (suite.provider("a", 1), suite.provider("b", 1));
    let (a_had, b_had) = (suite.balance(&a, USDC), suite.balance(&b, USDC));
    let order_id = suite.auction(&tenant, 10_000, USDC);
    suite
        .market(
            &friend,
            &ExecuteMsg::Deposit { order_id },
            &[coin(4_000, USDC)],
        )
        .unwrap();
    suite.bid(&a, order_id, 5).unwrap();
    suite.bid(&b, order_id, 6).unwrap();
    suite.check_books().unwrap();

    let close = ExecuteMsg::CloseOrder { order_id };
    refused(suite.market(&friend, &close, &[]), "only the tenant");
    refused(
        suite.market(&tenant, &close, &[coin(1, USDC)]),
        "expected no funds",
    );
    suite.market(&tenant, &close, &[]).unwrap();
    assert_eq!(suite.order(order_id).unwrap().state, OrderState::Closed);
    assert_eq!(suite.balance(&tenant, USDC), 100_000 - 25);
    assert_eq!(suite.balance(&friend, USDC), 100_000 - 10);
    assert_eq!(
        (suite.balance(&a, USDC), suite.balance(&b, USDC)),
        (a_had, b_had)
    );
    assert_eq!(suite.balance(&suite.market, USDC), 0);
    suite.check_books().unwrap();

    refused(
        suite.market(&tenant, &close, &[]),
        "order 1: expected it Open, it is Closed",
    );
    refused(
        suite.market(
            &friend,
            &ExecuteMsg::Deposit { order_id },
            &[coin(4_000, USDC)],
        ),
        "it is Closed",
    );
    refused(suite.bid(&a, order_id, 5), "it is Closed");
}

#[test]
fn a_leased_order_is_closed_through_its_lease() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let (order_id, _) = suite.lease_of(&tenant, &provider, 10_000, USDC, 5);
    refused(
        suite.market(&tenant, &ExecuteMsg::CloseOrder { order_id }, &[]),
        "order 1: expected it Open, it is Leased",
    );
}

#[test]
fn an_order_that_does_not_exist_is_named() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let order_id = OrderId(9);
    for msg in [
        ExecuteMsg::CloseOrder { order_id },
        ExecuteMsg::Deposit { order_id },
    ] {
        refused(suite.market(&tenant, &msg, &[]), "no order 9");
    }
}
