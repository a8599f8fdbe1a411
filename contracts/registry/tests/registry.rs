//! Every message of the registry, on a mock chain.

#[path = "it/certificates.rs"]
mod certificates;
#[path = "it/bonds.rs"]
mod bonds;
#[path = "it/providers.rs"]
mod providers;
#[path = "it/upgrade.rs"]
mod upgrade;
