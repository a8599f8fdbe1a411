//! Who may sign, how, and what the SDK says to what is wrong: through the application's ABCI surface.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;

use app_support::{
    signing::{Key, Tx, chain, coin, send},
    *,
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        bank::v1beta1::{Input, MsgMultiSend, Output},
        tx::{
            signing::v1beta1::SignMode,
            v1beta1::{
                AuthInfo, Fee, ModeInfo, SimulateRequest, SimulateResponse, TxRaw, mode_info,
            },
        },
    },
};
use ember_abci_app::app::App;
use prost::Message;
use serde_json::json;
use tendermint_abci::Application;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::abci::{CheckTxType, RequestCheckTx},
};

#[test]
fn every_kind_of_key_signs_in_both_modes() {
    let bob = Key::k1(99);
    let three = || vec![Key::k1(1), Key::k1(2), Key::Ed([3; 32].into())];
    let inner = Key::Multi(1, vec![Key::k1(4), Key::k1(5)], vec![false, true]);
    let keys = [
        Key::k1(9),
        Key::R1(p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap()),
        Key::Ed([9; 32].into()),
        Key::Multi(2, three(), vec![true, false, true]),
        Key::Multi(2, vec![Key::k1(7), inner], vec![true, true]),
    ];
    let (_dir, app) = chain(&keys.iter().collect::<Vec<_>>());
    for (number, key) in (0..).zip(&keys) {
        for (sequence, mode) in [(0, SignMode::LegacyAminoJson), (1, SignMode::Direct)] {
            let tx = Tx::new(vec![send(key, &bob)], vec![(key.clone(), number, sequence)])
                .with(|t| t.mode = mode);
            let checked = check(&app, tx.bytes());
            assert_eq!(checked.code, 0, "{number} {mode:?}: {}", checked.log);
            let again = check(&app, tx.bytes());
            assert_eq!(again.code, 32, "{}", again.log);
            let result = &block(&app, 2 + number as i64 * 2 + sequence as i64, &[tx.bytes()])[0];
            assert_eq!(result.code, 0, "{number} {mode:?}: {}", result.log);
            let signatures = result.events.iter().flat_map(|e| &e.attributes);
            let signatures = signatures.filter(|a| a.key == "signature").count();
            assert_eq!(signatures, [1, 1, 1, 3, 4][number as usize], "{number}");
        }
    }
    assert_eq!(balance(&app, &bob.address()), 100);
}

#[test]
fn a_multisignature_needs_its_threshold_and_its_own_keys() {
    let bob = Key::k1(99);
    let keys = || vec![Key::k1(1), Key::k1(2), Key::k1(3)];
    let key = |signs: [bool; 3]| Key::Multi(2, keys(), signs.to_vec());
    let good = key([true, true, false]);
    let (_dir, app) = chain(&[&good]);
    let tx = |signer: Key| Tx::new(vec![send(&good, &bob)], vec![(signer, 0, 0)]);
    let refused = |tx: TxRaw, code: u32, text: &str| {
        let r = check(&app, tx.encode_to_vec());
        assert!(
            r.code == code && r.log.contains(text),
            "{}: {}, not {text}",
            r.code,
            r.log
        );
    };
    let failed = "signature verification failed; please verify account number (0), sequence (0) and chain-id (test-1): unauthorized";
    refused(tx(key([true, false, false])).raw(), 4, failed);
    refused(tx(key([false; 3])).raw(), 4, failed);
    // Another's signature, another bit, bits that are too many, a signature too many.
    let mut raw = tx(good.clone()).raw();
    raw.signatures = tx(key([true, false, true])).raw().signatures;
    refused(raw, 4, failed);
    let change = |f: &dyn Fn(&mut mode_info::Multi)| {
        let mut raw = tx(good.clone()).raw();
        let mut auth = AuthInfo::decode(raw.auth_info_bytes.as_slice()).unwrap();
        let Some(ModeInfo {
            sum: Some(mode_info::Sum::Multi(multi)),
        }) = &mut auth.signer_infos[0].mode_info
        else {
            unreachable!()
        };
        f(multi);
        raw.auth_info_bytes = auth.encode_to_vec();
        raw
    };
    refused(
        change(&|m| m.bitarray.as_mut().unwrap().elems = vec![0b1010_0000]),
        4,
        failed,
    );
    refused(
        change(&|m| m.bitarray.as_mut().unwrap().extra_bits_stored = 4),
        4,
        failed,
    );
    refused(
        change(&|m| m.bitarray.as_mut().unwrap().extra_bits_stored = 9),
        2,
        "bit array",
    );
    refused(
        change(&|m| m.mode_infos.clear()),
        2,
        "expected 0 signatures, got 2",
    );
    refused(
        change(&|m| m.mode_infos.truncate(1)),
        2,
        "expected 1 signatures, got 2",
    );
    let single = Key::k1(1);
    let mut raw = tx(good.clone()).raw();
    let mut auth = AuthInfo::decode(raw.auth_info_bytes.as_slice()).unwrap();
    auth.signer_infos[0].mode_info = Some(single.mode(SignMode::Direct));
    raw.auth_info_bytes = auth.encode_to_vec();
    refused(raw, 4, "expected a multisignature");
    refused(tx(single).raw(), 8, "pubKey does not match signer address");
    assert_eq!(check(&app, tx(good.clone()).bytes()).code, 0);
    // Eight keys are more than a transaction may have; the limit counts the keys in keys.
    let eight = Key::Multi(
        1,
        vec![Key::k1(1); 4]
            .into_iter()
            .chain([Key::Multi(1, vec![Key::k1(2); 4], vec![true; 4])])
            .collect(),
        vec![true; 5],
    );
    let (_dir, app) = chain(&[&eight]);
    let tx = Tx::new(vec![send(&eight, &bob)], vec![(eight.clone(), 0, 0)]);
    let r = check(&app, tx.bytes());
    assert_eq!(
        (r.code, r.log.as_str()),
        (
            14,
            "signatures: 8, limit: 7: maximum number of signatures exceeded"
        )
    );
}

