//! Transactions all the time, whatever happens to the nodes: each is repeated, the same bytes, until some node shows it
//! in a block, so that in the end all are in the chain once.

use anyhow::{Context, Result, bail, ensure};
use ember_client::cosmos_sdk_proto::{cosmos::bank::v1beta1::MsgSend, traits::Message};
use ember_client::{
    Any, Client, Coin, Error, Key, msg,
    rpc::hash,
    signer::{SignData, sign},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    runtime::Runtime,
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

/// Gas limit of a transfer, more than it needs.
const GAS: u64 = 200_000;
/// What it pays, at the price that nodes ask for.
const FEE: u128 = 200;
/// How long a node may show nothing of a transaction before it is given to the next.
const PATIENCE: Duration = Duration::from_secs(4);

/// A transaction that a node has shown in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its hash.
    pub hash: String,
    /// The block's height.
    pub height: u64,
}

/// Those who send, and to whom.
#[derive(Debug)]
pub struct Senders {
    keys: Vec<Arc<Key>>,
    receiver: Key,
    denom: String,
}

impl Senders {
    /// `count` keys with nothing yet.
    ///
    /// # Errors
    /// Never for a prefix such as `ember`.
    pub fn new(count: usize, prefix: &str, denom: &str) -> Result<Self> {
        let key = |name: &str| Ok::<_, Error>(Key::generate(name, prefix)?.0);
        Ok(Self {
            keys: (0..count)
                .map(|_| Ok(Arc::new(key("sender")?)))
                .collect::<Result<_>>()?,
            receiver: key("receiver")?,
            denom: denom.into(),
        })
    }

    /// `ADDR:COINS` of each, for a genesis.
    pub fn accounts(&self) -> Vec<String> {
        let funds = |k: &Arc<Key>| format!("{}:1000000000{}", k.address, self.denom);
        self.keys.iter().map(funds).collect()
    }

    /// Begins to send, one micro-unit at a time, each sender to a node of its own first.
    pub fn start(&self, runtime: &Runtime, clients: &[Client]) -> Traffic {
        let (stop, stopped) = watch::channel(false);
        let sent = Arc::new(Mutex::new(Vec::new()));
        let tasks = self.keys.iter().enumerate().map(|(i, key)| {
            let mut clients = clients.to_vec();
            let first = i % clients.len().max(1);
            clients.rotate_left(first);
            let sender = Sender {
                key: Arc::clone(key),
                receiver: self.receiver.address.clone(),
                denom: self.denom.clone(),
                clients,
                sent: Arc::clone(&sent),
            };
            runtime.spawn(sender.run(stopped.clone()))
        });
        Traffic {
            tasks: tasks.collect(),
            stop,
            sent,
        }
    }

    /// That the receiver has one micro-unit for each of `all` on every node.
    ///
    /// # Errors
    /// When a node says something else.
    pub fn check(&self, runtime: &Runtime, clients: &[Client], all: usize) -> Result<()> {
        for (i, client) in clients.iter().enumerate() {
            let coins = runtime.block_on(client.balances(&self.receiver.address))?;
            let has = coins
                .iter()
                .find(|c| c.denom == self.denom)
                .map_or(0, |c| c.amount);
            ensure!(
                has == all as u128,
                "node {i}: expected the receiver of {all} transfers of one to have {all}, got {has}"
            );
        }
        Ok(())
    }
}

/// Senders at work.
#[derive(Debug)]
pub struct Traffic {
    tasks: Vec<JoinHandle<Result<()>>>,
    stop: watch::Sender<bool>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Traffic {
    /// How many transactions are in blocks so far.
    pub fn count(&self) -> usize {
        locked(&self.sent).len()
    }

    /// The transactions that are in blocks so far.
    pub fn so_far(&self) -> Vec<Sent> {
        locked(&self.sent).clone()
    }

    /// Sends no new ones, waits for those on the way, and gives all that are in blocks.
    ///
    /// # Errors
    /// When one does not get into a block within a minute, or was refused for another reason than its sequence.
    pub fn finish(self, runtime: &Runtime) -> Result<Vec<Sent>> {
        self.stop.send(true).ok();
        for task in self.tasks {
            runtime
                .block_on(async { timeout(Duration::from_secs(60), task).await })
                .context("a transaction did not get into a block within a minute")???;
        }
        Ok(locked(&self.sent).clone())
    }
}

fn locked(sent: &Mutex<Vec<Sent>>) -> std::sync::MutexGuard<'_, Vec<Sent>> {
    sent.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Sender {
    key: Arc<Key>,
    receiver: String,
    denom: String,
    clients: Vec<Client>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Sender {
    async fn run(self, stopped: watch::Receiver<bool>) -> Result<()> {
        let first = &self.clients[0];
        let account = first
            .account(&self.key.address)
            .await?
            .context("the sender has no account")?;
        let mut data = SignData {
            fee: self.coin(FEE),
            gas: GAS,
            memo: String::new(),
            chain_id: first.chain_id().await?.to_owned(),
            account_number: account.number,
            sequence: account.sequence,
        };
        while !*stopped.borrow() {
            let send = Any {
                type_url: "/cosmos.bank.v1beta1.MsgSend".into(),
                value: MsgSend {
                    from_address: self.key.address.clone(),
                    to_address: self.receiver.clone(),
                    amount: vec![msg::coin(&self.coin(1))],
                }
                .encode_to_vec(),
            };
            let done = self.deliver(&sign(&self.key, vec![send], &data)).await?;
            locked(&self.sent).push(done);
            data.sequence += 1;
        }
        Ok(())
    }

    /// From node to node until one shows it.
    async fn deliver(&self, tx: &[u8]) -> Result<Sent> {
        let hash = hash(tx);
        for client in self.clients.iter().cycle() {
            match client.broadcast(tx).await {
                Ok(_) => {}
                // It is in a block already, or this node is behind: the look below or another node tells.
                Err(e) if e.is_outage() || e.is_sequence_mismatch() => {}
                // A node that is starting or stopping.
                Err(Error::Query { .. }) => {}
                Err(e) => bail!("{}: {e}", client.urls().join(",")),
            }
            let until = Instant::now() + PATIENCE;
            loop {
                match client.tx(&hash).await {
                    Ok(Some(found)) => {
                        return Ok(Sent {
                            hash,
                            height: found.height,
                        });
                    }
                    Ok(None) if Instant::now() < until => {}
                    Err(Error::Rejected { log, .. }) => bail!("{hash} failed in its block: {log}"),
                    _ => break,
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
        bail!("no node to send to")
    }

    fn coin(&self, amount: u128) -> Coin {
        Coin {
            amount,
            denom: self.denom.clone(),
        }
    }
}
