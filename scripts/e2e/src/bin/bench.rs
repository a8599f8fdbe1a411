//! `./scripts/bench`: latency of the embedded chain, the demo's wall time, and memory after it.

use anyhow::{Context, Result, bail};
use ember_e2e::{
    chain::Engine,
    install::Install,
    process::resident_kib,
    story::{CHAPTERS, World, tell},
};
use serde_json::Value;
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// Transactions whose latency is measured.
const SENDS: usize = 50;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let install = Install::find()?;
    let dir = tempfile::tempdir()?;
    let start = Instant::now();
    let mut outcome = tell(&install, Engine::Embedded, dir.path(), &CHAPTERS, &mut |_| (), &mut |_, _| Ok(()))?;
    outcome.books.audit()?;
    println!("  demo, once built                  {:>8.1} s (limit 60)", start.elapsed().as_secs_f32());
    memory(&mut outcome.world)?;

    let mut latencies = (0..SENDS).map(|_| latency(&outcome.world)).collect::<Result<Vec<_>>>()?;
    latencies.sort_unstable();
    println!("  broadcast to committed, median    {:>8.1} ms (limit 100; {SENDS} sends)", ms(latencies[SENDS / 2]));
    println!("  broadcast to committed, worst     {:>8.1} ms", ms(latencies[SENDS - 1]));
    Ok(())
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1_000.0
}

fn memory(world: &mut World) -> Result<()> {
    let emberd = world.chain.app.as_ref().context("no emberd")?.resident_kib()?;
    let daemon = world.daemon.as_ref().context("no provider daemon")?;
    println!("  emberd, resident                  {:>8} MiB (limit 300)", emberd / 1024);
    println!("  provider daemon, resident         {:>8} MiB (limit 200)", daemon.resident_kib()? / 1024);
    let workers: u64 = daemon.children()?.into_iter().filter_map(|p| resident_kib(p).ok()).sum();
    println!("  its workers, resident             {:>8} MiB", workers / 1024);
    Ok(())
}

/// From the moment that a signed transaction leaves to the moment that the node answers that it is committed:
/// CometBFT's `broadcast_tx_commit`, one request at a time.
fn latency(world: &World) -> Result<Duration> {
    let signed = world.chain.sign_send(&world.tenant, &world.provider.address, "1uember")?;
    let start = Instant::now();
    let answer = world.chain.rpc("broadcast_tx_commit", &[("tx", Value::String(signed))])?;
    let took = start.elapsed();
    if answer["tx_result"]["code"] != 0 && !answer["tx_result"]["code"].is_null() {
        bail!("a send was refused: {}", answer["tx_result"]["log"]);
    }
    Ok(took)
}
