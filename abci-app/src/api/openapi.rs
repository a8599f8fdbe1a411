//! What REST serves, as an OpenAPI 3.0 document and a page that lists it.

use super::routes::Route;
use prost_reflect::{FieldDescriptor, Kind};
use serde_json::{Map, Value, json};

/// A page that needs nothing from elsewhere.
pub const PAGE: &str = include_str!("../../proto/openapi.html");

/// The document.
pub fn document(routes: &[Route]) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let entry = paths.entry(route.path()).or_insert_with(|| json!({}));
        let service = route.method.parent_service();
        let in_path = route.fields();
        let mut parameters: Vec<Value> = Vec::new();
        for name in &in_path {
            parameters.push(
                json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}),
            );
        }
        let mut operation = json!({
            "operationId": format!("{}.{}", service.full_name(), route.method.name()),
            "tags": [service.full_name()],
            "responses": {
                "200": {"description": route.method.output().full_name(), "content": {"application/json": {}}},
                "default": {"description": "code, message, details", "content": {"application/json": {}}},
            },
        });
        if route.body {
            operation["requestBody"] = json!({
                "description": route.method.input().full_name(),
                "content": {"application/json": {"schema": {"type": "object"}}},
            });
        } else {
            for field in route.method.input().fields() {
                if !in_path.iter().any(|n| n == field.name()) {
                    query(&mut parameters, "", &field);
                }
            }
        }
        operation["parameters"] = parameters.into();
        entry[route.verb.to_lowercase()] = operation;
    }
    json!({
        "openapi": "3.0.3",
        "info": {"title": "emberd", "version": env!("CARGO_PKG_VERSION")},
        "paths": paths,
    })
}

fn query(parameters: &mut Vec<Value>, prefix: &str, field: &FieldDescriptor) {
    let name = format!("{prefix}{}", field.name());
    let schema = match field.kind() {
        // One level: pagination, and nothing deeper is asked by query.
        Kind::Message(inner) if prefix.is_empty() => {
            for f in inner.fields() {
                query(parameters, &format!("{name}."), &f);
            }
            return;
        }
        Kind::Message(_) => return,
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Bytes => json!({"type": "string", "format": "byte"}),
        Kind::Enum(e) => {
            json!({"type": "string", "enum": e.values().map(|v| v.name().to_owned()).collect::<Vec<_>>()})
        }
        _ => json!({"type": "string"}),
    };
    let schema = match field.is_list() {
        true => json!({"type": "array", "items": schema}),
        false => schema,
    };
    parameters.push(json!({"name": name, "in": "query", "schema": schema}));
}
