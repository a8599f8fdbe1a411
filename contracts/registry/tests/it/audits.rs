//! `SignAudit`, `RevokeAudit`, what they cover, and lists.

use cosmwasm_std::{Addr, coin};
use ember_testing::{
    Suite,
    suite::{NATIVE, attribute, device, refused},
};
use ember_types::{
    assurance::AuditRule,
    eligibility::{CanServeResponse, Ineligible},
    registry::{Attribute, ExecuteMsg, ProviderResponse, QueryMsg},
    resources::{GpuSpec, ResourceSpec},
    standing::{AuditsResponse, MAX_VOUCH_SECS},
};

fn revision(suite: &Suite, who: &Addr) -> u64 {
    let address = who.to_string();
    let p: ProviderResponse = suite.ask_registry(&QueryMsg::Provider { address }).unwrap();
    p.revision
}

fn audit(suite: &Suite, provider: &Addr, secs: u64) -> ExecuteMsg {
    ExecuteMsg::SignAudit {
        provider: provider.to_string(),
        revision: revision(suite, provider),
        statement: "seen it run".into(),
        expires_at: suite.now() + secs,
    }
}

fn sign(suite: &mut Suite, signer: &Addr, provider: &Addr, secs: u64) {
    let msg = audit(suite, provider, secs);
    suite.registry(signer, &msg, &[]).unwrap();
}

fn lacks(suite: &Suite, provider: &Addr, units: u32, gpu: GpuSpec) -> Option<Ineligible> {
    let answer: CanServeResponse = suite
        .ask_registry(&QueryMsg::CanServe {
            provider: provider.to_string(),
            resources: ResourceSpec {
                units,
                gpu,
                ..ResourceSpec::default()
            },
            like: None,
        })
        .unwrap();
    answer.lacks
}

fn by(all_of: &[&Addr], any_of: &[&Addr]) -> GpuSpec {
    let names = |list: &[&Addr]| list.iter().map(ToString::to_string).collect();
    GpuSpec {
        audits: AuditRule {
            all_of: names(all_of),
            any_of: names(any_of),
        },
        ..GpuSpec::default()
    }
}

fn update(suite: &mut Suite, who: &Addr, devices: Vec<ember_types::resources::Device>) {
    let msg = ExecuteMsg::UpdateProvider {
        host_uri: None,
        devices: Some(devices),
        attributes: None,
        assurances: None,
    };
    suite.registry(who, &msg, &[]).unwrap();
}

#[test]
fn a_rule_wants_all_of_one_list_and_one_of_the_other() {
    let mut suite = Suite::new();
    let p = suite.provider("p", 1);
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|n| suite.account(n));
    sign(&mut suite, &a, &p, 100);
    sign(&mut suite, &c, &p, 50);
    let missing = |expected: String| Some(Ineligible::Audit { expected });
    assert_eq!(lacks(&suite, &p, 1, by(&[], &[])), None);
    assert_eq!(lacks(&suite, &p, 1, by(&[&a], &[])), None);
    assert_eq!(lacks(&suite, &p, 1, by(&[&a, &c], &[])), None);
    assert_eq!(
        lacks(&suite, &p, 1, by(&[&a, &b], &[])),
        missing(b.to_string())
    );
    assert_eq!(lacks(&suite, &p, 1, by(&[], &[&b, &c])), None);
    assert_eq!(lacks(&suite, &p, 1, by(&[&a], &[&c, &d])), None);
    assert_eq!(
        lacks(&suite, &p, 1, by(&[&a], &[&b, &d])),
        missing(format!("one of {b}, {d}"))
    );
    // At its last second an audit is over.
    suite.pass(49);
    assert_eq!(lacks(&suite, &p, 1, by(&[&c], &[])), None);
    suite.pass(1);
    assert_eq!(lacks(&suite, &p, 1, by(&[&c], &[])), missing(c.to_string()));
    sign(&mut suite, &c, &p, 1);
    assert_eq!(lacks(&suite, &p, 1, by(&[&c], &[])), None);
    let msg = ExecuteMsg::RevokeAudit {
        provider: p.to_string(),
    };
    suite.registry(&a, &msg, &[]).unwrap();
    assert_eq!(lacks(&suite, &p, 1, by(&[&a], &[])), missing(a.to_string()));
    refused(
        suite.registry(&a, &msg, &[]),
        &format!("{a} has signed no audit of {p}"),
    );
}

