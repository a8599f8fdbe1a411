//! Where the built things are.

use anyhow::{Context, Result, ensure};
use std::{env, path::PathBuf};

/// The files that a run needs.
#[derive(Debug, Clone)]
pub struct Install {
    /// The chain's binary.
    pub emberd: PathBuf,
    /// The provider's and tenant's binary.
    pub ember: PathBuf,
    /// CometBFT, where it is installed.
    pub cometbft: Option<PathBuf>,
    /// `registry.wasm` and `market.wasm`.
    pub contracts: PathBuf,
    /// The ready-made jobs.
    pub jobs: PathBuf,
}

impl Install {
    /// Finds everything, by `EMBER_BIN_DIR`, `EMBER_CONTRACTS_DIR`, `EMBER_JOBS_DIR` and `EMBER_COMETBFT`, else beside
    /// this executable and in this repository.
    ///
    /// # Errors
    /// When something is not built; the message says which script builds it.
    pub fn find() -> Result<Self> {
        let install = Self::find_chain()?;
        let (path, made_by) = (&install.ember, "cargo build --release --bins");
        ensure!(
            path.is_file(),
            "expected {}, found nothing there: run {made_by}",
            path.display()
        );
        Ok(install)
    }

    /// As [`Self::find`], for those who run a chain and nothing on it.
    ///
    /// # Errors
    /// When something of the chain is not built; the message says which script builds it.
    pub fn find_chain() -> Result<Self> {
        let repo = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .canonicalize()?;
        let bin = env_path("EMBER_BIN_DIR").map_or_else(
            || -> Result<PathBuf> {
                // target/release/deps/test-… or target/release/ember-demo.
                let mut dir = env::current_exe()?;
                dir.pop();
                if dir.ends_with("deps") {
                    dir.pop();
                }
                Ok(dir)
            },
            Ok,
        )?;
        let target = bin.parent().context("the binaries' folder has no parent")?;
        let install = Self {
            emberd: bin.join("emberd"),
            ember: bin.join("ember"),
            cometbft: env_path("EMBER_COMETBFT")
                .or_else(go_bin)
                .filter(|p| p.is_file()),
            contracts: env_path("EMBER_CONTRACTS_DIR").unwrap_or_else(|| target.join("contracts")),
            jobs: env_path("EMBER_JOBS_DIR").unwrap_or_else(|| repo.join("provider-node/jobs")),
        };
        for (path, made_by) in [
            (install.emberd.clone(), "cargo build --release --bins"),
            (
                install.contracts.join("market.wasm"),
                "./scripts/build-contracts",
            ),
            (
                install.contracts.join("registry.wasm"),
                "./scripts/build-contracts",
            ),
        ] {
            ensure!(
                path.is_file(),
                "expected {}, found nothing there: run {made_by}",
                path.display()
            );
        }
        Ok(install)
    }
}

fn env_path(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|v| !v.is_empty())
        .map(PathBuf::from)
}

fn go_bin() -> Option<PathBuf> {
    let gopath = env_path("GOPATH").or_else(|| env_path("HOME").map(|h| h.join("go")))?;
    Some(
        env_path("GOBIN")
            .unwrap_or_else(|| gopath.join("bin"))
            .join("cometbft"),
    )
}
