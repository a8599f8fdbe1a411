//! Who takes part in the story, and what its chapters are.

use crate::{
    books::{Accounts, Snapshot},
    chain::{Chain, Engine, free_port},
    install::Install,
    party::Party,
    pricing::Pricing,
    process::Daemon,
};
use anyhow::{Context, Result};
use std::path::Path;

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

/// What `./scripts/demo` tells of one GPU.
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

/// What it tells of several: longer terms, for these GPUs are the same machine's.
pub fn chapters(pricing: Pricing) -> Vec<Chapter> {
    let longer = |c: &Chapter| Chapter {
        seconds: c.seconds * pricing.gpus(),
        ..c.clone()
    };
    CHAPTERS.iter().map(longer).collect()
}

/// A provider: its key and home, and its daemon while that runs.
#[derive(Debug)]
pub struct Provider {
    /// Its key and home.
    pub party: Party,
    /// `ember provider run`.
    pub daemon: Option<Daemon>,
    /// Where the daemon serves sessions.
    listen_port: u16,
}

impl Provider {
    /// Registered and bonded with `bond`, with `profile` said of its devices; its daemon does not run yet.
    fn register(party: Party, bond: &str, profile: &[String]) -> Result<Self> {
        let listen_port = free_port()?;
        party.publish_certificate()?;
        let uri = format!("https://127.0.0.1:{listen_port}");
        let mut register = vec!["provider", "register", "--host-uri", &uri, "--bond", bond];
        register.extend(profile.iter().map(String::as_str));
        party.ember(&register)?;
        Ok(Self {
            party,
            daemon: None,
            listen_port,
        })
    }

    /// Starts its daemon, or starts it again, with `more` arguments.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, more: &[&str]) -> Result<()> {
        let listen = format!("127.0.0.1:{}", self.listen_port);
        let mut args = vec!["provider", "run", "--listen", &listen];
        args.extend(more);
        self.daemon = Some(self.party.daemon(&args)?);
        Ok(())
    }

    /// SIGKILL to its daemon.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut d) = self.daemon.take() {
            d.kill()?;
        }
        Ok(())
    }
}

/// What the chapters are told with, for whoever disturbs them.
#[derive(Debug)]
pub struct World {
    /// The chain.
    pub chain: Chain,
    /// The provider.
    pub provider: Provider,
    /// Further ones, where the story has some.
    pub more_providers: Vec<Provider>,
    /// The tenant.
    pub tenant: Party,
    /// Who has coins on the chain.
    pub accounts: Accounts,
}

impl World {
    /// A new chain below `dir` with a tenant and as many providers as `pricing` takes, registered, their daemons running;
    /// and what everybody has then.
    ///
    /// # Errors
    /// At the first step that fails, with what it said.
    pub fn begin(
        install: &Install,
        engine: Engine,
        dir: &Path,
        pricing: Pricing,
        say: &mut dyn FnMut(&str),
    ) -> Result<(Self, Snapshot)> {
        let mut tenant = Party::new(install, "tenant", &dir.join("tenant"))?;
        let names: Vec<_> = (1..=pricing.providers())
            .map(|n| match n {
                1 => "provider".to_owned(),
                n => format!("provider-{n}"),
            })
            .collect();
        let parties = names
            .iter()
            .map(|n| Party::new(install, n, &dir.join(n)))
            .collect::<Result<Vec<_>>>()?;
        let mut funds = vec![format!(
            "{}:1000000000uember,1000000000uusdc",
            tenant.address
        )];
        funds.extend(
            parties
                .iter()
                .map(|p| format!("{}:1000000000uember", p.address)),
        );
        let mut chain = Chain::init(install, engine, &dir.join("chain"), &funds)?;
        chain.start()?;
        say(&format!("chain ember-demo-1 is up at {}", chain.node()));
        tenant.set_node(&chain);
        tenant.publish_certificate()?;
        let mut named = vec![("tenant", &tenant)];
        named.extend(names.iter().map(String::as_str).zip(&parties));
        let accounts = Accounts::read(&chain, &named)?;

        let profile = pricing.profile();
        let mut providers = Vec::new();
        for (mut party, n) in parties.into_iter().zip(1..) {
            party.set_node(&chain);
            // The second has bonded twice what the first has: where a draw is by bond, that counts.
            let bond = format!("{}uember", 100_000_000 * n);
            providers.push(Provider::register(party, &bond, &profile)?);
        }
        let before = Snapshot::read(&chain, &accounts)?;
        for provider in &mut providers {
            provider.start(&[])?;
        }
        say(match providers.len() {
            1 => "provider is registered, bonded and bidding",
            _ => "two providers are registered, bonded and bidding",
        });
        let mut providers = providers.into_iter();
        let world = Self {
            chain,
            provider: providers.next().context("no provider")?,
            more_providers: providers.collect(),
            tenant,
            accounts,
        };
        Ok((world, before))
    }

    /// What the story calls an account.
    pub fn name_of<'a>(&'a self, address: &'a str) -> &'a str {
        let mut named = self.accounts.named.iter();
        named
            .find(|(_, a)| a == address)
            .map_or(address, |(name, _)| name)
    }

    /// That whoever should run does.
    ///
    /// # Errors
    /// When somebody has ended, with the end of their log.
    pub fn check(&mut self) -> Result<()> {
        let providers = std::iter::once(&mut self.provider).chain(&mut self.more_providers);
        for d in [&mut self.chain.app, &mut self.chain.comet]
            .into_iter()
            .chain(providers.map(|p| &mut p.daemon))
            .flatten()
        {
            d.check()?;
        }
        Ok(())
    }
}
