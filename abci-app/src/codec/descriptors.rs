//! What the SDK's and wasmd's messages are, as their authors wrote them, options and all: `proto/descriptors.bin`.

use prost_reflect::{DescriptorPool, ExtensionDescriptor};
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
