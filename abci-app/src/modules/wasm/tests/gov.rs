//! What governance may, and who else may not.

use super::{super::msg_gov::*, *};
use cosmos_sdk_proto::cosmwasm::wasm::v1::*;

fn gov() -> String {
    human(&policy::gov())
}

fn access(permission: AccessType, addresses: &[&[u8]]) -> AccessConfig {
    AccessConfig {
        permission: permission as i32,
        addresses: addresses.iter().map(|a| human(a)).collect(),
    }
}

fn params(upload: AccessConfig, default: AccessType) -> MsgUpdateParams {
    MsgUpdateParams {
        authority: gov(),
        params: Some(Params {
            code_upload_access: Some(upload),
            instantiate_default_permission: default as i32,
        }),
    }
}

fn pins(code_ids: &[u64]) -> PinCodes {
    PinCodes {
        authority: gov(),
        code_ids: code_ids.to_vec(),
    }
}

fn raw(contract: &str) -> Vec<u8> {
    backend_api::Api::new("ember")
        .unwrap()
        .decode(contract)
        .unwrap()
}

fn store_by(node: &Node, who: &[u8]) -> Result<Vec<u8>> {
    node.send(
        msg::STORE,
        &MsgStoreCode {
            sender: human(who),
            wasm_byte_code: echo_wasm(),
            instantiate_permission: None,
        },
    )
}

#[test]
fn who_may_upload_is_a_parameter_that_governance_sets() {
    let node = Node::new();
    assert_eq!(
        node.module
            .signers(
                UPDATE_PARAMS,
                &params(AccessConfig::default(), AccessType::Nobody).encode_to_vec()
            )
            .unwrap(),
        [gov()]
    );
    let list = params(
        access(AccessType::AnyOfAddresses, &[&ALICE]),
        AccessType::AnyOfAddresses,
    );
    let stranger = MsgUpdateParams {
        authority: human(&ALICE),
        ..list.clone()
    };
    let e = node.send(UPDATE_PARAMS, &stranger).unwrap_err();
    assert_eq!((e.codespace, e.code), ("wasm", 14));
    assert_eq!(
        e.log,
        format!(
            "invalid authority; expected {}, got {}: invalid",
            gov(),
            human(&ALICE)
        )
    );
    let nothing = MsgUpdateParams {
        authority: gov(),
        params: None,
    };
    assert_eq!(
        node.send(UPDATE_PARAMS, &nothing).unwrap_err().log,
        "instantiate default permission: type: empty"
    );
    node.send(UPDATE_PARAMS, &list).unwrap();

    assert_eq!(
        store_by(&node, &BOB).unwrap_err().log,
        "can not create code: unauthorized"
    );
    store_by(&node, &ALICE).unwrap();
    let info = state::must_code(&node.ctx, 1).unwrap();
    assert_eq!(
        info.instantiate_config,
        Some(access(AccessType::AnyOfAddresses, &[&ALICE]))
    );

    let change = |addresses: &[&[u8]]| MsgAddCodeUploadParamsAddresses {
        authority: gov(),
        addresses: addresses.iter().map(|a| human(a)).collect(),
    };
    node.send(ADD_UPLOADERS, &change(&[&ALICE, &BOB])).unwrap();
    store_by(&node, &BOB).unwrap();
    node.send(REMOVE_UPLOADERS, &change(&[&ALICE])).unwrap();
    let upload = state::params(&node.ctx)
        .unwrap()
        .code_upload_access
        .unwrap();
    assert_eq!(upload, access(AccessType::AnyOfAddresses, &[&BOB]));
    assert_eq!(store_by(&node, &ALICE).unwrap_err().code, 4);
    assert_eq!(
        node.send(ADD_UPLOADERS, &change(&[])).unwrap_err().log,
        "addresses: empty"
    );

    node.send(
        UPDATE_PARAMS,
        &params(access(AccessType::Nobody, &[]), AccessType::Everybody),
    )
    .unwrap();
    assert_eq!(store_by(&node, &BOB).unwrap_err().code, 4);
    assert_eq!(
        node.send(ADD_UPLOADERS, &change(&[&BOB])).unwrap_err().log,
        "permission: invalid",
        "there is no list to add to"
    );
    store_by(&node, &policy::gov()).unwrap();
}

