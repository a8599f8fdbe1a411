//! `emberd start`: the application for CometBFT, or with the embedded engine.

use super::{comet, serve_api};
use crate::{
    api::descriptors,
    app::{App, AppOptions},
    config::{Config, abci_addr, absolute, tcp_host},
    engine::{Node, Options, keys::Key},
    metrics::{Metered, Metrics},
    modules::upgrade::keeper::Upgrades,
    net::raise_file_limit,
    rpc::{self, Api},
    server::{self, Server},
};
use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use tracing_subscriber::EnvFilter;

/// How long open calls may take after a stop.
const GRACE: Duration = Duration::from_secs(3);

/// How logs look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// Options of `start`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Make blocks in this process, as the only validator, and serve CometBFT's RPC.
    #[arg(long, conflicts_with_all = ["with_cometbft", "abci_laddr"])]
    embedded: bool,
    /// Start CometBFT as a child of this process.
    #[arg(long, value_name = "BIN", num_args = 0..=1, default_missing_value = "cometbft")]
    with_cometbft: Option<PathBuf>,
    /// Where CometBFT finds the application: unix://PATH or tcp://HOST:PORT.
    #[arg(long, value_name = "ADDR")]
    abci_laddr: Option<String>,
    /// Where RPC is served: tcp://HOST:PORT. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    rpc_laddr: Option<String>,
    /// Where gRPC is served: tcp://HOST:PORT; '' for nowhere.
    #[arg(long, value_name = "ADDR")]
    grpc_laddr: Option<String>,
    /// Where REST is served: tcp://HOST:PORT; '' for nowhere.
    #[arg(long, value_name = "ADDR")]
    api_laddr: Option<String>,
    /// Where metrics for Prometheus and /health are served: tcp://HOST:PORT; '' for nowhere.
    #[arg(long, value_name = "ADDR")]
    metrics_laddr: Option<String>,
    /// Milliseconds between empty blocks of the embedded engine.
    #[arg(long, value_name = "MS")]
    empty_block_interval_ms: Option<u64>,
    /// Least gas prices that this node takes, for example 0.001uember,0.001uusdc.
    #[arg(long, value_name = "PRICES")]
    minimum_gas_prices: Option<String>,
    /// Heights whose upgrades are dropped, comma-separated. Every validator must drop the same ones.
    #[arg(long, value_name = "HEIGHTS", value_delimiter = ',')]
    unsafe_skip_upgrades: Vec<u64>,
    /// How logs look.
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
    /// What is logged, as in RUST_LOG.
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    log_level: String,
}

/// Run it until SIGTERM or SIGINT.
///
/// # Errors
/// When the node cannot start, or its disk fails.
pub fn run(home: &Path, args: &Args) -> Result<()> {
    logs(args)?;
    raise_file_limit();
    let mut config = Config::load(home)?;
    let set = |to: &mut String, from: &Option<String>| {
        if let Some(v) = from {
            to.clone_from(v);
        }
    };
    set(&mut config.abci_laddr, &args.abci_laddr);
    set(&mut config.rpc_laddr, &args.rpc_laddr);
    set(&mut config.grpc_laddr, &args.grpc_laddr);
    set(&mut config.api_laddr, &args.api_laddr);
    set(&mut config.metrics_laddr, &args.metrics_laddr);
    set(&mut config.minimum_gas_prices, &args.minimum_gas_prices);
    config.empty_block_interval_ms = args
        .empty_block_interval_ms
        .unwrap_or(config.empty_block_interval_ms);
    let min_gas_prices = config
        .minimum_gas_prices
        .split(',')
        .map(str::trim)
        .filter(|p| !p.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()
        .context("minimum-gas-prices")?;
    let app = open(&AppOptions {
        home: home.into(),
        min_gas_prices,
        query_gas_limit: config.query_gas_limit,
        pruning: config.pruning()?,
        snapshots: config.snapshots(),
    })?;
    app.set_upgrades(Upgrades {
        skip: args.unsafe_skip_upgrades.iter().copied().collect(),
        ..Upgrades::of_this_binary()
    });
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        height = app.last_height(),
        "application open"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let result = if args.embedded {
        runtime.block_on(embedded(home, &config, app))
    } else {
        runtime.block_on(for_comet(home, &config, args, app))
    };
    // Calls that hang must not keep a stopped node alive.
    runtime.shutdown_timeout(GRACE);
    result
}

/// A node that was killed an instant ago still holds its files for as long as the kernel needs to end it.
fn open(options: &AppOptions) -> Result<App> {
    let deadline = Instant::now() + GRACE;
    loop {
        match App::open(options.clone()) {
            Err(e) if e.to_string().contains("already open") && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(50));
            }
            Err(e) if e.to_string().contains("already open") => {
                return Err(e).context("another process runs on this home: stop it first");
            }
            app => return Ok(app?),
        }
    }
}

fn metrics(app: &App) -> Metrics {
    let metrics = Metrics::default();
    metrics.set_height(app.last_height());
    metrics
}

