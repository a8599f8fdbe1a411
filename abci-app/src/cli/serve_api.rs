//! gRPC, REST and metrics beside the node, whichever engine it has.

use super::monitor;
use crate::{
    api::{Services, grpc, rest},
    app::App,
    config::{Config, tcp_host},
    metrics::Metrics,
    net::{self, Limits},
};
use anyhow::{Context, Result};
use serde_json::{Map, Value};
use std::net::SocketAddr;
use tokio::{net::TcpListener, sync::watch};

/// Servers that run until this is dropped.
pub struct ApiServers {
    /// Where they listen: `grpc`, `api` and `metrics`.
    pub addresses: Map<String, Value>,
    _stop: watch::Sender<()>,
}

/// Starts what the configuration names; `rpc` is the URL of the engine's RPC.
///
/// # Errors
/// When an address cannot be listened on.
pub async fn start(config: &Config, app: App, metrics: &Metrics, rpc: &str) -> Result<ApiServers> {
    let services = Services::new(app.clone(), metrics.clone(), rpc)?;
    let (stop, stopped) = watch::channel(());
    let mut addresses = Map::new();
    for (name, flag, laddr) in [
        ("grpc", "--grpc-laddr", &config.grpc_laddr),
        ("api", "--api-laddr", &config.api_laddr),
        ("metrics", "--metrics-laddr", &config.metrics_laddr),
    ] {
        if laddr.is_empty() {
            continue;
        }
        let (listener, local) = listen(name, flag, laddr).await?;
        let router = match name {
            "grpc" => grpc::routes(services.clone())?,
            "api" => rest::routes(services.clone()),
            _ => monitor::routes(app.clone(), metrics.clone(), rpc)?,
        };
        let mut stopped = stopped.clone();
        let (limits, metrics) = (limits(name), metrics.clone());
        tokio::spawn(async move {
            let stop = async {
                // An error: the sender is gone, which is the signal.
                stopped.changed().await.ok();
            };
            net::serve(name, listener, router, limits, metrics, stop).await;
        });
        addresses.insert(name.into(), format!("tcp://{local}").into());
    }
    Ok(ApiServers {
        addresses,
        _stop: stop,
    })
}

fn limits(name: &str) -> Limits {
    Limits {
        connections: if name == "metrics" { 20 } else { 400 },
        ..Limits::default()
    }
}

async fn listen(name: &str, flag: &str, laddr: &str) -> Result<(TcpListener, SocketAddr)> {
    let host = tcp_host(laddr)?;
    let listener = TcpListener::bind(&host).await.with_context(|| {
        format!("{name} address {host}: choose another with {flag}, or none with {flag} ''")
    })?;
    let local = listener.local_addr()?;
    if !local.ip().is_loopback() {
        tracing::warn!(%local, "{name} is open to other machines");
    }
    Ok((listener, local))
}
