//! `emberd add-genesis-account`, `gentx` and `collect-gentxs`: a genesis whose first validators stake, made as with the
//! SDK: everyone signs a `MsgCreateValidator`, one collects them.

use super::{
    keys,
    output::{Format, print},
};
use crate::{
    app::App,
    codec::{address, dec::Dec, json},
    config::Config,
    engine::keys::Key,
    modules::{
        auth,
        genutil::{self, CREATE_VALIDATOR},
    },
};
use anyhow::{Context, Result, anyhow, bail, ensure};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        base::v1beta1::Coin as CoinProto,
        crypto::ed25519::PubKey,
        staking::v1beta1::{CommissionRates, Description, MsgCreateValidator},
        tx::v1beta1::{AuthInfo, Tx, TxBody, TxRaw},
    },
};
use ember_client::{
    Coin,
    signer::{SignData, sign},
};
use prost::Message;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Options of `add-genesis-account`.
#[derive(Debug, clap::Args)]
pub struct AccountArgs {
    /// An address, or the name of a key in the keyring.
    account: String,
    /// What it holds, for example 1000000uember,5uusdc.
    #[arg(value_delimiter = ',', required = true)]
    coins: Vec<Coin>,
}

/// Options of `gentx`.
#[derive(Debug, clap::Args)]
pub struct GentxArgs {
    /// Name of the operator's key in the keyring.
    key: String,
    /// What it delegates to itself; at least 1,000,000 micro-units make a validator of the first block.
    amount: Coin,
    /// The validator's name; the node's by default.
    #[arg(long)]
    moniker: Option<String>,
    /// What it keeps of rewards, as a fraction of one.
    #[arg(long, default_value = "0.1")]
    commission_rate: String,
    /// The most that it will ever keep.
    #[arg(long, default_value = "0.2")]
    commission_max_rate: String,
    /// The most that it will raise that in a day.
    #[arg(long, default_value = "0.01")]
    commission_max_change_rate: String,
    /// The least that it delegates to itself.
    #[arg(long, default_value_t = 1)]
    min_self_delegation: u128,
    /// Write to this file; HOME/config/gentx/gentx-NODE.json by default.
    #[arg(long, value_name = "FILE")]
    output_document: Option<PathBuf>,
}

/// Options of `collect-gentxs`.
#[derive(Debug, clap::Args)]
pub struct CollectArgs {
    /// Where the transactions lie; HOME/config/gentx by default.
    #[arg(long, value_name = "DIR")]
    gentx_dir: Option<PathBuf>,
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| format!("{}: expected JSON", path.display()))
}

/// Writes a file whole or not at all.
fn write(path: &Path, value: &Value) -> Result<()> {
    let part = path.with_extension("json.part");
    fs::write(&part, serde_json::to_string_pretty(value)?)
        .and_then(|()| fs::rename(&part, path))
        .with_context(|| path.display().to_string())
}

/// The home's genesis, of a chain that has not begun.
fn genesis(home: &Path) -> Result<(PathBuf, Value)> {
    ensure!(
        !home.join("data/application.db").exists(),
        "{}: expected a chain that has not begun, got one with blocks: emberd init --overwrite begins anew",
        home.display()
    );
    let path = home.join("config/genesis.json");
    let genesis = read(&path).context("run emberd init first")?;
    Ok((path, genesis))
}

fn list<'a>(state: &'a mut Value, module: &str, name: &str) -> Result<&'a mut Vec<Value>> {
    state[module][name]
        .as_array_mut()
        .with_context(|| format!("genesis: app_state.{module}.{name}: expected a list"))
}

