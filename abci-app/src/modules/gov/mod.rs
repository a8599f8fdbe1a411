//! Governance: whoever deposits enough may propose messages, stakers vote on them, and what passes is executed in the
//! name of this module's account, as the SDK's gov. It is there where staking is.
//!
//! Of the contents of before SDK 0.46 only texts can be proposed: there are no parameters of the `params` module here.

mod error;
mod keys;
pub mod params;
pub mod store;
pub mod deposit;
pub mod keeper;
pub mod tally;
pub mod end;
pub mod msg;
pub mod legacy;
pub mod query;
pub mod query_legacy;
pub mod genesis;
