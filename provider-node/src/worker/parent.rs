//! The parent's side: what a session holds.

use super::wire::{self, Announce, Done, FromChild, Ready, Start, to_child, to_parent};
use super::{Failure, WorkerError, spawn};
use crate::compute::{DeviceInfo, Hash, Progress, Usage};
use crate::job::{JobError, Manifest, OutputData, check};
use crate::receipt::CheckpointRoot;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long a child may take to load its driver.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long the child has, past the wall limit, to say itself that it timed out.
const GRACE: Duration = Duration::from_secs(2);
/// Lines of stderr kept for a crash report.
const STDERR_LINES: usize = 12;

/// Where a blob or module source lies, by hash. The worker checks what it reads.
pub type Blobs<'a> = &'a (dyn Fn(&Hash) -> Option<PathBuf> + Send + Sync);

/// How to start a worker.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// The binary; it must call [`child_main`](super::child_main) for the argument `worker`.
    pub exe: PathBuf,
    /// Device number, as `compute::vulkan::enumerate` counts.
    pub device: u32,
    /// A directory of its own, made if absent; the only place the child may write.
    pub scratch: PathBuf,
    /// Longest that any job may run, whatever its manifest says.
    pub wall_cap: Duration,
}

/// What a finished job leaves.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Outputs, in the manifest's order.
    pub outputs: Vec<OutputData>,
    /// Checkpoints, in the manifest's order.
    pub checkpoints: Vec<CheckpointRoot>,
    /// Canonical SPIR-V hash of each module.
    pub kernels: Vec<Hash>,
    /// What it ran on.
    pub device: DeviceInfo,
    /// What it used.
    pub usage: Usage,
}

/// A live child process with its device. Dropping it kills the child.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    pid: u32,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    device: DeviceInfo,
    sandbox: Vec<String>,
    wall_cap: Duration,
    stderr: Arc<Mutex<VecDeque<String>>>,
    /// Whether the next frame to be sent may be a job: false while one runs, and for ever after a run was dropped.
    idle: bool,
}

impl Worker {
    /// Starts a child and waits until its device is open and its rights are gone.
    ///
    /// # Errors
    /// [`WorkerError::NoSuchDevice`], [`WorkerError::NoVulkan`], [`WorkerError::Crashed`], [`WorkerError::Io`] and
    /// [`WorkerError::TimedOut`] when the driver does not load within a minute.
    pub async fn spawn(config: WorkerConfig) -> Result<Self, WorkerError> {
        let io = |e: io::Error| WorkerError::Io(e.to_string());
        tokio::fs::create_dir_all(&config.scratch)
            .await
            .map_err(io)?;
        let scratch = tokio::fs::canonicalize(&config.scratch).await.map_err(io)?;
        let exe = config.exe.display();
        let mut child = spawn::spawn(&config.exe, &scratch)
            .await
            .map_err(|e| WorkerError::Io(format!("{exe}: {e}")))?;
        let pid = child.id().ok_or(WorkerError::Gone)?;
        let (Some(mut to), Some(from), Some(err)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(WorkerError::Io("a standard stream is missing".into()));
        };
        let stderr = collect(pid, err);
        let mut from = BufReader::new(from);
        let start = Start {
            device: config.device,
            scratch,
            readable: driver_paths(),
        };
        let hello = async {
            wire::send_json_async(&mut to, to_child::START, &start).await?;
            wire::receive_async(&mut from).await
        };
        let first = match timeout(START_LIMIT, hello).await {
            Ok(Ok(Some(first))) => first,
            Ok(Ok(None) | Err(_)) => return Err(crashed(&mut child, &stderr).await),
            Err(_) => return Err(WorkerError::TimedOut(START_LIMIT)),
        };
        let protocol = |e: io::Error| WorkerError::Protocol(e.to_string());
        let ready: Ready = match first.tag {
            to_parent::READY => first.json().map_err(protocol)?,
            to_parent::FAILED => return Err(first.json::<Failure>().map_err(protocol)?.into()),
            other => {
                return Err(WorkerError::Protocol(format!(
                    "expected ready, got frame {other}"
                )));
            }
        };
        tracing::debug!(
            pid,
            device = ready.device.model,
            sandbox = ready.sandbox.join(", "),
            "worker started"
        );
        if let Some(missing) = ready.sandbox.iter().find(|s| s.starts_with("no landlock")) {
            static ONCE: std::sync::Once = std::sync::Once::new();
            ONCE.call_once(|| {
                tracing::warn!(
                    "worker sandbox: {missing}; the rest is on: {}",
                    ready.sandbox.join(", ")
                )
            });
        }
        let Ready { device, sandbox } = ready;
        Ok(Self {
            child,
            pid,
            to,
            from,
            device,
            sandbox,
            wall_cap: config.wall_cap,
            stderr,
            idle: true,
        })
    }

