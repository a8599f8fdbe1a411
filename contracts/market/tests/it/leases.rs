//! `CloseLease`, `Settle`, `Withdraw`.

use cosmwasm_std::coin;
use ember_testing::{
    Suite,
    suite::{NATIVE, USDC, refused},
};
use ember_types::{
    ids::LeaseId,
    lease::{CloseReason, LeaseState, OrderState},
    market::ExecuteMsg,
};

/// 2 micro-units a second.
const RATE: u128 = 2_000_000;

#[test]
fn closing_pays_what_accrued_and_refunds_the_rest() {
    for (by_tenant, reason) in [(true, CloseReason::Tenant), (false, CloseReason::Provider)] {
        let mut suite = Suite::new();
        let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
        let had = suite.balance(&provider, USDC);
        let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 40_000, USDC, RATE);
        suite.wait(1_000);
        let who = if by_tenant { &tenant } else { &provider };
        suite
            .market(who, &ExecuteMsg::CloseLease { lease_id }, &[])
            .unwrap();
        // 2000 earned: a fifth is the take fee; 0.25 % of the deposit went at once.
        assert_eq!(suite.balance(&provider, USDC), had + 1_600);
        assert_eq!(suite.balance(&suite.fee_collector, USDC), 400 + 100);
        assert_eq!(suite.balance(&tenant, USDC), 100_000 - 2_000 - 100);
        assert_eq!(suite.balance(&suite.market, USDC), 0);
        let lease = suite.lease(lease_id);
        assert_eq!(lease.state, LeaseState::Closed);
        assert_eq!(lease.close_reason, Some(reason));
        assert_eq!(lease.closed_at.unwrap().seconds(), suite.now());
        assert_eq!(lease.settled_at.seconds(), suite.now());
        assert_eq!(suite.order(order_id).unwrap().state, OrderState::Closed);
        suite.check_books().unwrap();
    }
}

#[test]
fn only_the_two_sides_close() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let stranger = suite.provider("stranger", 1);
    let (_, lease_id) = suite.lease_of(&tenant, &provider, 40_000, USDC, RATE);
    let close = ExecuteMsg::CloseLease { lease_id };
    refused(suite.market(&stranger, &close, &[]), "tenant or provider");
    refused(
        suite.market(&tenant, &close, &[coin(1, USDC)]),
        "expected no funds",
    );
    suite.market(&tenant, &close, &[]).unwrap();
    refused(
        suite.market(&tenant, &close, &[]),
        "lease 1: expected it Active or Suspended, it is Closed",
    );
    for msg in [
        ExecuteMsg::Settle { lease_id },
        ExecuteMsg::Withdraw { lease_id },
    ] {
        refused(suite.market(&provider, &msg, &[]), "it is Closed");
    }
    let lease_id = LeaseId(9);
    refused(
        suite.market(&tenant, &ExecuteMsg::CloseLease { lease_id }, &[]),
        "no lease 9",
    );
}

#[test]
fn a_lease_that_runs_to_its_end_costs_rate_times_units_times_term() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let had = suite.balance(&provider, NATIVE);
    let (_, lease_id) = suite.lease_of(&tenant, &provider, 40_000, NATIVE, 1_234_567);
    // However late the block is.
    suite.wait(5_000);
    let total = 1_234_567 * 3_600 / 1_000_000;
    let fee = total * 400 / 10_000;
    let lease = suite.lease(lease_id);
    assert_eq!(lease.close_reason, Some(CloseReason::EndOfTerm));
    assert_eq!(lease.closed_at, Some(lease.ends_at));
    assert_eq!(lease.settled_at, lease.ends_at);
    assert_eq!(suite.balance(&provider, NATIVE), had + total - fee);
    assert_eq!(suite.balance(&suite.fee_collector, NATIVE), fee);
    assert_eq!(suite.balance(&tenant, NATIVE), 100_000 - total);
    suite.check_books().unwrap();
}

#[test]
fn settling_books_and_sends_only_the_fee() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let had = suite.balance(&provider, USDC);
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 40_000, USDC, RATE);
    suite.pass(500);
    let e = suite.escrow(order_id);
    assert_eq!((e.payable.u128(), e.fees_due.u128()), (800, 200));
    assert_eq!((e.held.u128(), e.paid.u128()), (39_900, 0));
    // By anyone.
    suite
        .market(&tenant, &ExecuteMsg::Settle { lease_id }, &[])
        .unwrap();
    let e = suite.escrow(order_id);
    assert_eq!((e.payable.u128(), e.fees_due.u128()), (800, 0));
    assert_eq!((e.held.u128(), e.fees.u128()), (39_700, 300));
    assert_eq!(suite.lease(lease_id).settled_at.seconds(), suite.now());
    assert_eq!(suite.balance(&provider, USDC), had);
    suite.check_books().unwrap();
}

#[test]
fn a_withdrawal_pays_the_provider_and_nobody_else() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let had = suite.balance(&provider, USDC);
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 40_000, USDC, RATE);
    suite.pass(500);
    let msg = ExecuteMsg::Withdraw { lease_id };
    refused(
        suite.market(&tenant, &msg, &[]),
        "only the lease's provider",
    );
    suite.market(&provider, &msg, &[]).unwrap();
    assert_eq!(suite.balance(&provider, USDC), had + 800);
    // Again in the same block: nothing is there, and nothing happens.
    suite.market(&provider, &msg, &[]).unwrap();
    assert_eq!(suite.balance(&provider, USDC), had + 800);
    let e = suite.escrow(order_id);
    assert_eq!((e.paid.u128(), e.payable.u128()), (800, 0));
    suite.check_books().unwrap();
}

#[test]
fn settling_every_second_comes_to_the_same_unit_as_settling_once() {
    let end = |every: u64| {
        let mut suite = Suite::new();
        let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
        // 0.333333 micro-units a second: most seconds book nothing, and fees of a fifth round each time.
        let (_, lease_id) = suite.lease_of(&tenant, &provider, 40_000, USDC, 333_333);
        for i in 0..900u64 {
            suite.pass(1);
            if every > 0 && i % every == 0 {
                suite
                    .market(&tenant, &ExecuteMsg::Settle { lease_id }, &[])
                    .unwrap();
            }
        }
        suite
            .market(&tenant, &ExecuteMsg::CloseLease { lease_id }, &[])
            .unwrap();
        suite.check_books().unwrap();
        let collector = suite.fee_collector.clone();
        [&tenant, &provider, &collector].map(|who| suite.balance(who, USDC))
    };
    let once = end(0);
    assert_eq!(end(1), once);
    assert_eq!(end(7), once);
}
