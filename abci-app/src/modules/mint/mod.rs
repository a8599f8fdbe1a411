//! Inflation: new coins in every block, for the fee collector. A chain whose genesis has no `app_state.mint` makes none.

pub mod params;
pub mod keeper;
pub mod genesis;
pub mod msg;
pub mod query;

#[cfg(test)]
mod tests;
