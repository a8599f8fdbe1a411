//! The transactions that both sides execute, byte for byte: who signs what in which block.

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use cosmos_sdk_proto::{
    Any,
    cosmos::bank::v1beta1::MsgSend,
    cosmwasm::wasm::v1::{MsgInstantiateContract, MsgStoreCode, QuerySmartContractStateRequest},
    traits::{Message, Name},
};
use ember_abci_app::cli::genesis::{Spec, contract_address};
use ember_client::{Coin, Key, msg, signer};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

/// wasmd's prefix; ours is whatever the genesis has.
const PREFIX: &str = "wasm";
const CHAIN: &str = "peer-1";
const NATIVE: &str = "uember";
const USDC: &str = "uusdc";
/// Unix seconds of the genesis, and the same as RFC 3339.
pub const START: i64 = 1_800_000_000;
const START_TEXT: &str = "2027-01-15T08:00:00Z";
/// Seconds between blocks.
const INTERVAL: i64 = 5;
/// Seconds after which the auctions close: later than the last block.
const FAR: i64 = 20 * 24 * 3_600;
const SEND_GAS: u64 = 200_000;
const CONTRACT_GAS: u64 = 2_000_000;
const STORE_GAS: u64 = 100_000_000;
/// What a bid carries, micro-units of the order's denom.
const BID_DEPOSIT: u128 = 500;

/// A query that is asked again and again while a block is made.
#[derive(Debug, Clone, Serialize)]
pub struct Reader {
    /// Its ABCI path.
    pub path: String,
    /// The encoded request.
    #[serde(serialize_with = "base64")]
    pub data: Bytes,
}

/// A block, as a line of `blocks.jsonl`.
#[derive(Debug, Clone, Serialize)]
pub struct Block {
    /// What its transactions do; `setup` is not measured.
    pub workload: &'static str,
    /// Its time, unix seconds.
    pub time: i64,
    /// Whether each transaction goes through CheckTx first.
    pub check: bool,
    /// Who reads meanwhile, one thread each.
    pub readers: Vec<Reader>,
    /// The signed transactions.
    #[serde(serialize_with = "base64_list")]
    pub txs: Vec<Bytes>,
}

fn base64<S: Serializer>(bytes: &Bytes, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&STANDARD.encode(bytes))
}

fn base64_list<S: Serializer>(list: &[Bytes], s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(list.iter().map(|b| STANDARD.encode(b)))
}

/// Accounts that sign, and the blocks so far.
pub struct Workload {
    /// Account numbers are places in this list.
    keys: Vec<Key>,
    sequences: Vec<u64>,
    registry: String,
    market: String,
    /// What was made until now.
    pub blocks: Vec<Block>,
}

impl Workload {
    /// `accounts` new keys, with money on both sides, and the blocks that put the contracts in place.
    ///
    /// # Errors
    /// When a contract cannot be read.
    pub fn new(accounts: usize, contracts: &Path) -> Result<Self> {
        let keys = (0..accounts)
            .map(|i| Ok(Key::generate(&format!("a{i}"), PREFIX)?.0))
            .collect::<Result<Vec<_>>>()?;
        let mut this = Self {
            sequences: vec![0; keys.len()],
            keys,
            registry: contract_address(PREFIX, 1, 1)?,
            market: contract_address(PREFIX, 2, 2)?,
            blocks: Vec::new(),
        };
        this.set_up(contracts)?;
        Ok(this)
    }

    /// The genesis in the SDK's shapes, without Ember's contracts: they come by transactions.
    ///
    /// # Errors
    /// Never for these accounts.
    pub fn genesis(&self) -> Result<Value> {
        let coins = [NATIVE, USDC].map(|denom| coin(1_000_000_000_000_000, denom));
        let accounts: Vec<_> = self
            .keys
            .iter()
            .map(|k| (k.address.clone(), coins.to_vec()))
            .collect();
        Spec {
            chain_id: CHAIN,
            prefix: PREFIX,
            denom: NATIVE,
            stable_denom: USDC,
            authority: &self.keys[0].address,
            accounts: &accounts,
            contracts: None,
            validators: &[],
            time: START_TEXT.into(),
        }
        .build()
    }

