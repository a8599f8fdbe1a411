//! What can stop the engine.

use thiserror::Error;

/// Why the engine refuses to start or to go on.
#[derive(Debug, Error)]
pub enum Error {
    /// The block store cannot be read or written.
    #[error("block store {path}: {source}")]
    Store {
        /// The file.
        path: String,
        /// redb's reason.
        source: Box<redb::Error>,
    },
    /// Something in the block store does not decode, or is missing.
    #[error(
        "block store: expected {expected}, got {got}: restore the home from a backup or start a new one"
    )]
    Corrupt {
        /// What should be there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// A key or genesis file.
    #[error("{path}: expected {expected}, got {got}")]
    File {
        /// The file.
        path: String,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        got: String,
    },
    /// Application and block store do not fit together.
    #[error("handshake: expected {expected}, got {got}")]
    Handshake {
        /// What would be right.
        expected: String,
        /// What is.
        got: String,
    },
    /// The application broke a rule of ABCI.
    #[error("application at height {height}: expected {expected}, got {got}")]
    Application {
        /// The block's height.
        height: i64,
        /// What ABCI demands.
        expected: String,
        /// What it answered.
        got: String,
    },
}

impl Error {
    /// The store at `path` failed.
    pub fn store(path: &std::path::Path, source: impl Into<redb::Error>) -> Self {
        Self::Store {
            path: path.display().to_string(),
            source: Box::new(source.into()),
        }
    }

    /// A file is not what it should be.
    pub fn file(path: &std::path::Path, expected: &'static str, got: impl ToString) -> Self {
        Self::File {
            path: path.display().to_string(),
            expected,
            got: got.to_string(),
        }
    }

    /// A record is missing or does not decode.
    pub fn corrupt(expected: impl ToString, got: impl ToString) -> Self {
        Self::Corrupt {
            expected: expected.to_string(),
            got: got.to_string(),
        }
    }
}

/// The result of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;
