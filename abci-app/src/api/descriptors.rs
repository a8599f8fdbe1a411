//! The services that this node answers.

pub use crate::codec::descriptors::{BYTES, extension, pool};
use prost_reflect::MethodDescriptor;

/// The services that this node answers. The pool knows more: those of modules that are not there.
pub const SERVICES: &[&str] = &[
    "cosmos.auth.v1beta1.Query",
    "cosmos.authz.v1beta1.Query",
    "cosmos.bank.v1beta1.Query",
    "cosmos.base.node.v1beta1.Service",
    "cosmos.base.tendermint.v1beta1.Service",
    "cosmos.consensus.v1.Query",
    "cosmos.feegrant.v1beta1.Query",
    "cosmos.evidence.v1beta1.Query",
    "cosmos.gov.v1.Query",
    "cosmos.gov.v1beta1.Query",
    "cosmos.slashing.v1beta1.Query",
    "cosmos.staking.v1beta1.Query",
    "cosmos.upgrade.v1beta1.Query",
    "cosmos.distribution.v1beta1.Query",
    "cosmos.mint.v1beta1.Query",
    "cosmos.tx.v1beta1.Service",
    "cosmwasm.wasm.v1.Query",
];

/// A method of a service that is answered, by its gRPC path `/package.Service/Method`.
pub fn method(path: &str) -> Option<MethodDescriptor> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let service = SERVICES
        .contains(&service)
        .then(|| pool().get_service_by_name(service))??;
    service.methods().find(|m| m.name() == method)
}

/// The service of a gRPC path, when it is answered.
pub fn service(path: &str) -> Option<&'static str> {
    let (service, _) = path.strip_prefix('/')?.split_once('/')?;
    SERVICES.iter().copied().find(|s| *s == service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_is_described() {
        for name in SERVICES {
            let service = pool().get_service_by_name(name).unwrap();
            for m in service.methods() {
                assert!(method(&format!("/{name}/{}", m.name())).is_some());
            }
        }
        assert!(method("/cosmos.staking.v1beta1.Query/Params").is_some());
        assert!(method("/cosmos.bank.v1beta1.Query/Nothing").is_none());
    }
}
