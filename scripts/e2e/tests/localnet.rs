//! Four validators under CometBFT, transactions all the time, and what goes wrong: SIGKILL, SIGTERM, a parted network.
//! After each, all nodes have the same blocks and states at all heights, and nothing that was committed is missing.
//!
//! `EMBER_FULL=1` (`./scripts/test --full`) runs more rounds and longer partitions.

use anyhow::{Context, Result, ensure};
use ember_client::Client;
use ember_e2e::{
    install::Install,
    localnet::Localnet,
    netns::Network,
    process::wait_for,
    traffic::{Senders, Sent, Traffic},
};
use std::{
    sync::{Mutex, MutexGuard},
    thread::sleep,
    time::Duration,
};

const NODES: usize = 4;

/// Two cores carry one network at a time.
static STAGE: Mutex<()> = Mutex::new(());

fn stage() -> MutexGuard<'static, ()> {
    STAGE.lock().unwrap_or_else(|broken| broken.into_inner())
}

fn full() -> bool {
    std::env::var_os("EMBER_FULL").is_some_and(|v| !v.is_empty() && v != "0")
}

/// A network at work.
struct Scene {
    net: Localnet,
    senders: Senders,
    traffic: Traffic,
}

impl Scene {
    fn begin(dir: &std::path::Path, network: Option<Network>) -> Result<Self> {
        let install = Install::find_chain()?;
        let senders = Senders::new(6, "ember", "uember")?;
        let accounts = senders.accounts();
        let mut more = vec!["--chain-id", "localnet-1"];
        more.extend(accounts.iter().flat_map(|a| ["--account", a.as_str()]));
        let mut net = Localnet::create(&install, NODES, &dir.join("net"), network, &more)?;
        net.start()?;
        let traffic = senders.start(&net.runtime, &clients(&net));
        Ok(Self {
            net,
            senders,
            traffic,
        })
    }

    /// Waits until so many more transactions are in blocks.
    fn wait_txs(&mut self, more: usize) -> Result<()> {
        let target = self.traffic.count() + more;
        wait_for(
            &format!("{more} more transactions"),
            Duration::from_secs(90),
            || Ok((self.traffic.count() >= target).then_some(())),
        )
        .with_context(|| format!("heights are {:?}", self.net.heights()))
    }

    /// Waits until those other than `victim` have `more` blocks more than the highest has.
    fn others_go_on(&mut self, victim: usize, more: u64) -> Result<()> {
        let top = self.net.heights().into_iter().max().unwrap_or(0);
        let others: Vec<_> = (0..NODES).filter(|i| *i != victim).collect();
        self.net.wait_height(top + more, &others)
    }

    fn audit(&mut self, what: &str) -> Result<()> {
        let audit = self
            .net
            .audit(&self.traffic.so_far())
            .with_context(|| format!("after {what}"))?;
        println!(
            "{what}: {} nodes agree on heights 1 to {}, with all {} transactions that were seen",
            audit.nodes, audit.height, audit.txs
        );
        Ok(())
    }

    /// Ends the traffic: every transaction is on every node, and the money came.
    fn end(mut self) -> Result<()> {
        let sent = self.traffic.finish(&self.net.runtime)?;
        ensure!(!sent.is_empty(), "expected transactions, got none");
        self.net.audit(&sent)?;
        self.senders
            .check(&self.net.runtime, &clients(&self.net), sent.len())?;
        println!("end: {} transactions, on all nodes, once", sent.len());
        // What looks for lost ones finds one.
        let lost = Sent {
            hash: ember_client::rpc::hash(b"never sent"),
            height: 1,
        };
        let audit = self.net.audit(&[lost]);
        ensure!(
            audit
                .as_ref()
                .is_err_and(|e| e.to_string().contains("was in block 1")),
            "expected an error about a transaction that is nowhere, got {audit:?}"
        );
        // A last stop in good order, and a start after it: what was there still is.
        self.net.stop()?;
        self.net.start()?;
        self.net.audit(&sent)?;
        self.senders
            .check(&self.net.runtime, &clients(&self.net), sent.len())?;
        self.net.stop()
    }
}

fn clients(net: &Localnet) -> Vec<Client> {
    net.nodes.iter().map(|n| n.client.clone()).collect()
}

