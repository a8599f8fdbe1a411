//! The methods that read. `search` and `broadcast` have the others.

use super::{json, params::Params};
use crate::engine::{
    Node,
    chain::tx_proof,
    keys::address_of,
    node::{COMETBFT_VERSION, TxRecord},
};
use serde_json::{Value, json};
use std::sync::Arc;
use tendermint_abci::Application;
use tendermint_proto::v0_38::{
    abci::{RequestCheckTx, RequestInfo, RequestQuery},
    types::Block,
};

/// A JSON-RPC error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    /// -32600 to -32700.
    pub code: i64,
    /// The code's name.
    pub message: &'static str,
    /// What happened.
    pub data: String,
}

impl RpcError {
    /// The request is well-formed but cannot be answered.
    pub fn internal(data: impl ToString) -> Self {
        Self {
            code: -32603,
            message: "Internal error",
            data: data.to_string(),
        }
    }

    /// A parameter is wrong.
    pub fn params(data: impl ToString) -> Self {
        Self {
            code: -32602,
            message: "Invalid params",
            data: data.to_string(),
        }
    }
}

impl From<crate::engine::Error> for RpcError {
    fn from(e: crate::engine::Error) -> Self {
        Self::internal(e)
    }
}

/// What a method answers.
pub type Answer = Result<Value, RpcError>;

/// The name of each method and of its parameters in a list. Websocket methods are elsewhere.
pub const METHODS: &[(&str, &[&str])] = &[
    ("health", &[]),
    ("status", &[]),
    ("net_info", &[]),
    ("blockchain", &["minHeight", "maxHeight"]),
    ("genesis", &[]),
    ("genesis_chunked", &["chunk"]),
    ("block", &["height"]),
    ("block_by_hash", &["hash"]),
    ("block_results", &["height"]),
    ("commit", &["height"]),
    ("header", &["height"]),
    ("header_by_hash", &["hash"]),
    ("check_tx", &["tx"]),
    ("tx", &["hash", "prove"]),
    (
        "tx_search",
        &["query", "prove", "page", "per_page", "order_by"],
    ),
    ("block_search", &["query", "page", "per_page", "order_by"]),
    ("validators", &["height", "page", "per_page"]),
    ("consensus_params", &["height"]),
    ("unconfirmed_txs", &["limit"]),
    ("num_unconfirmed_txs", &[]),
    ("broadcast_tx_commit", &["tx"]),
    ("broadcast_tx_sync", &["tx"]),
    ("broadcast_tx_async", &["tx"]),
    ("abci_query", &["path", "data", "height", "prove"]),
    ("abci_info", &[]),
];

/// The node and what it is called.
#[derive(Clone)]
pub struct Api<A> {
    pub(super) node: Arc<Node<A>>,
    pub(super) moniker: String,
    pub(super) node_id: String,
    pub(super) listen: String,
}

impl<A: Application> Api<A> {
    /// The methods of `node`, which calls itself `moniker` and is known to peers by the 20-byte `node_id` in hex.
    pub fn new(node: Arc<Node<A>>, moniker: String, node_id: String, listen: String) -> Self {
        Self {
            node,
            moniker,
            node_id,
            listen,
        }
    }

    /// Answer one call. Blocks: run it where blocking is allowed.
    ///
    /// # Errors
    /// As CometBFT's.
    pub fn call(&self, method: &str, p: &Params) -> Answer {
        match method {
            "health" => Ok(json!({})),
            "status" => self.status(),
            "net_info" => {
                Ok(json!({ "listening": true, "listeners": [], "n_peers": "0", "peers": [] }))
            }
            "blockchain" => self.blockchain(p),
            "genesis" => Ok(json!({ "genesis": self.node.genesis().json })),
            "genesis_chunked" => self.genesis_chunked(p),
            "block" => self.block_at(self.height(p)?),
            "block_by_hash" => match self.by_hash(p)? {
                Some(height) => self.block_at(height),
                None => Ok(json!({ "block_id": json::block_id(None), "block": null })),
            },
            "block_results" => {
                let height = self.height(p)?;
                let results = self.node.store().results(height)?;
                let results = results.ok_or_else(|| missing(height))?;
                Ok(json::block_results(height, &results))
            }
            "commit" => self.commit(p),
            "header" => self.header(Some(self.height(p)?)),
            "header_by_hash" => self.header(self.by_hash(p)?),
            "check_tx" => {
                let tx = p.bytes("tx").map_err(RpcError::params)?;
                let request = RequestCheckTx {
                    tx: tx.into(),
                    r#type: 0,
                };
                Ok(json::check_tx(&self.node.app().check_tx(request)))
            }
            "tx" => self.tx(p),
            "tx_search" => self.tx_search(p),
            "block_search" => self.block_search(p),
            "validators" => self.validators(p),
            "consensus_params" => self.consensus_params(p),
            "unconfirmed_txs" => {
                let limit = self.per_page(p, "limit")?;
                Ok(self.unconfirmed(Some(&self.node.mempool().peek(limit))))
            }
            "num_unconfirmed_txs" => Ok(self.unconfirmed(None)),
            "broadcast_tx_sync" => self.broadcast_sync(p),
            "broadcast_tx_async" => self.broadcast_async(p),
            "abci_query" => self.query(p),
            "abci_info" => {
                let info = self.node.app().info(RequestInfo {
                    version: COMETBFT_VERSION.into(),
                    block_version: 11,
                    p2p_version: 8,
                    abci_version: "2.0.0".into(),
                });
                Ok(json!({ "response": json::info(&info) }))
            }
            _ => Err(RpcError {
                code: -32601,
                message: "Method not found",
                data: String::new(),
            }),
        }
    }

