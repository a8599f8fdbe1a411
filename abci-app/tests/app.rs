//! The application through its ABCI surface, with real signed transactions.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use cosmos_sdk_proto::{
    Any,
    cosmos::{
        auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse},
        bank::v1beta1::{MsgSend, QueryBalanceRequest, QueryBalanceResponse},
        base::v1beta1::Coin,
        crypto::secp256k1::PubKey,
        tx::{
            signing::v1beta1::SignMode,
            v1beta1::{
                AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, SimulateRequest, SimulateResponse,
                TxBody, TxRaw, mode_info,
            },
        },
    },
};
use ember_abci_app::{
    app::{App, AppOptions},
    codec::address,
    tx::sigs::address_of,
};
use k256::ecdsa::{Signature, SigningKey, signature::Signer};
use prost::Message;
use serde_json::{Value, json};
use std::path::Path;
use tendermint_abci::Application;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::abci::{
        CheckTxType, ExecTxResult, RequestCheckTx, RequestFinalizeBlock, RequestInfo,
        RequestInitChain, RequestQuery, ResponseCheckTx, ResponseFinalizeBlock,
    },
};

const CHAIN: &str = "test-1";

struct Wallet {
    key: SigningKey,
    address: String,
}

impl Wallet {
    fn new(seed: u8) -> Self {
        let key = SigningKey::from_slice(&[seed; 32]).unwrap();
        let address =
            address::encode("test", &address_of(&key.verifying_key().to_sec1_bytes())).unwrap();
        Self { key, address }
    }
}

/// A transaction in the making; every field can be got wrong.
struct Build<'a> {
    from: &'a Wallet,
    to: &'a str,
    amount: u128,
    number: u64,
    sequence: u64,
    fee: u128,
    gas: u64,
    memo: String,
    chain: &'a str,
    timeout: u64,
    mode: SignMode,
}

impl<'a> Build<'a> {
    fn new(from: &'a Wallet, to: &'a str, sequence: u64) -> Self {
        let (fee, gas, memo) = (5_000, 200_000, String::new());
        Self {
            from,
            to,
            amount: 10,
            number: 0,
            sequence,
            fee,
            gas,
            memo,
            chain: CHAIN,
            timeout: 0,
            mode: SignMode::Direct,
        }
    }

