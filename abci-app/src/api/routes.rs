//! The `google.api.http` rules of every method that is answered: from an HTTP request to a message.

use super::descriptors::{self, pool};
use base64::{Engine, engine::general_purpose::URL_SAFE, prelude::BASE64_STANDARD};
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value as Field,
};
use serde_json::{Map, Value};
use tonic::Status;

/// A part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// As it stands.
    Literal(String),
    /// One segment, into a field.
    One(String),
    /// The rest of the path, into a field.
    Rest(String),
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Route {
    /// `GET` or `POST`.
    pub verb: &'static str,
    parts: Vec<Part>,
    /// Whether the body is the message.
    pub body: bool,
    /// What answers.
    pub method: MethodDescriptor,
}

/// Every rule of every method that is answered, the more literal first.
pub fn all() -> Vec<Route> {
    let http = descriptors::extension("google.api.http");
    let mut routes = Vec::new();
    for name in descriptors::SERVICES {
        let Some(service) = pool().get_service_by_name(name) else {
            continue;
        };
        for method in service.methods() {
            let options = method.options();
            if !options.has_extension(&http) {
                continue;
            }
            if let Field::Message(rule) = options.get_extension(&http).as_ref() {
                add(&mut routes, rule, &method);
                if let Some(Field::List(more)) =
                    rule.get_field_by_name("additional_bindings").as_deref()
                {
                    for rule in more.iter().filter_map(Field::as_message) {
                        add(&mut routes, rule, &method);
                    }
                }
            }
        }
    }
    // `/a/b` is asked before `/a/{x}`, and that before `/a/{x=**}`.
    routes.sort_by_key(|r| {
        r.parts
            .iter()
            .map(|p| match p {
                Part::Literal(_) => 0u8,
                Part::One(_) => 1,
                Part::Rest(_) => 2,
            })
            .collect::<Vec<_>>()
    });
    routes
}

fn add(routes: &mut Vec<Route>, rule: &DynamicMessage, method: &MethodDescriptor) {
    let text = |name: &str| {
        let field = rule.get_field_by_name(name);
        field
            .and_then(|f| f.as_str().map(str::to_owned))
            .unwrap_or_default()
    };
    for (verb, field) in [("GET", "get"), ("POST", "post")] {
        let path = text(field);
        if !path.is_empty() {
            routes.push(Route {
                verb,
                parts: path.trim_matches('/').split('/').map(part).collect(),
                body: !text("body").is_empty(),
                method: method.clone(),
            });
        }
    }
}

fn part(segment: &str) -> Part {
    match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
        None => Part::Literal(segment.into()),
        Some(name) => match name.strip_suffix("=**") {
            Some(name) => Part::Rest(name.into()),
            None => Part::One(name.into()),
        },
    }
}

impl Route {
    /// The path as OpenAPI writes it.
    pub fn path(&self) -> String {
        self.parts
            .iter()
            .map(|p| match p {
                Part::Literal(text) => format!("/{text}"),
                Part::One(name) | Part::Rest(name) => format!("/{{{name}}}"),
            })
            .collect()
    }

    /// The fields in the path.
    pub fn fields(&self) -> Vec<String> {
        let named = |p: &Part| match p {
            Part::Literal(_) => None,
            Part::One(name) | Part::Rest(name) => Some(name.clone()),
        };
        self.parts.iter().filter_map(named).collect()
    }

    /// The path's fields, when the path is this route's.
    fn matches(&self, segments: &[String]) -> Option<Vec<(String, String)>> {
        let mut fields = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            match part {
                Part::Rest(name) => {
                    let rest = segments.get(at..).filter(|r| !r.is_empty())?;
                    fields.push((name.clone(), rest.join("/")));
                    return Some(fields);
                }
                Part::Literal(text) => {
                    segments.get(at).filter(|s| *s == text)?;
                }
                Part::One(name) => {
                    let segment = segments.get(at).filter(|s| !s.is_empty())?;
                    fields.push((name.clone(), segment.clone()));
                }
            }
        }
        (self.parts.len() == segments.len()).then_some(fields)
    }
}

