//! Several validators on this machine, and what must hold between them whatever happened.

use crate::{
    chain::run,
    install::Install,
    netns::Network,
    node::{Node, Place, int},
    process::wait_for,
    traffic::Sent,
};
use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
    time::Duration,
};
use tokio::runtime::Runtime;

/// A chain of several validators.
#[derive(Debug)]
pub struct Localnet {
    // Before the network: namespaces go when nothing runs in them any more.
    /// The validators.
    pub nodes: Vec<Node>,
    /// Their network, if it is one of their own.
    pub network: Option<Network>,
    /// Where questions are asked from.
    pub runtime: Runtime,
    /// What `emberd testnet` said.
    pub said: Value,
}

/// A header, as far as nodes must agree on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The block's hash.
    pub block: String,
    /// The state's after the block before.
    pub app: String,
}

impl Localnet {
    /// Makes the homes of `count` validators in `dir`, which must not exist or be empty; nothing runs yet. `more` are
    /// further arguments of `emberd testnet`.
    ///
    /// # Errors
    /// When `emberd testnet` refuses or CometBFT is not installed.
    pub fn create(
        install: &Install,
        count: usize,
        dir: &Path,
        network: Option<Network>,
        more: &[&str],
    ) -> Result<Self> {
        ensure!(
            install.cometbft.is_some(),
            "expected CometBFT, found none: run ./scripts/setup"
        );
        let mut testnet = Command::new(&install.emberd);
        testnet
            .args(["--output", "json", "testnet", "--validators"])
            .arg(count.to_string())
            .args(["--dir".as_ref(), dir.as_os_str()])
            .args(["--contracts".as_ref(), install.contracts.as_os_str()])
            .args(more);
        if let Some(network) = &network {
            let hosts: Vec<_> = (0..count).map(|i| network.host(i)).collect();
            testnet.args(["--hosts", &hosts.join(",")]);
        }
        let said: Value = serde_json::from_str(&run(testnet)?)?;
        let places: Vec<Place> = serde_json::from_value(said["nodes"].clone())?;
        let node = |(i, place)| {
            let inside = network.as_ref().map(|n| (n.namespace(i), n.host(i)));
            Node::new(install, place, inside)
        };
        Ok(Self {
            nodes: places
                .into_iter()
                .enumerate()
                .map(node)
                .collect::<Result<_>>()?,
            network,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?,
            said,
        })
    }

    /// Adds a node in `dir` that validates nothing and has no block yet: it will get all of them from the others. Only
    /// where nodes share this machine's loopback.
    ///
    /// # Errors
    /// When `emberd testnet` refuses.
    pub fn add_observer(&mut self, install: &Install, dir: &Path) -> Result<()> {
        ensure!(self.network.is_none(), "observers are for loopback only");
        let mut testnet = Command::new(&install.emberd);
        testnet
            .args(["--output", "json", "testnet", "--validators", "1"])
            .args(["--no-contracts", "--dir"])
            .arg(dir);
        let said: Value = serde_json::from_str(&run(testnet)?)?;
        let place: Place = serde_json::from_value(said["nodes"][0].clone())?;
        let genesis = "config/genesis.json";
        fs::copy(
            self.nodes[0].place.home.join(genesis),
            place.home.join(genesis),
        )?;
        let peers = self.said["nodes"].as_array().into_iter().flatten();
        let peers: Vec<_> = peers
            .filter_map(|n| Some(format!("{}@{}", n["id"].as_str()?, n["p2p"].as_str()?)))
            .collect();
        let mut node = Node::new(install, place, None)?;
        node.more = vec!["--p2p.persistent_peers".into(), peers.join(",")];
        self.nodes.push(node);
        Ok(())
    }

    /// Starts what does not run, and waits until every node has a block more than the highest had.
    ///
    /// # Errors
    /// When a process ends or no block comes.
    pub fn start(&mut self) -> Result<()> {
        for node in &mut self.nodes {
            node.start()?;
        }
        self.wait_blocks(1)
    }

    /// SIGTERM to all.
    ///
    /// # Errors
    /// When one does not stop as it should.
    pub fn stop(&mut self) -> Result<()> {
        self.nodes.iter_mut().try_for_each(Node::stop)
    }

    /// Heights of the last blocks, 0 where a node does not answer.
    pub fn heights(&self) -> Vec<u64> {
        self.runtime.block_on(futures::future::join_all(
            self.nodes.iter().map(Node::height),
        ))
    }

