//! Queries of the chain's modules.

use super::Client;
use crate::{
    coin::Coin,
    error::{Error, one_line},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use cosmos_sdk_proto::{
    cosmos::{
        auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse},
        bank::v1beta1::{QueryAllBalancesRequest, QueryAllBalancesResponse},
        base::query::v1beta1::PageRequest,
        tx::v1beta1::{SimulateRequest, SimulateResponse},
    },
    cosmwasm::wasm::v1::{
        QueryContractsByCodeRequest, QueryContractsByCodeResponse, QuerySmartContractStateRequest,
        QuerySmartContractStateResponse,
    },
};
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Where a node stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The chain's id.
    pub chain_id: String,
    /// Height of its last block; 0 before the first.
    pub height: u64,
    /// Time of that block, RFC 3339.
    pub time: String,
}

impl Status {
    /// Time of the last block in whole unix seconds.
    ///
    /// # Errors
    /// When the node wrote no RFC 3339 time.
    pub fn unix_seconds(&self) -> Result<u64, Error> {
        let bad = || Error::protocol("status", &self.time);
        let time = OffsetDateTime::parse(&self.time, &Rfc3339).map_err(|_| bad())?;
        u64::try_from(time.unix_timestamp()).map_err(|_| bad())
    }
}

/// An account as the auth module knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub number: u64,
    /// Its next sequence.
    pub sequence: u64,
}

const NOT_FOUND: u32 = 22;