    /// Process id of the child.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Its device.
    pub fn device(&self) -> &DeviceInfo {
        &self.device
    }

    /// What the child gave up, in words.
    pub fn sandbox(&self) -> &[String] {
        &self.sandbox
    }

    /// Runs one job. Progress is dropped when `progress` is full or closed. Dropping the future kills nothing at once,
    /// but the worker is [`WorkerError::Gone`] from then on.
    ///
    /// # Errors
    /// Any [`WorkerError`]; [`WorkerError::worker_lives`] says whether another job may follow.
    pub async fn run(
        &mut self,
        manifest: &Manifest,
        blobs: Blobs<'_>,
        progress: mpsc::Sender<Progress>,
    ) -> Result<Outcome, WorkerError> {
        if !self.idle {
            let _ = self.child.start_kill();
            return Err(WorkerError::Gone);
        }
        check::check(manifest).map_err(WorkerError::JobRefused)?;
        let files = files(manifest, blobs)?;
        let wall = Duration::from_millis(manifest.limits.wall_ms).min(self.wall_cap);
        self.idle = false;
        let outcome = self.converse(manifest, files, wall, progress).await;
        match &outcome {
            Ok(_) => self.idle = true,
            Err(e) if e.worker_lives() => self.idle = true,
            Err(_) => {
                let _ = self.child.start_kill();
                let _ = self.child.wait().await;
            }
        }
        outcome
    }

    /// Ends the child: it leaves by itself when its input ends, and is killed if it does not.
    pub async fn shutdown(self) {
        let Self { mut child, to, .. } = self;
        drop(to);
        if timeout(GRACE, child.wait()).await.is_err() {
            let _ = child.start_kill();
            let _ = child.wait().await;
        }
    }

    async fn converse(
        &mut self,
        manifest: &Manifest,
        files: Vec<(Announce, PathBuf)>,
        wall: Duration,
        progress: mpsc::Sender<Progress>,
    ) -> Result<Outcome, WorkerError> {
        // A child that stops reading must not hold the session.
        match timeout(
            self.wall_cap.max(START_LIMIT),
            self.upload(manifest, files, wall),
        )
        .await
        {
            Ok(Ok(())) => {}
            Ok(Err(Upload::File(e))) => {
                let _ = self.child.start_kill();
                return Err(WorkerError::Io(e));
            }
            Ok(Err(Upload::Pipe)) => return Err(crashed(&mut self.child, &self.stderr).await),
            Err(_) => return Err(WorkerError::TimedOut(self.wall_cap)),
        }
        match timeout(wall + GRACE, self.answers(manifest, &progress)).await {
            Ok(Ok(Some((done, outputs)))) => self.outcome(manifest, done, outputs),
            Ok(Ok(None)) => Err(crashed(&mut self.child, &self.stderr).await),
            Ok(Err(e)) => Err(e),
            Err(_) => Err(WorkerError::TimedOut(wall)),
        }
    }

