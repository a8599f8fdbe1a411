//! Messages from transactions.

use super::*;
use cosmos_sdk_proto::cosmwasm::wasm::v1::{
    AccessConfig, AccessType, ContractInfo, MsgClearAdmin, MsgExecuteContractResponse,
    MsgInstantiateContract2, MsgInstantiateContract2Response, MsgMigrateContract, MsgUpdateAdmin,
};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

#[test]
fn store_instantiate_execute_with_wasmds_events_and_addresses() {
    let node = echo_node();
    let sum = cosmwasm_std::Checksum::generate(&echo_wasm()).to_hex();
    let events = node.ctx.take_events();
    assert_eq!(
        events,
        [Event::new("store_code")
            .attr("code_checksum", &sum)
            .attr("code_id", "1")]
    );

    let addr = node.echo(&nothing());
    assert_eq!(addr, human(&address::classic(1, 1)));
    assert_eq!(node.echo(&nothing()), human(&address::classic(1, 2)));
    assert_eq!(
        node.ctx.take_events()[0],
        Event::new("instantiate")
            .attr("_contract_address", &addr)
            .attr("code_id", "1")
    );

    let answer = json!({"ok": {"messages": [], "data": "aGk=",
        "attributes": [{"key": "a", "value": "1"}],
        "events": [{"type": "filled", "attributes": [{"key": "b", "value": "2"}]}]}});
    let bytes = node.execute(&addr, &answer).unwrap();
    assert_eq!(
        MsgExecuteContractResponse::decode(bytes.as_slice())
            .unwrap()
            .data,
        b"hi"
    );
    assert_eq!(
        node.ctx.take_events(),
        [
            Event::new("execute").attr("_contract_address", &addr),
            Event::new("wasm")
                .attr("_contract_address", &addr)
                .attr("a", "1"),
            Event::new("wasm-filled")
                .attr("_contract_address", &addr)
                .attr("b", "2"),
        ]
    );
}

#[test]
fn a_contracts_error_is_the_transactions() {
    let node = echo_node();
    let addr = node.echo(&nothing());
    let e = node
        .execute(&addr, &json!({"error": "no such order"}))
        .unwrap_err();
    assert_eq!((e.codespace, e.code), ("wasm", 5));
    assert_eq!(e.log, "no such order: execute wasm contract failed");
    assert_eq!(
        node.raw(&addr, "last"),
        None,
        "a failed call writes nothing"
    );

    let absent = human(&[9; 32]);
    let e = node.execute(&absent, &nothing()).unwrap_err();
    assert_eq!((e.codespace, e.code), ("wasm", 22));
    assert_eq!(e.log, format!("address {absent}: no such contract"));
    assert_eq!(node.instantiate(9, &nothing(), &[]).unwrap_err().code, 28);
    assert_eq!(
        node.execute(&addr, &json!("not an answer"))
            .unwrap_err()
            .code,
        29
    );
}

#[test]
fn funds_arrive_before_the_contract_runs_and_go_back_when_it_fails() {
    let node = echo_node();
    chain::set(&node.ctx, &ALICE, "uember", 100).unwrap();
    let addr = node.echo(&nothing());
    node.execute_with(&addr, &nothing(), &[coin(30, "uember")])
        .unwrap();
    let to_bob = json!({"bank": {"send": {"to_address": human(&BOB), "amount": [{"denom": "uember", "amount": "12"}]}}});
    node.execute(&addr, &submessage(to_bob, "never", None))
        .unwrap();
    let balance = |a: &[u8]| TestChain.balance(&node.ctx, a, "uember").unwrap().amount;
    let contract = backend_api::Api::new("ember")
        .unwrap()
        .decode(&addr)
        .unwrap();
    assert_eq!(
        (balance(&ALICE), balance(&BOB), balance(&contract)),
        ("70".into(), "12".into(), "18".into())
    );
    let burn = json!({"bank": {"burn": {"amount": [{"denom": "uember", "amount": "8"}]}}});
    node.execute(&addr, &submessage(burn, "never", None))
        .unwrap();
    assert_eq!(balance(&contract), "10");

    assert!(
        node.execute_with(&addr, &json!({"error": "no"}), &[coin(1, "uember")])
            .is_err()
    );
    assert_eq!(balance(&ALICE), "70");
    let e = node
        .execute_with(&addr, &nothing(), &[coin(71, "uember")])
        .unwrap_err();
    assert_eq!((e.codespace, e.code), ("sdk", 5));
    let e = node
        .execute_with(&addr, &nothing(), &[coin(0, "uember")])
        .unwrap_err();
    assert!(e.log.starts_with("funds: "), "{}", e.log);
}

