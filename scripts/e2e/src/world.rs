//! Who takes part in the story, and what its chapters are.

use crate::{chain::Chain, party::Party, process::Daemon};
use anyhow::Result;

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
    /// Where the daemon serves sessions.
    pub listen_port: u16,
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

    /// That whoever should run does.
    ///
    /// # Errors
    /// When somebody has ended, with the end of their log.
    pub fn check(&mut self) -> Result<()> {
        for d in [&mut self.chain.app, &mut self.chain.comet, &mut self.daemon]
            .into_iter()
            .flatten()
        {
            d.check()?;
        }
        Ok(())
    }
}
