//! Every message of the market, on a mock chain.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "it/orders.rs"]
mod orders;
#[path = "it/bids.rs"]
mod bids;
#[path = "it/asks.rs"]
mod asks;
#[path = "it/books.rs"]
mod books;
#[path = "it/parts.rs"]
mod parts;
#[path = "it/draws.rs"]
mod draws;
#[path = "it/performance.rs"]
mod performance;
#[path = "it/tenders.rs"]
mod tenders;
#[path = "it/leases.rs"]
mod leases;
#[path = "it/escrow.rs"]
mod escrow;
#[path = "it/eligibility.rs"]
mod eligibility;
#[path = "it/hook.rs"]
mod hook;
#[path = "it/fees.rs"]
mod fees;
#[path = "it/lists.rs"]
mod lists;
#[path = "it/hostile.rs"]
mod hostile;
#[path = "it/upgrade.rs"]
mod upgrade;
#[path = "it/terms.rs"]
mod terms;
