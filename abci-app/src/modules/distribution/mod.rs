//! Rewards: fees and inflation to validators by their votes, and to who delegated to them, by the F1 scheme of the
//! SDK. A chain whose genesis has no `app_state.distribution` distributes nothing: fees stay with the fee collector.

pub mod keys;
pub mod params;
pub mod store;
pub mod validator;
pub mod delegation;
pub mod allocation;
pub mod keeper;
pub mod hooks;
mod genesis_json;
pub mod genesis;
pub mod msg;
pub mod query;

#[cfg(test)]
mod tests;
