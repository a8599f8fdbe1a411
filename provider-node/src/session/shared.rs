//! What the listener and the service share: the chain's rights as last heard, the hosts of all leases, and which
//! connection belongs to which lease.

use super::{
    conn::ConnInfo,
    host::{Host, HostConfig, folder, folders},
    state::Input,
    work::now,
};
use crate::identity::{
    cert::Claims,
    rights::{LeaseView, Refusal, Rights},
};
use ember_types::lease::LeaseState;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    fs, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use thiserror::Error;
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, timeout_at},
};

/// Most connections of one lease at once.
pub const MAX_LEASE_CONNS: usize = 16;
/// How long to wait for the height that a tenant has seen.
const NEWS: Duration = Duration::from_secs(10);

/// Why a call is not admitted.
#[derive(Debug, Error)]
pub enum AdmitError {
    /// For good, as far as the chain has been seen.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The chain must be seen further first.
    #[error(
        "lease {lease}: expected to have seen height {wanted}, got as far as {height}: try again"
    )]
    Behind {
        /// Asked for.
        lease: u64,
        /// Seen by the tenant.
        wanted: u64,
        /// Seen here.
        height: u64,
    },
}

/// Why an admitted call is not served.
#[derive(Debug, Error)]
pub enum HostError {
    /// Rights ended between two looks.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// One connection, one lease.
    #[error(
        "this connection: expected calls for lease {bound}, got one for lease {got}: open another connection for it"
    )]
    OtherLease {
        /// What the connection is for.
        bound: u64,
        /// Asked for.
        got: u64,
    },
    /// Too many.
    #[error("lease {0}: expected at most {MAX_LEASE_CONNS} connections, got one more: close one")]
    TooMany(u64),
    /// It is being cut.
    #[error("the connection is over")]
    Over,
    /// The disk.
    #[error("lease {lease}: {error}")]
    Io {
        /// Which.
        lease: u64,
        /// Why.
        error: io::Error,
    },
}

/// A live connection.
enum Place {
    /// Nobody was admitted over it yet; dropping the sender cuts it.
    Stranger(oneshot::Sender<()>),
    /// Bound to a lease by its first admitted call, for good.
    Tenant(u64, Arc<Claims>),
}

/// See the module.
pub struct Shared {
    config: HostConfig,
    rights: watch::Receiver<Arc<Rights>>,
    hosts: Mutex<BTreeMap<u64, Arc<Host>>>,
    conns: Mutex<BTreeMap<u64, Place>>,
    next: AtomicU64,
}

fn clock() -> i64 {
    i64::try_from(now()).unwrap_or(i64::MAX)
}

impl Shared {
    /// No hosts, no connections.
    pub fn new(config: HostConfig, rights: watch::Receiver<Arc<Rights>>) -> Self {
        Self {
            config,
            rights,
            hosts: Mutex::default(),
            conns: Mutex::default(),
            next: AtomicU64::new(1),
        }
    }

    /// What the chain says, as last heard.
    pub fn rights(&self) -> Arc<Rights> {
        self.rights.borrow().clone()
    }

    /// Whether the bearer of a certificate, who has seen the chain at height `wanted`, may use a lease. What an older
    /// answer of the chain did not have may be in the next ones, so they are waited for.
    ///
    /// # Errors
    /// Why not.
    pub async fn admit(
        &self,
        lease: u64,
        claims: &Claims,
        wanted: u64,
    ) -> Result<LeaseView, AdmitError> {
        let mut rights = self.rights.clone();
        let deadline = Instant::now() + NEWS;
        loop {
            let seen = Arc::clone(&rights.borrow_and_update());
            let height = seen.height;
            match seen.admit(lease, claims, clock()).cloned() {
                Err(Refusal::NoLease { .. } | Refusal::NotOnChain { .. }) if height < wanted => {}
                verdict => return Ok(verdict?),
            }
            if !matches!(timeout_at(deadline, rights.changed()).await, Ok(Ok(()))) {
                return Err(AdmitError::Behind {
                    lease,
                    wanted,
                    height,
                });
            }
        }
    }