#[test]
fn pinned_code_is_cheap_to_load_after_a_restart_and_in_a_new_chain_too() {
    const LOADING: u64 = 60_000 - 2_000;
    let node = echo_node();
    let addr = node.echo(&nothing());
    let cost = |node: &Node| {
        let before = node.ctx.gas().used();
        node.execute(&addr, &nothing()).unwrap();
        node.ctx.gas().used() - before
    };
    let dear = cost(&node);
    let before = node.ctx.gas().used();
    node.ctx.take_events();
    node.send(PIN, &pins(&[1])).unwrap();
    assert!(node.ctx.gas().used() - before > 500_000);
    assert_eq!(
        node.ctx.take_events(),
        [Event::new("pin_code").attr("code_id", "1")]
    );
    assert_eq!(cost(&node), dear - LOADING);

    // A restart: the same state and folder, another module.
    let export = node.module.export_genesis(&node.ctx).unwrap();
    let ctx = node.fork(u64::MAX, Mode::Deliver);
    let Node { module, dir, .. } = node;
    drop(module);
    let module = WasmModule::open(dir.path(), Arc::new(TestChain)).unwrap();
    module.pin_all(&ctx).unwrap();
    let node = Node { module, ctx, dir };
    assert_eq!(cost(&node), dear - LOADING);
    let other = Node::new();
    other.module.init_genesis(&other.ctx, &export).unwrap();
    assert_eq!(cost(&other), dear - LOADING);

    node.ctx.take_events();
    node.send(UNPIN, &pins(&[1])).unwrap();
    assert_eq!(
        node.ctx.take_events(),
        [Event::new("unpin_code").attr("code_id", "1")]
    );
    assert_eq!(cost(&node), dear);
    assert_eq!(node.send(PIN, &pins(&[1, 9])).unwrap_err().code, 28);
}

#[test]
fn what_is_unpinned_leaves_memory_unless_another_pinned_code_is_the_same() {
    let node = echo_node();
    // Code 40 is none of those that a node keeps anyway, and its bytes are another's.
    let wasm = wat::parse_str(include_str!("echo.wat").replace("on_reply", "of_reply")).unwrap();
    let sum = node.module.vm.store(&wasm, true).unwrap();
    for id in [40, 41] {
        let info = CodeInfo {
            code_hash: sum.as_slice().to_vec(),
            creator: human(&ALICE),
            instantiate_config: Some(access(AccessType::Everybody, &[])),
        };
        state::set_code(&node.ctx, id, &info).unwrap();
    }
    let kept = || node.module.vm.kept();
    assert_eq!(kept(), 1);
    node.send(PIN, &pins(&[40, 41])).unwrap();
    assert_eq!(kept(), 2);
    node.send(UNPIN, &pins(&[40])).unwrap();
    assert_eq!(kept(), 2, "41 is the same code");
    node.send(UNPIN, &pins(&[41, 1])).unwrap();
    assert_eq!(kept(), 1, "1 is among the first ones");
}

#[test]
fn lists_of_codes_are_checked() {
    let node = echo_node();
    let log = |ids: &[u64]| node.send(PIN, &pins(ids)).unwrap_err().log;
    assert_eq!(log(&[]), "empty code ids: invalid request");
    assert_eq!(log(&[1, 1]), "duplicate code ids: invalid request");
    let many: Vec<u64> = (1..=51).collect();
    assert_eq!(
        log(&many),
        "total number of code ids is greater than 50: invalid request"
    );
    let stranger = PinCodes {
        authority: human(&BOB),
        code_ids: vec![1],
    };
    assert_eq!(node.send(UNPIN, &stranger).unwrap_err().code, 14);
    // As the SDK's clients encode it: the list is packed.
    let bytes = [&[0x0a, 44][..], gov().as_bytes(), &[0x12, 1, 1]].concat();
    assert_eq!(bytes[1] as usize, gov().len());
    node.module.handle_msg(&node.ctx, PIN, &bytes).unwrap();
}

