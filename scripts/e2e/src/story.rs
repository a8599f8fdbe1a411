//! The story that Ember exists for, told with real parts: a chain, a provider or two, a tenant, two orders, a job on each
//! lease, and the books at the end.
//!
//! Each lease runs to its end of term, so what is owed is `rate x seconds` exactly, whatever was killed on the way.

use crate::{
    books::{Books, Line, lease},
    chain::Engine,
    install::Install,
    opening::open,
    pricing::Pricing,
    process::wait_for,
    world::{Chapter, World},
};
use anyhow::{Context, Result, bail};
use ember_types::{lease::LeaseState, market::LeaseResponse};
use serde_json::Value;
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

/// A job that ran on a lease.
#[derive(Debug)]
pub struct Done {
    /// Which ready-made job.
    pub job: &'static str,
    /// What `lease run` reported.
    pub report: Value,
    /// Where its outputs lie.
    pub out: PathBuf,
}

/// How a run came out.
#[derive(Debug)]
pub struct Outcome {
    /// The books.
    pub books: Books,
    /// The jobs, one a lease, chapter by chapter.
    pub jobs: Vec<Done>,
    /// The world, still running.
    pub world: World,
}

/// Tells the story below `dir`. `say` hears each step; `disturb` is called once a chapter, while its jobs run.
///
/// # Errors
/// At the first step that fails, with what it said.
pub fn tell(
    install: &Install,
    engine: Engine,
    dir: &Path,
    chapters: &[Chapter],
    pricing: Pricing,
    say: &mut dyn FnMut(&str),
    disturb: &mut dyn FnMut(&mut World, &Chapter) -> Result<()>,
) -> Result<Outcome> {
    let (mut world, before) = World::begin(install, engine, dir, pricing, say)?;
    let (mut lines, mut jobs) = (Vec::new(), Vec::new());
    for chapter in chapters {
        let leases = open(&mut world, chapter, pricing, say)?;
        jobs.extend(run_jobs(
            &mut world,
            chapter,
            &leases,
            &dir.join("out"),
            disturb,
        )?);
        say(&match leases.len() {
            1 => format!("{} ran on the leased GPU; receipt verified", chapter.job),
            n => format!("{} ran on {n} leased GPUs; receipts verified", chapter.job),
        });
        let closed = leases
            .into_iter()
            .map(|id| end_of_term(&mut world, chapter, id))
            .collect::<Result<Vec<_>>>()?;
        for l in &closed {
            say(&format!(
                "lease {} reached its end of term and settled",
                l.id
            ));
        }
        let market = &world.accounts.market;
        lines.push(Line::read(&world.chain, market, chapter.job, &closed)?);
    }
    let books = Books::close(&world.chain, &world.accounts, before, lines, "uember")?;
    Ok(Outcome { books, jobs, world })
}

fn end_of_term(world: &mut World, chapter: &Chapter, id: u64) -> Result<LeaseResponse> {
    let limit = Duration::from_secs(chapter.seconds + 60);
    wait_for("the lease's end of term", limit, || {
        world.check()?;
        let l = lease(&world.chain, &world.accounts.market, id)?;
        Ok((l.state == LeaseState::Closed).then_some(l))
    })
}

/// The chapter's job, on each of its leases at once. Outputs go to `out/JOB`, of further leases to `out/JOB-2` and so on.
fn run_jobs(
    world: &mut World,
    chapter: &Chapter,
    leases: &[u64],
    out: &Path,
    disturb: &mut dyn FnMut(&mut World, &Chapter) -> Result<()>,
) -> Result<Vec<Done>> {
    let mut running = Vec::new();
    for (i, id) in leases.iter().enumerate() {
        let dir = out.join(match i {
            0 => chapter.job.to_owned(),
            i => format!("{}-{}", chapter.job, i + 1),
        });
        fs::create_dir_all(&dir)?;
        let (lease, out) = (id.to_string(), dir.to_str());
        let out = out.context("a path that is not UTF-8")?;
        let job = world
            .tenant
            .command(&["lease", "run", chapter.job, "--lease", &lease, "--out", out])
            .stdout(Stdio::piped())
            .stderr(Stdio::from(fs::File::create(dir.join("run.log"))?))
            .spawn()?;
        running.push((job, dir));
    }
    disturb(world, chapter)?;
    let limit = Duration::from_secs(chapter.seconds + 60);
    let done = |(mut job, out): (Child, PathBuf)| {
        let report = finish(&mut job, &out.join("run.log"), limit)?;
        Ok(Done {
            job: chapter.job,
            report,
            out,
        })
    };
    running.into_iter().map(done).collect()
}

fn finish(job: &mut Child, log: &Path, limit: Duration) -> Result<Value> {
    let status = wait_for("the job", limit, || Ok(job.try_wait()?)).inspect_err(|_| {
        job.kill().ok();
    })?;
    let mut text = String::new();
    job.stdout
        .take()
        .context("no standard output")?
        .read_to_string(&mut text)?;
    if !status.success() {
        bail!(
            "ember lease run ended ({status}): {}",
            fs::read_to_string(log)?.trim()
        );
    }
    serde_json::from_str(&text)
        .with_context(|| format!("expected JSON from lease run, got {text:?}"))
}