/// Give an account of the genesis coins.
///
/// # Errors
/// When the chain has begun, or the account is in its genesis already.
pub(super) fn add_account(home: &Path, args: &AccountArgs, out: Format) -> Result<()> {
    let (path, mut genesis) = genesis(home)?;
    let state = &mut genesis["app_state"];
    let prefix = Config::load(home)?.prefix;
    let account = match address::decode(&prefix, &args.account) {
        Ok(_) => args.account.clone(),
        Err(e) => match keys::open(home, None).get(&args.account) {
            Ok(key) => key.address,
            Err(_) => bail!("{}: expected an address or a key's name: {e}", args.account),
        },
    };
    let is_it = |v: &Value| {
        v["address"] == account.as_str() || v["base_account"]["address"] == account.as_str()
    };
    let accounts = list(state, "auth", "accounts")?;
    ensure!(
        !accounts.iter().any(is_it),
        "{account}: expected an account that the genesis has not, got one that it has"
    );
    accounts.push(json!({
        "@type": "/cosmos.auth.v1beta1.BaseAccount",
        "address": account,
        "pub_key": null,
        "account_number": accounts.len().to_string(),
        "sequence": "0",
    }));
    let mut sums = BTreeMap::<&str, u128>::new();
    for coin in &args.coins {
        let sum = sums.entry(&coin.denom).or_default();
        *sum = sum.checked_add(coin.amount).context("the sum overflows")?;
    }
    let coins: Vec<_> = sums
        .iter()
        .map(|(denom, amount)| json!({ "denom": denom, "amount": amount.to_string() }))
        .collect();
    list(state, "bank", "balances")?.push(json!({ "address": account, "coins": coins }));
    if let Some(supply) = state["bank"]["supply"].as_array_mut() {
        // It is the sum of the balances when it is not said.
        supply.clear();
    }
    App::validate_genesis(state)?;
    write(&path, &genesis)?;
    print(out, &json!({ "account": account, "coins": coins }))
}

/// Sign a `MsgCreateValidator` for the genesis.
///
/// # Errors
/// When the key or the home is not there, or the genesis does not give the key's account so much.
pub(super) fn gentx(home: &Path, args: &GentxArgs, out: Format) -> Result<()> {
    let (_, genesis) = genesis(home)?;
    let config = Config::load(home)?;
    let key = keys::open(home, None).get(&args.key)?;
    let held = genesis["app_state"]["bank"]["balances"]
        .as_array()
        .and_then(|all| all.iter().find(|b| b["address"] == key.address.as_str()))
        .and_then(|b| b["coins"].as_array())
        .and_then(|coins| {
            coins
                .iter()
                .find(|c| c["denom"] == args.amount.denom.as_str())
        })
        .and_then(|c| c["amount"].as_str()?.parse::<u128>().ok())
        .unwrap_or(0);
    ensure!(
        held >= args.amount.amount,
        "{} {}: expected at least {} in the genesis, got {held}: run emberd add-genesis-account",
        args.key,
        key.address,
        args.amount
    );
    let node = Key::load(&home.join("config/priv_validator_key.json"))?;
    let operator = address::decode(&config.prefix, &key.address)?;
    let rate = |text: &str| {
        let rate: Result<Dec, _> = text.parse();
        rate.map(|r| r.to_proto()).map_err(|e| anyhow!(e))
    };
    #[allow(deprecated, reason = "a field that is empty now")]
    let msg = MsgCreateValidator {
        description: Some(Description {
            moniker: args.moniker.clone().unwrap_or(config.moniker),
            ..Description::default()
        }),
        commission: Some(CommissionRates {
            rate: rate(&args.commission_rate).context("--commission-rate")?,
            max_rate: rate(&args.commission_max_rate).context("--commission-max-rate")?,
            max_change_rate: rate(&args.commission_max_change_rate)
                .context("--commission-max-change-rate")?,
        }),
        min_self_delegation: args.min_self_delegation.to_string(),
        delegator_address: String::new(),
        validator_address: address::encode(&format!("{}valoper", config.prefix), &operator)?,
        pubkey: Some(Any {
            type_url: "/cosmos.crypto.ed25519.PubKey".into(),
            value: PubKey {
                key: node.public().to_vec(),
            }
            .encode_to_vec(),
        }),
        value: Some(CoinProto {
            denom: args.amount.denom.clone(),
            amount: args.amount.amount.to_string(),
        }),
    };
    let any = Any {
        type_url: CREATE_VALIDATOR.into(),
        value: msg.encode_to_vec(),
    };
    let data = SignData {
        fee: Coin {
            amount: 0,
            denom: args.amount.denom.clone(),
        },
        gas: 1_000_000,
        memo: String::new(),
        chain_id: genesis["chain_id"].as_str().unwrap_or_default().to_owned(),
        // Every account has number 0 for what is signed in a genesis.
        account_number: 0,
        sequence: 0,
    };
    let raw = TxRaw::decode(sign(&key, vec![any], &data).as_slice())?;
    let tx = Tx {
        body: Some(TxBody::decode(raw.body_bytes.as_slice())?),
        auth_info: Some(AuthInfo::decode(raw.auth_info_bytes.as_slice())?),
        signatures: raw.signatures,
    };
    let tx = json::print("cosmos.tx.v1beta1.Tx", &tx.encode_to_vec()).map_err(|e| anyhow!(e))?;
    genutil::decode(&tx).map_err(|e| anyhow!(e))?;
    let name = format!("gentx-{}.json", hex::encode(node.address()));
    let path = match &args.output_document {
        Some(path) => path.clone(),
        None => {
            let dir = home.join("config/gentx");
            fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
            dir.join(name)
        }
    };
    write(&path, &tx)?;
    print(
        out,
        &json!({ "gentx": path, "validator": msg.validator_address, "next": "emberd collect-gentxs" }),
    )
}

