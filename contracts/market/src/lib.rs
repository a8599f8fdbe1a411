//! The `market` contract: orders, bids, asks, leases, escrow and fees.
//!
//! Modules stand in dependency order; a file uses only modules above its own.

pub mod error;
pub mod state;
pub mod funds;
pub mod outbox;
pub mod providers;
pub mod fees;
pub mod accrual;
pub mod account;
pub mod escrow;
pub mod bids;
pub mod asks;
pub mod lifecycle;
pub mod matching;
pub mod execute;
pub mod invariants;
pub mod query;
pub mod sudo;
pub mod contract;
#[cfg(not(feature = "library"))]
mod entry;

pub use error::ContractError;