    async fn upload(
        &mut self,
        manifest: &Manifest,
        files: Vec<(Announce, PathBuf)>,
        wall: Duration,
    ) -> Result<(), Upload> {
        let pipe = |_| Upload::Pipe;
        let mut job = (wall.as_millis() as u64).to_le_bytes().to_vec();
        job.extend(manifest.to_canonical());
        wire::send_async(&mut self.to, to_child::JOB, &job)
            .await
            .map_err(pipe)?;
        let mut chunk = vec![0; wire::CHUNK];
        for (announce, path) in files {
            let failed = |e: io::Error| {
                Upload::File(format!("blob {} at {}: {e}", announce.hash, path.display()))
            };
            wire::send_json_async(&mut self.to, to_child::BLOB, &announce)
                .await
                .map_err(pipe)?;
            let mut file = File::open(&path).await.map_err(failed)?;
            let mut left = announce.size;
            while left > 0 {
                let want = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                file.read_exact(&mut chunk[..want]).await.map_err(failed)?;
                wire::send_async(&mut self.to, to_child::CHUNK, &chunk[..want])
                    .await
                    .map_err(pipe)?;
                left -= want as u64;
            }
        }
        wire::send_async(&mut self.to, to_child::RUN, &[])
            .await
            .map_err(pipe)
    }

    /// Reads until the job is over; `None` when the child ended first.
    async fn answers(
        &mut self,
        manifest: &Manifest,
        progress: &mpsc::Sender<Progress>,
    ) -> Result<Option<(Done, Vec<Vec<u8>>)>, WorkerError> {
        let mut outputs = vec![Vec::new(); manifest.outputs.len()];
        let caps: Vec<u64> = manifest
            .outputs
            .iter()
            .map(|o| {
                manifest
                    .buffers
                    .iter()
                    .find(|b| b.name == o.buffer)
                    .map_or(0, |b| 3 * b.size + 4_096)
            })
            .collect();
        loop {
            let frame = match wire::receive_async(&mut self.from).await {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(None),
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(e) => return Err(WorkerError::Protocol(e.to_string())),
            };
            match FromChild::parse(frame).map_err(|e| WorkerError::Protocol(e.to_string()))? {
                FromChild::Progress(p) => {
                    let _ = progress.try_send(p);
                }
                FromChild::Output { index, bytes } => {
                    match (outputs.get_mut(index), caps.get(index)) {
                        (Some(output), Some(cap))
                            if (output.len() + bytes.len()) as u64 <= *cap =>
                        {
                            output.extend(bytes)
                        }
                        _ => {
                            return Err(WorkerError::Protocol(format!(
                                "output {index} is too long or unknown"
                            )));
                        }
                    }
                }
                FromChild::Done(done) => return Ok(Some((done, outputs))),
                FromChild::Failed(failure) => return Err(failure.into()),
            }
        }
    }

    /// Holds what came against the manifest: a child that a tenant has taken over can only spoil this tenant's job.
    fn outcome(
        &self,
        manifest: &Manifest,
        done: Done,
        outputs: Vec<Vec<u8>>,
    ) -> Result<Outcome, WorkerError> {
        let wrong = |what: &str| WorkerError::Protocol(format!("{what} do not fit the manifest"));
        if done.kernels.len() != manifest.modules.len() {
            return Err(wrong("kernels"));
        }
        if done.checkpoints.len() != manifest.checkpoints.len() {
            return Err(wrong("checkpoints"));
        }
        let mut checkpoints: Vec<CheckpointRoot> = Vec::new();
        for (declared, hashes) in manifest.checkpoints.iter().zip(done.checkpoints) {
            if declared.buffers.len() != hashes.len() {
                return Err(wrong("checkpoints"));
            }
            let buffers = declared.buffers.iter().cloned().zip(hashes).collect();
            let last = checkpoints.last().map(|c| c.chain);
            checkpoints.push(CheckpointRoot::after(last, declared.after, buffers));
        }
        let outputs = manifest
            .outputs
            .iter()
            .zip(outputs)
            .map(|(o, bytes)| OutputData::new(o, bytes))
            .collect();
        Ok(Outcome {
            outputs,
            checkpoints,
            kernels: done.kernels,
            device: self.device.clone(),
            usage: done.usage,
        })
    }
}