    /// Writes what the peer reads.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<()> {
        fs::write(dir.join("genesis.json"), self.genesis()?.to_string())?;
        let mut out = BufWriter::new(File::create(dir.join("blocks.jsonl"))?);
        for block in &self.blocks {
            serde_json::to_writer(&mut out, block)?;
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }

    fn set_up(&mut self, contracts: &Path) -> Result<()> {
        let authority = self.keys[0].address.clone();
        // An ordinary account: wasmd lets nobody send to its modules' accounts.
        let collector = authority.clone();
        let fees = |denom: &str, take_bps: u16| {
            json!({
                "denom": denom, "take_bps": take_bps, "reservation_bps": 25, "min_deposit": "1000",
                "bid_deposit": BID_DEPOSIT.to_string(),
            })
        };
        let registry = json!({
            "authority": authority, "bond_denom": NATIVE, "unbonding_secs": 1_814_400, "min_bond": "1000000",
            "fee_collector": collector, "court": null, "market": self.market, "seen_secs": null,
        });
        let market = json!({
            "authority": authority, "registry": self.registry, "fee_collector": collector,
            "fees": [fees(USDC, 2_000), fees(NATIVE, 400)], "grace_secs": 300, "max_bids_per_order": 50,
        });
        let mut txs = Vec::new();
        for (code_id, name, init) in [(1, "registry", registry), (2, "market", market)] {
            let path = contracts.join(format!("{name}.wasm"));
            let wasm_byte_code = fs::read(&path).with_context(|| {
                format!("{}: expected a contract: run ./scripts/build-contracts or set EMBER_CONTRACTS_DIR", path.display())
            })?;
            let store = MsgStoreCode {
                sender: authority.clone(),
                wasm_byte_code,
                instantiate_permission: None,
            };
            let instantiate = MsgInstantiateContract {
                sender: authority.clone(),
                admin: authority.clone(),
                code_id,
                label: format!("ember {name}"),
                msg: init.to_string().into_bytes(),
                funds: Vec::new(),
            };
            txs.push(self.sign(0, any(&store), STORE_GAS)?);
            txs.push(self.sign(0, any(&instantiate), CONTRACT_GAS)?);
        }
        self.push("setup", false, txs);
        let device = json!({
            "id": "gpu-0", "model": "nvidia/rtx-4090", "vram_mib": 24_576, "profile": "nv_hopper1",
            "driver": "NVIDIA 550.54.14", "scores": [{ "name": "points", "value": 1_000 }],
        });
        let to = self.registry.clone();
        let txs = self.each(|_, i| {
            let register = json!({ "register_provider": {
                "host_uri": format!("https://p{i}.example:8443"), "devices": [device],
                "attributes": [{ "key": "region", "value": "eu" }],
            } });
            (to.clone(), register, coin(5_000_000, NATIVE))
        })?;
        self.push("setup", false, txs);
        Ok(())
    }

    /// A block without transactions: what a block costs by itself.
    pub fn empty(&mut self) {
        self.push("empty", false, Vec::new());
    }

    /// Each account sends `amount` to the next one. Amounts make transactions different from earlier ones.
    ///
    /// # Errors
    /// Never for these messages.
    pub fn sends(&mut self, amount: u128) -> Result<Vec<Bytes>> {
        let n = self.keys.len();
        (0..n)
            .map(|i| {
                let send = MsgSend {
                    from_address: self.keys[i].address.clone(),
                    to_address: self.keys[(i + 1) % n].address.clone(),
                    amount: vec![msg::coin(&coin(amount, NATIVE))],
                };
                self.sign(i, any(&send), SEND_GAS)
            })
            .collect()
    }

