//! `emberd keys`.

use super::output::{Format, print};
use crate::config::Config;
use anyhow::{Context, Result};
use clap::Subcommand;
use ember_client::{Key, Keyring};
use serde_json::{Value, json};
use std::{io::Read, path::Path};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key; its 24 words are printed once and kept nowhere.
    Add {
        /// Its name.
        name: String,
        /// Bech32 prefix; the home's by default, else ember.
        #[arg(long)]
        prefix: Option<String>,
        /// Bring back a key from its words, which are read from standard input.
        #[arg(long)]
        recover: bool,
    },
    /// Bring back a key from its words, which are read from standard input.
    #[command(alias = "import")]
    Recover {
        /// Its name.
        name: String,
        /// Bech32 prefix; the home's by default, else ember.
        #[arg(long)]
        prefix: Option<String>,
    },
    /// Print all keys.
    List,
    /// Print one key.
    Show {
        /// Its name.
        name: String,
    },
    /// Delete a key. What it owns is lost unless you have its words.
    Delete {
        /// Its name.
        name: String,
        /// Really.
        #[arg(long, short = 'y', required = true)]
        yes: bool,
    },
}

/// Run one.
///
/// # Errors
/// When a key is missing, there already, or its file cannot be used.
pub(super) fn run(home: &Path, command: Command, out: Format) -> Result<()> {
    let ring = |prefix: Option<String>| open(home, prefix);
    let value = match command {
        Command::Add {
            name,
            prefix,
            recover: true,
        }
        | Command::Recover { name, prefix } => {
            let mut words = String::new();
            std::io::stdin()
                .read_to_string(&mut words)
                .context("words on standard input")?;
            let key = ring(prefix).recover(&name, words.trim());
            describe(&key?)
        }
        Command::Add {
            name,
            prefix,
            recover: false,
        } => {
            let (key, words) = ring(prefix).add(&name)?;
            let mut value = describe(&key);
            value["mnemonic"] = words.as_str().into();
            value
        }
        Command::List => ring(None).list()?.iter().map(describe).collect(),
        Command::Show { name } => describe(&ring(None).get(&name)?),
        Command::Delete { name, yes: _ } => {
            ring(None).delete(&name)?;
            json!({ "deleted": name })
        }
    };
    print(out, &value)
}

/// The keyring of a home.
pub(super) fn open(home: &Path, prefix: Option<String>) -> Keyring {
    let prefix = prefix
        .or_else(|| Config::load(home).ok().map(|c| c.prefix))
        .unwrap_or_else(|| "ember".into());
    Keyring::open(home.join("keyring"), prefix)
}

fn describe(key: &Key) -> Value {
    json!({ "name": key.name, "address": key.address, "public_key": hex::encode(key.public_key()) })
}
