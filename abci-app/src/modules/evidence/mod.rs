//! Proof that a validator signed twice, which CometBFT brings: it is slashed, jailed and never comes back, as with the
//! SDK's evidence.

pub mod keeper;
pub mod msg;
pub mod query;
pub mod genesis;
