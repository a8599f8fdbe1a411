//! Queries from outside and from contracts.

use super::*;
use cosmos_sdk_proto::{
    cosmos::{
        bank::v1beta1::{QueryBalanceRequest, QueryBalanceResponse},
        base::query::v1beta1::PageRequest,
    },
    cosmwasm::wasm::v1::*,
};

fn query<Q: Message, R: Message + Default>(node: &Node, method: &str, q: &Q) -> Result<R> {
    let ctx = node.fork(u64::MAX, Mode::Query);
    let bytes = node.module.query(
        &ctx,
        &format!("/cosmwasm.wasm.v1.Query/{method}"),
        &q.encode_to_vec(),
    )?;
    Ok(R::decode(bytes.as_slice()).unwrap())
}

#[test]
fn contracts_ask_the_bank_and_each_other() {
    let node = echo_node();
    let (a, b) = (node.echo(&nothing()), node.echo(&nothing()));
    chain::set(&node.ctx, &ALICE, "uember", 7).unwrap();
    let alice = human(&ALICE);
    let balance = json!({"bank": {"balance": {"address": alice, "denom": "uember"}}});
    assert_eq!(
        node.smart(&a, &balance).unwrap(),
        json!({"amount": {"denom": "uember", "amount": "7"}})
    );
    let all = json!({"bank": {"all_balances": {"address": alice}}});
    assert_eq!(
        node.smart(&a, &all).unwrap(),
        json!({"amount": [{"denom": "uember", "amount": "7"}]})
    );
    let supply = json!({"bank": {"supply": {"denom": "uember"}}});
    assert_eq!(node.smart(&a, &supply).unwrap()["amount"]["amount"], "1000");
    let info = json!({"wasm": {"contract_info": {"contract_addr": b}}});
    assert_eq!(node.smart(&a, &info).unwrap()["creator"], alice);
    let code = json!({"wasm": {"code_info": {"code_id": 1}}});
    assert_eq!(
        node.smart(&a, &code).unwrap()["checksum"],
        cosmwasm_std::Checksum::generate(&echo_wasm()).to_hex()
    );
    let smart = json!({"wasm": {"smart": {"contract_addr": b, "msg": base64(&balance)}}});
    assert_eq!(node.smart(&a, &smart).unwrap()["amount"]["amount"], "7");
    let raw = json!({"wasm": {"raw": {"contract_addr": b, "key": cosmwasm_std::Binary::from(b"on_reply").to_base64()}}});
    assert_eq!(node.smart(&a, &raw).unwrap(), nothing());
}

#[test]
fn a_contract_asks_encoded_for_what_is_allowed() {
    let node = echo_node();
    let a = node.echo(&nothing());
    chain::set(&node.ctx, &ALICE, "uember", 7).unwrap();
    let q = QueryBalanceRequest {
        address: human(&ALICE),
        denom: "uember".into(),
    }
    .encode_to_vec();
    let data = cosmwasm_std::Binary::from(q).to_base64();
    let ask = |path: &str| {
        let msg = json!({"grpc": {"path": path, "data": data}});
        let q = QuerySmartContractStateRequest {
            address: a.clone(),
            query_data: msg.to_string().into_bytes(),
        };
        query::<_, QuerySmartContractStateResponse>(&node, "SmartContractState", &q)
    };
    let ok = ask("/cosmos.bank.v1beta1.Query/Balance").unwrap().data;
    assert_eq!(
        QueryBalanceResponse::decode(ok.as_slice()).unwrap().balance,
        Some(coin(7, "uember"))
    );
    // The echo contract cannot show a system error: its answer is no answer then.
    assert_eq!(
        ask("/cosmos.bank.v1beta1.Query/Params").unwrap_err().code,
        29
    );
}

#[test]
fn queries_have_a_last_level_and_errors_keep_their_words_only_directly() {
    let node = echo_node();
    let a = node.echo(&nothing());
    let balance = json!({"bank": {"supply": {"denom": "uember"}}});
    let nested = |levels: usize| {
        (0..levels).fold(
            balance.clone(),
            |q, _| json!({"wasm": {"smart": {"contract_addr": a, "msg": base64(&q)}}}),
        )
    };
    // The one from outside is the first of ten.
    node.smart(&a, &nested(9)).unwrap();
    let e = node.smart(&a, &nested(10)).unwrap_err();
    assert_eq!((e.codespace, e.code), ("wasm", 9));
    assert!(e.log.ends_with("query wasm contract failed"), "{}", e.log);
    assert!(e.log.starts_with("codespace: wasm, code: 27"), "{}", e.log);
}

#[test]
fn a_query_has_a_gas_limit_and_leaves_the_meter_as_it_was() {
    let node = echo_node();
    let a = node.echo(&nothing());
    let ctx = node.fork(61_000, Mode::Query);
    let msg = json!({"bank": {"supply": {"denom": "uember"}}})
        .to_string()
        .into_bytes();
    let q = QuerySmartContractStateRequest {
        address: a,
        query_data: msg,
    };
    let e = node
        .module
        .query(&ctx, "SmartContractState", &q.encode_to_vec())
        .unwrap_err();
    assert_eq!((e.codespace, e.code), ("sdk", 11));
    assert_eq!(ctx.gas().limit(), 61_000);
}

