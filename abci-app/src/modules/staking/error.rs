//! The module's errors: codespace `staking`, the SDK's codes and texts (`x/staking/types/errors.go`).

use crate::error::AppError;

macro_rules! errors {
    ($($name:ident = $code:literal, $text:literal;)+) => {$(
        #[doc = $text]
        pub fn $name() -> AppError {
            AppError::new("staking", $code, $text)
        }
    )+};
}

errors! {
    no_validator = 3, "validator does not exist";
    owner_exists = 4, "validator already exist for this operator address; must use new validator operator address";
    pub_key_exists = 5, "validator already exist for this pubkey; must use new validator pubkey";
    jailed = 7, "validator for this address is currently jailed";
    commission_negative = 9, "commission must be positive";
    commission_huge = 10, "commission cannot be more than 100%";
    commission_above_max = 11, "commission cannot be more than the max rate";
    commission_too_soon = 12, "commission cannot be changed more than once in 24h";
    change_rate_negative = 13, "commission change rate must be positive";
    change_rate_above_max = 14, "commission change rate cannot be more than the max rate";
    change_above_max = 15, "commission cannot be changed more than max change rate";
    self_delegation_below_minimum = 16, "validator's self delegation must be greater than their minimum self delegation";
    min_self_delegation_decreased = 17, "minimum self delegation cannot be decrease";
    no_delegation = 19, "no delegation for (address, validator) tuple";
    no_delegator = 21, "delegator does not contain delegation";
    insufficient_shares = 22, "insufficient delegation shares";
    no_unbonding = 26, "no unbonding delegation found";
    max_unbonding_entries = 27, "too many unbonding delegation entries for (delegator, validator) tuple";
    no_redelegation = 28, "no redelegation found";
    self_redelegation = 29, "cannot redelegate to the same validator";
    tiny_redelegation = 30, "too few tokens to redelegate (truncates to zero tokens)";
    bad_destination = 31, "redelegation destination validator not found";
    transitive_redelegation = 32, "redelegation to this validator already in progress; first redelegation to this validator must complete before next redelegation";
    max_redelegation_entries = 33, "too many redelegation entries for (delegator, src-validator, dst-validator) tuple";
    bad_exchange_rate = 34, "cannot delegate to validators with invalid (zero) ex-rate";
    empty_pub_key = 39, "empty validator public key";
    bad_source = 44, "redelegation source validator not found";
}

/// Text before the error's own, as `errors.Wrap` puts it.
pub fn wrap(e: AppError, text: impl std::fmt::Display) -> AppError {
    AppError {
        log: format!("{text}: {}", e.log),
        ..e
    }
}

/// An error that the SDK has not registered.
pub fn plain(text: impl std::fmt::Display) -> AppError {
    AppError::new("undefined", 1, text.to_string())
}
