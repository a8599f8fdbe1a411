//! Why the state could not be read or written.

use thiserror::Error;

/// Never a fault of a transaction: the node has to stop.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The file cannot be opened, read or written.
    #[error("state database: {0}")]
    Database(String),
    /// The commitment tree is broken.
    #[error("commitment tree of store {store}: {error}")]
    Tree {
        /// Which store.
        store: &'static str,
        /// What the tree said.
        error: String,
    },
    /// The file holds something that this version did not write.
    #[error(
        "state database: expected {expected}, found {found}; it was written by another version"
    )]
    Format {
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
}

impl StoreError {
    /// A fault of a store's tree.
    pub(super) fn tree(store: super::StoreKey, error: impl std::fmt::Display) -> Self {
        Self::Tree {
            store: store.name(),
            error: format!("{error:#}"),
        }
    }

    /// Bytes that are not `expected`.
    pub(super) fn format(expected: &'static str, found: &[u8]) -> Self {
        Self::Format {
            expected,
            found: format!("{} bytes", found.len()),
        }
    }
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(e: E) -> Self {
        Self::Database(e.into().to_string())
    }
}
