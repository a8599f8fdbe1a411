//! `ember`: the provider daemon, its GPU worker, and the tenant's command line.
//!
//! Modules stand in dependency order; a file uses only modules above its own.

pub mod compute;
pub mod kernel;
pub mod job;
pub mod receipt;
pub mod worker;
pub mod identity;
pub mod chain;
pub mod session;
pub mod tenant;
pub mod daemon;
pub mod config;
pub mod cli;
