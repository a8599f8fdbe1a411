//! Every message of the registry, on a mock chain.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "it/audits.rs"]
mod audits;
#[path = "it/certificates.rs"]
mod certificates;
#[path = "it/bonds.rs"]
mod bonds;
#[path = "it/config.rs"]
mod config;
#[path = "it/lists.rs"]
mod lists;
#[path = "it/providers.rs"]
mod providers;
#[path = "it/reports.rs"]
mod reports;
#[path = "it/slashing.rs"]
mod slashing;
#[path = "it/supply.rs"]
mod supply;
#[path = "it/trust.rs"]
mod trust;
#[path = "it/upgrade.rs"]
mod upgrade;
