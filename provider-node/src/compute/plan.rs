//! What a device runs: a job with every name resolved and every kernel compiled.

use super::hash::Hash;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A compiled kernel, ready for the driver.
#[derive(Debug, Clone)]
pub struct Program {
    /// The module's name, for messages.
    pub name: String,
    /// SPIR-V words, in the variant for this device.
    pub spirv: Vec<u32>,
    /// Entry point.
    pub entry: String,
    /// Invocations of a workgroup along each axis.
    pub workgroup: [u32; 3],
    /// Tenant bindings, all of descriptor set 0.
    pub bindings: Vec<ProgramBinding>,
    /// Binding of the hidden status buffer, descriptor set 0.
    pub status_binding: u32,
}

/// One binding of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgramBinding {
    /// Binding number.
    pub binding: u32,
    /// Uniform buffer rather than storage buffer.
    pub uniform: bool,
    /// Whether the kernel may write it.
    pub writable: bool,
    /// Least size of the bound buffer, in bytes.
    pub min_bytes: u64,
}

/// First contents of a buffer.
#[derive(Debug, Clone)]
pub enum Init {
    /// All zero.
    Zero,
    /// These bytes, the rest zero.
    Data(Arc<[u8]>),
}

/// A buffer of a plan.
#[derive(Debug, Clone)]
pub struct PlanBuffer {
    /// Name, for messages.
    pub name: String,
    /// Size in bytes, a multiple of 4.
    pub size: u64,
    /// First contents.
    pub init: Init,
}

/// One step. Offsets and sizes are bytes and multiples of 4.
#[derive(Debug, Clone)]
pub enum Step {
    /// Runs a kernel.
    Dispatch {
        /// Index into [`Plan::programs`].
        program: usize,
        /// Workgroups along each axis.
        groups: [u32; 3],
        /// (binding number, index into [`Plan::buffers`]).
        bindings: Vec<(u32, usize)>,
    },
    /// Copies between buffers.
    Copy {
        /// From.
        src: usize,
        /// From here on.
        src_offset: u64,
        /// To.
        dst: usize,
        /// To here on.
        dst_offset: u64,
        /// Bytes.
        size: u64,
    },
    /// Fills with a 32-bit value.
    Fill {
        /// Buffer.
        buffer: usize,
        /// From here on.
        offset: u64,
        /// Bytes.
        size: u64,
        /// The value.
        value: u32,
    },
    /// Runs `body` again and again.
    Repeat {
        /// How often.
        times: u32,
        /// Where the iteration index (u32, from 0) is written before each iteration.
        counter: Option<(usize, u64)>,
        /// Steps, none of them a repeat.
        body: Vec<Step>,
    },
}

impl Step {
    /// Steps it counts for in progress: iterations of a repeat one by one.
    pub fn weight(&self) -> u64 {
        match self {
            Self::Repeat { times, body, .. } => u64::from(*times) * body.len() as u64,
            _ => 1,
        }
    }
}

/// A job as a device runs it.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Kernels.
    pub programs: Vec<Program>,
    /// Buffers.
    pub buffers: Vec<PlanBuffer>,
    /// Steps, in order; each sees all writes of those before it.
    pub steps: Vec<Step>,
    /// (after this top-level step, indices of buffers to hash).
    pub checkpoints: Vec<(usize, Vec<usize>)>,
    /// Buffers to read back at the end.
    pub outputs: Vec<usize>,
    /// Loop iterations that one invocation of one dispatch may run.
    pub budget: u32,
    /// Milliseconds that the whole plan may take on the device.
    pub wall_ms: u64,
}

impl Plan {
    /// Steps in all, iterations of a repeat counted one by one.
    pub fn total_steps(&self) -> u64 {
        self.steps.iter().map(Step::weight).sum()
    }
}

/// What was used. Timestamps are the provider's own word; the counts follow from the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Dispatches run.
    pub dispatches: u64,
    /// Invocations run, over all dispatches.
    pub invocations: u64,
    /// Nanoseconds between the device's own timestamps, 0 where it has none.
    pub gpu_ns: u64,
}

/// What a finished plan leaves.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Contents of [`Plan::outputs`], in that order.
    pub outputs: Vec<Vec<u8>>,
    /// For each checkpoint the hash of each of its buffers.
    pub checkpoints: Vec<Vec<Hash>>,
    /// What was used.
    pub usage: Usage,
}
