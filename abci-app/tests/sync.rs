//! State sync through the ABCI surface: a node that begins with another's snapshot goes on as that one does.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod app_support;

use app_support::*;
use cosmos_sdk_proto::cosmwasm::wasm::v1::{QueryCodeRequest, QueryCodeResponse};
use ember_abci_app::{
    app::{App, AppOptions, sync::SnapshotOptions},
    store::pruning::Pruning,
};
use serde_json::json;
use std::path::Path;
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{
    RequestApplySnapshotChunk, RequestInfo, RequestLoadSnapshotChunk, RequestOfferSnapshot,
    Snapshot, response_apply_snapshot_chunk::Result as Verdict,
    response_offer_snapshot::Result as Offer,
};

fn node(home: &Path, interval: u64) -> App {
    App::open(AppOptions {
        home: home.into(),
        min_gas_prices: Vec::new(),
        query_gas_limit: 50_000_000,
        pruning: Pruning::KeepRecent(2),
        snapshots: SnapshotOptions {
            interval,
            keep_recent: 2,
        },
    })
    .unwrap()
}

/// A chain with two codes and a send in every block, whose snapshots are taken at each third height; its last height.
fn chain(app: &App, heights: i64) {
    let (alice, bob) = (Wallet::new(1), Wallet::new(2));
    let mut state = app_state(&[&alice]);
    let code = |n: u32| {
        let text = format!(
            r#"(module (memory (export "memory") 1) (data (i32.const 0) "{n}")
                (func (export "interface_version_8")) (func (export "deallocate") (param i32))
                (func (export "allocate") (param i32) (result i32) i32.const 8))"#
        );
        use base64::{Engine, engine::general_purpose::STANDARD};
        let wasm = STANDARD.encode(wat::parse_str(text).unwrap());
        json!({ "store_code": { "sender": alice.address, "wasm_byte_code": wasm } })
    };
    state["wasm"]["gen_msgs"] = json!([code(1), code(2), code(1)]);
    init(app, &state);
    for height in 1..=heights {
        let tx = Build::new(&alice, &bob.address, height as u64 - 1).bytes();
        assert_eq!(block(app, height, &[tx])[0].code, 0);
        // As the chain goes on, a snapshot may be skipped; here each is waited for.
        app.finish_snapshot();
    }
}

fn offer(app: &App, snapshot: &Snapshot, app_hash: &[u8]) -> i32 {
    let req = RequestOfferSnapshot {
        snapshot: Some(snapshot.clone()),
        app_hash: app_hash.to_vec().into(),
    };
    app.offer_snapshot(req).result
}

/// Gives every chunk of `from`'s snapshot; the last verdict.
fn apply(app: &App, from: &App, snapshot: &Snapshot) -> i32 {
    let mut last = Verdict::Unknown.into();
    for index in 0..snapshot.chunks {
        let chunk = from.load_snapshot_chunk(RequestLoadSnapshotChunk {
            height: snapshot.height,
            format: snapshot.format,
            chunk: index,
        });
        last = app
            .apply_snapshot_chunk(RequestApplySnapshotChunk {
                index,
                chunk: chunk.chunk,
                sender: "peer".into(),
            })
            .result;
    }
    last
}

#[test]
fn a_node_that_begins_with_a_snapshot_goes_on_as_the_chain() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (alice, bob) = (Wallet::new(1), Wallet::new(2));
    let from = node(one.path(), 3);
    chain(&from, 12);
    let heights: Vec<_> = from
        .list_snapshots()
        .snapshots
        .iter()
        .map(|s| s.height)
        .collect();
    assert_eq!(heights, [12, 9], "the newest two");
    let snapshot = from.list_snapshots().snapshots.remove(0);
    let hash = from.info(RequestInfo::default()).last_block_app_hash;

    let app = node(two.path(), 0);
    // A peer that lies about the app hash, or sends another chunk, changes nothing.
    assert_eq!(offer(&app, &snapshot, &[9; 32]), i32::from(Offer::Accept));
    assert_eq!(
        apply(&app, &from, &snapshot),
        i32::from(Verdict::RejectSnapshot)
    );
    assert_eq!(offer(&app, &snapshot, &hash), i32::from(Offer::Accept));
    let torn = app.apply_snapshot_chunk(RequestApplySnapshotChunk {
        index: 0,
        chunk: b"x".to_vec().into(),
        sender: "liar".into(),
    });
    assert_eq!(torn.result, i32::from(Verdict::Retry));
    assert_eq!(
        (torn.refetch_chunks, torn.reject_senders),
        (vec![0], vec!["liar".into()])
    );
    assert_eq!(app.info(RequestInfo::default()).last_block_height, 0);
    assert_eq!(apply(&app, &from, &snapshot), i32::from(Verdict::Accept));

    let same = |a: &App, b: &App| {
        let [a, b] = [a, b].map(|n| n.info(RequestInfo::default()));
        assert_eq!(
            (a.last_block_height, a.last_block_app_hash),
            (b.last_block_height, b.last_block_app_hash)
        );
    };
    same(&app, &from);
    // Both go on alike, the mempool too, and the state, with its code, outlives a restart.
    let next = Build::new(&alice, &bob.address, 12).bytes();
    assert_eq!(check(&app, next.clone()).code, 0);
    for node in [&app, &from] {
        assert_eq!(block(node, 13, std::slice::from_ref(&next))[0].code, 0);
    }
    same(&app, &from);
    drop(app);
    let app = node(two.path(), 0);
    same(&app, &from);
    assert_eq!(balance(&app, &bob.address), 130);
    for id in 1..=3 {
        let ask = |node: &App| -> QueryCodeResponse {
            let req = QueryCodeRequest { code_id: id };
            query(node, "/cosmwasm.wasm.v1.Query/Code", &req).unwrap()
        };
        assert_eq!(ask(&app), ask(&from));
    }
    assert_eq!(app.export().unwrap(), from.export().unwrap());
    // A node that has a state takes no other.
    assert_eq!(offer(&app, &snapshot, &hash), i32::from(Offer::Abort));
}
