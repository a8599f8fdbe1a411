//! Who signs blocks and who does not: validators that miss too many are slashed and jailed until they come back, as the
//! SDK's slashing. On a chain without staking nothing is recorded.

pub mod params;
pub mod store;
pub mod keeper;
pub mod msg;
pub mod query;
pub mod genesis;
