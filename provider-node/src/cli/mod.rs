//! The command line: one file a noun.

mod args;
mod output;
mod demands;
mod keys;
mod cert;
mod pricing;
mod sealed;
mod provider;
mod provider_run;
mod order;
mod lease_run;
mod lease;
mod ledger;
mod registry;

use crate::config::Global;
use clap::{CommandFactory, Parser, Subcommand};
use serde_json::Value;

/// `ember`: rent GPU time out, or rent it.
#[derive(Debug, Parser)]
#[command(name = "ember", version, about, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keys of this computer
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Certificates that sessions are opened with
    #[command(subcommand)]
    Cert(cert::Cert),
    /// Offer GPUs
    #[command(subcommand)]
    Provider(provider::Provider),
    /// Ask for GPUs
    #[command(subcommand)]
    Order(order::Order),
    /// Use what was leased
    #[command(subcommand)]
    Lease(lease::Lease),
    /// Look at providers, and vouch for them
    #[command(subcommand)]
    Registry(registry::Registry),
    /// What the market took in and paid out, by denom
    Ledger(ledger::Ledger),
    /// Write a shell's completions to standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// A GPU worker; started by the provider's daemon
    #[command(hide = true)]
    Worker,
}

/// Runs a command; its result is printed already.
///
/// # Errors
/// What went wrong, to be written in one line.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let g = &cli.global;
    let answer: Value = match cli.command {
        Command::Keys(c) => c.run(g)?,
        Command::Cert(c) => c.run(g).await?,
        Command::Provider(c) => c.run(g).await?,
        Command::Order(c) => c.run(g).await?,
        Command::Lease(c) => c.run(g).await?,
        Command::Registry(c) => c.run(g).await?,
        Command::Ledger(c) => c.run(g).await?,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "ember", &mut std::io::stdout());
            return Ok(());
        }
        Command::Worker => std::process::exit(crate::worker::child_main()),
    };
    output::print(&answer, g.output);
    Ok(())
}

impl Cli {
    /// Whether this is the sandboxed worker, which must not start a runtime or a logger.
    pub fn is_worker(&self) -> bool {
        matches!(self.command, Command::Worker)
    }
}

pub use output::{error_line, usage_line};

#[cfg(test)]
mod tests {
    use super::*;
    use clap::error::ErrorKind;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_stand_anywhere() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        for line in [
            "ember --output json --node http://x:1 order list",
            "ember order list --output json --node http://x:1",
            "ember provider run --device 1 --device 2 --price 2.5uusdc --price 2 --listen 127.0.0.1:1",
            "ember order create --units 1 --mode reverse_auction --closes-in 60s --denom uusdc --max-price 2.5 --deposit 5uusdc --duration 12s",
            "ember provider bid 1 --price 2.6",
            "ember provider touch",
            "ember provider ask --denom uusdc --price 2 --assurance exact",
            "ember provider update --score a=1 --score b=2 --assurance sampled",
            "ember order create --denom uusdc --max-price 2.5 --deposit 5uusdc --duration 12s --min-trust 2 --audited-by ember1a --assurance exact --min-score a=5",
            "ember order create --denom uusdc --max-price 2.5 --deposit 5uusdc --duration 12s --mode cluster --of sealed-tender --second-price --units 4",
            "ember order create --denom uusdc --max-price 2.5 --deposit 5uusdc --duration 12s --mode performance --benchmark gemm --measure-for 10m",
            "ember order create --denom uusdc --max-price 2.5 --deposit 5uusdc --duration 12s --mode stake_weighted --notice-hours 2 --relist",
            "ember order create --denom uusdc --max-price 2.5 --deposit 5uusdc --duration 12s --mode market --partial --units 4",
            "ember provider bid 1 --price 2.6 --units 2",
            "ember provider bid 1 --price 2.6 --score 900",
            "ember provider notice 1",
            "ember provider report-score 1 --score 800",
            "ember order can-fill --units 2 --model nvidia/h200",
            "ember registry supply --model nvidia/h200",
            "ember registry sign-audit ember1a --statement fine --valid 90d",
            "ember lease run digits --lease 1 --out dir",
        ] {
            parse(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        }
    }

    #[test]
    fn mistakes_are_usage_errors() {
        for (line, kind) in [
            (
                "ember order create --no-such-flag",
                ErrorKind::UnknownArgument,
            ),
            ("ember order show x", ErrorKind::ValueValidation),
            (
                "ember provider bid 1 --price 1.0000001",
                ErrorKind::ValueValidation,
            ),
            (
                "ember order list --gas-price cheap",
                ErrorKind::ValueValidation,
            ),
            ("ember order create", ErrorKind::MissingRequiredArgument),
            (
                "ember order create --denom uusdc --max-price 2.5 --deposit 5uusdc --duration 12s --mode performance",
                ErrorKind::MissingRequiredArgument,
            ),
            ("ember frobnicate", ErrorKind::InvalidSubcommand),
        ] {
            let e = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!((e.kind(), e.exit_code()), (kind, 2), "{line}");
        }
    }
}
