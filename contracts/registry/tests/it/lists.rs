//! Lists: pages up and down, and every filter against a plain one.

use super::certificates::{der, params, publish};
use cosmwasm_std::Addr;
use ember_testing::{
    Suite,
    pages::{List, filters, fits},
    suite::device,
};
use ember_types::{
    list::MAX_LOOKED_AT,
    registry::{ExecuteMsg, ProviderResponse, QueryMsg},
};
use serde_json::{Value, json};
use time::Duration;

const PROVIDERS: List = List {
    query: "providers",
    entries: "providers",
};
const CERTIFICATES: List = List {
    query: "certificates",
    entries: "certificates",
};
const AUDITS: List = List {
    query: "audits",
    entries: "audits",
};
const TRUST: List = List {
    query: "trust",
    entries: "levels",
};
const SUPPLY: List = List {
    query: "supply",
    entries: "models",
};

/// Asks as a client does: in JSON.
fn ask(suite: &Suite) -> impl Fn(Value) -> Value + '_ {
    |query| {
        let query: QueryMsg = serde_json::from_value(query).unwrap();
        suite.ask_registry(&query).unwrap()
    }
}

fn yes_no_any() -> Vec<Value> {
    vec![json!(true), json!(false), Value::Null]
}

fn or_any(values: impl IntoIterator<Item = impl serde::Serialize>) -> Vec<Value> {
    let values = values.into_iter().map(|v| json!(v));
    values.chain([Value::Null]).collect()
}

/// The provider with a device of each model.
fn with_models(suite: &mut Suite, name: &str, models: &[&str]) -> Addr {
    let p = suite.provider(name, 1);
    let devices = models.iter().enumerate().map(|(i, model)| {
        let mut d = device(&format!("gpu-{i}"));
        d.model = (*model).into();
        d
    });
    let update = ExecuteMsg::UpdateProvider {
        host_uri: None,
        devices: Some(devices.collect()),
        attributes: None,
        assurances: None,
    };
    suite.registry(&p, &update, &[]).unwrap();
    p
}

fn revision(suite: &Suite, who: &Addr) -> u64 {
    let address = who.to_string();
    let p: ProviderResponse = suite.ask_registry(&QueryMsg::Provider { address }).unwrap();
    p.revision
}

#[test]
fn providers_and_the_supply_by_model_and_presence() {
    let mut suite = Suite::new();
    let models = ["amd/mi300", "mesa/lavapipe", "nvidia/h200"];
    let providers: Vec<_> = (0..9usize)
        .map(|i| {
            with_models(
                &mut suite,
                &format!("p{i}"),
                &models[i % 3..=(i / 3).max(i % 3)],
            )
        })
        .collect();
    // Some leave the market's sight: half of them are silent, one of those that speak has too little bond.
    suite.wait(2 * 3_600);
    for p in providers.iter().step_by(2) {
        suite.registry(p, &ExecuteMsg::Touch {}, &[]).unwrap();
    }
    let amount = cosmwasm_std::Uint128::new(2_500_000);
    suite
        .registry(&providers[4], &ExecuteMsg::Unbond { amount }, &[])
        .unwrap();
    // Before and after the hook has come round to them.
    for hooked in [false, true] {
        suite.pass(if hooked { 1 } else { 2 * 3_600 });
        if hooked {
            suite.end_block();
        }
        let ask = ask(&suite);
        let all = PROVIDERS.walk(&ask, &json!({}));
        assert_eq!(all.len(), 9);
        let live = all.iter().filter(|p| p["live"] == true).count();
        assert_eq!(live, 4, "those that spoke, but one");
        for f in filters(&[
            ("model", or_any(models.into_iter().chain(["x/y"]))),
            ("live", yes_no_any()),
        ]) {
            let has = |p: &Value| {
                let mut devices = p["devices"].as_array().unwrap().iter();
                devices.any(|d| fits(&f, "model", &d["model"]))
            };
            let same = |p: &&Value| fits(&f, "live", &p["live"]) && has(p);
            let expected: Vec<_> = all.iter().filter(same).cloned().collect();
            assert_eq!(PROVIDERS.walk(&ask, &f), expected, "{f} hooked: {hooked}");
        }
        let supply = SUPPLY.walk(&ask, &json!({}));
        let found: Vec<_> = supply.iter().map(|m| &m["model"]).collect();
        assert_eq!(found, models);
        for model in models {
            let one = SUPPLY.walk(&ask, &json!({ "model": model }));
            assert_eq!(one.len(), 1);
            assert_eq!(one[0]["model"], model);
        }
    }
}

