//! `Touch`, the supply, lists by model, and dry runs.

use cosmwasm_std::{Addr, Uint128, coin};
use ember_testing::{
    Suite,
    suite::{NATIVE, any_gpu, device, refused},
};
use ember_types::{
    assurance::Assurance,
    eligibility::{CanServeResponse, FeasibleResponse, Ineligible, Kind, Like, Scope},
    registry::{
        ConfigUpdate, ExecuteMsg, ProviderResponse, ProvidersResponse, QueryMsg, SEEN_SECS,
    },
    resources::{Device, GpuSpec, ResourceSpec},
    supply::{ModelSupply, SupplyResponse},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn supply(suite: &Suite) -> SupplyResponse {
    suite
        .ask_registry(&QueryMsg::Supply {
            model: None,
            start_after: None,
            limit: Some(100),
            descending: None,
        })
        .unwrap()
}

fn get(suite: &Suite, who: &Addr) -> ProviderResponse {
    let address = who.to_string();
    suite.ask_registry(&QueryMsg::Provider { address }).unwrap()
}

fn devices_of(models: &[(&str, usize)]) -> Vec<Device> {
    let all = models.iter().flat_map(|(m, n)| vec![*m; *n]).enumerate();
    all.map(|(i, m)| Device {
        model: m.into(),
        ..device(&format!("gpu-{i}"))
    })
    .collect()
}

fn update(devices: Vec<Device>) -> ExecuteMsg {
    ExecuteMsg::UpdateProvider {
        host_uri: None,
        devices: Some(devices),
        attributes: None,
        assurances: None,
    }
}

fn entry(model: &str, providers: u32, devices: u32) -> ModelSupply {
    ModelSupply {
        model: model.into(),
        providers,
        devices,
        in_use: 0,
        free: devices,
    }
}

#[test]
fn only_bonded_and_recently_seen_devices_count() {
    let mut suite = Suite::new();
    assert_eq!(supply(&suite).models, []);
    let (a, b) = (suite.provider("a", 2), suite.provider("b", 1));
    assert_eq!(supply(&suite).models, [entry("mesa/lavapipe", 2, 3)]);
    suite
        .registry(
            &a,
            &update(devices_of(&[("mesa/lavapipe", 1), ("nvidia/h200", 4)])),
            &[],
        )
        .unwrap();
    let both = [entry("mesa/lavapipe", 2, 2), entry("nvidia/h200", 1, 4)];
    assert_eq!(supply(&suite).models, both);

    // Too little bond.
    let unbond = |n| ExecuteMsg::Unbond {
        amount: Uint128::new(n),
    };
    suite.registry(&a, &unbond(2_000_001), &[]).unwrap();
    assert_eq!(supply(&suite).models, [entry("mesa/lavapipe", 1, 1)]);
    suite
        .registry(&a, &ExecuteMsg::Bond {}, &[coin(1, NATIVE)])
        .unwrap();
    assert_eq!(supply(&suite).models, both);

    // Slashed below it.
    let court = suite.court.clone();
    let slash = ExecuteMsg::Slash {
        owner: a.to_string(),
        amount: Uint128::one(),
        reason: "r".into(),
    };
    suite.registry(&court, &slash, &[]).unwrap();
    assert_eq!(supply(&suite).models, [entry("mesa/lavapipe", 1, 1)]);
    suite
        .registry(&a, &ExecuteMsg::Bond {}, &[coin(1, NATIVE)])
        .unwrap();

    // Gone.
    suite
        .registry(&a, &ExecuteMsg::UnregisterProvider {}, &[])
        .unwrap();
    assert_eq!(supply(&suite).models, [entry("mesa/lavapipe", 1, 1)]);

    // Not seen.
    suite.wait(SEEN_SECS - 1);
    assert_eq!(supply(&suite).models, [entry("mesa/lavapipe", 1, 1)]);
    assert!(get(&suite, &b).live);
    suite.pass(1);
    assert!(supply(&suite).behind);
    assert!(!get(&suite, &b).live);
    suite.end_block();
    assert_eq!(supply(&suite).models, []);
    assert!(!supply(&suite).behind);
    suite.registry(&b, &ExecuteMsg::Touch {}, &[]).unwrap();
    assert_eq!(supply(&suite).models, [entry("mesa/lavapipe", 1, 1)]);
    assert_eq!(get(&suite, &b).seen_at.seconds(), suite.now());
}

#[test]
fn a_touch_is_a_providers_and_free() {
    let mut suite = Suite::new();
    let (p, stranger) = (suite.provider("p", 1), suite.account("s"));
    refused(
        suite.registry(&stranger, &ExecuteMsg::Touch {}, &[]),
        "is not a provider",
    );
    refused(
        suite.registry(&p, &ExecuteMsg::Touch {}, &[coin(1, NATIVE)]),
        "expected no funds",
    );
}

#[test]
fn the_hook_takes_out_fifty_a_block() {
    let mut suite = Suite::new();
    for i in 0..60 {
        suite.provider(&format!("p{i}"), 1);
    }
    suite.wait(SEEN_SECS);
    assert_eq!(supply(&suite).models, [entry("mesa/lavapipe", 10, 10)]);
    assert!(supply(&suite).behind);
    suite.wait(1);
    assert_eq!(supply(&suite).models, []);
}

#[test]
fn a_change_of_the_rules_counts_from_the_next_sign_of_life() {
    let mut suite = Suite::new();
    let (p, authority) = (suite.provider("p", 1), suite.authority.clone());
    let set = |suite: &mut Suite, update| {
        let msg = ExecuteMsg::UpdateConfig(update);
        suite.registry(&authority, &msg, &[]).unwrap();
    };
    set(
        &mut suite,
        ConfigUpdate {
            min_bond: Some(Uint128::MAX),
            seen_secs: Some(10),
            ..ConfigUpdate::default()
        },
    );
    assert_eq!(supply(&suite).models.len(), 1);
    suite.registry(&p, &ExecuteMsg::Touch {}, &[]).unwrap();
    assert_eq!(supply(&suite).models, []);
    set(
        &mut suite,
        ConfigUpdate {
            min_bond: Some(Uint128::zero()),
            ..ConfigUpdate::default()
        },
    );
    suite.registry(&p, &ExecuteMsg::Touch {}, &[]).unwrap();
    suite.wait(9);
    assert_eq!(supply(&suite).models.len(), 1);
    suite.wait(1);
    assert_eq!(supply(&suite).models, []);
}

#[test]
fn supply_and_providers_are_filtered_by_model_and_paged() {
    let mut suite = Suite::new();
    let models = ["a/a", "a/b", "b/a", "c/c"];
    let mut owners = Vec::new();
    for (i, m) in models.iter().enumerate() {
        let p = suite.provider(&format!("p{i}"), 0);
        suite
            .registry(&p, &update(devices_of(&[(m, i + 1), ("z/z", 1)])), &[])
            .unwrap();
        owners.push(p);
    }
    let page = |model: Option<&str>, start_after: Option<&str>, limit| -> Vec<(String, u32)> {
        let answer: SupplyResponse = suite
            .ask_registry(&QueryMsg::Supply {
                model: model.map(Into::into),
                start_after: start_after.map(Into::into),
                limit,
                descending: None,
            })
            .unwrap();
        answer
            .models
            .into_iter()
            .map(|m| (m.model, m.devices))
            .collect()
    };
    let row = |m: &str, n| (m.to_string(), n);
    assert_eq!(page(None, None, Some(2)), [row("a/a", 1), row("a/b", 2)]);
    assert_eq!(
        page(None, Some("b/a"), None),
        [row("c/c", 4), row("z/z", 4)]
    );
    assert_eq!(page(Some("b/a"), None, None), [row("b/a", 3)]);
    assert_eq!(page(Some("b/a"), Some("b/a"), None), []);
    assert_eq!(page(Some("x/x"), None, None), []);

    let list = |model: &str, after: Option<&Addr>, limit| -> Vec<Addr> {
        let answer: ProvidersResponse = suite
            .ask_registry(&QueryMsg::Providers {
                model: Some(model.into()),
                start_after: after.map(ToString::to_string),
                limit,
                live: None,
                descending: None,
            })
            .unwrap();
        answer.providers.into_iter().map(|p| p.address).collect()
    };
    assert_eq!(list("b/a", None, None), [owners[2].clone()]);
    assert_eq!(list("x/x", None, None), Vec::<Addr>::new());
    owners.sort();
    assert_eq!(list("z/z", None, None), owners);
    assert_eq!(list("z/z", Some(&owners[0]), Some(2)), owners[1..3]);
}

#[test]
fn sixteen_models_are_enough() {
    let mut suite = Suite::new();
    let p = suite.provider("p", 0);
    let names: Vec<String> = (0..17).map(|i| format!("v/m{i}")).collect();
    let models: Vec<_> = names.iter().map(|n| (n.as_str(), 1)).collect();
    refused(
        suite.registry(&p, &update(devices_of(&models)), &[]),
        "models of devices: expected at most 16, got 17",
    );
    suite
        .registry(&p, &update(devices_of(&models[..16])), &[])
        .unwrap();
    assert_eq!(supply(&suite).models.len(), 16);
}

fn feasible(
    suite: &Suite,
    resources: ResourceSpec,
    scope: Scope,
    after: Option<String>,
    limit: u32,
) -> FeasibleResponse {
    suite
        .ask_registry(&QueryMsg::Feasible {
            resources,
            scope,
            start_after: after,
            limit: Some(limit),
        })
        .unwrap()
}

#[test]
fn a_dry_run_says_who_could_and_what_stops_the_others() {
    let mut suite = Suite::new();
    for i in 0..3 {
        suite.provider(&format!("able{i}"), 2);
    }
    suite.provider("small", 1);
    let poor = suite.provider("poor", 2);
    let amount = Uint128::new(2_500_000);
    suite
        .registry(&poor, &ExecuteMsg::Unbond { amount }, &[])
        .unwrap();
    let answer = feasible(&suite, any_gpu(2), Scope::All, None, 100);
    assert_eq!((answer.looked_at, answer.able, answer.unseen), (5, 3, 0));
    assert_eq!(answer.next, None);
    let mut why: Vec<_> = answer
        .stopped
        .iter()
        .map(|s| (s.reason.as_str(), s.providers))
        .collect();
    why.sort_unstable();
    assert_eq!(why, [("devices", 1), ("may_not_bid", 1)]);
    let devices = answer
        .stopped
        .iter()
        .find(|s| s.reason == "devices")
        .unwrap();
    assert!(
        devices
            .example
            .contains("2 matching devices are needed, it has 1")
    );

    // Live: the poor one is not looked at; a model nobody has is nobody's.
    assert_eq!(
        feasible(&suite, any_gpu(2), Scope::Live, None, 100).looked_at,
        4
    );
    let mut h200 = any_gpu(1);
    h200.gpu.model = Some("nvidia/h200".into());
    let answer = feasible(&suite, h200.clone(), Scope::Live, None, 100);
    assert_eq!((answer.looked_at, answer.able, answer.next), (0, 0, None));
    assert_eq!(feasible(&suite, h200, Scope::All, None, 100).looked_at, 5);

    // Page by page it is the same.
    let (mut able, mut seen, mut after) = (0, 0, None);
    loop {
        let page = feasible(&suite, any_gpu(2), Scope::All, after, 2);
        able += page.able;
        seen += page.looked_at;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((able, seen), (3, 5));

    // Who was not seen could still bid, and is told apart.
    suite.wait(SEEN_SECS);
    let answer = feasible(&suite, any_gpu(2), Scope::All, None, 100);
    assert_eq!((answer.able, answer.unseen), (3, 3));
    assert_eq!(
        feasible(&suite, any_gpu(1), Scope::Live, None, 9).looked_at,
        0
    );

    let bad = suite.ask_registry::<FeasibleResponse>(&QueryMsg::Feasible {
        resources: any_gpu(0),
        scope: Scope::All,
        start_after: None,
        limit: None,
    });
    refused(bad, "resources.units: expected 1 to 1024, got 0");
}

#[test]
fn an_assurance_is_served_by_who_offers_it() {
    let mut suite = Suite::new();
    let p = suite.provider("p", 1);
    let offer = |assurances: Vec<Assurance>| ExecuteMsg::UpdateProvider {
        host_uri: None,
        devices: None,
        attributes: None,
        assurances: Some(assurances),
    };
    let lacks = |suite: &Suite, assurance| {
        let answer: CanServeResponse = suite
            .ask_registry(&QueryMsg::CanServe {
                provider: p.to_string(),
                resources: ResourceSpec {
                    assurance,
                    ..any_gpu(1)
                },
                like: None,
            })
            .unwrap();
        answer.lacks
    };
    let no = |expected: &str, offered: &str| {
        Some(Ineligible::Assurance {
            expected: expected.into(),
            offered: offered.into(),
        })
    };
    assert_eq!(lacks(&suite, Assurance::None), None);
    assert_eq!(lacks(&suite, Assurance::Exact), no("exact", "none"));
    let revision = get(&suite, &p).revision;
    suite
        .registry(&p, &offer(vec![Assurance::Sampled, Assurance::Exact]), &[])
        .unwrap();
    assert_eq!(get(&suite, &p).revision, revision);
    for a in [Assurance::None, Assurance::Sampled, Assurance::Exact] {
        assert_eq!(lacks(&suite, a), None);
    }
    assert_eq!(
        lacks(&suite, Assurance::Attested),
        no("attested", "none, sampled, exact")
    );
    refused(
        suite.registry(&p, &offer(vec![Assurance::Exact; 2]), &[]),
        "assurance \"exact\" is given twice",
    );
}

#[test]
fn a_like_device_is_of_the_same_kind() {
    let mut suite = Suite::new();
    let p = suite.provider("p", 0);
    let mut devices = devices_of(&[("a/a", 2), ("b/b", 1)]);
    devices[1].vram_mib = 1;
    suite.registry(&p, &update(devices.clone()), &[]).unwrap();
    let ask = |units, id: &str, kind: Option<Kind>| -> CanServeResponse {
        suite
            .ask_registry(&QueryMsg::CanServe {
                provider: p.to_string(),
                resources: any_gpu(units),
                like: Some(Like {
                    id: id.into(),
                    kind,
                }),
            })
            .unwrap()
    };
    let one = ask(1, "gpu-0", None);
    assert_eq!((one.lacks, one.device), (None, Some(devices[0].clone())));
    assert_eq!(
        ask(2, "gpu-0", None).lacks,
        Some(Ineligible::Devices {
            expected: 2,
            got: 1
        })
    );
    assert_eq!(
        ask(1, "gpu-7", None).lacks,
        Some(Ineligible::NoDevice { id: "gpu-7".into() })
    );
    // What was posted under this name is not there any more, unless another is like it.
    assert_eq!(ask(1, "gpu-0", Some(Kind::from(&devices[2]))).lacks, None);
    let other = Kind {
        vram_mib: 7,
        ..Kind::from(&devices[0])
    };
    assert_eq!(
        ask(1, "gpu-0", Some(other)).lacks,
        Some(Ineligible::Devices {
            expected: 1,
            got: 0
        })
    );
    let nobody: CanServeResponse = suite
        .ask_registry(&QueryMsg::CanServe {
            provider: suite.account("nobody").to_string(),
            resources: ResourceSpec {
                units: 1,
                gpu: GpuSpec::default(),
                ..ResourceSpec::default()
            },
            like: None,
        })
        .unwrap();
    assert_eq!(nobody.lacks, Some(Ineligible::NotRegistered {}));
}

#[derive(Debug, Clone)]
enum Step {
    Touch,
    Update(usize, usize),
    Bond(u128),
    Unbond(u128),
    Slash(u128),
    Leave,
    Register,
    Lease(u32, bool),
    End(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Touch),
        (0usize..3, 0usize..3).prop_map(|(a, b)| Step::Update(a, b)),
        (1u128..2_000_000).prop_map(Step::Bond),
        (1u128..2_000_000).prop_map(Step::Unbond),
        (1u128..1_000_000).prop_map(Step::Slash),
        Just(Step::Leave),
        Just(Step::Register),
        (1u32..4, any::<bool>()).prop_map(|(n, named)| Step::Lease(n, named)),
        (0u64..20).prop_map(Step::End),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    /// Whatever happens, the counters are what counting everybody would give.
    #[test]
    fn the_counters_are_right(
        steps in prop::collection::vec((0usize..3, step(), 0u64..4_000), 1..60),
    ) {
        let mut suite = Suite::new();
        let people: Vec<_> = (0..3).map(|i| suite.provider(&format!("p{i}"), 1)).collect();
        let (court, market) = (suite.court.clone(), suite.market.clone());
        let mut leases = BTreeMap::new();
        let mut next = 0;
        for (who, step, secs) in steps {
            let p = people[who].clone();
            let (sender, msg, funds) = match step {
                Step::Touch => (&p, ExecuteMsg::Touch {}, vec![]),
                Step::Update(a, b) => (&p, update(devices_of(&[("a/a", a), ("b/b", b)])), vec![]),
                Step::Bond(n) => (&p, ExecuteMsg::Bond {}, vec![coin(n, NATIVE)]),
                Step::Unbond(n) => (&p, ExecuteMsg::Unbond { amount: n.into() }, vec![]),
                Step::Slash(n) => {
                    let (owner, amount) = (p.to_string(), n.into());
                    (&court, ExecuteMsg::Slash { owner, amount, reason: "r".into() }, vec![])
                }
                Step::Leave => (&p, ExecuteMsg::UnregisterProvider {}, vec![]),
                Step::Register => {
                    let msg = ExecuteMsg::RegisterProvider {
                        host_uri: "https://a:1".into(),
                        devices: devices_of(&[("a/a", 2), ("c/c", 1)]),
                        attributes: vec![],
                        assurances: vec![],
                    };
                    (&p, msg, vec![coin(1_500_000, NATIVE)])
                }
                Step::Lease(units, named) => {
                    next += 1;
                    leases.insert(next, p.clone());
                    let model = named.then(|| "a/a".to_string());
                    (&market, super::reports::opened(next, &p, units, model), vec![])
                }
                Step::End(id) => {
                    let Some(p) = leases.remove(&id) else { continue };
                    (&market, super::reports::ended(id, &p), vec![])
                }
            };
            let sent = suite.registry(sender, &msg, &funds);
            if matches!(msg, ExecuteMsg::ReportLease { .. }) {
                sent.unwrap();
            }
            suite.wait(secs);

            let mut expected: BTreeMap<String, (u32, u32)> = BTreeMap::new();
            let all: ProvidersResponse = suite
                .ask_registry(&QueryMsg::Providers { model: None, start_after: None, limit: None, live: None, descending: None, })
                .unwrap();
            for p in all.providers {
                let seen = p.seen_at.seconds() + SEEN_SECS > suite.now();
                prop_assert_eq!(p.live, seen && p.may_bid && !p.devices.is_empty());
                let mut models: BTreeMap<String, u32> = BTreeMap::new();
                for d in p.devices.iter().filter(|_| p.live) {
                    *models.entry(d.model.clone()).or_default() += 1;
                }
                for (model, n) in models {
                    let e = expected.entry(model).or_default();
                    *e = (e.0 + 1, e.1 + n);
                }
            }
            let got = supply(&suite);
            prop_assert!(!got.behind);
            prop_assert!(got.models.iter().all(|m| m.free == m.devices - m.in_use));
            let counts: BTreeMap<_, _> =
                got.models.iter().map(|m| (m.model.clone(), (m.providers, m.devices))).collect();
            prop_assert_eq!(counts, expected);
        }
        // With every lease over nothing is in use.
        for (id, p) in leases {
            suite.registry(&market, &super::reports::ended(id, &p), &[]).unwrap();
        }
        prop_assert!(supply(&suite).models.iter().all(|m| m.in_use == 0));
    }
}
