//! What the chain says of leases and certificates, as of one height: the cached set that sessions are judged by.
//! Pure. The daemon renews it; nothing here asks the chain.

use super::cert::Claims;
use ember_types::lease::LeaseState;
use std::collections::BTreeMap;
use thiserror::Error;

/// A certificate on chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertView {
    /// Who published it.
    pub owner: String,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// A lease on chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseView {
    /// Its id.
    pub lease_id: u64,
    /// Number of the provider's device that serves it.
    pub device: u32,
    /// Who pays.
    pub tenant: String,
    /// Who serves.
    pub provider: String,
    /// Where it stands.
    pub state: LeaseState,
    /// Unix seconds at which it ends by itself.
    pub ends_at: u64,
}

/// Leases of one provider, and the certificates of their tenants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// The height it was read at.
    pub height: u64,
    /// By id.
    pub leases: BTreeMap<u64, LeaseView>,
    /// By fingerprint.
    pub certs: BTreeMap<String, CertView>,
}

/// Why somebody is not served. One line each, told to them after the handshake.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No such lease here.
    #[error("lease {lease}: expected a lease of this provider, got none at height {height}")]
    NoLease {
        /// Asked for.
        lease: u64,
        /// As of.
        height: u64,
    },
    /// Not in a state to be served.
    #[error("lease {lease}: expected an active lease, got one that is {state} at height {height}")]
    NotActive {
        /// Asked for.
        lease: u64,
        /// What it is.
        state: &'static str,
        /// As of.
        height: u64,
    },
    /// Past its validity.
    #[error(
        "certificate {fingerprint}: expired at {not_after}, now is {now}: publish a new one with ember cert"
    )]
    Expired {
        /// Which.
        fingerprint: String,
        /// Unix seconds.
        not_after: i64,
        /// Unix seconds.
        now: i64,
    },
    /// Before its validity.
    #[error("certificate {fingerprint}: not valid before {not_before}, now is {now}")]
    NotYetValid {
        /// Which.
        fingerprint: String,
        /// Unix seconds.
        not_before: i64,
        /// Unix seconds.
        now: i64,
    },
    /// Not in the registry.
    #[error(
        "certificate {fingerprint}: expected one that is published on chain, got none at height {height}: ember cert publish"
    )]
    NotOnChain {
        /// Which.
        fingerprint: String,
        /// As of.
        height: u64,
    },
    /// Revoked.
    #[error("certificate {fingerprint}: revoked")]
    Revoked {
        /// Which.
        fingerprint: String,
    },
    /// Somebody else's.
    #[error("lease {lease}: expected a certificate of its tenant {expected}, got one of {got}")]
    WrongOwner {
        /// Asked for.
        lease: u64,
        /// Its tenant.
        expected: String,
        /// Who asked.
        got: String,
    },
}

const fn name(state: LeaseState) -> &'static str {
    match state {
        LeaseState::Active => "active",
        LeaseState::Suspended => "suspended: top up its escrow",
        LeaseState::Closed => "closed",
    }
}

impl Rights {
    /// Whether the bearer of a certificate may use a lease at `now` (unix seconds).
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&self, lease: u64, claims: &Claims, now: i64) -> Result<&LeaseView, Refusal> {
        let (fingerprint, height) = (claims.fingerprint.clone(), self.height);
        if now > claims.not_after {
            return Err(Refusal::Expired {
                fingerprint,
                not_after: claims.not_after,
                now,
            });
        }
        if now < claims.not_before {
            return Err(Refusal::NotYetValid {
                fingerprint,
                not_before: claims.not_before,
                now,
            });
        }
        let view = self
            .leases
            .get(&lease)
            .ok_or(Refusal::NoLease { lease, height })?;
        if claims.account != view.tenant {
            return Err(Refusal::WrongOwner {
                lease,
                expected: view.tenant.clone(),
                got: claims.account.clone(),
            });
        }
        let cert = self.certs.get(&fingerprint).ok_or(Refusal::NotOnChain {
            fingerprint: fingerprint.clone(),
            height,
        })?;
        if cert.revoked {
            return Err(Refusal::Revoked { fingerprint });
        }
        if cert.owner != view.tenant {
            return Err(Refusal::WrongOwner {
                lease,
                expected: view.tenant.clone(),
                got: cert.owner.clone(),
            });
        }
        if view.state != LeaseState::Active {
            return Err(Refusal::NotActive {
                lease,
                state: name(view.state),
                height,
            });
        }
        Ok(view)
    }
}
