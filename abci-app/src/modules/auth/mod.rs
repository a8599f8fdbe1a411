//! Accounts: numbers, sequences, public keys, coins that come free over time; and the chain's address prefix.

pub mod vesting;
pub mod account;
pub mod keeper;
pub mod msg;
pub mod query;
pub mod genesis;
