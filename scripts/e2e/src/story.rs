//! The story that Ember exists for, told with real parts: a chain, a provider, a tenant, two orders, two jobs, and
//! the books at the end.
//!
//! Each lease runs to its end of term, so what is owed is `rate x seconds` exactly, whatever was killed on the way.

use crate::{
    books::{Accounts, Books, Line, Snapshot, lease},
    chain::{Chain, Engine},
    install::Install,
    opening::{Pricing, open},
    party::Party,
    process::wait_for,
    world::{Chapter, World},
};
use anyhow::{Context, Result, bail};
use ember_types::lease::LeaseState;
use serde_json::Value;
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

/// How a run came out.
#[derive(Debug)]
pub struct Outcome {
    /// The books.
    pub books: Books,
    /// What `lease run` reported, a chapter each.
    pub reports: Vec<Value>,
    /// Where the outputs lie, a chapter each.
    pub outputs: Vec<PathBuf>,
    /// The world, still running.
    pub world: World,
}

/// Tells the story below `dir`. `say` hears each step; `disturb` is called once a chapter, while its job runs.
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
    let mut provider = Party::new(install, "provider", &dir.join("provider"))?;
    let mut tenant = Party::new(install, "tenant", &dir.join("tenant"))?;
    let mut chain = Chain::init(
        install,
        engine,
        &dir.join("chain"),
        &[
            format!("{}:1000000000uember", provider.address),
            format!("{}:1000000000uember,1000000000uusdc", tenant.address),
        ],
    )?;
    chain.start()?;
    say(&format!("chain ember-demo-1 is up at {}", chain.node()));
    provider.set_node(&chain);
    tenant.set_node(&chain);

    let listen_port = crate::chain::free_port()?;
    provider.publish_certificate()?;
    tenant.publish_certificate()?;
    let uri = format!("https://127.0.0.1:{listen_port}");
    provider.ember(&[
        "provider",
        "register",
        "--host-uri",
        &uri,
        "--bond",
        "100000000uember",
    ])?;
    let accounts = Accounts::read(&chain, &[("tenant", &tenant), ("provider", &provider)])?;
    let before = Snapshot::read(&chain, &accounts)?;
    let mut world = World {
        chain,
        provider,
        tenant,
        daemon: None,
        listen_port,
    };
    world.start_provider()?;
    say("provider is registered, bonded and bidding");

    let (mut lines, mut reports, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
    for chapter in chapters {
        let out_dir = dir.join("out").join(chapter.job);
        fs::create_dir_all(&out_dir)?;
        let (lease_id, report) = run_chapter(&mut world, chapter, pricing, &out_dir, say, disturb)?;
        let closed = wait_for(
            "the lease's end of term",
            Duration::from_secs(chapter.seconds + 60),
            || {
                world.check()?;
                let l = lease(&world.chain, &accounts.market, lease_id)?;
                Ok((l.state == LeaseState::Closed).then_some(l))
            },
        )?;
        say(&format!(
            "lease {lease_id} reached its end of term and settled"
        ));
        lines.push(Line::read(
            &world.chain,
            &accounts.market,
            chapter.job,
            &closed,
        )?);
        reports.push(report);
        outputs.push(out_dir);
    }
    let books = Books::close(&world.chain, &accounts, before, lines, "uember")?;
    Ok(Outcome {
        books,
        reports,
        outputs,
        world,
    })
}

fn run_chapter(
    world: &mut World,
    chapter: &Chapter,
    pricing: Pricing,
    out_dir: &Path,
    say: &mut dyn FnMut(&str),
    disturb: &mut dyn FnMut(&mut World, &Chapter) -> Result<()>,
) -> Result<(u64, Value)> {
    let lease_id = open(world, chapter, pricing, say)?;
    let lease_arg = lease_id.to_string();
    let out_arg = out_dir.to_str().context("a path that is not UTF-8")?;
    let mut job = world
        .tenant
        .command(&[
            "lease",
            "run",
            chapter.job,
            "--lease",
            &lease_arg,
            "--out",
            out_arg,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::from(fs::File::create(out_dir.join("run.log"))?))
        .spawn()?;
    disturb(world, chapter)?;
    let report = finish(
        &mut job,
        &out_dir.join("run.log"),
        Duration::from_secs(chapter.seconds + 60),
    )?;
    say(&format!(
        "{} ran on the leased GPU; receipt verified",
        chapter.job
    ));
    Ok((lease_id, report))
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
