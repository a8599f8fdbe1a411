//! The engine itself: one thread makes blocks, any number of threads broadcast and read.

use super::{
    bus::{Committed, Event, events_of},
    chain::{
        State, block_id, commit_info, make_block, no_commit, results_hash, sign_commit,
        update_params, update_validators, validators_hash,
    },
    error::{Error, Result},
    handshake::{GenesisFile, can_decide, finalize_request, handshake},
    keys::Key,
    mempool::{Limits, Mempool, Refused},
    store::{Record, Store},
};
use bytes::Bytes;
use parking_lot::{Condvar, Mutex, RwLock};
use prost::Message;
use std::{
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tendermint_abci::Application;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{
        abci::{
            ExecTxResult, ExtendedCommitInfo, ExtendedVoteInfo, RequestPrepareProposal,
            RequestProcessProposal, ResponseCheckTx, response_process_proposal::ProposalStatus,
        },
        types::{Block, Commit},
    },
};
use tokio::sync::broadcast;

/// The version that the engine speaks as.
pub const COMETBFT_VERSION: &str = "0.38.25";
/// Room for header, last commit and framing of a block.
const BLOCK_OVERHEAD: usize = 4_096;
/// CometBFT's largest block.
const MAX_BLOCK_BYTES: i64 = 104_857_600;

/// How the engine runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The chain's home: `config/` and `data/` below it.
    pub home: PathBuf,
    /// A block is made at least this often, with or without transactions.
    pub empty_block_interval: Duration,
    /// Bounds of the mempool.
    pub mempool: Limits,
}

impl Options {
    /// A block a second, the default mempool.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self {
            home: home.into(),
            empty_block_interval: Duration::from_secs(1),
            mempool: Limits::default(),
        }
    }
}

/// One transaction's place and result.
#[derive(Debug, Clone)]
pub struct TxRecord {
    /// Height of its block.
    pub height: u64,
    /// Its place in the block.
    pub index: u32,
    /// Itself.
    pub tx: Vec<u8>,
    /// What the application answered.
    pub result: ExecTxResult,
    /// Every transaction of the block, for a proof.
    pub block_txs: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Signal {
    pending: bool,
    stop: bool,
}

/// A running chain of one validator.
pub struct Node<A> {
    app: Mutex<A>,
    store: Store,
    mempool: Mempool,
    state: RwLock<State>,
    key: Key,
    genesis: GenesisFile,
    bus: broadcast::Sender<Arc<Event>>,
    signal: Mutex<Signal>,
    wake: Condvar,
    options: Options,
}

impl<A: Application> Node<A> {
    /// Open the store, run InitChain or replay what the application lacks.
    ///
    /// # Errors
    /// When files are missing or application, store and genesis do not fit together.
    pub fn open(app: A, options: Options) -> Result<Arc<Self>> {
        let genesis = GenesisFile::load(&options.home.join("config/genesis.json"))?;
        let key = Key::load(&options.home.join("config/priv_validator_key.json"))?;
        let data = options.home.join("data");
        std::fs::create_dir_all(&data).map_err(|e| Error::file(&data, "a folder", e))?;
        let store = Store::open(&data.join("blocks.db"))?;
        let state = handshake(&app, &store, &genesis, &key)?;
        let mempool = Mempool::new(options.mempool);
        for height in (1..=state.height.cast_unsigned()).rev().take(20) {
            if let (Some(block), Some(results)) = (store.block(height)?, store.results(height)?) {
                let txs = block.data.unwrap_or_default().txs;
                let good = txs.iter().zip(&results.tx_results);
                mempool.committed(good.filter(|(_, r)| r.code == 0).map(|(t, _)| t.as_slice()));
            }
        }
        Ok(Arc::new(Self {
            app: Mutex::new(app),
            store,
            mempool,
            state: RwLock::new(state),
            key,
            genesis,
            bus: broadcast::channel(4_096).0,
            signal: Mutex::default(),
            wake: Condvar::new(),
            options,
        }))
    }

    /// Make blocks on a thread of its own until [`Self::stop`]. The thread's result is the reason of its end.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn spawn(self: &Arc<Self>) -> std::io::Result<thread::JoinHandle<Result<()>>> {
        let node = Arc::clone(self);
        thread::Builder::new()
            .name("consensus".into())
            .spawn(move || node.run())
    }

    /// Make blocks until [`Self::stop`].
    ///
    /// # Errors
    /// When the disk or the application fails; nothing is half done then.
    pub fn run(&self) -> Result<()> {
        // The first block does not wait.
        let mut busy = self.height() == 0;
        while self.wait(busy) {
            let height = self.make_block()?;
            // What an empty block left behind in the mempool waits for the interval.
            let last = self.store.results(height.cast_unsigned())?;
            busy = last.is_some_and(|r| !r.tx_results.is_empty()) && self.mempool.size().0 > 0;
        }
        Ok(())
    }

