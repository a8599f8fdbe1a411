//! The HTTP side: JSON-RPC by POST (one or a batch), methods by URI, the websocket.

use super::{
    methods::{Answer, Api, METHODS, RpcError},
    params::Params,
    websocket,
};
use crate::{
    metrics::Metrics,
    net::{self, Limits},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State, WebSocketUpgrade},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::Arc};
use tendermint_abci::Application;
use tokio::{net::TcpListener, sync::Semaphore};

/// Bounds of the RPC server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Most bytes of a body or a websocket message.
    pub max_body: usize,
    /// Most calls that run at once; the rest wait.
    pub max_calls: usize,
    /// Most websocket connections.
    pub max_websockets: usize,
    /// Most calls in one batch.
    pub max_batch: usize,
    /// Bounds of connections.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_body: 4 << 20,
            max_calls: 32,
            max_websockets: 100,
            max_batch: 10,
            limits: Limits::default(),
        }
    }
}

/// What the handlers share.
#[derive(Clone)]
pub struct Rpc<A> {
    pub(super) api: Api<A>,
    calls: Arc<Semaphore>,
    pub(super) sockets: Arc<Semaphore>,
    pub(super) options: Options,
}

/// Serve until `stop` is ready.
pub async fn serve<A: Application>(
    api: Api<A>,
    listener: TcpListener,
    options: Options,
    metrics: Metrics,
    stop: impl Future<Output = ()>,
) {
    let rpc = Rpc {
        api,
        calls: Arc::new(Semaphore::new(options.max_calls)),
        sockets: Arc::new(Semaphore::new(options.max_websockets)),
        options,
    };
    let app = Router::new()
        .route("/", get(index::<A>).post(post::<A>))
        .route("/websocket", any(upgrade::<A>))
        .route("/{method}", get(uri::<A>))
        .layer(DefaultBodyLimit::max(options.max_body))
        .with_state(rpc);
    net::serve("rpc", listener, app, options.limits, metrics, stop).await;
}

async fn index<A: Application>(State(_): State<Rpc<A>>) -> String {
    METHODS
        .iter()
        .map(|(name, params)| {
            format!(
                "/{name}?{}\n",
                params
                    .iter()
                    .map(|p| format!("{p}=_"))
                    .collect::<Vec<_>>()
                    .join("&")
            )
        })
        .collect()
}

async fn post<A: Application>(State(rpc): State<Rpc<A>>, body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        let error = RpcError {
            code: -32700,
            message: "Parse error",
            data: "expected a JSON-RPC 2.0 request".into(),
        };
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            Json(envelope(&json!(-1), Err(error))),
        )
            .into_response();
    };
    match request {
        Value::Array(batch) if batch.len() > rpc.options.max_batch => {
            let text = format!(
                "expected at most {} calls in a batch, got {}",
                rpc.options.max_batch,
                batch.len()
            );
            let error = RpcError {
                code: -32600,
                message: "Invalid Request",
                data: text,
            };
            Json(envelope(&json!(-1), Err(error))).into_response()
        }
        Value::Array(batch) => {
            let mut answers = Vec::with_capacity(batch.len());
            for one in batch {
                answers.extend(rpc.answer(one).await);
            }
            Json(Value::Array(answers)).into_response()
        }
        one => match rpc.answer(one).await {
            Some(answer) => Json(answer).into_response(),
            // A notification.
            None => StatusCode::OK.into_response(),
        },
    }
}

async fn uri<A: Application>(
    State(rpc): State<Rpc<A>>,
    Path(method): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    if !METHODS.iter().any(|(name, _)| *name == method) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let params: Map<_, _> = query.into_iter().map(|(k, v)| (k, v.into())).collect();
    let answer = rpc.call(&method, Params::Uri(params)).await;
    let status = match &answer {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, Json(envelope(&json!(-1), answer))).into_response()
}

async fn upgrade<A: Application>(State(rpc): State<Rpc<A>>, ws: WebSocketUpgrade) -> Response {
    let Ok(permit) = Arc::clone(&rpc.sockets).try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    ws.max_message_size(rpc.options.max_body)
        .on_upgrade(move |socket| async move {
            websocket::run(rpc, socket).await;
            drop(permit);
        })
}

impl<A: Application> Rpc<A> {
    /// Answer one JSON-RPC request; a notification (no id) is done and not answered.
    pub(super) async fn answer(&self, request: Value) -> Option<Value> {
        let id = request.get("id").cloned()?;
        let method = request["method"].as_str().unwrap_or_default().to_owned();
        let names = METHODS.iter().find(|(name, _)| *name == method);
        let names = names.map_or(&[][..], |(_, params)| *params);
        let answer = match Params::json(request.get("params").cloned(), names) {
            Ok(params) => self.call(&method, params).await,
            Err(e) => Err(RpcError::params(e)),
        };
        Some(envelope(&id, answer))
    }

    async fn call(&self, method: &str, params: Params) -> Answer {
        if method == "broadcast_tx_commit" {
            return self.api.broadcast_commit(&params).await;
        }
        let _permit = self.calls.acquire().await.map_err(RpcError::internal)?;
        let (api, method) = (self.api.clone(), method.to_owned());
        tokio::task::spawn_blocking(move || api.call(&method, &params))
            .await
            .map_err(RpcError::internal)?
    }
}

/// The JSON-RPC envelope of an answer.
pub(super) fn envelope(id: &Value, answer: Answer) -> Value {
    match answer {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(e) => json!({
            "jsonrpc": "2.0",
            "id": id,
            "error": { "code": e.code, "message": e.message, "data": e.data },
        }),
    }
}
