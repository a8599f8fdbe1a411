//! Staking, slashing and evidence through the application: amounts by hand, as the SDK has them.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;
mod stake_support;

use app_support::*;
use base64::{Engine, prelude::BASE64_STANDARD};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        crypto::ed25519::PubKey,
        evidence::v1beta1::{QueryAllEvidenceRequest, QueryAllEvidenceResponse},
        slashing::v1beta1::{MsgUnjail, QuerySigningInfosRequest, QuerySigningInfosResponse},
        staking::v1beta1::{self as staking, BondStatus},
        tx::v1beta1::{AuthInfo, Tx},
    },
};
use ember_abci_app::{
    app::App,
    codec::{address, json},
};
use prost::Message;
use serde_json::{Value, json};
use stake_support::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tendermint_abci::Application;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{
        abci::{ExecTxResult, RequestInitChain, ValidatorUpdate},
        crypto::{PublicKey, public_key::Sum},
    },
};

fn validator(c: &StakeChain, v: usize) -> staking::Validator {
    let validator_addr = c.valoper(v);
    let req = staking::QueryValidatorRequest { validator_addr };
    let answer: staking::QueryValidatorResponse =
        query(&c.app, "/cosmos.staking.v1beta1.Query/Validator", &req).unwrap();
    answer.validator.unwrap()
}

fn event<'a>(r: &'a ExecTxResult, kind: &str, key: &str) -> &'a str {
    let found = r.events.iter().filter(|e| e.r#type == kind);
    let mut found = found.flat_map(|e| &e.attributes).filter(|a| a.key == key);
    &found.next().unwrap().value
}

fn unjail(c: &StakeChain, v: usize) -> Vec<u8> {
    let validator_addr = c.valoper(v);
    c.tx(v, 25_000, &MsgUnjail { validator_addr })
}

#[test]
fn what_is_delegated_comes_back_after_the_unbonding_time() {
    let mut c = StakeChain::new(|_| {}).unwrap();
    c.block(&[]);
    let start = c.balance_of(2, "uember");
    let r = c.block(&[c.delegate(2, 0, 3_000_000)]).remove(0);
    assert_eq!(r.code, 0, "{}", r.log);
    assert_eq!(
        event(&r, "delegate", "new_shares"),
        "3000000.000000000000000000"
    );
    assert_eq!(event(&r, "delegate", "amount"), "3000000uember");
    assert_eq!(c.power(0).0, 13);
    assert_eq!(c.balance_of(2, "uember"), start - 3_000_000);
    let r = c.block(&[c.undelegate(2, 0, 1_000_000)]).remove(0);
    assert_eq!(r.code, 0, "{}", r.log);
    // Block 3 is at second 1003, and the time is ten seconds.
    assert_eq!(
        event(&r, "unbond", "completion_time"),
        "1970-01-01T00:16:53Z"
    );
    assert_eq!(c.power(0).0, 12);
    for _ in 0..9 {
        c.block(&[]);
        assert_eq!(c.balance_of(2, "uember"), start - 3_000_000);
    }
    c.block(&[]);
    assert_eq!(c.balance_of(2, "uember"), start - 2_000_000);
    let r = c.block(&[c.undelegate(2, 0, 2_000_001)]).remove(0);
    assert_eq!((r.codespace.as_str(), r.code), ("sdk", 18), "{}", r.log);
    let r = c.block(&[c.undelegate(3, 0, 1)]).remove(0);
    assert_eq!((r.codespace.as_str(), r.code), ("staking", 19), "{}", r.log);
}

