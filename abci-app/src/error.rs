//! Errors of transactions and queries, each with the permanent (codespace, code) that clients match on.
//!
//! Codes and texts are the SDK's (`types/errors`), because clients parse them.

use thiserror::Error;

/// Why a transaction or a query was refused. `Display` is the SDK's `wrapped: root` text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{log}")]
pub struct AppError {
    /// The module that owns the code, `sdk` or `wasm`.
    pub codespace: &'static str,
    /// Never zero, never reused.
    pub code: u32,
    /// The text: what was expected and what came, then `: ` and the code's root text.
    pub log: String,
}

macro_rules! sdk_errors {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $root:literal;)*) => {
        impl AppError {
            $($(#[$doc])* pub fn $name(detail: impl std::fmt::Display) -> Self {
                Self { codespace: "sdk", code: $code, log: format!("{detail}: {}", $root) }
            })*
        }
    };
}

sdk_errors! {
    /// sdk/2.
    tx_decode = 2, "tx parse error";
    /// sdk/3.
    invalid_sequence = 3, "invalid sequence";
    /// sdk/4.
    unauthorized = 4, "unauthorized";
    /// sdk/5.
    insufficient_funds = 5, "insufficient funds";
    /// sdk/6.
    unknown_request = 6, "unknown request";
    /// sdk/7.
    invalid_address = 7, "invalid address";
    /// sdk/8.
    invalid_pubkey = 8, "invalid pubkey";
    /// sdk/9.
    unknown_address = 9, "unknown address";
    /// sdk/10.
    invalid_coins = 10, "invalid coins";
    /// sdk/11.
    out_of_gas = 11, "out of gas";
    /// sdk/12.
    memo_too_large = 12, "memo too large";
    /// sdk/13.
    insufficient_fee = 13, "insufficient fee";
    /// sdk/14.
    too_many_signatures = 14, "maximum number of signatures exceeded";
    /// sdk/15.
    no_signatures = 15, "no signatures supplied";
    /// sdk/18.
    invalid_request = 18, "invalid request";
    /// sdk/19.
    tx_in_mempool = 19, "tx already in mempool";
    /// sdk/21.
    tx_too_large = 21, "tx too large";
    /// sdk/22.
    key_not_found = 22, "key not found";
    /// sdk/26.
    invalid_height = 26, "invalid height";
    /// sdk/30.
    timeout_height = 30, "tx timeout height";
    /// sdk/32.
    wrong_sequence = 32, "incorrect account sequence";
    /// sdk/37.
    not_supported = 37, "feature not supported";
    /// sdk/38.
    not_found = 38, "not found";
    /// sdk/41.
    invalid_gas_limit = 41, "invalid gas limit";
    /// sdk/42.
    timeout = 42, "tx timeout";
}

impl AppError {
    /// An error of another codespace, with its whole text.
    pub fn new(codespace: &'static str, code: u32, log: impl Into<String>) -> Self {
        Self {
            codespace,
            code,
            log: log.into(),
        }
    }

    /// Whether gas ran out.
    pub fn is_out_of_gas(&self) -> bool {
        self.codespace == "sdk" && self.code == 11
    }
}

/// The result of a module.
pub type Result<T, E = AppError> = std::result::Result<T, E>;
