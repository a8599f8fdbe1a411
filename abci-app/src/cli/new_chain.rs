//! What a new chain and a node's home are made of, for the commands that make them.

use super::{
    comet::{self, P2p},
    genesis::{Contracts, Spec, Validator, module_address},
};
use crate::{app::App, config::Config, engine::keys::Key};
use anyhow::{Context, Result, bail, ensure};
use ember_client::Coin;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What a new key holds when no account is given.
const DEFAULT_FUNDS: u128 = 1_000_000_000_000;

/// Options that decide the genesis.
#[derive(Debug, clap::Args)]
pub struct ChainArgs {
    /// Name of the chain, ending in its revision.
    #[arg(long, default_value = "ember-local-1")]
    pub chain_id: String,
    /// Bech32 prefix of its addresses.
    #[arg(long, default_value = "ember")]
    pub prefix: String,
    /// Native token, in micro-units.
    #[arg(long, default_value = "uember")]
    pub denom: String,
    /// Stablecoin that orders can be priced in.
    #[arg(long, default_value = "uusdc")]
    stable_denom: String,
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
    pub no_contracts: bool,
    /// An account and its coins, for example ember1...:1000000uember,500uusdc. May be repeated; without it, a new
    /// key gets some of both denoms.
    #[arg(long = "account", value_name = "ADDR:COINS")]
    accounts: Vec<String>,
    /// Who may change fees and upgrade contracts; the governance module's account by default.
    #[arg(long, value_name = "ADDR")]
    authority: Option<String>,
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

impl ChainArgs {
    /// The accounts that were named.
    ///
    /// # Errors
    /// When one is not `ADDR:COINS`.
    pub fn accounts(&self) -> Result<Vec<(String, Vec<Coin>)>> {
        self.accounts.iter().map(|a| parse_account(a)).collect()
    }

    /// What a new key gets: some of both denoms.
    pub fn funds(&self) -> Vec<Coin> {
        [&self.denom, &self.stable_denom]
            .map(|denom| Coin {
                amount: DEFAULT_FUNDS,
                denom: denom.clone(),
            })
            .into()
    }

    /// Who may change fees and upgrade contracts.
    ///
    /// # Errors
    /// When the prefix is none.
    pub fn authority(&self) -> Result<String> {
        match &self.authority {
            Some(a) => Ok(a.clone()),
            None => module_address(&self.prefix, "gov"),
        }
    }

    /// The genesis of now, as the application takes it.
    ///
    /// # Errors
    /// When an argument is not usable.
    pub fn genesis(
        &self,
        accounts: &[(String, Vec<Coin>)],
        validators: &[Validator],
    ) -> Result<Value> {
        check_chain_id(&self.chain_id)?;
        let contracts = Contracts {
            dir: self.contracts.clone(),
            unbonding_secs: self.unbonding_secs,
            grace_secs: self.grace_secs,
            min_bond: self.min_bond,
            bid_deposit: self.bid_deposit,
            min_deposit: self.min_deposit,
            max_bids: self.max_bids,
        };
        let genesis = Spec {
            chain_id: &self.chain_id,
            prefix: &self.prefix,
            denom: &self.denom,
            stable_denom: &self.stable_denom,
            authority: &self.authority()?,
            accounts,
            contracts: (!self.no_contracts).then_some(&contracts),
            validators,
            time: OffsetDateTime::now_utc().format(&Rfc3339)?,
        }
        .build()?;
        App::validate_genesis(&genesis["app_state"])?;
        Ok(genesis)
    }
}

/// A validator's two keys.
pub struct NodeKeys {
    /// Signs votes.
    pub validator: Key,
    /// Names the node to its peers.
    pub node: Key,
}

impl NodeKeys {
    /// New ones.
    pub fn generate() -> Self {
        Self {
            validator: Key::generate(),
            node: Key::generate(),
        }
    }
}

/// Writes a node's keys, configuration and genesis below `home`. The genesis comes last: a home that has one is whole.
///
/// # Errors
/// When a file cannot be written, or a key is there already.
pub fn write_home(
    home: &Path,
    keys: &NodeKeys,
    app: &Config,
    p2p: &P2p,
    genesis: &Value,
) -> Result<()> {
    let (config, data) = (home.join("config"), home.join("data"));
    for dir in [&config, &data] {
        fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    }
    keys.validator
        .save_validator(&config.join("priv_validator_key.json"))?;
    keys.node.save_node(&config.join("node_key.json"))?;
    write(
        &data.join("priv_validator_state.json"),
        r#"{"height":"0","round":0,"step":0}"#,
    )?;
    write(&config.join("app.toml"), &app.to_toml()?)?;
    write(&config.join("config.toml"), &comet::config(home, app, p2p))?;
    write(
        &config.join("genesis.json"),
        &serde_json::to_string_pretty(genesis)?,
    )
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
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