/// Plays it in a folder that stays when it fails.
fn play(network: Option<Network>, act: impl FnOnce(&mut Scene) -> Result<()>) -> Result<()> {
    let dir = tempfile::Builder::new().prefix("ember-").tempdir()?;
    let whole = || {
        let mut scene = Scene::begin(dir.path(), network)?;
        scene.wait_txs(NODES)?;
        act(&mut scene)?;
        scene.end()
    };
    let result = whole();
    match result {
        Ok(()) => Ok(()),
        Err(e) => {
            let kept = dir.keep();
            Err(e.context(format!("homes and logs are kept in {}", kept.display())))
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Blow {
    /// SIGKILL to the application.
    App,
    /// SIGKILL to CometBFT.
    Comet,
    /// SIGKILL to both.
    Both,
    /// SIGTERM to both.
    Stop,
}

const BLOWS: [Blow; 4] = [Blow::App, Blow::Comet, Blow::Both, Blow::Stop];

fn strike(scene: &mut Scene, victim: usize, blow: Blow) -> Result<()> {
    let node = &mut scene.net.nodes[victim];
    match blow {
        Blow::App => node.kill_app(),
        Blow::Comet => node.kill_comet(),
        Blow::Both => node.kill(),
        Blow::Stop => node.stop(),
    }
}

#[test]
fn validators_die_and_return() -> Result<()> {
    let _stage = stage();
    if !installed()? {
        return Ok(());
    }
    play(None, |scene| {
        let rounds = if full() { 6 } else { 1 };
        for round in 0..rounds {
            for (i, blow) in BLOWS.into_iter().enumerate() {
                let victim = (i + round) % NODES;
                strike(scene, victim, blow)?;
                scene.others_go_on(victim, 2)?;
                scene.wait_txs(2)?;
                scene.net.nodes[victim].start()?;
                scene.net.wait_blocks(1)?;
                scene.audit(&format!("{blow:?} to node {victim}"))?;
            }
            // Whose turn it is: the round has to go on without the block that it was making.
            let victim = scene.net.proposer(round % NODES)?;
            strike(scene, victim, Blow::Both)?;
            scene.others_go_on(victim, 2)?;
            scene.net.nodes[victim].start()?;
            scene.net.wait_blocks(1)?;
            scene.audit(&format!("SIGKILL to node {victim}, the proposer"))?;
        }
        // All at once, in the middle of whatever they do.
        for victim in 0..NODES {
            strike(scene, victim, Blow::Both)?;
        }
        scene.net.start()?;
        scene.wait_txs(2)?;
        scene.audit("SIGKILL to all")
    })
}

#[test]
fn the_network_parts_and_heals() -> Result<()> {
    let _stage = stage();
    if !installed()? {
        return Ok(());
    }
    let network = match Network::new(NODES) {
        Ok(network) => network,
        Err(e) => {
            eprintln!("SKIP: the_network_parts_and_heals: no network namespaces here: {e:#}");
            return Ok(());
        }
    };
    // What was on its way may still arrive in the first; nothing may change in the second.
    let (settle, quiet) = match full() {
        true => (Duration::from_secs(10), Duration::from_secs(60)),
        false => (Duration::from_secs(3), Duration::from_secs(5)),
    };
    play(Some(network), |scene| {
        let halves: [&[usize]; 2] = [&[0, 1], &[2, 3]];
        part(scene, &halves)?;
        sleep(settle);
        let (heights, txs) = (scene.net.heights(), scene.traffic.count());
        ensure!(
            heights.iter().all(|h| *h > 0),
            "expected all nodes to answer while parted, got heights {heights:?}"
        );
        sleep(quiet);
        ensure!(
            (heights.clone(), txs) == (scene.net.heights(), scene.traffic.count()),
            "expected nothing new from two halves, got heights {:?} after {heights:?} and {} transactions after {txs}",
            scene.net.heights(),
            scene.traffic.count()
        );
        heal(scene, &halves)?;
        scene.net.wait_blocks(2)?;
        scene.wait_txs(2)?;
        scene.audit("parted 2-2")?;

        let one: [&[usize]; 2] = [&[0, 1, 2], &[3]];
        part(scene, &one)?;
        sleep(settle);
        let alone = scene.net.heights()[3];
        scene.others_go_on(3, 4)?;
        sleep(if full() { quiet } else { Duration::ZERO });
        let heights = scene.net.heights();
        ensure!(
            heights[3] == alone,
            "expected node 3 to stay at {alone} by itself, got heights {heights:?}"
        );
        heal(scene, &one)?;
        scene.net.wait_height(heights[0], &[3])?;
        scene.audit("parted 3-1")
    })
}

fn part(scene: &Scene, sides: &[&[usize]]) -> Result<()> {
    let network = scene.net.network.as_ref().context("no network")?;
    network.part(sides)
}

fn heal(scene: &Scene, sides: &[&[usize]]) -> Result<()> {
    let network = scene.net.network.as_ref().context("no network")?;
    network.heal(sides)
}

fn installed() -> Result<bool> {
    let there = Install::find_chain()?.cometbft.is_some();
    if !there {
        eprintln!("SKIP: four validators: CometBFT is not installed: ./scripts/setup");
    }
    Ok(there)
}
