//! A chain of `emberd init`'s genesis in memory. Messages run as the application runs them in a block, each on a gas
//! meter of its own; what a transaction costs around its messages (its bytes, its signature, its fee) is not in it.

use anyhow::{Context, Result, ensure};
use cosmos_sdk_proto::{cosmos::base::v1beta1::Coin, cosmwasm::wasm::v1::MsgExecuteContract};
use ember_abci_app::{
    app::{chain::Below, genesis},
    cli::genesis::{Contracts, Spec, contract_address},
    codec::address,
    ctx::{BlockInfo, Ctx, Event, Mode},
    gas::GasMeter,
    modules::{hooks, wasm::WasmModule},
    store::{Layers, kv::MemBase},
};
use prost::Message;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

pub const NATIVE: &str = "uember";
pub const USDC: &str = "uusdc";
/// Unix seconds of the genesis.
const START: u64 = 1_800_000_000;
/// The block's limit in `emberd init`'s genesis.
const MAX_GAS: u64 = 100_000_000;
/// Seconds that an unbonding takes here.
pub const UNBONDING_SECS: u64 = 60;

/// The address of an account that nobody needs to sign for.
pub fn account(name: &str) -> String {
    address::encode("ember", &Sha256::digest(name)[..20]).unwrap()
}

/// Where the optimised contracts lie, if they were built.
pub fn contracts_dir() -> Option<PathBuf> {
    let built = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
            PathBuf::from,
        )
        .join("contracts");
    let dir = std::env::var_os("EMBER_CONTRACTS_DIR").map_or(built, PathBuf::from);
    let there = ["registry", "market"]
        .iter()
        .all(|name| dir.join(format!("{name}.wasm")).is_file());
    there.then_some(dir)
}

/// What a message did.
pub struct Done {
    pub gas: u64,
    pub events: Vec<Event>,
}

impl Done {
    /// An attribute of the last event of this kind.
    pub fn attribute(&self, kind: &str, key: &str) -> Result<String> {
        let event = self.events.iter().rfind(|e| e.kind == kind);
        let event = event.with_context(|| format!("no event {kind} in {:?}", self.events))?;
        let found = event.attributes.iter().find(|(k, _)| k == key);
        Ok(found
            .with_context(|| format!("no {key} in {event:?}"))?
            .1
            .clone())
    }

    /// A number among the attributes.
    pub fn id(&self, kind: &str, key: &str) -> Result<u64> {
        Ok(self.attribute(kind, key)?.parse()?)
    }
}

/// The chain.
pub struct World {
    base: Arc<MemBase>,
    ctx: Ctx,
    wasm: WasmModule,
    _dir: TempDir,
    txs: u64,
    pub registry: String,
    pub market: String,
}

impl World {
    /// The chain after genesis: `accounts` hold a lot of both denoms.
    pub fn new(contracts: &Path, accounts: &[&str], bid_deposit: u128) -> Result<Self> {
        let coin = |denom: &str| ember_client::Coin {
            denom: denom.into(),
            amount: 1_000_000_000_000_000,
        };
        let accounts: Vec<_> = accounts
            .iter()
            .map(|name| (account(name), vec![coin(NATIVE), coin(USDC)]))
            .collect();
        let contracts = Contracts {
            dir: contracts.to_owned(),
            unbonding_secs: UNBONDING_SECS,
            grace_secs: 600,
            min_bond: 1_000_000,
            bid_deposit,
            min_deposit: 1_000,
            max_bids: 50,
        };
        let genesis = Spec {
            chain_id: "costs-1",
            prefix: "ember",
            denom: NATIVE,
            stable_denom: USDC,
            authority: &account("authority"),
            accounts: &accounts,
            contracts: Some(&contracts),
            validators: &[],
            time: "2027-01-15T08:00:00Z".into(),
        }
        .build()?;
        let dir = tempfile::tempdir()?;
        let wasm = WasmModule::open(dir.path(), Arc::new(Below))?;
        let base = Arc::new(MemBase::default());
        let ctx = context(Layers::new(base.clone()), START, 0);
        genesis::import(&ctx, &wasm, &genesis["app_state"])?;
        let mut world = Self {
            base,
            ctx,
            wasm,
            _dir: dir,
            txs: 0,
            registry: contract_address("ember", 1, 1)?,
            market: contract_address("ember", 2, 2)?,
        };
        world.advance(1);
        Ok(world)
    }

