//! `emberd query`.

use super::output::{Format, print};
use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Subcommand;
use ember_client::{
    Client,
    cosmos_sdk_proto::{
        cosmos::bank::v1beta1::{QueryBalanceRequest, QueryBalanceResponse},
        cosmwasm::wasm::v1::{
            QueryContractInfoRequest, QueryContractInfoResponse, QueryRawContractStateRequest,
            QueryRawContractStateResponse,
        },
    },
};
use serde_json::{Value, json};
use std::path::Path;

/// Options of `query`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    node: Node,
    #[command(subcommand)]
    command: Command,
}

/// Which node to ask.
#[derive(Debug, clap::Args)]
pub(super) struct Node {
    /// RPC addresses, comma-separated; by default the node of this home, else http://127.0.0.1:26657.
    #[arg(long, global = true, env = "EMBER_NODE", value_name = "URL")]
    node: Option<String>,
}

impl Node {
    /// A client of it.
    ///
    /// # Errors
    /// When the address is none.
    pub(super) fn client(&self, home: &Path) -> Result<Client> {
        let own = || -> Option<String> {
            let text = std::fs::read_to_string(home.join("data/addresses.json")).ok()?;
            let value: Value = serde_json::from_str(&text).ok()?;
            Some(value["rpc"].as_str()?.to_owned())
        };
        let url = self.node.clone().or_else(own);
        Ok(Client::new(
            url.as_deref().unwrap_or("http://127.0.0.1:26657"),
        )?)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The node's state.
    Status,
    /// An account's number and sequence.
    Account {
        /// Its address.
        address: String,
    },
    /// What an account holds of one denom.
    Balance {
        /// Its address.
        address: String,
        /// The denom.
        denom: String,
    },
    /// What an account holds.
    Balances {
        /// Its address.
        address: String,
    },
    /// A transaction by its hash.
    Tx {
        /// 64 hex digits.
        hash: String,
    },
    /// Transactions by a query over their events.
    Txs {
        /// For example "message.sender='ember1...'".
        query: String,
        /// Which page.
        #[arg(long, default_value_t = 1)]
        page: u32,
        /// How many a page.
        #[arg(long, default_value_t = 30)]
        limit: u32,
    },
    /// A block; the newest without a height.
    Block {
        /// Its height.
        height: Option<u64>,
    },
    /// Contracts.
    Contract {
        #[command(subcommand)]
        command: Contract,
    },
}

#[derive(Debug, Subcommand)]
enum Contract {
    /// Ask a contract.
    Smart {
        /// Its address.
        address: String,
        /// The query, JSON.
        msg: String,
    },
    /// Read one key of a contract's store.
    Raw {
        /// Its address.
        address: String,
        /// The key, hex.
        key: String,
    },
    /// Who made a contract, and from which code.
    Info {
        /// Its address.
        address: String,
    },
    /// Contracts made from a code, oldest first.
    List {
        /// The code.
        code_id: u64,
    },
}

/// Run one.
///
/// # Errors
/// When no node answers, or it refuses.
pub(super) async fn run(home: &Path, args: Args, out: Format) -> Result<()> {
    let client = args.node.client(home)?;
    let value = match args.command {
        Command::Status => client.call("status", json!({})).await?,
        Command::Account { address } => {
            let account = client
                .account(&address)
                .await?
                .with_context(|| format!("account {address} not found: send it something first"))?;
            json!({
                "address": address,
                "account_number": account.number.to_string(),
                "sequence": account.sequence.to_string(),
            })
        }
        Command::Balance { address, denom } => {
            let request = QueryBalanceRequest { address, denom };
            let answer: QueryBalanceResponse = client
                .grpc("/cosmos.bank.v1beta1.Query/Balance", &request)
                .await?;
            let coin = answer.balance.unwrap_or_default();
            json!({ "balance": { "denom": coin.denom, "amount": coin.amount } })
        }
        Command::Balances { address } => {
            let coins = client.balances(&address).await?;
            let coins: Vec<_> = coins
                .iter()
                .map(|c| json!({ "denom": c.denom, "amount": c.amount.to_string() }))
                .collect();
            json!({ "balances": coins })
        }
        Command::Tx { hash } => {
            let raw = hex::decode(&hash).ok().filter(|h| h.len() == 32);
            let raw = raw.with_context(|| {
                format!("transaction hash: expected 64 hex digits, got {hash:?}")
            })?;
            client
                .call(
                    "tx",
                    json!({ "hash": STANDARD.encode(raw), "prove": false }),
                )
                .await?
        }
        Command::Txs { query, page, limit } => {
            let params = json!({
                "query": query, "prove": false, "page": page.to_string(), "per_page": limit.to_string(), "order_by": "asc",
            });
            client.call("tx_search", params).await?
        }
        Command::Block { height } => {
            let params = height.map_or_else(|| json!({}), |h| json!({ "height": h.to_string() }));
            client.call("block", params).await?
        }
        Command::Contract { command } => contract(&client, command).await?,
    };
    print(out, &value)
}

async fn contract(client: &Client, command: Contract) -> Result<Value> {
    Ok(match command {
        Contract::Smart { address, msg } => {
            let msg: Value = serde_json::from_str(&msg).context("query message: expected JSON")?;
            client.smart(&address, &msg).await?
        }
        Contract::Raw { address, key } => {
            let request = QueryRawContractStateRequest {
                address,
                query_data: hex::decode(&key)
                    .with_context(|| format!("key: expected hex, got {key:?}"))?,
            };
            let path = "/cosmwasm.wasm.v1.Query/RawContractState";
            let answer: QueryRawContractStateResponse = client.grpc(path, &request).await?;
            json!({ "data": STANDARD.encode(answer.data) })
        }
        Contract::Info { address } => {
            let request = QueryContractInfoRequest { address };
            let path = "/cosmwasm.wasm.v1.Query/ContractInfo";
            let answer: QueryContractInfoResponse = client.grpc(path, &request).await?;
            let info = answer
                .contract_info
                .context("the node answered without contract_info")?;
            ensure!(
                !answer.address.is_empty(),
                "the node answered without an address"
            );
            json!({
                "address": answer.address,
                "contract_info": {
                    "code_id": info.code_id.to_string(),
                    "creator": info.creator,
                    "admin": info.admin,
                    "label": info.label,
                },
            })
        }
        Contract::List { code_id } => {
            json!({ "contracts": client.contracts_by_code(code_id).await? })
        }
    })
}
