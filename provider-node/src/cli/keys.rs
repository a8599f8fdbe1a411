//! `ember keys`.

use crate::config::Global;
use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::{Value, json};
use std::io::{IsTerminal, Read};
use zeroize::Zeroizing;

/// Keys of this computer.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a key; its 24 words are shown once
    Add {
        /// Its name
        name: String,
    },
    /// List keys
    List,
    /// Show a key's address
    Show {
        /// Its name
        name: String,
    },
    /// Delete a key for ever
    Delete {
        /// Its name
        name: String,
    },
    /// Bring a key back: its words are read from standard input
    Recover {
        /// Its name
        name: String,
    },
}

impl Keys {
    pub fn run(self, g: &Global) -> Result<Value> {
        let ring = g.keyring()?;
        Ok(match self {
            Self::Add { name } => {
                let (key, words) = ring.add(&name)?;
                eprintln!(
                    "note: write the 24 words down; they are not shown again and the key file is not encrypted"
                );
                json!({"name": key.name, "address": key.address, "mnemonic": words.as_str()})
            }
            Self::List => {
                let keys = ring.list()?;
                let keys: Vec<_> = keys
                    .iter()
                    .map(|k| json!({"name": k.name, "address": k.address}))
                    .collect();
                json!({ "keys": keys })
            }
            Self::Show { name } => {
                let key = ring.get(&name)?;
                json!({"name": key.name, "address": key.address, "public_key": hex::encode(key.public_key())})
            }
            Self::Delete { name } => {
                ring.delete(&name)?;
                json!({"deleted": name})
            }
            Self::Recover { name } => {
                if std::io::stdin().is_terminal() {
                    eprintln!("Type the words, then Ctrl-D:");
                }
                let mut words = Zeroizing::new(String::new());
                std::io::stdin()
                    .read_to_string(&mut words)
                    .context("standard input")?;
                let key = ring.recover(&name, &words)?;
                json!({"name": key.name, "address": key.address})
            }
        })
    }
}
