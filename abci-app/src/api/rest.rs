//! REST: the same methods by their `google.api.http` rules, as grpc-gateway serves them.

use super::{
    grpc, openapi,
    routes::{self, Route},
    services::Services,
    status,
};
use crate::codec::json;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use prost_reflect::DynamicMessage;
use serde_json::json;
use std::sync::Arc;
use tonic::{Code, Status, metadata::MetadataMap};

/// Most bytes of a body: a transaction that stores a contract, in base64.
const MAX_BODY: usize = 4 << 20;

/// What the handlers share.
#[derive(Clone)]
struct Rest {
    services: Services,
    routes: Arc<Vec<Route>>,
}

/// The REST routes.
pub fn routes(services: Services) -> Router {
    let routes = Arc::new(routes::all());
    let document = Arc::new(openapi::document(&routes));
    Router::new()
        .route("/", get(async || Html(openapi::PAGE)))
        .route(
            "/openapi.json",
            get(async move || Json((*document).clone())),
        )
        .fallback(call)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Rest { services, routes })
}

async fn call(
    State(rest): State<Rest>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let cross = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
    ];
    // A wallet in a browser asks first.
    if method == Method::OPTIONS {
        return (StatusCode::NO_CONTENT, cross).into_response();
    }
    match answer(&rest, &method, &uri, headers, &body).await {
        Ok((body, height)) => {
            let height = [("grpc-metadata-x-cosmos-block-height", height.to_string())];
            (cross, height, Json(body)).into_response()
        }
        Err(e) => {
            let message = match e.code() {
                Code::Unimplemented => "Not Implemented",
                _ => e.message(),
            };
            let body = json!({"code": e.code() as i32, "message": message, "details": []});
            (status::http(e.code()), cross, Json(body)).into_response()
        }
    }
}

async fn answer(
    rest: &Rest,
    method: &Method,
    uri: &Uri,
    headers: HeaderMap,
    body: &[u8],
) -> Result<(serde_json::Value, i64), Status> {
    let (route, fields) = routes::find(&rest.routes, method.as_str(), uri.path())
        .ok_or_else(|| Status::unimplemented("Not Implemented"))?;
    let at = grpc::height(&MetadataMap::from_headers(headers))?;
    let request = routes::request(route, &fields, uri.query().unwrap_or_default(), body)?;
    let path = format!(
        "/{}/{}",
        route.method.parent_service().full_name(),
        route.method.name()
    );
    let request = prost_reflect::prost::Message::encode_to_vec(&request);
    let answer = rest.services.call(&path, request, at).await?;
    let message = DynamicMessage::decode(route.method.output(), answer.bytes.as_slice())
        .map_err(|e| Status::internal(format!("answer: {e}")))?;
    Ok((json::message(&message), answer.height))
}
