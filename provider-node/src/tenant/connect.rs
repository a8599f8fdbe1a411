//! One mTLS connection to a provider, for one lease.

use super::TenantError;
use crate::{
    identity::{
        cert::{Identity, SERVER_NAME},
        tls,
    },
    session::{
        HEIGHT_HEADER, LEASE_HEADER,
        pb::{self, session_client::SessionClient},
    },
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint, Uri},
};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Whom to connect to, and as whom.
#[derive(Clone)]
pub struct Target {
    /// The provider's host URI, `https://host:port`.
    pub host_uri: String,
    /// The lease.
    pub lease_id: u64,
    /// The height at which the chain showed the lease.
    pub height: u64,
    tls: Arc<ClientConfig>,
    authority: String,
}

/// Names the lease in every call, and the height that the provider must have seen.
#[derive(Clone)]
pub struct Lease {
    id: MetadataValue<Ascii>,
    height: MetadataValue<Ascii>,
}

impl Interceptor for Lease {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        metadata.insert(LEASE_HEADER, self.id.clone());
        metadata.insert(HEIGHT_HEADER, self.height.clone());
        Ok(request)
    }
}

/// A connected client.
pub type Client = SessionClient<InterceptedService<Channel, Lease>>;

impl Target {
    /// A provider whose published certificates are `fingerprints`, for a lease that the chain showed at `height`.
    ///
    /// # Errors
    /// When the URI or the certificate is not one.
    pub fn new(
        host_uri: &str,
        lease_id: u64,
        height: u64,
        identity: &Identity,
        fingerprints: Vec<String>,
    ) -> Result<Self, TenantError> {
        let bad = |reason: &str| TenantError::Unreachable {
            host: host_uri.to_owned(),
            reason: reason.to_owned(),
        };
        let uri: Uri = host_uri
            .parse()
            .map_err(|_| bad("something that is no URI"))?;
        let host = uri.host().ok_or_else(|| bad("a URI without a host"))?;
        let port = uri.port_u16().unwrap_or(443);
        Ok(Self {
            host_uri: host_uri.to_owned(),
            lease_id,
            height,
            tls: tls::client(identity, fingerprints)?,
            authority: format!("{host}:{port}"),
        })
    }

    /// Connects.
    ///
    /// # Errors
    /// When nobody answers, or somebody who is not the provider.
    pub async fn connect(&self) -> Result<Client, TenantError> {
        let lease = Lease {
            id: MetadataValue::from(self.lease_id),
            height: MetadataValue::from(self.height),
        };
        Ok(
            SessionClient::with_interceptor(self.channel().await?, lease)
                .max_decoding_message_size(16 << 20),
        )
    }

    /// The bare connection, whose calls name no lease by themselves.
    ///
    /// # Errors
    /// When nobody answers, or somebody who is not the provider.
    pub async fn channel(&self) -> Result<Channel, TenantError> {
        let unreachable = |reason: String| TenantError::Unreachable {
            host: self.host_uri.clone(),
            reason,
        };
        let stream = timeout(CONNECT, TcpStream::connect(&self.authority))
            .await
            .map_err(|_| unreachable("no answer within 5 s".into()))?
            .map_err(|e| unreachable(e.to_string()))?;
        stream
            .set_nodelay(true)
            .map_err(|e| unreachable(e.to_string()))?;
        let name = ServerName::try_from(SERVER_NAME).map_err(|e| unreachable(e.to_string()))?;
        let stream = timeout(
            CONNECT,
            TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream),
        )
        .await
        .map_err(|_| unreachable("no handshake within 5 s".into()))?
        .map_err(|e| self.handshake(&e))?;
        // One connection, made here; when it breaks, the caller comes back for another.
        let mut slot = Some(TokioIo::new(stream));
        let connector = tower::service_fn(move |_: Uri| {
            let stream = slot.take();
            async move { stream.ok_or_else(|| std::io::Error::other("the connection is over")) }
        });
        Endpoint::from_static("http://lease.ember.invalid")
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(10))
            .connect_with_connector(connector)
            .await
            .map_err(|e| unreachable(source(&e)))
    }

    /// Why a handshake failed: what our own side said of the server's certificate is no matter of reachability.
    fn handshake(&self, error: &std::io::Error) -> TenantError {
        let host = self.host_uri.clone();
        let reason = match error.get_ref().and_then(|e| e.downcast_ref()) {
            Some(rustls::Error::General(reason)) => reason.clone(),
            Some(e @ rustls::Error::InvalidCertificate(_)) => e.to_string(),
            _ => {
                return TenantError::Unreachable {
                    host,
                    reason: error.to_string(),
                };
            }
        };
        TenantError::WrongServer { host, reason }
    }

    /// What the provider holds for the lease.
    ///
    /// # Errors
    /// When it is not reached or refuses.
    pub async fn status(&self) -> Result<pb::StatusResponse, TenantError> {
        Ok(self
            .connect()
            .await?
            .status(pb::StatusRequest {})
            .await?
            .into_inner())
    }

    /// What jobs have logged; of one job, or of all when `manifest_hash` is empty.
    ///
    /// # Errors
    /// When it is not reached or refuses.
    pub async fn logs(&self, manifest_hash: &str) -> Result<Vec<String>, TenantError> {
        let request = pb::LogsRequest {
            manifest_hash: manifest_hash.to_owned(),
        };
        Ok(self
            .connect()
            .await?
            .logs(request)
            .await?
            .into_inner()
            .lines)
    }
}

/// The innermost cause, which says most.
fn source(e: &dyn std::error::Error) -> String {
    let mut last = e;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}
