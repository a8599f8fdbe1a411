//! The modules. Each owns one store and knows only those above it.

pub mod page;
pub mod router;
pub mod access;
pub mod auth;
pub mod bank;
pub mod vesting;
pub mod feegrant;
pub mod authz;
pub mod consensus;
pub mod hooks;
pub mod stakes;
pub mod mint;
pub mod distribution;
pub mod staking;
pub mod slashing;
pub mod evidence;
pub mod gov;
pub mod genutil;
pub mod upgrade;
pub mod wasm;
