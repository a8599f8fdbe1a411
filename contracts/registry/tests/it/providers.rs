//! `RegisterProvider`, `UpdateProvider`, `UnregisterProvider`, and lists.

use cosmwasm_std::{Addr, Uint128, coin};
use ember_testing::{
    Suite,
    suite::{NATIVE, USDC, device, refused},
};
use ember_types::{
    registry::{
        Attribute, BondResponse, ExecuteMsg, ProviderResponse, ProvidersResponse, QueryMsg,
    },
    resources::Device,
};

fn register(devices: Vec<Device>, attributes: Vec<Attribute>) -> ExecuteMsg {
    ExecuteMsg::RegisterProvider {
        host_uri: "https://gpu.example.org:8443".into(),
        devices,
        attributes,
        assurances: vec![],
    }
}

fn region(value: &str) -> Attribute {
    Attribute {
        key: "region".into(),
        value: value.into(),
    }
}

fn get(suite: &Suite, who: &Addr) -> anyhow::Result<ProviderResponse> {
    suite.ask_registry(&QueryMsg::Provider {
        address: who.to_string(),
    })
}

#[test]
fn a_provider_registers_with_a_bond_and_may_bid() {
    let mut suite = Suite::new();
    let alice = suite.rich("alice", 5_000_000);
    let msg = register(vec![device("gpu-0")], vec![region("eu")]);
    suite
        .registry(&alice, &msg, &[coin(1_000_000, NATIVE)])
        .unwrap();
    let p = get(&suite, &alice).unwrap();
    assert_eq!(p.address, alice);
    assert_eq!(p.bonded, Uint128::new(1_000_000));
    assert!(p.may_bid);
    assert_eq!(p.devices, [device("gpu-0")]);
    assert_eq!(p.attributes, [region("eu")]);
    assert_eq!(p.registered_at.seconds(), suite.now());
    assert_eq!(suite.balance(&suite.registry, NATIVE), 1_000_000);
}

#[test]
fn one_unit_less_than_the_least_bond_may_not_bid() {
    let mut suite = Suite::new();
    let alice = suite.rich("alice", 5_000_000);
    suite
        .registry(&alice, &register(vec![], vec![]), &[coin(999_999, NATIVE)])
        .unwrap();
    assert!(!get(&suite, &alice).unwrap().may_bid);
    suite
        .registry(&alice, &ExecuteMsg::Bond {}, &[coin(1, NATIVE)])
        .unwrap();
    assert!(get(&suite, &alice).unwrap().may_bid);
}

#[test]
fn registration_refuses_what_is_not_of_its_form() {
    let mut suite = Suite::new();
    let alice = suite.rich("alice", 5_000_000);
    let many = (0..257).map(|i| device(&format!("g{i}"))).collect();
    let attributes = (0..65)
        .map(|i| Attribute {
            key: format!("k{i}"),
            value: "v".into(),
        })
        .collect();
    let empty = Attribute {
        key: "region".into(),
        value: String::new(),
    };
    for (msg, text) in [
        (register(vec![device("GPU")], vec![]), "device.id"),
        (
            register(vec![device("a"), device("a")], vec![]),
            "device \"a\" is given twice",
        ),
        (register(many, vec![]), "at most 256, got 257"),
        (register(vec![], attributes), "at most 64, got 65"),
        (
            register(vec![], vec![region("eu"), region("us")]),
            "attribute \"region\" is given twice",
        ),
        (register(vec![], vec![empty]), "attribute.value"),
        (
            ExecuteMsg::RegisterProvider {
                host_uri: "http://a:1".into(),
                devices: vec![],
                attributes: vec![],
                assurances: vec![],
            },
            "https://host:port",
        ),
    ] {
        refused(suite.registry(&alice, &msg, &[]), text);
    }
    refused(get(&suite, &alice), "not a provider");
}