    /// Block time, unix seconds.
    pub fn now(&self) -> u64 {
        self.ctx.block.time_ns / 1_000_000_000
    }

    /// The next block, `secs` later.
    pub fn advance(&mut self, secs: u64) {
        let layers = self.ctx.with_layers(|l| l.clone());
        self.ctx = context(layers, self.now() + secs, self.ctx.block.height + 1);
    }

    /// Puts what was written into the base.
    pub fn commit(&mut self) {
        let writes = self.ctx.with_layers(Layers::take);
        let (now, height) = (self.now(), self.ctx.block.height);
        // The context lets go of the base, so that it is not copied.
        self.ctx = context(Layers::new(Arc::new(MemBase::default())), now, height);
        let base = Arc::make_mut(&mut self.base);
        for (key, write) in writes {
            match write {
                Some(value) => base.0.insert(key, value),
                None => base.0.remove(&key),
            };
        }
        self.ctx = context(Layers::new(self.base.clone()), now, height);
    }

    /// Runs one message in a transaction of its own.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn execute(
        &mut self,
        sender: &str,
        contract: &str,
        msg: &Value,
        funds: &[(u128, &str)],
    ) -> Result<Done> {
        let text = msg.to_string();
        let bytes = MsgExecuteContract {
            sender: sender.into(),
            contract: contract.into(),
            msg: text.clone().into_bytes(),
            funds: funds
                .iter()
                .map(|(amount, denom)| Coin {
                    denom: (*denom).into(),
                    amount: amount.to_string(),
                })
                .collect(),
        }
        .encode_to_vec();
        self.txs += 1;
        let ctx = self
            .ctx
            .for_tx(Sha256::digest(self.txs.to_be_bytes()).into());
        ctx.take_events();
        ctx.swap_gas(GasMeter::new(MAX_GAS));
        let result = ctx.atomically(|ctx| {
            let url = "/cosmwasm.wasm.v1.MsgExecuteContract";
            self.wasm.handle_msg(ctx, url, &bytes)
        });
        let gas = ctx.gas().used();
        result.map_err(|e| anyhow::anyhow!("{text}: {e}"))?;
        Ok(Done {
            gas,
            events: ctx.take_events(),
        })
    }

    /// Runs a contract's end-block hook as the application does.
    ///
    /// # Errors
    /// The contract's.
    pub fn end_block(&mut self, contract: &str) -> Result<Done> {
        let address = address::decode("ember", contract)?;
        ensure!(
            hooks::contracts(&self.ctx).contains(&address),
            "{contract} has no hook"
        );
        self.ctx.take_events();
        self.wasm.pin_code_of(&self.ctx, &address)?;
        self.ctx.swap_gas(GasMeter::new(hooks::MAX_GAS));
        let result = self
            .ctx
            .atomically(|ctx| self.wasm.sudo(ctx, &address, br#"{"end_block":{}}"#));
        let gas = self.ctx.gas().used();
        result.map_err(|e| anyhow::anyhow!("end_block: {e}"))?;
        Ok(Done {
            gas,
            events: self.ctx.take_events(),
        })
    }
}

fn context(layers: Layers, secs: u64, height: u64) -> Ctx {
    let block = BlockInfo {
        height,
        time_ns: secs * 1_000_000_000,
        chain_id: "costs-1".into(),
    };
    Ctx::new(layers, GasMeter::new(u64::MAX), block, Mode::Deliver)
}

/// A device of a kind that every order here takes.
pub fn device(id: &str) -> Value {
    json!({
        "id": id, "model": "nvidia/rtx-4090", "vram_mib": 24_576, "profile": "nv_hopper1",
        "driver": "NVIDIA 550.54.14", "scores": [{ "name": "points", "value": 1_000 }],
    })
}
