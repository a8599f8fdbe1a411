//! The services that only the engine can answer, over the node's JSON-RPC, so that both engines give the same.

use crate::app::App;
use base64::{Engine, prelude::BASE64_STANDARD};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        base::{
            abci::v1beta1::TxResponse,
            node::v1beta1::{ConfigResponse, StatusResponse},
            tendermint::v1beta1::GetSyncingResponse,
        },
        tx::v1beta1::{
            BroadcastMode, BroadcastTxRequest, BroadcastTxResponse, GetTxRequest, GetTxResponse,
            GetTxsEventRequest, GetTxsEventResponse, OrderBy, Tx, TxRaw,
        },
    },
    tendermint::abci::{Event, EventAttribute},
};
use ember_client::{Error, rpc::Client};
use prost::Message;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tonic::Status;

/// Most transactions of one page, as the SDK's default.
const PAGE: u64 = 100;

/// The node's RPC.
#[derive(Clone)]
pub struct EngineRpc {
    rpc: Client,
    app: App,
}

impl EngineRpc {
    /// Over the RPC at a URL, for the chain of `app`.
    ///
    /// # Errors
    /// When it is not one.
    pub fn new(url: &str, app: App) -> Result<Self, Error> {
        Ok(Self {
            rpc: Client::new(url)?,
            app,
        })
    }

    /// Answers a method; `None` when it is not the engine's to answer.
    pub async fn call(&self, path: &str, request: &[u8]) -> Option<Result<Vec<u8>, Status>> {
        Some(match path {
            "/cosmos.tx.v1beta1.Service/BroadcastTx" => self.broadcast(request).await,
            "/cosmos.tx.v1beta1.Service/GetTx" => self.tx(request).await,
            "/cosmos.tx.v1beta1.Service/GetTxsEvent" => self.txs(request).await,
            "/cosmos.base.tendermint.v1beta1.Service/GetSyncing" => self.syncing().await,
            "/cosmos.base.tendermint.v1beta1.Service/GetLatestBlock" => self.block(None).await,
            "/cosmos.base.tendermint.v1beta1.Service/GetBlockByHeight" => {
                match cosmos_sdk_proto::cosmos::base::tendermint::v1beta1::GetBlockByHeightRequest::decode(request) {
                    Ok(r) => self.block(Some(r.height)).await,
                    Err(e) => Err(Status::invalid_argument(e.to_string())),
                }
            }
            "/cosmos.base.node.v1beta1.Service/Config" => Ok(ConfigResponse::default().encode_to_vec()),
            "/cosmos.base.node.v1beta1.Service/Status" => self.status().await,
            _ => return None,
        })
    }

    async fn ask(&self, method: &str, params: Value) -> Result<Value, Status> {
        self.rpc.call(method, params).await.map_err(|e| match e {
            Error::Query { log, .. } if log.contains("not found") => Status::not_found(log),
            Error::Query { log, .. } => Status::invalid_argument(log),
            other => Status::unavailable(other.to_string()),
        })
    }

    async fn broadcast(&self, request: &[u8]) -> Result<Vec<u8>, Status> {
        let request: BroadcastTxRequest = decode(request)?;
        if request.tx_bytes.is_empty() {
            return Err(Status::invalid_argument("invalid empty tx"));
        }
        let method = match BroadcastMode::try_from(request.mode) {
            Ok(BroadcastMode::Sync) => "broadcast_tx_sync",
            Ok(BroadcastMode::Async) => "broadcast_tx_async",
            _ => {
                return Err(Status::invalid_argument(
                    "unsupported return type supplied: expected BROADCAST_MODE_SYNC or BROADCAST_MODE_ASYNC",
                ));
            }
        };
        let params = json!({"tx": BASE64_STANDARD.encode(&request.tx_bytes)});
        let v = match self.rpc.call(method, params).await {
            Ok(v) => v,
            // The SDK's word for what the mempool has already.
            Err(Error::Query { log, .. }) if log.contains("already exists in cache") => {
                json!({"code": 19, "codespace": "sdk", "log": "tx already in mempool"})
            }
            Err(e) => return Err(Status::unavailable(e.to_string())),
        };
        let response = TxResponse {
            txhash: ember_client::rpc::hash(&request.tx_bytes),
            code: number(&v["code"]),
            codespace: text(&v["codespace"]),
            raw_log: text(&v["log"]),
            data: hex::encode_upper(bytes(&v["data"])),
            ..TxResponse::default()
        };
        Ok(BroadcastTxResponse {
            tx_response: Some(response),
        }
        .encode_to_vec())
    }

    async fn tx(&self, request: &[u8]) -> Result<Vec<u8>, Status> {
        let request: GetTxRequest = decode(request)?;
        if request.hash.is_empty() {
            return Err(Status::invalid_argument("tx hash cannot be empty"));
        }
        let hash = hex::decode(&request.hash).map_err(|e| {
            Status::invalid_argument(format!(
                "tx hash: expected 64 hex digits, got {:?}: {e}",
                request.hash
            ))
        })?;
        let params = json!({"hash": BASE64_STANDARD.encode(hash), "prove": false});
        let found = self.ask("tx", params).await.map_err(|s| match s.code() {
            tonic::Code::NotFound => Status::not_found(format!("tx not found: {}", request.hash)),
            _ => s,
        })?;
        let mut times = BTreeMap::new();
        let (tx, response) = self.found(&found, &mut times).await?;
        Ok(GetTxResponse {
            tx: Some(tx),
            tx_response: Some(response),
        }
        .encode_to_vec())
    }

