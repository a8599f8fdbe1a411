//! What tests of Ember's contracts share: a [`suite::Suite`] with both contracts on a mock chain, and the JSON
//! schemas rendered in memory.

pub mod schemas;
pub mod suite;
pub mod trade;

pub use suite::{Settings, Suite};
