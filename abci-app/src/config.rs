//! `config/app.toml`: what a node decides for itself. Nothing here may touch consensus.

use crate::{
    app::sync::SnapshotOptions,
    server::Addr,
    store::pruning::{Pruning, PruningError},
};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;

/// A configuration that cannot be used.
#[derive(Debug, Error)]
#[error("{path}: expected {expected}, got {got}")]
pub struct ConfigError {
    /// The file or argument.
    pub path: String,
    /// What it should be.
    pub expected: &'static str,
    /// What it is.
    pub got: String,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Name of the node.
    pub moniker: String,
    /// Bech32 prefix of the keys that `emberd keys` makes. The chain's own is in its genesis.
    pub prefix: String,
    /// Least gas prices of this node's mempool, comma-separated decimals with their denoms; empty takes any.
    pub minimum_gas_prices: String,
    /// Most gas of one query or simulation.
    pub query_gas_limit: u64,
    /// Which past heights are kept, so that queries can be asked and proved at them, as the SDK names it: `default`
    /// (362880), `nothing` (every height is kept), `everything` (2) or `custom`. A block prunes what is due; there is no
    /// interval.
    #[serde(default = "pruning")]
    pruning: String,
    /// How many heights `custom` keeps.
    #[serde(default)]
    pruning_keep_recent: u64,
    /// Every how many heights the state is written as a snapshot, with which a node of CometBFT can begin (state sync); 0:
    /// never.
    #[serde(default)]
    snapshot_interval: u64,
    /// How many snapshots stay.
    #[serde(default = "snapshot_keep_recent")]
    snapshot_keep_recent: u32,
    /// What files had before there was `pruning`: `custom` with so many heights.
    #[serde(default, skip_serializing)]
    keep_recent: Option<u64>,
    /// Where CometBFT finds the application: `unix://PATH` (relative to the home) or `tcp://HOST:PORT`.
    pub abci_laddr: String,
    /// Where the embedded engine serves RPC.
    pub rpc_laddr: String,
    /// Where gRPC is served; empty: nowhere.
    #[serde(default)]
    pub grpc_laddr: String,
    /// Where REST is served; empty: nowhere.
    #[serde(default)]
    pub api_laddr: String,
    /// Where metrics for Prometheus and `/health` are served; empty: nowhere.
    #[serde(default)]
    pub metrics_laddr: String,
    /// Milliseconds between empty blocks of the embedded engine.
    pub empty_block_interval_ms: u64,
}

/// The SDK's.
const fn snapshot_keep_recent() -> u32 {
    2
}

fn pruning() -> String {
    "default".into()
}

impl Config {
    /// The defaults of a chain with `prefix` whose fees are paid in `denom`.
    pub fn new(moniker: &str, prefix: &str, denom: &str) -> Self {
        Self {
            moniker: moniker.into(),
            prefix: prefix.into(),
            minimum_gas_prices: format!("0.001{denom}"),
            query_gas_limit: 50_000_000,
            pruning: pruning(),
            pruning_keep_recent: 0,
            snapshot_interval: 0,
            snapshot_keep_recent: snapshot_keep_recent(),
            keep_recent: None,
            abci_laddr: "unix://data/abci.sock".into(),
            rpc_laddr: "tcp://127.0.0.1:26657".into(),
            grpc_laddr: "tcp://127.0.0.1:9090".into(),
            api_laddr: "tcp://127.0.0.1:1317".into(),
            metrics_laddr: String::new(),
            empty_block_interval_ms: 1_000,
        }
    }

    /// Read `config/app.toml` below `home`.
    ///
    /// # Errors
    /// When it is missing or has another shape.
    pub fn load(home: &Path) -> Result<Self, ConfigError> {
        let path = home.join("config/app.toml");
        let error = |got: &dyn std::fmt::Display| ConfigError {
            path: path.display().to_string(),
            expected: "a configuration as emberd init writes it",
            got: got
                .to_string()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        };
        let text = fs::read_to_string(&path).map_err(|e| error(&e))?;
        toml::from_str(&text).map_err(|e| error(&e))
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never for a configuration that was read or made here.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        Ok(format!(
            "# What this node decides for itself. See `emberd start --help`.\n\n{}",
            toml::to_string(self)?
        ))
    }

