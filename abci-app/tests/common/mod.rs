//! A small application in memory, whose state outlives it so that restarts and rollbacks can be played.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use ember_abci_app::engine::{Node, Options, keys::Key};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::*;

type Map = BTreeMap<String, String>;

/// `key=value` sets; `bad…` is refused by CheckTx; `fail…` fails in its block.
#[derive(Clone, Default)]
pub struct Kv {
    /// Committed states by height.
    pub disk: Arc<Mutex<Vec<Map>>>,
    pending: Arc<Mutex<Map>>,
    /// Panic at the next commit.
    pub crash_at_commit: Arc<AtomicBool>,
    /// Makes app hashes differ.
    pub salt: Arc<AtomicU64>,
    pub rechecks: Arc<AtomicU64>,
}

impl Kv {
    fn hash(&self, map: &Map) -> Vec<u8> {
        let text = format!("{map:?}{}", self.salt.load(Ordering::SeqCst));
        Sha256::digest(text).to_vec()
    }

    pub fn height(&self) -> usize {
        self.disk.lock().len()
    }

    /// Forget the last commits.
    pub fn rewind(&self, to: usize) {
        self.disk.lock().truncate(to);
    }
}

impl Application for Kv {
    fn info(&self, _: RequestInfo) -> ResponseInfo {
        let disk = self.disk.lock();
        ResponseInfo {
            data: "kv".into(),
            app_version: 1,
            last_block_height: i64::try_from(disk.len()).unwrap(),
            last_block_app_hash: disk.last().map(|m| self.hash(m)).unwrap_or_default().into(),
            ..ResponseInfo::default()
        }
    }

    fn init_chain(&self, _: RequestInitChain) -> ResponseInitChain {
        ResponseInitChain {
            app_hash: self.hash(&Map::new()).into(),
            ..ResponseInitChain::default()
        }
    }

    fn check_tx(&self, r: RequestCheckTx) -> ResponseCheckTx {
        if r.r#type == CheckTxType::Recheck as i32 {
            self.rechecks.fetch_add(1, Ordering::SeqCst);
        }
        let bad = r.tx.starts_with(b"bad");
        ResponseCheckTx {
            code: if bad { 7 } else { 0 },
            codespace: if bad { "kv".into() } else { String::new() },
            log: if bad { "bad".into() } else { String::new() },
            gas_wanted: 1,
            ..ResponseCheckTx::default()
        }
    }

    fn query(&self, r: RequestQuery) -> ResponseQuery {
        let disk = self.disk.lock();
        let key = String::from_utf8_lossy(&r.data).into_owned();
        let value = disk.last().and_then(|m| m.get(&key)).cloned();
        ResponseQuery {
            code: if value.is_some() { 0 } else { 22 },
            value: value.unwrap_or_default().into_bytes().into(),
            height: i64::try_from(disk.len()).unwrap(),
            ..ResponseQuery::default()
        }
    }

    fn finalize_block(&self, r: RequestFinalizeBlock) -> ResponseFinalizeBlock {
        let mut map = self.disk.lock().last().cloned().unwrap_or_default();
        let attribute = |key: &str, value: &str| EventAttribute {
            key: key.into(),
            value: value.into(),
            index: true,
        };
        let tx_results = r
            .txs
            .iter()
            .map(|tx| {
                let text = String::from_utf8_lossy(tx).into_owned();
                let (key, value) = text.split_once('=').unwrap_or((&text, ""));
                let fail = key.starts_with("fail");
                if !fail {
                    map.insert(key.into(), value.into());
                }
                ExecTxResult {
                    code: if fail { 5 } else { 0 },
                    data: if fail { Default::default() } else { tx.clone() },
                    gas_wanted: 10,
                    gas_used: 3,
                    events: vec![Event {
                        r#type: "kv".into(),
                        attributes: vec![
                            attribute("key", key),
                            attribute("size", &value.len().to_string()),
                        ],
                    }],
                    ..ExecTxResult::default()
                }
            })
            .collect();
        let app_hash = self.hash(&map).into();
        *self.pending.lock() = map;
        ResponseFinalizeBlock {
            tx_results,
            app_hash,
            events: vec![Event {
                r#type: "ended".into(),
                attributes: vec![attribute(
                    "even",
                    if r.height % 2 == 0 { "yes" } else { "no" },
                )],
            }],
            ..ResponseFinalizeBlock::default()
        }
    }

    fn commit(&self) -> ResponseCommit {
        assert!(
            !self.crash_at_commit.load(Ordering::SeqCst),
            "crash at commit"
        );
        self.disk.lock().push(self.pending.lock().clone());
        ResponseCommit::default()
    }
}

/// A home with keys and a genesis of one validator.
pub fn home(dir: &Path) {
    let config = dir.join("config");
    std::fs::create_dir_all(&config).unwrap();
    let key = Key::generate();
    key.save_validator(&config.join("priv_validator_key.json"))
        .unwrap();
    std::fs::write(config.join("genesis.json"), genesis(&key).to_string()).unwrap();
}

pub fn genesis(key: &Key) -> serde_json::Value {
    serde_json::json!({
        "genesis_time": "2026-01-02T03:04:05.678Z",
        "chain_id": "kv-1",
        "initial_height": "1",
        "consensus_params": {
            "block": { "max_bytes": "200000", "max_gas": "1000" },
            "evidence": { "max_age_num_blocks": "100000", "max_age_duration": "172800000000000", "max_bytes": "1000" },
            "validator": { "pub_key_types": ["ed25519"] },
            "version": { "app": "1" },
            "abci": { "vote_extensions_enable_height": "0" },
        },
        "validators": [{
            "address": hex::encode_upper(key.address()),
            "pub_key": ember_abci_app::engine::keys::pub_key_json(&key.public()),
            "power": "10",
            "name": "one",
        }],
        "app_hash": "",
        "app_state": {},
    })
}

/// Options with an interval that no test waits for.
pub fn options(home: &Path) -> Options {
    Options {
        empty_block_interval: Duration::from_secs(3600),
        ..Options::new(home)
    }
}

pub fn open(app: &Kv, home: &Path) -> Arc<Node<Kv>> {
    Node::open(app.clone(), options(home)).unwrap()
}