#[test]
fn a_simulation_of_a_multisignature_covers_what_the_transaction_costs() {
    let bob = Key::k1(99);
    let key = Key::Multi(
        2,
        vec![Key::k1(1), Key::k1(2), Key::k1(3)],
        vec![true, true, false],
    );
    let (_dir, app) = chain(&[&key]);
    let tx = Tx::new(vec![send(&key, &bob)], vec![(key, 0, 0)]).with(|t| t.fee.gas_limit = 400_000);
    let mut unsigned = tx.raw();
    let mut auth = AuthInfo::decode(unsigned.auth_info_bytes.as_slice()).unwrap();
    // As CosmJS does it.
    auth.signer_infos[0].mode_info = Some(Key::k1(1).mode(SignMode::Unspecified));
    auth.fee = Some(Fee::default());
    unsigned.auth_info_bytes = auth.encode_to_vec();
    unsigned.signatures = vec![vec![]];
    let request = SimulateRequest {
        tx_bytes: unsigned.encode_to_vec(),
        ..SimulateRequest::default()
    };
    let answer: SimulateResponse =
        query(&app, "/cosmos.tx.v1beta1.Service/Simulate", &request).unwrap();
    let estimated = answer.gas_info.unwrap().gas_used;
    let result = &block(&app, 2, &[tx.bytes()])[0];
    assert_eq!(result.code, 0, "{}", result.log);
    let used = u64::try_from(result.gas_used).unwrap();
    assert!(
        used <= estimated && estimated < used * 2,
        "{used} used, {estimated} estimated"
    );
}

#[test]
fn another_signer_may_pay_the_fee_and_only_a_signer() {
    let (alice, carol, bob) = (Key::k1(1), Key::k1(2), Key::k1(99));
    let (_dir, app) = chain(&[&alice, &carol]);
    let tx = Tx::new(
        vec![send(&alice, &bob)],
        vec![(alice.clone(), 0, 0), (carol.clone(), 1, 0)],
    )
    .with(|t| t.fee.payer = carol.address());
    let result = &block(&app, 2, &[tx.bytes()])[0];
    assert_eq!(result.code, 0, "{}", result.log);
    assert_eq!(
        (
            balance(&app, &alice.address()),
            balance(&app, &carol.address())
        ),
        (999_990, 995_000)
    );
    assert_eq!(account(&app, &carol.address()).unwrap().sequence, 1);
    // Without the payer's signature it is one too few.
    let tx = Tx::new(vec![send(&alice, &bob)], vec![(alice, 0, 1)])
        .with(|t| t.fee.payer = carol.address());
    let r = check(&app, tx.bytes());
    assert_eq!(
        (r.code, r.log.as_str()),
        (
            4,
            "invalid number of signer;  expected: 2, got 1: unauthorized"
        )
    );
}

