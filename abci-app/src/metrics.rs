//! What the node counts, as Prometheus reads it. Nothing here may touch consensus.

use parking_lot::Mutex;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{
    CheckTxType, RequestApplySnapshotChunk, RequestCheckTx, RequestExtendVote,
    RequestFinalizeBlock, RequestInfo, RequestInitChain, RequestLoadSnapshotChunk,
    RequestOfferSnapshot, RequestPrepareProposal, RequestProcessProposal, RequestQuery,
    RequestVerifyVoteExtension, ResponseApplySnapshotChunk, ResponseCheckTx, ResponseCommit,
    ResponseExtendVote, ResponseFinalizeBlock, ResponseInfo, ResponseInitChain,
    ResponseListSnapshots, ResponseLoadSnapshotChunk, ResponseOfferSnapshot,
    ResponsePrepareProposal, ResponseProcessProposal, ResponseQuery, ResponseVerifyVoteExtension,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Check {
    kind: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Service {
    service: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    server: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Server {
    server: &'static str,
}

/// The counters of one node. Clones share them.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    height: Gauge,
    block_time: Gauge,
    txs: Family<Outcome, Counter>,
    gas: Counter,
    interval: Histogram,
    execution: Histogram,
    commit: Histogram,
    checks: Family<Check, Counter>,
    queries: Family<Service, Counter>,
    requests: Family<Request, Counter>,
    connections: Family<Server, Gauge>,
    refused: Family<Server, Counter>,
    mempool: Gauge,
    last: Mutex<Option<Instant>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let mut inner = Inner {
            registry: Registry::with_prefix("emberd"),
            height: Gauge::default(),
            block_time: Gauge::default(),
            txs: Family::default(),
            gas: Counter::default(),
            interval: seconds(),
            execution: seconds(),
            commit: seconds(),
            checks: Family::default(),
            queries: Family::default(),
            requests: Family::default(),
            connections: Family::default(),
            refused: Family::default(),
            mempool: Gauge::default(),
            last: Mutex::default(),
        };
        let r = &mut inner.registry;
        r.register("height", "Last committed block", inner.height.clone());
        r.register(
            "block_timestamp_seconds",
            "Time of the last committed block, Unix seconds",
            inner.block_time.clone(),
        );
        r.register("txs", "Transactions in blocks", inner.txs.clone());
        r.register("gas", "Gas used in blocks", inner.gas.clone());
        for (name, help, histogram) in [
            (
                "block_interval",
                "Time between two commits",
                &inner.interval,
            ),
            ("block_execution", "Time of FinalizeBlock", &inner.execution),
            ("block_commit", "Time of Commit", &inner.commit),
        ] {
            r.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        }
        r.register(
            "check_txs",
            "Transactions that the mempool asked about",
            inner.checks.clone(),
        );
        r.register(
            "queries",
            "Queries of the state, by gRPC service; other: by another path",
            inner.queries.clone(),
        );
        r.register(
            "requests",
            "Requests of RPC, gRPC and REST by HTTP status",
            inner.requests.clone(),
        );
        r.register("connections", "Open connections", inner.connections.clone());
        r.register(
            "refused_connections",
            "Connections closed at once, for there were too many",
            inner.refused.clone(),
        );
        r.register(
            "mempool_txs",
            "Transactions that wait in the engine's mempool",
            inner.mempool.clone(),
        );
        Self(Arc::new(inner))
    }
}

impl Metrics {
    /// The exposition, OpenMetrics text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        encode(&mut text, &self.0.registry).ok();
        text
    }

    /// The last committed height.
    pub fn height(&self) -> i64 {
        self.0.height.get()
    }

    /// Sets the last committed height, of a node that starts.
    pub fn set_height(&self, height: u64) {
        self.0.height.set(height.cast_signed());
    }

    /// Sets the number of transactions that wait.
    pub fn set_mempool(&self, txs: i64) {
        self.0.mempool.set(txs);
    }

    /// A request that `server` has answered.
    pub fn request(&self, server: &'static str, status: u16) {
        let label = Request { server, status };
        self.0.requests.get_or_create(&label).inc();
    }

    /// A connection of `server` that has opened.
    pub fn opened(&self, server: &'static str) {
        self.0.connections.get_or_create(&Server { server }).inc();
    }

    /// A connection of `server` that has closed.
    pub fn closed(&self, server: &'static str) {
        self.0.connections.get_or_create(&Server { server }).dec();
    }

    /// A connection of `server` that was one too many.
    pub fn refused(&self, server: &'static str) {
        self.0.refused.get_or_create(&Server { server }).inc();
    }

    fn executed(
        &self,
        request: &RequestFinalizeBlock,
        done: &ResponseFinalizeBlock,
        took: Duration,
    ) {
        for tx in &done.tx_results {
            let result = if tx.code == 0 { "ok" } else { "failed" };
            self.0.txs.get_or_create(&Outcome { result }).inc();
            self.0.gas.inc_by(u64::try_from(tx.gas_used).unwrap_or(0));
        }
        self.0.execution.observe(took.as_secs_f64());
        let time = request.time.map_or(0, |t| t.seconds);
        self.0.block_time.set(time);
        self.0.height.set(request.height);
    }

    fn committed(&self, took: Duration) {
        self.0.commit.observe(took.as_secs_f64());
        let now = Instant::now();
        if let Some(before) = self.0.last.lock().replace(now) {
            self.0.interval.observe((now - before).as_secs_f64());
        }
    }
}

