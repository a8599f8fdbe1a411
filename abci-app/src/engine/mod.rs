//! Embedded consensus: drives the application in process as CometBFT would, with one local validator.
//!
//! Headers, commits and hashes are real: a light client that trusts the validator's key can follow the chain.
//! Order of a block: PrepareProposal, ProcessProposal, FinalizeBlock, one durable write of block, results and
//! index, then Commit. What a client was told is committed therefore survives a crash at any instant.

pub mod error;
pub mod keys;
pub mod chain;
pub mod filter;
pub mod store;
pub mod index;
pub mod mempool;
pub mod bus;
pub mod handshake;
pub mod node;

pub use error::{Error, Result};
pub use node::{Node, Options};
