//! `SetTrust`, `ClearTrust`, and what they cover.

use cosmwasm_std::{Addr, coin};
use ember_testing::{
    Suite,
    suite::{NATIVE, attribute, device, refused},
};
use ember_types::{
    eligibility::{CanServeResponse, Ineligible},
    registry::{ExecuteMsg, ProviderResponse, QueryMsg},
    resources::{GpuSpec, ResourceSpec},
    standing::TrustsResponse,
};

fn get(suite: &Suite, who: &Addr) -> ProviderResponse {
    let address = who.to_string();
    suite.ask_registry(&QueryMsg::Provider { address }).unwrap()
}

fn set(suite: &Suite, p: &Addr, device: Option<&str>, level: u8, secs: u64) -> ExecuteMsg {
    ExecuteMsg::SetTrust {
        provider: p.to_string(),
        device: device.map(Into::into),
        level,
        revision: get(suite, p).revision,
        expires_at: suite.now() + secs,
    }
}

fn lacks(suite: &Suite, p: &Addr, units: u32, min_trust: u8) -> Option<Ineligible> {
    let answer: CanServeResponse = suite
        .ask_registry(&QueryMsg::CanServe {
            provider: p.to_string(),
            resources: ResourceSpec {
                units,
                gpu: GpuSpec {
                    min_trust,
                    ..GpuSpec::default()
                },
                ..ResourceSpec::default()
            },
            like: None,
        })
        .unwrap();
    answer.lacks
}

fn short(level: u8, expected: u32, got: u32) -> Option<Ineligible> {
    Some(Ineligible::Trust {
        level,
        expected,
        got,
    })
}

#[test]
fn a_level_counts_until_it_expires() {
    let mut suite = Suite::new();
    let (p, setter) = (suite.provider("p", 2), suite.trust_setter.clone());
    assert_eq!(lacks(&suite, &p, 2, 0), None);
    assert_eq!(lacks(&suite, &p, 2, 1), short(1, 2, 0));
    let msg = set(&suite, &p, None, 2, 100);
    let answer = suite.registry(&setter, &msg, &[]).unwrap();
    assert_eq!(attribute::<u8>(&answer, "wasm-trust", "level").unwrap(), 2);
    assert_eq!(get(&suite, &p).trust, 2);
    assert_eq!(lacks(&suite, &p, 2, 2), None);
    assert_eq!(lacks(&suite, &p, 2, 3), short(3, 2, 0));
    suite.pass(99);
    assert_eq!(lacks(&suite, &p, 2, 2), None);
    suite.pass(1);
    assert_eq!(lacks(&suite, &p, 2, 2), short(2, 2, 0));
    assert_eq!(get(&suite, &p).trust, 0);
}

#[test]
fn a_devices_own_level_stands_before_its_providers() {
    let mut suite = Suite::new();
    let (p, authority) = (suite.provider("p", 3), suite.authority.clone());
    for (device, level) in [(None, 2), (Some("gpu-0"), 4), (Some("gpu-1"), 0)] {
        let msg = set(&suite, &p, device, level, 100);
        suite.registry(&authority, &msg, &[]).unwrap();
    }
    assert_eq!(lacks(&suite, &p, 1, 4), None);
    assert_eq!(lacks(&suite, &p, 2, 4), short(4, 2, 1));
    assert_eq!(lacks(&suite, &p, 2, 1), None);
    assert_eq!(lacks(&suite, &p, 3, 1), short(1, 3, 2));

    let list = |start_after: Option<&str>, limit| -> Vec<Option<String>> {
        let answer: TrustsResponse = suite
            .ask_registry(&QueryMsg::Trust {
                provider: p.to_string(),
                start_after: start_after.map(Into::into),
                limit,
                in_force: None,
                descending: None,
            })
            .unwrap();
        answer.levels.into_iter().map(|l| l.device).collect()
    };
    let names = [None, Some("gpu-0".to_string()), Some("gpu-1".to_string())];
    assert_eq!(list(None, None), names);
    assert_eq!(list(None, Some(1)), names[..1]);
    assert_eq!(list(Some(""), None), names[1..]);
    assert_eq!(list(Some("gpu-0"), None), names[2..]);

    let clear = |device: Option<&str>| ExecuteMsg::ClearTrust {
        provider: p.to_string(),
        device: device.map(Into::into),
    };
    suite
        .registry(&authority, &clear(Some("gpu-1")), &[])
        .unwrap();
    assert_eq!(lacks(&suite, &p, 3, 2), None);
    suite.registry(&authority, &clear(None), &[]).unwrap();
    assert_eq!(lacks(&suite, &p, 3, 2), short(2, 3, 1));
    refused(
        suite.registry(&authority, &clear(None), &[]),
        "has no trust level for the provider as a whole",
    );
    refused(
        suite.registry(&authority, &clear(Some("gpu-1")), &[]),
        "has no trust level for gpu-1",
    );
}

