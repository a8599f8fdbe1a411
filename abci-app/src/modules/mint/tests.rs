//! A chain with inflation, block by block.

use super::{genesis, keeper, msg, query};
use crate::{
    codec::address,
    ctx::{BlockInfo, Ctx, Mode},
    gas::GasMeter,
    modules::{auth, bank},
    store::{Layers, StoreKey, kv::MemBase},
};
use cosmos_sdk_proto::cosmos::{
    mint::v1beta1::{MsgUpdateParams, QueryInflationResponse},
    staking::v1beta1::Params as StakingParams,
};
use prost::Message;
use serde_json::{Value, json};
use std::sync::Arc;

fn ctx(mint: Value) -> Ctx {
    let block = BlockInfo {
        height: 1,
        time_ns: 0,
        chain_id: "c".into(),
    };
    let ctx = Ctx::new(
        Layers::new(Arc::new(MemBase::default())),
        GasMeter::new(u64::MAX),
        block,
        Mode::Deliver,
    );
    let holder = |addr: &[u8], amount: &str| json!({ "address": address::encode("test", addr).unwrap(), "coins": [{ "denom": "uember", "amount": amount }] });
    let state = json!({
        "auth": { "accounts": [] },
        "bank": { "balances": [holder(&[7; 20], "60000000000"), holder(&address::module("bonded_tokens_pool"), "40000000000")] },
        "mint": mint,
    });
    auth::genesis::import(&ctx, &state).unwrap();
    bank::genesis::import(&ctx, &state).unwrap();
    let params = StakingParams {
        bond_denom: "uember".into(),
        ..StakingParams::default()
    };
    ctx.with_layers(|l| l.set(StoreKey::Staking, &[0x51], params.encode_to_vec()));
    genesis::import(&ctx, &state).unwrap();
    ctx
}

fn mint() -> Value {
    json!({
        "minter": { "inflation": "0.130000000000000000", "annual_provisions": "0.000000000000000000" },
        "params": {
            "mint_denom": "uember", "inflation_rate_change": "0.130000000000000000",
            "inflation_max": "0.200000000000000000", "inflation_min": "0.070000000000000000",
            "goal_bonded": "0.670000000000000000", "blocks_per_year": "1000"
        }
    })
}

fn collected(ctx: &Ctx) -> u128 {
    bank::keeper::balance(ctx, &address::module("fee_collector"), "uember").unwrap()
}

#[test]
fn a_block_makes_coins_for_the_fee_collector_and_says_so() {
    let ctx = ctx(mint());
    assert_eq!(genesis::export(&ctx).unwrap(), mint());
    ctx.take_events();
    keeper::begin_block(&ctx).unwrap();
    // 0.4 of 10^11 is bonded: inflation = 0.13 + (1 - 0.4/0.67) * 0.13 / 1000, each step rounded to 18 places.
    assert_eq!(collected(&ctx), 13_005_238);
    assert_eq!(
        bank::keeper::supply_of(&ctx, "uember").unwrap(),
        100_013_005_238
    );
    let events = ctx.take_events();
    let kinds: Vec<_> = events.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "coin_received",
            "coinbase",
            "coin_spent",
            "coin_received",
            "transfer",
            "message",
            "mint"
        ]
    );
    let text = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    assert_eq!(
        events[6].attributes,
        [
            text("bonded_ratio", "0.400000000000000000"),
            text("inflation", "0.130052388059701493"),
            text("annual_provisions", "13005238805.970149300000000000"),
            text("amount", "13005238"),
        ]
    );
    let answer = query::query(&ctx, "/cosmos.mint.v1beta1.Query/Inflation")
        .unwrap()
        .unwrap();
    let answer = QueryInflationResponse::decode(answer.as_slice()).unwrap();
    assert_eq!(answer.inflation, b"130052388059701493");
    keeper::begin_block(&ctx).unwrap();
    assert!(
        collected(&ctx) > 2 * 13_005_238,
        "inflation and supply grew"
    );
}

#[test]
fn a_genesis_without_mint_makes_nothing() {
    let ctx = ctx(Value::Null);
    ctx.take_events();
    keeper::begin_block(&ctx).unwrap();
    assert_eq!((collected(&ctx), ctx.take_events()), (0, vec![]));
    assert_eq!(genesis::export(&ctx).unwrap(), Value::Null);
    let answer = query::query(&ctx, "/cosmos.mint.v1beta1.Query/Params").unwrap();
    assert_eq!(answer.unwrap_err().code, 22);
}

#[test]
fn only_the_gov_module_changes_parameters() {
    let ctx = ctx(mint());
    let mut params = keeper::params(&ctx).unwrap().unwrap();
    params.blocks_per_year = 7;
    let update = |authority: &str, params: super::params::Params| {
        let m = MsgUpdateParams {
            authority: authority.into(),
            params: Some(params.to_proto()),
        };
        msg::handle(&ctx, msg::UPDATE_PARAMS, &m.encode_to_vec()).unwrap()
    };
    let gov = address::encode("test", &address::module("gov")).unwrap();
    let stranger = address::encode("test", &[7; 20]).unwrap();
    let e = update(&stranger, params.clone()).unwrap_err();
    assert_eq!((e.codespace, e.code), ("gov", 13));
    assert_eq!(
        e.log,
        format!(
            "invalid authority; expected {gov}, got {stranger}: expected gov account as only signer for proposal message"
        )
    );
    let e = update(
        &gov,
        super::params::Params {
            blocks_per_year: 0,
            ..params.clone()
        },
    )
    .unwrap_err();
    assert_eq!(e.log, "blocks per year must be positive: 0");
    update(&gov, params.clone()).unwrap();
    assert_eq!(keeper::params(&ctx).unwrap().unwrap(), params);
}

#[test]
fn a_genesis_that_makes_no_sense_is_refused() {
    for (at, value) in [
        ("/params/goal_bonded", json!("0.0")),
        ("/params/mint_denom", json!("")),
        ("/params/blocks_per_year", json!("x")),
        ("/minter/inflation", json!("-0.1")),
        ("/minter", json!({})),
    ] {
        let mut state = json!({ "mint": mint() });
        *state["mint"].pointer_mut(at).unwrap() = value;
        let e = genesis::import(&ctx(Value::Null), &state).unwrap_err();
        assert!(
            e.log.starts_with("genesis: app_state.mint: "),
            "{at}: {}",
            e.log
        );
    }
}
