//! A lease's session: what a tenant may do with the provider's device while the lease is active.
//!
//! [`state`] decides and does nothing; [`host`] does what it decides for one lease, [`work`] runs its jobs;
//! [`service`] speaks gRPC; [`server`] owns the listener and the TLS.

pub mod state;
pub mod blobs;
pub mod jobs;
pub mod runner;
pub mod work;
pub mod host;
pub mod conn;
pub mod shared;
pub mod service;
pub mod server;

/// The protocol's messages, from `proto/session.proto`.
#[allow(
    missing_docs,
    clippy::all,
    reason = "generated; the .proto file documents it"
)]
pub mod pb {
    tonic::include_proto!("ember.session.v1");
}

/// The metadata that names the lease in every call.
pub const LEASE_HEADER: &str = "ember-lease-id";
/// Metadata of every call: the height at which the tenant saw the lease, so that a provider that has not seen it yet
/// looks before it refuses.
pub const HEIGHT_HEADER: &str = "ember-height";

/// Most bytes of one piece of a blob or an output.
pub const CHUNK: usize = 256 * 1024;