#[test]
fn governance_calls_changes_and_migrates_any_contract() {
    let node = echo_node();
    node.store(echo_wasm());
    let addr = node.echo(&nothing());
    let info = || state::contract(&node.ctx, &raw(&addr)).unwrap().unwrap();
    let sudo = |by: String| MsgSudoContract {
        authority: by,
        contract: addr.clone(),
        msg: json!({"ok": {"messages": [], "attributes": [], "events": [], "data": "aGk="}})
            .to_string()
            .into_bytes(),
    };
    assert_eq!(node.send(SUDO, &sudo(human(&ALICE))).unwrap_err().code, 14);
    let bytes = node.send(SUDO, &sudo(gov())).unwrap();
    assert_eq!(
        MsgSudoContractResponse::decode(bytes.as_slice())
            .unwrap()
            .data,
        b"hi"
    );

    let label = |by: String, new: &str| MsgUpdateContractLabel {
        sender: by,
        new_label: new.into(),
        contract: addr.clone(),
    };
    assert_eq!(
        node.send(LABEL, &label(human(&BOB), "x")).unwrap_err().log,
        "can not modify contract: unauthorized"
    );
    assert_eq!(
        node.send(LABEL, &label(gov(), "")).unwrap_err().log,
        "label: is required: empty"
    );
    node.send(LABEL, &label(human(&ALICE), "hers")).unwrap();
    assert_eq!(info().label, "hers");
    node.ctx.take_events();
    node.send(LABEL, &label(gov(), "ours")).unwrap();
    assert_eq!(
        node.ctx.take_events(),
        [Event::new("update_contract_label")
            .attr("_contract_address", &addr)
            .attr("new_label", "ours")]
    );

    // A code that nobody may use, and a contract without an admin.
    let close = |by: &[u8], permission| MsgUpdateInstantiateConfig {
        sender: human(by),
        code_id: 2,
        new_instantiate_permission: Some(permission),
    };
    let nobody = access(AccessType::Nobody, &[]);
    assert_eq!(
        node.send(CONFIGURE, &close(&BOB, nobody.clone()))
            .unwrap_err()
            .log,
        "can not modify code access config: unauthorized"
    );
    node.ctx.take_events();
    node.send(
        CONFIGURE,
        &close(&ALICE, access(AccessType::AnyOfAddresses, &[&BOB, &ALICE])),
    )
    .unwrap();
    assert_eq!(
        node.ctx.take_events(),
        [Event::new("update_code_access_config")
            .attr("code_permission", "AnyOfAddresses")
            .attr("code_id", "2")
            .attr(
                "authorized_addresses",
                format!("{},{}", human(&BOB), human(&ALICE))
            )]
    );
    node.send(CONFIGURE, &close(&policy::gov(), nobody))
        .unwrap();
    let clear = MsgClearAdmin {
        sender: human(&ALICE),
        contract: addr.clone(),
    };
    node.send(msg::CLEAR_ADMIN, &clear).unwrap();
    let migrate = |by: &[u8]| MsgMigrateContract {
        sender: human(by),
        contract: addr.clone(),
        code_id: 2,
        msg: nothing().to_string().into_bytes(),
    };
    assert_eq!(
        node.send(msg::MIGRATE, &migrate(&ALICE)).unwrap_err().code,
        4
    );
    node.send(msg::MIGRATE, &migrate(&policy::gov())).unwrap();
    assert_eq!(info().code_id, 2);
    let admin = MsgUpdateAdmin {
        sender: gov(),
        new_admin: human(&BOB),
        contract: addr.clone(),
    };
    node.send(msg::UPDATE_ADMIN, &admin).unwrap();
    assert_eq!(info().admin, human(&BOB));

    // A creator may only narrow, below the chain's default.
    node.send(
        UPDATE_PARAMS,
        &params(access(AccessType::Everybody, &[]), AccessType::Nobody),
    )
    .unwrap();
    let everybody = access(AccessType::Everybody, &[]);
    assert_eq!(
        node.send(CONFIGURE, &close(&ALICE, everybody.clone()))
            .unwrap_err()
            .code,
        4
    );
    node.send(CONFIGURE, &close(&policy::gov(), everybody))
        .unwrap();
}