    /// Which past heights are kept.
    ///
    /// # Errors
    /// When there is no such choice.
    pub fn pruning(&self) -> Result<Pruning, PruningError> {
        match self.keep_recent {
            Some(n) => Ok(Pruning::KeepRecent(n.max(1))),
            None => Pruning::parse(&self.pruning, self.pruning_keep_recent),
        }
    }

    /// Which snapshots are taken.
    pub const fn snapshots(&self) -> SnapshotOptions {
        SnapshotOptions {
            interval: self.snapshot_interval,
            keep_recent: self.snapshot_keep_recent,
        }
    }

    /// Time between empty blocks.
    pub fn empty_block_interval(&self) -> Duration {
        Duration::from_millis(self.empty_block_interval_ms.max(1))
    }
}

/// An ABCI address; a relative unix path is below `home`.
///
/// # Errors
/// When it is no address, or the unix path is too long for a socket.
pub fn abci_addr(home: &Path, text: &str) -> Result<Addr, ConfigError> {
    let full = match text.strip_prefix("unix://") {
        Some(path) if !path.is_empty() => {
            format!("unix://{}", absolute(home).join(path).display())
        }
        _ => text.to_owned(),
    };
    full.parse().map_err(|got| ConfigError {
        path: format!("ABCI address {text}"),
        expected: "one that can be listened on",
        got,
    })
}

/// `path` from the root, without asking that it exists.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.into())
}

/// `HOST:PORT` of `tcp://HOST:PORT`.
///
/// # Errors
/// When it is something else.
pub fn tcp_host(text: &str) -> Result<String, ConfigError> {
    match text.parse() {
        Ok(Addr::Tcp(host)) => Ok(host),
        _ => Err(ConfigError {
            path: "address".into(),
            expected: "tcp://HOST:PORT",
            got: text.into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_typing_errors_do_not_pass() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("config")).unwrap();
        let file = dir.path().join("config/app.toml");
        let config = Config::new("a", "ember", "uember");
        fs::write(&file, config.to_toml().unwrap()).unwrap();
        assert_eq!(Config::load(dir.path()).unwrap(), config);
        let old = config
            .to_toml()
            .unwrap()
            .replace("pruning = \"default\"", "keep-recent = 7");
        fs::write(&file, old).unwrap();
        let old = Config::load(dir.path()).unwrap();
        assert_eq!(old.pruning(), Ok(Pruning::KeepRecent(7)));
        fs::write(
            &file,
            config
                .to_toml()
                .unwrap()
                .replace("query-gas-limit", "query-gas-limt"),
        )
        .unwrap();
        let error = Config::load(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("query-gas-limt") && !error.contains('\n'),
            "{error}"
        );
    }

    #[test]
    fn addresses() {
        let home = Path::new("/home/x");
        assert_eq!(
            abci_addr(home, "unix://data/a.sock").unwrap().to_string(),
            "unix:///home/x/data/a.sock"
        );
        assert_eq!(
            abci_addr(home, "unix:///tmp/a.sock").unwrap().to_string(),
            "unix:///tmp/a.sock"
        );
        assert_eq!(
            abci_addr(home, "tcp://127.0.0.1:5").unwrap().to_string(),
            "tcp://127.0.0.1:5"
        );
        let long = PathBuf::from(format!("/{}", "x".repeat(100)));
        assert!(
            abci_addr(&long, "unix://data/abci.sock")
                .unwrap_err()
                .to_string()
                .contains("at most 107")
        );
        assert_eq!(tcp_host("tcp://127.0.0.1:5").unwrap(), "127.0.0.1:5");
        assert!(tcp_host("unix:///x").is_err());
    }
}
