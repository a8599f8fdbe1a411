//! Our side: the application in this process with its state on disk, and what its calls take.

use super::workload::{Block, Reader, START};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use ember_abci_app::{
    app::{App, AppOptions, sync::SnapshotOptions},
    store::pruning::Pruning,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Instant,
};
use tendermint_abci::Application;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{
        abci::{
            CheckTxType, RequestCheckTx, RequestFinalizeBlock, RequestInitChain,
            RequestProcessProposal, RequestQuery, response_process_proposal::ProposalStatus,
        },
        types::{BlockParams, ConsensusParams},
    },
};

/// What a block took. The peer prints the same.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Its workload.
    pub workload: String,
    /// Its height.
    pub block: i64,
    /// How many transactions.
    pub txs: usize,
    /// Whether they went through CheckTx first.
    pub checked: bool,
    /// All CheckTx.
    pub check_ms: f64,
    /// ProcessProposal.
    pub process_ms: f64,
    /// FinalizeBlock.
    pub finalize_ms: f64,
    /// Commit.
    pub commit_ms: f64,
    /// Gas that the transactions used.
    pub gas: i64,
    /// Queries answered during the last three.
    pub queries: u64,
    /// Whether every transaction was executed.
    pub ok: bool,
}

impl Figures {
    /// What is measured: from the proposal to the durable state.
    pub fn total_ms(&self) -> f64 {
        self.process_ms + self.finalize_ms + self.commit_ms
    }
}

/// The chain.
pub struct Ours {
    app: App,
    height: i64,
}

impl Ours {
    /// A new chain below `home`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(home: &Path, genesis: &Value) -> Result<Self> {
        let app = App::open(AppOptions {
            home: home.into(),
            min_gas_prices: Vec::new(),
            query_gas_limit: 50_000_000,
            // The SDK's default, on both sides: what 21 days need.
            pruning: Pruning::parse("default", 0)?,
            snapshots: SnapshotOptions::default(),
        })?;
        app.init_chain(RequestInitChain {
            chain_id: genesis["chain_id"].as_str().unwrap_or_default().into(),
            time: at(START),
            initial_height: 1,
            app_state_bytes: genesis["app_state"].to_string().into(),
            consensus_params: Some(ConsensusParams {
                block: Some(BlockParams {
                    max_bytes: 22_020_096,
                    max_gas: -1,
                }),
                ..ConsensusParams::default()
            }),
            ..RequestInitChain::default()
        });
        Ok(Self { app, height: 0 })
    }

    /// The application, to be served.
    pub fn app(&self) -> App {
        self.app.clone()
    }

    /// Executes a block.
    ///
    /// # Errors
    /// When a transaction fails: figures of failures mean nothing.
    pub fn run(&mut self, block: &Block) -> Result<Figures> {
        self.height += 1;
        let name = || format!("block {} ({})", self.height, block.workload);
        let mut start = Instant::now();
        if block.check {
            for (i, tx) in block.txs.iter().enumerate() {
                let answer = self.app.check_tx(check(tx.clone()));
                let name = name();
                ensure!(
                    answer.code == 0,
                    "{name}: CheckTx of transaction {i}: {}",
                    answer.log
                );
            }
        }
        let check_ms = lap(&mut start);
        let done = AtomicBool::new(false);
        let queries = AtomicU64::new(0);
        let measured = thread::scope(|s| {
            for reader in &block.readers {
                s.spawn(|| read(&self.app, reader, &done, &queries));
            }
            let measured = self.measure(block);
            done.store(true, Ordering::SeqCst);
            measured
        });
        let ([process_ms, finalize_ms, commit_ms], gas) = measured.with_context(name)?;
        Ok(Figures {
            workload: block.workload.into(),
            block: self.height,
            txs: block.txs.len(),
            checked: block.check,
            check_ms,
            process_ms,
            finalize_ms,
            commit_ms,
            gas,
            queries: queries.load(Ordering::SeqCst),
            ok: true,
        })
    }

    /// The three calls of a block, in milliseconds, and its gas.
    fn measure(&self, block: &Block) -> Result<([f64; 3], i64)> {
        let proposal = RequestProcessProposal {
            txs: block.txs.clone(),
            height: self.height,
            time: at(block.time),
            ..RequestProcessProposal::default()
        };
        let decided = RequestFinalizeBlock {
            txs: block.txs.clone(),
            height: self.height,
            time: at(block.time),
            ..RequestFinalizeBlock::default()
        };
        let mut start = Instant::now();
        let proposal = self.app.process_proposal(proposal);
        let process = lap(&mut start);
        ensure!(
            proposal.status == ProposalStatus::Accept as i32,
            "the proposal was rejected"
        );
        let answer = self.app.finalize_block(decided);
        let finalize = lap(&mut start);
        self.app.commit();
        let commit = lap(&mut start);
        let mut gas = 0;
        ensure!(
            answer.tx_results.len() == block.txs.len(),
            "results are missing"
        );
        for (i, result) in answer.tx_results.iter().enumerate() {
            ensure!(result.code == 0, "transaction {i}: {}", result.log);
            gas += result.gas_used;
        }
        Ok(([process, finalize, commit], gas))
    }
}

/// Asks until the block is done.
fn read(app: &App, reader: &Reader, done: &AtomicBool, queries: &AtomicU64) {
    while !done.load(Ordering::Relaxed) {
        let answer = app.query(RequestQuery {
            path: reader.path.clone(),
            data: reader.data.clone(),
            ..RequestQuery::default()
        });
        assert_eq!(answer.code, 0, "{}: {}", reader.path, answer.log);
        queries.fetch_add(1, Ordering::Relaxed);
    }
}

/// A new transaction's check.
pub fn check(tx: Bytes) -> RequestCheckTx {
    RequestCheckTx {
        tx,
        r#type: CheckTxType::New as i32,
    }
}

const fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

/// Milliseconds since `start`, which becomes now.
fn lap(start: &mut Instant) -> f64 {
    let now = Instant::now();
    let took = now.duration_since(*start);
    *start = now;
    took.as_secs_f64() * 1_000.0
}
