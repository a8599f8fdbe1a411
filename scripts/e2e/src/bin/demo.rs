//! `./scripts/demo`: the main job, whole, and the ledger at its end.

use anyhow::Result;
use clap::Parser;
use ember_e2e::{
    chain::Engine, install::Install, pricing::Pricing, story::tell, verify::Digits, world::chapters,
};
use std::{fs, path::PathBuf, process::ExitCode, time::Instant};

/// A chain, a provider with a GPU, a tenant, two jobs over mTLS, and a ledger that adds up.
#[derive(Parser)]
struct Args {
    /// Run under CometBFT instead of the embedded engine.
    #[arg(long)]
    cometbft: bool,
    /// How orders find their price.
    #[arg(long, value_enum, default_value = "reverse-auction")]
    pricing: Pricing,
    /// Where to put homes, logs and outputs. It must not exist.
    #[arg(long, default_value = ".demo")]
    dir: PathBuf,
    /// Keep what an earlier run left in DIR: fail instead of replacing it.
    #[arg(long)]
    keep: bool,
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
    let install = Install::find()?;
    let marker = args.dir.join(".ember-demo");
    if args.dir.exists() {
        anyhow::ensure!(
            marker.is_file() && !args.keep,
            "{} exists: expected a folder that is not there, or an earlier demo's without --keep",
            args.dir.display()
        );
        fs::remove_dir_all(&args.dir)?;
    }
    fs::create_dir_all(&args.dir)?;
    fs::write(&marker, "")?;
    let dir = args.dir.canonicalize()?;
    let engine = if args.cometbft {
        Engine::CometBft
    } else {
        Engine::Embedded
    };
    let start = Instant::now();
    let mut say = |line: &str| println!("[{:>5.1} s] {line}", start.elapsed().as_secs_f32());
    let outcome = tell(
        &install,
        engine,
        &dir,
        &chapters(args.pricing),
        args.pricing,
        &mut say,
        &mut |_, _| Ok(()),
    )?;
    for done in &outcome.jobs {
        println!("\n{}: outputs in {}", done.job, done.out.display());
        println!("{}", serde_json::to_string_pretty(&done.report)?);
    }
    for done in outcome.jobs.iter().filter(|d| d.job == "digits") {
        let digits = Digits::check(&install, &done.out)?;
        println!(
            "\ndigits: {digits}; every output equals the plain Rust implementation's, bit for bit"
        );
    }
    println!("\n{}", outcome.books);
    outcome.books.audit()?;
    println!("The books add up, to the micro-unit.");
    Ok(())
}