    fn status(&self) -> Answer {
        let state = self.node.state();
        let header = |height: u64| -> Result<_, RpcError> {
            Ok(self.node.store().block(height)?.and_then(|b| b.header))
        };
        let newest = self.node.height();
        let (latest, earliest) = (header(newest)?, header(self.node.base())?);
        let part = |h: Option<&tendermint_proto::v0_38::types::Header>| {
            (
                json::hex(h.map(crate::engine::chain::header_hash).unwrap_or_default()),
                json::hex(h.map(|h| h.app_hash.clone()).unwrap_or_default()),
                json::int(h.map_or(0, |h| h.height)),
                h.map_or_else(
                    || json!("1970-01-01T00:00:00Z"),
                    |h| json::time(h.time.as_ref()),
                ),
            )
        };
        let (lh, la, ln, lt) = part(latest.as_ref().filter(|_| newest > 0));
        let (eh, ea, en, et) = part(earliest.as_ref().filter(|_| newest > 0));
        let key = self.node.validator();
        let power = state
            .validators
            .validators
            .iter()
            .find(|v| v.address == address_of(&key))
            .map_or(0, |v| v.voting_power);
        Ok(json!({
            "node_info": {
                "protocol_version": { "p2p": "8", "block": "11", "app": json::int(state.app_version) },
                "id": self.node_id,
                "listen_addr": self.listen,
                "network": state.chain_id,
                "version": COMETBFT_VERSION,
                "channels": "",
                "moniker": self.moniker,
                "other": { "tx_index": "on", "rpc_address": self.listen },
            },
            "sync_info": {
                "latest_block_hash": lh, "latest_app_hash": la, "latest_block_height": ln, "latest_block_time": lt,
                "earliest_block_hash": eh, "earliest_app_hash": ea, "earliest_block_height": en, "earliest_block_time": et,
                "catching_up": false,
            },
            "validator_info": {
                "address": json::hex(address_of(&key)),
                "pub_key": crate::engine::keys::pub_key_json(&key),
                "voting_power": json::int(power),
            },
        }))
    }

    fn blockchain(&self, p: &Params) -> Answer {
        const MOST: u64 = 20;
        let bound = |name| -> Result<u64, RpcError> {
            let n = p.int(name).map_err(RpcError::params)?.unwrap_or(0);
            u64::try_from(n).map_err(|_| RpcError::internal("heights must be non-negative"))
        };
        let (mut min, mut max) = (bound("minHeight")?, bound("maxHeight")?);
        let (base, newest) = (self.node.base(), self.node.height());
        if max == 0 {
            max = newest;
        }
        max = max.min(newest);
        min = min.max(base).max((max + 1).saturating_sub(MOST));
        if min > max && newest > 0 {
            return Err(RpcError::internal(format!(
                "min height {min} can't be greater than max height {max}"
            )));
        }
        let mut metas = Vec::new();
        for height in (min..=max).rev() {
            if let Some(block) = self.node.store().block(height)? {
                metas.push(json::block_meta(&block, self.block_id(height)?.as_ref()));
            }
        }
        Ok(json!({ "last_height": json::int(newest), "block_metas": metas }))
    }

    fn genesis_chunked(&self, p: &Params) -> Answer {
        const CHUNK: usize = 16 << 20;
        let text = self.node.genesis().json.to_string();
        let total = text.len().div_ceil(CHUNK);
        let wanted = p.int("chunk").map_err(RpcError::params)?.unwrap_or(0);
        let chunk = usize::try_from(wanted)
            .ok()
            .and_then(|n| text.as_bytes().chunks(CHUNK).nth(n))
            .ok_or_else(|| {
                RpcError::internal(format!(
                    "there are {} chunks, {wanted} is invalid",
                    total.saturating_sub(1)
                ))
            })?;
        Ok(
            json!({ "chunk": json::int(wanted), "total": json::int(total), "data": json::b64(chunk) }),
        )
    }

    /// The block of a height, or an error.
    pub(super) fn block_at(&self, height: u64) -> Answer {
        let block = self.load(height)?;
        Ok(
            json!({ "block_id": json::block_id(self.block_id(height)?.as_ref()), "block": json::block(&block) }),
        )
    }

    fn commit(&self, p: &Params) -> Answer {
        let height = self.height(p)?;
        let header = self.load(height)?.header.unwrap_or_default();
        // The canonical commit of a block stands in the next one.
        let next = (height < self.node.height())
            .then(|| self.load(height + 1))
            .transpose()?;
        let canonical = next.is_some();
        let commit = match next {
            Some(block) => block.last_commit,
            None => self.node.store().commit(height)?,
        };
        Ok(json!({
            "signed_header": { "header": json::header(&header), "commit": commit.as_ref().map(json::commit) },
            "canonical": canonical,
        }))
    }

