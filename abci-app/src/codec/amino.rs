//! What `SIGN_MODE_LEGACY_AMINO_JSON` signs: hardware wallets and multisignatures know no other form. How a message
//! looks in it is written in the options of its `.proto` file, so every message that is described there can be signed.

use super::{
    amino_plan::{self as plan, FieldPlan, Form, Plan},
    descriptors::pool,
    gojson,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use cosmos_sdk_proto::{Any, cosmos::tx::v1beta1::Fee};
use prost_reflect::{DynamicMessage, Kind, OneofDescriptor, Value};
use std::fmt::Write;
use thiserror::Error;

/// How deep messages may stand in each other.
const MAX_DEPTH: u32 = 64;

/// A message that cannot be signed in this mode.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AminoError {
    /// No `.proto` file of the chain describes it.
    #[error("can't resolve type URL {0}")]
    Unknown(String),
    /// It says something that the form has no way to say.
    #[error("{0}")]
    Unsupported(String),
    /// A contract's message that is no JSON.
    #[error("could not normalize JSON: {0}")]
    Json(#[from] gojson::BadJson),
    /// Messages in messages without end.
    #[error("messages stand in each other more than {MAX_DEPTH} deep")]
    TooDeep,
}

type Result<T> = std::result::Result<T, AminoError>;

fn unsupported<T>(what: impl std::fmt::Display) -> Result<T> {
    Err(AminoError::Unsupported(what.to_string()))
}

/// What one signer signs.
#[derive(Debug, Clone, Copy)]
pub struct SignDoc<'a> {
    /// The chain.
    pub chain_id: &'a str,
    /// The signer's account.
    pub account_number: u64,
    /// The signer's sequence.
    pub sequence: u64,
    /// The fee, with its payer and granter.
    pub fee: &'a Fee,
    /// The memo.
    pub memo: &'a str,
    /// The messages.
    pub messages: &'a [Any],
    /// The last height it may be executed at; 0 is none.
    pub timeout_height: u64,
    /// The last time it may be executed at, seconds and nanoseconds since the Unix epoch.
    pub timeout_timestamp: Option<(i64, i32)>,
}

