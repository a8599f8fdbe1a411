//! `emberd init`: a home for a new chain of one validator.

use super::{
    comet,
    genesis::{Contracts, Spec, module_address},
    output::{Format, print},
};
use crate::{
    app::App,
    config::{Config, absolute},
    engine::keys::Key,
};
use anyhow::{Context, Result, bail, ensure};
use ember_client::{Coin, Keyring};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What a new key holds when no account is given.
const DEFAULT_FUNDS: u128 = 1_000_000_000_000;

/// Options of `init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the chain, ending in its revision.
    #[arg(long, default_value = "ember-local-1")]
    chain_id: String,
    /// Bech32 prefix of its addresses.
    #[arg(long, default_value = "ember")]
    prefix: String,
    /// Native token, in micro-units.
    #[arg(long, default_value = "uember")]
    denom: String,
    /// Stablecoin that orders can be priced in.
    #[arg(long, default_value = "uusdc")]
    stable_denom: String,
    /// Name of this node.
    #[arg(long, default_value = "ember-node")]
    moniker: String,
    /// Folder of registry.wasm and market.wasm.
    #[arg(
        long,
        env = "EMBER_CONTRACTS_DIR",
        value_name = "DIR",
        default_value = "target/contracts"
    )]
    contracts: PathBuf,
    /// Make a chain without Ember's contracts. Wins over --contracts and its variable.
    #[arg(long)]
    no_contracts: bool,
    /// An account and its coins, for example ember1...:1000000uember,500uusdc. May be repeated; without it, a new
    /// key "validator" gets some of both denoms.
    #[arg(long = "account", value_name = "ADDR:COINS")]
    accounts: Vec<String>,
    /// Who may change fees and upgrade contracts; the governance module's account by default.
    #[arg(long, value_name = "ADDR")]
    authority: Option<String>,
    /// Delete the chain that is in this home, with its validator key. Account keys stay.
    #[arg(long)]
    overwrite: bool,
    /// Seconds between a provider's unbonding and its release.
    #[arg(long, default_value_t = 1_814_400)]
    unbonding_secs: u64,
    /// Seconds that a lease without funds waits for a top-up.
    #[arg(long, default_value_t = 300)]
    grace_secs: u64,
    /// Least bond of a provider, native micro-units.
    #[arg(long, default_value_t = 1_000_000)]
    min_bond: u128,
    /// Deposit that every bid carries, micro-units of the order's denom.
    #[arg(long, default_value_t = 0)]
    bid_deposit: u128,
    /// Least first deposit of an order, micro-units.
    #[arg(long, default_value_t = 1_000)]
    min_deposit: u128,
    /// Most open bids of an order.
    #[arg(long, default_value_t = 50)]
    max_bids: u32,
}

/// Run it.
///
/// # Errors
/// When there is a chain already, or an argument is not usable; nothing is written then.
pub fn run(home: &Path, args: &Args, out: Format) -> Result<()> {
    check_chain_id(&args.chain_id)?;
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
    let mut accounts = args
        .accounts
        .iter()
        .map(|a| parse_account(a))
        .collect::<Result<Vec<_>>>()?;
    let keyring = Keyring::open(home.join("keyring"), &args.prefix);
    let made = if accounts.is_empty() {
        let key = match keyring.get("validator") {
            Ok(key) => key,
            Err(_) => keyring.add("validator")?.0,
        };
        let coin = |denom: &str| Coin {
            amount: DEFAULT_FUNDS,
            denom: denom.into(),
        };
        accounts.push((
            key.address.clone(),
            vec![coin(&args.denom), coin(&args.stable_denom)],
        ));
        Some(key.address)
    } else {
        None
    };
    let authority = match &args.authority {
        Some(a) => a.clone(),
        None => module_address(&args.prefix, "gov")?,
    };
    let contracts = Contracts {
        dir: args.contracts.clone(),
        unbonding_secs: args.unbonding_secs,
        grace_secs: args.grace_secs,
        min_bond: args.min_bond,
        bid_deposit: args.bid_deposit,
        min_deposit: args.min_deposit,
        max_bids: args.max_bids,
    };
    let validator = Key::generate();
    let genesis = Spec {
        chain_id: &args.chain_id,
        prefix: &args.prefix,
        denom: &args.denom,
        stable_denom: &args.stable_denom,
        moniker: &args.moniker,
        authority: &authority,
        accounts: &accounts,
        contracts: (!args.no_contracts).then_some(&contracts),
        validator: validator.public(),
        time: OffsetDateTime::now_utc().format(&Rfc3339)?,
    }
    .build()?;
    App::validate_genesis(&genesis["app_state"])?;
    if args.overwrite && file.exists() {
        clear(home)?;
    }
    for dir in [&config, &data] {
        fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    }
    let app = Config::new(&args.moniker, &args.prefix, &args.denom);
    validator.save_validator(&config.join("priv_validator_key.json"))?;
    Key::generate().save_node(&config.join("node_key.json"))?;
    write(
        &data.join("priv_validator_state.json"),
        r#"{"height":"0","round":0,"step":0}"#,
    )?;
    write(&config.join("app.toml"), &app.to_toml()?)?;
    write(&config.join("config.toml"), &comet::config(home, &app))?;
    // Last: a home with a genesis is complete.
    write(&file, &serde_json::to_string_pretty(&genesis)?)?;
    let mut result = json!({
        "home": absolute(home),
        "chain_id": args.chain_id,
        "genesis": absolute(&file),
        "authority": authority,
        "accounts": accounts.iter().map(|(a, _)| a).collect::<Vec<_>>(),
        "end_block": genesis["app_state"]["hooks"]["end_block"],
        "next": "emberd start --embedded",
    });
    if !args.no_contracts {
        result["registry"] = super::genesis::contract_address(&args.prefix, 1, 1)?.into();
        result["market"] = super::genesis::contract_address(&args.prefix, 2, 2)?.into();
    }
    if let Some(address) = made {
        result["new_key"] = json!({ "name": "validator", "address": address });
    }
    print(out, &result)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
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

/// `ADDR:COINS`.
fn parse_account(text: &str) -> Result<(String, Vec<Coin>)> {
    let Some((address, coins)) = text.split_once(':') else {
        bail!(
            "--account: expected ADDR:COINS, for example ember1...:1000000uember,500uusdc, got {text:?}"
        );
    };
    let coins = coins
        .split(',')
        .map(|c| c.parse().with_context(|| format!("--account {address}")))
        .collect::<Result<_>>()?;
    Ok((address.into(), coins))
}

fn check_chain_id(id: &str) -> Result<()> {
    let ok = (1..=50).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    ensure!(
        ok,
        "--chain-id: expected 1 to 50 letters, digits and -_. such as ember-local-1, got {id:?}"
    );
    let revision = id
        .rsplit_once('-')
        .is_some_and(|(_, n)| n.parse::<u64>().is_ok());
    if !revision {
        eprintln!(
            "note: {id} does not end in a revision such as -1: IBC and Keplr take it for revision 0"
        );
    }
    Ok(())
}
