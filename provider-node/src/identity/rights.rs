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
    /// Numbers of the provider's devices that serve it, one a unit.
    pub devices: Vec<u32>,
    /// Who pays.
    pub tenant: String,
    /// Who serves.
    pub provider: String,
    /// Where it stands.
    pub state: LeaseState,
    /// Unix seconds at which it ends by itself.
    pub ends_at: u64,
}

/// How far this machine's clock may be ahead of the chain's, in seconds.
pub const CLOCKS: u64 = 60;

impl LeaseView {
    /// Where it stands at `now` (unix seconds). Past its end nobody pays for it, so it is not served even while the
    /// chain does not answer; that it is closed is for the chain to say.
    pub fn state_at(&self, now: i64) -> LeaseState {
        let now = u64::try_from(now).unwrap_or(0);
        if self.state == LeaseState::Active && now > self.ends_at.saturating_add(CLOCKS) {
            return LeaseState::Suspended;
        }
        self.state
    }
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
    /// Past its term, though the chain has not closed it yet.
    #[error("lease {lease}: its term ended at {ends_at}, now is {now}: create another order")]
    TermOver {
        /// Asked for.
        lease: u64,
        /// Unix seconds.
        ends_at: u64,
        /// Unix seconds.
        now: i64,
    },
    /// Past its validity.
    #[error(
        "certificate {fingerprint}: expired at {not_after}, now is {now}: make and publish a new one with ember cert generate --force and ember cert publish"
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
        if view.state_at(now) != LeaseState::Active {
            let ends_at = view.ends_at;
            return Err(Refusal::TermOver {
                lease,
                ends_at,
                now,
            });
        }
        Ok(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(account: &str, fingerprint: &str) -> Claims {
        Claims {
            account: account.into(),
            fingerprint: fingerprint.into(),
            not_before: 100,
            not_after: 200,
            public_key: Vec::new(),
        }
    }

    fn rights() -> Rights {
        let lease = |lease_id, tenant: &str, state| LeaseView {
            lease_id,
            devices: vec![0],
            tenant: tenant.into(),
            provider: "p".into(),
            state,
            ends_at: 120,
        };
        let cert = |owner: &str, revoked| CertView {
            owner: owner.into(),
            revoked,
        };
        Rights {
            height: 9,
            leases: [
                lease(1, "t", LeaseState::Active),
                lease(2, "t", LeaseState::Suspended),
                lease(3, "t", LeaseState::Closed),
            ]
            .into_iter()
            .map(|l| (l.lease_id, l))
            .collect(),
            certs: BTreeMap::from([
                ("good".into(), cert("t", false)),
                ("gone".into(), cert("t", true)),
                ("theirs".into(), cert("o", false)),
            ]),
        }
    }

    #[test]
    fn only_the_tenant_of_an_active_lease_is_admitted() {
        let ok = |r: Result<&LeaseView, Refusal>| r.map(|v| v.lease_id);
        let rights = rights();
        let good = claims("t", "good");
        // Both ends of the validity are part of it.
        for now in [100, 150, 180] {
            assert_eq!(ok(rights.admit(1, &good, now)), Ok(1));
        }
        let cases: [(u64, &str, &str, i64, &str); 11] = [
            (1, "t", "good", 99, "not valid before 100"),
            (1, "t", "good", 201, "expired at 200"),
            (1, "t", "good", 181, "its term ended at 120"),
            (1, "t", "none", 150, "expected one that is published"),
            (1, "t", "gone", 150, "revoked"),
            (1, "t", "theirs", 150, "got one of o"),
            (1, "o", "theirs", 150, "got one of o"),
            (1, "o", "good", 150, "got one of o"),
            (2, "t", "good", 150, "suspended"),
            (3, "t", "good", 150, "closed"),
            (4, "t", "good", 150, "got none at height 9"),
        ];
        for (lease, account, fingerprint, now, words) in cases {
            let refusal = rights
                .admit(lease, &claims(account, fingerprint), now)
                .unwrap_err()
                .to_string();
            assert!(refusal.contains(words), "{words}: {refusal}");
            assert!(!refusal.contains('\n'));
        }
    }

    #[test]
    fn a_clock_ends_no_lease_for_good() {
        let view = rights().leases.remove(&1).unwrap();
        assert_eq!(view.state_at(180), LeaseState::Active);
        assert_eq!(view.state_at(181), LeaseState::Suspended);
        assert_eq!(view.state_at(i64::MIN), LeaseState::Active);
    }
}
