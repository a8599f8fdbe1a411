//! Submessages and replies.

use super::*;

/// Alice's contract tells another to answer with `inner`; what it then knows of the reply.
fn round(
    inner: &Value,
    reply_on: &str,
    gas_limit: Option<u64>,
) -> (Node, String, String, Result<Vec<u8>>) {
    let node = echo_node();
    let (outer, target) = (node.echo(&nothing()), node.echo(&nothing()));
    node.ctx.take_events();
    let msg = submessage(execute_msg(&target, inner), reply_on, gas_limit);
    let result = node.execute(&outer, &msg);
    (node, outer, target, result)
}

#[test]
fn replies_come_when_they_are_wanted() {
    let fails = json!({"error": "no"});
    for (reply_on, inner, ok, replied) in [
        ("always", nothing(), true, true),
        ("success", nothing(), true, true),
        ("error", nothing(), true, false),
        ("never", nothing(), true, false),
        ("always", fails.clone(), true, true),
        ("error", fails.clone(), true, true),
        ("success", fails.clone(), false, false),
        ("never", fails.clone(), false, false),
    ] {
        let (node, outer, target, result) = round(&inner, reply_on, None);
        assert_eq!(result.is_ok(), ok, "{reply_on} {inner}");
        assert_eq!(
            node.raw(&outer, "reply").is_some(),
            replied,
            "{reply_on} {inner}"
        );
        assert_eq!(
            node.raw(&target, "last").is_some(),
            inner == nothing(),
            "a failed submessage writes nothing"
        );
        if !ok {
            // The callee's own words reach the sender of the transaction.
            assert_eq!(result.unwrap_err().log, "no: execute wasm contract failed");
        }
    }
}

