//! What audits and trust levels in force cover.

use crate::{
    error::ContractError,
    state::{AUDITS, TRUST, Trust},
};
use cosmwasm_std::{Addr, Storage};
use ember_types::{assurance::AuditRule, eligibility::Ineligible};

/// The last revision of a provider that the audits of `rule` cover: what changed later is not audited. Everything when
/// the rule names nobody.
///
/// # Errors
/// Outside: when the storage is broken. Inside: the first signer who has not signed.
pub fn covered(
    storage: &dyn Storage,
    provider: &Addr,
    rule: &AuditRule,
    now: u64,
) -> Result<Result<u64, Ineligible>, ContractError> {
    let audit = |signer: &String| -> Result<Option<u64>, ContractError> {
        let found = AUDITS.may_load(storage, (provider, &Addr::unchecked(signer)))?;
        Ok(found.filter(|a| a.expires_at > now).map(|a| a.revision))
    };
    let mut upto = u64::MAX;
    for signer in &rule.all_of {
        match audit(signer)? {
            Some(revision) => upto = upto.min(revision),
            None => {
                let expected = signer.clone();
                return Ok(Err(Ineligible::Audit { expected }));
            }
        }
    }
    if !rule.any_of.is_empty() {
        let mut best = None;
        for signer in &rule.any_of {
            best = best.max(audit(signer)?);
        }
        match best {
            Some(revision) => upto = upto.min(revision),
            None => {
                let expected = format!("one of {}", rule.any_of.join(", "));
                return Ok(Err(Ineligible::Audit { expected }));
            }
        }
    }
    Ok(Ok(upto))
}

/// The trust entry of a provider as a whole, while it is in force.
///
/// # Errors
/// When the storage is broken.
pub fn trust(
    storage: &dyn Storage,
    provider: &Addr,
    device: &str,
    now: u64,
) -> Result<Option<Trust>, ContractError> {
    let found = TRUST.may_load(storage, (provider, device))?;
    Ok(found.filter(|t| t.expires_at > now))
}

/// The level of one device that last changed at revision `since`: its own where it has one that covers it, else
/// `whole`, the provider's.
///
/// # Errors
/// When the storage is broken.
pub fn level(
    storage: &dyn Storage,
    provider: &Addr,
    device: &str,
    since: u64,
    whole: Option<&Trust>,
    now: u64,
) -> Result<u8, ContractError> {
    let covers = |t: &&Trust| since <= t.revision;
    let own = trust(storage, provider, device, now)?;
    let entry = own.as_ref().filter(covers).or(whole.filter(covers));
    Ok(entry.map(|t| t.level).unwrap_or_default())
}
