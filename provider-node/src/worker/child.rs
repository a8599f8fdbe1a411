//! The child's side: one device, jobs one after another, nothing else.

use super::wire::{self, Announce, Done, Ready, Start, to_child, to_parent};
use super::{Failure, sandbox};
use crate::compute::{Device, Hash, vulkan::VulkanDevice};
use crate::job::{self, JobError, Manifest, output};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::Arc;

/// Stack of the thread that parses and runs: naga recurses along nested source.
const STACK: usize = 64 << 20;

/// Runs the worker until its stdin ends; the exit status for the process. For the hidden subcommand only.
pub fn child_main() -> i32 {
    let outcome = (|| {
        // Drivers print to stdout as they please: the frames get a descriptor of their own.
        let frames = File::from(rustix::io::dup(rustix::stdio::stdout())?);
        rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
        let mut to = BufWriter::new(frames);
        let mut from = BufReader::new(io::stdin());
        let Some(first) = wire::receive(&mut from)? else {
            return Ok(());
        };
        if first.tag != to_child::START {
            return Err(wire::bad(format!(
                "expected the start frame, got {}",
                first.tag
            )));
        }
        let start: Start = first.json()?;
        let sandbox = sandbox::before_driver(&start.scratch, &start.readable)?;
        let thread = std::thread::Builder::new()
            .name("device".into())
            .stack_size(STACK)
            .spawn(move || serve(start.device, sandbox, &mut from, &mut to))?;
        thread
            .join()
            .map_err(|_| io::Error::other("the device thread panicked"))?
    })();
    match outcome {
        Ok(()) => 0,
        Err(e) => {
            eprintln!("worker: {e}");
            1
        }
    }
}

fn serve(
    index: u32,
    mut sandbox: Vec<String>,
    from: &mut impl Read,
    to: &mut impl Write,
) -> io::Result<()> {
    let mut gpu = match VulkanDevice::open(index) {
        Ok(gpu) => gpu,
        Err(e) => return wire::send_json(to, to_parent::FAILED, &Failure::from(e)),
    };
    sandbox::after_driver(gpu.info().software, &mut sandbox)?;
    let ready = Ready {
        device: gpu.info().clone(),
        sandbox,
    };
    wire::send_json(to, to_parent::READY, &ready)?;
    while let Some(frame) = wire::receive(from)? {
        if frame.tag != to_child::JOB {
            return Err(wire::bad(format!(
                "expected a job, got frame {}",
                frame.tag
            )));
        }
        let Some((wall, manifest)) = frame.payload.split_first_chunk::<8>() else {
            return Err(wire::bad("a job without a wall limit".into()));
        };
        let bytes = receive_blobs(from)?;
        match run(&mut gpu, u64::from_le_bytes(*wall), manifest, &bytes, to) {
            Ok(done) => wire::send_json(to, to_parent::DONE, &done)?,
            Err(Stop::Job(failure)) => {
                wire::send_json(to, to_parent::FAILED, &failure)?;
                if matches!(failure, Failure::DeviceLost(_) | Failure::TimedOut(_)) {
                    // Nothing of the driver can be trusted to end well: leave without its destructors.
                    std::process::exit(3);
                }
            }
            Err(Stop::Io(e)) => return Err(e),
        }
    }
    Ok(())
}

enum Stop {
    Job(Failure),
    Io(io::Error),
}

impl From<JobError> for Stop {
    fn from(e: JobError) -> Self {
        Self::Job(Failure::JobRefused(e))
    }
}

impl From<io::Error> for Stop {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

/// Reads blobs up to the run frame; each must have the hash it was announced with.
fn receive_blobs(from: &mut impl Read) -> io::Result<BTreeMap<Hash, Arc<[u8]>>> {
    let mut blobs = BTreeMap::new();
    let mut open: Option<(Announce, Vec<u8>)> = None;
    loop {
        if let Some((announce, bytes)) = &open
            && bytes.len() as u64 >= announce.size
        {
            if Hash::of(bytes) != announce.hash {
                return Err(wire::bad(format!("blob {} has other bytes", announce.hash)));
            }
            blobs.insert(announce.hash, bytes.as_slice().into());
            open = None;
        }
        let frame = wire::receive(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        match (frame.tag, &mut open) {
            (to_child::BLOB, None) => {
                let announce: Announce = frame.json()?;
                if announce.size > job::limits::MAX_BUFFER_BYTES {
                    return Err(wire::bad(format!("blob of {} bytes", announce.size)));
                }
                open = Some((announce, Vec::new()));
            }
            (to_child::CHUNK, Some((_, bytes))) => bytes.extend_from_slice(&frame.payload),
            (to_child::RUN, None) => return Ok(blobs),
            (tag, _) => return Err(wire::bad(format!("unexpected frame {tag} among blobs"))),
        }
    }
}

fn run(
    gpu: &mut VulkanDevice,
    wall_ms: u64,
    manifest: &[u8],
    bytes: &BTreeMap<Hash, Arc<[u8]>>,
    to: &mut impl Write,
) -> Result<Done, Stop> {
    let manifest = Manifest::from_canonical(manifest)?;
    let mut compiled = job::compile(&manifest, gpu.info(), &|h| bytes.get(h).cloned())?;
    compiled.plan.wall_ms = compiled.plan.wall_ms.min(wall_ms);
    let mut broken = None;
    let report = gpu.run(&compiled.plan, &mut |p| {
        if broken.is_none() {
            broken = wire::send_json(to, to_parent::PROGRESS, &p).err();
        }
    });
    if let Some(e) = broken {
        return Err(e.into());
    }
    let report = report.map_err(|e| Stop::Job(e.into()))?;
    for (index, (output, raw)) in manifest.outputs.iter().zip(&report.outputs).enumerate() {
        let encoded = output::encode(output, raw)?;
        for chunk in encoded.chunks(wire::CHUNK) {
            let mut payload = (index as u32).to_le_bytes().to_vec();
            payload.extend_from_slice(chunk);
            wire::send(to, to_parent::OUTPUT, &payload)?;
        }
    }
    Ok(Done {
        kernels: compiled.kernels,
        checkpoints: report.checkpoints,
        usage: report.usage,
    })
}
