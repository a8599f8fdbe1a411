//! gRPC and REST beside the node, whichever engine it has.

use crate::{
    api::{Services, grpc, rest},
    app::App,
    config::{Config, tcp_host},
};
use anyhow::{Context, Result};
use serde_json::{Map, Value};
use std::net::SocketAddr;
use tokio::{net::TcpListener, sync::watch};

/// Servers that run until this is dropped.
pub struct ApiServers {
    /// Where they listen: `grpc` and `api`.
    pub addresses: Map<String, Value>,
    _stop: watch::Sender<()>,
}

/// Starts what the configuration names; `rpc` is the URL of the engine's RPC.
///
/// # Errors
/// When an address cannot be listened on.
pub async fn start(config: &Config, app: App, rpc: &str) -> Result<ApiServers> {
    let services = Services::new(app, rpc)?;
    let (stop, stopped) = watch::channel(());
    let mut addresses = Map::new();
    for (name, flag, laddr) in [
        ("grpc", "--grpc-laddr", &config.grpc_laddr),
        ("api", "--api-laddr", &config.api_laddr),
    ] {
        if laddr.is_empty() {
            continue;
        }
        let (listener, local) = listen(name, flag, laddr).await?;
        let router = match name {
            "grpc" => grpc::routes(services.clone())?,
            _ => rest::routes(services.clone()),
        };
        let mut stopped = stopped.clone();
        tokio::spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(async move {
                // An error: the sender is gone, which is the signal.
                stopped.changed().await.ok();
            });
            if let Err(error) = served.await {
                tracing::error!(name, %error, "server ended");
            }
        });
        addresses.insert(name.into(), format!("tcp://{local}").into());
    }
    Ok(ApiServers {
        addresses,
        _stop: stop,
    })
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
