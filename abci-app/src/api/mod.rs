//! gRPC and REST: one router over what the SDK and wasmd say their services are. Every answer is the application's,
//! or the engine's where only it knows; what a module that is not there would answer is refused as unimplemented.

pub mod descriptors;
pub mod status;
pub mod routes;
pub mod openapi;
mod block;
mod engine;
pub mod services;
pub mod grpc;
pub mod rest;

pub use crate::codec::json;
pub use services::Services;