    fn header(&self, height: Option<u64>) -> Answer {
        let Some(height) = height else {
            return Ok(json!({ "header": null }));
        };
        let block = self.load(height)?;
        Ok(json!({ "header": block.header.as_ref().map(json::header) }))
    }

    fn tx(&self, p: &Params) -> Answer {
        let hash = p.bytes("hash").map_err(RpcError::params)?;
        let prove = p.flag("prove").map_err(RpcError::params)?;
        let found = self.node.tx(&hash)?.ok_or_else(|| {
            RpcError::internal(format!("tx ({}) not found", hex::encode_upper(&hash)))
        })?;
        Ok(tx_json(&found, prove))
    }

    fn validators(&self, p: &Params) -> Answer {
        // The next height's set is known already.
        let height = self.height_up_to(p, self.node.height() + 1)?;
        let state = self.node.state();
        let set = if self.node.height() == 0 {
            Some(state.validators)
        } else {
            self.node.store().validators(height)?
        };
        let all = set.ok_or_else(|| missing(height))?.validators;
        let (from, to) = self.page(p, all.len())?;
        let page = &all[from..to];
        Ok(json!({
            "block_height": json::int(height),
            "validators": page.iter().map(json::validator).collect::<Vec<_>>(),
            "count": json::int(page.len()),
            "total": json::int(all.len()),
        }))
    }

    fn consensus_params(&self, p: &Params) -> Answer {
        let height = self.height_up_to(p, self.node.height() + 1)?;
        let params = if self.node.height() == 0 {
            Some(self.node.state().params)
        } else {
            self.node.store().params(height)?
        };
        let params = params.ok_or_else(|| missing(height))?;
        Ok(json!({ "block_height": json::int(height), "consensus_params": json::params(&params) }))
    }

    fn unconfirmed(&self, txs: Option<&[bytes::Bytes]>) -> Value {
        let (total, bytes) = self.node.mempool().size();
        json!({
            "n_txs": json::int(txs.map_or(total, <[_]>::len)),
            "total": json::int(total),
            "total_bytes": json::int(bytes),
            "txs": txs.map(|t| t.iter().map(json::b64).collect::<Vec<_>>()),
        })
    }

    fn query(&self, p: &Params) -> Answer {
        let request = RequestQuery {
            path: p.text("path").map_err(RpcError::params)?,
            data: p.hex_bytes("data").map_err(RpcError::params)?.into(),
            height: p.int("height").map_err(RpcError::params)?.unwrap_or(0),
            prove: p.flag("prove").map_err(RpcError::params)?,
        };
        Ok(json!({ "response": json::query(&self.node.app().query(request)) }))
    }

    /// The height that a call asks for; the newest when it names none.
    fn height(&self, p: &Params) -> Result<u64, RpcError> {
        self.height_up_to(p, self.node.height())
    }

    fn height_up_to(&self, p: &Params, newest: u64) -> Result<u64, RpcError> {
        let Some(height) = p.int("height").map_err(RpcError::params)? else {
            return Ok(newest);
        };
        let base = self.node.base();
        let wrong = match u64::try_from(height) {
            Err(_) | Ok(0) => format!("height must be greater than 0, but got {height}"),
            Ok(h) if h > newest => format!(
                "height {height} must be less than or equal to the current blockchain height {newest}"
            ),
            Ok(h) if h < base => {
                format!("height {height} is not available, lowest height is {base}")
            }
            Ok(h) => return Ok(h),
        };
        Err(RpcError::internal(wrong))
    }

    fn by_hash(&self, p: &Params) -> Result<Option<u64>, RpcError> {
        let hash = p.bytes("hash").map_err(RpcError::params)?;
        let height = self.node.store().height_of(&hash)?;
        Ok(height.filter(|h| *h <= self.node.height()))
    }

    fn load(&self, height: u64) -> Result<Block, RpcError> {
        self.node
            .store()
            .block(height)?
            .ok_or_else(|| missing(height))
    }

    fn block_id(
        &self,
        height: u64,
    ) -> Result<Option<tendermint_proto::v0_38::types::BlockId>, RpcError> {
        Ok(self.node.store().commit(height)?.and_then(|c| c.block_id))
    }
}

fn missing(height: u64) -> RpcError {
    RpcError::internal(format!("height {height} is not available"))
}

/// A transaction as `tx` and `tx_search` print it.
pub(super) fn tx_json(r: &TxRecord, prove: bool) -> Value {
    let mut out = json!({
        "hash": json::hex(crate::engine::chain::tx_hash(&r.tx)),
        "height": json::int(r.height),
        "index": r.index,
        "tx_result": json::tx_result(&r.result),
        "tx": json::b64(&r.tx),
    });
    if prove {
        let index = usize::try_from(r.index).unwrap_or(usize::MAX);
        out["proof"] = tx_proof(&r.block_txs, index)
            .as_ref()
            .map_or(Value::Null, json::tx_proof);
    }
    out
}
