//! Runs a ready-made job on the first Vulkan device of this machine.

use ember_provider_node::compute::vulkan::VulkanDevice;
use ember_provider_node::compute::{Device, DeviceError, Hash};
use ember_provider_node::job::{self, JobDir};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory of the job `name`.
pub fn dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("jobs")
        .join(name)
}

/// The raw bytes of every output by name, or nothing (and a line that says so) where there is no Vulkan.
pub fn run(name: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut device = match VulkanDevice::open(0) {
        Ok(device) => device,
        Err(e @ (DeviceError::NoVulkan(_) | DeviceError::NoSuchDevice { .. })) => {
            eprintln!("SKIP: job {name}: {e}");
            return None;
        }
        Err(e) => panic!("{e}"),
    };
    let (manifest, files) = JobDir::load(&dir(name)).expect("the job is valid");
    let bytes: BTreeMap<Hash, Arc<[u8]>> = files
        .into_iter()
        .map(|(hash, file)| (hash, std::fs::read(file).expect("a file of the job").into()))
        .collect();
    let compiled = job::compile(&manifest, device.info(), &|hash| bytes.get(hash).cloned())
        .expect("the kernels compile");
    let report = device
        .run(&compiled.plan, &mut |_| ())
        .expect("the job runs");
    let names = manifest.outputs.iter().map(|output| output.name.clone());
    Some(names.zip(report.outputs).collect())
}
