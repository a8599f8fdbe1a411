//! `Slash`.

use cosmwasm_std::{
    Addr, Uint128, coin, from_json,
    testing::{message_info, mock_dependencies, mock_env},
};
use ember_registry::{ContractError, contract};
use ember_testing::{
    Suite,
    suite::{NATIVE, USDC, attribute, refused},
};
use ember_types::registry::{
    BondResponse, ConfigUpdate, ExecuteMsg, InstantiateMsg, QueryMsg, SlashResponse,
};
use proptest::prelude::*;

fn bond(suite: &Suite, who: &Addr) -> BondResponse {
    suite
        .ask_registry(&QueryMsg::Bond {
            address: who.to_string(),
        })
        .unwrap()
}

fn slash(owner: &Addr, amount: u128) -> ExecuteMsg {
    ExecuteMsg::Slash {
        owner: owner.to_string(),
        amount: Uint128::new(amount),
        reason: "dispute 7".into(),
    }
}

fn unbond(suite: &mut Suite, who: &Addr, amount: u128) {
    let amount = Uint128::new(amount);
    suite
        .registry(who, &ExecuteMsg::Unbond { amount }, &[])
        .unwrap();
}

#[test]
fn the_bond_goes_first_then_what_is_leaving() {
    let mut suite = Suite::new();
    let (alice, court) = (suite.provider("alice", 1), suite.court.clone());
    unbond(&mut suite, &alice, 500_000);
    suite.pass(10);
    unbond(&mut suite, &alice, 500_000);

    let answer = suite
        .registry(&court, &slash(&alice, 1_500_000), &[])
        .unwrap();
    let get = |key| attribute::<String>(&answer, "wasm-bond", key).unwrap();
    assert_eq!(get("action"), "slash");
    assert_eq!(get("amount"), "1500000");
    assert_eq!(
        (get("before"), get("after")),
        ("2000000".into(), "500000".into())
    );
    assert_eq!(get("from_unbonding"), "0");
    assert_eq!(get("reason"), "dispute 7");
    assert_eq!(get("recipient"), suite.fee_collector.as_str());
    assert_eq!(suite.balance(&suite.fee_collector, NATIVE), 1_500_000);

    let answer = suite
        .registry(&court, &slash(&alice, 700_000), &[])
        .unwrap();
    let taken: SlashResponse = from_json(answer.data.unwrap()).unwrap();
    assert_eq!(taken.from_bond, Uint128::new(500_000));
    assert_eq!(taken.from_unbonding, Uint128::new(200_000));
    let left: Vec<_> = bond(&suite, &alice)
        .unbonding
        .iter()
        .map(|u| u.amount.u128())
        .collect();
    assert_eq!(left, [300_000, 500_000]);

    let answer = suite
        .registry(&court, &slash(&alice, u128::MAX), &[])
        .unwrap();
    assert_eq!(
        attribute::<u128>(&answer, "wasm-bond", "amount").unwrap(),
        800_000
    );
    assert_eq!(suite.balance(&suite.registry, NATIVE), 0);
    refused(
        suite.registry(&court, &slash(&alice, 1), &[]),
        "expected a stake to slash, got none",
    );
}

#[test]
fn what_is_released_is_its_owners() {
    let mut suite = Suite::new();
    let (alice, court) = (suite.provider("alice", 1), suite.court.clone());
    unbond(&mut suite, &alice, 3_000_000);
    suite.pass(1_000);
    refused(
        suite.registry(&court, &slash(&alice, 1), &[]),
        "expected a stake to slash, got none",
    );
    suite
        .registry(&alice, &ExecuteMsg::ClaimUnbonded {}, &[])
        .unwrap();
}

#[test]
fn leaving_does_not_save_the_stake_within_the_period() {
    let mut suite = Suite::new();
    let (alice, court) = (suite.provider("alice", 1), suite.court.clone());
    suite
        .registry(&alice, &ExecuteMsg::UnregisterProvider {}, &[])
        .unwrap();
    suite.pass(999);
    suite.registry(&court, &slash(&alice, 1), &[]).unwrap();
    assert_eq!(suite.balance(&suite.fee_collector, NATIVE), 1);
}