/// What is wrong with a transaction, the SDK's code, and its text.
#[test]
fn what_is_wrong_is_said_as_the_sdk_says_it() {
    let (alice, bob, poor) = (Key::k1(1), Key::k1(99), Key::k1(50));
    let (_dir, app) = chain(&[&alice]);
    let any = |url: &str, value: Vec<u8>| Any {
        type_url: url.into(),
        value,
    };
    let two_inputs = MsgMultiSend {
        inputs: vec![
            Input {
                address: alice.address(),
                coins: coin(1),
            },
            Input {
                address: bob.address(),
                coins: coin(1),
            },
        ],
        outputs: vec![Output {
            address: bob.address(),
            coins: coin(2),
        }],
    };
    type Change<'a> = Box<dyn Fn(&mut Tx) + 'a>;
    let cases: Vec<(u32, &str, Change)> = vec![
        (
            32,
            "account sequence mismatch, expected 0, got 1: incorrect account sequence",
            Box::new(|t| t.signers[0].2 = 1),
        ),
        (
            4,
            "signature verification failed; please verify account number (0), sequence (0) and chain-id (test-1): unauthorized",
            Box::new(|t| t.chain = "test-2".into()),
        ),
        (
            4,
            "signature verification failed; please verify account number (0), sequence (0) and chain-id (test-1): unauthorized",
            Box::new(|t| t.signers[0].1 = 1),
        ),
        (
            4,
            "signature verification failed; please verify account number (0) and chain-id (test-1): (unable to verify single signer signature): unauthorized",
            Box::new(|t| {
                t.mode = SignMode::Direct;
                t.chain = "x-1".into();
            }),
        ),
        (
            4,
            "signature verification failed; please verify account number (0) and chain-id (test-1): (unsupported sign mode SIGN_MODE_TEXTUAL): unauthorized",
            Box::new(|t| t.mode = SignMode::Textual),
        ),
        (
            13,
            "insufficient fees; got: 4999utest required: 5000utest: insufficient fee",
            Box::new(|t| t.fee.amount = coin(4_999)),
        ),
        (
            13,
            "insufficient fees; got:  required: 5000utest: insufficient fee",
            Box::new(|t| t.fee.amount = vec![]),
        ),
        (
            13,
            "insufficient fees; got:  required: 5000utest: insufficient fee",
            Box::new(|t| t.fee.amount = coin(0)),
        ),
        (
            13,
            "invalid fee provided: -1utest: insufficient fee",
            Box::new(|t| t.fee.amount[0].amount = "-1".into()),
        ),
        (
            5,
            "spendable balance 1000000utest is smaller than 1000001utest: insufficient funds: insufficient funds",
            Box::new(|t| t.fee.amount = coin(1_000_001)),
        ),
        (
            11,
            "out of gas in location: ",
            Box::new(|t| {
                t.fee.gas_limit = 5_000;
                t.fee.amount = coin(5_000);
            }),
        ),
        (
            41,
            "must provide positive gas: invalid gas limit",
            Box::new(|t| t.fee.gas_limit = 0),
        ),
        (
            18,
            "invalid gas supplied; 9223372036854775808 > 9223372036854775807: invalid request",
            Box::new(|t| t.fee.gas_limit = 1 << 63),
        ),
        (
            12,
            "maximum number of characters is 256 but received 257 characters: memo too large",
            Box::new(|t| t.body.memo = "m".repeat(257)),
        ),
        (
            30,
            "block height: 3, timeout height: 2: tx timeout height",
            Box::new(|t| t.body.timeout_height = 2),
        ),
        (
            42,
            "block time: 1970-01-01 00:16:42 +0000 UTC, timeout timestamp: 1970-01-01 00:16:41.5 +0000 UTC: tx timeout",
            Box::new(|t| {
                t.body.timeout_timestamp = Some(Timestamp {
                    seconds: 1_001,
                    nanos: 500_000_000,
                })
            }),
        ),
        (
            37,
            "unordered transactions are not enabled: feature not supported",
            Box::new(|t| t.body.unordered = true),
        ),
        (
            31,
            "unknown extension options",
            Box::new(|t| t.body.extension_options = vec![send(&alice, &bob)]),
        ),
        (
            4,
            "signature verification failed; ",
            Box::new(|t| t.body.non_critical_extension_options = vec![send(&alice, &bob)]),
        ),
        (
            18,
            "must contain at least one message: invalid request",
            Box::new(|t| t.body.messages.clear()),
        ),
        (
            2,
            "unable to resolve type URL /x.Y: tx parse error",
            Box::new(|t| t.body.messages = vec![any("/x.Y", vec![])]),
        ),
        (
            2,
            "tx parse error",
            Box::new(|t| t.body.messages[0].value.extend([0x78, 1])),
        ),
        (
            4,
            "invalid number of signer;  expected: 2, got 1: unauthorized",
            Box::new(|t| t.body.messages.push(send(&poor, &bob))),
        ),
        (
            4,
            "invalid number of signer;  expected: 2, got 1: unauthorized",
            Box::new(|t| {
                t.body.messages = vec![any(
                    "/cosmos.bank.v1beta1.MsgMultiSend",
                    two_inputs.encode_to_vec(),
                )]
            }),
        ),
        (
            15,
            "no signatures supplied",
            Box::new(|t| t.signers.clear()),
        ),
        (
            8,
            "pubKey does not match signer address",
            Box::new(|t| t.signers[0].0 = poor.clone()),
        ),
        (7, "", Box::new(|t| t.fee.payer = "test1nonsense".into())),
        (
            9,
            " does not exist: unknown address",
            Box::new(|t| {
                t.body.messages = vec![send(&poor, &bob)];
                t.signers[0].0 = poor.clone();
            }),
        ),
    ];
    block(&app, 2, &[]);
    for (code, text, change) in &cases {
        let tx = Tx::new(vec![send(&alice, &bob)], vec![(alice.clone(), 0, 0)]).with(|t| change(t));
        let mut bytes = tx.bytes();
        if *code == 7 {
            // The payer signs too.
            let two = tx.with(|t| t.signers.push((bob.clone(), 1, 0)));
            bytes = two.bytes();
        }
        let r = check(&app, bytes);
        assert!(
            r.code == *code && r.log.contains(text) && r.codespace == "sdk",
            "{code} {text}: {} {}",
            r.code,
            r.log
        );
    }
    let tx = Tx::new(vec![send(&alice, &bob)], vec![(alice.clone(), 0, 0)]);
    assert_eq!(check(&app, tx.bytes()).code, 0, "the node is well");
    let last = Tx::new(vec![send(&alice, &bob)], vec![(alice.clone(), 0, 1)]).with(|t| {
        t.body.timeout_timestamp = Some(Timestamp {
            seconds: 1_002,
            nanos: 0,
        });
        t.body.timeout_height = 3;
        t.body.memo = "m".repeat(256);
    });
    assert_eq!(check(&app, last.bytes()).log, "", "at the last moment");
}