#[test]
fn an_unbonding_can_be_cancelled_and_a_redelegation_not_go_on() {
    let mut c = StakeChain::new(|_| {}).unwrap();
    c.ok(&[c.delegate(2, 0, 3_000_000)]);
    c.ok(&[c.undelegate(2, 0, 1_000_000)]);
    let cancel = |c: &StakeChain, amount, creation_height| {
        let m = staking::MsgCancelUnbondingDelegation {
            delegator_address: c.wallets[2].address.clone(),
            validator_address: c.valoper(0),
            amount: coins(&[("uember", amount)]).pop(),
            creation_height,
        };
        c.tx(2, 25_000, &m)
    };
    for (amount, height, code) in [(400_000, 1, 38), (1_000_001, 2, 18)] {
        let r = c.block(&[cancel(&c, amount, height)]).remove(0);
        assert_eq!((r.codespace.as_str(), r.code), ("sdk", code), "{}", r.log);
    }
    c.ok(&[cancel(&c, 400_000, 2)]);
    assert_eq!(validator(&c, 0).tokens, "12400000");
    c.ok(&[c.redelegate(2, 0, 1, 2_400_000)]);
    assert_eq!((c.power(0).0, c.power(1).0), (10, 12));
    let r = c.block(&[c.redelegate(2, 1, 0, 1)]).remove(0);
    assert_eq!((r.codespace.as_str(), r.code), ("staking", 32), "{}", r.log);
    c.wait(20);
    c.block(&[]);
    c.ok(&[c.redelegate(2, 1, 0, 1)]);
}

#[test]
fn who_does_not_sign_is_slashed_and_jailed_until_it_comes_back() {
    let mut c = StakeChain::new(|state| {
        state["slashing"]["params"]["signed_blocks_window"] = "10".into();
    })
    .unwrap();
    c.block(&[]);
    c.absent = Some(1);
    for _ in 2..=12 {
        c.block(&[]);
        assert_eq!(
            validator(&c, 1).tokens,
            "10000000",
            "the window is not over"
        );
    }
    // It votes since block 2. Block 13: ten of ten are missed, at most five may be. 1% of a power of 10.
    c.block(&[]);
    let v = validator(&c, 1);
    assert_eq!((v.tokens.as_str(), v.jailed), ("9900000", true));
    assert_eq!(v.status, BondStatus::Unbonding as i32);
    assert_eq!(c.power(0), (10, 10), "the other is alone");
    let r = c.block(&[unjail(&c, 1)]).remove(0);
    assert_eq!((r.codespace.as_str(), r.code), ("slashing", 4), "{}", r.log);
    c.wait(600);
    c.absent = None;
    c.block(&[]);
    assert_eq!(
        validator(&c, 1).status,
        BondStatus::Unbonded as i32,
        "ten seconds are over"
    );
    c.ok(&[unjail(&c, 1)]);
    assert_eq!(
        (c.power(1).0, validator(&c, 1).status),
        (9, BondStatus::Bonded as i32)
    );
    let r = c.block(&[unjail(&c, 1)]).remove(0);
    assert_eq!((r.codespace.as_str(), r.code), ("slashing", 5), "{}", r.log);
    let infos: QuerySigningInfosResponse = query(
        &c.app,
        "/cosmos.slashing.v1beta1.Query/SigningInfos",
        &QuerySigningInfosRequest::default(),
    )
    .unwrap();
    assert_eq!(infos.info.len(), 2);
    assert!(infos.info.iter().all(|i| i.missed_blocks_counter == 0));
    assert_eq!(infos.info.iter().map(|i| i.start_height).max(), Some(16));
}

