//! Addresses for contracts, at wasmd's prices.

use super::gas_register::MULTIPLIER;
use bech32::{Bech32, Hrp, primitives::decode::CheckedHrpstring};
use cosmwasm_vm::{BackendApi, BackendError, BackendResult, GasInfo};

const COST_HUMANIZE: u64 = 5 * MULTIPLIER;
const COST_CANONICALIZE: u64 = 4 * MULTIPLIER;
const COST_VALIDATE: u64 = COST_HUMANIZE + COST_CANONICALIZE;
/// The SDK's longest address.
const MAX_LEN: usize = 255;

/// Bech32 addresses of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Api {
    prefix: Hrp,
}

impl Api {
    /// The addresses that start with `prefix`.
    ///
    /// # Errors
    /// The reason why `prefix` is no bech32 prefix.
    pub fn new(prefix: &str) -> Result<Self, String> {
        Hrp::parse(prefix)
            .map(|prefix| Self { prefix })
            .map_err(|e| format!("bech32 prefix '{prefix}': {e}"))
    }

    /// The bytes of `human`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(&self, human: &str) -> Result<Vec<u8>, String> {
        if human.trim().is_empty() {
            return Err("empty address string is not allowed".into());
        }
        let checked = CheckedHrpstring::new::<Bech32>(human)
            .map_err(|e| format!("decoding bech32 failed: {e}"))?;
        let hrp = checked.hrp();
        if hrp != self.prefix {
            let (want, got) = (self.prefix.to_lowercase(), hrp.to_lowercase());
            return Err(format!("invalid Bech32 prefix; expected {want}, got {got}"));
        }
        let bytes: Vec<u8> = checked.byte_iter().collect();
        check_len(&bytes)?;
        Ok(bytes)
    }

    /// The text of `canonical`.
    ///
    /// # Errors
    /// When its length is no address's.
    pub fn encode(&self, canonical: &[u8]) -> Result<String, String> {
        check_len(canonical)?;
        bech32::encode::<Bech32>(self.prefix, canonical).map_err(|e| e.to_string())
    }
}

fn check_len(bytes: &[u8]) -> Result<(), String> {
    match bytes.len() {
        0 => Err("addresses cannot be empty: unknown address".into()),
        n if n > MAX_LEN => Err(format!(
            "address max length is {MAX_LEN}, got {n}: unknown address"
        )),
        _ => Ok(()),
    }
}

impl BackendApi for Api {
    fn addr_validate(&self, input: &str) -> BackendResult<()> {
        let canonical = match self.decode(input) {
            Ok(c) => c,
            Err(e) => {
                return (
                    Err(BackendError::user_err(e)),
                    GasInfo::with_cost(COST_CANONICALIZE),
                );
            }
        };
        let result = match self.encode(&canonical) {
            Ok(human) if human == input => Ok(()),
            Ok(_) => Err(BackendError::user_err("address not normalized")),
            Err(e) => Err(BackendError::user_err(e)),
        };
        (result, GasInfo::with_cost(COST_VALIDATE))
    }

    fn addr_canonicalize(&self, human: &str) -> BackendResult<Vec<u8>> {
        (
            self.decode(human).map_err(BackendError::user_err),
            GasInfo::with_cost(COST_CANONICALIZE),
        )
    }

    fn addr_humanize(&self, canonical: &[u8]) -> BackendResult<String> {
        (
            self.encode(canonical).map_err(BackendError::user_err),
            GasInfo::with_cost(COST_HUMANIZE),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_not_this_chains() {
        let (a, b) = (Api::new("ember").unwrap(), Api::new("cosmos").unwrap());
        let human = a.encode(&[7; 20]).unwrap();
        assert!(
            b.decode(&human)
                .unwrap_err()
                .contains("expected cosmos, got ember")
        );
        assert_eq!(a.decode(&human.to_uppercase()).unwrap(), vec![7; 20]);
        assert!(
            a.addr_validate(&human.to_uppercase()).0.is_err(),
            "only the normal form is valid"
        );
        assert!(a.addr_validate(&human).0.is_ok());
        assert!(a.decode("").is_err());
        assert!(a.encode(&[]).is_err());
        assert!(a.encode(&[0; 256]).is_err());
        let mut broken = human.clone();
        broken.replace_range(10..11, if &human[10..11] == "q" { "p" } else { "q" });
        assert!(a.decode(&broken).is_err());
    }

    proptest! {
        #[test]
        fn round_trip(bytes in prop::collection::vec(any::<u8>(), 1..=255)) {
            let api = Api::new("ember").unwrap();
            prop_assert_eq!(api.decode(&api.encode(&bytes).unwrap()).unwrap(), bytes);
        }
    }
}