#[test]
fn pending_transactions_of_one_account_build_on_each_other_and_are_looked_at_again() {
    let (alice, bob) = (Key::k1(1), Key::k1(99));
    let (_dir, app) = chain(&[&alice]);
    let tx =
        |sequence| Tx::new(vec![send(&alice, &bob)], vec![(alice.clone(), 0, sequence)]).bytes();
    let recheck = |tx: Vec<u8>| {
        app.check_tx(RequestCheckTx {
            tx: tx.into(),
            r#type: CheckTxType::Recheck as i32,
        })
    };
    assert_eq!(check(&app, tx(1)).code, 32, "nothing stands before it");
    for sequence in 0..4 {
        assert_eq!(check(&app, tx(sequence)).code, 0);
    }
    let results = block(&app, 2, &[tx(0), tx(1)]);
    assert!(results.iter().all(|r| r.code == 0));
    assert_eq!(recheck(tx(1)).code, 32, "it is in the block");
    assert_eq!((recheck(tx(2)).code, recheck(tx(3)).code), (0, 0));
    assert_eq!(
        check(&app, tx(4)).code,
        0,
        "it builds on what was looked at again"
    );
}

#[test]
fn parameters_are_the_geneses_and_count() {
    let (alice, bob) = (Key::k1(1), Key::k1(99));
    let dir = tempfile::tempdir().unwrap();
    let app = open(dir.path());
    let mut state = app_state(&[&Wallet::new(1)]);
    state["auth"]["params"] = json!({ "max_memo_characters": "3", "tx_sig_limit": "1", "tx_size_cost_per_byte": "20", "sig_verify_cost_ed25519": "590", "sig_verify_cost_secp256k1": "2000" });
    init(&app, &state);
    block(&app, 1, &[]);
    let exported = app.export().unwrap();
    assert_eq!(exported["auth"]["params"], state["auth"]["params"]);
    let tx = Tx::new(vec![send(&alice, &bob)], vec![(alice.clone(), 0, 0)])
        .with(|t| t.body.memo = "four".into());
    assert_eq!(check(&app, tx.bytes()).code, 12);
    let tx = tx.with(|t| t.body.memo = "3".into());
    let dear = block(&app, 2, &[tx.bytes()])[0].gas_used;
    let (_dir, app) = chain(&[&alice]);
    let usual = block(&app, 2, &[tx.bytes()])[0].gas_used;
    assert_eq!(
        dear - usual,
        10 * i64::try_from(tx.bytes().len()).unwrap() + 1_000
    );
    state["auth"]["params"]["tx_sig_limit"] = "0".into();
    assert!(
        App::validate_genesis(&state)
            .unwrap_err()
            .log
            .contains("invalid tx signature limit: 0")
    );
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_and_the_node_lives() {
    let (alice, bob) = (Key::k1(1), Key::k1(99));
    let (_dir, app) = chain(&[&alice]);
    let good = Tx::new(vec![send(&alice, &bob)], vec![(alice.clone(), 0, 0)]);
    assert_eq!(check(&app, vec![0x0a; 10_000_000]).code, 21);
    let mut deep = Vec::new();
    for _ in 0..20_000 {
        let mut outer = vec![0x0a];
        prost::encoding::encode_varint(deep.len() as u64, &mut outer);
        outer.extend(deep);
        deep = outer;
    }
    assert_eq!(check(&app, deep.clone()).code, 2);
    // Multisignatures in multisignatures, in the key and in the mode.
    let mut nested = alice.clone();
    for _ in 0..40 {
        nested = Key::Multi(1, vec![nested], vec![true]);
    }
    for tx in [
        Tx::new(vec![send(&nested, &bob)], vec![(nested.clone(), 0, 0)]),
        Tx::new(
            vec![Any {
                type_url: "/cosmos.bank.v1beta1.MsgSend".into(),
                value: deep,
            }],
            vec![(alice.clone(), 0, 0)],
        ),
    ] {
        assert_ne!(check(&app, tx.bytes()).code, 0);
        assert_ne!(finalize(&app, 2, &[tx.bytes()]).tx_results[0].code, 0);
    }
    assert_eq!(check(&app, good.bytes()).code, 0);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]
    /// Whatever becomes of a transaction on its way, it is refused, and nothing breaks.
    #[test]
    fn no_change_of_bytes_breaks_the_node(changes in proptest::collection::vec((0usize..2_000, proptest::prelude::any::<u8>(), 0u8..3), 1..12)) {
        use std::sync::OnceLock;
        static APP: OnceLock<(tempfile::TempDir, App, Vec<Vec<u8>>)> = OnceLock::new();
        let (_, app, good) = APP.get_or_init(|| {
            let bob = Key::k1(99);
            let multi = Key::Multi(2, vec![Key::k1(1), Key::k1(2), Key::k1(3)], vec![true, false, true]);
            let (dir, app) = chain(&[&Key::k1(1), &multi]);
            let good = [(Key::k1(1), 0), (multi, 1)].map(|(k, n)| Tx::new(vec![send(&k, &bob)], vec![(k, n, 0)]).bytes());
            (dir, app, good.to_vec())
        });
        for tx in good {
            let mut bytes = tx.clone();
            for (at, byte, what) in &changes {
                let at = at % bytes.len().max(1);
                match what {
                    0 if at < bytes.len() => bytes[at] = *byte,
                    1 => bytes.insert(at, *byte),
                    _ if at < bytes.len() => drop(bytes.remove(at)),
                    _ => {}
                }
            }
            let changed = bytes != *tx;
            let result = check(app, bytes);
            proptest::prop_assert!(!changed || result.code != 0, "a changed transaction was taken");
        }
    }
}
