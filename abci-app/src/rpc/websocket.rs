//! `/websocket`: every method, and subscriptions to events.

use super::{
    http::{Rpc, envelope},
    json,
    methods::RpcError,
};
use crate::engine::filter::Filter;
use axum::extract::ws::{Message, WebSocket};
use serde_json::{Value, json};
use tendermint_abci::Application;
use tokio::sync::broadcast::error::RecvError;

/// Most subscriptions of one connection.
const MAX_SUBSCRIPTIONS: usize = 50;
/// CometBFT's longest query.
const MAX_QUERY: usize = 512;

struct Subscription {
    query: String,
    filter: Filter,
    /// The id of the call that subscribed: events carry it.
    id: Value,
}

/// Serve one connection until it closes.
pub(super) async fn run<A: Application>(rpc: Rpc<A>, mut socket: WebSocket) {
    let mut subscriptions: Vec<Subscription> = Vec::new();
    let mut events = rpc.api.node.subscribe();
    loop {
        tokio::select! {
            message = socket.recv() => {
                let text = match message {
                    Some(Ok(Message::Text(text))) => text.as_bytes().to_vec(),
                    Some(Ok(Message::Binary(bytes))) => bytes.to_vec(),
                    // The next read sends the answer to a ping or a close, and after a close there is no other.
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_))) => continue,
                    Some(Err(_)) | None => return,
                };
                let Some(answer) = handle(&rpc, &mut subscriptions, &text).await else { continue };
                if send(&mut socket, &answer).await.is_err() {
                    return;
                }
            }
            event = events.recv() => match event {
                Ok(event) => {
                    for s in subscriptions.iter().filter(|s| s.filter.matches(&event.events)) {
                        let result = json!({
                            "query": s.query,
                            "data": json::event_data(&event),
                            "events": event.events,
                        });
                        if send(&mut socket, &envelope(&s.id, Ok(result))).await.is_err() {
                            return;
                        }
                    }
                }
                Err(RecvError::Lagged(_)) => {
                    for s in std::mem::take(&mut subscriptions) {
                        let error = RpcError {
                            code: -32000,
                            message: "Server error",
                            data: "subscription was canceled (reason: slow client)".into(),
                        };
                        if send(&mut socket, &envelope(&s.id, Err(error))).await.is_err() {
                            return;
                        }
                    }
                }
                Err(RecvError::Closed) => return,
            }
        }
    }
}

async fn send(socket: &mut WebSocket, value: &Value) -> Result<(), axum::Error> {
    socket.send(Message::text(value.to_string())).await
}

async fn handle<A: Application>(
    rpc: &Rpc<A>,
    subscriptions: &mut Vec<Subscription>,
    text: &[u8],
) -> Option<Value> {
    let Ok(request) = serde_json::from_slice::<Value>(text) else {
        let error = RpcError {
            code: -32700,
            message: "Parse error",
            data: "expected a JSON-RPC 2.0 request".into(),
        };
        return Some(envelope(&json!(-1), Err(error)));
    };
    let method = request["method"].as_str().unwrap_or_default();
    if !matches!(method, "subscribe" | "unsubscribe" | "unsubscribe_all") {
        return rpc.answer(request).await;
    }
    let id = request.get("id").cloned()?;
    let params = &request["params"];
    let query = params["query"]
        .as_str()
        .or_else(|| params[0].as_str())
        .unwrap_or_default();
    let answer = match method {
        "subscribe" => subscribe(subscriptions, query, &id),
        "unsubscribe" => {
            let before = subscriptions.len();
            subscriptions.retain(|s| s.query != query);
            if subscriptions.len() == before {
                Err(RpcError::internal("subscription not found"))
            } else {
                Ok(json!({}))
            }
        }
        _ => {
            subscriptions.clear();
            Ok(json!({}))
        }
    };
    Some(envelope(&id, answer))
}

fn subscribe(
    subscriptions: &mut Vec<Subscription>,
    query: &str,
    id: &Value,
) -> Result<Value, RpcError> {
    if subscriptions.len() >= MAX_SUBSCRIPTIONS {
        return Err(RpcError::internal(format!(
            "max_subscriptions_per_client {MAX_SUBSCRIPTIONS} reached"
        )));
    }
    if query.len() > MAX_QUERY {
        return Err(RpcError::internal("maximum query length exceeded"));
    }
    let filter = Filter::parse(query)
        .map_err(|e| RpcError::internal(format!("failed to parse query: {e}")))?;
    if subscriptions.iter().any(|s| s.query == query) {
        return Err(RpcError::internal("already subscribed"));
    }
    subscriptions.push(Subscription {
        query: query.into(),
        filter,
        id: id.clone(),
    });
    Ok(json!({}))
}