enum Upload {
    /// The child went away.
    Pipe,
    /// A blob cannot be read.
    File(String),
}

/// Every hash that a manifest names, once, and where it lies.
fn files(manifest: &Manifest, blobs: Blobs<'_>) -> Result<Vec<(Announce, PathBuf)>, WorkerError> {
    let modules = manifest
        .modules
        .iter()
        .enumerate()
        .map(|(i, m)| (format!("modules[{i}]"), m.source, m.size));
    let data = manifest
        .blobs
        .iter()
        .enumerate()
        .map(|(i, b)| (format!("blobs[{i}]"), b.hash, b.size));
    let mut files: Vec<(Announce, PathBuf)> = Vec::new();
    for (node, hash, size) in modules.chain(data) {
        let refuse = |reason: String| WorkerError::JobRefused(JobError::at(node.as_str(), reason));
        let path = blobs(&hash).ok_or_else(|| refuse(format!("blob {hash} was not uploaded")))?;
        let have = std::fs::metadata(&path)
            .map_err(|e| WorkerError::Io(format!("{}: {e}", path.display())))?
            .len();
        if have != size {
            return Err(refuse(format!(
                "expected {size} bytes, blob {hash} has {have}"
            )));
        }
        if files.iter().all(|(a, _)| a.hash != hash) {
            files.push((Announce { hash, size }, path));
        }
    }
    Ok(files)
}

/// Folders that the driver variables of the environment point to.
fn driver_paths() -> Vec<PathBuf> {
    [
        "VK_ICD_FILENAMES",
        "VK_DRIVER_FILES",
        "VK_ADD_DRIVER_FILES",
        "LD_LIBRARY_PATH",
    ]
    .into_iter()
    .filter_map(std::env::var_os)
    .flat_map(|v| std::env::split_paths(&v).collect::<Vec<_>>())
    .filter_map(|p| {
        if p.is_dir() {
            Some(p)
        } else {
            p.parent().map(PathBuf::from)
        }
    })
    .filter(|p| p.is_absolute() && p.parent().is_some())
    .collect()
}

/// Logs the child's stderr and keeps its end.
fn collect(pid: u32, stderr: ChildStderr) -> Arc<Mutex<VecDeque<String>>> {
    let kept = Arc::new(Mutex::new(VecDeque::new()));
    let keep = kept.clone();
    tokio::spawn(async move {
        // Lines of a hostile length are cut by the reader's limit.
        let mut lines = BufReader::new(stderr).take(4 << 20).lines();
        while let Ok(Some(mut line)) = lines.next_line().await {
            line.truncate(line.floor_char_boundary(400));
            tracing::debug!(pid, "worker: {line}");
            let mut kept = keep.lock();
            if kept.len() == STDERR_LINES {
                kept.pop_front();
            }
            kept.push_back(line);
        }
    });
    kept
}

/// The end of a child that closed its streams.
async fn crashed(child: &mut Child, stderr: &Mutex<VecDeque<String>>) -> WorkerError {
    use std::os::unix::process::ExitStatusExt;
    let status = match timeout(GRACE, child.wait()).await {
        Ok(Ok(status)) => Some(status),
        _ => {
            let _ = child.start_kill();
            child.wait().await.ok()
        }
    };
    // Let the reader of stderr take what is left in the pipe.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let lines: Vec<String> = stderr.lock().iter().cloned().collect();
    WorkerError::Crashed {
        signal: status.and_then(|s| s.signal()),
        code: status.and_then(|s| s.code()),
        stderr: lines.join(" | "),
    }
}