#[test]
fn out_of_gas_stops_exactly_at_the_limit_and_never_depends_on_what_is_cached() {
    let node = echo_node();
    let addr = node.echo(&nothing());
    let contract = backend_api::Api::new("ember")
        .unwrap()
        .decode(&addr)
        .unwrap();
    let ctx = node.fork(300_000, Mode::Deliver);
    let e = node.module.sudo(&ctx, &contract, b"{}").unwrap_err();
    assert_eq!((e.codespace, e.code), ("sdk", 11), "{}", e.log);
    assert!(
        e.log.contains("gasWanted: 300000, gasUsed: 300000"),
        "{}",
        e.log
    );

    // A node that has just started, with nothing compiled in memory, and one on which everything is warm.
    let cold = WasmModule::open(node.dir.path(), Arc::new(TestChain)).unwrap();
    let used = |m: &WasmModule| {
        let ctx = node.fork(10_000_000, Mode::Deliver);
        m.sudo(&ctx, &contract, nothing().to_string().as_bytes())
            .unwrap();
        ctx.gas().used()
    };
    let want = used(&node.module);
    assert_eq!([used(&cold), used(&cold), used(&node.module)], [want; 3]);
    let queried = |mode| {
        let ctx = node.fork(10_000_000, mode);
        node.module
            .sudo(&ctx, &contract, nothing().to_string().as_bytes())
            .unwrap();
        ctx.gas().used()
    };
    assert_eq!([queried(Mode::Simulate), queried(Mode::Query)], [want; 2]);
}

#[test]
fn a_second_load_in_one_transaction_is_cheap() {
    let node = echo_node();
    let addr = node.echo(&nothing());
    let contract = backend_api::Api::new("ember")
        .unwrap()
        .decode(&addr)
        .unwrap();
    let run = |ctx: &Ctx| {
        let before = ctx.gas().used();
        node.module
            .sudo(ctx, &contract, nothing().to_string().as_bytes())
            .unwrap();
        ctx.gas().used() - before
    };
    let block = node.fork(u64::MAX, Mode::Deliver);
    let tx = block.for_tx([0; 32]);
    let (first, second) = (run(&tx), run(&tx));
    assert_eq!(first - second, 58_000);
    assert_eq!(
        run(&block.for_tx([1; 32])),
        first,
        "the next transaction pays again"
    );
    let (one, two) = (run(&block), run(&block));
    assert!(
        one == two && one - second > 57_000,
        "hooks have no transaction: {one} {two}"
    );
}

#[test]
fn gzipped_code_is_the_same_code_and_refused_code_leaves_no_trace() {
    let node = Node::new();
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(&echo_wasm()).unwrap();
    assert_eq!(node.store(gz.finish().unwrap()), 1);
    assert_eq!(
        node.store(echo_wasm()),
        2,
        "the same blob may be stored again under another id"
    );
    for bad in [b"not wasm".to_vec(), wat::parse_str("(module)").unwrap()] {
        let msg = MsgStoreCode {
            sender: human(&ALICE),
            wasm_byte_code: bad,
            instantiate_permission: None,
        };
        let e = node
            .ctx
            .atomically(|_| node.send(msg::STORE, &msg))
            .unwrap_err();
        assert_eq!((e.codespace, e.code), ("wasm", 2), "{}", e.log);
    }
    assert_eq!(node.store(echo_wasm()), 3, "a refused code takes no id");
}

