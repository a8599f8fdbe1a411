//! Where a user's things lie and what was said on the command line.

use crate::chain::{Error, RpcChain};
use clap::{Args, ValueEnum};
use ember_client::{Client, GasPrice, Key, Keyring, TxOptions};
use std::path::PathBuf;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Options of every command; they may stand anywhere on the line.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Folder of keys and certificates [default: ~/.ember]
    #[arg(long, global = true, env = "EMBER_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    /// RPC addresses of nodes, separated by commas; the first that answers is used
    #[arg(
        long,
        global = true,
        env = "EMBER_NODE",
        default_value = "http://127.0.0.1:26657",
        value_name = "URL"
    )]
    node: String,
    /// The key that signs [default: the only one there is]
    #[arg(long, global = true, env = "EMBER_FROM", value_name = "KEY")]
    from: Option<String>,
    /// Prefix of the chain's addresses
    #[arg(long, global = true, env = "EMBER_PREFIX", default_value = "ember")]
    prefix: String,
    /// What a unit of gas is paid with
    #[arg(
        long,
        global = true,
        env = "EMBER_GAS_PRICE",
        default_value = "0.025uember",
        value_name = "COIN"
    )]
    gas_price: GasPrice,
    /// How results are written
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub output: Output,
}

impl Global {
    /// The folder of keys and certificates.
    ///
    /// # Errors
    /// When neither `--home` nor `HOME` is set.
    pub fn home(&self) -> Result<PathBuf, Error> {
        match (&self.home, std::env::var_os("HOME")) {
            (Some(home), _) => Ok(home.clone()),
            (None, Some(home)) => Ok(PathBuf::from(home).join(".ember")),
            (None, None) => Err(Error::Malformed {
                what: "--home",
                expected: "a folder",
                got: "neither --home nor HOME".into(),
            }),
        }
    }

    /// The keyring of `home`.
    ///
    /// # Errors
    /// As [`Self::home`].
    pub fn keyring(&self) -> Result<Keyring, Error> {
        Ok(Keyring::open(self.home()?.join("keys"), &self.prefix))
    }

    /// The key of `--from`, or the only key.
    ///
    /// # Errors
    /// When it is not there, or there is not exactly one.
    pub fn key(&self) -> Result<Key, Error> {
        let ring = self.keyring()?;
        if let Some(name) = &self.from {
            return ring.get(name);
        }
        match ring.names()?.as_slice() {
            [name] => ring.get(name),
            [] => Err(Error::Malformed {
                what: "--from",
                expected: "a key; make one with `ember keys add NAME`",
                got: "an empty keyring".into(),
            }),
            many => Err(Error::Malformed {
                what: "--from",
                expected: "the name of one of the keys there",
                got: many.join(", "),
            }),
        }
    }

    /// The chain, to read from.
    ///
    /// # Errors
    /// When an address is not one.
    pub fn chain(&self) -> Result<RpcChain, Error> {
        self.chain_with(None)
    }

    /// The chain, with the key that signs.
    ///
    /// # Errors
    /// When an address is not one or there is no key.
    pub fn signing_chain(&self) -> Result<RpcChain, Error> {
        self.chain_with(Some(self.key()?))
    }

    fn chain_with(&self, key: Option<Key>) -> Result<RpcChain, Error> {
        let client = Client::new(&self.node)?;
        Ok(RpcChain::new(
            client,
            key,
            TxOptions::new(self.gas_price.clone()),
        ))
    }
}
