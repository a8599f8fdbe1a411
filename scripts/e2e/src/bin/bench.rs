//! `./scripts/bench`: latency of the embedded chain, the demo's wall time, and memory after it.

use anyhow::{Context, Result};
use ember_client::{
    Any, Keyring,
    cosmos_sdk_proto::{
        cosmos::bank::v1beta1::MsgSend,
        traits::{Message, Name},
    },
    msg::coin,
    rpc::Account,
    signer::{SignData, sign},
};
use ember_e2e::{
    chain::Engine,
    install::Install,
    pricing::Pricing,
    process::resident_kib,
    story::tell,
    world::{CHAPTERS, World},
};
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
    let mut outcome = tell(
        &install,
        Engine::Embedded,
        dir.path(),
        &CHAPTERS,
        Pricing::ReverseAuction,
        &mut |_| (),
        &mut |_, _| Ok(()),
    )?;
    outcome.books.audit()?;
    println!(
        "  demo, once built                  {:>8.1} s (limit 60)",
        start.elapsed().as_secs_f32()
    );
    memory(&mut outcome.world)?;

    let mut latencies = (0..SENDS)
        .map(|_| latency(&outcome.world))
        .collect::<Result<Vec<_>>>()?;
    latencies.sort_unstable();
    println!(
        "  broadcast to committed, median    {:>8.1} ms (limit 100; {SENDS} sends)",
        ms(latencies[SENDS / 2])
    );
    println!(
        "  broadcast to committed, worst     {:>8.1} ms",
        ms(latencies[SENDS - 1])
    );
    Ok(())
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1_000.0
}

fn memory(world: &mut World) -> Result<()> {
    let emberd = world
        .chain
        .app
        .as_ref()
        .context("no emberd")?
        .resident_kib()?;
    let daemon = world
        .provider
        .daemon
        .as_ref()
        .context("no provider daemon")?;
    println!(
        "  emberd, resident                  {:>8} MiB (limit 300)",
        emberd / 1024
    );
    println!(
        "  provider daemon, resident         {:>8} MiB (limit 200)",
        daemon.resident_kib()? / 1024
    );
    let workers: u64 = daemon
        .children()?
        .into_iter()
        .filter_map(|p| resident_kib(p).ok())
        .sum();
    println!(
        "  its workers, resident             {:>8} MiB",
        workers / 1024
    );
    Ok(())
}

/// From the moment that a signed transaction leaves to the moment that the node says that it is in a block, asked
/// every two milliseconds.
fn latency(world: &World) -> Result<Duration> {
    let (from, to) = (&world.tenant, &world.provider.party.address);
    let key = Keyring::open(from.home().join("keys"), "ember").get("tenant")?;
    let send = MsgSend {
        from_address: from.address.clone(),
        to_address: to.clone(),
        amount: vec![coin(&"1uember".parse()?)],
    };
    let msg = Any {
        type_url: MsgSend::type_url(),
        value: send.encode_to_vec(),
    };
    let took = world.chain.ask(async |c| {
        let account = c.account(&from.address).await?.unwrap_or(Account {
            number: 0,
            sequence: 0,
        });
        let data = SignData {
            fee: "5000uember".parse()?,
            gas: 200_000,
            memo: String::new(),
            chain_id: c.chain_id().await?.to_owned(),
            account_number: account.number,
            sequence: account.sequence,
        };
        let tx = sign(&key, vec![msg], &data);
        let start = Instant::now();
        let hash = c.broadcast(&tx).await?;
        loop {
            if let Some(_committed) = c.tx(&hash).await? {
                return Ok(start.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })?;
    Ok(took)
}