#[test]
fn absent_things_are_named() {
    let node = echo_node();
    let addr = human(&[9; 32]);
    let info = QueryContractInfoRequest {
        address: addr.clone(),
    };
    let e = query::<_, QueryContractInfoResponse>(&node, "ContractInfo", &info).unwrap_err();
    assert_eq!(
        (e.codespace, e.code, e.log),
        ("wasm", 22, format!("address {addr}: no such contract"))
    );
    let q = QuerySmartContractStateRequest {
        address: addr,
        query_data: b"{}".to_vec(),
    };
    assert!(
        query::<_, QuerySmartContractStateResponse>(&node, "SmartContractState", &q)
            .unwrap_err()
            .log
            .contains("no such contract")
    );
    let e =
        query::<_, QueryCodeResponse>(&node, "Code", &QueryCodeRequest { code_id: 9 }).unwrap_err();
    assert_eq!((e.code, e.log.as_str()), (28, "code id 9: no such code"));
    assert_eq!(
        query::<_, QueryCodeResponse>(&node, "Nothing", &QueryCodeRequest { code_id: 9 })
            .unwrap_err()
            .code,
        6
    );
    let q = QueryContractInfoRequest {
        address: "cosmos1xyz".into(),
    };
    assert_eq!(
        query::<_, QueryContractInfoResponse>(&node, "ContractInfo", &q)
            .unwrap_err()
            .code,
        7
    );
}

#[test]
fn pages_join_to_the_whole_both_ways_and_always_say_where_they_end() {
    let node = echo_node();
    let all: Vec<String> = (0..7).map(|_| node.echo(&nothing())).collect();
    let pages = |limit: u64, reverse: bool| {
        let (mut key, mut out) = (Vec::new(), Vec::new());
        loop {
            let pagination = Some(PageRequest {
                key,
                limit,
                reverse,
                ..Default::default()
            });
            let q = QueryContractsByCodeRequest {
                code_id: 1,
                pagination,
            };
            let r: QueryContractsByCodeResponse = query(&node, "ContractsByCode", &q).unwrap();
            assert!(r.contracts.len() as u64 <= limit);
            out.extend(r.contracts);
            key = r
                .pagination
                .expect("clients loop for ever without")
                .next_key;
            if key.is_empty() {
                return out;
            }
        }
    };
    let whole = pages(100, false);
    let mut sorted = whole.clone();
    sorted.sort();
    let mut want = all.clone();
    want.sort();
    assert_eq!(sorted, want);
    for limit in 1..9 {
        assert_eq!(pages(limit, false), whole, "{limit}");
        assert_eq!(
            pages(limit, true),
            whole.iter().rev().cloned().collect::<Vec<_>>(),
            "{limit}"
        );
    }
    let q = QueryContractsByCreatorRequest {
        creator_address: human(&ALICE),
        pagination: None,
    };
    let r: QueryContractsByCreatorResponse = query(&node, "ContractsByCreator", &q).unwrap();
    assert_eq!(r.contract_addresses.len(), 7);
    let q = QueryContractsByCodeRequest {
        code_id: 1,
        pagination: Some(PageRequest {
            offset: 1,
            ..Default::default()
        }),
    };
    assert!(query::<_, QueryContractsByCodeResponse>(&node, "ContractsByCode", &q).is_err());
}

#[test]
fn the_rest_of_the_service_answers() {
    let node = echo_node();
    let a = node.echo(&nothing());
    let codes: QueryCodesResponse =
        query(&node, "Codes", &QueryCodesRequest { pagination: None }).unwrap();
    assert_eq!(
        (codes.code_infos.len(), codes.code_infos[0].code_id),
        (1, 1)
    );
    assert!(codes.pagination.is_some());
    let code: QueryCodeResponse = query(&node, "Code", &QueryCodeRequest { code_id: 1 }).unwrap();
    assert_eq!(code.data, echo_wasm());
    let info: super::super::query::QueryCodeInfoResponse = query(
        &node,
        "CodeInfo",
        &super::super::query::QueryCodeInfoRequest { code_id: 1 },
    )
    .unwrap();
    assert_eq!(info.checksum, code.code_info.unwrap().data_hash);
    let q = QueryContractHistoryRequest {
        address: a.clone(),
        pagination: None,
    };
    let h: QueryContractHistoryResponse = query(&node, "ContractHistory", &q).unwrap();
    assert_eq!(h.entries[0].msg, nothing().to_string().into_bytes());
    let q = QueryAllContractStateRequest {
        address: a.clone(),
        pagination: None,
    };
    let s: QueryAllContractStateResponse = query(&node, "AllContractState", &q).unwrap();
    assert_eq!(s.models[0].key, b"on_reply");
    let q = QueryRawContractStateRequest {
        address: a.clone(),
        query_data: b"on_reply".to_vec(),
    };
    let r: QueryRawContractStateResponse = query(&node, "RawContractState", &q).unwrap();
    assert_eq!(r.data, s.models[0].value);
    let info: QueryContractInfoResponse = query(
        &node,
        "ContractInfo",
        &QueryContractInfoRequest { address: a.clone() },
    )
    .unwrap();
    assert_eq!(info.contract_info.unwrap().created.unwrap().block_height, 7);
    let p: QueryPinnedCodesResponse = query(
        &node,
        "PinnedCodes",
        &QueryPinnedCodesRequest { pagination: None },
    )
    .unwrap();
    assert!(
        p.code_ids.is_empty(),
        "what a node keeps in memory is not pinned on chain"
    );
    let p: QueryParamsResponse = query(&node, "Params", &QueryParamsRequest {}).unwrap();
    assert_eq!(
        p.params.unwrap().instantiate_default_permission,
        AccessType::Everybody as i32
    );
}
