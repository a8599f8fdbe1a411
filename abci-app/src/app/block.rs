//! Genesis and blocks: what `InitChain`, `FinalizeBlock` and `Commit` do.

use super::{App, Finalized, convert, genesis, phases};
use crate::{
    codec::tx::DecodedTx,
    ctx::{BlockInfo, Ctx, Event, Mode},
    error::{AppError, Result},
    gas::GasMeter,
    modules::{
        auth, consensus, feegrant, hooks,
        upgrade::{self, keeper::Stop},
    },
    store::{Layers, StoreKey, error::StoreError},
    tx::{
        ante::Ante,
        run::{self, TxResult},
    },
};
use std::sync::Arc;
use tendermint_proto::v0_38::abci::{
    RequestFinalizeBlock, RequestInitChain, ResponseFinalizeBlock, ResponseInitChain,
};
use thiserror::Error;

const CHAIN_ID: &[u8] = b"chainId";
const LAST_TIME: &[u8] = b"lastBlockTime";

/// Why a block was not executed. The node must stop: going on could fork the chain.
#[derive(Debug, Error)]
pub(super) enum BlockError {
    /// The state cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What a module does in every block failed.
    #[error("block {height}: {error}")]
    Module {
        /// Which block.
        height: u64,
        /// What failed.
        error: AppError,
    },
    /// Another binary makes this block.
    #[error("{0}")]
    Upgrade(String),
}

/// Chain id and time of the last committed block.
pub(super) fn read_last(layers: &Layers) -> (String, u64) {
    let id = layers
        .get(StoreKey::Consensus, CHAIN_ID)
        .and_then(|b| String::from_utf8(b).ok())
        .unwrap_or_default();
    let time = layers
        .get(StoreKey::Consensus, LAST_TIME)
        .and_then(|b| b.try_into().ok())
        .map_or(0, u64::from_be_bytes);
    (id, time)
}

fn nanos(t: Option<tendermint_proto::google::protobuf::Timestamp>) -> u64 {
    let t = t.unwrap_or_default();
    u64::try_from(i128::from(t.seconds) * 1_000_000_000 + i128::from(t.nanos)).unwrap_or(0)
}

impl App {
    /// Reads the genesis. Nothing is written: the first block's commit does that, so this may be repeated.
    ///
    /// # Errors
    /// When the genesis is wrong: the node must not start.
    pub(super) fn genesis(&self, req: &RequestInitChain) -> Result<ResponseInitChain> {
        let app_state = serde_json::from_slice(&req.app_state_bytes).map_err(|e| {
            AppError::invalid_request(format_args!("genesis: app_state: expected JSON: {e}"))
        })?;
        let base = self
            .disk()
            .snapshot()
            .map_err(|e| AppError::new("sdk", 1, e.to_string()))?;
        let block = BlockInfo {
            height: 0,
            time_ns: nanos(req.time),
            chain_id: req.chain_id.clone(),
        };
        let ctx = Ctx::new(
            Layers::new(base),
            GasMeter::new(u64::MAX),
            block.clone(),
            Mode::Deliver,
        );
        ctx.with_layers(|l| {
            l.set(
                StoreKey::Consensus,
                CHAIN_ID,
                req.chain_id.clone().into_bytes(),
            )
        });
        if let Some(params) = &req.consensus_params {
            consensus::set(&ctx, params);
        }
        let validators = genesis::import(&ctx, &self.inner.wasm, &app_state)?;
        genesis::check_set(&app_state, &req.validators, &validators)?;
        let layers = ctx.with_layers(|l| l.clone());
        let writes = ctx.with_layers(Layers::take);
        let app_hash = self
            .disk()
            .prepare(0, writes)
            .map_err(|e| AppError::new("sdk", 1, e.to_string()))?
            .app_hash()
            .to_vec();
        *self.inner.last.write() = block;
        *self.inner.check.lock() = layers.clone();
        *self.inner.genesis.lock() = Some(layers);
        Ok(ResponseInitChain {
            app_hash: app_hash.into(),
            validators,
            ..ResponseInitChain::default()
        })
    }

