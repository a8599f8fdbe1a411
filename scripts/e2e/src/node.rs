//! One validator: a home that `emberd testnet` made, its application and its CometBFT.

use crate::{
    install::Install,
    netns,
    process::{Daemon, wait_for},
};
use anyhow::{Context, Result, bail};
use ember_client::Client;
use serde::Deserialize;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// What `emberd testnet` says of a node.
#[derive(Debug, Clone, Deserialize)]
pub struct Place {
    /// Its home.
    pub home: PathBuf,
    /// Its name.
    pub moniker: String,
    /// Its consensus address, upper-case hex.
    pub validator: String,
    /// URL of CometBFT's RPC.
    pub rpc: String,
    /// URL of gRPC.
    pub grpc: String,
    /// URL of REST.
    pub api: String,
}

/// A node and, while they run, its processes.
#[derive(Debug)]
pub struct Node {
    install: Install,
    /// Where it is.
    pub place: Place,
    namespace: Option<String>,
    /// Further arguments of CometBFT.
    pub more: Vec<String>,
    /// The application.
    pub app: Option<Daemon>,
    /// CometBFT.
    pub comet: Option<Daemon>,
    /// Asks this node only.
    pub client: Client,
}

impl Node {
    /// A node that does not run yet; inside `network`, its namespace and address, if given.
    ///
    /// # Errors
    /// When its address is none.
    pub fn new(
        install: &Install,
        mut place: Place,
        network: Option<(String, String)>,
    ) -> Result<Self> {
        let namespace = match network {
            None => None,
            Some((namespace, host)) => {
                place.rpc = format!("http://{host}:26657");
                Some(namespace)
            }
        };
        Ok(Self {
            install: install.clone(),
            client: Client::new(&place.rpc)?,
            place,
            namespace,
            more: Vec::new(),
            app: None,
            comet: None,
        })
    }

    /// Starts what of it does not run.
    ///
    /// # Errors
    /// When a process does not start.
    pub fn start(&mut self) -> Result<()> {
        self.start_app()?;
        self.start_comet()
    }

    /// Starts the application and waits until it listens.
    ///
    /// # Errors
    /// When it ends, with the end of its log, or does not listen within 60 seconds.
    pub fn start_app(&mut self) -> Result<()> {
        if self.app.is_some() {
            return Ok(());
        }
        let mut command = self.command(&self.install.emberd.clone());
        command.args(["--home".as_ref(), self.place.home.as_os_str()]);
        command.args(["start", "--rpc-laddr", &self.rpc_laddr()]);
        let log = self.place.home.join("emberd.log");
        let mut app = Daemon::start(&format!("emberd of {}", self.place.moniker), command, &log)?;
        let addresses = self.place.home.join("data/addresses.json");
        wait_for("emberd to listen", Duration::from_secs(60), || {
            app.check()?;
            let text = fs::read_to_string(&addresses).unwrap_or_default();
            let said: Value = serde_json::from_str(&text).unwrap_or_default();
            Ok((said["pid"] == app.pid()).then_some(()))
        })?;
        self.app = Some(app);
        Ok(())
    }

    /// Starts CometBFT.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_comet(&mut self) -> Result<()> {
        if self.comet.is_some() {
            return Ok(());
        }
        let Some(bin) = self.install.cometbft.clone() else {
            bail!("expected CometBFT, found none: run ./scripts/setup");
        };
        let mut command = self.command(&bin);
        command.args(["--home".as_ref(), self.place.home.as_os_str()]);
        command.args(["start", "--rpc.laddr", &self.rpc_laddr()]);
        command.args(&self.more);
        let log = self.place.home.join("cometbft.log");
        let name = format!("CometBFT of {}", self.place.moniker);
        self.comet = Some(Daemon::start(&name, command, &log)?);
        Ok(())
    }

    /// SIGKILL to the application; CometBFT ends by itself without it, and is waited for.
    ///
    /// # Errors
    /// When CometBFT goes on.
    pub fn kill_app(&mut self) -> Result<()> {
        if let Some(mut app) = self.app.take() {
            app.kill()?;
        }
        if let Some(mut comet) = self.comet.take() {
            let what = "CometBFT to end after its application";
            wait_for(what, Duration::from_secs(30), || {
                Ok((!comet.alive()?).then_some(()))
            })?;
        }
        Ok(())
    }

    /// SIGKILL to CometBFT; the application goes on.
    ///
    /// # Errors
    /// When it cannot be waited for, or the application does not live.
    pub fn kill_comet(&mut self) -> Result<()> {
        if let Some(mut comet) = self.comet.take() {
            comet.kill()?;
        }
        match &mut self.app {
            Some(app) => app.check(),
            None => Ok(()),
        }
    }

    /// SIGKILL to both.
    ///
    /// # Errors
    /// When one cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        for daemon in [self.comet.take(), self.app.take()].iter_mut().flatten() {
            daemon.kill()?;
        }
        Ok(())
    }

    /// SIGTERM to both, CometBFT first.
    ///
    /// # Errors
    /// When one does not stop, or the application says with its exit code that it failed.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut comet) = self.comet.take() {
            comet.terminate()?;
        }
        if let Some(mut app) = self.app.take() {
            let status = app.terminate()?;
            if !status.success() {
                bail!(
                    "expected emberd to exit with 0 after SIGTERM, got {status}; its log ends with:\n{}",
                    app.log_tail(15)
                );
            }
        }
        Ok(())
    }

    /// That whatever was started still runs.
    ///
    /// # Errors
    /// When something has ended, with the end of its log.
    pub fn check(&mut self) -> Result<()> {
        for daemon in [&mut self.app, &mut self.comet].into_iter().flatten() {
            daemon.check()?;
        }
        Ok(())
    }

    /// The height of its last block; 0 while it does not answer.
    pub async fn height(&self) -> u64 {
        self.client.status().await.map_or(0, |s| s.height)
    }

    fn command(&self, program: &Path) -> Command {
        match &self.namespace {
            Some(namespace) => netns::inside(namespace, program),
            None => Command::new(program),
        }
    }

    fn rpc_laddr(&self) -> String {
        self.place.rpc.replacen("http://", "tcp://", 1)
    }
}

/// The number that CometBFT writes as a text.
///
/// # Errors
/// When it is none.
pub fn int(value: &Value) -> Result<u64> {
    value
        .as_str()
        .and_then(|s| s.parse().ok())
        .with_context(|| format!("expected a number as a text, got {value}"))
}
