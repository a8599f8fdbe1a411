//! Storage: ordered key-value stores, one a module; layers of pending writes over a snapshot; the disk below.
//!
//! `docs/adr-003-history-and-snapshots.md` says why the tables are as they are.

pub mod kv;
pub mod layers;
pub mod merkle;
pub mod error;
pub mod meta;
pub mod pruning;
mod tables;
mod history;
pub mod snapshot;
mod trees;
pub mod disk;
pub mod sync;

pub use kv::{Base, Order, StoreKey, Write, prefix_end};
pub use layers::Layers;
