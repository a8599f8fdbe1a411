//! The ABCI socket server: CometBFT's four connections over unix or TCP sockets, served side by side.
//!
//! One thread a connection; requests of one connection are answered in order. `docs/adr-001-abci-server.md` says why
//! this is not `tendermint_abci::Server`.

pub mod addr;
pub mod frame;
pub mod dispatch;
mod connection;
mod listen;

pub use addr::Addr;
pub use listen::{Options, PANIC_EXIT_CODE, Server, Stopper};