#[test]
fn a_reply_holds_id_events_and_responses() {
    let inner = json!({"ok": {"messages": [], "data": "aGk=", "events": [],
        "attributes": [{"key": "z", "value": "1"}, {"key": "a", "value": "2"}, {"key": "A", "value": "3"}]}});
    let (node, outer, target, result) = round(&inner, "always", None);
    result.unwrap();
    let reply = node.raw_json(&outer, "reply");
    assert_eq!(reply["id"], 42);
    let ok = &reply["result"]["ok"];
    // MsgExecuteContractResponse{data: "hi"}
    assert_eq!(ok["data"], "CgJoaQ==");
    assert_eq!(
        ok["msg_responses"],
        json!([{"type_url": "/cosmwasm.wasm.v1.MsgExecuteContractResponse", "value": "CgJoaQ=="}])
    );
    let keys: Vec<&str> = ok["events"][1]["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["key"].as_str().unwrap())
        .collect();
    assert_eq!(
        keys,
        ["A", "_contract_address", "a", "z"],
        "attributes of wasm submessages are sorted"
    );
    let kinds: Vec<String> = node.ctx.take_events().into_iter().map(|e| e.kind).collect();
    assert_eq!(kinds, ["execute", "execute", "wasm", "reply"]);
    drop(target);
}

#[test]
fn a_bank_reply_shows_no_events_but_the_transaction_has_them() {
    let node = echo_node();
    chain::set(&node.ctx, &ALICE, "uember", 5).unwrap();
    let outer = node.echo(&nothing());
    node.execute_with(&outer, &nothing(), &[coin(5, "uember")])
        .unwrap();
    node.ctx.take_events();
    let send = |n: &str| json!({"bank": {"send": {"to_address": human(&BOB), "amount": [{"denom": "uember", "amount": n}]}}});
    node.execute(&outer, &submessage(send("5"), "always", None))
        .unwrap();
    let ok = node.raw_json(&outer, "reply")["result"]["ok"].clone();
    assert_eq!(ok["events"], json!([]));
    assert_eq!(
        ok["msg_responses"][0]["type_url"],
        "/cosmos.bank.v1beta1.MsgSendResponse"
    );
    let kinds: Vec<String> = node.ctx.take_events().into_iter().map(|e| e.kind).collect();
    assert_eq!(
        kinds,
        ["execute", "transfer", "reply"],
        "`message` events of modules are filtered"
    );
    // Errors of other modules are redacted.
    node.execute(&outer, &submessage(send("6"), "always", None))
        .unwrap();
    assert_eq!(
        node.raw_json(&outer, "reply")["result"]["error"],
        "codespace: sdk, code: 5"
    );
}

#[test]
fn errors_are_redacted_unless_they_are_the_callees_own_words() {
    let (node, outer, ..) = round(&json!({"error": "no such order"}), "error", None);
    assert_eq!(
        node.raw_json(&outer, "reply")["result"]["error"],
        "no such order: execute wasm contract failed"
    );
    let (node, outer, ..) = round(&json!(7), "error", None);
    assert_eq!(
        node.raw_json(&outer, "reply")["result"]["error"],
        "codespace: wasm, code: 29"
    );
    // A contract's words are lost once another error stands around them.
    let node = echo_node();
    let (outer, middle) = (
        node.echo(&nothing()),
        node.echo(&json!({"error": "reply failed"})),
    );
    let deep = submessage(
        execute_msg(
            &middle,
            &submessage(execute_msg(&middle, &nothing()), "always", None),
        ),
        "error",
        None,
    );
    node.execute(&outer, &deep).unwrap();
    assert_eq!(
        node.raw_json(&outer, "reply")["result"]["error"],
        "codespace: wasm, code: 5"
    );
    assert_eq!(node.raw(&middle, "last"), None);
    assert_eq!(node.raw(&middle, "reply"), None);
}

#[test]
fn a_reply_overrides_the_data_and_sends_messages_of_its_own() {
    let node = echo_node();
    let third = node.echo(&nothing());
    let on_reply = json!({"ok": {"data": "cmVwbHk=", "attributes": [{"key": "r", "value": "1"}], "events": [],
        "messages": [{"id": 1, "msg": execute_msg(&third, &nothing()), "gas_limit": null, "reply_on": "never"}]}});
    let outer = node.echo(&on_reply);
    let mut msg = submessage(execute_msg(&third, &nothing()), "success", None);
    msg["ok"]["data"] = json!("b3duIQ==");
    let bytes = node.execute(&outer, &msg).unwrap();
    let data = |b: &[u8]| {
        cosmos_sdk_proto::cosmwasm::wasm::v1::MsgExecuteContractResponse::decode(b)
            .unwrap()
            .data
    };
    assert_eq!(data(&bytes), b"reply");
    // The same contract, when no reply comes, keeps its own.
    msg["ok"]["messages"][0]["reply_on"] = json!("never");
    assert_eq!(data(&node.execute(&outer, &msg).unwrap()), b"own!");
}

#[test]
fn a_submessage_that_hits_its_gas_limit_costs_it_and_is_an_error_like_any_other() {
    let (node, outer, target, result) = round(&nothing(), "error", Some(10_000));
    result.unwrap();
    assert_eq!(
        node.raw_json(&outer, "reply")["result"]["error"],
        "codespace: sdk, code: 11"
    );
    assert_eq!(node.raw(&target, "last"), None);
    // With room it runs, and costs what it uses.
    let (node, outer, target, result) = round(&nothing(), "error", Some(1_000_000));
    result.unwrap();
    assert_eq!(
        (
            node.raw(&outer, "reply"),
            node.raw(&target, "last").is_some()
        ),
        (None, true)
    );
}

#[test]
fn running_out_of_the_transactions_gas_is_caught_by_no_reply() {
    let node = echo_node();
    let (outer, target) = (node.echo(&nothing()), node.echo(&nothing()));
    let msg = submessage(execute_msg(&target, &nothing()), "always", None);
    let used = {
        let before = node.ctx.gas().used();
        node.execute(&outer, &msg).unwrap();
        node.ctx.gas().used() - before
    };
    // Whatever the limit, the transaction has what it needs or ends with sdk/11 and leaves nothing.
    for limit in (1_000..used + 60_000).step_by(9_973) {
        let ctx = node.fork(limit, Mode::Deliver);
        let msg = MsgExecuteContract {
            sender: human(&ALICE),
            contract: outer.clone(),
            msg: msg.to_string().into_bytes(),
            funds: vec![],
        };
        let result = ctx.atomically(|c| {
            node.module
                .handle_msg(c, msg::EXECUTE, &msg.encode_to_vec())
        });
        match result {
            Ok(_) => assert!(ctx.gas().used() <= limit),
            Err(e) => {
                assert_eq!(
                    (e.codespace, e.code),
                    ("sdk", 11),
                    "limit {limit}: {}",
                    e.log
                );
                assert!(ctx.take_events().is_empty());
            }
        }
    }
}

#[test]
fn what_the_chain_does_not_serve_is_a_typed_error() {
    let node = echo_node();
    let outer = node.echo(&nothing());
    for (msg, code) in [
        (json!({"custom": {"mint": 1}}), 20),
        (
            json!({"ibc": {"close_channel": {"channel_id": "channel-0"}}}),
            20,
        ),
        (
            json!({"any": {"type_url": "/cosmos.gov.v1.MsgVote", "value": ""}}),
            10,
        ),
        (json!({"bank": {"burn": {"amount": []}}}), 12),
    ] {
        let e = node
            .execute(&outer, &submessage(msg.clone(), "never", None))
            .unwrap_err();
        assert_eq!((e.codespace, e.code), ("wasm", code), "{msg}: {}", e.log);
        node.execute(&outer, &submessage(msg, "always", None))
            .unwrap();
        assert_eq!(
            node.raw_json(&outer, "reply")["result"]["error"],
            format!("codespace: wasm, code: {code}")
        );
    }
}

#[test]
fn a_contract_cannot_sign_for_others() {
    let node = echo_node();
    let (outer, target) = (node.echo(&nothing()), node.echo(&nothing()));
    let any = |sender: &str| {
        let m = MsgExecuteContract {
            sender: sender.into(),
            contract: target.clone(),
            msg: nothing().to_string().into_bytes(),
            funds: vec![],
        };
        let value = cosmwasm_std::Binary::from(m.encode_to_vec()).to_base64();
        submessage(
            json!({"any": {"type_url": msg::EXECUTE, "value": value}}),
            "never",
            None,
        )
    };
    let e = node.execute(&outer, &any(&human(&ALICE))).unwrap_err();
    assert_eq!((e.codespace, e.code), ("sdk", 4));
    assert_eq!(e.log, "contract doesn't have permission: unauthorized");
    node.execute(&outer, &any(&outer)).unwrap();
    assert!(node.raw(&target, "last").is_some());
}

#[test]
fn messages_of_messages_have_a_last_level_on_a_small_stack() {
    // The stack of a thread as small as any that runs blocks.
    let run = || {
        let node = echo_node();
        let addr = node.echo(&nothing());
        let nested = |levels: usize| {
            (0..levels).fold(nothing(), |inner, _| {
                submessage(execute_msg(&addr, &inner), "never", None)
            })
        };
        // Base64 grows by a third a level: deep chains are built from one contract that calls by reply instead.
        node.execute(&addr, &nested(12)).unwrap();
        let again = json!({"ok": {"messages": [{"id": 1, "msg": execute_msg(&addr, &nothing()),
            "gas_limit": null, "reply_on": "always"}], "attributes": [], "events": []}});
        let endless = node.echo(&again);
        node.execute(
            &endless,
            &submessage(execute_msg(&addr, &nothing()), "always", None),
        )
    };
    let result = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
    let e = result.unwrap_err();
    assert_eq!((e.codespace, e.code), ("wasm", 30), "{}", e.log);
}
