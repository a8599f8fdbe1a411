//! Grants of authority: an account lets another send messages in its name, within limits.

mod limits;
mod contracts;
mod stake;
pub mod authorization;
pub mod keys;
pub mod keeper;
pub mod msg;
pub mod query;
pub mod genesis;
