//! The module's errors: codespace `gov`, the SDK's codes and texts (`x/gov/types/errors.go`).

use crate::error::AppError;
use std::fmt::Display;

macro_rules! errors {
    ($($name:ident = $code:literal, $text:literal;)+) => {$(
        #[doc = $text]
        pub(super) fn $name(detail: impl Display) -> AppError {
            AppError::new("gov", $code, format!("{detail}: {}", $text))
        }
    )+};
}

errors! {
    inactive = 3, "inactive proposal";
    invalid_content = 5, "invalid proposal content";
    invalid_vote = 7, "invalid vote option";
    no_handler = 9, "no handler exists for proposal type";
    no_messages = 11, "no messages proposed";
    invalid_signer = 13, "expected gov account as only signer for proposal message";
    metadata_too_long = 15, "metadata too long";
    deposit_too_small = 16, "minimum deposit is too small";
    invalid_proposer = 18, "invalid proposer";
    voting_ended = 20, "voting period already ended";
    invalid_proposal = 21, "invalid proposal";
    summary_too_long = 22, "summary too long";
    invalid_denom = 23, "invalid deposit denom";
}

/// An error that the SDK has not registered.
pub(super) fn plain(text: impl Display) -> AppError {
    AppError::new("undefined", 1, text.to_string())
}

/// What `collections` says of a record that is not there.
pub(super) fn missing(key: impl Display, kind: &str) -> AppError {
    plain(format_args!(
        "collections: not found: key '{key}' of type github.com/cosmos/gogoproto/cosmos.gov.v1.{kind}"
    ))
}
