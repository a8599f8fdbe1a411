//! One chain on this machine: a genesis with Ember's contracts, and an engine below it.

use crate::{
    install::Install,
    process::{Daemon, wait_for},
};
use anyhow::{Context, Result, ensure};
use ember_client::Client;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tokio::runtime::Runtime;

/// Which consensus engine drives the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// `emberd start --embedded`.
    Embedded,
    /// `emberd start` under CometBFT.
    CometBft,
}

/// A chain's home and, while it runs, its processes.
#[derive(Debug)]
pub struct Chain {
    install: Install,
    engine: Engine,
    home: PathBuf,
    rpc_port: u16,
    p2p_port: u16,
    runtime: Runtime,
    /// Further arguments of `emberd start`.
    pub more: Vec<String>,
    /// The application.
    pub app: Option<Daemon>,
    /// CometBFT, when it is the engine.
    pub comet: Option<Daemon>,
}

impl Chain {
    /// Writes the genesis and the configuration; `accounts` are `address:coins`.
    ///
    /// # Errors
    /// When `emberd init` refuses, or CometBFT is asked for and not installed.
    pub fn init(
        install: &Install,
        engine: Engine,
        home: &Path,
        accounts: &[String],
    ) -> Result<Self> {
        if engine == Engine::CometBft {
            ensure!(
                install.cometbft.is_some(),
                "expected CometBFT, found none: run ./scripts/setup"
            );
        }
        let mut init = Command::new(&install.emberd);
        init.args(["--home".as_ref(), home.as_os_str(), "init".as_ref()])
            .args(["--chain-id", "ember-demo-1", "--moniker", "demo"])
            .args(["--contracts".as_ref(), install.contracts.as_os_str()])
            .args(accounts.iter().flat_map(|a| ["--account", a]));
        run(init)?;
        Ok(Self {
            install: install.clone(),
            engine,
            home: home.into(),
            rpc_port: free_port()?,
            p2p_port: free_port()?,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            more: Vec::new(),
            app: None,
            comet: None,
        })
    }

    /// Starts it, or starts it again, and waits for an answer.
    ///
    /// # Errors
    /// When a process ends or no answer comes within 60 seconds.
    pub fn start(&mut self) -> Result<()> {
        self.start_app()?;
        if self.engine == Engine::CometBft && self.comet.is_none() {
            self.start_comet()?;
        }
        self.wait_ready()
    }

    /// Starts the application only.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_app(&mut self) -> Result<()> {
        let mut app = Command::new(&self.install.emberd);
        app.args(["--home".as_ref(), self.home.as_os_str(), "start".as_ref()]);
        match self.engine {
            Engine::Embedded => app.args([
                "--embedded",
                "--rpc-laddr",
                &format!("tcp://127.0.0.1:{}", self.rpc_port),
            ]),
            Engine::CometBft => app.args([
                "--abci-laddr",
                &format!("unix://{}", self.socket().display()),
                "--rpc-laddr",
                &format!("tcp://127.0.0.1:{}", self.rpc_port),
            ]),
        };
        // Whatever else runs on this machine, ports are free.
        let any = "tcp://127.0.0.1:0";
        app.args(["--grpc-laddr", any, "--api-laddr", any]);
        app.args(["--metrics-laddr", any]);
        app.args(&self.more);
        self.app = Some(Daemon::start("emberd", app, &self.home.join("emberd.log"))?);
        Ok(())
    }

    /// Where the application serves `grpc`, `api` or `metrics`, as `host:port`.
    ///
    /// # Errors
    /// When it does not serve it.
    pub fn address(&self, name: &str) -> Result<String> {
        // RPC may answer a moment before this process has told where the others are.
        let pid = self.app.as_ref().context("it does not run")?.pid();
        let file = self.home.join("data/addresses.json");
        let all = wait_for("its addresses", Duration::from_secs(10), || {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let all: Value = serde_json::from_str(&text).unwrap_or_default();
            Ok((all["pid"] == pid).then_some(all))
        })?;
        let url = all[name]
            .as_str()
            .with_context(|| format!("no {name} in {all}"))?;
        Ok(url.trim_start_matches("tcp://").to_owned())
    }

    fn start_comet(&mut self) -> Result<()> {
        let bin = self.install.cometbft.as_ref().context("no CometBFT")?;
        let mut comet = Command::new(bin);
        comet
            .args(["--home".as_ref(), self.home.as_os_str(), "start".as_ref()])
            .args([
                "--proxy_app",
                &format!("unix://{}", self.socket().display()),
            ])
            .args(["--rpc.laddr", &format!("tcp://127.0.0.1:{}", self.rpc_port)])
            .args(["--p2p.laddr", &format!("tcp://127.0.0.1:{}", self.p2p_port)]);
        self.comet = Some(Daemon::start(
            "cometbft",
            comet,
            &self.home.join("cometbft.log"),
        )?);
        Ok(())
    }

    /// A unix path of at most 108 bytes, whatever the home is.
    fn socket(&self) -> PathBuf {
        std::env::temp_dir().join(format!("ember-{}.sock", self.rpc_port))
    }

    /// SIGKILL to the application. CometBFT cannot live without it and ends by itself; what is left of it is killed.
    ///
    /// # Errors
    /// When a process cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut app) = self.app.take() {
            app.kill()?;
        }
        if let Some(mut comet) = self.comet.take() {
            comet.kill()?;
        }
        Ok(())
    }

    /// SIGTERM to all of it.
    ///
    /// # Errors
    /// When a process does not stop.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut comet) = self.comet.take() {
            comet.terminate()?;
        }
        if let Some(mut app) = self.app.take() {
            app.terminate()?;
        }
        Ok(())
    }

    /// Its RPC address.
    pub fn node(&self) -> String {
        format!("http://127.0.0.1:{}", self.rpc_port)
    }

    /// Its home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Asks the chain, and waits for the answer.
    ///
    /// # Errors
    /// What the client says.
    pub fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&Client) -> Result<T, ember_client::Error>,
    ) -> Result<T> {
        let client = Client::new(&self.node())?;
        Ok(self.runtime.block_on(question(&client))?)
    }

    /// A smart query, typed.
    ///
    /// # Errors
    /// When the contract refuses or the answer has another shape.
    pub fn smart<T: DeserializeOwned>(&self, contract: &str, msg: &impl Serialize) -> Result<T> {
        self.ask(async |c| c.smart(contract, msg).await)
    }

    fn wait_ready(&mut self) -> Result<()> {
        wait_for("the chain's first block", Duration::from_secs(60), || {
            for daemon in [&mut self.app, &mut self.comet].into_iter().flatten() {
                daemon.check()?;
            }
            let height = self.ask(async |c| c.status().await).map_or(0, |s| s.height);
            Ok((height > 0).then_some(()))
        })
    }
}

/// Runs a command to its end.
///
/// # Errors
/// When it exits with anything but zero: its last line of standard error.
pub fn run(mut command: Command) -> Result<String> {
    let out = command
        .output()
        .with_context(|| format!("start {}", command.get_program().display()))?;
    ensure!(
        out.status.success(),
        "{} {}: {}",
        Path::new(command.get_program())
            .file_name()
            .unwrap_or_default()
            .display(),
        command
            .get_args()
            .map(|a| a.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" "),
        String::from_utf8_lossy(&out.stderr).trim()
    );
    Ok(String::from_utf8(out.stdout)?)
}

/// A TCP port that nobody listens on now.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}
