//! Jobs: the manifest and its canonical form, the author's directory, the checks, and the plan for a device.

pub mod manifest;
pub mod limits;
pub mod check;
pub mod dir;
pub mod compile;
pub mod output;

pub use crate::compute::Hash;
pub use crate::kernel::{Exactness, Language};
pub use compile::{Compiled, compile};
pub use dir::JobDir;
pub use manifest::Manifest;
pub use output::OutputData;

/// Why a job is refused. The text begins with the node of the manifest that is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("{node}: {reason}")]
pub struct JobError {
    /// Path of the node, for example `graph[2].dispatch.bindings[1]`.
    pub node: String,
    /// What is wrong with it, with what was expected.
    pub reason: String,
}

impl JobError {
    /// An error at `node`.
    pub fn at(node: impl Into<String>, reason: impl ToString) -> Self {
        Self {
            node: node.into(),
            reason: reason.to_string(),
        }
    }
}
