//! Blocks of emberd against the same blocks of wasmd v0.61.14, one after the other on the same machine: the same signed
//! bytes, the same contracts, neither pinned. `scripts/peer/README.md` says what is measured and how to run it.

mod ours;
mod report;
mod socket;
mod theirs;
mod workload;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use ours::{Figures, Ours};
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::PathBuf,
    thread,
    time::Duration,
};
use theirs::Theirs;
use workload::Workload;

/// Connections that the socket's CheckTx is measured with.
const CONNECTIONS: [usize; 3] = [1, 2, 4];
/// Sends that each account signs for each of these.
const ROUNDS: u128 = 10;
/// Readers beside a block.
const READERS: usize = 2;
/// After a block, so that what a side does in the background does not cost the other.
const PAUSE: Duration = Duration::from_millis(300);

/// Measures blocks, CheckTx and queries.
#[derive(Debug, Parser)]
struct Args {
    /// The peer's binary; without it our side runs alone.
    #[arg(long, value_name = "FILE")]
    peer: Option<PathBuf>,
    /// Folder of registry.wasm and market.wasm.
    #[arg(long, env = "EMBER_CONTRACTS_DIR", value_name = "DIR")]
    contracts: PathBuf,
    /// Blocks of each kind that count.
    #[arg(long, default_value_t = 5)]
    blocks: usize,
    /// Transactions of a block: as many accounts sign one each.
    #[arg(long, default_value_t = 1_000)]
    txs: usize,
    /// Keep the workload, both states and figures.jsonl in this empty folder.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(
        args.blocks > 0 && args.txs > 1,
        "expected at least 1 block of 2 transactions"
    );
    let temporary = tempfile::tempdir()?;
    let dir = args.keep.clone().unwrap_or_else(|| temporary.path().into());
    for name in ["ours", "theirs", "workload"] {
        fs::create_dir_all(dir.join(name)).with_context(|| dir.display().to_string())?;
    }
    let mut workload = plan(&args)?;
    workload.write(&dir.join("workload"))?;

    let mut chain = Ours::open(&dir.join("ours"), &workload.genesis()?)?;
    let mut peer = args
        .peer
        .as_deref()
        .map(|p| Theirs::start(p, &dir.join("workload"), &dir.join("theirs")))
        .transpose()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for block in &workload.blocks {
        ours.push(chain.run(block)?);
        if let Some(peer) = &mut peer {
            theirs.push(peer.run()?);
            thread::sleep(PAUSE);
        }
    }
    if let Some(peer) = peer {
        peer.finish()?;
    }
    if args.keep.is_some() {
        keep(&dir.join("figures.jsonl"), &ours, &theirs)?;
    }
    report::blocks(&ours, &theirs);
    println!();
    report::details(&ours, &theirs);
    println!();
    report::shares(&ours);
    println!();
    println!("emberd alone, a second");
    println!(
        "{:<44} {:>12.0}",
        "signatures verified, one core",
        socket::signatures_a_second(&workload)?
    );
    for (i, connections) in CONNECTIONS.into_iter().enumerate() {
        // An empty block takes back what the check state knows of the last ones.
        workload.empty();
        let block = workload.blocks.last().context("no block")?.clone();
        chain.run(&block)?;
        let rounds = workload.unsent(ROUNDS, 1_000_000 + ROUNDS * i as u128)?;
        let rate = socket::checks_a_second(&chain, &dir, connections, &rounds)?;
        let name = format!("CheckTx, unix socket, connections: {connections}");
        println!("{name:<44} {rate:>12.0}");
    }
    Ok(())
}

/// All blocks, in order. Each kind has one more than those that count.
fn plan(args: &Args) -> Result<Workload> {
    let mut w = Workload::new(args.txs, &args.contracts)?;
    for _ in 0..=args.blocks {
        w.empty();
    }
    let kinds = 2 * (args.blocks + 1);
    for i in 0..kinds {
        let txs = w.sends(1 + i as u128)?;
        w.push("bank send", i % 2 == 1, txs);
    }
    for i in 0..kinds {
        let txs = w.orders()?;
        w.push("create_order", i % 2 == 1, txs);
    }
    for i in 0..kinds {
        let txs = w.bids(i)?;
        w.push("place_bid", i % 2 == 1, txs);
    }
    for i in 0..=args.blocks {
        let txs = w.sends(1 + (kinds + i) as u128)?;
        w.push("send, 2 readers", true, txs);
        let readers = vec![w.reader(); READERS];
        w.blocks.last_mut().context("no block")?.readers = readers;
    }
    Ok(w)
}

fn keep(path: &std::path::Path, ours: &[Figures], theirs: &[Figures]) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for (side, figures) in [("emberd", ours), ("wasmd", theirs)] {
        for f in figures {
            writeln!(out, "{}", serde_json::json!({ "side": side, "figures": f }))?;
        }
    }
    Ok(out.flush()?)
}
