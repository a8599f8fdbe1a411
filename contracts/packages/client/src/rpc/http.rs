//! One JSON-RPC call, with failover to the next node.

use super::Client;
use crate::error::{Error, one_line};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

impl Client {
    /// Calls a JSON-RPC method: its `result`. A node that does not answer is passed over for the next.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when no node answers, [`Error::Query`] when one refuses.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, Error> {
        let body =
            json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let mut reason = String::new();
        for (at, url) in self.order() {
            // A kept connection may have died with its node: the second try makes a new one.
            for _ in 0..2 {
                match self.post(url, &body).await {
                    Ok(text) => {
                        self.inner.current.store(at, Ordering::Relaxed);
                        return parse(method, &text);
                    }
                    Err(e) => reason = e,
                }
            }
        }
        Err(Error::Unreachable {
            url: self.inner.urls.join(","),
            reason,
        })
    }

    async fn post(&self, url: &str, body: &str) -> Result<String, String> {
        let sent = self
            .inner
            .http
            .post(url)
            .header("content-type", "application/json")
            .body(body.to_owned())
            .send()
            .await;
        let answer = match sent {
            Ok(a) => a.text().await,
            Err(e) => Err(e),
        };
        answer.map_err(|e| reason(&e))
    }
}

/// The innermost cause says most, and does not repeat the URL.
fn reason(e: &reqwest::Error) -> String {
    if e.is_timeout() {
        return "no answer in time".into();
    }
    let mut cause: &dyn std::error::Error = e;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    one_line(&cause.to_string())
}

fn parse(method: &str, text: &str) -> Result<Value, Error> {
    let mut value: Value = serde_json::from_str(text).map_err(|_| Error::protocol(method, text))?;
    if let Some(e) = value.get("error").filter(|e| !e.is_null()) {
        let (message, data) = (
            e["message"].as_str().unwrap_or_default(),
            e["data"].as_str().unwrap_or_default(),
        );
        return Err(Error::Query {
            code: 0,
            log: one_line(if data.is_empty() { message } else { data }),
        });
    }
    match value.get_mut("result") {
        Some(result) => Ok(result.take()),
        None => Err(Error::protocol(method, text)),
    }
}
