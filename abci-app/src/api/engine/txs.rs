//! `cosmos.tx.v1beta1.Service`: what needs the engine.

use super::{EngineRpc, PAGE, bytes, decode, number, text};
use crate::codec::tx::DecodedTx;
use base64::{Engine, prelude::BASE64_STANDARD};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        base::{
            abci::v1beta1::TxResponse,
            query::v1beta1::{PageRequest, PageResponse},
        },
        tx::v1beta1::{
            BroadcastMode, BroadcastTxRequest, BroadcastTxResponse, GetBlockWithTxsRequest,
            GetTxRequest, GetTxsEventRequest, OrderBy,
        },
    },
    tendermint::abci::{Event, EventAttribute},
};
use ember_client::Error;
use prost::Message;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tendermint_proto::v0_38::types::{Block, BlockId};
use tonic::Status;

// A `Tx` in an answer is the transaction's own bytes: `TxRaw` is encoded as `Tx` is, and no field is lost that the
// library does not know.

/// `GetTxResponse`.
#[derive(Clone, PartialEq, Message)]
struct FoundTx {
    #[prost(bytes = "vec", tag = "1")]
    tx: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    tx_response: Option<TxResponse>,
}

/// `GetTxsEventResponse`.
#[derive(Clone, PartialEq, Message)]
struct FoundTxs {
    #[prost(bytes = "vec", repeated, tag = "1")]
    txs: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "2")]
    tx_responses: Vec<TxResponse>,
    #[prost(uint64, tag = "4")]
    total: u64,
}

/// `GetBlockWithTxsResponse`.
#[derive(Clone, PartialEq, Message)]
struct BlockWithTxs {
    #[prost(bytes = "vec", repeated, tag = "1")]
    txs: Vec<Vec<u8>>,
    #[prost(message, optional, tag = "2")]
    block_id: Option<BlockId>,
    #[prost(message, optional, tag = "3")]
    block: Option<Block>,
    #[prost(message, optional, tag = "4")]
    pagination: Option<PageResponse>,
}

impl EngineRpc {
    pub(super) async fn broadcast(&self, request: &[u8]) -> Result<Vec<u8>, Status> {
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

    pub(super) async fn tx(&self, request: &[u8]) -> Result<Vec<u8>, Status> {
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
        Ok(FoundTx {
            tx,
            tx_response: Some(response),
        }
        .encode_to_vec())
    }

    #[allow(
        deprecated,
        reason = "clients of older versions still send events instead of the query"
    )]
    pub(super) async fn txs(&self, request: &[u8]) -> Result<Vec<u8>, Status> {
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
        Ok(FoundTxs {
            txs,
            tx_responses,
            total: number(&found["total_count"]),
        }
        .encode_to_vec())
    }

    /// A transaction in a block, with its block's time.
    async fn found(
        &self,
        v: &Value,
        times: &mut BTreeMap<i64, String>,
    ) -> Result<(Vec<u8>, TxResponse), Status> {
        let raw = bytes(&v["tx"]);
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
                value: raw.clone(),
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
        Ok((raw, response))
    }

    /// A block with its transactions decoded: `pagination` is over them. Those that are none are left out.
    pub(super) async fn block_with_txs(&self, request: &[u8]) -> Result<Vec<u8>, Status> {
        let request: GetBlockWithTxsRequest = decode(request)?;
        let current = i64::try_from(self.app.last_height()).unwrap_or(i64::MAX);
        if request.height < 1 || request.height > current {
            return Err(Status::unknown(format!(
                "requested height {} but height must not be less than 1 or greater than the current height {current}: invalid height",
                request.height
            )));
        }
        let v = self
            .ask("block", json!({"height": request.height.to_string()}))
            .await?;
        let in_block = v["block"]["data"]["txs"].as_array();
        let in_block: Vec<_> = in_block.into_iter().flatten().map(bytes).collect();
        let total = in_block.len() as u64;
        let page = request.pagination.unwrap_or_else(|| PageRequest {
            limit: PAGE,
            ..PageRequest::default()
        });
        if page.offset >= total && total > 0 {
            return Err(Status::unknown(format!(
                "out of range: cannot paginate {total} txs with offset {} and limit {}: invalid request",
                page.offset, page.limit
            )));
        }
        let from = usize::try_from(page.offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let good = |tx: &&Vec<u8>| DecodedTx::decode(tx).is_ok();
        let chosen: Vec<Vec<u8>> = if page.reverse {
            // As the SDK walks: from the offset down, the first transaction left out.
            let down = in_block.iter().take(from + 1).skip(1).rev();
            down.take(limit).filter(good).cloned().collect()
        } else {
            let up = in_block.iter().skip(from).take(limit);
            up.filter(good).cloned().collect()
        };
        let (block_id, block) =
            super::super::block::parts(&v).map_err(|e| Status::internal(format!("block: {e}")))?;
        Ok(BlockWithTxs {
            txs: chosen,
            block_id: Some(block_id),
            block: Some(block),
            pagination: Some(PageResponse {
                total,
                ..PageResponse::default()
            }),
        }
        .encode_to_vec())
    }
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