    /// Stop after the block in work.
    pub fn stop(&self) {
        self.signal.lock().stop = true;
        self.wake.notify_all();
    }

    /// Until transactions are pending or the interval is over. False: stop.
    fn wait(&self, at_once: bool) -> bool {
        let deadline = Instant::now() + self.options.empty_block_interval;
        let mut signal = self.signal.lock();
        while !signal.stop && !signal.pending && !at_once {
            if self.wake.wait_until(&mut signal, deadline).timed_out() {
                break;
            }
        }
        signal.pending = false;
        !signal.stop
    }

    /// Make one block now and return its height.
    ///
    /// # Errors
    /// When the disk or the application fails.
    pub fn make_block(&self) -> Result<i64> {
        let started = Instant::now();
        let app = self.app();
        let before = self.state.read().clone();
        let height = before.next_height();
        let time = self.next_time(&before);
        let last_commit = match &before.last_block_id {
            None => no_commit(),
            Some(id) => sign_commit(
                &self.key,
                &before.chain_id,
                before.height,
                id,
                time,
                &before.last_validators,
            ),
        };
        let block = self.propose(&app, &before, time, last_commit)?;
        let id = block_id(&block);
        let results =
            app.finalize_block(finalize_request(&block, &id.hash, &before.last_validators));
        let txs = block.data.as_ref().map_or(&[][..], |d| &d.txs);
        if results.tx_results.len() != txs.len() {
            return Err(Error::Application {
                height,
                expected: format!("{} transaction results", txs.len()),
                got: results.tx_results.len().to_string(),
            });
        }
        let next_validators =
            update_validators(&before.next_validators, &results.validator_updates).map_err(
                |got| Error::Application {
                    height,
                    expected: "valid validator updates".into(),
                    got,
                },
            )?;
        let params = update_params(&before.params, results.consensus_param_updates.as_ref());
        let after = State {
            chain_id: before.chain_id.clone(),
            initial_height: before.initial_height,
            height,
            last_block_id: Some(id.clone()),
            last_time: Some(time),
            app_hash: results.app_hash.to_vec(),
            last_results_hash: results_hash(&results.tx_results),
            last_validators: before.validators.clone(),
            validators: before.next_validators.clone(),
            next_validators,
            app_version: params
                .version
                .map_or(before.app_version, |v| v.app.max(before.app_version)),
            params,
        };
        can_decide(&after.validators, &self.key)?;
        let commit = sign_commit(
            &self.key,
            &before.chain_id,
            height,
            &id,
            later(now(), time),
            &before.validators,
        );
        self.store.save(&Record {
            block: &block,
            commit: &commit,
            results: &results,
            before: &before,
            after: &after,
            genesis_hash: self.genesis.hash,
        })?;
        {
            let mut locked = self.mempool.lock();
            app.commit();
            let codes: Vec<_> = results.tx_results.iter().map(|r| r.code).collect();
            self.mempool.update(&mut locked, &app, txs, &codes);
            // Inside the lock: a client that reads the new height finds check state after it.
            *self.state.write() = after;
        }
        let count = txs.len();
        self.publish(Committed { block, id, results });
        tracing::debug!(
            height,
            txs = count,
            ms = started.elapsed().as_millis(),
            "committed"
        );
        Ok(height)
    }

    fn propose(
        &self,
        app: &A,
        state: &State,
        time: Timestamp,
        last_commit: Commit,
    ) -> Result<Block> {
        let limits = state.params.block.unwrap_or_default();
        let max_bytes = match limits.max_bytes {
            ..0 => MAX_BLOCK_BYTES,
            n => n.min(MAX_BLOCK_BYTES),
        };
        let max_bytes = usize::try_from(max_bytes)
            .unwrap_or_default()
            .saturating_sub(BLOCK_OVERHEAD + last_commit.encoded_len());
        let height = state.next_height();
        let next_validators_hash: Bytes = validators_hash(&state.next_validators).into();
        let proposer = self.key.address();
        let info = commit_info(&last_commit, &state.last_validators);
        let txs = app
            .prepare_proposal(RequestPrepareProposal {
                max_tx_bytes: i64::try_from(max_bytes).unwrap_or(i64::MAX),
                txs: self.mempool.reap(max_bytes, limits.max_gas),
                local_last_commit: Some(ExtendedCommitInfo {
                    round: info.round,
                    votes: info
                        .votes
                        .iter()
                        .map(|v| ExtendedVoteInfo {
                            validator: v.validator.clone(),
                            block_id_flag: v.block_id_flag,
                            ..ExtendedVoteInfo::default()
                        })
                        .collect(),
                }),
                misbehavior: Vec::new(),
                height,
                time: Some(time),
                next_validators_hash: next_validators_hash.clone(),
                proposer_address: proposer.to_vec().into(),
            })
            .txs;
        let bytes: usize = txs.iter().map(Bytes::len).sum();
        if bytes > max_bytes {
            return Err(Error::Application {
                height,
                expected: format!("at most {max_bytes} bytes from PrepareProposal"),
                got: bytes.to_string(),
            });
        }
        let txs: Vec<_> = txs.iter().map(|t| t.to_vec()).collect();
        let block = make_block(state, time, txs, last_commit, proposer);
        let status = app
            .process_proposal(RequestProcessProposal {
                txs: block
                    .data
                    .iter()
                    .flat_map(|d| &d.txs)
                    .map(|t| t.clone().into())
                    .collect(),
                proposed_last_commit: Some(info),
                misbehavior: Vec::new(),
                hash: block_id(&block).hash.into(),
                height,
                time: Some(time),
                next_validators_hash,
                proposer_address: proposer.to_vec().into(),
            })
            .status;
        if status != ProposalStatus::Accept as i32 {
            return Err(Error::Application {
                height,
                expected: "ProcessProposal to accept what PrepareProposal made".into(),
                got: format!("status {status}"),
            });
        }
        Ok(block)
    }