/// Seconds since a Unix time, by this machine's clock; for people, never for consensus.
pub fn age(unix: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |n| n.as_secs().cast_signed() - unix)
}

/// An application whose calls are counted.
#[derive(Clone)]
pub struct Metered<A> {
    app: A,
    metrics: Metrics,
    /// Under what a query's path is counted.
    service: fn(&str) -> Option<&'static str>,
}

impl<A> Metered<A> {
    /// Counts the calls of `app`. `service` says under which of a bounded set of names a query's path is counted.
    pub fn new(app: A, metrics: Metrics, service: fn(&str) -> Option<&'static str>) -> Self {
        Self {
            app,
            metrics,
            service,
        }
    }
}

impl<A: Application> Application for Metered<A> {
    fn query(&self, request: RequestQuery) -> ResponseQuery {
        let service = (self.service)(&request.path).unwrap_or("other");
        let label = Service { service };
        self.metrics.0.queries.get_or_create(&label).inc();
        self.app.query(request)
    }

    fn check_tx(&self, request: RequestCheckTx) -> ResponseCheckTx {
        let kind = match request.r#type == CheckTxType::Recheck as i32 {
            true => "recheck",
            false => "new",
        };
        let answer = self.app.check_tx(request);
        let result = if answer.code == 0 { "ok" } else { "refused" };
        let label = Check { kind, result };
        self.metrics.0.checks.get_or_create(&label).inc();
        answer
    }

    fn finalize_block(&self, request: RequestFinalizeBlock) -> ResponseFinalizeBlock {
        let start = Instant::now();
        let answer = self.app.finalize_block(request.clone());
        self.metrics.executed(&request, &answer, start.elapsed());
        answer
    }

    fn commit(&self) -> ResponseCommit {
        let start = Instant::now();
        let answer = self.app.commit();
        self.metrics.committed(start.elapsed());
        answer
    }

    fn echo(
        &self,
        request: tendermint_proto::v0_38::abci::RequestEcho,
    ) -> tendermint_proto::v0_38::abci::ResponseEcho {
        self.app.echo(request)
    }

    fn info(&self, request: RequestInfo) -> ResponseInfo {
        self.app.info(request)
    }

    fn init_chain(&self, request: RequestInitChain) -> ResponseInitChain {
        self.app.init_chain(request)
    }

    fn flush(&self) -> tendermint_proto::v0_38::abci::ResponseFlush {
        self.app.flush()
    }

    fn prepare_proposal(&self, request: RequestPrepareProposal) -> ResponsePrepareProposal {
        self.app.prepare_proposal(request)
    }

    fn process_proposal(&self, request: RequestProcessProposal) -> ResponseProcessProposal {
        self.app.process_proposal(request)
    }

    fn extend_vote(&self, request: RequestExtendVote) -> ResponseExtendVote {
        self.app.extend_vote(request)
    }

    fn verify_vote_extension(
        &self,
        request: RequestVerifyVoteExtension,
    ) -> ResponseVerifyVoteExtension {
        self.app.verify_vote_extension(request)
    }

    fn list_snapshots(&self) -> ResponseListSnapshots {
        self.app.list_snapshots()
    }

    fn offer_snapshot(&self, request: RequestOfferSnapshot) -> ResponseOfferSnapshot {
        self.app.offer_snapshot(request)
    }

    fn load_snapshot_chunk(&self, request: RequestLoadSnapshotChunk) -> ResponseLoadSnapshotChunk {
        self.app.load_snapshot_chunk(request)
    }

    fn apply_snapshot_chunk(
        &self,
        request: RequestApplySnapshotChunk,
    ) -> ResponseApplySnapshotChunk {
        self.app.apply_snapshot_chunk(request)
    }
}
