//! `app_state.auth`, in the SDK's JSON.

use super::keeper;
use crate::{
    codec::address,
    ctx::Ctx,
    error::{AppError, Result},
    store::StoreKey,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        auth::v1beta1::{BaseAccount, Params},
        crypto::secp256k1::PubKey,
    },
};
use prost::Message;
use serde_json::{Value, json};

const BASE_ACCOUNT: &str = "/cosmos.auth.v1beta1.BaseAccount";
const SECP256K1: &str = "/cosmos.crypto.secp256k1.PubKey";

fn bad(detail: impl std::fmt::Display) -> AppError {
    AppError::invalid_request(format_args!("genesis: app_state.auth.{detail}"))
}

fn number(account: &Value, field: &str) -> Result<u64> {
    match &account[field] {
        Value::Null => Ok(0),
        Value::String(s) => s.parse().map_err(|_| {
            bad(format_args!(
                "accounts: {field}: expected a number, got \"{s}\""
            ))
        }),
        v => v.as_u64().ok_or_else(|| {
            bad(format_args!(
                "accounts: {field}: expected a number, got {v}"
            ))
        }),
    }
}

/// The prefix of the genesis's addresses: that of its first account or balance.
///
/// # Errors
/// sdk/18 when it has neither.
pub fn prefix_of(app_state: &Value) -> Result<String> {
    let first = app_state["auth"]["accounts"][0]["address"]
        .as_str()
        .or_else(|| app_state["bank"]["balances"][0]["address"].as_str())
        .ok_or_else(|| bad("accounts: expected at least one account, got none: add one with emberd init --account"))?;
    address::prefix_of(first)
}

/// Reads the module's genesis.
///
/// # Errors
/// sdk/18 with the field that is wrong.
pub fn import(ctx: &Ctx, app_state: &Value) -> Result<()> {
    keeper::set_prefix(ctx, &prefix_of(app_state)?);
    keeper::set_params(ctx, &read_params(&app_state["auth"]["params"])?)?;
    let empty = Vec::new();
    for account in app_state["auth"]["accounts"].as_array().unwrap_or(&empty) {
        let kind = account["@type"].as_str().unwrap_or_default();
        if kind != BASE_ACCOUNT {
            return Err(bad(format_args!(
                "accounts: @type: expected {BASE_ACCOUNT}, got \"{kind}\""
            )));
        }
        let text = account["address"]
            .as_str()
            .ok_or_else(|| bad("accounts: address: expected a text"))?;
        let addr = keeper::addr(ctx, text)?;
        let pub_key = match &account["pub_key"] {
            Value::Null => None,
            key => {
                let bytes = key["key"].as_str().and_then(|k| STANDARD.decode(k).ok());
                let (Some(SECP256K1), Some(key)) = (key["@type"].as_str(), bytes) else {
                    return Err(bad(format_args!(
                        "accounts: pub_key of {text}: expected {SECP256K1}"
                    )));
                };
                Some(Any {
                    type_url: SECP256K1.into(),
                    value: PubKey { key }.encode_to_vec(),
                })
            }
        };
        let mut number = number(account, "account_number")?;
        if keeper::account(ctx, &addr)?.is_some() {
            return Err(bad(format_args!("accounts: {text} is there twice")));
        }
        // Genesis tools write 0 for "any": every account but the first gets the next free number then.
        if number == 0 {
            number = keeper::ensure_account(ctx, &addr)?.account_number;
        }
        keeper::reserve_number(ctx, number)?;
        let sequence = self::number(account, "sequence")?;
        keeper::set_account(
            ctx,
            &addr,
            &BaseAccount {
                address: text.into(),
                pub_key,
                account_number: number,
                sequence,
            },
        )?;
    }
    Ok(())
}

/// Writes the module's genesis.
///
/// # Errors
/// sdk/2 when the store is broken.
pub fn export(ctx: &Ctx) -> Result<Value> {
    let pairs = ctx.with_layers(|l| {
        l.scan(
            StoreKey::Auth,
            &keeper::ACCOUNT_PREFIX,
            Some(&[keeper::ACCOUNT_PREFIX[0] + 1]),
        )
    });
    let mut accounts = pairs
        .into_iter()
        .map(|(_, v)| keeper::decode(&v))
        .collect::<Result<Vec<_>>>()?;
    accounts.sort_by_key(|a| a.account_number);
    let accounts = accounts
        .into_iter()
        .map(|a| {
            let key = a.pub_key.and_then(|any| PubKey::decode(any.value.as_slice()).ok());
            json!({
                "@type": BASE_ACCOUNT,
                "address": a.address,
                "pub_key": key.map(|k| json!({ "@type": SECP256K1, "key": STANDARD.encode(k.key) })),
                "account_number": a.account_number.to_string(),
                "sequence": a.sequence.to_string(),
            })
        })
        .collect::<Vec<_>>();
    Ok(json!({ "params": print_params(&keeper::params(ctx)?), "accounts": accounts }))
}

/// The parameters, as the SDK prints them.
fn print_params(p: &Params) -> Value {
    json!({
        "max_memo_characters": p.max_memo_characters.to_string(),
        "tx_sig_limit": p.tx_sig_limit.to_string(),
        "tx_size_cost_per_byte": p.tx_size_cost_per_byte.to_string(),
        "sig_verify_cost_ed25519": p.sig_verify_cost_ed25519.to_string(),
        "sig_verify_cost_secp256k1": p.sig_verify_cost_secp256k1.to_string(),
    })
}

/// The parameters, as the SDK prints them. What is not there is the SDK's default.
fn read_params(params: &Value) -> Result<Params> {
    let default = keeper::default_params();
    let field = |name: &str, default: u64| match &params[name] {
        Value::Null => Ok(default),
        _ => number(params, name),
    };
    Ok(Params {
        max_memo_characters: field("max_memo_characters", default.max_memo_characters)?,
        tx_sig_limit: field("tx_sig_limit", default.tx_sig_limit)?,
        tx_size_cost_per_byte: field("tx_size_cost_per_byte", default.tx_size_cost_per_byte)?,
        sig_verify_cost_ed25519: field("sig_verify_cost_ed25519", default.sig_verify_cost_ed25519)?,
        sig_verify_cost_secp256k1: field(
            "sig_verify_cost_secp256k1",
            default.sig_verify_cost_secp256k1,
        )?,
    })
}