    /// Genesis time for the first block, as in CometBFT; then the wall clock, and at least a millisecond later.
    fn next_time(&self, state: &State) -> Timestamp {
        let last = state.last_time.unwrap_or_default();
        if state.height == 0 {
            last
        } else {
            later(now(), last)
        }
    }

    fn publish(&self, committed: Committed) {
        if self.bus.receiver_count() > 0 {
            for event in events_of(&Arc::new(committed)) {
                // Nobody listens any more: nothing to tell.
                self.bus.send(Arc::new(event)).ok();
            }
        }
    }

    /// Check a transaction and, when the application takes it, let a block be made.
    ///
    /// # Errors
    /// When the mempool refuses it.
    pub fn broadcast(&self, tx: Bytes) -> Result<ResponseCheckTx, Refused> {
        let app = self.app();
        let max_gas = self.state.read().params.block.map_or(-1, |b| b.max_gas);
        let answer = self.mempool.check(&app, tx, max_gas)?;
        if answer.code == 0 {
            self.signal.lock().pending = true;
            self.wake.notify_all();
        }
        Ok(answer)
    }

    /// A handle on the application.
    pub fn app(&self) -> A {
        self.app.lock().clone()
    }

    /// The state after the last committed block.
    pub fn state(&self) -> State {
        self.state.read().clone()
    }

    /// The height that clients see: committed by the application.
    pub fn height(&self) -> u64 {
        u64::try_from(self.state.read().height).unwrap_or_default()
    }

    /// The oldest height there is.
    pub fn base(&self) -> u64 {
        u64::try_from(self.state.read().initial_height).unwrap_or(1)
    }

    /// The block store. It may be one height ahead of [`Self::height`].
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The mempool.
    pub fn mempool(&self) -> &Mempool {
        &self.mempool
    }

    /// The genesis file.
    pub fn genesis(&self) -> &GenesisFile {
        &self.genesis
    }

    /// The validator's public key.
    pub fn validator(&self) -> [u8; 32] {
        self.key.public()
    }

    /// Hear of every block from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.bus.subscribe()
    }

    /// The committed transaction with this hash.
    ///
    /// # Errors
    /// When the store does not read.
    pub fn tx(&self, hash: &[u8]) -> Result<Option<TxRecord>> {
        match self.store.tx(hash)? {
            Some((height, index)) if height <= self.height() => self.tx_at(height, index).map(Some),
            _ => Ok(None),
        }
    }

    /// The transaction at a place.
    ///
    /// # Errors
    /// When the store does not have it.
    pub fn tx_at(&self, height: u64, index: u32) -> Result<TxRecord> {
        let missing = || Error::corrupt(format!("transaction {index} of block {height}"), "none");
        let block_txs = self
            .store
            .block(height)?
            .and_then(|b| b.data)
            .ok_or_else(missing)?
            .txs;
        let results = self.store.results(height)?.ok_or_else(missing)?.tx_results;
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        Ok(TxRecord {
            height,
            index,
            tx: block_txs.get(at).cloned().ok_or_else(missing)?,
            result: results.into_iter().nth(at).ok_or_else(missing)?,
            block_txs,
        })
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos()).unwrap_or_default(),
    }
}

/// `time`, but at least a millisecond after `last`.
fn later(time: Timestamp, last: Timestamp) -> Timestamp {
    const MILLI: i32 = 1_000_000;
    const SECOND: i32 = 1_000_000_000;
    let nanos = last.nanos.saturating_add(MILLI);
    let least = Timestamp {
        seconds: last.seconds + i64::from(nanos / SECOND),
        nanos: nanos % SECOND,
    };
    if (time.seconds, time.nanos) > (least.seconds, least.nanos) {
        time
    } else {
        least
    }
}
