//! `emberd export` and `emberd validate-genesis`.

use super::output::{Format, print};
use crate::{
    app::{App, AppOptions, sync::SnapshotOptions},
    config::Config,
    engine::handshake::GenesisFile,
    store::pruning::Pruning,
};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Options of `export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output_document: Option<PathBuf>,
}

/// Print the genesis of a new chain that begins with the committed state.
///
/// # Errors
/// When the node runs, or nothing is committed.
pub(super) fn run(home: &Path, args: &Args) -> Result<()> {
    let config = Config::load(home)?;
    let mut genesis = GenesisFile::load(&home.join("config/genesis.json"))?.json;
    let app = App::open(AppOptions {
        home: home.into(),
        min_gas_prices: Vec::new(),
        query_gas_limit: config.query_gas_limit,
        pruning: Pruning::Nothing,
        snapshots: SnapshotOptions::default(),
    })
    .context("open the state (a running node has it locked)")?;
    ensure!(
        app.last_height() > 0,
        "expected a chain with blocks, got none: run emberd start first"
    );
    genesis["app_state"] = app.export()?;
    genesis["initial_height"] = (app.last_height() + 1).to_string().into();
    let text = serde_json::to_string_pretty(&genesis)?;
    match &args.output_document {
        Some(file) => std::fs::write(file, text).with_context(|| file.display().to_string()),
        None => {
            println!("{text}");
            Ok(())
        }
    }
}

/// Check a genesis file.
///
/// # Errors
/// With what is wrong in it.
pub(super) fn validate(home: &Path, file: Option<PathBuf>, out: Format) -> Result<()> {
    let file = file.unwrap_or_else(|| home.join("config/genesis.json"));
    let genesis = GenesisFile::load(&file)?;
    App::validate_genesis(&genesis.doc.app_state).with_context(|| file.display().to_string())?;
    print(
        out,
        &json!({ "valid": file, "chain_id": genesis.doc.chain_id.to_string() }),
    )
}
