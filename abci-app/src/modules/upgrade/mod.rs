//! Upgrades of the software at a height that governance sets: a binary that does not know the plan stops there.

pub mod keeper;
pub mod msg;
pub mod query;
