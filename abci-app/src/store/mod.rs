//! Storage: ordered key-value stores, one a module; layers of pending writes over a snapshot; the disk below.

pub mod kv;
pub mod layers;
pub mod merkle;
pub mod snapshot;
pub mod disk;

pub use kv::{Base, Order, StoreKey, Write, prefix_end};
pub use layers::Layers;
