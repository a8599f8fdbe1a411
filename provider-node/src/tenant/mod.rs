//! The tenant's side of a session: connect, send what is missing, run, fetch, verify.

pub mod connect;
pub mod fetch;
pub mod run;

use std::path::Path;
use thiserror::Error;

/// Why a tenant was not served.
#[derive(Debug, Error)]
pub enum TenantError {
    /// Nobody there.
    #[error(
        "{host}: expected the lease's provider to answer, got {reason}: is its daemon up, and its host uri right?"
    )]
    Unreachable {
        /// Its host URI.
        host: String,
        /// What happened.
        reason: String,
    },
    /// Somebody there, but not the provider; or the provider with a certificate that it has not published.
    #[error(
        "{host}: expected a certificate that the lease's provider has published, got {reason}: do not send it anything; ask the chain again, and the provider"
    )]
    WrongServer {
        /// Its host URI.
        host: String,
        /// What it showed.
        reason: String,
    },
    /// The provider said no, in its own words.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// The connection broke while it was in use; going on may help.
    #[error("the connection to the provider broke: {0}")]
    Broken(String),
    /// The job ended without a result.
    #[error("job failed: {0}")]
    Failed(String),
    /// The provider's answer does not stand.
    #[error("the provider's answer does not stand: {0}")]
    Untrue(String),
    /// The own certificate.
    #[error("certificate: {0}")]
    Certificate(#[from] rustls::Error),
    /// The job directory.
    #[error("job: {0}")]
    Job(#[from] crate::job::JobError),
    /// A file.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> TenantError + '_ {
    move |error| TenantError::Io {
        path: path.to_owned(),
        error,
    }
}

impl From<tonic::Status> for TenantError {
    fn from(status: tonic::Status) -> Self {
        use tonic::Code;
        match status.code() {
            Code::Unavailable
            | Code::Unknown
            | Code::Cancelled
            | Code::Internal
            | Code::Aborted
            | Code::DeadlineExceeded => Self::Broken(status.message().to_owned()),
            _ => Self::Refused(status.message().to_owned()),
        }
    }
}
