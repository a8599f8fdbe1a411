//! Who somebody is: certificates, what the chain says of them, and the TLS that carries them.

pub mod cert;
pub mod rights;
pub mod tls;