#[test]
fn who_signs_twice_loses_of_what_unbonds_too_and_never_comes_back() {
    let mut c = StakeChain::new(|_| {}).unwrap();
    c.ok(&[c.delegate(2, 0, 2_000_000)]);
    c.ok(&[c.undelegate(2, 0, 1_000_000)]);
    let before = c.balance_of(2, "uember");
    // At height 2, with a power of 11: 5% of it are 550,000, of which what unbonds since bears 50,000.
    c.misbehave(0);
    let v = validator(&c, 0);
    assert_eq!((v.tokens.as_str(), v.jailed), ("10500000", true));
    assert_eq!(c.power(1), (10, 10));
    c.misbehave(0);
    assert_eq!(validator(&c, 0).tokens, "10500000", "it is punished once");
    c.wait(10);
    c.block(&[]);
    assert_eq!(c.balance_of(2, "uember") - before, 950_000);
    c.wait(100_000_000);
    let r = c.block(&[unjail(&c, 0)]).remove(0);
    assert_eq!((r.codespace.as_str(), r.code), ("slashing", 4), "{}", r.log);
    let all: QueryAllEvidenceResponse = query(
        &c.app,
        "/cosmos.evidence.v1beta1.Query/AllEvidence",
        &QueryAllEvidenceRequest::default(),
    )
    .unwrap();
    assert_eq!(all.evidence.len(), 1);
    // What was exported begins a chain with the same records, and with nothing jailed forgotten.
    let out = c.app.export().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let again = open(dir.path());
    let set = init(&again, &out).validators;
    assert_eq!(set.iter().map(|u| u.power).collect::<Vec<_>>(), [10]);
    let other = again.export().unwrap();
    for name in ["staking", "slashing", "evidence"] {
        assert_eq!(other[name], out[name], "{name}");
    }
}

fn create(w: &Wallet, seed: u8, amount: u128) -> staking::MsgCreateValidator {
    let key = ed25519_consensus::SigningKey::from([seed; 32]).verification_key();
    let bytes = address::decode("test", &w.address).unwrap();
    #[allow(deprecated, reason = "a field that is empty now")]
    staking::MsgCreateValidator {
        description: Some(staking::Description {
            moniker: "new".into(),
            ..staking::Description::default()
        }),
        commission: Some(staking::CommissionRates {
            rate: "100000000000000000".into(),
            max_rate: "200000000000000000".into(),
            max_change_rate: "10000000000000000".into(),
        }),
        min_self_delegation: "1".into(),
        delegator_address: String::new(),
        validator_address: address::encode("testvaloper", &bytes).unwrap(),
        pubkey: Some(Any {
            type_url: "/cosmos.crypto.ed25519.PubKey".into(),
            value: PubKey {
                key: key.to_bytes().to_vec(),
            }
            .encode_to_vec(),
        }),
        value: coins(&[("uember", amount)]).pop(),
    }
}

#[test]
fn a_validator_is_made_and_edited_by_messages() {
    let mut c = StakeChain::new(|_| {}).unwrap();
    c.block(&[]);
    for (msg, code) in [
        (create(&c.wallets[0], 9, 5_000_000), 4),
        (create(&c.wallets[5], 1, 5_000_000), 5),
    ] {
        let who = if code == 4 { 0 } else { 5 };
        let r = c.block(&[c.tx(who, 25_000, &msg)]).remove(0);
        assert_eq!(
            (r.codespace.as_str(), r.code),
            ("staking", code),
            "{}",
            r.log
        );
    }
    // As much as the others is not enough where two are the most: the smaller address stays.
    let r = c
        .block(&[c.tx(5, 25_000, &create(&c.wallets[5], 9, 5_000_000))])
        .remove(0);
    assert_eq!(r.code, 0, "{}", r.log);
    assert_eq!(event(&r, "create_validator", "amount"), "5000000uember");
    assert_eq!(c.power(0), (10, 25));
    assert_eq!(validator(&c, 5).status, BondStatus::Bonded as i32);
    let edit = |rate: &str| staking::MsgEditValidator {
        description: Some(staking::Description {
            moniker: "[do-not-modify]".into(),
            details: "now with details".into(),
            ..staking::Description::default()
        }),
        validator_address: c.valoper(5),
        commission_rate: rate.into(),
        min_self_delegation: String::new(),
    };
    let (soon, none) = (edit("110000000000000000"), edit(""));
    let r = c.block(&[c.tx(5, 25_000, &soon)]).remove(0);
    assert_eq!((r.codespace.as_str(), r.code), ("staking", 12), "{}", r.log);
    c.ok(&[c.tx(5, 25_000, &none)]);
    let described = validator(&c, 5).description.unwrap();
    assert_eq!(
        (described.moniker.as_str(), described.details.as_str()),
        ("new", "now with details")
    );
    c.wait(86_400);
    let r = c.block(&[c.tx(5, 25_000, &soon)]).remove(0);
    assert_eq!(r.code, 0, "{}", r.log);
    assert!(
        event(&r, "edit_validator", "commission_rate")
            .starts_with("commission_rates:<rate:\"110000000000000000\" max_rate:\"200000000000000000\" max_change_rate:\"10000000000000000\" > update_time:<seconds:"),
    );
    // Everything that the operator delegated leaves: it is jailed, and gone when it has unbonded.
    c.ok(&[c.undelegate(5, 5, 5_000_000)]);
    assert!(validator(&c, 5).jailed);
    assert_eq!(c.power(0), (10, 20));
    c.wait(10);
    c.block(&[]);
    let req = staking::QueryValidatorRequest {
        validator_addr: c.valoper(5),
    };
    let gone: Result<staking::QueryValidatorResponse, _> =
        query(&c.app, "/cosmos.staking.v1beta1.Query/Validator", &req);
    assert!(gone.unwrap_err().1.contains("not found"));
}

