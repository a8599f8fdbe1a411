//! `Deposit`, suspension, revival, grace, and several depositors.

use cosmwasm_std::coin;
use ember_testing::{
    Suite,
    suite::{NATIVE, USDC, refused},
};
use ember_types::{
    lease::{CloseReason, LeaseState, OrderState},
    market::ExecuteMsg,
};

/// 10 micro-units a second.
const RATE: u128 = 10_000_000;

#[test]
fn a_lease_that_runs_dry_is_suspended_at_that_second() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 5_005, NATIVE, RATE);
    let dry = suite.now() + 500;
    assert_eq!(suite.escrow(order_id).exhausted_at.unwrap().seconds(), dry);
    suite.wait(499);
    assert_eq!(suite.lease(lease_id).state, LeaseState::Active);
    // The block comes late: suspension dates from the exact second all the same.
    suite.wait(31);
    let lease = suite.lease(lease_id);
    assert_eq!(lease.state, LeaseState::Suspended);
    assert_eq!(lease.suspended_at.unwrap().seconds(), dry);
    assert_eq!(lease.settled_at.seconds(), dry);
    let e = suite.escrow(order_id);
    // The last 5 units do not pay a whole second.
    assert_eq!(
        (e.payable.u128(), e.fees.u128(), e.held.u128()),
        (4_800, 200, 4_805)
    );
    assert_eq!(e.exhausted_at, None);
    suite.check_books().unwrap();

    // The grace window passes.
    suite.wait(569);
    assert_eq!(suite.lease(lease_id).state, LeaseState::Suspended);
    suite.wait(1);
    let lease = suite.lease(lease_id);
    assert_eq!(lease.state, LeaseState::Closed);
    assert_eq!(lease.close_reason, Some(CloseReason::Exhausted));
    assert_eq!(lease.closed_at.unwrap().seconds(), dry + 600);
    assert_eq!(suite.balance(&tenant, NATIVE), 100_000 - 5_000);
    assert_eq!(suite.balance(&suite.market, NATIVE), 0);
    suite.check_books().unwrap();
}

#[test]
fn a_top_up_revives_and_the_suspended_time_is_not_paid() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let had = suite.balance(&provider, NATIVE);
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 5_000, NATIVE, RATE);
    suite.wait(700);
    assert_eq!(suite.lease(lease_id).state, LeaseState::Suspended);
    let top_up = ExecuteMsg::Deposit { order_id };
    suite
        .market(&tenant, &top_up, &[coin(2_000, NATIVE)])
        .unwrap();
    let lease = suite.lease(lease_id);
    assert_eq!(
        (lease.state, lease.suspended_at),
        (LeaseState::Active, None)
    );
    assert_eq!(
        suite.escrow(order_id).exhausted_at.unwrap().seconds(),
        suite.now() + 200
    );
    suite.wait(100);
    suite
        .market(&tenant, &ExecuteMsg::CloseLease { lease_id }, &[])
        .unwrap();
    // 500 + 100 seconds at 10 units, less 4 %.
    assert_eq!(suite.balance(&provider, NATIVE), had + 5_760);
    assert_eq!(suite.balance(&tenant, NATIVE), 100_000 - 6_000);
    suite.check_books().unwrap();
}

#[test]
fn dust_does_not_revive_and_does_not_lengthen_the_grace() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 5_000, NATIVE, RATE);
    suite.wait(500);
    suite.wait(590);
    let top_up = ExecuteMsg::Deposit { order_id };
    suite.market(&tenant, &top_up, &[coin(9, NATIVE)]).unwrap();
    assert_eq!(suite.lease(lease_id).state, LeaseState::Suspended);
    suite.wait(10);
    assert_eq!(suite.lease(lease_id).state, LeaseState::Closed);
    assert_eq!(suite.balance(&tenant, NATIVE), 95_000);
    suite.check_books().unwrap();
}

#[test]
fn a_top_up_that_comes_too_late_is_refused_even_when_the_hook_was_missed() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 5_000, NATIVE, RATE);
    suite.pass(500 + 600);
    let top_up = ExecuteMsg::Deposit { order_id };
    refused(
        suite.market(&tenant, &top_up, &[coin(1_000, NATIVE)]),
        "it is Closed",
    );
    // Any message that may finish what time has done, does.
    suite
        .market(&tenant, &ExecuteMsg::Settle { lease_id }, &[])
        .unwrap();
    let lease = suite.lease(lease_id);
    assert_eq!(lease.close_reason, Some(CloseReason::Exhausted));
    assert_eq!(lease.closed_at.unwrap().seconds(), suite.now());
    suite.check_books().unwrap();
}

#[test]
fn a_top_up_after_a_missed_suspension_pays_no_suspended_second() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 5_000, NATIVE, RATE);
    suite.pass(800);
    suite
        .market(
            &tenant,
            &ExecuteMsg::Deposit { order_id },
            &[coin(9_000, NATIVE)],
        )
        .unwrap();
    assert_eq!(suite.lease(lease_id).state, LeaseState::Active);
    let e = suite.escrow(order_id);
    assert_eq!(e.fees.u128() + e.payable.u128(), 5_000);
    assert_eq!(e.exhausted_at.unwrap().seconds(), suite.now() + 900);
}

