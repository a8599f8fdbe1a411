//! Accounts: numbers, sequences, public keys; and the chain's address prefix.

pub mod genesis;
pub mod keeper;
pub mod query;
