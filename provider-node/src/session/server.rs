//! The listener: TLS, limits on connections, and the hosts of all leases.

use super::{
    conn::{Conn, ConnInfo},
    pb::session_server::SessionServer as Grpc,
    service::SessionService,
    shared::Shared,
    work::HostConfig,
};
use crate::identity::{
    cert::{Claims, Identity},
    rights::Rights,
    tls,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

/// Most connections at once.
const MAX_CONNS: usize = 256;
/// A handshake that takes longer is dropped.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// A connection over which nobody was admitted by then is cut: strangers shall not hold the places of tenants.
const STRANGER: Duration = Duration::from_secs(10);
/// How often live connections are judged by the clock: certificates expire and terms end without news.
const CLOCK: Duration = Duration::from_secs(1);

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

/// A running server. Dropping it ends every connection and every worker; what tenants have on disk stays.
pub struct SessionServer {
    /// Where it listens.
    pub addr: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl Drop for SessionServer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.shared.stop();
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
        let shared = Arc::new(Shared::new(config, rights.clone()));
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
            tokio::spawn(follow(rights, Arc::clone(&shared))),
        ];
        Ok(Self {
            addr,
            tasks,
            shared,
        })
    }
}

async fn follow(mut rights: watch::Receiver<Arc<Rights>>, shared: Arc<Shared>) {
    let mut news = true;
    loop {
        let now = rights.borrow_and_update().clone();
        // Before the first answer of the chain nothing is known, and unknown is not over.
        if now.height > 0 {
            shared.follow(&now);
            if news {
                shared.sweep(&now);
            }
        }
        news = match timeout(CLOCK, rights.changed()).await {
            Ok(Ok(())) => true,
            Ok(Err(_)) => return,
            Err(_) => false,
        };
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
                Ok((conn, mut closed)) => {
                    let id = conn.connect_info().id;
                    if conns.send(Ok(conn)).await.is_ok() {
                        // Resolves when the connection is dropped.
                        if timeout(STRANGER, &mut closed).await.is_err() {
                            if shared.cut_stranger(id) {
                                tracing::info!(%peer, "nobody was admitted over it: cut");
                            }
                            closed.await.ok();
                        }
                    }
                    shared.closed(id);
                }
                Err(e) => tracing::info!(%peer, reason = %e, "handshake refused"),
            }
            drop(place);
        });
    }
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
    let (id, cut) = shared.opened();
    let info = ConnInfo {
        id,
        claims: Arc::new(claims),
    };
    let (closed_tx, closed) = oneshot::channel();
    Ok((Conn::new(stream, info, cut, closed_tx), closed))
}
