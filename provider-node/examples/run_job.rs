//! Runs a job directory on a local device: `run_job JOBDIR OUTDIR [DEVICE]`. No chain, no session.

use anyhow::{Context, bail};
use ember_provider_node::compute::{Device, Hash, vulkan::VulkanDevice};
use ember_provider_node::job::{self, JobDir, OutputData, output};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (job, out, device) = match args.as_slice() {
        [job, out] => (job, out, 0),
        [job, out, device] => (job, out, device.parse().context("DEVICE is a number")?),
        _ => bail!("usage: run_job JOBDIR OUTDIR [DEVICE]"),
    };
    let (manifest, files) = JobDir::load(Path::new(job))?;
    for advice in job::check::advice(&manifest) {
        eprintln!("note: {advice}");
    }
    let mut bytes: BTreeMap<Hash, Arc<[u8]>> = BTreeMap::new();
    for (hash, file) in files {
        bytes.insert(hash, std::fs::read(file)?.into());
    }
    let mut gpu = VulkanDevice::open(device)?;
    eprintln!("device: {} ({})", gpu.info().model, gpu.info().driver);
    let compiled = job::compile(&manifest, gpu.info(), &|h| bytes.get(h).cloned())?;
    println!("manifest {}", manifest.hash());
    for (module, hash) in manifest.modules.iter().zip(&compiled.kernels) {
        println!("kernel   {hash}  {}", module.name);
    }
    let report = gpu.run(&compiled.plan, &mut |p| {
        eprintln!("{}/{} {}", p.step, p.steps, p.label)
    })?;
    std::fs::create_dir_all(out)?;
    for (output, raw) in manifest.outputs.iter().zip(&report.outputs) {
        let data = OutputData::new(output, output::encode(output, raw)?);
        std::fs::write(Path::new(out).join(&data.file), &data.bytes)?;
        println!(
            "output   {}  {} ({} bytes)",
            data.hash,
            data.file,
            data.bytes.len()
        );
    }
    let usage = report.usage;
    println!(
        "usage    {} dispatches, {} invocations, {} ns on the device",
        usage.dispatches, usage.invocations, usage.gpu_ns
    );
    Ok(())
}
