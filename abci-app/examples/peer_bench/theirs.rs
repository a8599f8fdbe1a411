//! The peer: wasmd in a process of its own, one block at a time. See `scripts/peer/README.md`.

use super::ours::Figures;
use anyhow::{Context, Result, ensure};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// The process.
pub struct Theirs {
    child: Child,
    steps: ChildStdin,
    figures: BufReader<ChildStdout>,
}

impl Theirs {
    /// Starts it over a workload; its state goes below `home`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(binary: &Path, workload: &Path, home: &Path) -> Result<Self> {
        let mut child = Command::new(binary)
            .arg("-step")
            .arg("-workload")
            .arg(workload)
            .arg("-home")
            .arg(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| binary.display().to_string())?;
        let steps = child.stdin.take().context("no standard input")?;
        let figures = child.stdout.take().context("no standard output")?;
        Ok(Self {
            child,
            steps,
            figures: BufReader::new(figures),
        })
    }

    /// Executes the next block.
    ///
    /// # Errors
    /// When a transaction fails, and the peer with it.
    pub fn run(&mut self) -> Result<Figures> {
        self.steps.write_all(b"\n")?;
        let mut line = String::new();
        self.figures.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the peer ended: see what it said above");
        let figures: Figures = serde_json::from_str(&line).with_context(|| line.clone())?;
        ensure!(figures.ok, "the peer left transactions out: {line}");
        Ok(figures)
    }

    /// Lets it end.
    ///
    /// # Errors
    /// When it fails.
    pub fn finish(self) -> Result<()> {
        let Self {
            mut child, steps, ..
        } = self;
        drop(steps);
        let status = child.wait()?;
        ensure!(status.success(), "the peer: {status}");
        Ok(())
    }
}