#[test]
fn simulation_stores_nothing_on_disk() {
    let node = Node::new();
    let ctx = node.fork(u64::MAX, Mode::Simulate);
    let msg = MsgStoreCode {
        sender: human(&ALICE),
        wasm_byte_code: echo_wasm(),
        instantiate_permission: None,
    };
    node.module
        .handle_msg(&ctx, msg::STORE, &msg.encode_to_vec())
        .unwrap();
    let files = || {
        std::fs::read_dir(node.dir.path().join("state/wasm"))
            .unwrap()
            .count()
    };
    assert_eq!(files(), 0);
    node.store(echo_wasm());
    assert_eq!(files(), 1);
    // Gas is the same but for the capabilities' event, which costs nothing.
    let deliver = Node::new();
    deliver.store(echo_wasm());
    assert_eq!(ctx.gas().used(), deliver.ctx.gas().used());
}

#[test]
fn a_torn_blob_or_module_is_mended() {
    let node = echo_node();
    let addr = node.echo(&nothing());
    let sum = cosmwasm_std::Checksum::generate(&echo_wasm()).to_hex();
    let blob = node.dir.path().join(format!("state/wasm/{sum}.wasm"));
    let modules = walk(&node.dir.path().join("cache/modules"));
    assert_eq!(modules.len(), 1);
    std::fs::write(&modules[0], b"torn").unwrap();
    let module = WasmModule::open(node.dir.path(), Arc::new(TestChain)).unwrap();
    module.pin_all(&node.ctx).unwrap();
    let contract = backend_api::Api::new("ember")
        .unwrap()
        .decode(&addr)
        .unwrap();
    let run = |m: &WasmModule, mode| {
        let ctx = node.fork(u64::MAX, mode);
        m.sudo(&ctx, &contract, nothing().to_string().as_bytes())
            .unwrap();
    };
    run(&module, Mode::Deliver);
    run(&module, Mode::Query);
    for m in walk(&node.dir.path().join("queries/cache/modules")) {
        std::fs::write(m, b"torn").unwrap();
    }
    let module = WasmModule::open(node.dir.path(), Arc::new(TestChain)).unwrap();
    run(&module, Mode::Query);
    run(&module, Mode::Deliver);

    std::fs::write(&blob, &echo_wasm()[..40]).unwrap();
    let module = WasmModule::open(node.dir.path(), Arc::new(TestChain)).unwrap();
    let fresh = Node {
        module,
        ctx: new_ctx(Arc::new(MemBase::default()), u64::MAX, Mode::Deliver),
        dir: node.dir,
    };
    fresh.store(echo_wasm());
    assert_eq!(std::fs::read(&blob).unwrap(), echo_wasm());

    std::fs::remove_file(&blob).unwrap();
    for m in walk(&fresh.dir.path().join("cache/modules")) {
        std::fs::remove_file(m).unwrap();
    }
    let module = WasmModule::open(fresh.dir.path(), Arc::new(TestChain)).unwrap();
    assert_eq!(
        module.pin_all(&fresh.ctx).unwrap_err().code,
        18,
        "a lost blob is said at the start"
    );
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for e in std::fs::read_dir(dir).unwrap().flatten() {
        if e.path().is_dir() {
            out.extend(walk(&e.path()))
        } else {
            out.push(e.path())
        }
    }
    out
}

#[test]
fn permissions_of_code_are_kept() {
    let node = Node::new();
    let only_bob = AccessConfig {
        permission: AccessType::AnyOfAddresses as i32,
        addresses: vec![human(&BOB)],
    };
    let msg = MsgStoreCode {
        sender: human(&ALICE),
        wasm_byte_code: echo_wasm(),
        instantiate_permission: Some(only_bob),
    };
    node.send(msg::STORE, &msg).unwrap();
    let e = node.instantiate(1, &nothing(), &[]).unwrap_err();
    assert_eq!(
        (e.codespace, e.code, e.log.as_str()),
        ("sdk", 4, "can not instantiate: unauthorized")
    );
}

#[test]
fn an_address_somebody_uses_is_not_taken() {
    let node = echo_node();
    node.ctx
        .set(StoreKey::Auth, &address::classic(1, 1), b"claimed".to_vec())
        .unwrap();
    assert_eq!(node.instantiate(1, &nothing(), &[]).unwrap_err().code, 3);
}

