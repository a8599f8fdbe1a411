//! `app_state.auth`, in the SDK's JSON.

use super::{account::Kind, keeper};
use crate::{
    codec::{address, json},
    ctx::Ctx,
    error::{AppError, Result},
    store::StoreKey,
};
use cosmos_sdk_proto::{Any, cosmos::auth::v1beta1::Params};
use serde_json::{Value, json};

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
    let first = &app_state["auth"]["accounts"][0];
    let base = [
        first,
        &first["base_account"],
        &first["base_vesting_account"]["base_account"],
    ];
    let first = base
        .iter()
        .find_map(|b| b["address"].as_str())
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
        read_account(ctx, account)?;
    }
    Ok(())
}

fn read_account(ctx: &Ctx, json: &Value) -> Result<()> {
    let mut fields = json.clone();
    let kind = fields.as_object_mut().and_then(|o| o.remove("@type"));
    let kind = kind.as_ref().and_then(Value::as_str).unwrap_or_default();
    let name = kind.trim_start_matches('/');
    let value = json::read(name, &fields)
        .map_err(|e| bad(format_args!("accounts: @type \"{kind}\": {e}")))?;
    let any = Any {
        type_url: kind.to_owned(),
        value,
    };
    let mut account = keeper::Account::from_any(&any)
        .map_err(|e| bad(format_args!("accounts: @type \"{kind}\": {}", e.log)))?;
    let text = account.address.clone();
    let addr = keeper::addr(ctx, &text).map_err(|e| bad(format_args!("accounts: address: {e}")))?;
    if let Kind::Vesting(vesting) = &account.kind {
        vesting
            .check()
            .map_err(|e| bad(format_args!("accounts: {text}: {}", e.log)))?;
    }
    if keeper::account(ctx, &addr)?.is_some() {
        return Err(bad(format_args!("accounts: {text} is there twice")));
    }
    // Genesis tools write 0 for "any": every account but the first gets the next free number then.
    if account.account_number == 0 {
        account.account_number = keeper::ensure_account(ctx, &addr)?.account_number;
    }
    keeper::reserve_number(ctx, account.account_number)?;
    keeper::index(ctx, account.account_number, &addr);
    keeper::set_account(ctx, &addr, &account)
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
        .iter()
        .map(|a| {
            let any = a.to_any();
            let name = any.type_url.trim_start_matches('/');
            let mut json = json::print(name, &any.value).map_err(bad)?;
            json["@type"] = any.type_url.clone().into();
            Ok(json)
        })
        .collect::<Result<Vec<_>>>()?;
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
