//! `./scripts/localnet`: several validators on this machine until Ctrl-C.

use anyhow::{Context, Result, ensure};
use clap::{Parser, builder::RangedU64ValueParser};
use ember_e2e::{install::Install, localnet::Localnet};
use std::{
    fs,
    path::PathBuf,
    process::ExitCode,
    sync::mpsc::{RecvTimeoutError, channel},
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};

/// Runs a chain of N validators, each an emberd and a CometBFT, on loopback.
#[derive(Parser)]
#[command(name = "./scripts/localnet")]
struct Args {
    /// How many validators, 1 to 50.
    #[arg(default_value_t = 4, value_parser = RangedU64ValueParser::<usize>::new().range(1..=50))]
    validators: usize,
    /// Node I has ten ports from here + 10 x I on. 0 takes free ones.
    #[arg(long, default_value_t = 0)]
    first_port: u16,
    /// Where homes and logs are put. What an earlier localnet left there is replaced.
    #[arg(long, default_value = ".localnet")]
    dir: PathBuf,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let install = Install::find_chain()?;
    let marker = args.dir.join(".ember-localnet");
    if args.dir.exists() {
        ensure!(
            marker.is_file(),
            "{} exists: expected a folder that is not there, or an earlier localnet's",
            args.dir.display()
        );
        fs::remove_dir_all(&args.dir)?;
    }
    fs::create_dir_all(&args.dir)?;
    fs::write(&marker, "")?;
    let dir = args.dir.canonicalize()?.join("nodes");
    let port = args.first_port.to_string();
    let more = ["--chain-id", "ember-localnet-1", "--first-port", &port];
    let mut net = Localnet::create(&install, args.validators, &dir, None, &more)?;
    println!(
        "starting {} validators; logs are in {}/node*/*.log",
        args.validators,
        dir.display()
    );
    // From here on a signal stops all of them: processes end when `net` is dropped.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let (told, stop) = channel();
    let (mut int, mut term) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    runtime.spawn(async move {
        tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
        told.send(()).ok();
    });
    for node in &mut net.nodes {
        node.start()?;
        if stop.try_recv().is_ok() {
            return Ok(());
        }
    }
    net.wait_blocks(1)?;
    describe(&net)?;
    while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(Duration::from_secs(1)) {
        net.nodes.iter_mut().try_for_each(|n| n.check())?;
    }
    println!("stopping");
    net.stop()?;
    println!(
        "stopped; homes stay in {} until the next localnet",
        dir.display()
    );
    Ok(())
}

fn describe(net: &Localnet) -> Result<()> {
    println!("\n{:<12} {:<24} {:<24} REST", "node", "RPC", "gRPC");
    for node in &net.nodes {
        let p = &node.place;
        println!("{:<12} {:<24} {:<24} {}", p.moniker, p.rpc, p.grpc, p.api);
    }
    let text = |v: &serde_json::Value| v.as_str().map(str::to_owned).context("testnet's answer");
    let user = &net.said["user"];
    println!(
        "\nchain {}\nregistry {}\nmarket {}\n\nfunded key \"user\" {}\n  {}\n  emberd --home {} query --node {} balances {}\n\nCtrl-C stops all.",
        text(&net.said["chain_id"])?,
        text(&net.said["registry"])?,
        text(&net.said["market"])?,
        text(&user["address"])?,
        text(&user["mnemonic"])?,
        text(&user["home"])?,
        net.nodes.first().context("no node")?.place.rpc,
        text(&user["address"])?,
    );
    Ok(())
}
