//! A height's whole state as files that a node of the same chain can begin with: CometBFT's state sync.
//!
//! `docs/adr-003-history-and-snapshots.md` says why it is so.

mod format;
mod files;
mod take;
mod restore;

#[cfg(test)]
mod tests;

pub use files::Files;
pub use restore::{Applied, DATABASE, Refusal, Restore};
pub use take::{Blobs, TakeError, take};
