//! What the contracts' messages cost: the wasm module on a chain in memory, without blocks and signatures.

#![allow(dead_code, reason = "the test and the example each use their part")]
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "helpers of a test and an example"
)]

pub mod world;
pub mod fill;
pub mod registry;
pub mod market;
pub mod hook;
