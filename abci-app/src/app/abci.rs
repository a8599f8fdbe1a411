//! The ABCI surface. A fault of the node itself, a broken disk or genesis, is a panic, and the server ends the
//! process on one: going on could fork the chain.

use super::{App, block::read_last, convert};
use crate::{
    codec::tx::DecodedTx,
    ctx::{BlockInfo, Ctx, Mode},
    gas::GasMeter,
    modules::consensus,
    store::{Layers, snapshot::Snapshot},
    tx::{
        ante::Ante,
        run::{self, TxResult},
    },
};
use std::sync::Arc;
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{
    CheckTxType, RequestApplySnapshotChunk, RequestCheckTx, RequestFinalizeBlock, RequestInfo,
    RequestInitChain, RequestLoadSnapshotChunk, RequestOfferSnapshot, RequestPrepareProposal,
    RequestProcessProposal, RequestQuery, ResponseApplySnapshotChunk, ResponseCheckTx,
    ResponseCommit, ResponseFinalizeBlock, ResponseInfo, ResponseInitChain, ResponseListSnapshots,
    ResponseLoadSnapshotChunk, ResponseOfferSnapshot, ResponsePrepareProposal,
    ResponseProcessProposal, ResponseQuery, response_process_proposal::ProposalStatus,
};

impl Application for App {
    fn info(&self, _: RequestInfo) -> ResponseInfo {
        let meta = self.disk().meta().expect("the state database can be read");
        ResponseInfo {
            data: "emberd".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            app_version: 0,
            last_block_height: i64::try_from(meta.height).unwrap_or(i64::MAX),
            last_block_app_hash: meta.app_hash.into(),
        }
    }

    fn init_chain(&self, req: RequestInitChain) -> ResponseInitChain {
        match self.genesis(&req) {
            Ok(response) => response,
            Err(e) => panic!("{e}"),
        }
    }

    fn query(&self, req: RequestQuery) -> ResponseQuery {
        self.answer(&req)
    }

    fn check_tx(&self, req: RequestCheckTx) -> ResponseCheckTx {
        let mode = if req.r#type == CheckTxType::Recheck as i32 {
            Mode::Recheck
        } else {
            Mode::Check
        };
        let tx = match DecodedTx::decode(&req.tx) {
            Ok(tx) => tx,
            Err(e) => return convert::check_result(TxResult::refused(e)),
        };
        let mut block = self.inner.last.read().clone();
        block.height += 1;
        // The lock is held throughout: pending transactions build on each other.
        let mut check = self.inner.check.lock();
        // What it writes when it is refused, it takes back itself.
        let ctx = Ctx::new(check.detach(), GasMeter::new(u64::MAX), block, mode);
        let ante = Ante {
            min_gas_prices: &self.inner.min_gas_prices,
            verified: &self.inner.verified,
            max_block_gas: consensus::max_gas(&ctx),
        };
        let result = run::run(&ctx, &tx, &self.router(), &ante);
        *check = ctx.with_layers(Layers::detach);
        if result.error.is_none() {
            self.inner.verified.remember(tx.hash);
        }
        convert::check_result(result)
    }

    fn prepare_proposal(&self, req: RequestPrepareProposal) -> ResponsePrepareProposal {
        let mut left = usize::try_from(req.max_tx_bytes).unwrap_or(0);
        let mut txs = req.txs;
        txs.retain(|tx| {
            // A transaction in a block costs its length, a tag and a length prefix of at most four bytes.
            let size = tx.len() + 5;
            let fits = size <= left;
            // The first that does not fit ends the block: later ones of its sender build on it.
            left = if fits { left - size } else { 0 };
            fits
        });
        ResponsePrepareProposal { txs }
    }

    fn process_proposal(&self, _: RequestProcessProposal) -> ResponseProcessProposal {
        ResponseProcessProposal {
            status: ProposalStatus::Accept as i32,
        }
    }

    fn finalize_block(&self, req: RequestFinalizeBlock) -> ResponseFinalizeBlock {
        match self.execute(&req) {
            Ok(response) => response,
            Err(e) => panic!("{e}"),
        }
    }

    fn list_snapshots(&self) -> ResponseListSnapshots {
        ResponseListSnapshots {
            snapshots: self.inner.sync.files.list(),
        }
    }

    fn offer_snapshot(&self, req: RequestOfferSnapshot) -> ResponseOfferSnapshot {
        self.offer(&req)
    }

    fn load_snapshot_chunk(&self, req: RequestLoadSnapshotChunk) -> ResponseLoadSnapshotChunk {
        let files = &self.inner.sync.files;
        let chunk = files.chunk(req.height, req.format, req.chunk);
        ResponseLoadSnapshotChunk {
            chunk: chunk.unwrap_or_default().into(),
        }
    }

    fn apply_snapshot_chunk(&self, req: RequestApplySnapshotChunk) -> ResponseApplySnapshotChunk {
        self.apply(&req)
    }

    fn commit(&self) -> ResponseCommit {
        if let Err(e) = self.persist() {
            panic!("{e}");
        }
        ResponseCommit { retain_height: 0 }
    }
}

impl App {
    /// The committed state, to be read.
    pub(super) fn read_ctx(&self) -> Ctx {
        let layers = match self.inner.genesis.lock().clone() {
            Some(genesis) => genesis,
            None => Layers::new(self.newest() as _),
        };
        let block = self.inner.last.read().clone();
        self.query_ctx(layers, block)
    }

    /// The last committed height's state.
    pub(super) fn newest(&self) -> Arc<Snapshot> {
        Arc::clone(&self.inner.newest.read())
    }

    /// The state as it was committed at a height that is still kept, to be read.
    pub(super) fn past_ctx(&self, snapshot: &Arc<Snapshot>) -> Ctx {
        let layers = Layers::new(Arc::clone(snapshot) as _);
        let (chain_id, time_ns) = read_last(&layers);
        let block = BlockInfo {
            height: snapshot.meta().height,
            time_ns,
            chain_id,
        };
        self.query_ctx(layers, block)
    }

    fn query_ctx(&self, layers: Layers, block: BlockInfo) -> Ctx {
        let gas = GasMeter::new(self.inner.query_gas_limit);
        Ctx::new(layers, gas, block, Mode::Query)
    }

    /// A context on the check state, for simulations: what is pending counts.
    pub(super) fn simulate_ctx(&self) -> Ctx {
        let mut block = self.inner.last.read().clone();
        block.height += 1;
        Ctx::new(
            self.inner.check.lock().clone(),
            GasMeter::new(self.inner.query_gas_limit),
            block,
            Mode::Simulate,
        )
    }
}
