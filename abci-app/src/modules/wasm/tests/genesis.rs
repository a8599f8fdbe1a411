//! Genesis, with the project's own contracts where they are built.

use super::*;

fn everybody() -> Value {
    json!({"code_upload_access": {"permission": "Everybody", "addresses": []},
        "instantiate_default_permission": "Everybody"})
}

fn gen_store(wasm: &[u8]) -> Value {
    let code = cosmwasm_std::Binary::from(wasm).to_base64();
    json!({"store_code": {"sender": human(&ALICE), "wasm_byte_code": code, "instantiate_permission": null}})
}

fn gen_instantiate(code_id: u64, msg: &Value) -> Value {
    json!({"instantiate_contract": {"sender": human(&ALICE), "admin": "", "code_id": code_id.to_string(),
        "label": "genesis", "msg": msg, "funds": []}})
}

fn wasm_state(ctx: &Ctx) -> Vec<(Vec<u8>, Vec<u8>)> {
    ctx.with_layers(|l| l.scan(StoreKey::Wasm, &[], None))
}

/// Export, import elsewhere: the same state and the same export.
fn same_elsewhere(node: &Node) {
    let export = node.module.export_genesis(&node.ctx).unwrap();
    let other = Node::new();
    other.module.init_genesis(&other.ctx, &export).unwrap();
    assert_eq!(wasm_state(&other.ctx), wasm_state(&node.ctx));
    assert_eq!(other.module.export_genesis(&other.ctx).unwrap(), export);
}

#[test]
fn genesis_messages_run_in_order_without_a_gas_limit() {
    let node = Node::new();
    node.ctx.swap_gas(GasMeter::new(1));
    let echo = human(&address::classic(1, 1));
    let genesis = json!({"params": everybody(), "codes": [], "contracts": [], "sequences": [], "gen_msgs": [
        gen_store(&echo_wasm()),
        gen_instantiate(1, &nothing()),
        {"execute_contract": {"sender": human(&ALICE), "contract": echo, "msg": nothing(), "funds": []}},
    ]});
    node.module.init_genesis(&node.ctx, &genesis).unwrap();
    assert_eq!((node.ctx.gas().limit(), node.ctx.gas().used()), (1, 0));
    assert!(node.raw(&echo, "last").is_some());
    same_elsewhere(&node);
}

#[test]
fn export_then_import_is_the_same_state() {
    let node = echo_node();
    node.module.vm.store(&echo_wasm(), true).unwrap();
    state::set_pinned(&node.ctx, 1).unwrap();
    state::set_params(&node.ctx, &state::params(&node.ctx).unwrap()).unwrap();
    node.store(echo_wasm());
    let addr = node.echo(&json!({"ok": {"z": 1, "a": [2]}}));
    node.echo(&nothing());
    node.execute(&addr, &nothing()).unwrap();
    let migrate = cosmos_sdk_proto::cosmwasm::wasm::v1::MsgMigrateContract {
        sender: human(&ALICE),
        contract: addr,
        code_id: 2,
        // Not canonical JSON: the bytes are kept all the same.
        msg: br#"{"ok":  {"messages":[],"attributes":[],"events":[]}}"#.to_vec(),
    };
    node.send(msg::MIGRATE, &migrate).unwrap();
    same_elsewhere(&node);
    // A chain that starts from the export goes on with the next numbers.
    let other = Node::new();
    other
        .module
        .init_genesis(&other.ctx, &node.module.export_genesis(&node.ctx).unwrap())
        .unwrap();
    assert_eq!(other.store(echo_wasm()), 3);
    assert_eq!(other.echo(&nothing()), human(&address::classic(1, 3)));
}

#[test]
fn a_bad_genesis_is_refused_with_its_place() {
    let good = {
        let node = echo_node();
        node.echo(&nothing());
        node.module.export_genesis(&node.ctx).unwrap()
    };
    let refused = |edit: &dyn Fn(&mut Value)| {
        let mut g = good.clone();
        edit(&mut g);
        let node = Node::new();
        node.module.init_genesis(&node.ctx, &g).unwrap_err()
    };
    let e = refused(&|g| g["codes"][0]["code_info"]["code_hash"] = json!("AAAA"));
    assert!(e.log.contains("code 0: code hashes not same"), "{}", e.log);
    assert_eq!(refused(&|g| g["sequences"] = json!([])).code, 7);
    assert_eq!(
        refused(&|g| g["contracts"][0]["contract_code_history"] = json!([])).code,
        12
    );
    assert_eq!(
        refused(&|g| g["contracts"][0]["contract_info"]["code_id"] = json!("5")).code,
        28
    );
    assert_eq!(
        refused(&|g| g["codes"][0]["code_bytes"] = json!("not base64")).code,
        7
    );
    assert_eq!(
        refused(&|g| g["params"]["code_upload_access"]["permission"] = json!("Nobdy")).code,
        7
    );
    assert!(
        refused(&|g| g["gen_msgs"] = json!([gen_instantiate(7, &json!({}))]))
            .log
            .starts_with("gen_msgs 0: ")
    );
}

#[test]
fn the_registry_and_the_market_run() {
    let (Some(registry), Some(market)) = (contract_wasm("registry"), contract_wasm("market"))
    else {
        return;
    };
    let node = Node::new();
    chain::set(&node.ctx, &ALICE, "uember", 1_000_000_000).unwrap();
    let authority = human(&BOB);
    let (r, m) = (
        human(&address::classic(1, 1)),
        human(&address::classic(2, 2)),
    );
    let genesis = json!({"params": everybody(), "gen_msgs": [
        gen_store(&registry),
        gen_store(&market),
        gen_instantiate(1, &json!({"authority": authority, "bond_denom": "uember", "unbonding_secs": 60, "min_bond": "1000000"})),
        gen_instantiate(2, &json!({"authority": authority, "registry": r, "fee_collector": human(&[8; 20]),
            "fees": [{"denom": "uember", "take_bps": 400, "reservation_bps": 0, "min_deposit": "1", "bid_deposit": "1"}],
            "grace_secs": 60, "max_bids_per_order": 32})),
    ]});
    node.module.init_genesis(&node.ctx, &genesis).unwrap();
    node.execute_with(
        &r,
        &json!({"register_provider": {"host_uri": "https://localhost:8443", "devices": [], "attributes": []}}),
        &[coin(5_000_000, "uember")],
    )
    .unwrap();
    let p = node
        .smart(&r, &json!({"provider": {"address": human(&ALICE)}}))
        .unwrap();
    assert!(p.to_string().contains("https://localhost:8443"), "{p}");
    for contract in [&r, &m] {
        let addr = backend_api::Api::new("ember")
            .unwrap()
            .decode(contract)
            .unwrap();
        node.module
            .sudo(&node.ctx, &addr, br#"{"end_block":{}}"#)
            .unwrap();
    }
    let e = node.smart(&m, &json!({"no_such_query": {}})).unwrap_err();
    assert!(
        e.log.contains("unknown variant `no_such_query`"),
        "{}",
        e.log
    );
    same_elsewhere(&node);
}
