//! Balances and supply.

pub mod genesis;
pub mod keeper;
pub mod enabled;
pub mod msg;
pub mod query;
