//! What is wrong with a value before any state is looked at.

use thiserror::Error;

/// A value that no contract and no client may accept, with what was expected and what came.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ValidationError {
    /// A number outside its range.
    #[error("{field}: expected {expected}, got {got}")]
    OutOfRange {
        /// The message's field.
        field: &'static str,
        /// The range, in words.
        expected: String,
        /// What came.
        got: String,
    },
    /// A text that is not of its form.
    #[error("{field}: expected {expected}, got \"{got}\"")]
    Malformed {
        /// The message's field.
        field: &'static str,
        /// The form, in words.
        expected: &'static str,
        /// What came, cut to 64 characters.
        got: String,
    },
    /// An amount that does not fit 128 bits.
    #[error("{what} overflows 128 bits")]
    Overflow {
        /// What was computed.
        what: &'static str,
    },
}

impl ValidationError {
    /// A [`ValidationError::Malformed`] whose `got` is cut to 64 characters.
    pub fn malformed(field: &'static str, expected: &'static str, got: &str) -> Self {
        Self::Malformed {
            field,
            expected,
            got: got.chars().take(64).collect(),
        }
    }

    /// A [`ValidationError::OutOfRange`].
    pub fn range(field: &'static str, expected: impl Into<String>, got: impl ToString) -> Self {
        Self::OutOfRange {
            field,
            expected: expected.into(),
            got: got.to_string(),
        }
    }
}
