//! The `registry` contract: who may sell GPU time, with what devices, bond and certificates.
//!
//! Modules stand in dependency order; a file uses only modules above its own.

pub mod error;
pub mod state;
pub mod funds;
pub mod validate;
pub mod x509;
pub mod certificate;
pub mod bonds;
pub mod presence;
pub mod vouching;
pub mod serving;
pub mod execute;
pub mod query;
pub mod sudo;
pub mod contract;
#[cfg(not(feature = "library"))]
mod entry;

pub use error::ContractError;
