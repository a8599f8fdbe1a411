//! Messages from the SDK's JSON, which differs from protobuf's own: contract messages inline, decimals with their point,
//! hashes in hex. [`super::json`] is the way back.

use super::{
    descriptors::pool,
    json::{Form, form},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::Value;

/// Deepest messages in messages, as many as the SDK unpacks.
const MAX_DEPTH: u8 = 32;

/// Changes `value`, which is of `message`, in place. What is of a wrong form is left as it is: who decodes it says so.
pub fn normalise(value: &mut Value, message: &MessageDescriptor) {
    fields(value, message, MAX_DEPTH);
}

fn fields(value: &mut Value, message: &MessageDescriptor, depth: u8) {
    let (Some(depth), Some(object)) = (depth.checked_sub(1), value.as_object_mut()) else {
        return;
    };
    if message.full_name() == "google.protobuf.Any" {
        let url = object.get("@type").and_then(Value::as_str);
        let inner = url.and_then(|u| pool().get_message_by_name(u.trim_start_matches('/')));
        if let Some(inner) = inner {
            fields(value, &inner, depth);
        }
        return;
    }
    for field in message.fields() {
        let other = Some(field.json_name()).filter(|n| *n != field.name());
        for name in std::iter::once(field.name()).chain(other) {
            match object.get_mut(name) {
                Some(Value::Array(items)) if field.is_list() => {
                    items.iter_mut().for_each(|item| one(item, &field, depth));
                }
                Some(item) if !field.is_map() => one(item, &field, depth),
                _ => {}
            }
        }
    }
}

fn one(value: &mut Value, field: &FieldDescriptor, depth: u8) {
    if let Kind::Message(inner) = field.kind() {
        return fields(value, &inner, depth);
    }
    let changed = match (form(field), &*value) {
        // A string is a contract's message too, yet nobody means that: it is the base64 of one.
        (Form::RawJson, Value::Object(_) | Value::Array(_)) => {
            Some(BASE64_STANDARD.encode(value.to_string()))
        }
        (Form::Hex, Value::String(hex)) => hex::decode(hex).ok().map(|b| BASE64_STANDARD.encode(b)),
        (Form::Decimal, Value::String(text)) => integer(text).map(|digits| match field.kind() {
            Kind::Bytes => BASE64_STANDARD.encode(digits),
            _ => digits,
        }),
        (Form::Integer, Value::String(text)) if field.kind() == Kind::Bytes => {
            Some(BASE64_STANDARD.encode(text))
        }
        _ => None,
    };
    if let Some(changed) = changed {
        *value = Value::String(changed);
    }
}

/// `1.5` is `1500000000000000000`.
fn integer(text: &str) -> Option<String> {
    text.parse::<super::dec::Dec>().ok().map(|d| d.to_proto())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_json_prints_is_what_a_request_may_say() {
        let mut tx = json!({"body": {"messages": [
            {"@type": "/cosmwasm.wasm.v1.MsgExecuteContract", "sender": "a", "contract": "b", "msg": {"settle": {"lease_id": "7"}}, "funds": []},
            {"@type": "/cosmwasm.wasm.v1.MsgExecuteContract", "msg": "e30="},
            {"@type": "/cosmos.staking.v1beta1.MsgEditValidator", "commission_rate": "0.05"},
            {"@type": "/nobody.knows.Msg", "msg": {"left": "alone"}},
        ]}});
        let desc = pool().get_message_by_name("cosmos.tx.v1beta1.Tx").unwrap();
        normalise(&mut tx, &desc);
        let messages = &tx["body"]["messages"];
        assert_eq!(
            messages[0]["msg"],
            BASE64_STANDARD.encode(r#"{"settle":{"lease_id":"7"}}"#)
        );
        assert_eq!(messages[1]["msg"], "e30=");
        assert_eq!(messages[2]["commission_rate"], "50000000000000000");
        assert_eq!(messages[3]["msg"], json!({"left": "alone"}));
    }

    #[test]
    fn nesting_has_an_end() {
        let mut deep = json!({"@type": "/cosmos.authz.v1beta1.MsgExec", "msgs": []});
        for _ in 0..100 {
            deep = json!({"@type": "/cosmos.authz.v1beta1.MsgExec", "msgs": [deep]});
        }
        let desc = pool().get_message_by_name("google.protobuf.Any").unwrap();
        normalise(&mut deep, &desc);
    }
}
