//! The embedded engine: what it makes verifies, and no crash loses or forks anything.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Kv, home, open, options};
use ed25519_consensus::{Signature, VerificationKey};
use ember_abci_app::engine::{
    Node,
    chain::{block_id, commit_hash, data_hash, header_hash, sign_bytes},
    keys::Key,
    mempool::Refused,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
};

fn send(node: &Node<Kv>, tx: &str) {
    assert_eq!(node.broadcast(tx.to_owned().into()).unwrap().code, 0);
}

/// Every block links to the one before, and its commit carries the validator's signature.
fn verify(node: &Node<Kv>) {
    let mut last = None;
    for height in 1..=node.height() {
        let block = node.store().block(height).unwrap().unwrap();
        let header = block.header.clone().unwrap();
        let id = block_id(&block);
        assert_eq!(id.hash, header_hash(&header));
        assert_eq!(id.hash.len(), 32);
        assert_eq!(
            header.data_hash,
            data_hash(&block.data.as_ref().unwrap().txs)
        );
        let last_commit = block.last_commit.clone().unwrap();
        assert_eq!(header.last_commit_hash, commit_hash(&last_commit));
        if let Some((last_id, last_time)) = last {
            assert_eq!(header.last_block_id, Some(last_id));
            assert_eq!(last_commit.block_id, header.last_block_id);
            let time = header.time.unwrap();
            assert!((time.seconds, time.nanos) > last_time, "time increases");
            // As in CometBFT, the header's time is the one of the votes.
            assert_eq!(last_commit.signatures[0].timestamp, header.time);
            signed(node, height - 1, &last_commit);
        }
        signed(node, height, &node.store().commit(height).unwrap().unwrap());
        let time = header.time.unwrap();
        last = Some((id, (time.seconds, time.nanos)));
        // A client of tendermint-rs reads it, and comes to the same hash.
        let tendermint: tendermint::Block = block.try_into().unwrap();
        assert_eq!(tendermint.header.hash().as_bytes(), header_hash(&header));
    }
}

fn signed(node: &Node<Kv>, height: u64, commit: &tendermint_proto::v0_38::types::Commit) {
    assert_eq!(commit.height, i64::try_from(height).unwrap());
    let vote = &commit.signatures[0];
    let id = commit.block_id.as_ref().unwrap();
    let bytes = sign_bytes("kv-1", commit.height, id, vote.timestamp.unwrap());
    VerificationKey::try_from(node.validator())
        .unwrap()
        .verify(&Signature::try_from(&*vote.signature).unwrap(), &bytes)
        .unwrap();
    // tendermint-rs signs the same bytes.
    let commit: tendermint::block::Commit = commit.clone().try_into().unwrap();
    let tendermint::block::CommitSig::BlockIdFlagCommit {
        validator_address,
        timestamp,
        signature,
    } = commit.signatures[0].clone()
    else {
        panic!("a vote for the block")
    };
    let vote = tendermint::Vote {
        vote_type: tendermint::vote::Type::Precommit,
        height: commit.height,
        round: commit.round,
        block_id: Some(commit.block_id),
        timestamp: Some(timestamp),
        validator_address,
        validator_index: 0u32.try_into().unwrap(),
        signature,
        extension: Vec::new(),
        extension_signature: None,
    };
    assert_eq!(vote.into_signable_vec("kv-1".try_into().unwrap()), bytes);
}

#[test]
fn blocks_verify_and_hold_what_was_sent() {
    let dir = tempfile::tempdir().unwrap();
    home(dir.path());
    let app = Kv::default();
    let node = open(&app, dir.path());
    assert_eq!(node.make_block().unwrap(), 1);
    send(&node, "a=1");
    send(&node, "fail=1");
    assert_eq!(node.broadcast("bad".into()).unwrap().code, 7);
    assert_eq!(node.broadcast("a=1".into()).unwrap_err(), Refused::InCache);
    assert_eq!(node.make_block().unwrap(), 2);
    assert_eq!(node.make_block().unwrap(), 3);
    assert_eq!(node.mempool().size(), (0, 0));
    let tx = node
        .tx(&ember_abci_app::engine::chain::tx_hash(b"fail=1"))
        .unwrap()
        .unwrap();
    assert_eq!((tx.height, tx.index, tx.result.code), (2, 1, 5));
    assert_eq!(app.disk.lock()[2]["a"], "1");
    verify(&node);
    let first = node.store().block(1).unwrap().unwrap().header.unwrap();
    assert_eq!(
        first.time.unwrap().seconds,
        1_767_323_045,
        "the first block has genesis time"
    );
    assert_eq!(first.version.unwrap().app, 1);
}

#[test]
fn a_big_mempool_is_cut_into_blocks() {
    let dir = tempfile::tempdir().unwrap();
    home(dir.path());
    let node = open(&Kv::default(), dir.path());
    for i in 0..10 {
        send(&node, &format!("k{i}={}", "x".repeat(30_000)));
    }
    node.make_block().unwrap();
    let block = node.store().block(1).unwrap().unwrap();
    let parts = block_id(&block).part_set_header.unwrap().total;
    assert_eq!(
        (block.data.unwrap().txs.len(), parts),
        (6, 3),
        "200 kB a block in parts of 64 KiB"
    );
    node.make_block().unwrap();
    assert_eq!(node.mempool().size().0, 0);
    verify(&node);
    assert!(node.app().rechecks.load(Ordering::SeqCst) >= 4);
}