/// Parameters of the modules that stakers need, as the SDK has them, where a genesis says nothing.
fn defaults(state: &mut Value, denom: &str) {
    for (module, default) in [
        (
            "staking",
            json!({ "params": { "unbonding_time": "1814400s", "max_validators": 100, "max_entries": 7,
                "historical_entries": 10_000, "bond_denom": denom, "min_commission_rate": "0.000000000000000000" } }),
        ),
        (
            "slashing",
            json!({ "params": { "signed_blocks_window": "100", "min_signed_per_window": "0.500000000000000000",
                "downtime_jail_duration": "600s", "slash_fraction_double_sign": "0.050000000000000000",
                "slash_fraction_downtime": "0.010000000000000000" } }),
        ),
        (
            "distribution",
            json!({ "params": { "community_tax": "0.020000000000000000", "base_proposer_reward": "0.000000000000000000",
                "bonus_proposer_reward": "0.000000000000000000", "withdraw_addr_enabled": true } }),
        ),
    ] {
        if state[module].is_null() {
            state[module] = default;
        }
    }
}

/// Put the signed transactions into the genesis. Its document then names no validators: they follow from these.
///
/// # Errors
/// When one is not a transaction of one `MsgCreateValidator`, or there are none.
pub(super) fn collect(home: &Path, args: &CollectArgs, out: Format) -> Result<()> {
    let (path, mut genesis) = genesis(home)?;
    let config = Config::load(home)?;
    let dir = args.gentx_dir.clone();
    let dir = dir.unwrap_or_else(|| home.join("config/gentx"));
    let mut files = fs::read_dir(&dir)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .with_context(|| format!("{}: run emberd gentx first", dir.display()))?;
    // Every validator must make the same genesis of the same files.
    files.sort_by_key(fs::DirEntry::file_name);
    let (mut txs, mut denom) = (Vec::new(), None);
    for file in files {
        if file.path().extension().is_none_or(|e| e != "json") {
            continue;
        }
        let tx = read(&file.path())?;
        denom = denom.or_else(|| {
            let value = &tx["body"]["messages"][0]["value"];
            value["denom"].as_str().map(str::to_owned)
        });
        txs.push(tx);
    }
    let Some(denom) = denom else {
        bail!(
            "{}: expected transactions of emberd gentx, got none",
            dir.display()
        );
    };
    let state = &mut genesis["app_state"];
    ensure!(
        auth::genesis::prefix_of(state)? == config.prefix,
        "app.toml: expected the prefix of the genesis, got {}",
        config.prefix
    );
    defaults(state, &denom);
    let count = txs.len();
    state["genutil"] = json!({ "gen_txs": txs });
    App::validate_genesis(state)?;
    genesis["validators"] = json!([]);
    write(&path, &genesis)?;
    print(
        out,
        &json!({ "genesis": path, "gen_txs": count, "next": "emberd start --embedded" }),
    )
}