#[test]
fn the_greatest_are_the_set() {
    let mut c =
        StakeChain::new(|state| state["staking"]["params"]["max_validators"] = 2.into()).unwrap();
    c.block(&[]);
    c.ok(&[c.tx(5, 25_000, &create(&c.wallets[5], 9, 9_000_000))]);
    assert_eq!(validator(&c, 5).status, BondStatus::Unbonded as i32);
    assert_eq!(c.power(0), (10, 20));
    c.ok(&[c.delegate(2, 5, 3_000_000)]);
    assert_eq!(validator(&c, 5).status, BondStatus::Bonded as i32);
    let left = (0..2).filter(|v| validator(&c, *v).status == BondStatus::Unbonding as i32);
    assert_eq!(left.count(), 1, "one of the others has left");
}

/// A transaction in the SDK's JSON, as `gentx` writes it.
fn gen_tx(w: &Wallet, chain: &str, msg: &staking::MsgCreateValidator) -> Value {
    let build = Build {
        chain,
        fee: 0,
        gas: 1_000_000,
        ..Build::new(w, "", 0)
    };
    let raw = build.of(vec![Any {
        type_url: "/cosmos.staking.v1beta1.MsgCreateValidator".into(),
        value: msg.encode_to_vec(),
    }]);
    let body = cosmos_sdk_proto::cosmos::tx::v1beta1::TxBody::decode(raw.body_bytes.as_slice());
    let tx = Tx {
        body: Some(body.unwrap()),
        auth_info: Some(AuthInfo::decode(raw.auth_info_bytes.as_slice()).unwrap()),
        signatures: raw.signatures,
    };
    json::print("cosmos.tx.v1beta1.Tx", &tx.encode_to_vec()).unwrap()
}

fn genesis_with(wallets: &[&Wallet], txs: Vec<Value>) -> Value {
    let mut state = app_state(wallets);
    for b in state["bank"]["balances"].as_array_mut().unwrap() {
        b["coins"] = json!([{ "denom": "uember", "amount": "50000000" }]);
    }
    state["staking"] = json!({ "params": { "unbonding_time": "1814400s", "max_validators": 100, "max_entries": 7,
        "historical_entries": 10000, "bond_denom": "uember", "min_commission_rate": "0.000000000000000000" } });
    state["genutil"] = json!({ "gen_txs": txs });
    state
}

fn begin(
    app: &App,
    state: &Value,
    validators: Vec<ValidatorUpdate>,
) -> Result<Vec<ValidatorUpdate>, String> {
    let req = RequestInitChain {
        chain_id: CHAIN.into(),
        app_state_bytes: serde_json::to_vec(state).unwrap().into(),
        initial_height: 1,
        time: Some(Timestamp {
            seconds: 1_000,
            nanos: 0,
        }),
        validators,
        ..RequestInitChain::default()
    };
    catch_unwind(AssertUnwindSafe(|| app.init_chain(req).validators))
        .map_err(|e| e.downcast_ref::<String>().cloned().unwrap_or_default())
}