    fn raw(&self) -> TxRaw {
        let send = MsgSend {
            from_address: self.from.address.clone(),
            to_address: self.to.into(),
            amount: vec![Coin {
                denom: "utest".into(),
                amount: self.amount.to_string(),
            }],
        };
        let body = TxBody {
            messages: vec![Any {
                type_url: "/cosmos.bank.v1beta1.MsgSend".into(),
                value: send.encode_to_vec(),
            }],
            memo: self.memo.clone(),
            timeout_height: self.timeout,
            ..TxBody::default()
        };
        let public = PubKey {
            key: self.from.key.verifying_key().to_sec1_bytes().to_vec(),
        };
        let single = mode_info::Single {
            mode: self.mode as i32,
        };
        let auth = AuthInfo {
            signer_infos: vec![SignerInfo {
                public_key: Some(Any {
                    type_url: "/cosmos.crypto.secp256k1.PubKey".into(),
                    value: public.encode_to_vec(),
                }),
                mode_info: Some(ModeInfo {
                    sum: Some(mode_info::Sum::Single(single)),
                }),
                sequence: self.sequence,
            }],
            fee: Some(Fee {
                amount: vec![Coin {
                    denom: "utest".into(),
                    amount: self.fee.to_string(),
                }],
                gas_limit: self.gas,
                ..Fee::default()
            }),
            ..AuthInfo::default()
        };
        let doc = SignDoc {
            body_bytes: body.encode_to_vec(),
            auth_info_bytes: auth.encode_to_vec(),
            chain_id: self.chain.into(),
            account_number: self.number,
        };
        let signature: Signature = self.from.key.sign(&doc.encode_to_vec());
        TxRaw {
            body_bytes: doc.body_bytes,
            auth_info_bytes: doc.auth_info_bytes,
            signatures: vec![signature.to_vec()],
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.raw().encode_to_vec()
    }
}

fn open(home: &Path) -> App {
    App::open(AppOptions {
        home: home.into(),
        min_gas_prices: vec!["0.025utest".parse().unwrap()],
        query_gas_limit: 50_000_000,
    })
    .unwrap()
}

fn app_state(accounts: &[&Wallet]) -> Value {
    let account = |w: &&Wallet| json!({ "@type": "/cosmos.auth.v1beta1.BaseAccount", "address": w.address, "pub_key": null, "account_number": "0", "sequence": "0" });
    let balance = |w: &&Wallet| json!({ "address": w.address, "coins": [{ "denom": "utest", "amount": "1000000" }] });
    json!({
        "auth": { "accounts": accounts.iter().map(account).collect::<Vec<_>>() },
        "bank": { "balances": accounts.iter().map(balance).collect::<Vec<_>>(), "supply": [] },
        "genutil": { "gen_txs": [] },
        "hooks": { "end_block": [] },
        "wasm": {
            "params": { "code_upload_access": { "permission": "Everybody", "addresses": [] }, "instantiate_default_permission": "Everybody" },
            "codes": [], "contracts": [], "sequences": [], "gen_msgs": []
        }
    })
}

fn init(app: &App, state: &Value) {
    let req = RequestInitChain {
        chain_id: CHAIN.into(),
        app_state_bytes: serde_json::to_vec(state).unwrap().into(),
        initial_height: 1,
        time: Some(Timestamp {
            seconds: 1_000,
            nanos: 0,
        }),
        ..RequestInitChain::default()
    };
    app.init_chain(req);
}

fn finalize(app: &App, height: i64, txs: &[Vec<u8>]) -> ResponseFinalizeBlock {
    app.finalize_block(RequestFinalizeBlock {
        height,
        txs: txs.iter().map(|t| t.clone().into()).collect(),
        time: Some(Timestamp {
            seconds: 1_000 + height,
            nanos: 0,
        }),
        ..RequestFinalizeBlock::default()
    })
}

fn block(app: &App, height: i64, txs: &[Vec<u8>]) -> Vec<ExecTxResult> {
    let results = finalize(app, height, txs).tx_results;
    app.commit();
    results
}

fn check(app: &App, tx: Vec<u8>) -> ResponseCheckTx {
    app.check_tx(RequestCheckTx {
        tx: tx.into(),
        r#type: CheckTxType::New as i32,
    })
}

fn query<R: Message + Default>(
    app: &App,
    path: &str,
    req: &impl Message,
) -> Result<R, (u32, String)> {
    let answer = app.query(RequestQuery {
        path: path.into(),
        data: req.encode_to_vec().into(),
        ..RequestQuery::default()
    });
    assert!(answer.height > 0, "CosmJS takes height 0 for a failure");
    if answer.code == 0 {
        Ok(R::decode(answer.value).unwrap())
    } else {
        Err((answer.code, answer.log))
    }
}

fn balance(app: &App, who: &str) -> u128 {
    let req = QueryBalanceRequest {
        address: who.into(),
        denom: "utest".into(),
    };
    let answer: QueryBalanceResponse =
        query(app, "/cosmos.bank.v1beta1.Query/Balance", &req).unwrap();
    answer.balance.unwrap().amount.parse().unwrap()
}

fn account(app: &App, who: &str) -> Result<BaseAccount, (u32, String)> {
    let req = QueryAccountRequest {
        address: who.into(),
    };
    let answer: QueryAccountResponse = query(app, "/cosmos.auth.v1beta1.Query/Account", &req)?;
    Ok(BaseAccount::decode(answer.account.unwrap().value.as_slice()).unwrap())
}

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
            "signature verification failed; please verify account number (0), sequence (0) and chain-id (test-1): unauthorized",
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
            37,
            "expected SIGN_MODE_DIRECT, got SIGN_MODE_TEXTUAL",
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