#[test]
fn certificates_by_owner_and_whether_they_are_in_force() {
    let mut suite = Suite::new();
    let owners = ["alice", "bob"].map(|n| suite.account(n));
    for (i, owner) in owners.iter().cycle().take(12).enumerate() {
        let mut p = params(&suite, owner.as_str());
        if i % 3 == 0 {
            p.not_after = p.not_before + Duration::days(1);
        }
        let fingerprint = publish(&mut suite, owner, &der(&p)).unwrap();
        if i % 4 == 0 {
            let revoke = ExecuteMsg::RevokeCertificate { fingerprint };
            suite.registry(owner, &revoke, &[]).unwrap();
        }
    }
    suite.pass(2 * 86_400);
    let (ask, now) = (ask(&suite), suite.now());
    let all = CERTIFICATES.walk(&ask, &json!({}));
    assert_eq!(all.len(), 12);
    let in_force = |c: &Value| c["revoked_at"].is_null() && c["not_after"].as_u64().unwrap() >= now;
    assert_eq!(all.iter().filter(|c| in_force(c)).count(), 6);
    for f in filters(&[("owner", or_any(&owners)), ("in_force", yes_no_any())]) {
        let same = |c: &&Value| {
            fits(&f, "owner", &c["owner"]) && fits(&f, "in_force", &json!(in_force(c)))
        };
        let expected: Vec<_> = all.iter().filter(same).cloned().collect();
        assert_eq!(CERTIFICATES.walk(&ask, &f), expected, "{f}");
    }
    // As clients asked before there was a choice.
    let page = ask(json!({"certificates": {"owner": owners[0], "start_after": null, "limit": 2}}));
    assert_eq!(page["certificates"].as_array().unwrap().len(), 2);
}

#[test]
fn audits_and_trust_levels_by_party_and_whether_they_are_in_force() {
    let mut suite = Suite::new();
    let providers: Vec<_> = (0..4)
        .map(|i| suite.provider(&format!("p{i}"), 3))
        .collect();
    let signers: Vec<_> = (0..3).map(|i| suite.account(&format!("s{i}"))).collect();
    let setter = suite.trust_setter.clone();
    for (i, p) in providers.iter().enumerate() {
        for (j, s) in signers.iter().enumerate().skip(i % 2) {
            let secs = if (i + j) % 2 == 0 { 50 } else { 500 };
            let audit = ExecuteMsg::SignAudit {
                provider: p.to_string(),
                revision: revision(&suite, p),
                statement: "seen it run".into(),
                expires_at: suite.now() + secs,
            };
            suite.registry(s, &audit, &[]).unwrap();
        }
        for (j, device) in [None, Some("gpu-0"), Some("gpu-2")].into_iter().enumerate() {
            let secs = if j == i % 3 { 50 } else { 500 };
            let trust = ExecuteMsg::SetTrust {
                provider: p.to_string(),
                device: device.map(Into::into),
                level: 2,
                revision: revision(&suite, p),
                expires_at: suite.now() + secs,
            };
            suite.registry(&setter, &trust, &[]).unwrap();
        }
    }
    suite.pass(50);
    let (ask, now) = (ask(&suite), suite.now());
    let in_force = |a: &Value| {
        let nanos: u64 = a["expires_at"].as_str().unwrap().parse().unwrap();
        json!(nanos / 1_000_000_000 > now)
    };
    let all = AUDITS.walk(&ask, &json!({}));
    assert_eq!(all.len(), 10);
    assert!(all.iter().any(|a| in_force(a) == true) && all.iter().any(|a| in_force(a) == false));
    for f in filters(&[
        ("provider", or_any(&providers)),
        ("signer", or_any(&signers)),
        ("in_force", yes_no_any()),
    ]) {
        let same = |a: &&Value| {
            fits(&f, "provider", &a["provider"])
                && fits(&f, "signer", &a["signer"])
                && fits(&f, "in_force", &in_force(a))
        };
        let expected: Vec<_> = all.iter().filter(same).cloned().collect();
        assert_eq!(AUDITS.walk(&ask, &f), expected, "{f}");
    }
    for p in &providers {
        let all = TRUST.walk(&ask, &json!({ "provider": p }));
        let devices: Vec<_> = all.iter().map(|t| t["device"].clone()).collect();
        assert_eq!(devices, [Value::Null, json!("gpu-0"), json!("gpu-2")]);
        for f in filters(&[("provider", vec![json!(p)]), ("in_force", yes_no_any())]) {
            let same = |t: &&Value| fits(&f, "in_force", &in_force(t));
            let expected: Vec<_> = all.iter().filter(same).cloned().collect();
            assert_eq!(TRUST.walk(&ask, &f), expected, "{f}");
        }
    }
}

#[test]
fn a_filter_without_an_index_passes_over_many_rows_a_bounded_number_a_query() {
    let mut suite = Suite::new();
    let provider = suite.provider("p", 1);
    let rows = MAX_LOOKED_AT + 20;
    for i in 0..rows {
        let audit = ExecuteMsg::SignAudit {
            provider: provider.to_string(),
            revision: revision(&suite, &provider),
            statement: "seen it run".into(),
            expires_at: suite.now() + 100,
        };
        let signer = suite.account(&format!("s{i}"));
        suite.registry(&signer, &audit, &[]).unwrap();
    }
    let ask = ask(&suite);
    for f in [json!({}), json!({"provider": provider})] {
        let mut f = f;
        f["in_force"] = json!(false);
        for descending in [false, true] {
            let pages = AUDITS.pages(&ask, &f, descending, 100);
            assert_eq!(pages, vec![Vec::<Value>::new(); 2], "{f}");
        }
        f["in_force"] = json!(true);
        assert_eq!(AUDITS.walk(&ask, &f).len(), rows);
    }
}
