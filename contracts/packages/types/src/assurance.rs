//! How sure a tenant may be of a result, and how far a provider is trusted.

use crate::error::ValidationError;
use cosmwasm_schema::cw_serde;

/// How a result is checked. Stored, offered, filtered on and part of a bid's price today; nothing enforces it yet: that
/// is the court's, which is not there.
#[cw_serde]
#[derive(Copy, Eq, PartialOrd, Ord, Default)]
pub enum Assurance {
    /// Not at all. Every provider offers it.
    #[default]
    None,
    /// A share of the jobs is executed again by others, drawn after the result is committed.
    Sampled,
    /// Bit-exact jobs, each of which can be disputed.
    Exact,
    /// The device's enclave signs for what ran.
    Attested,
}

impl Assurance {
    /// Whether it is [`Assurance::None`].
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// Whether an offer of `self` serves who asks for `wanted`.
    pub fn serves(self, wanted: Self) -> bool {
        wanted == Self::None || self == wanted
    }

    /// The name in messages, events and the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sampled => "sampled",
            Self::Exact => "exact",
            Self::Attested => "attested",
        }
    }
}

/// The highest trust level: 0 self-declared, 1 challenged, 2 audited, 3 audited and bonded, 4 attested.
pub const MAX_TRUST: u8 = 4;

/// # Errors
/// When `level` is above [`MAX_TRUST`].
pub fn validate_trust(field: &'static str, level: u8) -> Result<(), ValidationError> {
    if level <= MAX_TRUST {
        return Ok(());
    }
    Err(ValidationError::range(
        field,
        format!("0 to {MAX_TRUST}"),
        level,
    ))
}

/// Whose audits an order wants: everybody's in `all_of` and, when `any_of` names anybody, at least one of theirs. An
/// audit covers the devices, and the region if the order names one, that have not changed since it was signed.
#[cw_serde]
#[derive(Default)]
pub struct AuditRule {
    /// Each of these accounts must have signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all_of: Vec<String>,
    /// At least one of these accounts must have signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<String>,
}

/// Most signers that one order names, both lists together.
pub const MAX_SIGNERS: usize = 8;

impl AuditRule {
    /// Whether nobody's audit is wanted.
    pub fn is_empty(&self) -> bool {
        self.all_of.is_empty() && self.any_of.is_empty()
    }

    /// # Errors
    /// When too many signers are named, or one is not of an address's form.
    pub fn validate(&self) -> Result<(), ValidationError> {
        let named = self.all_of.len().saturating_add(self.any_of.len());
        if named > MAX_SIGNERS {
            let expected = format!("at most {MAX_SIGNERS} signers");
            return Err(ValidationError::range(
                "resources.gpu.audits",
                expected,
                named,
            ));
        }
        for signer in self.all_of.iter().chain(&self.any_of) {
            let form = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            if !(3..=128).contains(&signer.len()) || !signer.bytes().all(form) {
                return Err(ValidationError::malformed(
                    "resources.gpu.audits",
                    "addresses in lower case",
                    signer,
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_serves_its_own_kind_and_those_who_ask_for_none() {
        use Assurance::{Attested, Exact, None, Sampled};
        for offered in [None, Sampled, Exact, Attested] {
            for wanted in [None, Sampled, Exact, Attested] {
                assert_eq!(
                    offered.serves(wanted),
                    wanted == None || wanted == offered,
                    "{} for {}",
                    offered.name(),
                    wanted.name()
                );
            }
        }
    }

    #[test]
    fn levels_and_rules_have_bounds() {
        assert!(validate_trust("t", 4).is_ok());
        assert!(validate_trust("t", 5).is_err());
        assert!(validate_trust("t", u8::MAX).is_err());
        let rule = |all: usize, any: usize| AuditRule {
            all_of: vec!["ember1a".into(); all],
            any_of: vec!["ember1b".into(); any],
        };
        assert!(rule(0, 0).validate().is_ok() && rule(0, 0).is_empty());
        assert!(rule(4, 4).validate().is_ok());
        assert!(rule(4, 5).validate().is_err());
        for signer in ["", "x", "EMBER1A", "ember1 a", &"a".repeat(129)] {
            let rule = AuditRule {
                all_of: vec![],
                any_of: vec![signer.into()],
            };
            assert!(rule.validate().is_err(), "{signer}");
        }
    }
}