impl Client {
    /// The node's state.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn status(&self) -> Result<Status, Error> {
        let v = self.call("status", json!({})).await?;
        let text = |v: &Value| v.as_str().map(str::to_owned);
        let sync = &v["sync_info"];
        match (
            text(&v["node_info"]["network"]),
            number(&sync["latest_block_height"]),
            text(&sync["latest_block_time"]),
        ) {
            (Some(chain_id), Some(height), Some(time)) => Ok(Status {
                chain_id,
                height,
                time,
            }),
            _ => Err(Error::protocol("status", &v)),
        }
    }

    /// The chain's id; asked once.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn chain_id(&self) -> Result<&str, Error> {
        let id = self
            .inner
            .chain_id
            .get_or_try_init(|| async { Ok(self.status().await?.chain_id) });
        id.await.map(String::as_str)
    }

    /// A gRPC query by its path, for example `/cosmos.bank.v1beta1.Query/AllBalances`.
    ///
    /// # Errors
    /// When no node answers, the chain refuses or the answer has another shape.
    pub async fn grpc<R: Message + Default>(
        &self,
        path: &str,
        request: &impl Message,
    ) -> Result<R, Error> {
        let bytes = self.abci_query(path, &request.encode_to_vec()).await?;
        R::decode(bytes.as_slice()).map_err(|e| Error::protocol(path, e))
    }

    /// `abci_query` at the last height: the value.
    ///
    /// # Errors
    /// When no node answers or the chain refuses.
    pub async fn abci_query(&self, path: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        let params =
            json!({"path": path, "data": hex::encode(data), "height": "0", "prove": false});
        let v = self.call("abci_query", params).await?;
        let r = &v["response"];
        let code = number(&r["code"]).unwrap_or(0);
        if code != 0 {
            return Err(Error::Query {
                code: u32::try_from(code).unwrap_or(u32::MAX),
                log: one_line(r["log"].as_str().unwrap_or_default()),
            });
        }
        match &r["value"] {
            Value::Null => Ok(Vec::new()),
            Value::String(s) => BASE64_STANDARD
                .decode(s)
                .map_err(|_| Error::protocol(path, &v)),
            _ => Err(Error::protocol(path, &v)),
        }
    }

    /// An account's number and sequence; `None` when the chain never heard of it.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn account(&self, address: &str) -> Result<Option<Account>, Error> {
        let request = QueryAccountRequest {
            address: address.into(),
        };
        let path = "/cosmos.auth.v1beta1.Query/Account";
        let answer: Result<QueryAccountResponse, _> = self.grpc(path, &request).await;
        let any = match answer {
            Ok(a) => a.account,
            Err(Error::Query { code, log }) if code == NOT_FOUND || log.contains("not found") => {
                return Ok(None);
            }
            Err(e) => return Err(e),
        };
        any.map(|a| {
            let base =
                BaseAccount::decode(a.value.as_slice()).map_err(|e| Error::protocol(path, e))?;
            Ok(Account {
                number: base.account_number,
                sequence: base.sequence,
            })
        })
        .transpose()
    }

    /// All coins of an account.
    ///
    /// # Errors
    /// When no node answers or an amount is no number.
    pub async fn balances(&self, address: &str) -> Result<Vec<Coin>, Error> {
        let path = "/cosmos.bank.v1beta1.Query/AllBalances";
        let (mut coins, mut key) = (Vec::new(), Vec::new());
        loop {
            let request = QueryAllBalancesRequest {
                address: address.into(),
                pagination: page(key),
                ..Default::default()
            };
            let r: QueryAllBalancesResponse = self.grpc(path, &request).await?;
            for c in r.balances {
                let amount = c
                    .amount
                    .parse()
                    .map_err(|_| Error::protocol(path, &c.amount))?;
                coins.push(Coin {
                    amount,
                    denom: c.denom,
                });
            }
            key = r.pagination.map(|p| p.next_key).unwrap_or_default();
            if key.is_empty() {
                return Ok(coins);
            }
        }
    }

    /// Gas that a signed transaction would use.
    ///
    /// # Errors
    /// [`Error::Query`] with what the chain says when the transaction would fail.
    pub async fn simulate(&self, tx: Vec<u8>) -> Result<u64, Error> {
        let path = "/cosmos.tx.v1beta1.Service/Simulate";
        let request = SimulateRequest {
            tx_bytes: tx,
            ..Default::default()
        };
        let r: SimulateResponse = self.grpc(path, &request).await?;
        r.gas_info
            .map(|g| g.gas_used)
            .ok_or_else(|| Error::protocol(path, "no gas_info"))
    }

    /// A smart query of a contract.
    ///
    /// # Errors
    /// When no node answers, the contract refuses or the answer has another shape.
    pub async fn smart<T: DeserializeOwned>(
        &self,
        contract: &str,
        msg: &impl Serialize,
    ) -> Result<T, Error> {
        let path = "/cosmwasm.wasm.v1.Query/SmartContractState";
        let request = QuerySmartContractStateRequest {
            address: contract.into(),
            query_data: serde_json::to_vec(msg).map_err(|e| Error::protocol(path, e))?,
        };
        let r: QuerySmartContractStateResponse = self.grpc(path, &request).await?;
        serde_json::from_slice(&r.data).map_err(|e| Error::protocol(path, e))
    }

    /// Contracts made from a code, oldest first.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn contracts_by_code(&self, code_id: u64) -> Result<Vec<String>, Error> {
        let path = "/cosmwasm.wasm.v1.Query/ContractsByCode";
        let (mut contracts, mut key) = (Vec::new(), Vec::new());
        loop {
            let request = QueryContractsByCodeRequest {
                code_id,
                pagination: page(key),
            };
            let r: QueryContractsByCodeResponse = self.grpc(path, &request).await?;
            contracts.extend(r.contracts);
            key = r.pagination.map(|p| p.next_key).unwrap_or_default();
            if key.is_empty() {
                return Ok(contracts);
            }
        }
    }
}

fn page(key: Vec<u8>) -> Option<PageRequest> {
    (!key.is_empty()).then(|| PageRequest {
        key,
        ..Default::default()
    })
}

/// A JSON number or a string of one: CometBFT writes 64-bit integers as strings.
pub(super) fn number(v: &Value) -> Option<u64> {
    v.as_u64().or_else(|| v.as_str()?.parse().ok())
}
