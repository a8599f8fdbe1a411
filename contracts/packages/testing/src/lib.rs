//! What tests of Ember's contracts share: a [`suite::Suite`] with both contracts on a mock chain, both
//! contracts on plain maps ([`bare::Bare`]) for many messages, and the JSON schemas rendered in memory.

pub mod dice;
pub mod events;
pub mod fuzz;
pub mod pages;
pub mod schemas;
pub mod suite;
pub mod trade;
pub mod store;
pub mod bare;

pub use bare::Bare;
pub use suite::{Settings, Suite};