/// The route of a request and the fields in its path; `None` when nothing answers there.
pub fn find<'a>(
    routes: &'a [Route],
    verb: &str,
    path: &str,
) -> Option<(&'a Route, Vec<(String, String)>)> {
    let segments: Vec<String> = path.trim_matches('/').split('/').map(decode).collect();
    routes
        .iter()
        .filter(|r| r.verb == verb)
        .find_map(|r| Some((r, r.matches(&segments)?)))
}

/// Percent-decoding; what is malformed stays as it is.
pub fn decode(text: &str) -> String {
    let (mut out, bytes) = (Vec::with_capacity(text.len()), text.as_bytes());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten();
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The request message: the body if it is JSON of it, then the fields of the path and the query.
///
/// # Errors
/// `InvalidArgument` when a field is not of its type. Fields that the message does not have are passed over, as
/// grpc-gateway does.
pub fn request(
    route: &Route,
    fields: &[(String, String)],
    query: &str,
    body: &[u8],
) -> Result<DynamicMessage, Status> {
    let input = route.method.input();
    let mut json = match route.body {
        true if !body.is_empty() => serde_json::from_slice::<Value>(body)
            .ok()
            .and_then(|v| v.as_object().cloned())
            .ok_or_else(|| Status::invalid_argument("body: expected a JSON object"))?,
        _ => Map::new(),
    };
    let pairs = query.split('&').filter(|p| !p.is_empty()).map(|pair| {
        let (k, v) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(&k.replace('+', " ")), decode(&v.replace('+', " ")))
    });
    for (name, text) in fields.iter().cloned().chain(pairs) {
        set(&mut json, &input, &name, &text)?;
    }
    let mut value = Value::Object(json);
    crate::codec::json_in::normalise(&mut value, &input);
    let bad = |e: &dyn std::fmt::Display| Status::invalid_argument(format!("request: {e}"));
    let options = prost_reflect::DeserializeOptions::new().deny_unknown_fields(false);
    let text = serde_json::to_string(&value).map_err(|e| bad(&e))?;
    let mut reader = serde_json::Deserializer::from_str(&text);
    DynamicMessage::deserialize_with_options(input, &mut reader, &options).map_err(|e| bad(&e))
}

fn set(
    json: &mut Map<String, Value>,
    message: &MessageDescriptor,
    name: &str,
    text: &str,
) -> Result<(), Status> {
    let (first, rest) = match name.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (name, None),
    };
    let Some(field) = message
        .fields()
        .find(|f| f.name() == first || f.json_name() == first)
    else {
        return Ok(());
    };
    if let (Some(rest), Kind::Message(inner)) = (rest, field.kind()) {
        let slot = json
            .entry(field.name())
            .or_insert_with(|| Value::Object(Map::new()));
        return match slot.as_object_mut() {
            Some(slot) => set(slot, &inner, rest, text),
            None => Ok(()),
        };
    }
    let value = scalar(&field, text).ok_or_else(|| {
        Status::invalid_argument(format!(
            "parameter {name}: expected {:?}, got {text:?}",
            field.kind()
        ))
    })?;
    if field.is_list() {
        let list = json
            .entry(field.name())
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Some(list) = list.as_array_mut() {
            list.push(value);
        }
    } else {
        json.insert(field.name().to_owned(), value);
    }
    Ok(())
}