fn logs(args: &Args) -> Result<()> {
    let filter = EnvFilter::try_new(&args.log_level)
        .map_err(|e| anyhow!("--log-level: expected a filter such as info or emberd=debug: {e}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match args.log_format {
        LogFormat::Text => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

async fn embedded(home: &Path, config: &Config, app: App) -> Result<()> {
    let node_key = Key::load(&home.join("config/node_key.json"))?;
    let host = tcp_host(&config.rpc_laddr)?;
    let listener = tokio::net::TcpListener::bind(&host)
        .await
        .with_context(|| format!("RPC address {host}: choose another with --rpc-laddr"))?;
    let local = listener.local_addr()?;
    if !local.ip().is_loopback() {
        tracing::warn!(%local, "RPC is open to other machines");
    }
    let metrics = metrics(&app);
    let apis = serve_api::start(config, app.clone(), &metrics, &format!("tcp://{local}")).await?;
    let app = Metered::new(app, metrics.clone(), descriptors::service);
    let mut options = Options::new(home);
    options.empty_block_interval = config.empty_block_interval();
    // InitChain runs contracts: not on a thread of the runtime.
    let node = tokio::task::spawn_blocking(move || Node::open(app, options)).await??;
    let thread = node.spawn()?;
    let (ended, consensus) = oneshot::channel();
    thread::spawn(move || {
        // Nobody waits any more: the process is ending.
        ended.send(thread.join()).ok();
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let address = format!("tcp://{local}");
    let api = Api::new(
        node.clone(),
        config.moniker.clone(),
        hex::encode(node_key.address()),
        address.clone(),
    );
    let rpc = tokio::spawn(rpc::serve(
        api,
        listener,
        rpc::Options::default(),
        metrics,
        async {
            stopped.await.ok();
        },
    ));
    let mut listens =
        json!({ "engine": "embedded", "rpc": address, "chain_id": node.state().chain_id });
    merge(&mut listens, &apis.addresses);
    listening(home, listens)?;
    let mut consensus = consensus;
    let end = tokio::select! {
        signal = stop_signal() => {
            tracing::info!(signal = signal?, "stopping");
            node.stop();
            // The block in work is finished first.
            (&mut consensus).await
        }
        end = &mut consensus => end,
    };
    stop.send(()).ok();
    drop(apis);
    tokio::time::timeout(GRACE, rpc).await.ok();
    match end {
        Ok(Ok(Ok(()))) => {
            tracing::info!(height = node.height(), "stopped");
            Ok(())
        }
        Ok(Ok(Err(e))) => Err(e.into()),
        Ok(Err(_)) | Err(_) => {
            eprintln!(
                "emberd: the application panicked: exit {}, start it again",
                server::PANIC_EXIT_CODE
            );
            std::process::exit(server::PANIC_EXIT_CODE);
        }
    }
}

async fn for_comet(home: &Path, config: &Config, args: &Args, app: App) -> Result<()> {
    if home.join("data/blocks.db").exists() {
        bail!(
            "{}: the embedded engine made this chain: start it with --embedded",
            home.display()
        );
    }
    let addr = abci_addr(home, &config.abci_laddr)?;
    let server = Server::bind(&addr, server::Options::default())
        .with_context(|| format!("{addr}: choose another with --abci-laddr"))?;
    let (addr, stopper) = (server.addr().to_string(), server.stopper());
    let metrics = metrics(&app);
    let apis = serve_api::start(config, app.clone(), &metrics, &config.rpc_laddr).await?;
    let app = Metered::new(app, metrics, descriptors::service);
    let (ended, mut serving) = oneshot::channel();
    thread::spawn(move || {
        // Nobody waits any more: the process is ending.
        ended.send(server.run(&app)).ok();
    });
    let mut child = args
        .with_cometbft
        .as_ref()
        .map(|bin| comet::spawn(&comet::find(bin)?, home, &addr, args.rpc_laddr.as_deref()))
        .transpose()?;
    let mut listens = json!({ "engine": "cometbft", "abci": addr });
    if child.is_some() {
        listens["rpc"] = config.rpc_laddr.clone().into();
    }
    merge(&mut listens, &apis.addresses);
    listening(home, listens)?;
    let end = tokio::select! {
        signal = stop_signal() => {
            tracing::info!(signal = signal?, "stopping");
            Ok(())
        }
        end = &mut serving => end?.context("ABCI server"),
        end = child_end(child.as_mut()) => Err(anyhow!("CometBFT ended ({end}): see its messages above")),
    };
    if let Some(child) = &mut child {
        terminate(child).await;
    }
    stopper.stop();
    if end.is_ok() {
        // Requests in work are finished.
        tokio::time::timeout(GRACE, serving).await.ok();
        tracing::info!("stopped");
    }
    end
}

fn merge(listens: &mut Value, more: &serde_json::Map<String, Value>) {
    for (name, address) in more {
        listens[name] = address.clone();
    }
}

/// Tell where we listen: a line for people and scripts, and `data/addresses.json`.
fn listening(home: &Path, mut addresses: Value) -> Result<()> {
    addresses["pid"] = std::process::id().into();
    let file = absolute(home).join("data/addresses.json");
    let new = file.with_extension("json.new");
    fs::write(&new, addresses.to_string())
        .and_then(|()| fs::rename(&new, &file))
        .with_context(|| file.display().to_string())?;
    println!("listening {addresses}");
    Ok(())
}

async fn stop_signal() -> std::io::Result<&'static str> {
    let (mut term, mut int) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = int.recv() => "SIGINT",
    })
}

async fn child_end(child: Option<&mut std::process::Child>) -> String {
    let Some(child) = child else {
        return std::future::pending().await;
    };
    loop {
        match child.try_wait() {
            Ok(None) => tokio::time::sleep(Duration::from_millis(100)).await,
            Ok(Some(status)) => return status.to_string(),
            Err(e) => return e.to_string(),
        }
    }
}

/// SIGTERM, and SIGKILL when it does not end.
async fn terminate(child: &mut std::process::Child) {
    let pid = child.id().to_string();
    std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .ok();
    for _ in 0..50 {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    child.kill().ok();
    child.wait().ok();
}
