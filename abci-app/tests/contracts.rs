//! A contract that delegates, on a chain with staking: its messages, its queries, and what it earns.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;
mod stake_support;

use base64::{Engine, prelude::BASE64_STANDARD};
use cosmos_sdk_proto::cosmwasm::wasm::v1::{
    QuerySmartContractStateRequest, QuerySmartContractStateResponse,
};
use ember_abci_app::cli::genesis::contract_address;
use serde_json::{Value, json};
use stake_support::{StakeChain, coins};

/// A chain with the echo contract, which answers with what it is told; its address.
fn world() -> Option<(StakeChain, String)> {
    let code = wat::parse_str(include_str!("../src/modules/wasm/tests/echo.wat")).unwrap();
    let sender = app_support::Wallet::new(1).address;
    let c = StakeChain::new(|state| {
        state["wasm"]["gen_msgs"] = json!([
            { "store_code": { "sender": sender, "wasm_byte_code": BASE64_STANDARD.encode(&code), "instantiate_permission": null } },
            { "instantiate_contract": { "sender": sender, "admin": "", "code_id": "1", "label": "echo", "msg": {}, "funds": [] } },
        ]);
    })?;
    Some((c, contract_address("test", 1, 1).unwrap()))
}

fn says(msgs: &[Value]) -> Value {
    let messages: Vec<_> = msgs
        .iter()
        .map(|m| json!({ "id": 1, "msg": m, "gas_limit": null, "reply_on": "never" }))
        .collect();
    json!({ "ok": { "messages": messages, "attributes": [], "events": [] } })
}

fn staking(what: &str, fields: &Value) -> Value {
    json!({ "staking": { what: fields } })
}

fn ask(c: &StakeChain, contract: &str, query: &Value) -> Value {
    let req = QuerySmartContractStateRequest {
        address: contract.into(),
        query_data: query.to_string().into_bytes(),
    };
    let path = "/cosmwasm.wasm.v1.Query/SmartContractState";
    let answer: QuerySmartContractStateResponse = app_support::query(&c.app, path, &req).unwrap();
    serde_json::from_slice(&answer.data).unwrap()
}

fn amount(n: u128) -> Value {
    json!({ "denom": "uember", "amount": n.to_string() })
}

