//! Runs a job directory on a local device: `run_job JOBDIR OUTDIR [DEVICE]`. No chain, no session: the job goes
//! through the same sandboxed worker as a tenant's.

use anyhow::{Context, bail};
use ember_provider_node::job::{self, JobDir};
use ember_provider_node::worker::{self, Worker, WorkerConfig};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (job, out, device) = match args.as_slice() {
        [worker] if worker == worker::SUBCOMMAND => std::process::exit(worker::child_main()),
        [job, out] => (job, out, 0),
        [job, out, device] => (job, out, device.parse().context("DEVICE is a number")?),
        _ => bail!("usage: run_job JOBDIR OUTDIR [DEVICE]"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(Path::new(job), Path::new(out), device))
}

async fn run(job: &Path, out: &Path, device: u32) -> anyhow::Result<()> {
    let (manifest, files) = JobDir::load(job)?;
    for advice in job::check::advice(&manifest) {
        eprintln!("note: {advice}");
    }
    let files: BTreeMap<_, _> = files.into_iter().collect();
    let scratch = std::env::temp_dir().join(format!("ember-run-job-{}", std::process::id()));
    let config = WorkerConfig {
        exe: std::env::current_exe()?,
        device,
        scratch: scratch.clone(),
        wall_cap: Duration::from_secs(3_600),
    };
    let mut worker = Worker::spawn(config).await?;
    let info = worker.device();
    eprintln!(
        "device: {} ({}); sandbox: {}",
        info.model,
        info.driver,
        worker.sandbox().join(", ")
    );
    println!("manifest {}", manifest.hash());
    let (progress, mut seen) = mpsc::channel::<worker::Progress>(64);
    let printer = tokio::spawn(async move {
        while let Some(p) = seen.recv().await {
            eprintln!("{}/{} {}", p.step, p.steps, p.label);
        }
    });
    let outcome = worker
        .run(&manifest, &|h| files.get(h).cloned(), progress)
        .await;
    printer.await?;
    worker.shutdown().await;
    let _ = std::fs::remove_dir_all(scratch);
    let outcome = outcome?;
    for (module, hash) in manifest.modules.iter().zip(&outcome.kernels) {
        println!("kernel   {hash}  {}", module.name);
    }
    for checkpoint in &outcome.checkpoints {
        println!(
            "check    {}  after step {}",
            checkpoint.chain, checkpoint.after
        );
    }
    std::fs::create_dir_all(out)?;
    for data in &outcome.outputs {
        std::fs::write(out.join(&data.file), &data.bytes)?;
        println!(
            "output   {}  {} ({} bytes)",
            data.hash,
            data.file,
            data.bytes.len()
        );
    }
    let usage = outcome.usage;
    println!(
        "usage    {} dispatches, {} invocations, {} ns on the device",
        usage.dispatches, usage.invocations, usage.gpu_ns
    );
    Ok(())
}
