//! Validators, delegations to them, and the validator set that follows from both, as the SDK's staking. A chain whose
//! genesis has no `app_state.staking` has none: its set is the one of CometBFT's genesis, for ever.

pub mod keys;
pub mod error;
pub mod params;
pub mod validator;
pub mod hooks;
pub mod store;
pub mod keeper;
pub mod delegate;
pub mod unbonding;
pub mod slash;
pub mod set;
pub mod history;
pub mod msg;
mod edit;
pub mod query;
pub mod genesis;
