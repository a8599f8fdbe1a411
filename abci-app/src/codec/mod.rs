//! Between bytes on the wire and what modules work with. Strict: what does not encode back to itself is refused.

pub mod address;
pub mod as_text;
pub mod dec;
pub mod coins;
pub mod dec_coins;
pub mod descriptors;
pub mod json;
pub mod json_in;
pub mod times;
pub mod gzip;
pub mod gojson;
mod amino_plan;
pub mod amino;
pub mod tx;

use crate::error::{AppError, Result};
use prost::{Message, Name};

/// A message's response, as handlers give it: its type URL and bytes.
pub fn response<M: Message + Name>(message: &M) -> (String, Vec<u8>) {
    (type_url::<M>(), message.encode_to_vec())
}

/// Decodes a message of a known type, and refuses unknown fields and other encodings of the same value (ADR-020,
/// ADR-027): the bytes must be what encoding the message gives.
///
/// # Errors
/// sdk/2.
pub fn strict<M: Message + Default>(what: &str, bytes: &[u8]) -> Result<M> {
    let message = M::decode(bytes).map_err(|e| AppError::tx_decode(format_args!("{what}: {e}")))?;
    if message.encode_to_vec() != bytes {
        return Err(AppError::tx_decode(format_args!(
            "{what}: expected the canonical encoding, got unknown fields or another encoding"
        )));
    }
    Ok(message)
}

/// Decodes the request of a query. Lenient, as gRPC is.
///
/// # Errors
/// sdk/18.
pub fn request<M: Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes).map_err(AppError::invalid_request)
}

/// A message's type URL.
pub fn type_url<M: Name>() -> String {
    format!("/{}", M::full_name())
}