    /// Executes a block. Nothing is written.
    ///
    /// # Errors
    /// When the state cannot be read or is broken: the node must stop.
    pub(super) fn execute(
        &self,
        req: &RequestFinalizeBlock,
    ) -> std::result::Result<ResponseFinalizeBlock, BlockError> {
        let layers = match self.inner.genesis.lock().clone() {
            Some(genesis) => genesis,
            None => Layers::new(self.disk().snapshot()? as _),
        };
        let chain_id = self.inner.last.read().chain_id.clone();
        let height = u64::try_from(req.height).unwrap_or(0);
        let block = BlockInfo {
            height,
            time_ns: nanos(req.time),
            chain_id,
        };
        let ctx = Ctx::new(
            layers,
            GasMeter::new(u64::MAX),
            block.clone(),
            Mode::Deliver,
        );
        self.upgrade(&ctx)?;
        phases::begin_block(&ctx, req).map_err(|error| BlockError::Module { height, error })?;
        let begun = ctx.take_events().into_iter();
        let begun = begun.map(|e| convert::event(e.attr("mode", "BeginBlock")));
        let mut events: Vec<_> = begun.collect();
        let params = consensus::get(&ctx);
        let max_gas = consensus::max_gas(&ctx);
        let ante = Ante {
            min_gas_prices: &[],
            verified: &self.inner.verified,
            max_block_gas: max_gas,
        };
        let txs: Vec<_> = req.txs.iter().map(|raw| DecodedTx::decode(raw)).collect();
        self.foresee(&block, &txs);
        let mut gas_left = max_gas.unwrap_or(u64::MAX);
        let mut tx_results = Vec::with_capacity(req.txs.len());
        for tx in txs {
            let result = if gas_left == 0 {
                TxResult::refused(AppError::out_of_gas("no block gas left to run tx"))
            } else {
                match tx {
                    Ok(tx) => run::run(&ctx, &tx, &self.router(), &ante),
                    Err(e) => TxResult::refused(e),
                }
            };
            gas_left = gas_left.saturating_sub(result.gas_used);
            tx_results.push(convert::exec_result(result));
        }
        ctx.take_events();
        let validator_updates = phases::end_block(&ctx, &self.router())
            .map_err(|error| BlockError::Module { height, error })?;
        let ended = ctx.take_events().into_iter();
        events.extend(ended.map(|e| convert::event(e.attr("mode", "EndBlock"))));
        feegrant::keeper::end_block(&ctx).map_err(|error| BlockError::Module { height, error })?;
        self.end_block(&ctx);
        events.extend(ctx.take_events().into_iter().map(convert::event));
        ctx.with_layers(|l| {
            l.set(
                StoreKey::Consensus,
                LAST_TIME,
                block.time_ns.to_be_bytes().to_vec(),
            )
        });
        let consensus_param_updates = Some(consensus::get(&ctx)).filter(|now| *now != params);
        let pending = self.disk().prepare(height, ctx.with_layers(Layers::take))?;
        let app_hash = pending.app_hash().to_vec().into();
        *self.inner.pending.lock() = Some(Finalized { pending, block });
        Ok(ResponseFinalizeBlock {
            events,
            tx_results,
            app_hash,
            validator_updates,
            consensus_param_updates,
        })
    }

    /// Carries out the upgrade that is due, or says what an operator has to do and writes it where the SDK's tools look.
    fn upgrade(&self, ctx: &Ctx) -> std::result::Result<(), BlockError> {
        let height = ctx.block.height;
        let upgrades = self.inner.upgrades.read().clone();
        match upgrade::keeper::pre_block(ctx, &upgrades) {
            Ok(()) => Ok(()),
            Err(Stop::Broken(error)) => Err(BlockError::Module { height, error }),
            Err(Stop::Upgrade(text, plan)) => {
                tracing::error!("{text}");
                if let Some(plan) = plan {
                    let info = serde_json::json!({ "name": plan.name, "time": "0001-01-01T00:00:00Z", "height": height, "info": plan.info });
                    let path = &self.inner.upgrade_info;
                    if let Err(e) = std::fs::write(path, info.to_string()) {
                        tracing::error!("{}: cannot be written: {e}", path.display());
                    }
                }
                Err(BlockError::Upgrade(text))
            }
        }
    }

    /// Verifies a block's signatures on every core, over the state before it.
    fn foresee(&self, block: &BlockInfo, txs: &[Result<DecodedTx>]) {
        let newest = self.newest();
        let ctx = || {
            let layers = Layers::new(Arc::clone(&newest) as _);
            Ctx::new(layers, GasMeter::new(u64::MAX), block.clone(), Mode::Query)
        };
        run::foresee(&ctx, txs, &self.router(), &self.inner.verified);
    }

    /// Calls the contracts that want to know of every block. One that fails changes nothing and stops nobody. Their code
    /// is pinned, so that a block in which nothing is due costs little; that holds for what they migrate to as well.
    fn end_block(&self, ctx: &Ctx) {
        for contract in hooks::contracts(ctx) {
            let pinned = self.inner.wasm.pin_code_of(ctx, &contract);
            let outer = ctx.swap_gas(GasMeter::new(hooks::MAX_GAS));
            let result = pinned.and_then(|()| {
                ctx.atomically(|ctx| self.inner.wasm.sudo(ctx, &contract, br#"{"end_block":{}}"#))
            });
            ctx.swap_gas(outer);
            if let Err(e) = result {
                let name = auth::keeper::human(ctx, &contract).unwrap_or_default();
                tracing::error!(contract = name, error = %e, "end-block hook failed and was reverted");
                ctx.emit(
                    Event::new("hook_failed")
                        .attr("contract", name)
                        .attr("codespace", e.codespace)
                        .attr("code", e.code.to_string()),
                );
            }
        }
    }

    /// Makes the executed block durable; it is on disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written: the node must stop.
    pub(super) fn persist(&self) -> std::result::Result<(), StoreError> {
        let Some(done) = self.inner.pending.lock().take() else {
            return Ok(());
        };
        self.disk().commit(&done.pending)?;
        *self.inner.genesis.lock() = None;
        let height = done.block.height;
        *self.inner.last.write() = done.block;
        let snapshot = self.disk().snapshot()?;
        *self.inner.check.lock() = Layers::new(Arc::clone(&snapshot) as _);
        *self.inner.newest.write() = snapshot;
        self.snapshot_if_due(height);
        Ok(())
    }
}
