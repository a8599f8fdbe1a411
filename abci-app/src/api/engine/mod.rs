//! The services that only the engine can answer, over the node's JSON-RPC, so that both engines give the same.

mod blocks;
mod txs;

use crate::app::App;
use base64::{Engine, prelude::BASE64_STANDARD};
use ember_client::{Error, rpc::Client};
use prost::Message;
use serde_json::Value;
use tonic::Status;

/// Most transactions or validators of one page, as the SDK's default.
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
        let (service, method) = path.strip_prefix('/')?.split_once('/')?;
        Some(match (service, method) {
            ("cosmos.tx.v1beta1.Service", "BroadcastTx") => self.broadcast(request).await,
            ("cosmos.tx.v1beta1.Service", "GetTx") => self.tx(request).await,
            ("cosmos.tx.v1beta1.Service", "GetTxsEvent") => self.txs(request).await,
            ("cosmos.tx.v1beta1.Service", "GetBlockWithTxs") => self.block_with_txs(request).await,
            ("cosmos.base.tendermint.v1beta1.Service", "GetNodeInfo") => self.node_info().await,
            ("cosmos.base.tendermint.v1beta1.Service", "GetSyncing") => self.syncing().await,
            ("cosmos.base.tendermint.v1beta1.Service", "GetLatestBlock") => self.latest().await,
            ("cosmos.base.tendermint.v1beta1.Service", "GetBlockByHeight") => {
                self.at_height(request).await
            }
            ("cosmos.base.tendermint.v1beta1.Service", "GetLatestValidatorSet") => {
                self.latest_validators(request).await
            }
            ("cosmos.base.tendermint.v1beta1.Service", "GetValidatorSetByHeight") => {
                self.validators_at(request).await
            }
            ("cosmos.base.node.v1beta1.Service", "Status") => self.status().await,
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