fn scalar(field: &FieldDescriptor, text: &str) -> Option<Value> {
    Some(match field.kind() {
        Kind::String => text.into(),
        Kind::Bool => match text {
            "true" | "1" | "" => true.into(),
            "false" | "0" => false.into(),
            _ => return None,
        },
        Kind::Bytes => {
            // grpc-gateway takes either alphabet.
            let bytes = BASE64_STANDARD
                .decode(text)
                .or_else(|_| URL_SAFE.decode(text))
                .ok()?;
            BASE64_STANDARD.encode(bytes).into()
        }
        Kind::Enum(e) => match text.parse::<i32>() {
            Ok(n) => n.into(),
            Err(_) => e.get_value_by_name(text)?.name().into(),
        },
        Kind::Message(_) => return None,
        Kind::Double | Kind::Float => text.parse::<f64>().ok()?.into(),
        _ => {
            text.parse::<i128>().ok()?;
            text.into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(verb: &str, url: &str) -> Option<(String, Value)> {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let routes = all();
        let (route, fields) = find(&routes, verb, path)?;
        let message = request(route, &fields, query, b"").unwrap();
        Some((
            route.method.name().to_owned(),
            crate::codec::json::message(&message),
        ))
    }

    #[test]
    fn paths_find_their_methods() {
        for (url, method) in [
            ("/cosmos/bank/v1beta1/balances/ember1x", "AllBalances"),
            (
                "/cosmos/bank/v1beta1/balances/ember1x/by_denom?denom=uember",
                "Balance",
            ),
            ("/cosmos/auth/v1beta1/accounts/ember1x", "Account"),
            (
                "/cosmwasm/wasm/v1/contract/ember1x/smart/e30=",
                "SmartContractState",
            ),
            (
                "/cosmwasm/wasm/v1/contract/ember1x/smart/e30%3D",
                "SmartContractState",
            ),
            ("/cosmos/tx/v1beta1/txs/AB", "GetTx"),
            ("/cosmos/tx/v1beta1/txs?query=a%3D1", "GetTxsEvent"),
            ("/cosmos/tx/v1beta1/txs/block/7", "GetBlockWithTxs"),
            (
                "/cosmos/base/tendermint/v1beta1/blocks/latest",
                "GetLatestBlock",
            ),
            (
                "/cosmos/base/tendermint/v1beta1/blocks/7",
                "GetBlockByHeight",
            ),
            (
                "/cosmos/bank/v1beta1/denoms_metadata/factory/x/y",
                "DenomMetadata",
            ),
        ] {
            assert_eq!(
                of("GET", url).map(|(m, _)| m).as_deref(),
                Some(method),
                "{url}"
            );
        }
        for (verb, url) in [
            ("GET", "/ibc/apps/transfer/v1/params"),
            ("POST", "/cosmos/bank/v1beta1/balances/x"),
            ("GET", "/"),
        ] {
            assert!(of(verb, url).is_none(), "{url}");
        }
        assert_eq!(
            of("POST", "/cosmos/tx/v1beta1/simulate").unwrap().0,
            "Simulate"
        );
    }

    #[test]
    fn parameters_become_fields() {
        let (_, m) = of("GET", "/cosmos/bank/v1beta1/balances/a%2Fb?pagination.limit=1000&pagination.reverse=true&pagination.key=AQI%3D&nosuch=1").unwrap();
        assert_eq!(m["address"], "a/b");
        assert_eq!(
            (
                &m["pagination"]["limit"],
                &m["pagination"]["reverse"],
                &m["pagination"]["key"]
            ),
            (&"1000".into(), &true.into(), &"AQI=".into())
        );
        let (_, m) = of(
            "GET",
            "/cosmos/tx/v1beta1/txs?query=tx.height%3D5&order_by=ORDER_BY_DESC&page=2",
        )
        .unwrap();
        assert_eq!(
            (&m["query"], &m["order_by"], &m["page"]),
            (&"tx.height=5".into(), &"ORDER_BY_DESC".into(), &"2".into())
        );
        let routes = all();
        let (route, fields) = find(&routes, "GET", "/cosmos/bank/v1beta1/balances/a").unwrap();
        let bad = request(route, &fields, "pagination.limit=many", b"").unwrap_err();
        assert_eq!(bad.code(), tonic::Code::InvalidArgument);
        assert!(bad.message().contains("many"), "{}", bad.message());
    }
}