    /// Sends that are signed and never put in a block: `rounds` of each account, each round with another amount. They can
    /// be made again with other amounts.
    ///
    /// # Errors
    /// Never for these messages.
    pub fn unsent(&mut self, rounds: u128, amount: u128) -> Result<Vec<Vec<Bytes>>> {
        let before = self.sequences.clone();
        let made = (0..rounds).map(|i| self.sends(amount + i)).collect();
        self.sequences = before;
        made
    }

    /// The keys that sign.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Each account orders a GPU, by auction.
    ///
    /// # Errors
    /// Never for these messages.
    pub fn orders(&mut self) -> Result<Vec<Bytes>> {
        let market = self.market.clone();
        self.each(|_, _| {
            let order = json!({ "create_order": {
                "resources": { "units": 1, "gpu": {
                    "model": "nvidia/rtx-4090", "min_vram_mib": 16_384, "profile": "portable1", "region": "eu",
                    "min_bond": "1000000",
                } },
                "pricing": { "reverse_auction": { "closes_at": START + FAR } },
                "ceiling": { "denom": USDC, "rate": "2000000" },
                "max_duration_secs": 2 * FAR,
                "terms": { "notice_hours": 1, "relist": false },
            } });
            (market.clone(), order, coin(1_000_000, USDC))
        })
    }

    /// Each account bids on an order of another account, one of the `round`th block of orders.
    ///
    /// # Errors
    /// Never for these messages.
    pub fn bids(&mut self, round: usize) -> Result<Vec<Bytes>> {
        let market = self.market.clone();
        self.each(|n, i| {
            let order = round * n + (i + 1) % n + 1;
            let bid = json!({ "place_bid": { "order_id": order, "rate": "1000" } });
            (market.clone(), bid, coin(BID_DEPOSIT, USDC))
        })
    }

    /// Somebody who asks the market about its first order.
    pub fn reader(&self) -> Reader {
        let request = QuerySmartContractStateRequest {
            address: self.market.clone(),
            query_data: json!({ "order": { "order_id": 1 } })
                .to_string()
                .into_bytes(),
        };
        Reader {
            path: "/cosmwasm.wasm.v1.Query/SmartContractState".into(),
            data: request.encode_to_vec().into(),
        }
    }

    /// The next block.
    pub fn push(&mut self, workload: &'static str, check: bool, txs: Vec<Bytes>) {
        self.blocks.push(Block {
            workload,
            time: START + INTERVAL * (self.blocks.len() as i64 + 1),
            check,
            readers: Vec::new(),
            txs,
        });
    }

    /// One transaction of each account: contract, message and funds, made of the number of accounts and the account's.
    fn each(&mut self, what: impl Fn(usize, usize) -> (String, Value, Coin)) -> Result<Vec<Bytes>> {
        let n = self.keys.len();
        (0..n)
            .map(|i| {
                let (contract, msg, funds) = what(n, i);
                let msg = msg::execute(&self.keys[i].address, &contract, &msg, &[funds])?;
                self.sign(i, msg, CONTRACT_GAS)
            })
            .collect()
    }

    fn sign(&mut self, who: usize, msg: Any, gas: u64) -> Result<Bytes> {
        let data = signer::SignData {
            fee: coin(5_000, NATIVE),
            gas,
            memo: String::new(),
            chain_id: CHAIN.into(),
            account_number: who as u64,
            sequence: self.sequences[who],
        };
        self.sequences[who] += 1;
        Ok(signer::sign(&self.keys[who], vec![msg], &data).into())
    }
}

fn coin(amount: u128, denom: &str) -> Coin {
    Coin {
        amount,
        denom: denom.into(),
    }
}

fn any<M: Message + Name>(msg: &M) -> Any {
    Any {
        type_url: M::type_url(),
        value: msg.encode_to_vec(),
    }
}
