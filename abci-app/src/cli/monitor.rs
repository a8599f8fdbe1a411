//! What watches a node: `/metrics` for Prometheus and `/health` for whoever restarts it.

use crate::{
    app::App,
    metrics::{Metrics, age},
};
use axum::{Json, Router, http::header, routing::get};
use ember_client::Client;
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// How long the engine may take to tell how many transactions wait.
const ENGINE: Duration = Duration::from_secs(2);
/// OpenMetrics' content type.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The routes; `rpc` is the URL of the engine's RPC.
///
/// # Errors
/// When `rpc` is none.
pub fn routes(app: App, metrics: Metrics, rpc: &str) -> Result<Router, ember_client::Error> {
    let engine = Client::new(rpc)?;
    let read = async move || {
        // An engine that does not answer leaves the last number.
        let waiting = timeout(ENGINE, engine.call("num_unconfirmed_txs", json!({})));
        if let Ok(Ok(answer)) = waiting.await
            && let Some(n) = answer["n_txs"].as_str().and_then(|n| n.parse().ok())
        {
            metrics.set_mempool(n);
        }
        ([(header::CONTENT_TYPE, OPEN_METRICS)], metrics.text())
    };
    Ok(Router::new()
        .route("/metrics", get(read))
        .route("/health", get(async move || health(&app))))
}

/// That the process serves, and how old its last block is. Old blocks are no reason to restart it: the chain may wait
/// for other validators.
fn health(app: &App) -> Json<serde_json::Value> {
    let block = app.last_block();
    let time = (block.time_ns / 1_000_000_000).cast_signed();
    Json(json!({
        "status": "ok",
        "chain_id": block.chain_id,
        "height": block.height,
        "block_age_seconds": age(time),
    }))
}
