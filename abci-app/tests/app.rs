//! The application through its ABCI surface, with real signed transactions.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;

use app_support::*;
use cosmos_sdk_proto::cosmos::tx::{
    signing::v1beta1::SignMode,
    v1beta1::{AuthInfo, Fee, SimulateRequest, SimulateResponse},
};
use ember_abci_app::app::App;
use prost::Message;
use serde_json::json;
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{CheckTxType, RequestCheckTx, RequestInfo};

#[test]
fn a_send_moves_coins_and_a_restart_keeps_them() {
    let (dir, alice, bob) = (tempfile::tempdir().unwrap(), Wallet::new(1), Wallet::new(2));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    block(&app, 1, &[]);
    let tx = Build::new(&alice, &bob.address, 0).bytes();
    assert_eq!(check(&app, tx.clone()).code, 0);
    let results = block(&app, 2, &[tx, b"not a transaction".to_vec()]);
    assert_eq!(
        (results[0].code, results[1].code),
        (0, 2),
        "{}",
        results[0].log
    );
    assert_eq!(
        results.len(),
        2,
        "one result a transaction, also for what is none"
    );
    let kinds: Vec<_> = results[0]
        .events
        .iter()
        .map(|e| e.r#type.as_str())
        .collect();
    for kind in ["tx", "coin_spent", "coin_received", "transfer", "message"] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    assert!(
        results[0]
            .events
            .iter()
            .flat_map(|e| &e.attributes)
            .all(|a| a.index && !a.key.is_empty())
    );
    assert!(results[0].gas_used > 20_000 && results[0].gas_used < results[0].gas_wanted);
    assert_eq!(
        (balance(&app, &alice.address), balance(&app, &bob.address)),
        (1_000_000 - 5_000 - 10, 10)
    );
    assert_eq!(account(&app, &alice.address).unwrap().sequence, 1);

    let info = app.info(RequestInfo::default());
    drop(app);
    let app = open(dir.path());
    assert_eq!(app.info(RequestInfo::default()), info);
    assert_eq!(info.last_block_height, 2);
    assert_eq!(balance(&app, &bob.address), 10);
}

#[test]
fn a_block_that_was_not_committed_never_was() {
    let (dir, alice, bob) = (tempfile::tempdir().unwrap(), Wallet::new(1), Wallet::new(2));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    // Killed before the first commit: the engine sends the genesis again.
    drop(app);
    let app = open(dir.path());
    assert_eq!(app.info(RequestInfo::default()).last_block_height, 0);
    init(&app, &app_state(&[&alice]));
    block(&app, 1, &[]);
    let tx = Build::new(&alice, &bob.address, 0).bytes();
    let lost = finalize(&app, 2, std::slice::from_ref(&tx));
    drop(app);
    let app = open(dir.path());
    assert_eq!(app.info(RequestInfo::default()).last_block_height, 1);
    assert_eq!(balance(&app, &bob.address), 0);
    let again = finalize(&app, 2, &[tx]);
    assert_eq!(
        again, lost,
        "a replay gives the same results and the same hash"
    );
}

#[test]
fn refusals_have_the_sdks_codes_and_words() {
    let (dir, alice, bob) = (tempfile::tempdir().unwrap(), Wallet::new(1), Wallet::new(2));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    block(&app, 1, &[]);
    let good = || Build::new(&alice, &bob.address, 0);
    let stranger = Wallet::new(9);
    let mut wrong_key = good().raw();
    wrong_key.signatures[0][10] ^= 1;
    let mut no_signature = good().raw();
    no_signature.signatures.clear();
    let cases: Vec<(&str, Vec<u8>, u32, &str)> = vec![
        (
            "sequence",
            Build {
                sequence: 3,
                ..good()
            }
            .bytes(),
            32,
            "account sequence mismatch, expected 0, got 3: incorrect account sequence",
        ),
        (
            "chain id",
            Build {
                chain: "other-1",
                ..good()
            }
            .bytes(),
            4,
            "signature verification failed; please verify account number (0) and chain-id (test-1): (unable to verify single signer signature): unauthorized",
        ),
        (
            "fee",
            Build {
                fee: 4_999,
                ..good()
            }
            .bytes(),
            13,
            "insufficient fees; got: 4999utest required: 5000utest: insufficient fee",
        ),
        (
            "funds for the fee",
            Build {
                fee: 2_000_000,
                ..good()
            }
            .bytes(),
            5,
            "spendable balance 1000000utest is smaller than 2000000utest: insufficient funds",
        ),
        (
            "gas",
            Build { gas: 0, ..good() }.bytes(),
            41,
            "must provide positive gas: invalid gas limit",
        ),
        (
            "too little gas",
            Build {
                gas: 1_000,
                ..good()
            }
            .bytes(),
            11,
            "out of gas",
        ),
        (
            "memo",
            Build {
                memo: "x".repeat(257),
                ..good()
            }
            .bytes(),
            12,
            "maximum number of characters is 256 but received 257 characters: memo too large",
        ),
        (
            "timeout",
            Build {
                timeout: 1,
                ..good()
            }
            .bytes(),
            30,
            "block height: 2, timeout height: 1: tx timeout height",
        ),
        (
            "sign mode",
            Build {
                mode: SignMode::Textual,
                ..good()
            }
            .bytes(),
            4,
            "(unsupported sign mode SIGN_MODE_TEXTUAL): unauthorized",
        ),
        (
            "signature",
            wrong_key.encode_to_vec(),
            4,
            "signature verification failed",
        ),
        (
            "no signature",
            no_signature.encode_to_vec(),
            15,
            "no signatures supplied",
        ),
        (
            "unknown account",
            Build::new(&stranger, &bob.address, 0).bytes(),
            9,
            "does not exist: unknown address",
        ),
        ("garbage", vec![0xff; 40], 2, "tx parse error"),
    ];
    for (name, tx, code, words) in cases {
        let answer = check(&app, tx);
        assert_eq!(answer.code, code, "{name}: {}", answer.log);
        assert!(
            answer.log.contains(words),
            "{name}: expected \"{words}\" in \"{}\"",
            answer.log
        );
        assert_eq!(answer.codespace, "sdk");
    }
    assert_eq!(
        check(&app, good().bytes()).code,
        0,
        "none of them changed the check state"
    );
}

#[test]
fn transactions_of_one_account_may_queue_up() {
    let (dir, alice, bob) = (tempfile::tempdir().unwrap(), Wallet::new(1), Wallet::new(2));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    block(&app, 1, &[]);
    let txs: Vec<_> = (0..3)
        .map(|n| Build::new(&alice, &bob.address, n).bytes())
        .collect();
    for tx in &txs {
        assert_eq!(check(&app, tx.clone()).code, 0);
    }
    assert_eq!(check(&app, txs[0].clone()).code, 32);
    assert!(block(&app, 2, &txs[..2]).iter().all(|r| r.code == 0));
    let recheck = RequestCheckTx {
        tx: txs[2].clone().into(),
        r#type: CheckTxType::Recheck as i32,
    };
    assert_eq!(app.check_tx(recheck).code, 0);
    assert_eq!(block(&app, 3, &txs[2..])[0].code, 0);
    assert_eq!(balance(&app, &bob.address), 30);
}

#[test]
fn a_failing_message_costs_its_fee_and_nothing_else() {
    let (dir, alice, bob) = (tempfile::tempdir().unwrap(), Wallet::new(1), Wallet::new(2));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    block(&app, 1, &[]);
    let results = block(
        &app,
        2,
        &[Build {
            amount: 5_000_000,
            ..Build::new(&alice, &bob.address, 0)
        }
        .bytes()],
    );
    assert_eq!(results[0].code, 5);
    assert!(
        results[0]
            .log
            .starts_with("failed to execute message; message index: 0: spendable balance"),
        "{}",
        results[0].log
    );
    assert!(results[0].data.is_empty());
    assert!(
        results[0].events.iter().any(|e| e.r#type == "tx"),
        "the ante's events stay"
    );
    assert_eq!(balance(&app, &alice.address), 1_000_000 - 5_000);
    assert_eq!(account(&app, &alice.address).unwrap().sequence, 1);
}

#[test]
fn a_simulation_needs_no_signature_and_changes_nothing() {
    let (dir, alice, bob) = (tempfile::tempdir().unwrap(), Wallet::new(1), Wallet::new(2));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    block(&app, 1, &[]);
    let mut raw = Build {
        fee: 0,
        gas: 0,
        mode: SignMode::Unspecified,
        ..Build::new(&alice, &bob.address, 0)
    }
    .raw();
    let mut auth = AuthInfo::decode(raw.auth_info_bytes.as_slice()).unwrap();
    auth.fee = Some(Fee::default());
    raw.auth_info_bytes = auth.encode_to_vec();
    raw.signatures = vec![vec![]];
    let req = SimulateRequest {
        tx_bytes: raw.encode_to_vec(),
        ..SimulateRequest::default()
    };
    let answer: SimulateResponse =
        query(&app, "/cosmos.tx.v1beta1.Service/Simulate", &req).unwrap();
    let used = answer.gas_info.unwrap().gas_used;
    let gas = block(&app, 2, &[Build::new(&alice, &bob.address, 0).bytes()])[0].gas_used;
    let gas = u64::try_from(gas).unwrap();
    assert!(
        (gas..gas + 5_000).contains(&used),
        "simulated {used}, used {gas}"
    );
}

#[test]
fn a_missing_account_is_missing_in_the_sdks_words() {
    let (dir, alice, bob) = (tempfile::tempdir().unwrap(), Wallet::new(1), Wallet::new(2));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    block(&app, 1, &[]);
    let (code, log) = account(&app, &bob.address).unwrap_err();
    assert_eq!(
        (code, log),
        (
            22,
            format!(
                "rpc error: code = NotFound desc = account {} not found: key not found",
                bob.address
            )
        )
    );
    let (code, _) = account(&app, "cosmos1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqnrql8a").unwrap_err();
    assert_eq!(code, 7);
}

#[test]
fn the_same_blocks_give_the_same_hash_and_an_export_comes_back() {
    let (alice, bob) = (Wallet::new(1), Wallet::new(2));
    let run = || {
        let dir = tempfile::tempdir().unwrap();
        let app = open(dir.path());
        init(&app, &app_state(&[&alice, &bob]));
        for h in 1..=5i64 {
            let n = u64::try_from(h - 1).unwrap();
            let a = Build {
                amount: u128::from(n) + 1,
                ..Build::new(&alice, &bob.address, n)
            }
            .bytes();
            let b = Build {
                number: 1,
                ..Build::new(&bob, &alice.address, n)
            }
            .bytes();
            assert!(block(&app, h, &[a, b]).iter().all(|r| r.code == 0));
        }
        let hash = app.info(RequestInfo::default()).last_block_app_hash;
        (hash, app.export().unwrap())
    };
    let (first, second, third) = (run(), run(), run());
    assert_eq!(first, second);
    assert_eq!(second, third);

    let dir = tempfile::tempdir().unwrap();
    let app = open(dir.path());
    App::validate_genesis(&first.1).unwrap();
    init(&app, &first.1);
    block(&app, 1, &[]);
    assert_eq!(app.export().unwrap(), first.1);
}

#[test]
fn a_wrong_genesis_is_named() {
    let alice = Wallet::new(1);
    let mut cases = Vec::new();
    let mut state = app_state(&[&alice]);
    state["staking"] = json!({ "validators": [{ "operator": "x" }] });
    cases.push((state, "app_state.staking"));
    let mut state = app_state(&[&alice]);
    state["bank"]["balances"][0]["coins"][0]["amount"] = json!("-1");
    cases.push((state, "app_state.bank"));
    let mut state = app_state(&[&alice]);
    state["bank"]["supply"] = json!([{ "denom": "utest", "amount": "999" }]);
    cases.push((state, "supply"));
    let mut state = app_state(&[&alice]);
    state["hooks"]["end_block"] = json!(["nobody"]);
    cases.push((state, "bech32"));
    for (state, words) in cases {
        let e = App::validate_genesis(&state).unwrap_err();
        assert!(e.log.contains(words), "expected {words} in {}", e.log);
    }
}

#[test]
fn a_block_whose_transactions_nobody_checked_is_judged_one_by_one() {
    let (dir, alice, bob) = (tempfile::tempdir().unwrap(), Wallet::new(1), Wallet::new(2));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    block(&app, 1, &[]);
    // Enough for threads; one is signed for another chain, and those after it wait for its sequence in vain.
    let tx = |sequence: u64| {
        let mut tx = Build::new(&alice, &bob.address, sequence);
        if sequence == 12 {
            tx.chain = "another-1";
        }
        tx.bytes()
    };
    let txs: Vec<_> = (0..16).map(tx).collect();
    let codes: Vec<_> = block(&app, 2, &txs).iter().map(|r| r.code).collect();
    assert_eq!(codes[..12], [0; 12]);
    assert_eq!(codes[12..], [4, 32, 32, 32]);
    assert_eq!(balance(&app, &bob.address), 120);
}