#[test]
fn the_term_ends_while_suspended() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    // 3500 of 3600 seconds are paid; grace would end after the term.
    let (_, lease_id) = suite.lease_of(&tenant, &provider, 35_000, NATIVE, RATE);
    suite.wait(3_550);
    assert_eq!(suite.lease(lease_id).state, LeaseState::Suspended);
    suite.wait(50);
    let lease = suite.lease(lease_id);
    assert_eq!(lease.close_reason, Some(CloseReason::EndOfTerm));
    assert_eq!(lease.closed_at, Some(lease.ends_at));
    suite.check_books().unwrap();
}

#[test]
fn money_for_exactly_the_term_lasts_to_its_end() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 36_000, NATIVE, RATE);
    assert_eq!(suite.escrow(order_id).exhausted_at, None);
    suite.wait(3_600);
    let lease = suite.lease(lease_id);
    assert_eq!(lease.close_reason, Some(CloseReason::EndOfTerm));
    assert_eq!(suite.balance(&tenant, NATIVE), 64_000);
}

#[test]
fn the_first_deposit_is_consumed_first_and_refunds_follow_the_order() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let (b, c) = (suite.rich("b", 100_000), suite.rich("c", 100_000));
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 4_000, NATIVE, RATE);
    let top_up = ExecuteMsg::Deposit { order_id };
    for (who, amount) in [(&b, 3_000), (&c, 2_000), (&b, 1_000)] {
        suite.market(who, &top_up, &[coin(amount, NATIVE)]).unwrap();
    }
    suite.wait(550);
    let answer = suite
        .market(&tenant, &ExecuteMsg::CloseLease { lease_id }, &[])
        .unwrap();
    // 5500 consumed: all of the tenant's, half of b's first.
    let refunds: Vec<_> = answer
        .events
        .iter()
        .filter(|e| e.ty == "wasm-escrow")
        .map(|e| {
            let get = |key: &str| e.attributes.iter().find(|a| a.key == key).map(|a| &a.value);
            (
                get("action").unwrap().clone(),
                get("recipient").cloned(),
                get("amount").cloned(),
            )
        })
        .filter(|(action, ..)| action == "refund")
        .map(|(_, who, amount)| (who.unwrap(), amount.unwrap()))
        .collect();
    let expected = [(&b, "1500"), (&c, "2000"), (&b, "1000")];
    assert_eq!(
        refunds,
        expected.map(|(who, amount)| (who.to_string(), amount.to_string()))
    );
    assert_eq!(suite.balance(&tenant, NATIVE), 96_000);
    assert_eq!(suite.balance(&b, NATIVE), 98_500);
    assert_eq!(suite.balance(&c, NATIVE), 100_000);
    suite.check_books().unwrap();
}

#[test]
fn strangers_cannot_crowd_the_tenant_out() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let order_id = suite.auction(&tenant, 4_000, NATIVE);
    let top_up = ExecuteMsg::Deposit { order_id };
    for i in 0..31 {
        let stranger = suite.rich(&format!("s{i}"), 10);
        suite
            .market(&stranger, &top_up, &[coin(1, NATIVE)])
            .unwrap();
    }
    let late = suite.rich("late", 10);
    refused(
        suite.market(&late, &top_up, &[coin(1, NATIVE)]),
        "has 32 depositors already",
    );
    suite.market(&tenant, &top_up, &[coin(1, NATIVE)]).unwrap();
    let old = suite.account("s3");
    suite.market(&old, &top_up, &[coin(1, NATIVE)]).unwrap();
    suite.wait(100);
    assert_eq!(suite.order(order_id).unwrap().state, OrderState::Closed);
    assert_eq!(suite.balance(&tenant, NATIVE), 100_000);
    assert_eq!(suite.balance(&old, NATIVE), 10);
    suite.check_books().unwrap();
}

#[test]
fn a_deposit_is_one_coin_of_the_orders_denom() {
    let mut suite = Suite::new();
    let tenant = suite.rich("tenant", 100_000);
    let order_id = suite.auction(&tenant, 4_000, NATIVE);
    let top_up = ExecuteMsg::Deposit { order_id };
    refused(
        suite.market(&tenant, &top_up, &[]),
        "expected one coin of uember",
    );
    refused(
        suite.market(&tenant, &top_up, &[coin(1, USDC)]),
        "expected one coin of uember, got 1uusdc",
    );
}

#[test]
fn every_movement_tells_before_and_after() {
    let mut suite = Suite::new();
    let (tenant, provider) = (suite.rich("tenant", 100_000), suite.provider("p", 1));
    let (order_id, lease_id) = suite.lease_of(&tenant, &provider, 20_000, USDC, RATE);
    let mut held = suite.escrow(order_id).held.u128();
    suite.pass(100);
    let messages = [
        (&tenant, ExecuteMsg::Settle { lease_id }, vec![]),
        (
            &tenant,
            ExecuteMsg::Deposit { order_id },
            vec![coin(4_000, USDC)],
        ),
        (&provider, ExecuteMsg::Withdraw { lease_id }, vec![]),
        (&tenant, ExecuteMsg::CloseLease { lease_id }, vec![]),
    ];
    for (who, msg, funds) in messages {
        let answer = suite.market(who, &msg, &funds).unwrap();
        for event in answer.events.iter().filter(|e| e.ty == "wasm-escrow") {
            let get = |key: &str| -> u128 {
                let found = event.attributes.iter().find(|a| a.key == key);
                found.unwrap().value.parse().unwrap()
            };
            assert_eq!(get("before"), held, "{msg:?}: {event:?}");
            held = get("after");
        }
        assert_eq!(suite.escrow(order_id).held.u128(), held, "{msg:?}");
    }
    assert_eq!(held, 0);
}
