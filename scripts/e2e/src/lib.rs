//! Ember from the outside: real binaries, a real engine, a real Vulkan driver, and the books at the end.
//!
//! The demo, the end-to-end tests and the benches all tell the same [`story`]. Modules stand in dependency order.

pub mod install;
pub mod process;
pub mod chain;
pub mod netns;
pub mod node;
pub mod traffic;
pub mod localnet;
pub mod party;
pub mod books;
pub mod pricing;
pub mod world;
pub mod opening;
pub mod story;
pub mod verify;
