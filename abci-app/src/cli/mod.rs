//! `emberd`'s command line.

pub mod output;
pub mod genesis;
mod comet;
mod new_chain;
pub mod init;
pub mod testnet;
mod monitor;
mod serve_api;
pub mod start;
mod keys;
mod query;
mod tx;
mod export;
mod gentx;
mod replay;
mod chain_suggest;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use output::{Format, print};
use serde_json::json;
use std::{future::Future, path::PathBuf};

/// The node of an Ember chain: application, embedded engine, wallet and queries.
#[derive(Debug, Parser)]
#[command(
    name = "emberd",
    version,
    arg_required_else_help = true,
    propagate_version = true
)]
pub struct Cli {
    /// Folder of configuration, keys and data.
    #[arg(long, global = true, env = "EMBERD_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t)]
    output: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new chain of one validator: genesis, keys and configuration.
    Init(init::Args),
    /// Make the homes of several validators of one new chain.
    Testnet(testnet::Args),
    /// Run the node.
    Start(start::Args),
    /// Keys of accounts, kept unencrypted in HOME/keyring.
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// Ask a running node.
    #[command(alias = "q")]
    Query(query::Args),
    /// Sign and send.
    Tx(tx::Args),
    /// Print the genesis of a new chain with the committed state; the node must not run.
    Export(export::Args),
    /// Execute all blocks of a running node's chain again, in a fresh state, and hold every app hash against theirs.
    Replay(replay::Args),
    /// Give an account of the genesis coins, before the chain begins.
    AddGenesisAccount(gentx::AccountArgs),
    /// Sign the transaction that makes this node a validator of the genesis.
    Gentx(gentx::GentxArgs),
    /// Put the signed transactions of validators into the genesis: its chain then has staking.
    CollectGentxs(gentx::CollectArgs),
    /// Check a genesis file.
    #[command(alias = "validate")]
    ValidateGenesis {
        /// The file; HOME/config/genesis.json by default.
        file: Option<PathBuf>,
    },
    /// Print what a wallet such as Keplr must know of the chain.
    ChainSuggest(chain_suggest::Args),
    /// Print the version.
    Version {
        /// Versions of what is inside, too.
        #[arg(long)]
        long: bool,
    },
    /// Print a completion script.
    Completions {
        /// For this shell.
        shell: clap_complete::Shell,
    },
}

/// Run one command.
///
/// # Errors
/// With what was expected, what came and what to do.
pub fn run(cli: Cli) -> Result<()> {
    let home = cli.home.unwrap_or_else(default_home);
    let out = cli.output;
    match cli.command {
        Command::Init(args) => init::run(&home, &args, out),
        Command::Testnet(args) => testnet::run(&args, out),
        Command::Start(args) => start::run(&home, &args),
        Command::Keys { command } => keys::run(&home, command, out),
        Command::Query(args) => block_on(query::run(&home, args, out)),
        Command::Tx(args) => block_on(tx::run(&home, args, out)),
        Command::Export(args) => export::run(&home, &args),
        Command::Replay(args) => replay::run(&home, &args, out),
        Command::AddGenesisAccount(args) => gentx::add_account(&home, &args, out),
        Command::Gentx(args) => gentx::gentx(&home, &args, out),
        Command::CollectGentxs(args) => gentx::collect(&home, &args, out),
        Command::ValidateGenesis { file } => export::validate(&home, file, out),
        Command::ChainSuggest(args) => chain_suggest::run(&home, &args),
        Command::Version { long } => {
            let mut version = json!({ "name": "emberd", "version": env!("CARGO_PKG_VERSION") });
            if long {
                version["cometbft"] = crate::engine::node::COMETBFT_VERSION.into();
                version["abci"] = "2.0.0".into();
                version["cosmwasm_vm"] = "3.0.10".into();
            }
            print(out, &version)
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "emberd", &mut std::io::stdout());
            Ok(())
        }
    }
}

fn default_home() -> PathBuf {
    std::env::var_os("HOME").map_or_else(|| ".emberd".into(), |h| PathBuf::from(h).join(".emberd"))
}

fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