#[test]
fn a_device_that_becomes_another_loses_its_level() {
    let mut suite = Suite::new();
    let (p, setter) = (suite.provider("p", 2), suite.trust_setter.clone());
    for device in [None, Some("gpu-0")] {
        let msg = set(&suite, &p, device, 3, 1_000);
        suite.registry(&setter, &msg, &[]).unwrap();
    }
    let mut devices = vec![device("gpu-0"), device("gpu-1"), device("gpu-2")];
    devices[0].model = "nvidia/h200".into();
    let msg = ExecuteMsg::UpdateProvider {
        host_uri: None,
        devices: Some(devices),
        attributes: None,
        assurances: None,
    };
    suite.registry(&p, &msg, &[]).unwrap();
    assert_eq!(lacks(&suite, &p, 1, 3), None);
    assert_eq!(lacks(&suite, &p, 3, 3), short(3, 3, 1));
}

#[test]
fn who_may_not_and_what_makes_no_sense_is_refused() {
    let mut suite = Suite::new();
    let (p, setter, authority) = (
        suite.provider("p", 1),
        suite.trust_setter.clone(),
        suite.authority.clone(),
    );
    let mallory = suite.rich("mallory", 5);
    let good = set(&suite, &p, None, 1, 10);
    let clear = ExecuteMsg::ClearTrust {
        provider: p.to_string(),
        device: None,
    };
    for who in [&p, &mallory, &suite.market.clone(), &suite.court.clone()] {
        let text =
            format!("only the authority {authority} or a trust setter may do this, got {who}");
        refused(suite.registry(who, &good, &[]), &text);
        refused(suite.registry(who, &clear, &[]), &text);
    }
    refused(
        suite.registry(&mallory, &good, &[coin(1, NATIVE)]),
        "expected no funds",
    );
    refused(suite.registry(&setter, &clear, &[]), "has no trust level");
    let r = get(&suite, &p).revision;
    for (msg, text) in [
        (
            set(&suite, &p, None, 5, 10),
            "level: expected 0 to 4, got 5".to_string(),
        ),
        (
            set(&suite, &p, None, u8::MAX, 10),
            "level: expected 0 to 4, got 255".into(),
        ),
        (
            set(&suite, &p, Some("gpu-9"), 1, 10),
            format!("{p} has no device \"gpu-9\""),
        ),
        (
            set(&suite, &p, Some(""), 1, 10),
            "has no device \"\"".into(),
        ),
        (
            set(&suite, &p, None, 1, 0),
            "expires_at: expected after".into(),
        ),
        (
            ExecuteMsg::SetTrust {
                provider: p.to_string(),
                device: None,
                level: 1,
                revision: r - 1,
                expires_at: suite.now() + 1,
            },
            format!("revision: expected {r}, the provider's now, got {}", r - 1),
        ),
        (
            ExecuteMsg::SetTrust {
                provider: mallory.to_string(),
                device: None,
                level: 1,
                revision: 0,
                expires_at: suite.now() + 1,
            },
            format!("{mallory} is not a provider"),
        ),
    ] {
        refused(suite.registry(&setter, &msg, &[]), &text);
    }
    assert_eq!(get(&suite, &p).trust, 0);
}