    /// Waits until every node has `more` blocks more than the highest has now.
    ///
    /// # Errors
    /// As [`Self::wait_height`].
    pub fn wait_blocks(&mut self, more: u64) -> Result<()> {
        let top = self.heights().into_iter().max().unwrap_or(0);
        self.wait_height(top + more, &(0..self.nodes.len()).collect::<Vec<_>>())
    }

    /// Waits until `who` have a block of `height`.
    ///
    /// # Errors
    /// When a process ends or the block does not come within two minutes.
    pub fn wait_height(&mut self, height: u64, who: &[usize]) -> Result<()> {
        let what = format!("block {height} on nodes {who:?}");
        wait_for(&what, Duration::from_secs(120), || {
            for i in who {
                self.nodes[*i].check()?;
            }
            let heights = self.heights();
            Ok(who.iter().all(|i| heights[*i] >= height).then_some(()))
        })
        .with_context(|| format!("heights are {:?}", self.heights()))
    }

    /// The node whose turn it is to propose, as node `ask` sees it.
    ///
    /// # Errors
    /// When it does not answer or names nobody of us.
    pub fn proposer(&self, ask: usize) -> Result<usize> {
        let client = &self.nodes[ask].client;
        let answer = self
            .runtime
            .block_on(client.call("consensus_state", json!({})))?;
        let address = &answer["round_state"]["proposer"]["address"];
        self.nodes
            .iter()
            .position(|n| *address == *n.place.validator)
            .with_context(|| format!("expected one of our validators as proposer, got {address}"))
    }

    /// The headers of heights 1 to `to` on node `i`.
    ///
    /// # Errors
    /// When it does not answer or lacks one.
    pub fn headers(&self, i: usize, to: u64) -> Result<BTreeMap<u64, Header>> {
        // CometBFT answers with at most 20.
        const PAGE: u64 = 20;
        let mut found = BTreeMap::new();
        for from in (1..=to).step_by(PAGE as usize) {
            let range = json!({
                "minHeight": from.to_string(),
                "maxHeight": to.min(from + PAGE - 1).to_string(),
            });
            let client = &self.nodes[i].client;
            let page = self.runtime.block_on(client.call("blockchain", range))?;
            for meta in page["block_metas"].as_array().into_iter().flatten() {
                let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
                let header = Header {
                    block: text(&meta["block_id"]["hash"]),
                    app: text(&meta["header"]["app_hash"]),
                };
                found.insert(int(&meta["header"]["height"])?, header);
            }
        }
        ensure!(
            found.len() as u64 == to,
            "node {i}: expected {to} headers, got {}",
            found.len()
        );
        Ok(found)
    }

    /// That all nodes have the same blocks and states at every height, and that every block in which some node showed a
    /// transaction holds it on all of them.
    ///
    /// # Errors
    /// When nodes differ, or one does not come up with the others.
    pub fn audit(&mut self, sent: &[Sent]) -> Result<Audit> {
        let seen = sent.iter().map(|s| s.height).max().unwrap_or(0);
        let to = seen.max(self.heights().into_iter().max().unwrap_or(0)) + 1;
        self.wait_height(to, &(0..self.nodes.len()).collect::<Vec<_>>())?;
        let first = self.headers(0, to)?;
        for i in 1..self.nodes.len() {
            for (height, header) in self.headers(i, to)? {
                ensure!(
                    header == first[&height],
                    "height {height}: node 0 has {:?}, node {i} has {header:?}",
                    first[&height]
                );
            }
        }
        let mut by_height = BTreeMap::<u64, Vec<&Sent>>::new();
        for one in sent {
            by_height.entry(one.height).or_default().push(one);
        }
        for (i, node) in self.nodes.iter().enumerate() {
            for (height, expected) in &by_height {
                let ask = node
                    .client
                    .call("block", json!({ "height": height.to_string() }));
                let block = self.runtime.block_on(ask)?;
                let txs = block["block"]["data"]["txs"].as_array();
                let txs: BTreeSet<_> = txs
                    .into_iter()
                    .flatten()
                    .filter_map(|t| BASE64_STANDARD.decode(t.as_str()?).ok())
                    .map(|t| ember_client::rpc::hash(&t))
                    .collect();
                if let Some(lost) = expected.iter().find(|s| !txs.contains(&s.hash)) {
                    bail!(
                        "node {i}: transaction {} was in block {height} and is not",
                        lost.hash
                    );
                }
            }
        }
        Ok(Audit {
            height: to,
            nodes: self.nodes.len(),
            txs: sent.len(),
        })
    }
}

/// What an audit looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audit {
    /// Heights 1 to this.
    pub height: u64,
    /// On so many nodes.
    pub nodes: usize,
    /// So many transactions.
    pub txs: usize,
}
