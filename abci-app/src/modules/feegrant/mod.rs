//! Allowances for fees: an account lets another spend its coins on fees, within limits.

pub mod allowance;
pub mod keeper;
pub mod msg;
pub mod query;
pub mod genesis;
#[cfg(test)]
mod tests;
