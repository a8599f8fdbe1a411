//! CometBFT v0.38's JSON-RPC over the embedded engine: POST, URI and websocket. A client must not see a difference.

pub mod json;
pub mod params;
pub mod methods;
mod search;
mod broadcast;
mod websocket;
mod http;

pub use http::{Options, Rpc, serve};
pub use methods::Api;
