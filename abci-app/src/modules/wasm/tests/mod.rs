//! The module as a whole, over a bank that keeps its coins in the bank store.

mod chain;
mod genesis;
mod gov;
mod messages;
mod queries;
mod replies;
mod rewards;

use super::*;
use crate::{
    ctx::{BlockInfo, Event, Mode},
    store::{Base, Layers, StoreKey, kv::MemBase},
};
use chain::TestChain;
use cosmos_sdk_proto::{
    cosmos::base::v1beta1::Coin,
    cosmwasm::wasm::v1::{
        MsgExecuteContract, MsgInstantiateContract, MsgInstantiateContractResponse, MsgStoreCode,
        MsgStoreCodeResponse, QuerySmartContractStateRequest, QuerySmartContractStateResponse,
    },
};
use prost::Message;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A node with one context that all calls share.
struct Node {
    module: WasmModule,
    ctx: Ctx,
    dir: tempfile::TempDir,
}

const ALICE: [u8; 20] = [1; 20];
const BOB: [u8; 20] = [2; 20];

fn human(addr: &[u8]) -> String {
    backend_api::Api::new("ember")
        .unwrap()
        .encode(addr)
        .unwrap()
}

fn coin(amount: u128, denom: &str) -> Coin {
    Coin {
        denom: denom.into(),
        amount: amount.to_string(),
    }
}

fn new_ctx(base: Arc<dyn Base>, gas: u64, mode: Mode) -> Ctx {
    let block = BlockInfo {
        height: 7,
        time_ns: 1_700_000_000_000_000_000,
        chain_id: "test-1".into(),
    };
    Ctx::new(Layers::new(base), GasMeter::new(gas), block, mode)
}

impl Node {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let module = WasmModule::open(dir.path(), Arc::new(TestChain)).unwrap();
        let ctx = new_ctx(Arc::new(MemBase::default()), u64::MAX, Mode::Deliver);
        Self { module, ctx, dir }
    }

    /// The same state, later: another context over all that was written.
    fn fork(&self, gas: u64, mode: Mode) -> Ctx {
        let mut base = MemBase::default();
        for s in StoreKey::ALL {
            for (k, v) in self.ctx.with_layers(|l| l.scan(s, &[], None)) {
                base.0.insert((s, k), v);
            }
        }
        new_ctx(Arc::new(base), gas, mode)
    }

    fn send<M: Message>(&self, type_url: &str, msg: &M) -> Result<Vec<u8>> {
        let (response, bytes) =
            self.module
                .handle_msg(&self.ctx, type_url, &msg.encode_to_vec())?;
        assert_eq!(response, format!("{type_url}Response"));
        Ok(bytes)
    }

    fn store(&self, wasm: Vec<u8>) -> u64 {
        let msg = MsgStoreCode {
            sender: human(&ALICE),
            wasm_byte_code: wasm,
            instantiate_permission: None,
        };
        MsgStoreCodeResponse::decode(self.send(msg::STORE, &msg).unwrap().as_slice())
            .unwrap()
            .code_id
    }

    fn instantiate(&self, code_id: u64, msg: &Value, funds: &[Coin]) -> Result<String> {
        let msg = MsgInstantiateContract {
            sender: human(&ALICE),
            admin: human(&ALICE),
            code_id,
            label: "test".into(),
            msg: msg.to_string().into_bytes(),
            funds: funds.to_vec(),
        };
        let bytes = self.send(msg::INSTANTIATE, &msg)?;
        Ok(MsgInstantiateContractResponse::decode(bytes.as_slice())
            .unwrap()
            .address)
    }

    /// An echo contract that answers replies with `on_reply`.
    fn echo(&self, on_reply: &Value) -> String {
        self.instantiate(1, on_reply, &[]).unwrap()
    }

    fn execute(&self, contract: &str, msg: &Value) -> Result<Vec<u8>> {
        self.execute_with(contract, msg, &[])
    }

    fn execute_with(&self, contract: &str, msg: &Value, funds: &[Coin]) -> Result<Vec<u8>> {
        let msg = MsgExecuteContract {
            sender: human(&ALICE),
            contract: contract.into(),
            msg: msg.to_string().into_bytes(),
            funds: funds.to_vec(),
        };
        self.ctx.atomically(|_| self.send(msg::EXECUTE, &msg))
    }

    fn smart(&self, contract: &str, msg: &Value) -> Result<Value> {
        let q = QuerySmartContractStateRequest {
            address: contract.into(),
            query_data: msg.to_string().into_bytes(),
        };
        let ctx = self.fork(u64::MAX, Mode::Query);
        let bytes = self.module.query(
            &ctx,
            "/cosmwasm.wasm.v1.Query/SmartContractState",
            &q.encode_to_vec(),
        )?;
        let data = QuerySmartContractStateResponse::decode(bytes.as_slice())
            .unwrap()
            .data;
        Ok(serde_json::from_slice(&data).unwrap())
    }

    /// A key of a contract's own state.
    fn raw(&self, contract: &str, key: &str) -> Option<Vec<u8>> {
        let addr = backend_api::Api::new("ember")
            .unwrap()
            .decode(contract)
            .unwrap();
        let key = [&keys::contract_store(&addr), key.as_bytes()].concat();
        self.ctx.with_layers(|l| l.get(StoreKey::Wasm, &key))
    }

    fn raw_json(&self, contract: &str, key: &str) -> Value {
        serde_json::from_slice(&self.raw(contract, key).unwrap()).unwrap()
    }
}

fn echo_wasm() -> Vec<u8> {
    wat::parse_str(include_str!("echo.wat")).unwrap()
}

/// A node with the echo contract as code 1.
fn echo_node() -> Node {
    let node = Node::new();
    assert_eq!(node.store(echo_wasm()), 1);
    node
}

/// An answer with nothing in it.
fn nothing() -> Value {
    json!({"ok": {"messages": [], "attributes": [], "events": []}})
}

/// An answer with one submessage.
fn submessage(msg: Value, reply_on: &str, gas_limit: Option<u64>) -> Value {
    json!({"ok": {"messages": [{"id": 42, "msg": msg, "gas_limit": gas_limit, "reply_on": reply_on}],
        "attributes": [], "events": []}})
}

fn base64(v: &Value) -> String {
    cosmwasm_std::Binary::from(v.to_string().into_bytes()).to_base64()
}

fn execute_msg(contract: &str, msg: &Value) -> Value {
    json!({"wasm": {"execute": {"contract_addr": contract, "msg": base64(msg), "funds": []}}})
}

/// A contract of the project; `None`, said aloud, where it was not built.
fn contract_wasm(name: &str) -> Option<Vec<u8>> {
    let built = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"),
            PathBuf::from,
        )
        .join("contracts");
    let dir = std::env::var_os("EMBER_CONTRACTS_DIR").map_or(built, PathBuf::from);
    let path = dir.join(format!("{name}.wasm"));
    let wasm = std::fs::read(&path).ok();
    if wasm.is_none() {
        eprintln!(
            "SKIP: no {}: run scripts/build-contracts or set EMBER_CONTRACTS_DIR",
            path.display()
        );
    }
    wasm
}
