//! The JSON shape of the module's genesis: wasmd's, where 64-bit numbers are strings and bytes are base64.

use crate::modules::access;
use base64::{Engine, engine::general_purpose::STANDARD};
use cosmos_sdk_proto::cosmwasm::wasm::v1 as proto;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::Value;
use std::collections::BTreeMap;

/// `app_state.wasm`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Genesis {
    pub params: Params,
    #[serde(default)]
    pub codes: Vec<Code>,
    #[serde(default)]
    pub contracts: Vec<Contract>,
    #[serde(default)]
    pub sequences: Vec<Sequence>,
    #[serde(default)]
    pub gen_msgs: Vec<GenMsg>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    pub code_upload_access: AccessConfig,
    pub instantiate_default_permission: AccessType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum AccessType {
    Unspecified,
    Nobody,
    Everybody,
    AnyOfAddresses,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccessConfig {
    pub permission: AccessType,
    #[serde(default)]
    pub addresses: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    #[serde(with = "number")]
    pub code_id: u64,
    pub code_info: CodeInfo,
    #[serde(with = "bytes")]
    pub code_bytes: Vec<u8>,
    #[serde(default)]
    pub pinned: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeInfo {
    #[serde(with = "bytes")]
    pub code_hash: Vec<u8>,
    pub creator: String,
    pub instantiate_config: AccessConfig,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contract {
    pub contract_address: String,
    pub contract_info: ContractInfo,
    #[serde(default)]
    pub contract_state: Vec<Model>,
    pub contract_code_history: Vec<History>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContractInfo {
    #[serde(with = "number")]
    pub code_id: u64,
    pub creator: String,
    #[serde(default)]
    pub admin: String,
    pub label: String,
    pub created: Position,
    #[serde(default)]
    pub ibc_port_id: String,
    /// wasmd has it; this chain has no extensions.
    #[serde(default)]
    pub extension: Option<()>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    #[serde(with = "number")]
    pub block_height: u64,
    #[serde(with = "number")]
    pub tx_index: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    #[serde(with = "hex_upper")]
    pub key: Vec<u8>,
    #[serde(with = "bytes")]
    pub value: Vec<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct History {
    pub operation: Operation,
    #[serde(with = "number")]
    pub code_id: u64,
    pub updated: Position,
    /// The message, byte for byte: it is part of the state.
    #[serde(with = "message")]
    pub msg: Vec<u8>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Operation {
    #[serde(rename = "CONTRACT_CODE_HISTORY_OPERATION_TYPE_INIT")]
    Init,
    #[serde(rename = "CONTRACT_CODE_HISTORY_OPERATION_TYPE_MIGRATE")]
    Migrate,
    #[serde(rename = "CONTRACT_CODE_HISTORY_OPERATION_TYPE_GENESIS")]
    Genesis,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sequence {
    #[serde(with = "bytes")]
    pub id_key: Vec<u8>,
    #[serde(with = "number")]
    pub value: u64,
}

/// A message that genesis runs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum GenMsg {
    StoreCode {
        sender: String,
        #[serde(with = "bytes")]
        wasm_byte_code: Vec<u8>,
        #[serde(default)]
        instantiate_permission: Option<AccessConfig>,
    },
    InstantiateContract {
        sender: String,
        #[serde(default)]
        admin: String,
        #[serde(with = "number")]
        code_id: u64,
        label: String,
        #[serde(with = "message")]
        msg: Vec<u8>,
        #[serde(default)]
        funds: Vec<Coin>,
    },
    ExecuteContract {
        sender: String,
        contract: String,
        #[serde(with = "message")]
        msg: Vec<u8>,
        #[serde(default)]
        funds: Vec<Coin>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Coin {
    pub denom: String,
    pub amount: String,
}

impl From<AccessType> for proto::AccessType {
    fn from(t: AccessType) -> Self {
        match t {
            AccessType::Unspecified => Self::Unspecified,
            AccessType::Nobody => Self::Nobody,
            AccessType::Everybody => Self::Everybody,
            AccessType::AnyOfAddresses => Self::AnyOfAddresses,
        }
    }
}

impl AccessType {
    pub fn from_proto(permission: i32) -> Self {
        match access::kind(permission) {
            proto::AccessType::Nobody => Self::Nobody,
            proto::AccessType::Everybody => Self::Everybody,
            proto::AccessType::AnyOfAddresses => Self::AnyOfAddresses,
            proto::AccessType::Unspecified => Self::Unspecified,
        }
    }
}

impl From<AccessConfig> for proto::AccessConfig {
    fn from(c: AccessConfig) -> Self {
        Self {
            permission: proto::AccessType::from(c.permission) as i32,
            addresses: c.addresses,
        }
    }
}

impl From<proto::AccessConfig> for AccessConfig {
    fn from(c: proto::AccessConfig) -> Self {
        Self {
            permission: AccessType::from_proto(c.permission),
            addresses: c.addresses,
        }
    }
}

impl From<Position> for proto::AbsoluteTxPosition {
    fn from(p: Position) -> Self {
        Self {
            block_height: p.block_height,
            tx_index: p.tx_index,
        }
    }
}

impl From<Option<proto::AbsoluteTxPosition>> for Position {
    fn from(p: Option<proto::AbsoluteTxPosition>) -> Self {
        p.map_or(
            Self {
                block_height: 0,
                tx_index: 0,
            },
            |p| Self {
                block_height: p.block_height,
                tx_index: p.tx_index,
            },
        )
    }
}

mod number {
    use super::*;

    pub fn serialize<S: Serializer>(n: &u64, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&n.to_string())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Number(u64),
        }
        match Either::deserialize(d)? {
            Either::Number(n) => Ok(n),
            Either::Text(s) => s
                .parse()
                .map_err(|_| D::Error::custom(format!("expected a 64-bit number, got \"{s}\""))),
        }
    }
}

mod bytes {
    use super::*;

    pub fn serialize<S: Serializer>(b: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD.encode(b))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        // `null` is how Go writes bytes that are not there.
        let text = Option::<String>::deserialize(d)?.unwrap_or_default();
        STANDARD
            .decode(&text)
            .map_err(|e| D::Error::custom(format!("expected base64: {e}")))
    }
}

mod hex_upper {
    use super::*;

    pub fn serialize<S: Serializer>(b: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode_upper(b))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        hex::decode(&text).map_err(|e| D::Error::custom(format!("expected hex: {e}")))
    }
}

/// A contract's message: inline JSON, whose bytes are its canonical form; or a string, the base64 of bytes that are
/// not canonical. wasmd writes inline JSON only.
mod message {
    use super::*;

    pub fn serialize<S: Serializer>(b: &[u8], s: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_slice::<Value>(b) {
            Ok(v) if !v.is_string() && canonical(&v) == b => v.serialize(s),
            _ => bytes::serialize(b, s),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        match Value::deserialize(d)? {
            Value::String(text) => STANDARD
                .decode(&text)
                .map_err(|e| D::Error::custom(format!("expected JSON or its base64: {e}"))),
            v => Ok(canonical(&v)),
        }
    }
}

/// JSON without spaces, keys sorted, whatever order the parser keeps them in.
fn canonical(v: &Value) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Sorted<'a> {
        Map(BTreeMap<&'a str, Sorted<'a>>),
        List(Vec<Sorted<'a>>),
        Leaf(&'a Value),
    }
    fn sort(v: &Value) -> Sorted<'_> {
        match v {
            Value::Object(m) => Sorted::Map(m.iter().map(|(k, v)| (k.as_str(), sort(v))).collect()),
            Value::Array(a) => Sorted::List(a.iter().map(sort).collect()),
            leaf => Sorted::Leaf(leaf),
        }
    }
    // Maps with string keys and JSON leaves always serialize.
    serde_json::to_vec(&sort(v)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(msg: &[u8]) -> (Value, Vec<u8>) {
        let p = Position {
            block_height: 7,
            tx_index: 0,
        };
        let h = History {
            operation: Operation::Init,
            code_id: u64::MAX,
            updated: p,
            msg: msg.to_vec(),
        };
        let v = serde_json::to_value(&h).unwrap();
        (v.clone(), serde_json::from_value::<History>(v).unwrap().msg)
    }

    #[test]
    fn messages_keep_their_bytes() {
        for msg in [
            r#"{"a":1,"b":[{"y":1,"z":2}]}"#,
            r#"{"b":1,"a":2}"#,
            r#"{ "a": 1 }"#,
            r#""text""#,
            "1.0",
            "1e400",
        ] {
            assert_eq!(through(msg.as_bytes()).1, msg.as_bytes(), "{msg}");
        }
        assert!(
            through(br#"{"a":1}"#).0["msg"].is_object(),
            "canonical messages are inline, as wasmd writes them"
        );
        assert_eq!(through(b"{}").0["code_id"], "18446744073709551615");
        let v: Value = serde_json::from_str(r#"{"b":{"d":1,"c":2},"a":[]}"#).unwrap();
        assert_eq!(canonical(&v), br#"{"a":[],"b":{"c":2,"d":1}}"#);
    }

    #[test]
    fn unknown_fields_are_refused() {
        let e = serde_json::from_str::<Genesis>(
            r#"{"params":{"code_upload_access":{"permission":"Everybody"},
            "instantiate_default_permission":"Everybody"},"kodes":[]}"#,
        );
        assert!(e.unwrap_err().to_string().contains("kodes"));
    }
}
