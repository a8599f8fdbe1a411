//! The three ways to send a transaction.

use super::{
    json,
    methods::{Answer, Api, RpcError},
    params::Params,
};
use crate::engine::{bus::Kind, chain::tx_hash};
use serde_json::json;
use std::time::Duration;
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::ExecTxResult;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, timeout_at},
};

/// CometBFT's `timeout_broadcast_tx_commit`.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);

impl<A: Application> Api<A> {
    pub(super) fn broadcast_sync(&self, p: &Params) -> Answer {
        let tx = p.bytes("tx").map_err(RpcError::params)?;
        let hash = json::hex(tx_hash(&tx));
        let r = self.node.broadcast(tx.into()).map_err(RpcError::internal)?;
        Ok(json!({
            "code": r.code,
            "data": json::hex(&r.data),
            "log": r.log,
            "codespace": r.codespace,
            "hash": hash,
        }))
    }

    /// As sync, but the answer does not tell what the application said.
    pub(super) fn broadcast_async(&self, p: &Params) -> Answer {
        let tx = p.bytes("tx").map_err(RpcError::params)?;
        let hash = json::hex(tx_hash(&tx));
        self.node.broadcast(tx.into()).map_err(RpcError::internal)?;
        Ok(json!({ "code": 0, "data": "", "log": "", "codespace": "", "hash": hash }))
    }

    /// Send a transaction and wait for its block.
    ///
    /// # Errors
    /// When the mempool refuses it or no block comes in time.
    pub(super) async fn broadcast_commit(&self, p: &Params) -> Answer {
        let tx = p.bytes("tx").map_err(RpcError::params)?;
        let hash = tx_hash(&tx);
        let mut events = self.node.subscribe();
        let node = self.node.clone();
        let check = tokio::task::spawn_blocking(move || node.broadcast(tx.into()))
            .await
            .map_err(RpcError::internal)?
            .map_err(|e| RpcError::internal(format!("error on broadcastTxCommit: {e}")))?;
        let answer = |result: &ExecTxResult, height: u64| {
            json!({
                "check_tx": json::check_tx(&check),
                "tx_result": json::tx_result(result),
                "hash": json::hex(hash),
                "height": json::int(height),
            })
        };
        if check.code != 0 {
            return Ok(answer(&ExecTxResult::default(), 0));
        }
        let deadline = Instant::now() + COMMIT_TIMEOUT;
        loop {
            match timeout_at(deadline, events.recv()).await {
                Err(_) => {
                    return Err(RpcError::internal(
                        "timed out waiting for tx to be included in a block",
                    ));
                }
                Ok(Err(RecvError::Closed)) => return Err(RpcError::internal("CometBFT exited")),
                // Missed some: the store knows.
                Ok(Err(RecvError::Lagged(_))) => {}
                Ok(Ok(event)) if event.kind != Kind::NewBlock => continue,
                Ok(Ok(_)) => {}
            }
            if let Some(found) = self.node.tx(&hash)? {
                return Ok(answer(&found.result, found.height));
            }
        }
    }
}
