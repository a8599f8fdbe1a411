//! `Bond`, `Unbond`, `ClaimUnbonded`.

use cosmwasm_std::{Addr, Uint128, coin};
use ember_testing::{
    Suite,
    suite::{NATIVE, USDC, attribute, refused},
};
use ember_types::registry::{BondResponse, ExecuteMsg, QueryMsg};

fn bond(suite: &Suite, who: &Addr) -> BondResponse {
    suite
        .ask_registry(&QueryMsg::Bond {
            address: who.to_string(),
        })
        .unwrap()
}

fn unbond(amount: u128) -> ExecuteMsg {
    ExecuteMsg::Unbond {
        amount: Uint128::new(amount),
    }
}

#[test]
fn what_is_unbonded_stops_counting_at_once_and_comes_back_later() {
    let mut suite = Suite::new();
    let alice = suite.provider("alice", 1);
    let before = suite.balance(&alice, NATIVE);
    suite.registry(&alice, &unbond(1_000_000), &[]).unwrap();
    suite.pass(400);
    let answer = suite.registry(&alice, &unbond(500_000), &[]).unwrap();
    assert_eq!(
        attribute::<u128>(&answer, "wasm-bond", "before").unwrap(),
        2_000_000
    );
    assert_eq!(
        attribute::<u128>(&answer, "wasm-bond", "after").unwrap(),
        1_500_000
    );
    assert_eq!(bond(&suite, &alice).bonded, Uint128::new(1_500_000));

    suite.pass(599);
    refused(
        suite.registry(&alice, &ExecuteMsg::ClaimUnbonded {}, &[]),
        "2 unbondings are waiting",
    );
    suite.pass(1);
    suite
        .registry(&alice, &ExecuteMsg::ClaimUnbonded {}, &[])
        .unwrap();
    assert_eq!(suite.balance(&alice, NATIVE), before + 1_000_000);
    assert_eq!(bond(&suite, &alice).unbonding.len(), 1);
    suite.pass(400);
    suite
        .registry(&alice, &ExecuteMsg::ClaimUnbonded {}, &[])
        .unwrap();
    assert_eq!(suite.balance(&alice, NATIVE), before + 1_500_000);
    refused(
        suite.registry(&alice, &ExecuteMsg::ClaimUnbonded {}, &[]),
        "nothing to claim",
    );
}

#[test]
fn no_more_leaves_than_is_there() {
    let mut suite = Suite::new();
    let alice = suite.provider("alice", 1);
    refused(
        suite.registry(&alice, &unbond(3_000_001), &[]),
        "cannot unbond 3000001: only 3000000 is bonded",
    );
    refused(
        suite.registry(&alice, &unbond(u128::MAX), &[]),
        "only 3000000",
    );
    refused(suite.registry(&alice, &unbond(0), &[]), "more than zero");
    refused(
        suite.registry(&alice, &unbond(1), &[coin(1, NATIVE)]),
        "expected no funds",
    );
    let bob = suite.rich("bob", 1);
    refused(suite.registry(&bob, &unbond(1), &[]), "only 0 is bonded");
}

#[test]
fn a_bond_is_one_native_coin() {
    let mut suite = Suite::new();
    let alice = suite.provider("alice", 1);
    refused(
        suite.registry(&alice, &ExecuteMsg::Bond {}, &[]),
        "got nothing",
    );
    refused(
        suite.registry(&alice, &ExecuteMsg::Bond {}, &[coin(5, USDC)]),
        "got 5uusdc",
    );
    suite
        .registry(&alice, &ExecuteMsg::Bond {}, &[coin(5, NATIVE)])
        .unwrap();
    assert_eq!(bond(&suite, &alice).bonded, Uint128::new(3_000_005));
}

#[test]
fn a_bond_that_would_overflow_is_refused() {
    let mut suite = Suite::new();
    let alice = suite.provider("alice", 1);
    let most = u128::MAX - suite.balance(&alice, NATIVE);
    suite.mint(&alice, most, NATIVE);
    let all = suite.balance(&alice, NATIVE);
    refused(
        suite.registry(&alice, &ExecuteMsg::Bond {}, &[coin(all, NATIVE)]),
        "does not fit 128 bits",
    );
    suite
        .registry(
            &alice,
            &ExecuteMsg::Bond {},
            &[coin(all - 3_000_000, NATIVE)],
        )
        .unwrap();
    assert_eq!(bond(&suite, &alice).bonded, Uint128::MAX);
}

#[test]
fn the_queue_is_bounded() {
    let mut suite = Suite::new();
    let alice = suite.provider("alice", 1);
    for _ in 0..32 {
        suite.registry(&alice, &unbond(1), &[]).unwrap();
    }
    refused(
        suite.registry(&alice, &unbond(1), &[]),
        "32 unbondings are waiting already",
    );
    suite.pass(1_000);
    suite
        .registry(&alice, &ExecuteMsg::ClaimUnbonded {}, &[])
        .unwrap();
    suite.registry(&alice, &unbond(1), &[]).unwrap();
    let registry = suite.registry.clone();
    let b = bond(&suite, &alice);
    assert_eq!(
        suite.balance(&registry, NATIVE),
        b.bonded.u128() + b.unbonding.iter().map(|u| u.amount.u128()).sum::<u128>()
    );
}
