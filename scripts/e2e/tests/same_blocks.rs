//! The same blocks give the same states, whoever drives the application: CometBFT as it makes them, CometBFT as it syncs
//! them from others, the embedded engine, and `emberd replay`, which executes what a node serves in a fresh state.

use anyhow::{Context, Result, ensure};
use ember_client::{Client, Coin, Key, TxOptions, msg};
use ember_e2e::{
    chain::{Chain, Engine, run},
    install::Install,
    localnet::Localnet,
    process::wait_for,
    traffic::Senders,
};
use ember_types::registry::ExecuteMsg;
use serde_json::{Value, json};
use std::{path::Path, process::Command, time::Duration};

/// A provider that registers, comes back and takes bond out: contracts, their events and their end-block hooks.
async fn trade(client: &Client, key: &Key, registry: &str) -> Result<()> {
    let options = TxOptions::new("0.001uember".parse()?);
    let bond: Coin = "5000000uember".parse()?;
    for (message, funds) in [
        (
            ExecuteMsg::RegisterProvider {
                host_uri: "https://127.0.0.1:1".into(),
                devices: Vec::new(),
                attributes: Vec::new(),
                assurances: Vec::new(),
            },
            vec![bond.clone()],
        ),
        (ExecuteMsg::Touch {}, vec![]),
        (ExecuteMsg::Bond {}, vec![bond]),
        (
            ExecuteMsg::Unbond {
                amount: 1_000_000u128.into(),
            },
            vec![],
        ),
    ] {
        let message = msg::execute(&key.address, registry, &message, &funds)?;
        client.send(key, vec![message], &options).await?;
    }
    Ok(())
}

/// `emberd replay` of what the node at `url` serves.
fn replay(install: &Install, url: &str, dir: &Path) -> Result<Value> {
    let mut command = Command::new(&install.emberd);
    command
        .args(["--output", "json", "replay", "--node", url, "--dir"])
        .arg(dir);
    Ok(serde_json::from_str(&run(command)?)?)
}

/// The app hash that the header after `height` names.
async fn hash_after(client: &Client, height: u64) -> Result<String> {
    let at = json!({ "height": (height + 1).to_string() });
    let block = client.call("block", at).await?;
    let hash = &block["block"]["header"]["app_hash"];
    hash.as_str().map(str::to_owned).context("no app hash")
}

#[test]
fn engines_and_replay_agree() -> Result<()> {
    let install = Install::find_chain()?;
    let dir = tempfile::Builder::new().prefix("ember-").tempdir()?;
    let senders = Senders::new(4, "ember", "uember")?;
    let (provider, _) = Key::generate("provider", "ember")?;
    let mut accounts = senders.accounts();
    accounts.push(format!("{}:100000000uember", provider.address));

    // The embedded engine.
    let mut chain = Chain::init(
        &install,
        Engine::Embedded,
        &dir.path().join("embedded"),
        &accounts,
    )?;
    chain.start()?;
    let url = chain.node();
    let client = Client::new(&url)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let registry = runtime.block_on(client.contracts_by_code(1))?;
    let registry = registry.first().context("no registry")?.clone();
    let traffic = senders.start(&runtime, std::slice::from_ref(&client));
    runtime.block_on(trade(&client, &provider, &registry))?;
    let sent = traffic.finish(&runtime)?;
    let top = runtime.block_on(client.status())?.height;
    wait_for("two more blocks", Duration::from_secs(30), || {
        let now = runtime.block_on(client.status())?.height;
        Ok((now > top + 1).then_some(()))
    })?;
    let done = replay(&install, &url, &dir.path().join("again"))?;
    let (to, txs) = (done["to"].as_u64(), done["txs"].as_u64());
    let to = to.context("no height")?;
    ensure!(to > top, "expected all blocks, got {done}");
    ensure!(
        txs == Some(sent.len() as u64 + 4),
        "expected {} transactions and 4, got {done}",
        sent.len()
    );
    ensure!(done["app_hash"] == runtime.block_on(hash_after(&client, to))?);
    println!("embedded: {to} blocks with {txs:?} transactions, replayed");
    chain.stop()?;

    // CometBFT.
    if install.cometbft.is_none() {
        eprintln!("SKIP: replay of CometBFT's blocks: it is not installed: ./scripts/setup");
        return Ok(());
    }
    let more: Vec<_> = accounts
        .iter()
        .flat_map(|a| ["--account", a.as_str()])
        .collect();
    let mut net = Localnet::create(&install, 2, &dir.path().join("net"), None, &more)?;
    net.start()?;
    let clients: Vec<_> = net.nodes.iter().map(|n| n.client.clone()).collect();
    let traffic = senders.start(&net.runtime, &clients);
    net.runtime
        .block_on(trade(&clients[1], &provider, &registry))?;
    let sent = traffic.finish(&net.runtime)?;
    // A node that was not there gets all blocks from the others: CometBFT stops it when a hash differs.
    net.add_observer(&install, &dir.path().join("observer"))?;
    net.start()?;
    net.audit(&sent)?;
    let observer = net.nodes[2].client.clone();
    let done = replay(
        &install,
        &net.nodes[2].place.rpc,
        &dir.path().join("replayed"),
    )?;
    let to = done["to"].as_u64().context("no height")?;
    ensure!(
        done["txs"].as_u64() == Some(sent.len() as u64 + 4),
        "expected {} transactions and 4, got {done}",
        sent.len()
    );
    ensure!(done["app_hash"] == net.runtime.block_on(hash_after(&observer, to))?);
    println!(
        "CometBFT: {to} blocks with {} transactions, synced and replayed",
        done["txs"]
    );
    net.stop()
}
