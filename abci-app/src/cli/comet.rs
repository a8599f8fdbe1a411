//! CometBFT beside us: its configuration, and it as a child process.

use crate::config::{Config, abci_addr};
use anyhow::{Context, Result, bail};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
};

/// Where the application is found when the home's path is too long for a unix socket.
const FALLBACK: &str = "tcp://127.0.0.1:26658";

/// How a node finds others.
#[derive(Debug, Clone)]
pub struct P2p {
    /// Where it listens: `tcp://HOST:PORT`.
    pub laddr: String,
    /// `ID@HOST:PORT` of those that it always keeps up with.
    pub peers: Vec<String>,
}

impl Default for P2p {
    fn default() -> Self {
        Self {
            laddr: "tcp://127.0.0.1:26656".into(),
            peers: Vec::new(),
        }
    }
}

/// `config.toml` for CometBFT v0.38: fast blocks on one machine, the transaction index on. What is not named here has
/// CometBFT's default.
pub(super) fn config(home: &Path, app: &Config, p2p: &P2p) -> String {
    let proxy = abci_addr(home, &app.abci_laddr).map_or_else(
        |e| {
            eprintln!(
                "note: {e}; config.toml says {FALLBACK} instead: start with --abci-laddr {FALLBACK}"
            );
            FALLBACK.to_owned()
        },
        |a| a.to_string(),
    );
    let quote = |s: &str| toml::Value::from(s).to_string();
    format!(
        r#"# CometBFT v0.38. What is not named here has CometBFT's default.
proxy_app = {}
moniker = {}
abci = "socket"
genesis_file = "config/genesis.json"
priv_validator_key_file = "config/priv_validator_key.json"
priv_validator_state_file = "data/priv_validator_state.json"
node_key_file = "config/node_key.json"

[rpc]
laddr = {}

[p2p]
laddr = {}
persistent_peers = {}
addr_book_strict = false
allow_duplicate_ip = true

[mempool]
max_tx_bytes = 1048576

[consensus]
timeout_propose = "1s"
timeout_propose_delta = "200ms"
timeout_prevote = "200ms"
timeout_prevote_delta = "100ms"
timeout_precommit = "200ms"
timeout_precommit_delta = "100ms"
timeout_commit = "500ms"
create_empty_blocks = true

[tx_index]
indexer = "kv"
"#,
        quote(&proxy),
        quote(&app.moniker),
        quote(&app.rpc_laddr),
        quote(&p2p.laddr),
        quote(&p2p.peers.join(",")),
    )
}

/// The binary: as given; a bare `cometbft` is looked for by `EMBER_COMETBFT`, on `PATH`, or where `go install` puts it.
///
/// # Errors
/// When it is nowhere.
pub(super) fn find(given: &Path) -> Result<PathBuf> {
    if given != Path::new("cometbft") {
        return Ok(given.into());
    }
    let env = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    let on_path = env("PATH")
        .into_iter()
        .flat_map(|p| std::env::split_paths(&p).collect::<Vec<_>>());
    let go = env("GOBIN").or_else(|| {
        Some(
            env("GOPATH")
                .or_else(|| Some(env("HOME")?.join("go")))?
                .join("bin"),
        )
    });
    let found = env("EMBER_COMETBFT")
        .into_iter()
        .chain(on_path.map(|d| d.join("cometbft")))
        .chain(go.map(|d| d.join("cometbft")))
        .find(|p| p.is_file());
    match found {
        Some(path) => Ok(path),
        None => bail!(
            "expected CometBFT v0.38, found none: go install github.com/cometbft/cometbft/cmd/cometbft@v0.38.25"
        ),
    }
}

/// CometBFT on this home, with the application at `proxy`. Its output goes to ours.
///
/// # Errors
/// When it does not start.
pub(super) fn spawn(bin: &Path, home: &Path, proxy: &str, rpc: Option<&str>) -> Result<Child> {
    let mut command = Command::new(bin);
    command
        .arg("--home")
        .arg(home)
        .args(["start", "--proxy_app", proxy]);
    if let Some(rpc) = rpc {
        command.args(["--rpc.laddr", rpc]);
    }
    command
        .spawn()
        .with_context(|| format!("start {}", bin.display()))
}
