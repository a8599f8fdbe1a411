//! The binary itself: the embedded engine and CometBFT, with SIGKILLs.
#![allow(clippy::unwrap_used)]

use ember_abci_app::engine::chain;
use serde_json::Value;
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};
use tendermint_rpc::{Client, HttpClient, Paging};

const EMBERD: &str = env!("CARGO_BIN_EXE_emberd");

/// Kills what it holds, so that no test leaves a process behind.
struct Proc(Child);

impl Drop for Proc {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Any free port.
const ANY: &str = "tcp://127.0.0.1:0";

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        // Short, so that a unix socket fits below it.
        let home = Self(
            tempfile::Builder::new()
                .prefix("e")
                .tempdir_in("/tmp")
                .unwrap(),
        );
        home.json(&["init", "--no-contracts"]);
        home.json(&["keys", "add", "bob"]);
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(EMBERD)
            .args(["--output", "json", "--home"])
            .arg(self.path())
            .args(args)
            .env_remove("EMBER_NODE")
            .output()
            .unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let out = self.run(args);
        assert!(
            out.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        serde_json::from_slice(&out.stdout).unwrap()
    }

    fn address(&self, name: &str) -> String {
        self.json(&["keys", "show", name])["address"]
            .as_str()
            .unwrap()
            .into()
    }

    fn spawn(&self, args: &[&str]) -> Proc {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path().join("log"))
            .unwrap();
        let child = Command::new(EMBERD)
            .arg("--home")
            .arg(self.path())
            .arg("start")
            .args(["--grpc-laddr", ANY, "--api-laddr", ANY])
            .args(args)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut node = Proc(child);
        let pid = node.0.id();
        self.wait("addresses.json", || {
            assert!(node.0.try_wait().unwrap().is_none(), "{}", self.log());
            let text = std::fs::read_to_string(self.path().join("data/addresses.json")).ok()?;
            (serde_json::from_str::<Value>(&text).unwrap()["pid"] == pid).then_some(())
        });
        node
    }

    fn wait<T>(&self, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(v) = ask() {
                return v;
            }
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "{what} did not come\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    fn balance(&self, node: &[&str]) -> u64 {
        let bob = self.address("bob");
        let mut args = vec!["query", "balance", &bob, "uember"];
        args.extend(node);
        self.json(&args)["balance"]["amount"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    }
}

