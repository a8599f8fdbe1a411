//! Contracts, as wasmd 0.61 runs them: the same messages, queries, gas, events, error codes and genesis.
//!
//! The wasm blobs live in a folder beside the state; everything else is in the wasm store. The chain below (bank,
//! accounts) is behind [`Chain`].

mod address;
mod backend_api;
mod backend_storage;
mod blobs;
mod code;
mod coins;
mod contract;
mod dispatch;
mod events;
mod fail;
mod gas_register;
mod genesis;
mod genesis_json;
mod keeper;
mod keys;
mod msg;
mod msg_gov;
mod pins;
mod policy;
mod ports;
mod querier;
mod query;
mod rewards;
mod staking;
mod state;
mod vm;
mod votes;

#[cfg(test)]
mod tests;

pub use ports::{Account, Chain};
pub use vm::OpenError;

use crate::{
    ctx::Ctx,
    error::{AppError, Result},
    gas::GasMeter,
};
use fail::Res;
use keeper::Keeper;
use std::{path::Path, sync::Arc};

/// What stands before the method in the path of a query.
const QUERY_SERVICE: &str = "/cosmwasm.wasm.v1.Query/";

/// The wasm module of one node. Clones share the VM.
#[derive(Clone)]
pub struct WasmModule {
    vm: Arc<vm::Vm>,
    chain: Arc<dyn Chain>,
}

impl WasmModule {
    /// Open the module with its blobs and compiled code in `dir`, which is made if it is not there; one process at
    /// a time. `chain` is the bank and the accounts below it.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(dir: &Path, chain: Arc<dyn Chain>) -> std::result::Result<Self, OpenError> {
        Ok(Self {
            vm: Arc::new(vm::Vm::open(dir)?),
            chain,
        })
    }

    /// Run a message whose signers were checked; its response's type URL and bytes. On an error the caller drops
    /// the transaction's writes.
    ///
    /// # Errors
    /// sdk/6 for a type that is not this module's; else what the message and the contract say.
    pub fn handle_msg(&self, ctx: &Ctx, type_url: &str, value: &[u8]) -> Result<(String, Vec<u8>)> {
        Ok(msg::handle(&Keeper::new(self, ctx)?, type_url, value)?)
    }

    /// Who must sign a message, as addresses in text.
    ///
    /// # Errors
    /// sdk/2; sdk/6 for a type that is not this module's.
    pub fn signers(&self, type_url: &str, value: &[u8]) -> Result<Vec<String>> {
        Ok(msg::signers(type_url, value)?)
    }

    /// Answer `method`, a whole path (`/cosmwasm.wasm.v1.Query/Codes`) or its last part. `ctx` is of
    /// [`crate::ctx::Mode::Query`], so that the query's VM answers and never waits for a block.
    ///
    /// # Errors
    /// sdk/6 for unknown methods; else what the query says.
    pub fn query(&self, ctx: &Ctx, method: &str, data: &[u8]) -> Result<Vec<u8>> {
        let method = method.strip_prefix(QUERY_SERVICE).unwrap_or(method);
        Ok(query::handle(&Keeper::new(self, ctx)?, method, data)?)
    }

    /// Call a contract with the chain's own authority, for hooks; its data. Writes nothing when it fails.
    ///
    /// # Errors
    /// What the contract says.
    pub fn sudo(&self, ctx: &Ctx, contract: &[u8], msg: &[u8]) -> Result<Vec<u8>> {
        let keeper = Keeper::new(self, ctx)?;
        let data = ctx.atomically(|_| keeper.sudo(contract, msg))?;
        Ok(data.unwrap_or_default())
    }

    /// Pin the code of a contract on chain, without a gas limit, as governance would: for what runs in every block. Does
    /// nothing where it is pinned, or where there is no such contract.
    ///
    /// # Errors
    /// wasm/18 when the blob is not on this node's disk.
    pub fn pin_code_of(&self, ctx: &Ctx, contract: &[u8]) -> Result<()> {
        self.without_gas(ctx, |k| {
            let Some(info) = state::contract(&k.ctx, contract)? else {
                return Ok(());
            };
            if !state::is_pinned(&k.ctx, info.code_id)? {
                k.vm.pin(&state::checksum(&state::must_code(&k.ctx, info.code_id)?)?)?;
                state::set_pinned(&k.ctx, info.code_id)?;
            }
            Ok(())
        })
    }

    /// Put `app_state.wasm` into the empty store and run its messages, without a gas limit. `ctx` is of
    /// [`crate::ctx::Mode::Deliver`]. Accounts and balances are there before.
    ///
    /// # Errors
    /// wasm/7 for what cannot be read; else what is wrong with it.
    pub fn init_genesis(&self, ctx: &Ctx, genesis: &serde_json::Value) -> Result<()> {
        let genesis = serde::Deserialize::deserialize(genesis)
            .map_err(|e| fail::Fail::new(fail::Code::InvalidGenesis, format_args!("wasm: {e}")))?;
        self.without_gas(ctx, |k| genesis::init(k, genesis))
    }

    /// The state as `app_state.wasm`: imported again, it is the same state.
    ///
    /// # Errors
    /// wasm/8 when this node lacks a blob.
    pub fn export_genesis(&self, ctx: &Ctx) -> Result<serde_json::Value> {
        let genesis = self.without_gas(ctx, genesis::export)?;
        serde_json::to_value(genesis).map_err(|e| {
            fail::Fail::new(fail::Code::InvalidGenesis, format_args!("export: {e}")).into()
        })
    }

    /// Load into memory the codes pinned on chain and the first ones stored; at the start of a node, after the
    /// state is open. Compiles what is not compiled yet.
    ///
    /// # Errors
    /// wasm/18 when a blob is not on this node's disk.
    pub fn pin_all(&self, ctx: &Ctx) -> Result<()> {
        self.without_gas(ctx, |k| {
            for (key, _) in genesis::scan(k, &[keys::CODE])? {
                let id = state::tail_u64(&key);
                if id <= code::MAX_KEPT || state::is_pinned(&k.ctx, id)? {
                    k.vm.pin(&state::checksum(&state::must_code(&k.ctx, id)?)?)?;
                }
            }
            Ok(())
        })
    }

    fn without_gas<T>(
        &self,
        ctx: &Ctx,
        f: impl FnOnce(&Keeper) -> Res<T>,
    ) -> std::result::Result<T, AppError> {
        let outer = ctx.swap_gas(GasMeter::new(u64::MAX));
        let result = Keeper::new(self, ctx).and_then(|k| f(&k));
        ctx.swap_gas(outer);
        Ok(result?)
    }
}
