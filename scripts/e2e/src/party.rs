//! Someone with a key and the `ember` binary: the provider or the tenant.

use crate::{
    chain::{Chain, run},
    install::Install,
    process::Daemon,
};
use anyhow::{Context, Result};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A key's owner and their home.
#[derive(Debug)]
pub struct Party {
    install: Install,
    home: PathBuf,
    name: String,
    /// Bech32 account.
    pub address: String,
    node: String,
}

impl Party {
    /// Makes a home and a key in it. `node` may be set later with [`Self::set_node`].
    ///
    /// # Errors
    /// When `ember keys add` refuses.
    pub fn new(install: &Install, name: &str, home: &Path) -> Result<Self> {
        fs::create_dir_all(home)?;
        let mut party = Self {
            install: install.clone(),
            home: home.into(),
            name: name.into(),
            address: String::new(),
            node: String::new(),
        };
        let key = party.ember_offline(&["keys", "add", name])?;
        // Kept for clients that sign by themselves; a demo's key guards nothing.
        if let Some(mnemonic) = key["mnemonic"].as_str() {
            fs::write(party.mnemonic_file(), mnemonic)?;
        }
        party.address = key["address"]
            .as_str()
            .context("no address in the answer of keys add")?
            .to_owned();
        Ok(party)
    }

    /// The chain that it talks to.
    pub fn set_node(&mut self, chain: &Chain) {
        self.node = chain.node();
    }

    /// Any address as the chain's, for tests of what is not there.
    pub fn set_node_url(&mut self, url: &str) {
        self.node = url.into();
    }

    /// Where the key's words lie.
    pub fn mnemonic_file(&self) -> PathBuf {
        self.home.join("mnemonic.txt")
    }

    /// Its home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// An `ember …` command line, not yet started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut c = Command::new(&self.install.ember);
        c.args(["--home".as_ref(), self.home.as_os_str()])
            .args([
                "--node", &self.node, "--from", &self.name, "--output", "json",
            ])
            .args(args)
            .env("EMBER_JOBS_DIR", &self.install.jobs);
        c
    }

    /// One `ember …` command to its end, as JSON.
    ///
    /// # Errors
    /// When it exits with anything but zero.
    pub fn ember(&self, args: &[&str]) -> Result<Value> {
        parse(&run(self.command(args))?)
    }

    fn ember_offline(&self, args: &[&str]) -> Result<Value> {
        let mut c = Command::new(&self.install.ember);
        c.args(["--home".as_ref(), self.home.as_os_str()])
            .args(["--output", "json"])
            .args(args);
        parse(&run(c)?)
    }

    /// Publishes a new certificate.
    ///
    /// # Errors
    /// When a step is refused.
    pub fn publish_certificate(&self) -> Result<()> {
        self.ember(&["cert", "generate"])?;
        self.ember(&["cert", "publish"])?;
        Ok(())
    }

    /// `ember … ` as a daemon, its output in `HOME/daemon.log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn daemon(&self, args: &[&str]) -> Result<Daemon> {
        Daemon::start(
            &format!("ember {}", args.join(" ")),
            self.command(args),
            &self.home.join("daemon.log"),
        )
    }
}

/// The last JSON document that a command printed.
fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text).with_context(|| {
        format!(
            "expected JSON, got {:?}",
            text.chars().take(200).collect::<String>()
        )
    })
}
