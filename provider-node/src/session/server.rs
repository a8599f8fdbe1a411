//! The listener: TLS, limits on connections, and the hosts of all leases.

use super::{
    conn::{Conn, ConnInfo},
    host::{Host, HostConfig, folder, now},
    pb::session_server::SessionServer as Grpc,
    service::SessionService,
};
use crate::identity::{
    cert::{Claims, Identity},
    rights::{LeaseView, Refusal, Rights},
    tls,
};
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use thiserror::Error;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;

/// Most connections at once.
const MAX_CONNS: usize = 256;
/// A handshake that takes longer is dropped.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How long to wait for news of a lease or a certificate that is not known yet.
const NEWS: Duration = Duration::from_secs(3);

/// Why the server did not start.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The address.
    #[error("listen on {addr}: {error}")]
    Bind {
        /// Which.
        addr: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The certificate.
    #[error("certificate: {0}")]
    Tls(#[from] rustls::Error),
}

/// What the service and the listener share.
pub struct Shared {
    config: HostConfig,
    rights: watch::Receiver<Arc<Rights>>,
    hosts: Mutex<BTreeMap<u64, Arc<Host>>>,
    /// Connections whose lease is not known yet.
    waiting: Mutex<BTreeMap<u64, oneshot::Sender<()>>>,
    next: AtomicU64,
}

impl Shared {
    /// What the chain says, as last heard.
    pub fn rights(&self) -> Arc<Rights> {
        self.rights.borrow().clone()
    }

    /// Whether the bearer of a certificate may use a lease. A lease or a certificate that the chain's last answer did
    /// not have may be younger than that answer, so the next ones are waited for, a little.
    ///
    /// # Errors
    /// Why not.
    pub async fn admit(&self, lease: u64, claims: &Claims) -> Result<LeaseView, Refusal> {
        let mut rights = self.rights.clone();
        let deadline = Instant::now() + NEWS;
        loop {
            let now = i64::try_from(now()).unwrap_or(i64::MAX);
            let verdict = rights
                .borrow_and_update()
                .admit(lease, claims, now)
                .cloned();
            match verdict {
                Err(Refusal::NoLease { .. } | Refusal::NotOnChain { .. }) => {}
                verdict => return verdict,
            }
            match timeout_at(deadline, rights.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return verdict,
            }
        }
    }

    /// The host of an admitted lease, with the caller's connection bound to it.
    ///
    /// # Errors
    /// When the lease's folder cannot be made.
    pub fn host(&self, view: &LeaseView, conn: &ConnInfo) -> io::Result<Arc<Host>> {
        let host = {
            let mut hosts = self.hosts.lock();
            match hosts.get(&view.lease_id) {
                Some(host) => Arc::clone(host),
                None => {
                    let host = Host::open(self.config.clone(), view.clone())?;
                    hosts.insert(view.lease_id, Arc::clone(&host));
                    host
                }
            }
        };
        if !host.knows(conn.id)
            && let Some(cut) = self.waiting.lock().remove(&conn.id)
        {
            host.connected(conn.id, &conn.claims.fingerprint, cut);
        }
        Ok(host)
    }

    fn closed(&self, conn: u64) {
        self.waiting.lock().remove(&conn);
        for host in self.hosts.lock().values() {
            host.disconnected(conn);
        }
    }

    /// Tells every host what the chain says now; ended leases are forgotten.
    fn follow(&self, rights: &Rights) {
        let mut hosts = self.hosts.lock();
        hosts.retain(|id, host| {
            let state = rights.leases.get(id).map(|v| v.state);
            for (fingerprint, _) in rights.certs.iter().filter(|(_, c)| c.revoked) {
                host.apply(super::state::Input::Revoked(fingerprint.clone()));
            }
            host.lease_is(state);
            // A suspended lease's runner was killed: it is opened anew when the lease revives.
            state == Some(ember_types::lease::LeaseState::Active)
        });
        drop(hosts);
        self.sweep(rights);
    }

    /// Removes what leases that ended while nobody looked have left behind.
    fn sweep(&self, rights: &Rights) {
        let Ok(dir) = fs::read_dir(&self.config.data) else {
            return;
        };
        for entry in dir.flatten() {
            let name = entry.file_name();
            let Some(id) = name
                .to_str()
                .and_then(|n| n.strip_prefix("lease-")?.parse::<u64>().ok())
            else {
                continue;
            };
            let over = rights
                .leases
                .get(&id)
                .is_some_and(|v| v.state == ember_types::lease::LeaseState::Closed);
            if over {
                fs::remove_dir_all(folder(&self.config.data, id)).ok();
            }
        }
    }
}

/// A running server. Dropping it stops it.
pub struct SessionServer {
    /// Where it listens.
    pub addr: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for SessionServer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl SessionServer {
    /// Listens on `addr` and serves the leases of `rights`.
    ///
    /// # Errors
    /// When the address cannot be bound or the certificate is not one.
    pub async fn bind(
        addr: SocketAddr,
        identity: &Identity,
        config: HostConfig,
        rights: watch::Receiver<Arc<Rights>>,
    ) -> Result<Self, ServerError> {
        let tls = TlsAcceptor::from(tls::server(identity)?);
        let listener = TcpListener::bind(addr)
            .await
            .map_err(|error| ServerError::Bind { addr, error })?;
        let addr = listener
            .local_addr()
            .map_err(|error| ServerError::Bind { addr, error })?;
        let shared = Arc::new(Shared {
            config,
            rights: rights.clone(),
            hosts: Mutex::new(BTreeMap::new()),
            waiting: Mutex::new(BTreeMap::new()),
            next: AtomicU64::new(1),
        });
        let (conns, incoming) = mpsc::channel::<io::Result<Conn>>(16);
        let service =
            Grpc::new(SessionService::new(Arc::clone(&shared))).max_decoding_message_size(4 << 20);
        let serve = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(20)))
            .concurrency_limit_per_connection(16)
            .add_service(service)
            .serve_with_incoming(ReceiverStream::new(incoming));
        let tasks = vec![
            tokio::spawn(async move {
                if let Err(e) = serve.await {
                    tracing::error!(error = %e, "session server ended");
                }
            }),
            tokio::spawn(accept(listener, tls, Arc::clone(&shared), conns)),
            tokio::spawn(follow(rights, shared)),
        ];
        Ok(Self { addr, tasks })
    }
}

