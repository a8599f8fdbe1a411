//! `emberd`: the ABCI application of an Ember chain, its embedded engine and its command line.
//!
//! Modules stand in dependency order; a file uses only modules above its own.

pub mod error;
pub mod gas;
pub mod store;
pub mod ctx;
pub mod codec;
pub mod modules;
pub mod tx;
pub mod app;
pub mod metrics;
pub mod net;
pub mod server;
pub mod engine;
pub mod rpc;
pub mod api;
pub mod config;
pub mod cli;