#[test]
fn a_contract_delegates_redelegates_and_takes_back() {
    let Some((mut c, echo)) = world() else {
        return;
    };
    let (one, two) = (c.valoper(0), c.valoper(1));
    let question = |what: &str, fields: Value| staking(what, &fields);
    assert_eq!(
        ask(&c, &echo, &question("bonded_denom", json!({}))),
        json!({ "denom": "uember" })
    );
    let known = ask(&c, &echo, &question("all_validators", json!({})));
    let known = known["validators"].as_array().unwrap();
    assert_eq!(known.len(), 2);
    let first = ask(&c, &echo, &question("validator", json!({ "address": one })));
    assert_eq!(
        first["validator"],
        json!({ "address": one, "commission": "0.100000000000000000",
            "max_commission": "0.200000000000000000", "max_change_rate": "0.010000000000000000" })
    );
    assert!(known.contains(&first["validator"]));
    let nobody = app_support::Wallet::new(77).address;
    let operator = {
        let bytes = ember_abci_app::codec::address::decode("test", &nobody).unwrap();
        ember_abci_app::codec::address::encode("testvaloper", &bytes).unwrap()
    };
    let none = ask(
        &c,
        &echo,
        &question("validator", json!({ "address": operator })),
    );
    assert_eq!(none, json!({ "validator": null }));
    let own = |v: &str| question("delegation", json!({ "delegator": echo, "validator": v }));
    assert_eq!(ask(&c, &echo, &own(&one)), json!({}));

    // 900 to the first, of the 1000 that come with the message; more than it has is refused, with the events of neither.
    let delegate = |n| {
        staking(
            "delegate",
            &json!({ "validator": one, "amount": amount(n) }),
        )
    };
    let tx = c.execute(
        5,
        &echo,
        &says(&[delegate(900_000)]),
        &coins(&[("uember", 1_000_000)]),
    );
    let r = c.block(&[tx]).remove(0);
    assert_eq!(r.code, 0, "{}", r.log);
    let delegated = r.events.iter().find(|e| e.r#type == "delegate").unwrap();
    let attribute = |key: &str| {
        let found = delegated.attributes.iter().find(|a| a.key == key);
        found.unwrap().value.clone()
    };
    assert_eq!(
        (
            attribute("validator"),
            attribute("delegator"),
            attribute("amount")
        ),
        (one.clone(), echo.clone(), "900000uember".into())
    );
    let tx = c.execute(5, &echo, &says(&[delegate(200_000)]), &[]);
    let r = c.block(&[tx]).remove(0);
    assert_eq!((r.codespace.as_str(), r.code), ("sdk", 5), "{}", r.log);
    let tx = c.execute(5, &echo, &says(&[delegate(0)]), &[]);
    assert_ne!(c.block(&[tx]).remove(0).code, 0);

    // A block's fees are its delegators' by the next.
    c.ok(&[c.fund(5, &coins(&[("uember", 1)]))]);
    c.ok(&[]);
    let full = ask(&c, &echo, &own(&one))["delegation"].clone();
    assert_eq!(full["amount"], amount(900_000));
    assert_eq!(full["can_redelegate"], amount(900_000));
    assert_eq!(full["delegator"], echo);
    assert_eq!(full["accumulated_rewards"][0]["denom"], "utest");
    let earned: u128 = full["accumulated_rewards"][0]["amount"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(earned > 0);

    // Part of it moves on, and cannot move again at once.
    let redelegate = |from: &str, to: &str, n| {
        let fields = json!({ "src_validator": from, "dst_validator": to, "amount": amount(n) });
        says(&[staking("redelegate", &fields)])
    };
    c.ok(&[c.execute(5, &echo, &redelegate(&one, &two, 400_000), &[])]);
    let full = ask(&c, &echo, &own(&two))["delegation"].clone();
    assert_eq!(
        (full["amount"].clone(), full["can_redelegate"].clone()),
        (amount(400_000), amount(0))
    );
    let tx = c.execute(5, &echo, &redelegate(&two, &one, 1), &[]);
    let r = c.block(&[tx]).remove(0);
    assert_eq!(r.codespace, "staking", "{}", r.log);
    let all = ask(
        &c,
        &echo,
        &question("all_delegations", json!({ "delegator": echo })),
    );
    let mut of: Vec<_> = all["delegations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            (
                d["validator"].as_str().unwrap().to_owned(),
                d["amount"].clone(),
            )
        })
        .collect();
    of.sort_by_key(|(v, _)| *v != one);
    assert_eq!(of, [(one.clone(), amount(500_000)), (two, amount(400_000))]);

    // And the rest comes back after the time of unbonding.
    let undelegate = staking(
        "undelegate",
        &json!({ "validator": one, "amount": amount(500_000) }),
    );
    c.ok(&[c.execute(5, &echo, &says(&[undelegate]), &[])]);
    assert_eq!(ask(&c, &echo, &own(&one)), json!({}));
    let has = |c: &StakeChain, denom: &str| {
        let q = json!({ "bank": { "balance": { "address": echo, "denom": denom } } });
        let answer = ask(c, &echo, &q);
        let text = answer["amount"]["amount"].as_str().unwrap();
        text.parse::<u128>().unwrap()
    };
    assert_eq!(has(&c, "uember"), 100_000);
    assert!(
        has(&c, "utest") >= earned,
        "what it earned was paid when it left"
    );
    c.wait(20);
    c.ok(&[]);
    c.ok(&[]);
    assert_eq!(has(&c, "uember"), 600_000);
}