impl SignDoc<'_> {
    /// The bytes to sign.
    ///
    /// # Errors
    /// When a message has no such form.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut out = String::with_capacity(512);
        out.push_str(r#"{"account_number":""#);
        put(&mut out, self.account_number);
        out.push_str(r#"","chain_id":"#);
        gojson::string(&mut out, self.chain_id);
        out.push_str(r#","fee":"#);
        fee(&mut out, self.fee);
        out.push_str(r#","memo":"#);
        gojson::string(&mut out, self.memo);
        out.push_str(r#","msgs":["#);
        for (i, msg) in self.messages.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            packed(&mut out, &msg.type_url, &msg.value, MAX_DEPTH)?;
        }
        out.push_str(r#"],"sequence":""#);
        put(&mut out, self.sequence);
        out.push('"');
        if self.timeout_height != 0 {
            out.push_str(r#","timeout_height":""#);
            put(&mut out, self.timeout_height);
            out.push('"');
        }
        if let Some((seconds, nanos)) = self.timeout_timestamp {
            out.push_str(r#","timeout_timestamp":"#);
            timestamp(&mut out, seconds, i64::from(nanos))?;
        }
        out.push('}');
        Ok(out.into_bytes())
    }
}

/// Writing to a String cannot fail.
fn put(out: &mut String, value: impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

fn fee(out: &mut String, fee: &Fee) {
    out.push_str(r#"{"amount":["#);
    for (i, coin) in fee.amount.iter().enumerate() {
        out.push_str(if i > 0 {
            r#",{"amount":"#
        } else {
            r#"{"amount":"#
        });
        // `cosmos.Int`: nothing is zero.
        gojson::string(
            out,
            if coin.amount.is_empty() {
                "0"
            } else {
                &coin.amount
            },
        );
        if !coin.denom.is_empty() {
            out.push_str(r#","denom":"#);
            gojson::string(out, &coin.denom);
        }
        out.push('}');
    }
    out.push_str(r#"],"gas":""#);
    put(out, fee.gas_limit);
    out.push('"');
    for (name, value) in [("granter", &fee.granter), ("payer", &fee.payer)] {
        if !value.is_empty() {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":");
            gojson::string(out, value);
        }
    }
    out.push('}');
}

/// A message that is packed in an `Any`: it says its type, by its type URL where it has no amino name.
fn packed(out: &mut String, url: &str, value: &[u8], depth: u32) -> Result<()> {
    let unknown = || AminoError::Unknown(url.chars().take(128).collect());
    let descriptor = url
        .strip_prefix('/')
        .and_then(|name| pool().get_message_by_name(name))
        .ok_or_else(unknown)?;
    let plan = plan::of(descriptor.full_name()).ok_or_else(unknown)?;
    let opened = DynamicMessage::decode(descriptor, value)
        .map_err(|e| AminoError::Unsupported(e.to_string()))?;
    out.push_str(r#"{"type":"#);
    gojson::string(out, plan.name.as_deref().unwrap_or(url));
    out.push_str(r#","value":"#);
    message(out, &opened, depth)?;
    out.push('}');
    Ok(())
}

fn message(out: &mut String, message: &DynamicMessage, depth: u32) -> Result<()> {
    let name = prost_reflect::ReflectMessage::descriptor(message)
        .full_name()
        .to_owned();
    let plan = plan::of(&name).ok_or_else(|| AminoError::Unknown(name.clone()))?;
    let depth = depth.checked_sub(1).ok_or(AminoError::TooDeep)?;
    let (seconds, nanos) = (integer(message, "seconds"), integer(message, "nanos"));
    match name.as_str() {
        "google.protobuf.Timestamp" => timestamp(out, seconds, nanos),
        "google.protobuf.Duration" => {
            put(
                out,
                format_args!(
                    "\"{}\"",
                    i128::from(seconds) * 1_000_000_000 + i128::from(nanos)
                ),
            );
            Ok(())
        }
        "google.protobuf.Any" => {
            let url = message.get_field_by_name("type_url");
            let value = message.get_field_by_name("value");
            let url = url.as_deref().and_then(Value::as_str).unwrap_or_default();
            let value = value.as_deref().and_then(Value::as_bytes);
            packed(out, url, value.map_or(&[][..], |v| v), depth)
        }
        _ => body(out, message, plan, depth),
    }
}

fn body(out: &mut String, message: &DynamicMessage, plan: &Plan, depth: u32) -> Result<()> {
    match plan.encoding.as_str() {
        "key_field" => return key_field(out, message),
        "threshold_string" => return threshold(out, message, depth),
        "module_account" => return unsupported("a module's account cannot be signed"),
        _ => {}
    }
    out.push('{');
    let mut first = true;
    let mut empty_oneof = None;
    for p in &plan.fields {
        let set = message.has_field(&p.field);
        let none_of = |of: &OneofDescriptor| of.fields().all(|f| !message.has_field(&f));
        let null = match &p.oneof {
            // One null for a oneof of which nothing is set.
            Some((of, name, _)) if !set && empty_oneof != Some(name) && none_of(of) => {
                empty_oneof = Some(name);
                true
            }
            _ => false,
        };
        if !set && !null {
            if !p.keep_empty {
                continue;
            }
            if matches!(p.field.kind(), Kind::Message(_)) && !p.field.is_list() {
                return unsupported(format_args!("{}: expected a value, got none", p.name));
            }
        }
        if !first {
            out.push(',');
        }
        first = false;
        match &p.oneof {
            Some((_, name, _)) if null => {
                gojson::string(out, name);
                out.push_str(":null");
                continue;
            }
            Some((_, name, kind)) => {
                let Some(kind) = kind else {
                    return unsupported(format_args!("{}: has no amino name", p.name));
                };
                gojson::string(out, name);
                out.push_str(r#":{"type":"#);
                gojson::string(out, kind);
                out.push_str(r#","value":{"#);
            }
            None => {}
        }
        gojson::string(out, &p.name);
        out.push(':');
        field(out, &message.get_field(&p.field), p, depth)?;
        if p.oneof.is_some() {
            out.push_str("}}");
        }
    }
    out.push('}');
    Ok(())
}

fn field(out: &mut String, v: &Value, p: &FieldPlan, depth: u32) -> Result<()> {
    match (p.form, v) {
        (Form::Coins, Value::List(items)) => list(out, items, depth),
        (Form::InlineJson, Value::Bytes(json)) => {
            out.push_str(&gojson::normalise(json)?);
            Ok(())
        }
        (Form::Int, Value::String(s)) => {
            gojson::string(out, if s.is_empty() { "0" } else { s });
            Ok(())
        }
        (Form::Dec, Value::String(s)) => {
            gojson::string(out, &decimal(s)?);
            Ok(())
        }
        (Form::Plain, Value::List(items)) if items.is_empty() => {
            out.push_str("null");
            Ok(())
        }
        (Form::Plain, v) => value(out, v, depth),
        (form, _) => unsupported(format_args!("{}: {form:?} is not for this type", p.name)),
    }
}

fn list(out: &mut String, items: &[Value], depth: u32) -> Result<()> {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        value(out, item, depth)?;
    }
    out.push(']');
    Ok(())
}

fn value(out: &mut String, v: &Value, depth: u32) -> Result<()> {
    match v {
        Value::Bool(b) => put(out, b),
        Value::I32(n) | Value::EnumNumber(n) => put(out, n),
        Value::U32(n) => put(out, n),
        Value::I64(n) => put(out, format_args!("\"{n}\"")),
        Value::U64(n) => put(out, format_args!("\"{n}\"")),
        Value::String(s) => gojson::string(out, s),
        Value::Bytes(b) if b.is_empty() => out.push_str("null"),
        Value::Bytes(b) => put(out, format_args!("\"{}\"", BASE64_STANDARD.encode(b))),
        Value::Message(m) => return message(out, m, depth),
        Value::List(items) => return list(out, items, depth),
        Value::F32(_) | Value::F64(_) => return unsupported("floats are not supported"),
        Value::Map(_) => return unsupported("maps are not supported"),
    }
    Ok(())
}

fn integer(m: &DynamicMessage, name: &str) -> i64 {
    match m.get_field_by_name(name).as_deref() {
        Some(Value::I64(n)) => *n,
        Some(Value::I32(n)) => i64::from(*n),
        _ => 0,
    }
}

/// A public key is its bytes.
fn key_field(out: &mut String, message: &DynamicMessage) -> Result<()> {
    match message.get_field_by_name("key").as_deref() {
        Some(v @ Value::Bytes(_)) => value(out, v, 0),
        _ => unsupported("a key without bytes"),
    }
}

/// A multisignature's key, with its threshold as a text.
fn threshold(out: &mut String, message: &DynamicMessage, depth: u32) -> Result<()> {
    let keys = message.get_field_by_name("public_keys");
    let threshold = message.get_field_by_name("threshold");
    out.push_str(r#"{"pubkeys":"#);
    list(
        out,
        keys.as_deref().and_then(Value::as_list).unwrap_or(&[]),
        depth,
    )?;
    let threshold = threshold.as_deref().and_then(Value::as_u32).unwrap_or(0);
    put(out, format_args!(",\"threshold\":\"{threshold}\"}}"));
    Ok(())
}

/// `1500000000000000000` is `1.500000000000000000`.
fn decimal(integer: &str) -> Result<String> {
    if integer.is_empty() {
        return Ok("0".into());
    }
    let (sign, digits) = match integer.strip_prefix('-') {
        Some(d) => ("-", d),
        None => ("", integer),
    };
    if digits.is_empty() || digits.len() > 200 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return unsupported("expected a decimal as an integer of 10^-18");
    }
    let padded = format!("{:0>19}", digits.trim_start_matches('0'));
    let sign = if padded.bytes().all(|b| b == b'0') {
        ""
    } else {
        sign
    };
    let (whole, fraction) = padded.split_at(padded.len() - 18);
    Ok(format!("{sign}{whole}.{fraction}"))
}

/// RFC 3339, with as many digits of the second as are not zero.
fn timestamp(out: &mut String, seconds: i64, nanos: i64) -> Result<()> {
    let Some(t) = time::OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .filter(|t| t.year() >= 0 && (0..1_000_000_000).contains(&nanos))
    else {
        return unsupported(format_args!("a time out of range: {seconds}"));
    };
    let (date, clock) = (t.date(), t.time());
    put(
        out,
        format_args!(
            "\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            date.year(),
            u8::from(date.month()),
            date.day(),
            clock.hour(),
            clock.minute(),
            clock.second()
        ),
    );
    if nanos > 0 {
        out.push('.');
        out.push_str(format!("{nanos:09}").trim_end_matches('0'));
    }
    out.push_str("Z\"");
    Ok(())
}
