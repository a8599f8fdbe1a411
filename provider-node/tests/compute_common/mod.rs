//! Small jobs for the tests of compute, kernel, job and worker.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "tests")]

use ember_provider_node::compute::vulkan::{VulkanDevice, enumerate};
use ember_provider_node::compute::{Device, DeviceError, Hash, Report};
use ember_provider_node::job::manifest::*;
use ember_provider_node::job::{self, Exactness, JobError, Language};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The first Vulkan device; says so and gives `None` when there is none.
pub fn gpu() -> Option<VulkanDevice> {
    match VulkanDevice::open(0) {
        Ok(gpu) => Some(gpu),
        Err(e) => {
            eprintln!("SKIP: {e}");
            None
        }
    }
}

/// Whether there is a Vulkan device; says so when not.
pub fn has_gpu() -> bool {
    let found = enumerate().is_ok_and(|d| !d.is_empty());
    if !found {
        eprintln!("SKIP: no Vulkan device");
    }
    found
}

/// A job of one kernel with an input `x` at binding 0 and an output `y` at binding 1.
pub struct Small {
    pub manifest: Manifest,
    pub bytes: BTreeMap<Hash, Arc<[u8]>>,
}

pub fn small(wgsl: &str, class: Exactness, x: &[u8], y_bytes: u64, groups: u32) -> Small {
    let source = Module {
        name: "k".into(),
        language: Language::Wgsl,
        source: Hash::of(wgsl.as_bytes()),
        size: wgsl.len() as u64,
        entry: "main".into(),
    };
    let blob = Blob {
        name: "x".into(),
        hash: Hash::of(x),
        size: x.len() as u64,
    };
    let binding = |binding, buffer: &str, access| Binding {
        binding,
        buffer: buffer.into(),
        access,
    };
    let manifest = Manifest {
        version: VERSION,
        name: "small".into(),
        profile: Profile::Portable1,
        exactness: class,
        modules: vec![source],
        blobs: vec![blob],
        buffers: vec![
            Buffer {
                name: "x".into(),
                size: x.len() as u64,
                init: Init::Blob("x".into()),
            },
            Buffer {
                name: "y".into(),
                size: y_bytes,
                init: Init::Zero,
            },
        ],
        graph: vec![Step::Dispatch(Dispatch {
            module: "k".into(),
            groups: [groups, 1, 1],
            bindings: vec![
                binding(0, "x", Access::Read),
                binding(1, "y", Access::ReadWrite),
            ],
        })],
        checkpoints: vec![],
        outputs: vec![Output {
            name: "y".into(),
            buffer: "y".into(),
            format: Format::Raw,
        }],
        limits: Limits {
            wall_ms: 60_000,
            ops_per_invocation: 8_000,
        },
    };
    let bytes = [x, wgsl.as_bytes()].map(|b| (Hash::of(b), Arc::from(b)));
    Small {
        manifest,
        bytes: bytes.into(),
    }
}

/// Head of every small kernel: `x` in, `y` out, both of `T`.
pub fn head(of: &str) -> String {
    format!(
        "@group(0) @binding(0) var<storage, read> x: array<{of}>;\n\
         @group(0) @binding(1) var<storage, read_write> y: array<{of}>;\n"
    )
}

#[derive(Debug)]
pub enum Failed {
    Job(JobError),
    Device(DeviceError),
}

impl Small {
    pub fn run(&self, gpu: &mut VulkanDevice) -> Result<Report, Failed> {
        let compiled = job::compile(&self.manifest, gpu.info(), &|h| self.bytes.get(h).cloned())
            .map_err(Failed::Job)?;
        gpu.run(&compiled.plan, &mut |_| {}).map_err(Failed::Device)
    }

    /// The output `y` as words.
    pub fn words(&self, gpu: &mut VulkanDevice) -> Vec<u32> {
        words(&self.run(gpu).unwrap().outputs[0])
    }
}

pub fn words(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks_exact(4)
        .map(|c| u32::from_le_bytes(c.try_into().unwrap()))
        .collect()
}

pub fn bytes_of(words: impl IntoIterator<Item = u32>) -> Vec<u8> {
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}