#[test]
fn nobody_else_slashes_and_nothing_else_passes() {
    let mut suite = Suite::new();
    let (alice, court, authority) = (
        suite.provider("alice", 1),
        suite.court.clone(),
        suite.authority.clone(),
    );
    let bob = suite.rich("bob", 5);
    for who in [&alice, &authority, &bob, &suite.market.clone()] {
        refused(
            suite.registry(who, &slash(&alice, 1), &[]),
            &format!("only the court {court} may do this, got {who}"),
        );
    }
    suite.mint(&court, 5, USDC);
    refused(
        suite.registry(&court, &slash(&alice, 1), &[coin(1, USDC)]),
        "expected no funds, got 1uusdc",
    );
    refused(
        suite.registry(&court, &slash(&alice, 0), &[]),
        "more than zero",
    );
    refused(suite.registry(&court, &slash(&bob, 1), &[]), "none bonded");
    for reason in [String::new(), "x".repeat(257)] {
        let msg = ExecuteMsg::Slash {
            owner: alice.to_string(),
            amount: Uint128::one(),
            reason,
        };
        refused(
            suite.registry(&court, &msg, &[]),
            "reason: expected 1 to 256 bytes",
        );
    }
    assert_eq!(bond(&suite, &alice).bonded, Uint128::new(3_000_000));
}

#[test]
fn without_a_court_or_a_collector_nothing_is_slashed() {
    let mut deps = mock_dependencies();
    let authority = deps.api.addr_make("authority");
    let info = message_info(&authority, &[]);
    let msg = InstantiateMsg {
        authority: authority.to_string(),
        bond_denom: NATIVE.into(),
        unbonding_secs: 1,
        min_bond: Uint128::zero(),
        fee_collector: None,
        court: None,
        market: None,
        trust_setters: vec![],
        seen_secs: None,
    };
    contract::instantiate(deps.as_mut(), mock_env(), info.clone(), msg).unwrap();
    let mut missing = |court: Option<&Addr>| {
        if let Some(court) = court {
            let msg = ExecuteMsg::UpdateConfig(ConfigUpdate {
                court: Some(court.to_string()),
                ..ConfigUpdate::default()
            });
            contract::execute(deps.as_mut(), mock_env(), info.clone(), msg).unwrap();
        }
        match contract::execute(
            deps.as_mut(),
            mock_env(),
            info.clone(),
            slash(&authority, 1),
        ) {
            Err(ContractError::NotConfigured { what }) => what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(missing(None), "court");
    assert_eq!(missing(Some(&authority)), "fee_collector");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    /// Stake is neither made nor lost: what the registry holds is what is bonded and unbonding, after every step.
    #[test]
    fn stake_is_never_made_or_lost(
        steps in prop::collection::vec((0u8..5, 0u128..2_000_000, 0u64..600), 1..60),
    ) {
        let mut suite = Suite::new();
        let (alice, court) = (suite.provider("alice", 1), suite.court.clone());
        let all = suite.balance(&alice, NATIVE) + 3_000_000;
        for (kind, amount, secs) in steps {
            let (who, msg, funds) = match kind {
                0 => (&alice, ExecuteMsg::Bond {}, vec![coin(amount, NATIVE)]),
                1 => (&alice, ExecuteMsg::Unbond { amount: amount.into() }, vec![]),
                2 => (&alice, ExecuteMsg::ClaimUnbonded {}, vec![]),
                3 => (&court, slash(&alice, amount), vec![]),
                _ => (&court, slash(&alice, amount / 100), vec![]),
            };
            let _may_be_refused = suite.registry(who, &msg, &funds);
            suite.pass(secs);
            let b = bond(&suite, &alice);
            let staked = b.bonded.u128() + b.unbonding.iter().map(|u| u.amount.u128()).sum::<u128>();
            prop_assert_eq!(suite.balance(&suite.registry, NATIVE), staked);
            let rest = suite.balance(&alice, NATIVE) + suite.balance(&suite.fee_collector, NATIVE);
            prop_assert_eq!(all, staked + rest);
        }
    }
}
