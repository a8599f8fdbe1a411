//! Re-executes the `digits` job in plain Rust and compares it with what the leased GPU gave.

use crate::install::Install;
use anyhow::{Context, Result, ensure};
use std::{fmt, fs, path::Path};

#[allow(
    dead_code,
    missing_docs,
    reason = "the job's own file; not all of it is needed here"
)]
#[path = "../../../provider-node/jobs/digits/twin.rs"]
mod twin;

/// How many of the held-out images were classified right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    /// Right ones.
    pub right: u32,
    /// All of them.
    pub images: u32,
}

impl Digits {
    /// Compares every output in `out` with the twin's, byte by byte.
    ///
    /// # Errors
    /// Names the first output that differs.
    pub fn check(install: &Install, out: &Path) -> Result<Self> {
        let want =
            twin::run(&install.jobs.join("digits")).context("run the plain Rust implementation")?;
        for (name, bytes) in [
            ("predictions.bin", &want.predictions),
            ("logits.bin", &want.logits),
        ] {
            let got = fs::read(out.join(name))
                .with_context(|| format!("read {}", out.join(name).display()))?;
            ensure!(
                got == *bytes,
                "{name}: the GPU's output differs from the plain Rust implementation's"
            );
        }
        let images = u32::try_from(twin::IMAGES)?;
        let accuracy: serde_json::Value =
            serde_json::from_slice(&fs::read(out.join("accuracy.json"))?)?;
        let said = (
            accuracy["numerator"].as_u64(),
            accuracy["denominator"].as_u64(),
        );
        ensure!(
            said == (Some(want.right.into()), Some(images.into())),
            "accuracy: expected {}/{images}, got {accuracy}",
            want.right
        );
        Ok(Self {
            right: want.right,
            images,
        })
    }

    /// Share of right ones.
    pub fn ratio(self) -> f64 {
        f64::from(self.right) / f64::from(self.images)
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "accuracy {}/{} = {:.3}",
            self.right,
            self.images,
            self.ratio()
        )
    }
}
