//! Transactions: the checks before the messages (ante), and the messages.

pub mod fees;
pub mod keys;
pub mod sigs;
mod deduct;
mod signers;
pub mod ante;
pub mod run;