async fn follow(mut rights: watch::Receiver<Arc<Rights>>, shared: Arc<Shared>) {
    loop {
        let now = rights.borrow_and_update().clone();
        // Before the first answer of the chain nothing is known, and unknown is not over.
        if now.height > 0 {
            shared.follow(&now);
        }
        if rights.changed().await.is_err() {
            return;
        }
    }
}

async fn accept(
    listener: TcpListener,
    tls: TlsAcceptor,
    shared: Arc<Shared>,
    conns: mpsc::Sender<io::Result<Conn>>,
) {
    let places = Arc::new(Semaphore::new(MAX_CONNS));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(e) => {
                tracing::warn!(error = %e, "accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!(%peer, "more than {MAX_CONNS} connections: one is turned away");
            continue;
        };
        let (tls, shared, conns) = (tls.clone(), Arc::clone(&shared), conns.clone());
        tokio::spawn(async move {
            match handshake(stream, &tls, &shared).await {
                Ok((conn, closed)) => {
                    let id = conn_id(&conn);
                    if conns.send(Ok(conn)).await.is_ok() {
                        // Resolves when the connection is dropped.
                        closed.await.ok();
                    }
                    shared.closed(id);
                }
                Err(e) => tracing::info!(%peer, reason = %e, "handshake refused"),
            }
            drop(place);
        });
    }
}

fn conn_id(conn: &Conn) -> u64 {
    use tonic::transport::server::Connected;
    conn.connect_info().id
}

async fn handshake(
    stream: TcpStream,
    tls: &TlsAcceptor,
    shared: &Shared,
) -> io::Result<(Conn, oneshot::Receiver<()>)> {
    stream.set_nodelay(true)?;
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long");
    let stream = timeout(HANDSHAKE, tls.accept(stream))
        .await
        .map_err(late)??;
    let der = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|c| c.first())
        .ok_or(io::ErrorKind::PermissionDenied)?;
    let claims = Claims::read(der).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
    let info = ConnInfo {
        id: shared.next.fetch_add(1, Ordering::Relaxed),
        claims: Arc::new(claims),
    };
    let (cut, cut_rx) = oneshot::channel();
    let (closed_tx, closed) = oneshot::channel();
    shared.waiting.lock().insert(info.id, cut);
    Ok((Conn::new(stream, info, cut_rx, closed_tx), closed))
}