#[test]
fn storing_and_using_in_one_message() {
    let node = Node::new();
    let new = MsgStoreAndInstantiateContract {
        authority: human(&ALICE),
        wasm_byte_code: echo_wasm(),
        label: "both".into(),
        msg: nothing().to_string().into_bytes(),
        admin: human(&BOB),
        ..MsgStoreAndInstantiateContract::default()
    };
    let bytes = node.send(STORE_INSTANTIATE, &new).unwrap();
    let made = MsgStoreAndInstantiateContractResponse::decode(bytes.as_slice()).unwrap();
    assert_eq!(made.address, human(&address::classic(1, 1)));
    let kinds: Vec<_> = node.ctx.take_events().into_iter().map(|e| e.kind).collect();
    assert_eq!(kinds, ["store_code", "instantiate"]);
    let sourced = MsgStoreAndInstantiateContract {
        source: "https://example.com".into(),
        ..new
    };
    assert_eq!(node.send(STORE_INSTANTIATE, &sourced).unwrap_err().code, 37);

    let next = |by: &[u8]| MsgStoreAndMigrateContract {
        authority: human(by),
        wasm_byte_code: echo_wasm(),
        instantiate_permission: Some(access(AccessType::AnyOfAddresses, &[&BOB])),
        contract: made.address.clone(),
        msg: nothing().to_string().into_bytes(),
    };
    let stranger = node
        .ctx
        .atomically(|_| node.send(STORE_MIGRATE, &next(&ALICE)));
    assert_eq!(stranger.unwrap_err().log, "can not migrate: unauthorized");
    let bytes = node.send(STORE_MIGRATE, &next(&BOB)).unwrap();
    let moved = MsgStoreAndMigrateContractResponse::decode(bytes.as_slice()).unwrap();
    assert_eq!(moved.code_id, 2);
    let info = state::contract(&node.ctx, &raw(&made.address)).unwrap();
    assert_eq!(info.unwrap().code_id, 2);
    let empty = MsgStoreAndMigrateContract {
        wasm_byte_code: Vec::new(),
        ..next(&BOB)
    };
    assert_eq!(
        node.send(STORE_MIGRATE, &empty).unwrap_err().log,
        "code bytes is required: empty: invalid request"
    );
}

#[test]
fn a_contract_that_governance_makes_may_make_others_of_closed_code() {
    let node = echo_node();
    // Code 2 answers its instantiate message with that message.
    let told = include_str!("echo.wat").replace("(i32.const 52))\n", "(local.get 2))\n");
    assert_ne!(told, include_str!("echo.wat"));
    node.store(wat::parse_str(told).unwrap());
    for code_id in [1, 2] {
        let close = MsgUpdateInstantiateConfig {
            sender: gov(),
            code_id,
            new_instantiate_permission: Some(access(AccessType::Nobody, &[])),
        };
        node.send(CONFIGURE, &close).unwrap();
    }
    let make = |code_id: u64, msg: &Value| {
        json!({"wasm": {"instantiate": {"admin": null, "code_id": code_id, "msg": base64(msg),
            "funds": [], "label": "made"}}})
    };
    let by = |who: String, msg: &Value| {
        let msg = MsgInstantiateContract {
            sender: who,
            admin: String::new(),
            code_id: 2,
            label: "test".into(),
            msg: msg.to_string().into_bytes(),
            funds: vec![],
        };
        node.ctx.atomically(|_| node.send(msg::INSTANTIATE, &msg))
    };
    // Through two generations.
    let inner = submessage(make(1, &nothing()), "never", None);
    let all = submessage(make(2, &inner), "never", None);
    assert_eq!(
        by(human(&ALICE), &all).unwrap_err().log,
        "can not instantiate: unauthorized"
    );
    node.ctx.take_events();
    by(gov(), &all).unwrap();
    let events = node.ctx.take_events();
    assert_eq!(events.iter().filter(|e| e.kind == "instantiate").count(), 3);
    // The power ends with the message.
    assert_eq!(by(human(&ALICE), &nothing()).unwrap_err().code, 4);
    let open = MsgUpdateInstantiateConfig {
        sender: gov(),
        code_id: 2,
        new_instantiate_permission: Some(access(AccessType::Everybody, &[])),
    };
    node.send(CONFIGURE, &open).unwrap();
    let e = by(human(&ALICE), &inner).unwrap_err();
    assert_eq!(e.log, "dispatch: can not instantiate: unauthorized");
}
