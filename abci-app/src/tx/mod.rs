//! Transactions: the checks before the messages (ante), and the messages.

pub mod fees;
pub mod sigs;
pub mod ante;
pub mod run;
