//! One call of the module: the context it runs on and how deep it is. Everything below starts from here.

use super::{
    WasmModule,
    backend_api::Api,
    backend_storage::ContractStorage,
    fail::{Code, Fail, Res},
    gas_register,
    ports::Chain,
    querier::ChainQuerier,
    state,
    vm::{ContractInstance, Vm, vm_error},
};
use crate::{ctx::Ctx, error::AppError};
use cosmos_sdk_proto::cosmwasm::wasm::v1::ContractInfo;
use cosmwasm_std::{
    Addr, Binary, BlockInfo, Checksum, ContractInfo as EnvContract, ContractResult, Env, Timestamp,
    TransactionInfo,
};
use cosmwasm_vm::{Backend, VmResult};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// How deep messages of messages may go. wasmd allows 500 on Go's growing stacks; a native stack has an end, and
/// a block must not find it.
const MAX_CALL_DEPTH: u32 = 64;
/// How deep queries of queries may go: wasmd's number.
const MAX_QUERY_DEPTH: u32 = 10;

/// The module at work on one context.
#[derive(Clone)]
pub(super) struct Keeper {
    pub vm: Arc<Vm>,
    pub chain: Arc<dyn Chain>,
    pub ctx: Ctx,
    pub api: Api,
}

/// A contract that is there, ready to run.
pub(super) struct Loaded {
    /// Its record.
    pub info: ContractInfo,
    /// Its code.
    pub checksum: Checksum,
    /// Its address.
    pub address: Vec<u8>,
    /// Its address as text.
    pub human: String,
}

impl Keeper {
    /// Start on `ctx`.
    ///
    /// # Errors
    /// Before genesis has set the address prefix.
    pub fn new(module: &WasmModule, ctx: &Ctx) -> Res<Self> {
        let prefix = module.chain.prefix(ctx)?;
        let api = Api::new(&prefix).map_err(|e| Fail::new(Code::Invalid, e))?;
        Ok(Self {
            vm: Arc::clone(&module.vm),
            chain: Arc::clone(&module.chain),
            ctx: ctx.clone(),
            api,
        })
    }

    /// The module, for what the chain below hands back to it.
    pub fn module(&self) -> WasmModule {
        WasmModule {
            vm: Arc::clone(&self.vm),
            chain: Arc::clone(&self.chain),
        }
    }

    /// One level of messages deeper.
    ///
    /// # Errors
    /// wasm/30.
    pub fn deeper_call(&self) -> Res<Self> {
        let mut deeper = self.clone();
        deeper.ctx.depth.calls += 1;
        if deeper.ctx.depth.calls > MAX_CALL_DEPTH {
            return Err(Fail::bare(Code::CallDepth));
        }
        Ok(deeper)
    }

    /// One level of queries deeper.
    ///
    /// # Errors
    /// wasm/27.
    pub fn deeper_query(&self) -> Res<Self> {
        let mut deeper = self.clone();
        deeper.ctx.depth.queries += 1;
        if deeper.ctx.depth.queries > MAX_QUERY_DEPTH {
            return Err(Fail::bare(Code::QueryDepth));
        }
        Ok(deeper)
    }

    /// The bytes of an address.
    ///
    /// # Errors
    /// sdk/7.
    pub fn addr(&self, human: &str) -> Res<Vec<u8>> {
        self.api
            .decode(human)
            .map_err(|e| AppError::invalid_address(e).into())
    }

    /// The text of an address.
    ///
    /// # Errors
    /// sdk/7.
    pub fn human(&self, addr: &[u8]) -> Res<String> {
        self.api
            .encode(addr)
            .map_err(|e| AppError::invalid_address(e).into())
    }

    /// The contract at `addr`.
    ///
    /// # Errors
    /// wasm/22, wasm/28.
    pub fn load(&self, addr: &[u8]) -> Res<Loaded> {
        let human = self.human(addr)?;
        let info =
            state::contract(&self.ctx, addr)?.ok_or_else(|| Fail::no_such_contract(&human))?;
        let code = state::must_code(&self.ctx, info.code_id)?;
        Ok(Loaded {
            info,
            checksum: state::checksum(&code)?,
            address: addr.to_vec(),
            human,
        })
    }

    /// Charge for loading a module: less when it is pinned on chain or this transaction has loaded it before.
    ///
    /// # Errors
    /// sdk/11.
    pub fn charge_setup(&self, checksum: &Checksum, code_id: u64, what: &'static str) -> Res<()> {
        let seen = || self.ctx.tx.is_some() && !self.ctx.mark(checksum.as_slice());
        let discount = state::is_pinned(&self.ctx, code_id)? || seen();
        Ok(self.ctx.consume_gas(gas_register::setup(discount), what)?)
    }

    /// What a contract learns of the block, the transaction and itself.
    fn env(&self, contract: &str) -> Env {
        Env {
            block: BlockInfo {
                height: self.ctx.block.height,
                time: Timestamp::from_nanos(self.ctx.block.time_ns),
                chain_id: self.ctx.block.chain_id.clone(),
            },
            transaction: self
                .ctx
                .tx
                .as_ref()
                .map(|tx| TransactionInfo::new(tx.index, Binary::from(tx.hash.as_slice()))),
            contract: EnvContract {
                address: Addr::unchecked(contract),
            },
        }
    }

    /// Call an entry point of a contract and read its answer, charging all of it.
    ///
    /// # Errors
    /// sdk/11; wasm/29 when the contract trapped or its answer cannot be read.
    pub fn run<T: DeserializeOwned>(
        &self,
        checksum: &Checksum,
        contract: &[u8],
        human: &str,
        entry: impl FnOnce(&mut ContractInstance, &[u8]) -> VmResult<Vec<u8>>,
    ) -> Res<ContractResult<T>> {
        let gas_limit = gas_register::vm_gas_left(&self.ctx);
        let env = cosmwasm_vm::to_vec(&self.env(human)).map_err(|e| vm_error(&e))?;
        let backend = || Backend {
            api: self.api.clone(),
            storage: ContractStorage::new(self.ctx.clone(), contract),
            querier: ChainQuerier::new(self.clone()),
        };
        let mut instance = self
            .vm
            .instance(checksum, backend, gas_limit, self.ctx.mode)?;
        let answer = entry(&mut instance, &env);
        let mut used = instance.create_gas_report().used_internally;
        drop(instance);
        let result = answer.map_err(|e| vm_error(&e)).and_then(|data| {
            // Reading the answer costs one SDK gas a byte.
            let reading = gas_register::to_vm(data.len() as u64);
            let total = used.saturating_add(reading);
            if total > gas_limit {
                return Err(Fail::new(
                    Code::Vm,
                    format_args!(
                        "insufficient gas left to deserialize contract execution result ({} bytes)",
                        data.len()
                    ),
                ));
            }
            used = total;
            serde_json::from_slice(&data)
                .map_err(|e| Fail::new(Code::Vm, format_args!("contract's answer: {e}")))
        });
        gas_register::consume_vm(&self.ctx, used)?;
        result
    }
}
