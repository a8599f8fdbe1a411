//! A node that strangers can reach: too large, too deep, too many, too slow. It refuses, stays alive, makes blocks and
//! serves everybody else; its metrics tell of it, and a stop in the middle of it is a clean one.

use anyhow::{Context, Result, ensure};
use ember_client::Key;
use ember_e2e::{
    chain::{Chain, Engine, run},
    install::Install,
    process::wait_for,
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::Duration,
};

/// How long an answer may take before the node counts as one that does not serve.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends `bytes`, and gives what comes back until the server closes or has answered once.
fn exchange(address: &str, bytes: &[u8]) -> Result<String> {
    let mut tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    // A server may refuse and close before it has read all of it.
    tcp.write_all(bytes).ok();
    let mut answer = Vec::new();
    let mut buf = [0; 65_536];
    while let Ok(n) = tcp.read(&mut buf) {
        answer.extend_from_slice(&buf[..n]);
        if n == 0 {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn post(address: &str, path: &str, body: &str) -> Result<String> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    exchange(address, &[head.as_bytes(), body.as_bytes()].concat())
}

fn get(address: &str, path: &str) -> Result<String> {
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    exchange(address, head.as_bytes())
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

struct Site {
    chain: Chain,
    rpc: String,
    api: String,
    grpc: String,
    metrics: String,
}

impl Site {
    /// Alive, and a block more than before; everything serves.
    fn well(&mut self, after: &str) -> Result<()> {
        // While all places are taken it refuses; the silent lose theirs soon.
        let before = wait_for("an answer", PATIENCE, || Ok(self.height().ok()))?;
        wait_for("another block", PATIENCE, || {
            self.chain.app.as_mut().context("no app")?.check()?;
            Ok((self.height().unwrap_or(0) > before).then_some(()))
        })
        .with_context(|| format!("after {after}"))?;
        for (address, path) in [
            (&self.rpc, "/status"),
            (&self.api, "/cosmos/base/tendermint/v1beta1/blocks/latest"),
            (&self.api, "/cosmos/bank/v1beta1/params"),
            (&self.metrics, "/health"),
        ] {
            // A place may become free a moment later.
            wait_for(&format!("{path} after {after}"), PATIENCE, || {
                let answer = get(address, path).unwrap_or_default();
                Ok((status(&answer) == "200").then_some(()))
            })?;
        }
        Ok(())
    }

    fn height(&self) -> Result<u64> {
        Ok(self.chain.ask(async |c| c.status().await)?.height)
    }
}

#[test]
fn a_node_that_strangers_reach_stays_alive_and_serves() -> Result<()> {
    let install = Install::find_chain()?;
    let dir = tempfile::Builder::new().prefix("ember-").tempdir()?;
    let (key, _) = Key::generate("a", "ember")?;
    let mut chain = Chain::init(
        &install,
        Engine::Embedded,
        &dir.path().join("chain"),
        &[format!("{}:1000uember", key.address)],
    )?;
    chain.more = ["--log-format", "json"].map(Into::into).into();
    chain.start()?;
    let url = chain.node();
    let mut site = Site {
        rpc: url.trim_start_matches("http://").into(),
        api: chain.address("api")?,
        grpc: chain.address("grpc")?,
        metrics: chain.address("metrics")?,
        chain,
    };
    for address in [&site.rpc, &site.api, &site.grpc, &site.metrics] {
        ensure!(address.starts_with("127.0.0.1:"), "{address}");
    }

    // A transaction of 10 MB, to both.
    let big = "A".repeat(10 << 20);
    let call =
        json!({"jsonrpc": "2.0", "id": 1, "method": "broadcast_tx_sync", "params": {"tx": big}});
    let answer = post(&site.rpc, "/", &call.to_string())?;
    ensure!(["413", "none"].contains(&status(&answer)), "{answer}");
    let body = json!({"tx_bytes": big, "mode": "BROADCAST_MODE_SYNC"}).to_string();
    let answer = post(&site.api, "/cosmos/tx/v1beta1/txs", &body)?;
    ensure!(["413", "none"].contains(&status(&answer)), "{answer}");
    // One that fits into a body and not into the mempool.
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "broadcast_tx_sync", "params": {"tx": "A".repeat(2 << 20)}});
    let answer = post(&site.rpc, "/", &call.to_string())?;
    ensure!(answer.contains("too large"), "{answer}");
    site.well("transactions of 10 MB")?;

    // A batch of a thousand calls, and JSON ten thousand deep, in every place that reads it.
    let one = json!({"jsonrpc": "2.0", "id": 1, "method": "health", "params": {}});
    let batch = Value::Array(vec![one; 1_000]).to_string();
    let answer = post(&site.rpc, "/", &batch)?;
    ensure!(answer.contains("at most 10 calls"), "{answer}");
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let answer = post(&site.rpc, "/", &deep)?;
    ensure!(answer.contains("Parse error"), "{answer}");
    let answer = post(
        &site.rpc,
        "/",
        &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"health","params":{deep}}}"#),
    )?;
    ensure!(answer.contains("Parse error"), "{answer}");
    let answer = post(&site.api, "/cosmos/tx/v1beta1/txs", &deep)?;
    ensure!(status(&answer) == "400", "{answer}");
    site.well("batches and deep JSON")?;

    // More connections than are served, all of them silent; those who come after are served once the silent are closed.
    for address in [&site.rpc, &site.api, &site.grpc].map(Clone::clone) {
        let mut silent = Vec::new();
        for _ in 0..1_000 {
            silent.push(TcpStream::connect(&address)?);
        }
        site.well("a thousand silent connections")?;
    }

    // Half a request each, one more byte from time to time: the time of a request ends all the same.
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut tcp = TcpStream::connect(&site.rpc)?;
        tcp.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n{")?;
        slow.push(tcp);
    }
    site.well("slow clients")?;

    // The metrics tell of it.
    let text = get(&site.metrics, "/metrics")?;
    for expected in [
        "emberd_height ",
        "emberd_block_interval_seconds_count ",
        "emberd_block_execution_seconds_bucket{",
        "emberd_mempool_txs 0",
        "emberd_queries_total{service=\"cosmos.bank.v1beta1.Query\"}",
        "emberd_requests_total{server=\"rpc\",status=\"413\"} 1",
        "emberd_refused_connections_total{server=\"rpc\"}",
        "# EOF",
    ] {
        ensure!(text.contains(expected), "expected {expected} in:\n{text}");
    }
    let health = get(&site.metrics, "/health")?;
    let (_, body) = health.split_once("\r\n\r\n").context("no body")?;
    let health: Value = serde_json::from_str(body)?;
    ensure!(
        health["status"] == "ok" && health["height"].as_u64() >= Some(1),
        "{health}"
    );

    // SIGTERM while the slow still hang on: a clean end, logs in JSON, and a state that opens at the same height.
    let app = site.chain.app.as_mut().context("no app")?;
    let status = app.terminate()?;
    ensure!(status.success(), "{status}: {}", app.log_tail(5));
    let log = std::fs::read_to_string(site.chain.home().join("emberd.log"))?;
    let lines: Vec<Value> = log
        .lines()
        .filter(|l| l.starts_with('{'))
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let last = lines.last().context("no log")?;
    ensure!(last["fields"]["message"] == "stopped", "{last}");
    let height = last["fields"]["height"].as_u64();
    let mut export = Command::new(&install.emberd);
    export.args([
        "--home".as_ref(),
        site.chain.home().as_os_str(),
        "export".as_ref(),
    ]);
    let exported: Value = serde_json::from_str(&run(export)?)?;
    let next = exported["initial_height"]
        .as_str()
        .and_then(|h| h.parse().ok());
    ensure!(
        height.is_some() && next == height.map(|h| h + 1),
        "stopped at {height:?}, exported for {next:?}"
    );
    drop(slow);
    site.chain.app = None;
    site.chain.start()?;
    // The ports are other free ones now.
    site.api = site.chain.address("api")?;
    site.metrics = site.chain.address("metrics")?;
    site.well("a stop and a start")?;
    site.chain.stop()
}