#[test]
fn transactions_of_a_genesis_make_its_validators() {
    let (a, b) = (Wallet::new(1), Wallet::new(2));
    let (one, two) = (create(&a, 11, 7_000_000), create(&b, 12, 5_500_000));
    let good = genesis_with(
        &[&a, &b],
        vec![gen_tx(&a, CHAIN, &one), gen_tx(&b, CHAIN, &two)],
    );
    App::validate_genesis(&good).unwrap();
    let update = |seed: u8, power| ValidatorUpdate {
        pub_key: Some(PublicKey {
            sum: Some(Sum::Ed25519(
                ed25519_consensus::SigningKey::from([seed; 32])
                    .verification_key()
                    .to_bytes()
                    .to_vec(),
            )),
        }),
        power,
    };
    let set = vec![update(11, 7), update(12, 5)];
    let dir = tempfile::tempdir().unwrap();
    let app = open(dir.path());
    assert_eq!(begin(&app, &good, Vec::new()).unwrap(), set);
    let reversed = set.iter().rev().cloned().collect();
    assert_eq!(
        begin(&app, &good, reversed).unwrap(),
        set,
        "the document may say the same"
    );
    block(&app, 1, &[]);
    assert_eq!(held(&app, &a.address), 43_000_000);
    assert_eq!(account(&app, &a.address).unwrap().sequence, 1);
    let out = app.export().unwrap();
    assert_eq!(out["genutil"], json!({ "gen_txs": [] }));
    assert_eq!(out["staking"]["last_total_power"], "12");

    let refused = |state: &Value, validators| {
        let dir = tempfile::tempdir().unwrap();
        begin(&open(dir.path()), state, validators).unwrap_err()
    };
    let other = refused(&good, vec![update(11, 7), update(12, 6)]);
    assert!(other.contains("genesis: validators: expected"), "{other}");
    let other = genesis_with(&[&a], vec![gen_tx(&a, "another-1", &one)]);
    let e = refused(&other, Vec::new());
    assert!(
        e.contains("gen_txs[0]: signature verification failed"),
        "{e}"
    );
    let e = refused(&genesis_with(&[&a], vec![]), Vec::new());
    assert!(
        e.contains("validator set is empty after InitGenesis"),
        "{e}"
    );
    let mut without = good.clone();
    without["staking"] = Value::Null;
    let e = App::validate_genesis(&without).unwrap_err();
    assert!(
        e.log.contains("expected app_state.staking beside them"),
        "{e}"
    );
    let few = create(&a, 11, 50_000_001);
    let e = refused(
        &genesis_with(&[&a], vec![gen_tx(&a, CHAIN, &few)]),
        Vec::new(),
    );
    assert!(
        e.contains("50000000uember is smaller than 50000001uember"),
        "{e}"
    );
    assert_eq!(
        BASE64_STANDARD
            .decode(
                good["genutil"]["gen_txs"][0]["signatures"][0]
                    .as_str()
                    .unwrap()
            )
            .unwrap()
            .len(),
        64
    );
}

/// A chain whose set is only in CometBFT's genesis goes on as before, without staking and with it.
#[test]
fn a_set_of_the_document_alone_stays() {
    let a = Wallet::new(1);
    let document = ValidatorUpdate {
        pub_key: Some(PublicKey {
            sum: Some(Sum::Ed25519(vec![7; 32])),
        }),
        power: 10,
    };
    for state in [app_state(&[&a]), genesis_with(&[&a], Vec::new())] {
        let dir = tempfile::tempdir().unwrap();
        let app = open(dir.path());
        assert!(
            begin(&app, &state, vec![document.clone()])
                .unwrap()
                .is_empty()
        );
        for height in 1..4 {
            assert!(finalize(&app, height, &[]).validator_updates.is_empty());
            app.commit();
        }
    }
}