#[test]
fn an_audit_covers_what_has_not_changed_since() {
    let mut suite = Suite::new();
    let (p, a) = (suite.provider("p", 2), suite.account("a"));
    sign(&mut suite, &a, &p, 1_000);
    assert_eq!(lacks(&suite, &p, 2, by(&[&a], &[])), None);
    // A third device is new; the two others stand.
    let more: Vec<_> = (0..3).map(|i| device(&format!("gpu-{i}"))).collect();
    update(&mut suite, &p, more.clone());
    assert_eq!(lacks(&suite, &p, 2, by(&[&a], &[])), None);
    let short = |got| Some(Ineligible::Unaudited { expected: 3, got });
    assert_eq!(lacks(&suite, &p, 3, by(&[&a], &[])), short(2));
    // A device that becomes another under the same name is new, and so is one that left and came back.
    let mut changed = more.clone();
    changed[0].vram_mib = 1;
    update(&mut suite, &p, changed);
    assert_eq!(lacks(&suite, &p, 3, by(&[&a], &[])), short(1));
    update(&mut suite, &p, more);
    assert_eq!(lacks(&suite, &p, 3, by(&[&a], &[])), short(1));
    sign(&mut suite, &a, &p, 1_000);
    assert_eq!(lacks(&suite, &p, 3, by(&[&a], &[])), None);
}

#[test]
fn a_region_that_was_moved_is_not_covered() {
    let mut suite = Suite::new();
    let (p, a) = (suite.provider("p", 1), suite.account("a"));
    sign(&mut suite, &a, &p, 1_000);
    let in_region = |region: &str| GpuSpec {
        region: Some(region.into()),
        ..by(&[&a], &[])
    };
    assert_eq!(lacks(&suite, &p, 1, in_region("eu")), None);
    let msg = ExecuteMsg::UpdateProvider {
        host_uri: None,
        devices: None,
        attributes: Some(vec![Attribute {
            key: "region".into(),
            value: "us".into(),
        }]),
        assurances: None,
    };
    suite.registry(&p, &msg, &[]).unwrap();
    assert_eq!(
        lacks(&suite, &p, 1, in_region("us")),
        Some(Ineligible::Unaudited {
            expected: 1,
            got: 0
        })
    );
    assert_eq!(lacks(&suite, &p, 1, by(&[&a], &[])), None);
}

#[test]
fn nothing_said_before_a_provider_left_holds_when_it_comes_back() {
    let mut suite = Suite::new();
    let (p, a) = (suite.provider("p", 1), suite.account("a"));
    sign(&mut suite, &a, &p, 1_000);
    let before = revision(&suite, &p);
    suite
        .registry(&p, &ExecuteMsg::UnregisterProvider {}, &[])
        .unwrap();
    suite.provider("p", 1);
    assert!(revision(&suite, &p) > before);
    assert_eq!(
        lacks(&suite, &p, 1, by(&[&a], &[])),
        Some(Ineligible::Unaudited {
            expected: 1,
            got: 0
        })
    );
}

