//! `ember provider run`.

use super::args;
use crate::{
    chain::{ChainClient, Error, RpcChain},
    compute::{DeviceError, DeviceInfo, vulkan},
    config::Global,
    daemon::{Daemon, Openings, Prices, Strategy},
    identity::cert::Identity,
    session::{
        host::{HostConfig, folders},
        runner::Processes,
        server::SessionServer,
    },
};
use anyhow::{Context, Result, bail};
use clap::Args;
use ember_types::{ids::LeaseId, money::Rate};
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use zeroize::Zeroizing;

/// What general price a provider asks that set none, in coins an hour.
const USUAL_PRICE: &str = "2.0";
/// Longest that any job may run, whatever its manifest says.
const WALL_CAP: Duration = Duration::from_secs(24 * 3_600);

/// Bid, serve sessions, and go on until stopped.
#[derive(Debug, Args)]
pub struct Run {
    /// Where sessions are served
    #[arg(long, default_value = "0.0.0.0:8443", value_name = "ADDR")]
    listen: SocketAddr,
    /// Only these devices, by number [default: all that Vulkan finds]
    #[arg(long, value_name = "N")]
    device: Vec<u32>,
    /// Least coins an hour in a denom, for example 2.5uusdc; without a denom: in every other, or the ceiling where that
    /// is lower [default: 2.0]
    #[arg(long, value_parser = args::price_in, value_name = "PRICE")]
    price: Vec<(Option<String>, Rate)>,
    /// How bids are priced
    #[arg(long, value_enum, default_value = "fixed")]
    strategy: Strategy,
}

impl Run {
    pub async fn run(self, g: &Global) -> Result<Value> {
        let found = find_devices(self.device.clone()).await?;
        for d in &found {
            tracing::info!("device {}: {} ({})", d.index, d.model, d.driver);
        }
        let identity = Identity::load(&g.home()?)?;
        let chain = g.signing_chain()?;
        let host = HostConfig {
            data: g.home()?.join("leases"),
            workers: Arc::new(Processes {
                exe: std::env::current_exe().context("the path of this program")?,
                wall_cap: WALL_CAP,
            }),
            chain_id: chain_id(&chain).await?,
            pkcs8: Zeroizing::new(identity.pkcs8().to_vec()),
        };
        let leftovers = folders(&host.data).into_iter().map(LeaseId).collect();
        let (tx, rights) = watch::channel(Arc::default());
        let openings = Openings::open(&g.home()?, chain.address());
        let mut daemon = Daemon::new(chain, found, self.prices()?, openings, tx, leftovers);
        let server = SessionServer::bind(self.listen, &identity, host, rights).await?;
        tracing::info!("serving sessions at {}", server.addr);
        let (mut term, mut int) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        tokio::select! {
            end = daemon.run() => match end {
                Err(e) => Err(e.into()),
            },
            _ = term.recv() => Ok(json!({"stopped": "SIGTERM"})),
            _ = int.recv() => Ok(json!({"stopped": "SIGINT"})),
        }
    }

    fn prices(&self) -> Result<Prices> {
        let mut prices = Prices {
            set: Default::default(),
            otherwise: None,
            strategy: self.strategy,
        };
        for (denom, rate) in &self.price {
            match denom {
                Some(d) => {
                    prices.set.insert(d.clone(), *rate);
                }
                None => prices.otherwise = Some(*rate),
            }
        }
        if self.price.is_empty() {
            prices.otherwise = Some(args::price(USUAL_PRICE).map_err(anyhow::Error::msg)?);
        }
        Ok(prices)
    }
}

/// The chain's id; an outage is waited out, since a provider may come back before its node does.
async fn chain_id(chain: &RpcChain) -> Result<String, Error> {
    let mut said = false;
    loop {
        match chain.client().chain_id().await {
            Err(e) if e.is_outage() => {
                if !std::mem::replace(&mut said, true) {
                    tracing::warn!("{e}; trying again");
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            done => return done.map(str::to_owned),
        }
    }
}

/// This machine's devices, all or those with the `selected` numbers.
pub async fn find_devices(selected: Vec<u32>) -> Result<Vec<DeviceInfo>> {
    let found = tokio::task::spawn_blocking(vulkan::enumerate)
        .await
        .context("looking for devices")??;
    if found.is_empty() {
        return Err(DeviceError::NoVulkan("no device found".into()).into());
    }
    let Some(wrong) = selected
        .iter()
        .find(|n| found.iter().all(|f| f.index != **n))
    else {
        let wanted = |d: &DeviceInfo| selected.is_empty() || selected.contains(&d.index);
        return Ok(found.into_iter().filter(wanted).collect());
    };
    let here: Vec<_> = found
        .iter()
        .map(|f| format!("{} ({})", f.index, f.model))
        .collect();
    bail!(
        "no device {wrong} on this machine; found {}; choose one with --device",
        here.join(", ")
    )
}
