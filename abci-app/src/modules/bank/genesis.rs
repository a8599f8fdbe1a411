//! `app_state.bank`, in the SDK's JSON.

use super::{enabled, keeper};
use crate::{
    codec::coins,
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth,
    store::{StoreKey, prefix_end},
};
use cosmos_sdk_proto::cosmos::{
    bank::v1beta1::{DenomUnit, Metadata, Params},
    base::v1beta1::Coin,
};
use prost::Message;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn bad(detail: impl std::fmt::Display) -> AppError {
    AppError::invalid_request(format_args!("genesis: app_state.bank.{detail}"))
}

fn read_coins(v: &Value) -> Result<coins::Coins> {
    let list = v
        .as_array()
        .ok_or_else(|| bad("expected a list of coins"))?;
    let coins: Vec<_> = list
        .iter()
        .map(|c| Coin {
            denom: c["denom"].as_str().unwrap_or_default().to_owned(),
            amount: c["amount"].as_str().unwrap_or_default().to_owned(),
        })
        .collect();
    coins::check(&coins).map_err(|e| bad(e.log))
}

fn write_coins(coins: &[(String, u128)]) -> Value {
    coins
        .iter()
        .map(|(denom, amount)| json!({ "denom": denom, "amount": amount.to_string() }))
        .collect()
}

/// Reads the module's genesis.
///
/// # Errors
/// sdk/18 with the field that is wrong: an address, a coin, a stated supply that is not the balances' sum.
pub fn import(ctx: &Ctx, app_state: &Value) -> Result<()> {
    let bank = &app_state["bank"];
    import_enabled(ctx, bank)?;
    let empty = Vec::new();
    let mut sum: BTreeMap<String, u128> = BTreeMap::new();
    for balance in bank["balances"].as_array().unwrap_or(&empty) {
        let text = balance["address"]
            .as_str()
            .ok_or_else(|| bad("balances: address: expected a text"))?;
        let addr = auth::keeper::addr(ctx, text)?;
        if !keeper::all_balances(ctx, &addr)?.is_empty() {
            return Err(bad(format_args!("balances: {text} is there twice")));
        }
        let coins = read_coins(&balance["coins"])?;
        keeper::mint(ctx, &addr, &coins)?;
        auth::keeper::ensure_account(ctx, &addr)?;
        for (denom, amount) in coins {
            *sum.entry(denom).or_default() += amount;
        }
    }
    if bank["supply"].as_array().is_some_and(|s| !s.is_empty()) {
        let stated: BTreeMap<_, _> = read_coins(&bank["supply"])?.into_iter().collect();
        if stated != sum {
            return Err(bad(format_args!(
                "supply: expected the sum of the balances {sum:?}, got {stated:?}"
            )));
        }
    }
    for m in bank["denom_metadata"].as_array().unwrap_or(&empty) {
        let metadata = read_metadata(m)?;
        let key = keeper::metadata_key(&metadata.base);
        ctx.with_layers(|l| l.set(StoreKey::Bank, &key, metadata.encode_to_vec()));
    }
    Ok(())
}

/// What may be sent. Nothing said is the SDK's default: everything.
#[allow(deprecated, reason = "the field is part of the message")]
fn import_enabled(ctx: &Ctx, bank: &Value) -> Result<()> {
    let (params, empty) = (&bank["params"], Vec::new());
    if params["send_enabled"]
        .as_array()
        .is_some_and(|a| !a.is_empty())
    {
        return Err(bad(
            "params: use of send_enabled in params is no longer supported: expected app_state.bank.send_enabled",
        ));
    }
    let default_send_enabled = match &params["default_send_enabled"] {
        Value::Null => params.is_null(),
        v => v
            .as_bool()
            .ok_or_else(|| bad("params: default_send_enabled: expected true or false"))?,
    };
    enabled::set_params(
        ctx,
        &Params {
            send_enabled: Vec::new(),
            default_send_enabled,
        },
    )?;
    for entry in bank["send_enabled"].as_array().unwrap_or(&empty) {
        let denom = entry["denom"].as_str().unwrap_or_default();
        coins::check_denom(denom)?;
        let on = match &entry["enabled"] {
            Value::Null => false,
            v => v
                .as_bool()
                .ok_or_else(|| bad("send_enabled: enabled: expected true or false"))?,
        };
        if enabled::of(ctx, denom)?.is_some() {
            return Err(bad(format_args!(
                "send_enabled: duplicate send enabled found: '{denom}'"
            )));
        }
        enabled::set(ctx, denom, on)?;
    }
    Ok(())
}