#[test]
fn a_restart_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    home(dir.path());
    let app = Kv::default();
    let node = open(&app, dir.path());
    send(&node, "a=1");
    node.make_block().unwrap();
    drop(node);
    let node = open(&app, dir.path());
    assert_eq!(
        node.broadcast("a=1".into()).unwrap_err(),
        Refused::InCache,
        "remembered over a restart"
    );
    node.make_block().unwrap();
    verify(&node);
}

/// A crash after the block was saved and before the application committed: the block is replayed, the same.
#[test]
fn a_crash_before_commit_is_replayed() {
    for at in 1..4usize {
        let dir = tempfile::tempdir().unwrap();
        home(dir.path());
        let app = Kv::default();
        let node = open(&app, dir.path());
        for i in 1..at {
            send(&node, &format!("k{i}=v"));
            node.make_block().unwrap();
        }
        send(&node, "last=1");
        app.crash_at_commit.store(true, Ordering::SeqCst);
        catch_unwind(AssertUnwindSafe(|| node.make_block())).unwrap_err();
        assert_eq!(node.height(), at as u64 - 1, "clients do not see it yet");
        assert!(
            node.tx(&ember_abci_app::engine::chain::tx_hash(b"last=1"))
                .unwrap()
                .is_none()
        );
        drop(node);
        app.crash_at_commit.store(false, Ordering::SeqCst);
        let node = open(&app, dir.path());
        assert_eq!((node.height(), app.height()), (at as u64, at));
        assert_eq!(app.disk.lock()[at - 1]["last"], "1");
        node.make_block().unwrap();
        verify(&node);
    }
}

#[test]
fn an_application_that_lost_its_disk_is_brought_back() {
    let dir = tempfile::tempdir().unwrap();
    home(dir.path());
    let app = Kv::default();
    let node = open(&app, dir.path());
    for i in 0..5 {
        send(&node, &format!("k{i}=v"));
        node.make_block().unwrap();
    }
    drop(node);
    let whole = app.disk.lock().clone();
    for to in [4, 2, 0] {
        app.rewind(to);
        drop(open(&app, dir.path()));
        assert_eq!(*app.disk.lock(), whole);
    }
}

#[test]
fn what_does_not_fit_is_refused_with_a_reason() {
    let refused = |app: &Kv, dir: &std::path::Path, text: &str| {
        let error = Node::open(app.clone(), options(dir))
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(text), "{error}");
    };
    let dir = tempfile::tempdir().unwrap();
    let app = Kv::default();
    refused(&app, dir.path(), "emberd init");
    home(dir.path());
    let node = open(&app, dir.path());
    node.make_block().unwrap();
    send(&node, "a=1");
    node.make_block().unwrap();
    refused(&app, dir.path(), "block store");
    drop(node);
    // Another version of the application.
    app.salt.store(1, Ordering::SeqCst);
    refused(&app, dir.path(), "app hash");
    app.rewind(1);
    refused(&app, dir.path(), "not deterministic");
    app.salt.store(0, Ordering::SeqCst);
    drop(open(&app, dir.path()));
    // An application that is ahead.
    let blocks = dir.path().join("data/blocks.db");
    let kept = std::fs::read(&blocks).unwrap();
    std::fs::remove_file(&blocks).unwrap();
    refused(&app, dir.path(), "at most at height 0");
    std::fs::write(&blocks, kept).unwrap();
    // Another genesis.
    let genesis = dir.path().join("config/genesis.json");
    let text = std::fs::read_to_string(&genesis).unwrap();
    std::fs::write(&genesis, text.replace("one", "two")).unwrap();
    refused(&app, dir.path(), "genesis.json");
    std::fs::write(&genesis, text).unwrap();
    // Another validator's key.
    let key = dir.path().join("config/priv_validator_key.json");
    std::fs::remove_file(&key).unwrap();
    Key::generate().save_validator(&key).unwrap();
    refused(&app, dir.path(), "two thirds");
}

/// Blocks come as soon as something is pending; without, only each interval.
#[test]
fn the_thread_makes_a_block_when_something_is_pending() {
    let dir = tempfile::tempdir().unwrap();
    home(dir.path());
    let node = open(&Kv::default(), dir.path());
    let thread = node.spawn().unwrap();
    let mut blocks = node.subscribe();
    for i in 0..20 {
        send(&node, &format!("k{i}=v"));
        loop {
            blocks.blocking_recv().unwrap();
            let hash = ember_abci_app::engine::chain::tx_hash(format!("k{i}=v").as_bytes());
            if node.tx(&hash).unwrap().is_some() {
                break;
            }
        }
    }
    node.stop();
    thread.join().unwrap().unwrap();
    assert!((20..=22).contains(&node.height()), "{}", node.height());
    verify(&node);
}