    #[allow(
        deprecated,
        reason = "clients of older versions still send events instead of the query"
    )]
    async fn txs(&self, request: &[u8]) -> Result<Vec<u8>, Status> {
        let request: GetTxsEventRequest = decode(request)?;
        let query = if request.query.is_empty() {
            request.events.join(" AND ")
        } else {
            request.query
        };
        if query.is_empty() {
            return Err(Status::invalid_argument("query cannot be empty"));
        }
        let limit = if request.limit == 0 {
            PAGE
        } else {
            request.limit.min(PAGE)
        };
        let order = if request.order_by == OrderBy::Desc as i32 {
            "desc"
        } else {
            "asc"
        };
        let params = json!({
            "query": query, "prove": false, "order_by": order,
            "page": request.page.max(1).to_string(), "per_page": limit.to_string(),
        });
        let found = self.ask("tx_search", params).await?;
        let (mut txs, mut tx_responses, mut times) = (Vec::new(), Vec::new(), BTreeMap::new());
        for one in found["txs"].as_array().into_iter().flatten() {
            let (tx, response) = self.found(one, &mut times).await?;
            txs.push(tx);
            tx_responses.push(response);
        }
        Ok(GetTxsEventResponse {
            txs,
            tx_responses,
            total: number(&found["total_count"]),
            ..GetTxsEventResponse::default()
        }
        .encode_to_vec())
    }

    /// A transaction in a block, with its block's time.
    async fn found(
        &self,
        v: &Value,
        times: &mut BTreeMap<i64, String>,
    ) -> Result<(Tx, TxResponse), Status> {
        let raw = bytes(&v["tx"]);
        let broken =
            |e: &dyn std::fmt::Display| Status::internal(format!("transaction in a block: {e}"));
        let parts = TxRaw::decode(raw.as_slice()).map_err(|e| broken(&e))?;
        let tx = Tx {
            body: Some(Message::decode(parts.body_bytes.as_slice()).map_err(|e| broken(&e))?),
            auth_info: Some(
                Message::decode(parts.auth_info_bytes.as_slice()).map_err(|e| broken(&e))?,
            ),
            signatures: parts.signatures,
        };
        let height: i64 = number(&v["height"]);
        let timestamp = match times.get(&height) {
            Some(time) => time.clone(),
            None => {
                let header = self
                    .ask("header", json!({"height": height.to_string()}))
                    .await?;
                // The SDK prints whole seconds.
                let time = text(&header["header"]["time"]);
                let time = time
                    .split_once('.')
                    .map_or(time.clone(), |(whole, _)| format!("{whole}Z"));
                times.insert(height, time.clone());
                time
            }
        };
        let r = &v["tx_result"];
        let response = TxResponse {
            height,
            txhash: text(&v["hash"]),
            codespace: text(&r["codespace"]),
            code: number(&r["code"]),
            data: hex::encode_upper(bytes(&r["data"])),
            raw_log: text(&r["log"]),
            info: text(&r["info"]),
            gas_wanted: number(&r["gas_wanted"]),
            gas_used: number(&r["gas_used"]),
            tx: Some(Any {
                type_url: "/cosmos.tx.v1beta1.Tx".into(),
                value: tx.encode_to_vec(),
            }),
            timestamp,
            events: r["events"]
                .as_array()
                .into_iter()
                .flatten()
                .map(event)
                .collect(),
            ..TxResponse::default()
        };
        Ok((tx, response))
    }

    async fn syncing(&self) -> Result<Vec<u8>, Status> {
        let status = self.ask("status", json!({})).await?;
        Ok(GetSyncingResponse {
            syncing: status["sync_info"]["catching_up"]
                .as_bool()
                .unwrap_or(false),
        }
        .encode_to_vec())
    }

    async fn status(&self) -> Result<Vec<u8>, Status> {
        let status = self.ask("status", json!({})).await?;
        let sync = &status["sync_info"];
        Ok(StatusResponse {
            earliest_store_height: number(&sync["earliest_block_height"]),
            height: number(&sync["latest_block_height"]),
            app_hash: hex::decode(text(&sync["latest_app_hash"])).unwrap_or_default(),
            ..StatusResponse::default()
        }
        .encode_to_vec())
    }

    async fn block(&self, height: Option<i64>) -> Result<Vec<u8>, Status> {
        let params = height.map_or_else(|| json!({}), |h| json!({"height": h.to_string()}));
        let v = self.ask("block", params).await?;
        super::block::response(&v, &self.app.prefix())
            .map_err(|e| Status::internal(format!("block: {e}")))
    }
}

fn decode<M: Message + Default>(request: &[u8]) -> Result<M, Status> {
    M::decode(request).map_err(|e| Status::invalid_argument(e.to_string()))
}

fn text(v: &Value) -> String {
    v.as_str().unwrap_or_default().to_owned()
}

fn bytes(v: &Value) -> Vec<u8> {
    BASE64_STANDARD
        .decode(v.as_str().unwrap_or_default())
        .unwrap_or_default()
}

/// JSON-RPC writes 64-bit numbers as strings and others as numbers.
fn number<N: TryFrom<i128> + Default>(v: &Value) -> N {
    let n = match v {
        Value::String(s) => s.parse().ok(),
        other => other.as_i64().map(i128::from),
    };
    n.and_then(|n| N::try_from(n).ok()).unwrap_or_default()
}

fn event(v: &Value) -> Event {
    Event {
        r#type: text(&v["type"]),
        attributes: v["attributes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|a| EventAttribute {
                key: text(&a["key"]),
                value: text(&a["value"]),
                index: a["index"].as_bool().unwrap_or(false),
            })
            .collect(),
    }
}
