//! What a client of an Ember chain needs whatever it trades: keys, signatures and the node's RPC.
//!
//! Nothing here knows a market, a bech32 prefix, a denom or a chain id: callers give the first two, the node tells the
//! last. Modules stand in dependency order; a file uses only modules above its own.

pub mod error;
pub mod coin;
pub mod key;
pub mod keyring;
pub mod signer;
pub mod rpc;
pub mod msg;
pub mod send;

pub use cosmos_sdk_proto::{self, Any};

pub use coin::{Coin, GasPrice};
pub use error::Error;
pub use key::Key;
pub use keyring::Keyring;
pub use rpc::{Client, TxOutcome};
pub use send::TxOptions;