#[test]
fn no_acknowledged_transaction_is_lost_by_a_kill() {
    let home = Home::new();
    let bob = home.address("bob");
    let start = || {
        home.spawn(&[
            "--embedded",
            "--rpc-laddr",
            ANY,
            "--empty-block-interval-ms",
            "20",
        ])
    };
    let mut node = start();
    let send = [
        "tx",
        "send",
        &bob,
        "1uember",
        "--from",
        "validator",
        "--gas",
        "200000",
    ];
    let (mut hashes, mut tried) = (Vec::new(), 0);
    for round in 0..8u64 {
        let ack = home.json(&send);
        tried += 1;
        hashes.push(ack["txhash"].as_str().unwrap().to_owned());
        // And one in flight while the node dies, a little later each time.
        let mut flying = Command::new(EMBERD);
        flying.arg("--home").arg(home.path()).args(send).args([
            "--timeout-secs",
            "1",
            "--output",
            "json",
        ]);
        let flying = flying
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        tried += 1;
        thread::sleep(Duration::from_millis(round * 6));
        node.0.kill().unwrap();
        let flown = flying.wait_with_output().unwrap();
        if flown.status.success() {
            let ack: Value = serde_json::from_slice(&flown.stdout).unwrap();
            hashes.push(ack["txhash"].as_str().unwrap().to_owned());
        }
        drop(node);
        node = start();
        for hash in &hashes {
            assert_eq!(home.json(&["query", "tx", hash])["hash"], hash.as_str());
        }
        let balance = home.balance(&[]);
        assert!(
            (hashes.len() as u64..=tried).contains(&balance),
            "{balance} of {} to {tried}",
            hashes.len()
        );
    }
    // Every block still links to the one before.
    let height = home.json(&["query", "status"])["sync_info"]["latest_block_height"]
        .as_str()
        .unwrap()
        .to_owned();
    let (mut last, height) = (None, height.parse::<u64>().unwrap());
    for h in 1..=height {
        let block = home.json(&["query", "block", &h.to_string()]);
        if let Some(id) = last {
            assert_eq!(block["block"]["header"]["last_block_id"], id, "height {h}");
        }
        last = Some(block["block_id"].clone());
    }
    // And a stop is clean.
    assert!(
        Command::new("kill")
            .arg(node.0.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(node.0.wait().unwrap().code(), Some(0), "{}", home.log());
    let genesis = home.json(&["export"]);
    assert_eq!(
        genesis["app_state"]["bank"]["balances"]
            .as_array()
            .unwrap()
            .len(),
        3,
        "validator, bob, fees"
    );
}

#[test]
fn errors_are_one_line_and_codes_are_kept() {
    let home = Home::new();
    for (args, code) in [
        (&["init"][..], 1),
        (
            &[
                "tx",
                "send",
                "x",
                "1uember",
                "--from",
                "bob",
                "--node",
                "http://127.0.0.1:9",
            ],
            1,
        ),
        (&["query", "tx", "zz", "--node", "http://127.0.0.1:9"], 1),
        (&["start", "--abci-laddr", "http://x"], 1),
        (&["keys", "delete", "bob"], 2),
        (&["nonsense"], 2),
    ] {
        let out = home.run(args);
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(code), "{args:?}: {text}");
        let last = text.lines().last().unwrap_or_default();
        assert!(code == 2 || last.starts_with("error: "), "{text}");
    }
    assert_eq!(
        home.json(&["validate-genesis"])["chain_id"],
        "ember-local-1"
    );
    assert_eq!(home.json(&["version"])["name"], "emberd");
    let other = home.json(&[
        "init",
        "--no-contracts",
        "--overwrite",
        "--chain-id",
        "other-2",
    ]);
    assert_eq!(other["chain_id"], "other-2");
    assert!(
        home.address("bob").starts_with("ember1"),
        "account keys stay"
    );
}

fn cometbft() -> Option<PathBuf> {
    let given = std::env::var_os("EMBER_COMETBFT").map(PathBuf::from);
    let go = std::env::var_os("HOME").map(|h| PathBuf::from(h).join("go/bin/cometbft"));
    given.into_iter().chain(go).find(|p| p.is_file())
}

fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_cometbft() {
    let Some(bin) = cometbft() else {
        eprintln!(
            "SKIP: no cometbft: go install github.com/cometbft/cometbft/cmd/cometbft@v0.38.25"
        );
        return;
    };
    let home = Home::new();
    let rpc = format!("tcp://127.0.0.1:{}", port());
    let p2p = format!("tcp://127.0.0.1:{}", port());
    let comet = || {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(home.path().join("log"))
            .unwrap();
        Proc(
            Command::new(&bin)
                .arg("--home")
                .arg(home.path())
                .args(["start", "--rpc.laddr", &rpc, "--p2p.laddr", &p2p])
                .stdout(log.try_clone().unwrap())
                .stderr(log)
                .spawn()
                .unwrap(),
        )
    };
    let at = ["--node", rpc.as_str()];
    let height = || -> Option<u64> {
        let out = home.run(&["query", "status", at[0], at[1]]);
        let status: Value = serde_json::from_slice(&out.stdout).ok()?;
        status["sync_info"]["latest_block_height"]
            .as_str()?
            .parse()
            .ok()
    };
    let reach = |least: u64| home.wait("a block", || height().filter(|h| *h >= least));
    let bob = home.address("bob");
    let send = || {
        let ack = home.json(&[
            "tx",
            "send",
            &bob,
            "3uember",
            "--from",
            "validator",
            at[0],
            at[1],
        ]);
        ack["txhash"].as_str().unwrap().to_owned()
    };
    // The addresses are those that init wrote: nothing is given here.
    let mut app = home.spawn(&[]);
    let mut engine = comet();
    reach(2);
    let first = send();
    assert_eq!(home.balance(&at), 3);

    // The application dies. CometBFT cannot go on without it.
    app.0.kill().unwrap();
    drop(app);
    drop(engine);
    app = home.spawn(&[]);
    engine = comet();
    let seen = reach(height().unwrap_or(0) + 2);
    assert_eq!(home.balance(&at), 3);
    assert_eq!(
        home.json(&["query", "tx", &first, at[0], at[1]])["hash"],
        first.as_str()
    );

    // CometBFT dies, the application stays and serves the next one.
    engine.0.kill().unwrap();
    drop(engine);
    engine = comet();
    reach(seen + 2);
    assert!(app.0.try_wait().unwrap().is_none());
    send();
    assert_eq!(home.balance(&at), 6);

    // What our own engine computes is what CometBFT computes.
    let client = HttpClient::new(rpc.replace("tcp://", "http://").as_str()).unwrap();
    for h in 1..=height().unwrap() {
        let h = tendermint::block::Height::try_from(h).unwrap();
        let answer = client.block(h).await.unwrap();
        let block = tendermint_proto::v0_38::types::Block::from(answer.block);
        let id = chain::block_id(&block);
        assert_eq!(id.hash, answer.block_id.hash.as_bytes());
        if h.value() > 1 {
            // tendermint-rs drops the empty first commit, which is part of the encoded block.
            let parts = id.part_set_header.unwrap();
            assert_eq!(
                parts.hash,
                answer.block_id.part_set_header.hash.as_bytes(),
                "block {h}"
            );
            assert_eq!(parts.total, answer.block_id.part_set_header.total);
            let last = block.last_commit.as_ref().unwrap();
            assert_eq!(
                chain::commit_hash(last),
                block.header.as_ref().unwrap().last_commit_hash
            );
        }
        let header = block.header.unwrap();
        assert_eq!(chain::data_hash(&block.data.unwrap().txs), header.data_hash);
        let params = client.consensus_params(h).await.unwrap().consensus_params;
        assert_eq!(chain::params_hash(&params.into()), header.consensus_hash);
        let validators = client.validators(h, Paging::All).await.unwrap().validators;
        let updates: Vec<_> = validators
            .iter()
            .map(|v| tendermint_proto::v0_38::abci::ValidatorUpdate {
                pub_key: Some(chain::ed25519(&v.pub_key.to_bytes())),
                power: i64::try_from(v.power.value()).unwrap(),
            })
            .collect();
        let set = chain::update_validators(&Default::default(), &updates).unwrap();
        assert_eq!(chain::validators_hash(&set), header.validators_hash);
    }
    drop(engine);

    // The application stops cleanly, and one command runs both.
    assert!(
        Command::new("kill")
            .arg(app.0.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(app.0.wait().unwrap().code(), Some(0), "{}", home.log());
    let config = home.path().join("config/config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("tcp://127.0.0.1:26656", &p2p)).unwrap();
    let mut both = home.spawn(&[
        "--with-cometbft",
        bin.to_str().unwrap(),
        "--rpc-laddr",
        &rpc,
    ]);
    reach(height().unwrap_or(0) + 2);
    assert_eq!(home.balance(&at), 6);
    // Its own engine does not take over a chain of CometBFT's.
    let refused = home.run(&["start", "--embedded", "--rpc-laddr", ANY]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        Command::new("kill")
            .arg(both.0.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(both.0.wait().unwrap().code(), Some(0), "{}", home.log());
    assert!(height().is_none(), "CometBFT went with it");
}
