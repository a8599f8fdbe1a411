//! The story that Ember exists for, told with real parts: a chain, a provider, a tenant, two orders, two jobs, and
//! the books at the end.
//!
//! Each lease runs to its end of term, so what is owed is `rate x seconds` exactly, whatever was killed on the way.

use crate::{
    books::{Accounts, Books, Line, Snapshot, lease, number},
    chain::{Chain, Engine},
    install::Install,
    party::Party,
    process::{Daemon, wait_for},
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

/// One order of the story.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// The ready-made job.
    pub job: &'static str,
    /// What the order is priced in.
    pub denom: &'static str,
    /// The ceiling, in coins an hour.
    pub max_price: &'static str,
    /// The escrow, a coin.
    pub deposit: &'static str,
    /// The term in seconds.
    pub seconds: u64,
}

/// What `./scripts/demo` tells.
pub const CHAPTERS: [Chapter; 2] = [
    Chapter {
        job: "digits",
        denom: "uusdc",
        max_price: "2.5",
        deposit: "2000000uusdc",
        seconds: 10,
    },
    Chapter {
        job: "render",
        denom: "uember",
        max_price: "40",
        deposit: "2000000uember",
        seconds: 25,
    },
];

/// What the chapters are told with, for whoever disturbs them.
#[derive(Debug)]
pub struct World {
    /// The chain.
    pub chain: Chain,
    /// The provider.
    pub provider: Party,
    /// The tenant.
    pub tenant: Party,
    /// `ember provider run`.
    pub daemon: Option<Daemon>,
    listen_port: u16,
}

impl World {
    /// Starts the provider's daemon, or starts it again.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_provider(&mut self) -> Result<()> {
        let listen = format!("127.0.0.1:{}", self.listen_port);
        self.daemon = Some(
            self.provider
                .daemon(&["provider", "run", "--listen", &listen])?,
        );
        Ok(())
    }

    /// SIGKILL to the provider's daemon.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill_provider(&mut self) -> Result<()> {
        if let Some(mut d) = self.daemon.take() {
            d.kill()?;
        }
        Ok(())
    }
}

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
        let (lease_id, report) = run_chapter(&mut world, chapter, &out_dir, say, disturb)?;
        let closed = wait_for(
            "the lease's end of term",
            Duration::from_secs(chapter.seconds + 60),
            || {
                check_daemons(&mut world)?;
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

fn check_daemons(world: &mut World) -> Result<()> {
    for d in [
        &mut world.chain.app,
        &mut world.chain.comet,
        &mut world.daemon,
    ]
    .into_iter()
    .flatten()
    {
        d.check()?;
    }
    Ok(())
}

fn run_chapter(
    world: &mut World,
    chapter: &Chapter,
    out_dir: &Path,
    say: &mut dyn FnMut(&str),
    disturb: &mut dyn FnMut(&mut World, &Chapter) -> Result<()>,
) -> Result<(u64, Value)> {
    let duration = format!("{}s", chapter.seconds);
    let order = world.tenant.ember(&[
        "order",
        "create",
        "--units",
        "1",
        "--mode",
        "reverse_auction",
        "--closes-in",
        "60s",
        "--denom",
        chapter.denom,
        "--max-price",
        chapter.max_price,
        "--deposit",
        chapter.deposit,
        "--duration",
        &duration,
    ])?;
    let order_id = number(&order["order_id"])?.to_string();
    say(&format!(
        "order {order_id}: one GPU for {duration} at no more than {} {} an hour",
        chapter.max_price, chapter.denom
    ));

    let bid = wait_for("a bid", Duration::from_secs(30), || {
        check_daemons(world)?;
        let bids = world.tenant.ember(&["order", "bids", &order_id])?;
        Ok(bids["bids"]
            .as_array()
            .and_then(|b| b.iter().find(|b| b["state"] == "open"))
            .cloned())
    })?;
    let bid_id = number(&bid["id"])?.to_string();
    let accepted = world.tenant.ember(&["order", "accept", &bid_id])?;
    let lease_id = number(&accepted["lease_id"])?;
    say(&format!(
        "bid {bid_id} at rate {} accepted: lease {lease_id} is open",
        bid["rate"]
    ));

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
