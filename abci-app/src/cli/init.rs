//! `emberd init`: a home for a new chain of one validator.

use super::{
    comet::P2p,
    genesis::{Validator, contract_address},
    new_chain::{ChainArgs, NodeKeys, write_home},
    output::{Format, print},
};
use crate::config::{Config, absolute};
use anyhow::{Context, Result, ensure};
use ember_client::Keyring;
use serde_json::json;
use std::{fs, path::Path};

/// Options of `init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    chain: ChainArgs,
    /// Name of this node.
    #[arg(long, default_value = "ember-node")]
    moniker: String,
    /// Delete the chain that is in this home, with its validator key. Account keys stay.
    #[arg(long)]
    overwrite: bool,
}

/// Run it.
///
/// # Errors
/// When there is a chain already, or an argument is not usable; nothing is written then.
pub fn run(home: &Path, args: &Args, out: Format) -> Result<()> {
    let chain = &args.chain;
    let (config, data) = (home.join("config"), home.join("data"));
    let file = config.join("genesis.json");
    ensure!(
        args.overwrite
            || !(file.exists()
                || data.join("blocks.db").exists()
                || data.join("application.db").exists()),
        "{}: there is a chain in this home: choose another --home, or --overwrite to delete it",
        home.display()
    );
    let mut accounts = chain.accounts()?;
    let keyring = Keyring::open(home.join("keyring"), &chain.prefix);
    let made = if accounts.is_empty() {
        let key = match keyring.get("validator") {
            Ok(key) => key,
            Err(_) => keyring.add("validator")?.0,
        };
        accounts.push((key.address.clone(), chain.funds()));
        Some(key.address)
    } else {
        None
    };
    let keys = NodeKeys::generate();
    let genesis = chain.genesis(
        &accounts,
        &[Validator {
            public: keys.validator.public(),
            moniker: args.moniker.clone(),
        }],
    )?;
    if args.overwrite && file.exists() {
        clear(home)?;
    }
    let app = Config::new(&args.moniker, &chain.prefix, &chain.denom);
    write_home(home, &keys, &app, &P2p::default(), &genesis)?;
    let mut result = json!({
        "home": absolute(home),
        "chain_id": chain.chain_id,
        "genesis": absolute(&file),
        "authority": chain.authority()?,
        "accounts": accounts.iter().map(|(a, _)| a).collect::<Vec<_>>(),
        "end_block": genesis["app_state"]["hooks"]["end_block"],
        "next": "emberd start --embedded",
    });
    if !chain.no_contracts {
        result["registry"] = contract_address(&chain.prefix, 1, 1)?.into();
        result["market"] = contract_address(&chain.prefix, 2, 2)?.into();
    }
    if let Some(address) = made {
        result["new_key"] = json!({ "name": "validator", "address": address });
    }
    print(out, &result)
}

/// Delete what a chain left, and nothing else.
fn clear(home: &Path) -> Result<()> {
    for dir in ["data", "wasm"] {
        let dir = home.join(dir);
        if dir.is_dir() {
            fs::remove_dir_all(&dir).with_context(|| dir.display().to_string())?;
        }
    }
    for file in [
        "genesis.json",
        "priv_validator_key.json",
        "node_key.json",
        "app.toml",
        "config.toml",
        "addrbook.json",
    ] {
        let file = home.join("config").join(file);
        if file.exists() {
            fs::remove_file(&file).with_context(|| file.display().to_string())?;
        }
    }
    Ok(())
}
