//! `UpdateConfig`.

use cosmwasm_std::{Uint128, coin};
use ember_testing::{
    Suite,
    suite::{NATIVE, refused},
};
use ember_types::registry::{ConfigUpdate, ExecuteMsg, InstantiateMsg, QueryMsg};

fn config(suite: &Suite) -> InstantiateMsg {
    suite.ask_registry(&QueryMsg::Config {}).unwrap()
}

#[test]
fn the_authority_changes_what_it_names_and_nothing_else() {
    let mut suite = Suite::new();
    let (authority, before) = (suite.authority.clone(), config(&suite));
    let update = ConfigUpdate {
        min_bond: Some(Uint128::new(7)),
        ..ConfigUpdate::default()
    };
    suite
        .registry(&authority, &ExecuteMsg::UpdateConfig(update), &[])
        .unwrap();
    let expected = InstantiateMsg {
        min_bond: Uint128::new(7),
        ..before
    };
    assert_eq!(config(&suite), expected);

    let [a, b, c] = ["a", "b", "c"].map(|n| suite.account(n));
    let update = ConfigUpdate {
        authority: Some(a.to_string()),
        unbonding_secs: Some(5),
        fee_collector: Some(b.to_string()),
        court: Some(c.to_string()),
        market: Some(a.to_string()),
        trust_setters: Some(vec![b.to_string(), c.to_string()]),
        seen_secs: Some(60),
        ..ConfigUpdate::default()
    };
    let msg = ExecuteMsg::UpdateConfig(update);
    suite.registry(&authority, &msg, &[]).unwrap();
    let expected = InstantiateMsg {
        authority: a.to_string(),
        unbonding_secs: 5,
        fee_collector: Some(b.to_string()),
        court: Some(c.to_string()),
        market: Some(a.to_string()),
        trust_setters: vec![b.to_string(), c.to_string()],
        seen_secs: Some(60),
        ..expected
    };
    assert_eq!(config(&suite), expected);
    refused(
        suite.registry(&authority, &msg, &[]),
        &format!("only the authority {a} may do this, got {authority}"),
    );
    suite.registry(&a, &msg, &[]).unwrap();
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut suite = Suite::new();
    let (authority, before) = (suite.authority.clone(), config(&suite));
    let mallory = suite.rich("mallory", 5);
    let update = |f: fn(&mut ConfigUpdate)| {
        let mut update = ConfigUpdate::default();
        f(&mut update);
        ExecuteMsg::UpdateConfig(update)
    };
    for (msg, text) in [
        (update(|_| ()), "names nothing to change"),
        (
            update(|u| u.seen_secs = Some(0)),
            "seen_secs: expected 1 to 2592000, got 0",
        ),
        (
            update(|u| u.seen_secs = Some(u64::MAX)),
            "seen_secs: expected 1 to",
        ),
        (
            update(|u| u.trust_setters = Some(vec!["a".into(); 17])),
            "trust_setters: expected at most 16, got 17",
        ),
        (
            update(|u| u.trust_setters = Some(vec!["a".into(); 2])),
            "trust_setter \"a\" is given twice",
        ),
        (
            update(|u| u.trust_setters = Some(vec!["a".into()])),
            "trust_setters: expected an address of this chain",
        ),
        (
            update(|u| u.market = Some("m".into())),
            "market: expected an address",
        ),
        (
            update(|u| u.unbonding_secs = Some(u64::MAX)),
            "unbonding_secs: expected 0 to 31536000, got 18446744073709551615",
        ),
        (
            update(|u| u.authority = Some("x".into())),
            "authority: expected an address of this chain, got \"x\"",
        ),
        (
            update(|u| u.court = Some(String::new())),
            "court: expected an address of this chain, got \"\"",
        ),
        (
            update(|u| u.fee_collector = Some("A".repeat(500))),
            "fee_collector: expected an address of this chain, got \"AAA",
        ),
    ] {
        refused(suite.registry(&authority, &msg, &[]), text);
        refused(suite.registry(&mallory, &msg, &[]), "only the authority");
        refused(
            suite.registry(&mallory, &msg, &[coin(1, NATIVE)]),
            "expected no funds",
        );
    }
    assert_eq!(config(&suite), before);
}