#[test]
fn what_cannot_be_vouched_for_is_refused() {
    let mut suite = Suite::new();
    let (p, a) = (suite.provider("p", 1), suite.rich("a", 5));
    let good = audit(&suite, &p, 10);
    refused(
        suite.registry(&p, &good, &[]),
        &format!("{p} cannot audit itself"),
    );
    refused(
        suite.registry(&a, &good, &[coin(1, NATIVE)]),
        "expected no funds, got 1uember",
    );
    let now = suite.now();
    let msg = |provider: &str, revision, statement: &str, expires_at| ExecuteMsg::SignAudit {
        provider: provider.into(),
        revision,
        statement: statement.into(),
        expires_at,
    };
    let (id, r) = (p.to_string(), revision(&suite, &p));
    let long = "x".repeat(257);
    for (msg, text) in [
        (
            msg(&id, r + 1, "s", now + 1),
            format!("revision: expected {r}, the provider's now, got {}", r + 1),
        ),
        (
            msg(&id, u64::MAX, "s", now + 1),
            format!("revision: expected {r}"),
        ),
        (
            msg(&id, r, "s", now),
            format!("expires_at: expected after {now}"),
        ),
        (
            msg(&id, r, "s", 0),
            format!("expires_at: expected after {now}"),
        ),
        (
            msg(&id, r, "s", u64::MAX),
            "expires_at: expected after".into(),
        ),
        (
            msg(&id, r, "s", now + MAX_VOUCH_SECS + 1),
            "expires_at: expected after".into(),
        ),
        (
            msg(&id, r, "", now + 1),
            "statement: expected 1 to 256 bytes".into(),
        ),
        (
            msg(&id, r, &long, now + 1),
            "statement: expected 1 to 256 bytes".into(),
        ),
        (
            msg("x", r, "s", now + 1),
            "provider: expected an address of this chain".into(),
        ),
        (
            msg(suite.account("nobody").as_str(), r, "s", now + 1),
            "is not a provider".into(),
        ),
    ] {
        refused(suite.registry(&a, &msg, &[]), &text);
    }
    suite
        .registry(&a, &msg(&id, r, "s", now + MAX_VOUCH_SECS), &[])
        .unwrap();
    let answer = suite.registry(&a, &good, &[]).unwrap();
    assert_eq!(
        attribute::<u64>(&answer, "wasm-audit", "revision").unwrap(),
        r
    );
}

#[test]
fn lists_are_filtered_and_paged() {
    let mut suite = Suite::new();
    let mut providers: Vec<_> = ["p", "q", "r"].map(|n| suite.provider(n, 1)).into();
    let mut signers: Vec<_> = ["a", "b", "c"].map(|n| suite.account(n)).into();
    providers.sort();
    signers.sort();
    let mut all = Vec::new();
    for p in &providers {
        for s in &signers {
            sign(&mut suite, s, p, 10);
            all.push((p.clone(), s.clone()));
        }
    }
    let list = |p: Option<&Addr>, s: Option<&Addr>, after: Option<&(Addr, Addr)>, limit| {
        let answer: AuditsResponse = suite
            .ask_registry(&QueryMsg::Audits {
                provider: p.map(ToString::to_string),
                signer: s.map(ToString::to_string),
                start_after: after.map(|(p, s)| (p.to_string(), s.to_string())),
                limit,
                in_force: None,
                descending: None,
            })
            .unwrap();
        let pairs = answer.audits.into_iter().map(|a| (a.provider, a.signer));
        pairs.collect::<Vec<_>>()
    };
    let (p, s) = (&providers[1], &signers[1]);
    let of = |f: &dyn Fn(&(Addr, Addr)) -> bool| -> Vec<_> {
        all.iter().filter(|x| f(x)).cloned().collect()
    };
    assert_eq!(list(None, None, None, None), all);
    assert_eq!(list(None, None, Some(&all[3]), Some(2)), all[4..6]);
    assert_eq!(list(Some(p), None, None, None), of(&|x| x.0 == *p));
    assert_eq!(list(Some(p), None, Some(&all[4]), None), [all[5].clone()]);
    assert_eq!(list(None, Some(s), None, None), of(&|x| x.1 == *s));
    assert_eq!(list(None, Some(s), Some(&all[4]), None), [all[7].clone()]);
    assert_eq!(list(Some(p), Some(s), None, None), [all[4].clone()]);
    assert_eq!(list(Some(p), Some(s), Some(&all[4]), None), all[..0]);
    assert_eq!(
        list(None, None, None, Some(0)),
        all[..1],
        "a page is never empty for its size"
    );
}
