//! Devices that run compute work: one trait, Vulkan behind it, and a null device for tests.
//!
//! A device knows nothing of tenants, manifests or shading languages. It runs a [`Plan`]: checked SPIR-V, buffers
//! and steps, all indices resolved. Whoever builds a plan vouches for it (see `kernel` and `job`).

pub mod hash;
pub mod info;
pub mod plan;
pub mod null;
pub mod vulkan;

pub use hash::Hash;
pub use info::{DeviceInfo, FloatControls, Limits};
pub use plan::{Init, Plan, PlanBuffer, Program, ProgramBinding, Report, Step, Usage};

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Progress {
    /// Steps done, iterations of a repeat counted one by one.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// What was done last, for a person.
    pub label: String,
}

/// Why a device did not finish a plan.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No device of that number.
    #[error("no such device: wanted number {wanted}, there are {have}")]
    NoSuchDevice {
        /// The number asked for, from 0.
        wanted: u32,
        /// How many there are.
        have: u32,
    },
    /// No Vulkan loader or driver, or one that does not fit.
    #[error("no usable Vulkan: {0}; install a driver (for tests: mesa-vulkan-drivers)")]
    NoVulkan(String),
    /// An invocation used up its loop iterations: the result would be wrong, so there is none.
    #[error(
        "operation budget exceeded at or before step {step}: an invocation ran more than {budget} loop iterations; \
         split the kernel or raise limits.ops_per_invocation (lavapipe serves at most 60000)"
    )]
    BudgetExceeded {
        /// Iterations that each invocation had.
        budget: u32,
        /// Flat number of the last step before the check.
        step: u64,
    },
    /// The driver left a loop early (lavapipe does after 65,535 iterations of a lane group).
    #[error(
        "the driver cut a loop short at or before step {step}: it stops after 65535 loop iterations of one group of \
         lanes; split the kernel into shorter loops"
    )]
    LoopTruncated {
        /// Flat number of the last step before the check.
        step: u64,
    },
    /// The device is lost; the process that owns it must end.
    #[error("device lost: {0}")]
    Lost(String),
    /// A wait ran past its time.
    #[error("the device did not answer within {0} ms")]
    Timeout(u64),
    /// Out of memory, or an allocation the device cannot make.
    #[error("device memory: {0}")]
    OutOfMemory(String),
    /// Anything else that the driver or its wrapper refused.
    #[error("device: {0}")]
    Other(String),
}

/// A device that runs plans, one at a time, on the thread that owns it.
pub trait Device {
    /// What it is.
    fn info(&self) -> &DeviceInfo;

    /// Runs `plan` from zeroed memory and leaves zeroed memory behind.
    ///
    /// # Errors
    /// [`DeviceError`]; after [`DeviceError::Lost`] and [`DeviceError::Timeout`] the device must not be used again.
    fn run(
        &mut self,
        plan: &Plan,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, DeviceError>;
}
