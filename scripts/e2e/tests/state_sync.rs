//! A node that begins with a snapshot of the others in place of their blocks, contracts' code included.

use anyhow::{Context, Result, ensure};
use ember_e2e::{
    install::Install, localnet::Localnet, node::int, process::wait_for, traffic::Senders,
};
use serde_json::json;
use std::{fs, io::Write, path::Path, time::Duration};

/// Snapshots are taken so often.
const INTERVAL: u64 = 5;

/// Replaces one setting of a node's `app.toml`.
fn set(home: &Path, from: &str, to: &str) -> Result<()> {
    let file = home.join("config/app.toml");
    let text = fs::read_to_string(&file)?;
    ensure!(text.contains(from), "expected {from} in {}", file.display());
    Ok(fs::write(file, text.replace(from, to))?)
}

#[test]
fn a_node_joins_with_a_snapshot() -> Result<()> {
    let install = Install::find_chain()?;
    if install.cometbft.is_none() {
        eprintln!("SKIP: state sync: CometBFT is not installed: ./scripts/setup");
        return Ok(());
    }
    let dir = tempfile::Builder::new().prefix("ember-").tempdir()?;
    let senders = Senders::new(4, "ember", "uember")?;
    let accounts = senders.accounts();
    let more: Vec<_> = accounts
        .iter()
        .flat_map(|a| ["--account", a.as_str()])
        .collect();
    let mut net = Localnet::create(&install, 2, &dir.path().join("net"), None, &more)?;
    for node in &net.nodes {
        let every = format!("snapshot-interval = {INTERVAL}");
        set(&node.place.home, "snapshot-interval = 0", &every)?;
    }
    net.start()?;
    let clients: Vec<_> = net.nodes.iter().map(|n| n.client.clone()).collect();
    let traffic = senders.start(&net.runtime, &clients);
    // Far enough that the blocks alone would be another story, and past a snapshot: its light client wants two more.
    net.wait_height(3 * INTERVAL + 3, &[0, 1])?;

    net.add_observer(&install, &dir.path().join("late"))?;
    let late = &net.nodes[2];
    let trusted = net.headers(0, 2)?.remove(&2).context("no header 2")?;
    let servers: Vec<_> = net.nodes[..2]
        .iter()
        .map(|n| n.place.rpc.as_str())
        .collect();
    let mut config = fs::OpenOptions::new()
        .append(true)
        .open(late.place.home.join("config/config.toml"))?;
    write!(
        config,
        "\n[statesync]\nenable = true\nrpc_servers = \"{}\"\ntrust_height = 2\ntrust_hash = \"{}\"\ntrust_period = \"1h\"\ndiscovery_time = \"5s\"\n",
        servers.join(","),
        trusted.block
    )?;
    drop(config);
    net.start()?;
    let late = net.nodes[2].client.clone();
    let first = wait_for(
        "the late node to have blocks",
        Duration::from_secs(60),
        || {
            let status = net.runtime.block_on(late.call("status", json!({})))?;
            let first = int(&status["sync_info"]["earliest_block_height"])?;
            Ok((first > 0).then_some(first))
        },
    )?;
    ensure!(
        first > INTERVAL,
        "expected a node that begins with a snapshot, got one with block {first}"
    );
    // It goes on as the others, transactions still coming, and answers what they answer.
    net.wait_blocks(3)?;
    let sent = traffic.finish(&net.runtime)?;
    net.wait_blocks(2)?;
    let top = net.heights().into_iter().min().context("no heights")?;
    for height in first..=top {
        let ask = |client: ember_client::Client| async move {
            let at = json!({ "height": height.to_string() });
            let block = client.call("block", at).await?;
            anyhow::Ok((
                block["block_id"]["hash"].clone(),
                block["block"]["header"]["app_hash"].clone(),
            ))
        };
        let (here, there) = (ask(late.clone()), ask(clients[0].clone()));
        ensure!(
            net.runtime.block_on(here)? == net.runtime.block_on(there)?,
            "the nodes differ at height {height}"
        );
    }
    let codes = |client: &ember_client::Client| {
        let contracts = net.runtime.block_on(client.contracts_by_code(1))?;
        let contract = contracts.first().context("no contract")?.clone();
        let query = json!({ "config": {} });
        let config: serde_json::Value = net.runtime.block_on(client.smart(&contract, &query))?;
        anyhow::Ok((contract, config))
    };
    ensure!(codes(&late)? == codes(&clients[0])?);
    let all = [clients, vec![late]].concat();
    senders.check(&net.runtime, &all, sent.len())?;
    println!(
        "state sync: the late node began with block {first} of {top}; {} transactions on all nodes",
        sent.len()
    );
    // What it has is its own: it comes back without a snapshot, as any node does.
    net.nodes[2].kill()?;
    net.start()?;
    net.stop()
}
