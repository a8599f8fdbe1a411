//! Bech32 accounts.

use crate::error::{AppError, Result};
use bech32::{Bech32, Hrp};
use sha2::{Digest, Sha256};

/// The text of an address.
///
/// # Errors
/// sdk/7 when the prefix or the length is not one.
pub fn encode(prefix: &str, addr: &[u8]) -> Result<String> {
    let hrp = Hrp::parse(prefix).map_err(AppError::invalid_address)?;
    bech32::encode::<Bech32>(hrp, addr).map_err(AppError::invalid_address)
}

/// The bytes of an address of this chain.
///
/// # Errors
/// sdk/7 when it is of another chain, mistyped, or not 20 to 32 bytes long.
pub fn decode(prefix: &str, text: &str) -> Result<Vec<u8>> {
    let (hrp, bytes) = bech32::decode(text).map_err(|e| {
        AppError::invalid_address(format_args!(
            "decoding bech32 failed: {e} (\"{}\")",
            clip(text)
        ))
    })?;
    if hrp.as_str() != prefix {
        return Err(AppError::invalid_address(format_args!(
            "invalid Bech32 prefix; expected {prefix}, got {hrp}"
        )));
    }
    if bytes.len() != 20 && bytes.len() != 32 {
        return Err(AppError::invalid_address(format_args!(
            "expected 20 or 32 bytes, got {}",
            bytes.len()
        )));
    }
    Ok(bytes)
}

/// The prefix of any address.
///
/// # Errors
/// sdk/7 when it is none.
pub fn prefix_of(text: &str) -> Result<String> {
    let (hrp, _) = bech32::decode(text)
        .map_err(|e| AppError::invalid_address(format_args!("{e} (\"{}\")", clip(text))))?;
    Ok(hrp.to_lowercase())
}

/// The account of an SDK module: the first 20 bytes of SHA-256 of its name.
pub fn module(name: &str) -> Vec<u8> {
    Sha256::digest(name)[..20].to_vec()
}

/// The account of a validator's operator: the same bytes, without `valoper` in the prefix.
///
/// # Errors
/// sdk/7 when it is no operator's address.
pub fn of_operator(text: &str) -> Result<String> {
    let (hrp, bytes) = bech32::decode(text).map_err(|e| {
        AppError::invalid_address(format_args!(
            "decoding bech32 failed: {e} (\"{}\")",
            clip(text)
        ))
    })?;
    let hrp = hrp.to_lowercase();
    let prefix = hrp.strip_suffix("valoper").ok_or_else(|| {
        AppError::invalid_address(format_args!(
            "expected a prefix that ends with valoper, got {hrp}"
        ))
    })?;
    encode(prefix, &bytes)
}

fn clip(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_both_ways_and_strangers_are_refused() {
        let text = encode("ember", &[7; 20]).unwrap();
        assert_eq!(decode("ember", &text).unwrap(), [7; 20]);
        assert_eq!(prefix_of(&text).unwrap(), "ember");
        assert!(
            decode("cosmos", &text)
                .unwrap_err()
                .log
                .contains("expected cosmos, got ember")
        );
        assert!(decode("ember", "ember1qqq").is_err());
        assert!(decode("ember", &encode("ember", &[7; 19]).unwrap()).is_err());
    }

    #[test]
    fn the_fee_collector_is_where_every_sdk_chain_has_it() {
        let text = encode("cosmos", &module("fee_collector")).unwrap();
        assert_eq!(text, "cosmos17xpfvakm2amg962yls6f84z3kell8c5lserqta");
    }
}