#[test]
fn instantiate2_is_where_it_was_predicted_and_once_only() {
    let node = echo_node();
    let msg = MsgInstantiateContract2 {
        sender: human(&ALICE),
        code_id: 1,
        label: "two".into(),
        msg: nothing().to_string().into_bytes(),
        salt: b"salt".to_vec(),
        ..Default::default()
    };
    let bytes = node.send(msg::INSTANTIATE2, &msg).unwrap();
    let sum = cosmwasm_std::Checksum::generate(&echo_wasm());
    let want = human(&address::predictable(sum.as_slice(), &ALICE, b"salt", b""));
    assert_eq!(
        MsgInstantiateContract2Response::decode(bytes.as_slice())
            .unwrap()
            .address,
        want
    );
    assert_eq!(node.send(msg::INSTANTIATE2, &msg).unwrap_err().code, 15);
    let no_salt = MsgInstantiateContract2 {
        salt: vec![],
        ..msg
    };
    assert_eq!(
        node.send(msg::INSTANTIATE2, &no_salt).unwrap_err().log,
        "salt: is required: empty"
    );
}

#[test]
fn only_the_admin_migrates_and_changes_the_admin() {
    let node = echo_node();
    node.store(echo_wasm());
    let addr = node.echo(&nothing());
    let migrate = |by: &[u8]| MsgMigrateContract {
        sender: human(by),
        contract: addr.clone(),
        code_id: 2,
        msg: nothing().to_string().into_bytes(),
    };
    let info = || -> ContractInfo {
        let contract = backend_api::Api::new("ember")
            .unwrap()
            .decode(&addr)
            .unwrap();
        state::contract(&node.ctx, &contract).unwrap().unwrap()
    };
    assert_eq!(
        node.send(msg::MIGRATE, &migrate(&BOB)).unwrap_err().log,
        "can not migrate: unauthorized"
    );
    node.ctx.take_events();
    node.send(msg::MIGRATE, &migrate(&ALICE)).unwrap();
    assert_eq!(info().code_id, 2);
    assert_eq!(
        node.ctx.take_events(),
        [Event::new("migrate")
            .attr("code_id", "2")
            .attr("_contract_address", &addr)]
    );
    let to_bob = |by: &[u8]| MsgUpdateAdmin {
        sender: human(by),
        new_admin: human(&BOB),
        contract: addr.clone(),
    };
    node.send(msg::UPDATE_ADMIN, &to_bob(&ALICE)).unwrap();
    assert_eq!(info().admin, human(&BOB));
    let clear = MsgClearAdmin {
        sender: human(&ALICE),
        contract: addr.clone(),
    };
    assert_eq!(node.send(msg::CLEAR_ADMIN, &clear).unwrap_err().code, 4);
    node.send(
        msg::CLEAR_ADMIN,
        &MsgClearAdmin {
            sender: human(&BOB),
            ..clear
        },
    )
    .unwrap();
    assert_eq!(info().admin, "");
    assert_eq!(
        node.send(msg::MIGRATE, &migrate(&BOB)).unwrap_err().code,
        4,
        "nobody is the admin now"
    );
}

#[test]
fn signers_are_the_senders_and_strangers_are_refused() {
    let node = Node::new();
    let msg = MsgClearAdmin {
        sender: human(&BOB),
        contract: String::new(),
    };
    assert_eq!(
        node.module
            .signers(msg::CLEAR_ADMIN, &msg.encode_to_vec())
            .unwrap(),
        [human(&BOB)]
    );
    let e = node
        .module
        .signers("/cosmos.gov.v1.MsgVote", &[])
        .unwrap_err();
    assert_eq!((e.codespace, e.code), ("sdk", 6));
    assert_eq!(
        node.module
            .handle_msg(&node.ctx, "/cosmos.gov.v1.MsgVote", &[])
            .unwrap_err()
            .code,
        6
    );
    assert_eq!(
        node.module.signers(msg::EXECUTE, b"\xff").unwrap_err().code,
        2
    );
}
