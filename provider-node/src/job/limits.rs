//! The numbers of profile `portable-1` for jobs. They are part of the format: a job that passes here passes everywhere.

/// Longest name, in bytes.
pub const MAX_NAME: usize = 64;
/// Most modules.
pub const MAX_MODULES: usize = 64;
/// Most blobs.
pub const MAX_BLOBS: usize = 256;
/// Most buffers.
pub const MAX_BUFFERS: usize = 256;
/// Largest buffer, in bytes.
pub const MAX_BUFFER_BYTES: u64 = 128 << 20;
/// Largest uniform buffer, in bytes.
pub const MAX_UNIFORM_BYTES: u64 = 16 << 10;
/// Most memory of all buffers, in bytes.
pub const MAX_TOTAL_BYTES: u64 = 1 << 30;
/// Most steps in the graph as written, those inside repeats included.
pub const MAX_STEPS: usize = 4_096;
/// Most iterations of a repeat.
pub const MAX_REPEAT: u32 = 4_096;
/// Most steps as run, iterations counted one by one.
pub const MAX_RUN_STEPS: u64 = 1 << 20;
/// Most workgroups along one axis.
pub const MAX_GROUPS: u32 = 65_535;
/// Most invocations of one dispatch.
pub const MAX_INVOCATIONS: u64 = 1 << 28;
/// Most checkpoints.
pub const MAX_CHECKPOINTS: usize = 256;
/// Most outputs.
pub const MAX_OUTPUTS: usize = 64;
/// Most bytes of all output buffers.
pub const MAX_OUTPUT_BYTES: u64 = 256 << 20;
/// Longest wall time that may be asked for, in milliseconds: one day.
pub const MAX_WALL_MS: u64 = 86_400_000;
/// Most loop iterations that may be asked for.
pub const MAX_OPS: u32 = 1 << 30;
/// Most loop iterations of one invocation on a driver that leaves loops silently (lavapipe does after 65,535).
pub const LAVAPIPE_OPS: u32 = 60_000;
