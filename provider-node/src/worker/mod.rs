//! The sandboxed child process that holds a GPU for one lease.
//!
//! The parent spawns its own binary with the hidden subcommand `worker` ([`child_main`]) and speaks frames with it
//! over stdin and stdout. The child gives up its rights before it reads the first byte of a tenant. When it dies, one
//! job dies with it: spawn another.

mod wire;
mod sandbox;
mod child;
mod spawn;
mod parent;

pub use child::child_main;
pub use parent::{Blobs, Outcome, Worker, WorkerConfig};

pub use crate::compute::{DeviceInfo, Progress, Usage};
pub use crate::job::{JobError, OutputData};
pub use crate::receipt::CheckpointRoot;

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The hidden subcommand that the parent gives its own binary.
pub const SUBCOMMAND: &str = "worker";

/// Why a worker did not start or a job did not finish.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// The job itself is at fault; the text begins with the manifest's node. The worker lives on.
    #[error("job refused: {0}")]
    JobRefused(JobError),
    /// An invocation ran more loop iterations than it may. The worker lives on.
    #[error("{0}")]
    BudgetExceeded(String),
    /// The driver left a loop early. The worker lives on.
    #[error("{0}")]
    LoopTruncated(String),
    /// The job ran past its wall time; the worker was killed.
    #[error("timed out after {} ms; the worker was killed", .0.as_millis())]
    TimedOut(Duration),
    /// The worker died.
    #[error("the worker crashed ({}){}", cause(.signal, .code), tail(.stderr))]
    Crashed {
        /// Signal that ended it, if one did.
        signal: Option<i32>,
        /// Exit status, if it ended by itself.
        code: Option<i32>,
        /// The last lines it wrote to stderr.
        stderr: String,
    },
    /// The driver lost the device; the worker has ended.
    #[error("device lost: {0}")]
    DeviceLost(String),
    /// The device lacks memory for the job. The worker lives on.
    #[error("out of device memory: {0}")]
    OutOfMemory(String),
    /// No device of that number on this machine.
    #[error("no such device: wanted number {wanted}, there are {have}")]
    NoSuchDevice {
        /// Number asked for, from 0.
        wanted: u32,
        /// How many there are.
        have: u32,
    },
    /// No Vulkan loader or driver.
    #[error("{0}")]
    NoVulkan(String),
    /// The driver refused something that is not the job's fault as far as we know. The worker lives on.
    #[error("device: {0}")]
    Device(String),
    /// The worker answered something that is not in the protocol, or not what the manifest says; it was killed.
    #[error("worker protocol: {0}")]
    Protocol(String),
    /// The worker has ended before; spawn another.
    #[error("the worker has ended; spawn another")]
    Gone,
    /// The process could not be started or a file not be read.
    #[error("worker: {0}")]
    Io(String),
}

fn cause(signal: &Option<i32>, code: &Option<i32>) -> String {
    match (signal, code) {
        (Some(s), _) => format!("signal {s}"),
        (None, Some(c)) => format!("exit status {c}"),
        (None, None) => "no status".into(),
    }
}

fn tail(stderr: &str) -> String {
    if stderr.is_empty() {
        String::new()
    } else {
        format!(": {stderr}")
    }
}

impl WorkerError {
    /// Whether the worker can take another job after this.
    pub fn worker_lives(&self) -> bool {
        matches!(
            self,
            Self::JobRefused(_)
                | Self::BudgetExceeded(_)
                | Self::LoopTruncated(_)
                | Self::OutOfMemory(_)
                | Self::Device(_)
        )
    }
}

/// What the child sends instead of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Failure {
    JobRefused(JobError),
    BudgetExceeded(String),
    LoopTruncated(String),
    TimedOut(u64),
    DeviceLost(String),
    OutOfMemory(String),
    NoSuchDevice { wanted: u32, have: u32 },
    NoVulkan(String),
    Device(String),
}

impl From<crate::compute::DeviceError> for Failure {
    fn from(error: crate::compute::DeviceError) -> Self {
        use crate::compute::DeviceError as E;
        let text = error.to_string();
        match error {
            E::NoSuchDevice { wanted, have } => Self::NoSuchDevice { wanted, have },
            E::NoVulkan(_) => Self::NoVulkan(text),
            E::BudgetExceeded { .. } => Self::BudgetExceeded(text),
            E::LoopTruncated { .. } => Self::LoopTruncated(text),
            E::Lost(reason) => Self::DeviceLost(reason),
            E::Timeout(ms) => Self::TimedOut(ms),
            E::OutOfMemory(reason) => Self::OutOfMemory(reason),
            E::Other(reason) => Self::Device(reason),
        }
    }
}

impl From<Failure> for WorkerError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::JobRefused(e) => Self::JobRefused(e),
            Failure::BudgetExceeded(s) => Self::BudgetExceeded(s),
            Failure::LoopTruncated(s) => Self::LoopTruncated(s),
            Failure::TimedOut(ms) => Self::TimedOut(Duration::from_millis(ms)),
            Failure::DeviceLost(s) => Self::DeviceLost(s),
            Failure::OutOfMemory(s) => Self::OutOfMemory(s),
            Failure::NoSuchDevice { wanted, have } => Self::NoSuchDevice { wanted, have },
            Failure::NoVulkan(s) => Self::NoVulkan(s),
            Failure::Device(s) => Self::Device(s),
        }
    }
}
