//! Queries at heights and with proofs, through the ABCI surface, checked by the `ics23` crate.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;

use app_support::{Build, Wallet, app_state, block, init, open};
use ember_abci_app::app::App;
use ics23::{CommitmentProof, HostFunctionsManager as Sha, commitment_proof::Proof};
use prost::Message;
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{RequestInfo, RequestQuery, ResponseQuery};

fn ask(app: &App, path: &str, key: &[u8], height: i64, prove: bool) -> ResponseQuery {
    app.query(RequestQuery {
        path: path.into(),
        data: key.to_vec().into(),
        height,
        prove,
    })
}

/// The bank's key of a balance: 0x02, length, address, denom.
fn balance_key(address: &str) -> Vec<u8> {
    let account = ember_abci_app::codec::address::decode("test", address).unwrap();
    let len = u8::try_from(account.len()).unwrap();
    [&[2, len], account.as_slice(), b"utest"].concat()
}

/// Checks an answer's proof against an app hash as a light client does.
fn proves(answer: &ResponseQuery, app_hash: &[u8], store: &str, key: &[u8]) -> bool {
    let ops = &answer.proof_ops.as_ref().unwrap().ops;
    let kinds: Vec<_> = ops.iter().map(|o| o.r#type.as_str()).collect();
    assert_eq!(kinds, ["ics23:jmt", "ics23:simple"]);
    assert_eq!(ops[0].key, key);
    assert_eq!(ops[1].key, store.as_bytes());
    let [inner, outer] = [0, 1].map(|i| CommitmentProof::decode(ops[i].data.as_slice()).unwrap());
    let Some(Proof::Exist(of)) = &outer.proof else {
        return false;
    };
    let (root, simple, spec) = (
        of.value.clone(),
        ics23::tendermint_spec(),
        jmt::ics23_spec(),
    );
    let app_hash = app_hash.to_vec();
    ics23::verify_membership::<Sha>(&outer, &simple, &app_hash, store.as_bytes(), &root)
        && if answer.value.is_empty() {
            ics23::verify_non_membership::<Sha>(&inner, &spec, &root, key)
        } else {
            ics23::verify_membership::<Sha>(&inner, &spec, &root, key, &answer.value)
        }
}

#[test]
fn values_are_proved_at_every_height_that_is_kept() {
    let (dir, alice, bob) = (tempfile::tempdir().unwrap(), Wallet::new(1), Wallet::new(2));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    let mut hashes = vec![Vec::new()];
    for height in 1..=5i64 {
        let sequence = u64::try_from(height - 1).unwrap();
        block(
            &app,
            height,
            &[Build::new(&alice, &bob.address, sequence).bytes()],
        );
        hashes.push(
            app.info(RequestInfo::default())
                .last_block_app_hash
                .to_vec(),
        );
    }
    let (key, path) = (balance_key(&bob.address), "/store/bank/key");
    for height in 3..=5i64 {
        let answer = ask(&app, path, &key, height, true);
        assert_eq!((answer.code, answer.height), (0, height), "{}", answer.log);
        assert_eq!(answer.value, (10 * height).to_string(), "ten a block");
        let hash = &hashes[usize::try_from(height).unwrap()];
        assert!(proves(&answer, hash, "bank", &key));
        let other = &hashes[usize::try_from(height - 1).unwrap()];
        assert!(
            !proves(&answer, other, "bank", &key),
            "another height's hash"
        );
        assert_eq!(ask(&app, path, &key, height, false).value, answer.value);
    }
    let nobody = ask(&app, path, b"nobody", 0, true);
    assert_eq!((nobody.code, nobody.height), (0, 5));
    assert!(nobody.value.is_empty() && proves(&nobody, &hashes[5], "bank", b"nobody"));
}

#[test]
fn what_cannot_be_asked_or_proved_says_so() {
    let (dir, alice) = (tempfile::tempdir().unwrap(), Wallet::new(1));
    let app = open(dir.path());
    init(&app, &app_state(&[&alice]));
    for height in 1..=5 {
        block(&app, height, &[]);
    }
    let key = "/store/bank/key";
    let cases = [
        (key, 6, false, 26, "height in the future"),
        (key, 2, false, 38, "version does not exist, kept are 3 to 5"),
        (key, 1, true, 38, "version does not exist"),
        (
            "/cosmos.bank.v1beta1.Query/Params",
            5,
            true,
            18,
            "/store/<name>/key",
        ),
        ("/store/banc/key", 5, true, 6, "expected store/<name>/key"),
    ];
    for (path, height, prove, code, words) in cases {
        let answer = ask(&app, path, b"k", height, prove);
        assert_eq!(answer.code, code, "{path} {height}: {}", answer.log);
        assert!(
            answer.log.contains(words),
            "{path} {height}: {}",
            answer.log
        );
    }
}
