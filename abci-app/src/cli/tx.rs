//! `emberd tx`.

use super::{
    keys,
    output::{Format, print},
    query::Node,
};
use crate::config::Config;
use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Subcommand;
use ember_client::{
    Any, Client, Coin, GasPrice, Key, TxOutcome,
    cosmos_sdk_proto::{
        cosmos::bank::v1beta1::MsgSend,
        cosmwasm::wasm::v1::{MsgInstantiateContract, MsgStoreCode},
    },
    msg,
    signer::{SignData, sign},
};
use prost::Message;
use serde_json::{Value, json};
use std::{
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

/// Options of `tx`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    signing: Signing,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
struct Signing {
    /// Name of the key that signs.
    #[arg(long, global = true, value_name = "KEY")]
    from: Option<String>,
    /// What is paid, for example 5000uember; by default gas times gas price.
    #[arg(long, global = true, value_name = "COIN")]
    fees: Option<Coin>,
    /// Price of one gas, for example 0.025uember; by default the home's minimum.
    #[arg(long, global = true, value_name = "PRICE", conflicts_with = "fees")]
    gas_prices: Option<GasPrice>,
    /// Gas limit, or auto: 140 % of what a simulation uses.
    #[arg(long, global = true, default_value = "auto")]
    gas: String,
    /// The chain that may include it; asked of the node by default.
    #[arg(long, global = true)]
    chain_id: Option<String>,
    /// A public text.
    #[arg(long, global = true, default_value = "")]
    note: String,
    /// Seconds to wait for a block.
    #[arg(long, global = true, default_value_t = 30)]
    timeout_secs: u64,
    /// Print the signed transaction in base64 and do not send it.
    #[arg(long, global = true)]
    sign_only: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send coins.
    Send {
        /// To this address.
        to: String,
        /// For example 1000uember,5uusdc.
        #[arg(value_delimiter = ',', required = true)]
        coins: Vec<Coin>,
    },
    /// Store a contract's code.
    Store {
        /// The wasm module, plain or gzipped.
        file: PathBuf,
    },
    /// Make a contract from a code.
    Instantiate {
        /// The code.
        code_id: u64,
        /// The message, JSON.
        msg: String,
        /// The contract's label.
        #[arg(long)]
        label: String,
        /// Who may migrate it; nobody by default.
        #[arg(long, default_value = "")]
        admin: String,
        /// Coins sent along.
        #[arg(long, value_delimiter = ',')]
        amount: Vec<Coin>,
    },
    /// Execute a contract.
    Execute {
        /// Its address.
        contract: String,
        /// The message, JSON.
        msg: String,
        /// Coins sent along.
        #[arg(long, value_delimiter = ',')]
        amount: Vec<Coin>,
    },
    /// Send a signed transaction.
    Broadcast {
        /// A file with the transaction in base64; - is standard input.
        file: PathBuf,
    },
}

/// Run one.
///
/// # Errors
/// With what the chain says, or when no node answers or no block comes in time.
pub(super) async fn run(home: &Path, args: Args, out: Format) -> Result<()> {
    let client = args.node.client(home)?;
    let timeout = Duration::from_secs(args.signing.timeout_secs);
    if let Command::Broadcast { file } = &args.command {
        let tx = read_tx(file)?;
        let hash = client.broadcast(&tx).await?;
        return print(out, &outcome(&client.wait_tx(&hash, timeout).await?));
    }
    let name = args
        .signing
        .from
        .as_deref()
        .context("--from: expected the name of a key: see emberd keys list")?;
    let key = keys::open(home, None).get(name)?;
    let tx = signed(
        home,
        &client,
        &args.signing,
        &key,
        message(&args.command, &key)?,
    )
    .await?;
    if args.signing.sign_only {
        return print(out, &json!({ "tx": STANDARD.encode(tx) }));
    }
    let hash = client.broadcast(&tx).await?;
    print(out, &outcome(&client.wait_tx(&hash, timeout).await?))
}

fn message(command: &Command, key: &Key) -> Result<Any> {
    let json = |text: &str| serde_json::from_str::<Value>(text).context("message: expected JSON");
    let any = |type_url: &str, value: Vec<u8>| Any {
        type_url: type_url.into(),
        value,
    };
    let sender = key.address.clone();
    // The bank wants coins sorted by denom.
    let sorted = |coins: &[Coin]| {
        let mut coins: Vec<_> = coins.to_vec();
        coins.sort_by(|a, b| a.denom.cmp(&b.denom));
        coins
    };
    Ok(match command {
        Command::Send { to, coins } => any(
            "/cosmos.bank.v1beta1.MsgSend",
            MsgSend {
                from_address: sender,
                to_address: to.clone(),
                amount: sorted(coins).iter().map(msg::coin).collect(),
            }
            .encode_to_vec(),
        ),
        Command::Store { file } => any(
            "/cosmwasm.wasm.v1.MsgStoreCode",
            MsgStoreCode {
                sender,
                wasm_byte_code: std::fs::read(file).with_context(|| file.display().to_string())?,
                instantiate_permission: None,
            }
            .encode_to_vec(),
        ),
        Command::Instantiate {
            code_id,
            msg: text,
            label,
            admin,
            amount,
        } => any(
            "/cosmwasm.wasm.v1.MsgInstantiateContract",
            MsgInstantiateContract {
                sender,
                admin: admin.clone(),
                code_id: *code_id,
                label: label.clone(),
                msg: serde_json::to_vec(&json(text)?)?,
                funds: sorted(amount).iter().map(msg::coin).collect(),
            }
            .encode_to_vec(),
        ),
        Command::Execute {
            contract,
            msg: text,
            amount,
        } => msg::execute(&sender, contract, &json(text)?, &sorted(amount))?,
        Command::Broadcast { .. } => bail!("a signed transaction has no message to make"),
    })
}

async fn signed(home: &Path, client: &Client, s: &Signing, key: &Key, msg: Any) -> Result<Vec<u8>> {
    let chain_id = client.chain_id().await?.to_owned();
    if let Some(wanted) = &s.chain_id {
        ensure!(
            *wanted == chain_id,
            "--chain-id: expected {chain_id}, the node's, got {wanted}"
        );
    }
    let account = client.account(&key.address).await?.with_context(|| {
        format!(
            "account {} is not on chain {chain_id}: send it something first",
            key.address
        )
    })?;
    let price = || -> Result<GasPrice> {
        if let Some(p) = &s.gas_prices {
            return Ok(p.clone());
        }
        let minimum = Config::load(home)
            .map(|c| c.minimum_gas_prices)
            .unwrap_or_default();
        let first = minimum.split(',').next().unwrap_or_default().trim();
        first.parse().context(
            "expected --fees or --gas-prices, and this home's app.toml has no minimum-gas-prices",
        )
    };
    let mut data = SignData {
        fee: match &s.fees {
            Some(fee) => fee.clone(),
            None => Coin {
                amount: 0,
                denom: price()?.denom,
            },
        },
        gas: 0,
        memo: s.note.clone(),
        chain_id,
        account_number: account.number,
        sequence: account.sequence,
    };
    data.gas = if s.gas == "auto" {
        // Taking a fee costs gas too, whatever the fee is: simulate with one unless gas is free.
        if s.fees.is_none() && price()?.fee(1)?.amount > 0 {
            data.fee.amount = 1;
        }
        let used = client.simulate(sign(key, vec![msg.clone()], &data)).await?;
        used.saturating_mul(140) / 100
    } else {
        s.gas
            .parse()
            .with_context(|| format!("--gas: expected auto or a whole number, got {:?}", s.gas))?
    };
    if s.fees.is_none() {
        data.fee = price()?.fee(data.gas)?;
    }
    Ok(sign(key, vec![msg], &data))
}

fn read_tx(file: &Path) -> Result<Vec<u8>> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        text
    } else {
        std::fs::read_to_string(file).with_context(|| file.display().to_string())?
    };
    // As --sign-only --output json prints it, or bare.
    let json: Option<Value> = serde_json::from_str(&text).ok();
    let bare = json
        .as_ref()
        .and_then(|v| v["tx"].as_str())
        .unwrap_or(&text);
    STANDARD
        .decode(bare.trim())
        .context("transaction: expected base64")
}

fn outcome(tx: &TxOutcome) -> Value {
    let events: Vec<_> = tx
        .events
        .iter()
        .map(|e| {
            let attributes: Vec<_> = e
                .attributes
                .iter()
                .map(|(k, v)| json!({ "key": k, "value": v }))
                .collect();
            json!({ "type": e.kind, "attributes": attributes })
        })
        .collect();
    json!({
        "txhash": tx.hash,
        "height": tx.height.to_string(),
        "code": 0,
        "gas_used": tx.gas_used.to_string(),
        "data": hex::encode_upper(&tx.data),
        "events": events,
    })
}