    /// The host of an admitted lease, with the caller's connection bound to it.
    ///
    /// # Errors
    /// When the connection cannot be bound, or the lease's folder not be made.
    pub fn host(&self, lease: u64, conn: &ConnInfo) -> Result<Arc<Host>, HostError> {
        let mut hosts = self.hosts.lock();
        // Looked at again under the lock: `follow` may have closed the host since the caller was admitted.
        let rights = self.rights();
        let view = rights.admit(lease, &conn.claims, clock())?;
        let mut conns = self.conns.lock();
        let bound = match conns.get(&conn.id) {
            None => return Err(HostError::Over),
            Some(Place::Tenant(bound, _)) if *bound != lease => {
                return Err(HostError::OtherLease {
                    bound: *bound,
                    got: lease,
                });
            }
            Some(place) => matches!(place, Place::Tenant(..)),
        };
        let of_lease = |p: &&Place| matches!(p, Place::Tenant(l, _) if *l == lease);
        if !bound && conns.values().filter(of_lease).count() >= MAX_LEASE_CONNS {
            return Err(HostError::TooMany(lease));
        }
        let host = match hosts.get(&lease) {
            Some(host) => Arc::clone(host),
            None => {
                let host = Host::open(self.config.clone(), view.clone())
                    .map_err(|error| HostError::Io { lease, error })?;
                hosts.insert(lease, Arc::clone(&host));
                host
            }
        };
        if bound {
            return Ok(host);
        }
        let tenant = Place::Tenant(lease, Arc::clone(&conn.claims));
        if let Some(Place::Stranger(cut)) = conns.insert(conn.id, tenant) {
            host.connected(conn.id, &conn.claims.fingerprint, cut);
        }
        Ok(host)
    }

    /// A new connection: its number, and what resolves when it is to be cut.
    pub fn opened(&self) -> (u64, oneshot::Receiver<()>) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (cut, cut_rx) = oneshot::channel();
        self.conns.lock().insert(id, Place::Stranger(cut));
        (id, cut_rx)
    }

    /// Cuts a connection over which nobody was admitted.
    pub fn cut_stranger(&self, conn: u64) -> bool {
        let mut conns = self.conns.lock();
        let stranger = matches!(conns.get(&conn), Some(Place::Stranger(_)));
        if stranger {
            conns.remove(&conn);
        }
        stranger
    }

    /// A connection has ended.
    pub fn closed(&self, conn: u64) {
        let hosts = self.hosts.lock();
        if let Some(Place::Tenant(lease, _)) = self.conns.lock().remove(&conn)
            && let Some(host) = hosts.get(&lease)
        {
            host.disconnected(conn);
        }
    }

    /// Judges every live connection and lease anew, by what the chain said last and by the clock.
    pub fn follow(&self, rights: &Rights) {
        let now = clock();
        let mut hosts = self.hosts.lock();
        for place in self.conns.lock().values() {
            if let Place::Tenant(lease, claims) = place
                && let Some(host) = hosts.get(lease)
                && let Err(refusal) = rights.admit(*lease, claims, now)
            {
                tracing::info!(lease, account = claims.account, reason = %refusal, "cut");
                host.apply(Input::Revoked(claims.fingerprint.clone()));
            }
        }
        hosts.retain(|id, host| {
            let state = rights.leases.get(id).map(|v| v.state_at(now));
            host.lease_is(state);
            // Any other lease's runner was killed: it is opened anew when the lease revives.
            state == Some(LeaseState::Active)
        });
    }

    /// Removes what leases that ended while nobody looked have left behind.
    pub fn sweep(&self, rights: &Rights) {
        for id in folders(&self.config.data) {
            let view = rights.leases.get(&id);
            if view.is_some_and(|v| v.state == LeaseState::Closed) {
                fs::remove_dir_all(folder(&self.config.data, id)).ok();
            }
        }
    }

    /// Ends every connection and every worker; all data stay.
    pub fn stop(&self) {
        let hosts = std::mem::take(&mut *self.hosts.lock());
        for host in hosts.values() {
            host.stop();
        }
        self.conns.lock().clear();
    }
}
