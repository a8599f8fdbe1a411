//! Messages as the SDK's grpc-gateway prints them (gogoproto's `jsonpb` with `OrigName` and `EmitDefaults`):
//! `snake_case`, defaults emitted, 64-bit numbers as strings, unset messages as null, `Any` opened under `@type`,
//! contract messages inline, decimals with their point.

use super::descriptors::{extension, pool};
use base64::{Engine, prelude::BASE64_STANDARD};
use prost_reflect::{
    DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MapKey, ReflectMessage,
    Value as Field,
};
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// How gogoproto's options change a field's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    /// JSON in bytes, printed as it is.
    RawJson,
    /// Bytes in upper-case hex.
    Hex,
    /// An integer in 10^-18.
    Decimal,
    /// An integer as text, in bytes too.
    Integer,
}

pub(super) fn form(field: &FieldDescriptor) -> Form {
    static OPTIONS: OnceLock<[ExtensionDescriptor; 2]> = OnceLock::new();
    let [cast, custom] =
        OPTIONS.get_or_init(|| ["gogoproto.casttype", "gogoproto.customtype"].map(extension));
    let options = field.options();
    let text = |e| {
        options
            .get_extension(e)
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    match (
        text(cast).rsplit(['.', '/']).next(),
        text(custom).rsplit(['.', '/']).next(),
    ) {
        (Some("RawContractMessage"), _) => Form::RawJson,
        (Some("HexBytes"), _) => Form::Hex,
        (_, Some("LegacyDec" | "Dec")) => Form::Decimal,
        (_, Some("Int")) => Form::Integer,
        _ => Form::Plain,
    }
}

/// The bytes of the message `name` as JSON.
///
/// # Errors
/// When there is no such message, or these are not its bytes.
pub fn print(name: &str, bytes: &[u8]) -> Result<Value, String> {
    let descriptor = pool().get_message_by_name(name);
    let descriptor = descriptor.ok_or_else(|| format!("{name}: no such message"))?;
    let opened = DynamicMessage::decode(descriptor, bytes).map_err(|e| e.to_string())?;
    Ok(message(&opened))
}

/// The bytes of the message `name` from its JSON.
///
/// # Errors
/// What is wrong with the JSON.
pub fn read(name: &str, json: &Value) -> Result<Vec<u8>, String> {
    let descriptor = pool().get_message_by_name(name);
    let descriptor = descriptor.ok_or_else(|| format!("{name}: no such message"))?;
    let mut json = json.clone();
    super::json_in::normalise(&mut json, &descriptor);
    let message = DynamicMessage::deserialize(descriptor, json).map_err(|e| e.to_string())?;
    Ok(prost_reflect::prost::Message::encode_to_vec(&message))
}

/// A message.
pub fn message(m: &DynamicMessage) -> Value {
    match m.descriptor().full_name() {
        "google.protobuf.Any" => return any(m),
        "google.protobuf.Timestamp" => return timestamp(number(m, "seconds"), number(m, "nanos")),
        "google.protobuf.Duration" => return duration(number(m, "seconds"), number(m, "nanos")),
        _ => {}
    }
    let mut out = Map::new();
    for field in m.descriptor().fields() {
        let set = m.has_field(&field);
        if field.containing_oneof().is_some() && !set {
            continue;
        }
        let value = if !set
            && matches!(field.kind(), Kind::Message(_))
            && !field.is_list()
            && !field.is_map()
        {
            Value::Null
        } else {
            self::value(&m.get_field(&field), &field.kind(), form(&field))
        };
        out.insert(field.name().to_owned(), value);
    }
    Value::Object(out)
}

fn value(v: &Field, kind: &Kind, form: Form) -> Value {
    match v {
        Field::Bool(b) => (*b).into(),
        Field::I32(n) => (*n).into(),
        Field::U32(n) => (*n).into(),
        Field::I64(n) => n.to_string().into(),
        Field::U64(n) => n.to_string().into(),
        Field::F32(n) => f64::from(*n).into(),
        Field::F64(n) => (*n).into(),
        Field::String(s) if form == Form::Decimal => decimal(s).into(),
        Field::String(s) => s.as_str().into(),
        Field::Bytes(b) => bytes(b, form),
        Field::EnumNumber(n) => match kind.as_enum().and_then(|e| e.get_value(*n)) {
            Some(named) => named.name().into(),
            None => (*n).into(),
        },
        Field::Message(m) => message(m),
        Field::List(items) => items.iter().map(|i| value(i, kind, form)).collect(),
        Field::Map(entries) => {
            let of = match kind {
                Kind::Message(entry) => entry.map_entry_value_field().kind(),
                other => other.clone(),
            };
            let mut sorted: Vec<_> = entries.iter().map(|(k, v)| (key(k), v)).collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            let pairs = sorted.into_iter().map(|(k, v)| (k, value(v, &of, form)));
            Value::Object(pairs.collect())
        }
    }
}

fn key(k: &MapKey) -> String {
    match k {
        MapKey::Bool(b) => b.to_string(),
        MapKey::I32(n) => n.to_string(),
        MapKey::I64(n) => n.to_string(),
        MapKey::U32(n) => n.to_string(),
        MapKey::U64(n) => n.to_string(),
        MapKey::String(s) => s.clone(),
    }
}

fn bytes(b: &[u8], form: Form) -> Value {
    match form {
        // Absent bytes are nil in Go, and nil is null.
        Form::RawJson | Form::Plain if b.is_empty() => Value::Null,
        Form::RawJson => {
            serde_json::from_slice(b).unwrap_or_else(|_| BASE64_STANDARD.encode(b).into())
        }
        Form::Hex => hex::encode_upper(b).into(),
        // The SDK declares a few numbers as bytes, which hold the text.
        Form::Integer => String::from_utf8_lossy(b).into(),
        Form::Decimal => decimal(&String::from_utf8_lossy(b)).into(),
        Form::Plain => BASE64_STANDARD.encode(b).into(),
    }
}

/// `1500000000000000000` is `1.500000000000000000`.
fn decimal(integer: &str) -> String {
    let (sign, digits) = match integer.strip_prefix('-') {
        Some(d) => ("-", d),
        None => ("", integer),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return integer.to_owned();
    }
    let padded = format!("{digits:0>19}");
    let (whole, fraction) = padded.split_at(padded.len() - 18);
    format!("{sign}{whole}.{fraction}")
}

fn any(m: &DynamicMessage) -> Value {
    let text = |name| {
        m.get_field_by_name(name)
            .and_then(|f| f.as_str().map(str::to_owned))
    };
    let url = text("type_url").unwrap_or_default();
    let inner = m
        .get_field_by_name("value")
        .and_then(|f| f.as_bytes().cloned())
        .unwrap_or_default();
    let mut out = Map::new();
    out.insert("@type".into(), url.as_str().into());
    let decoded = pool()
        .get_message_by_name(url.trim_start_matches('/'))
        .and_then(|d| DynamicMessage::decode(d, inner.clone()).ok());
    match decoded.as_ref().map(message) {
        Some(Value::Object(fields)) => out.extend(fields),
        Some(other) => drop(out.insert("value".into(), other)),
        None => drop(out.insert("value".into(), BASE64_STANDARD.encode(&inner).into())),
    }
    Value::Object(out)
}

fn number(m: &DynamicMessage, name: &str) -> i64 {
    match m.get_field_by_name(name).as_deref() {
        Some(Field::I64(n)) => *n,
        Some(Field::I32(n)) => i64::from(*n),
        _ => 0,
    }
}

/// No digits, or three, six or nine.
fn fraction(nanos: i64) -> String {
    let nine = format!("{:09}", nanos.unsigned_abs());
    match nine.trim_end_matches("000") {
        "" => String::new(),
        kept => format!(".{kept}"),
    }
}

fn timestamp(seconds: i64, nanos: i64) -> Value {
    let Ok(t) = time::OffsetDateTime::from_unix_timestamp(seconds) else {
        return Value::Null;
    };
    let (date, clock) = (t.date(), t.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second(),
        fraction(nanos)
    )
    .into()
}

fn duration(seconds: i64, nanos: i64) -> Value {
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    format!("{sign}{}{}s", seconds.unsigned_abs(), fraction(nanos)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;
    use serde_json::json;

    fn print(name: &str, bytes: &[u8]) -> Value {
        let desc = pool().get_message_by_name(name).unwrap();
        message(&DynamicMessage::decode(desc, bytes).unwrap())
    }

    #[test]
    fn defaults_are_printed_and_unset_messages_are_null() {
        assert_eq!(
            print("cosmos.bank.v1beta1.QueryAllBalancesResponse", &[]),
            json!({"balances": [], "pagination": null})
        );
        let page = cosmos_sdk_proto::cosmos::base::query::v1beta1::PageResponse {
            next_key: vec![1, 2],
            total: 7,
        };
        assert_eq!(
            print(
                "cosmos.base.query.v1beta1.PageResponse",
                &page.encode_to_vec()
            ),
            json!({"next_key": "AQI=", "total": "7"})
        );
    }

    #[test]
    fn an_any_is_opened_and_a_contracts_message_stands_inline() {
        use cosmos_sdk_proto::{
            Any, cosmos::tx::v1beta1::TxBody, cosmwasm::wasm::v1::MsgExecuteContract,
        };
        let call = MsgExecuteContract {
            sender: "a".into(),
            contract: "b".into(),
            msg: br#"{"settle":{"order_id":"7"}}"#.to_vec(),
            funds: vec![],
        };
        let body = TxBody {
            messages: vec![
                Any {
                    type_url: "/cosmwasm.wasm.v1.MsgExecuteContract".into(),
                    value: call.encode_to_vec(),
                },
                Any {
                    type_url: "/other.Msg".into(),
                    value: vec![1],
                },
            ],
            timeout_height: 9,
            ..TxBody::default()
        };
        let printed = print("cosmos.tx.v1beta1.TxBody", &body.encode_to_vec());
        assert_eq!(
            printed["messages"],
            json!([
                {"@type": "/cosmwasm.wasm.v1.MsgExecuteContract", "sender": "a", "contract": "b",
                 "msg": {"settle": {"order_id": "7"}}, "funds": []},
                {"@type": "/other.Msg", "value": "AQ=="}
            ])
        );
        assert_eq!(printed["timeout_height"], "9");
    }

    #[test]
    fn a_decimal_in_bytes_is_one_too() {
        let answer = cosmos_sdk_proto::cosmos::mint::v1beta1::QueryInflationResponse {
            inflation: b"130000000000000000".to_vec(),
        };
        assert_eq!(
            print(
                "cosmos.mint.v1beta1.QueryInflationResponse",
                &answer.encode_to_vec()
            ),
            json!({"inflation": "0.130000000000000000"})
        );
    }

    #[test]
    fn decimals_times_and_durations_read_as_go_writes_them() {
        for (from, to) in [
            ("1500000000000000000", "1.500000000000000000"),
            ("0", "0.000000000000000000"),
            ("-1", "-0.000000000000000001"),
        ] {
            assert_eq!(decimal(from), to);
        }
        assert_eq!(
            timestamp(1_700_000_000, 120_000_000),
            "2023-11-14T22:13:20.120Z"
        );
        assert_eq!(timestamp(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(
            (duration(1_814_400, 0), duration(-1, -500_000_000)),
            (json!("1814400s"), json!("-1.500s"))
        );
    }
}
