//! What the SDK's and wasmd's messages and services are, as their authors wrote them: `proto/descriptors.bin`.

use prost_reflect::{DescriptorPool, ExtensionDescriptor, MethodDescriptor};
use std::sync::OnceLock;

/// The file's bytes, a `FileDescriptorSet`; `proto/make` writes it.
pub const BYTES: &[u8] = include_bytes!("../../proto/descriptors.bin");

/// The pool over [`BYTES`].
pub fn pool() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    POOL.get_or_init(|| {
        DescriptorPool::decode(BYTES).expect("the committed file is a descriptor set")
    })
}

/// An option's descriptor, for example `gogoproto.casttype`.
pub fn extension(name: &str) -> ExtensionDescriptor {
    pool()
        .get_extension_by_name(name)
        .expect("the committed file has its options")
}

/// The services that this node answers. The pool knows more: those of modules that are not there.
pub const SERVICES: &[&str] = &[
    "cosmos.auth.v1beta1.Query",
    "cosmos.bank.v1beta1.Query",
    "cosmos.base.node.v1beta1.Service",
    "cosmos.base.tendermint.v1beta1.Service",
    "cosmos.consensus.v1.Query",
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
        assert!(
            method("/cosmos.staking.v1beta1.Query/Params").is_none(),
            "no staking yet"
        );
        assert!(method("/cosmos.bank.v1beta1.Query/Nothing").is_none());
    }
}
