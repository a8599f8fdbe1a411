//! Sending transactions and looking for them in blocks.

use super::{Client, query::number};
use crate::error::{Error, one_line};
use base64::{Engine, prelude::BASE64_STANDARD};
use cosmos_sdk_proto::cosmos::base::abci::v1beta1::TxMsgData;
use prost::Message;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// An event of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its type; a contract's events begin with `wasm`.
    pub kind: String,
    /// Keys and values in order.
    pub attributes: Vec<(String, String)>,
}

/// A transaction that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxOutcome {
    /// Upper-case hex.
    pub hash: String,
    /// Block that holds it.
    pub height: u64,
    /// Gas it used.
    pub gas_used: u64,
    /// `TxMsgData`: what its messages answered.
    pub data: Vec<u8>,
    /// Events in order.
    pub events: Vec<Event>,
}

impl TxOutcome {
    /// The value of `key` in the first event of type `kind` that has it.
    pub fn attribute(&self, kind: &str, key: &str) -> Option<&str> {
        self.events
            .iter()
            .filter(|e| e.kind == kind)
            .flat_map(|e| &e.attributes)
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }

    /// The encoded answer of message number `index`.
    ///
    /// # Errors
    /// When there is none.
    pub fn msg_response(&self, index: usize) -> Result<Vec<u8>, Error> {
        let what = format!("data of transaction {}", self.hash);
        let data =
            TxMsgData::decode(self.data.as_slice()).map_err(|e| Error::protocol(&what, e))?;
        let answer = data.msg_responses.into_iter().nth(index);
        answer
            .map(|a| a.value)
            .ok_or_else(|| Error::protocol(what, format!("no answer number {index}")))
    }
}

/// The hash that names a transaction.
pub fn hash(tx: &[u8]) -> String {
    hex::encode_upper(Sha256::digest(tx))
}

impl Client {
    /// Gives a transaction to a node's pool: its hash. A node that has it already is content.
    ///
    /// # Errors
    /// [`Error::Rejected`] when the node's check refuses it.
    pub async fn broadcast(&self, tx: &[u8]) -> Result<String, Error> {
        let params = json!({"tx": BASE64_STANDARD.encode(tx)});
        let v = match self.call("broadcast_tx_sync", params).await {
            Ok(v) => v,
            Err(Error::Query { log, .. }) if log.contains("already exists in cache") => {
                return Ok(hash(tx));
            }
            Err(e) => return Err(e),
        };
        check(&v)?;
        Ok(hash(tx))
    }

    /// The transaction of that hash; `None` while no block holds it.
    ///
    /// # Errors
    /// [`Error::Rejected`] when it is in a block and failed.
    pub async fn tx(&self, hash: &str) -> Result<Option<TxOutcome>, Error> {
        let raw = hex::decode(hash).map_err(|_| Error::Malformed {
            what: "transaction hash",
            expected: "64 hex digits",
            got: hash.into(),
        })?;
        let params = json!({"hash": BASE64_STANDARD.encode(raw), "prove": false});
        let v = match self.call("tx", params).await {
            Ok(v) => v,
            Err(Error::Query { log, .. }) if log.contains("not found") => return Ok(None),
            Err(e) => return Err(e),
        };
        let r = &v["tx_result"];
        check(r)?;
        let data = r["data"].as_str().unwrap_or_default();
        Ok(Some(TxOutcome {
            hash: hash.into(),
            height: number(&v["height"]).ok_or_else(|| Error::protocol("tx", &v))?,
            gas_used: number(&r["gas_used"]).unwrap_or(0),
            data: BASE64_STANDARD
                .decode(data)
                .map_err(|_| Error::protocol("tx", &v))?,
            events: r["events"]
                .as_array()
                .map(|e| e.iter().map(event).collect())
                .unwrap_or_default(),
        }))
    }

    /// Waits until a block holds the transaction. An outage of the nodes is waited out too.
    ///
    /// # Errors
    /// [`Error::NotIncluded`] after `limit`; [`Error::Rejected`] when it failed in its block.
    pub async fn wait_tx(&self, hash: &str, limit: Duration) -> Result<TxOutcome, Error> {
        let deadline = Instant::now() + limit;
        loop {
            match self.tx(hash).await {
                Ok(Some(t)) => return Ok(t),
                Ok(None) => {}
                Err(e) if e.is_outage() => {}
                Err(e) => return Err(e),
            }
            if Instant::now() >= deadline {
                return Err(Error::NotIncluded { hash: hash.into() });
            }
            sleep(Duration::from_millis(25)).await;
        }
    }
}

/// The result's code, as an error unless zero.
fn check(v: &Value) -> Result<(), Error> {
    match number(&v["code"]).unwrap_or(0) {
        0 => Ok(()),
        code => Err(Error::Rejected {
            codespace: v["codespace"].as_str().unwrap_or_default().into(),
            code: u32::try_from(code).unwrap_or(u32::MAX),
            log: one_line(v["log"].as_str().unwrap_or_default()),
        }),
    }
}

fn event(v: &Value) -> Event {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    Event {
        kind: text(&v["type"]),
        attributes: v["attributes"]
            .as_array()
            .map(|a| {
                a.iter()
                    .map(|a| (text(&a["key"]), text(&a["value"])))
                    .collect()
            })
            .unwrap_or_default(),
    }
}