#[test]
fn registration_takes_native_coins_only_and_happens_once() {
    let mut suite = Suite::new();
    let alice = suite.rich("alice", 5_000_000);
    let msg = register(vec![], vec![]);
    let both = [coin(1, NATIVE), coin(1, USDC)];
    refused(
        suite.registry(&alice, &msg, &[coin(7, USDC)]),
        "expected one coin of uember, got 7uusdc",
    );
    refused(suite.registry(&alice, &msg, &both), "got 1uember,1uusdc");
    suite.registry(&alice, &msg, &[]).unwrap();
    refused(suite.registry(&alice, &msg, &[]), "is a provider already");
}

#[test]
fn an_update_changes_what_it_names_and_nothing_else() {
    let mut suite = Suite::new();
    let alice = suite.provider("alice", 1);
    let before = get(&suite, &alice).unwrap();
    let update = |host_uri: Option<&str>, devices| ExecuteMsg::UpdateProvider {
        host_uri: host_uri.map(Into::into),
        devices,
        attributes: None,
        assurances: None,
    };
    suite
        .registry(&alice, &update(Some("https://[::1]:9"), None), &[])
        .unwrap();
    let after = get(&suite, &alice).unwrap();
    assert_eq!(after.host_uri, "https://[::1]:9");
    assert_eq!(after.devices, before.devices);
    assert_eq!(after.attributes, before.attributes);
    suite
        .registry(&alice, &update(None, Some(vec![])), &[])
        .unwrap();
    assert!(get(&suite, &alice).unwrap().devices.is_empty());

    refused(
        suite.registry(&alice, &update(None, None), &[]),
        "names nothing to change",
    );
    refused(
        suite.registry(&alice, &update(Some("x"), None), &[]),
        "https://host:port",
    );
    refused(
        suite.registry(&alice, &update(None, Some(vec![])), &[coin(1, NATIVE)]),
        "expected no funds, got 1uember",
    );
    let bob = suite.rich("bob", 1);
    refused(
        suite.registry(&bob, &update(None, Some(vec![])), &[]),
        "is not a provider",
    );
}

#[test]
fn leaving_unbonds_everything() {
    let mut suite = Suite::new();
    let alice = suite.provider("alice", 1);
    let before = suite.balance(&alice, NATIVE);
    suite
        .registry(&alice, &ExecuteMsg::UnregisterProvider {}, &[])
        .unwrap();
    refused(get(&suite, &alice), "not a provider");
    refused(
        suite.registry(&alice, &ExecuteMsg::UnregisterProvider {}, &[]),
        "not a provider",
    );
    refused(
        suite.registry(&alice, &ExecuteMsg::Bond {}, &[coin(1, NATIVE)]),
        "not a provider",
    );
    let bond: BondResponse = suite
        .ask_registry(&QueryMsg::Bond {
            address: alice.to_string(),
        })
        .unwrap();
    assert_eq!(bond.bonded, Uint128::zero());
    assert_eq!(bond.unbonding[0].amount, Uint128::new(3_000_000));
    suite.pass(1_000);
    suite
        .registry(&alice, &ExecuteMsg::ClaimUnbonded {}, &[])
        .unwrap();
    assert_eq!(suite.balance(&alice, NATIVE), before + 3_000_000);
    assert_eq!(suite.balance(&suite.registry, NATIVE), 0);
}

#[test]
fn pages_walk_through_all_providers_once() {
    let mut suite = Suite::new();
    let mut all: Vec<_> = (0..7)
        .map(|i| suite.provider(&format!("p{i}"), 1))
        .collect();
    all.sort();
    let page = |start_after: Option<&Addr>, limit| -> Vec<Addr> {
        let answer: ProvidersResponse = suite
            .ask_registry(&QueryMsg::Providers {
                model: None,
                start_after: start_after.map(ToString::to_string),
                limit,
                live: None,
                descending: None,
            })
            .unwrap();
        answer.providers.into_iter().map(|p| p.address).collect()
    };
    assert_eq!(page(None, None), all);
    assert_eq!(page(None, Some(3)), all[..3]);
    assert_eq!(page(Some(&all[2]), Some(3)), all[3..6]);
    assert_eq!(page(Some(&all[6]), None), Vec::<Addr>::new());
    assert_eq!(
        page(None, Some(0)),
        all[..1],
        "a page is never empty for its size"
    );
}