fn read_metadata(v: &Value) -> Result<Metadata> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let units = v["denom_units"]
        .as_array()
        .ok_or_else(|| bad("denom_metadata: denom_units: expected a list"))?;
    let base = text(&v["base"]);
    coins::check_denom(&base)?;
    Ok(Metadata {
        description: text(&v["description"]),
        denom_units: units
            .iter()
            .map(|u| DenomUnit {
                denom: text(&u["denom"]),
                exponent: u["exponent"]
                    .as_u64()
                    .and_then(|e| u32::try_from(e).ok())
                    .unwrap_or(0),
                aliases: u["aliases"]
                    .as_array()
                    .map(|a| a.iter().map(text).collect())
                    .unwrap_or_default(),
            })
            .collect(),
        base,
        display: text(&v["display"]),
        name: text(&v["name"]),
        symbol: text(&v["symbol"]),
        uri: text(&v["uri"]),
        uri_hash: text(&v["uri_hash"]),
    })
}

/// Writes the module's genesis.
///
/// # Errors
/// When the store is broken.
pub fn export(ctx: &Ctx) -> Result<Value> {
    let scan = |prefix: &[u8]| {
        ctx.with_layers(|l| l.scan(StoreKey::Bank, prefix, prefix_end(prefix).as_deref()))
    };
    let mut by_account: BTreeMap<Vec<u8>, coins::Coins> = BTreeMap::new();
    for (key, value) in scan(&keeper::ALL_BALANCES) {
        let len = usize::from(key[1]);
        let denom = String::from_utf8_lossy(&key[2 + len..]).into_owned();
        by_account
            .entry(key[2..2 + len].to_vec())
            .or_default()
            .push((denom, keeper::parse(Some(value))?));
    }
    let balances = by_account
        .into_iter()
        .map(|(addr, coins)| {
            Ok(json!({ "address": auth::keeper::human(ctx, &addr)?, "coins": write_coins(&coins) }))
        })
        .collect::<Result<Vec<_>>>()?;
    let supply = scan(&keeper::ALL_SUPPLY)
        .into_iter()
        .map(|(k, v)| {
            Ok((
                String::from_utf8_lossy(&k[1..]).into_owned(),
                keeper::parse(Some(v))?,
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    let metadata = scan(&keeper::ALL_METADATA)
        .into_iter()
        .map(|(_, v)| {
            let m = Metadata::decode(v.as_slice()).map_err(AppError::tx_decode)?;
            let units: Vec<_> = m
                .denom_units
                .iter()
                .map(|u| json!({ "denom": u.denom, "exponent": u.exponent, "aliases": u.aliases }))
                .collect();
            Ok(json!({
                "description": m.description, "denom_units": units, "base": m.base, "display": m.display,
                "name": m.name, "symbol": m.symbol, "uri": m.uri, "uri_hash": m.uri_hash,
            }))
        })
        .collect::<Result<Vec<_>>>()?;
    let send_enabled: Vec<_> = scan(&enabled::ALL_ENABLED)
        .into_iter()
        .map(|(k, v)| json!({ "denom": String::from_utf8_lossy(&k[1..]), "enabled": enabled::flag(&v) }))
        .collect();
    let default = enabled::params(ctx)?.default_send_enabled;
    Ok(json!({
        "params": { "send_enabled": [], "default_send_enabled": default },
        "balances": balances,
        "supply": write_coins(&supply),
        "denom_metadata": metadata,
        "send_enabled": send_enabled,
    }))
}
