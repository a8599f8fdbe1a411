//! Ember's one vocabulary, shared by the contracts, the chain and the provider node.
//!
//! Pure and wasm-safe: no storage, no I/O, no clock. Modules stand in dependency order; a file uses only
//! modules above its own.

pub mod lean;
pub mod error;
pub mod ids;
pub mod list;
pub mod money;
pub mod assurance;
pub mod resources;
pub mod eligibility;
pub mod pricing;
pub mod lease;
pub mod fees;
pub mod events;
pub mod standing;
pub mod supply;
pub mod registry;
pub mod market;
pub mod sudo;
