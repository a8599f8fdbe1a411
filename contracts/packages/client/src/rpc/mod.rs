//! The node's JSON-RPC over HTTP, as CometBFT speaks it, and the chain's gRPC queries through `abci_query`.

mod http;
mod query;
mod tx;

pub use query::{Account, Status};
pub use tx::{Event, TxOutcome, hash};

use crate::error::Error;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::OnceCell;

/// Time that one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// A client of one chain through one or several nodes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    urls: Vec<String>,
    /// The node that answered last.
    current: AtomicUsize,
    chain_id: OnceCell<String>,
}

impl Client {
    /// A client of the nodes in `urls` (comma-separated; `tcp://` reads as `http://`). Asks nothing yet.
    ///
    /// # Errors
    /// When a URL is not one.
    pub fn new(urls: &str) -> Result<Self, Error> {
        let urls = urls
            .split(',')
            .map(|u| normal_url(u.trim()))
            .collect::<Result<Vec<_>, _>>()?;
        let http = reqwest::Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(Duration::from_secs(3))
            .build()
            .map_err(|e| Error::Unreachable {
                url: urls.join(","),
                reason: e.to_string(),
            })?;
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                urls,
                current: AtomicUsize::new(0),
                chain_id: OnceCell::new(),
            }),
        })
    }

    /// The nodes' addresses.
    pub fn urls(&self) -> &[String] {
        &self.inner.urls
    }

    /// The nodes, the one that answered last first.
    fn order(&self) -> impl Iterator<Item = (usize, &str)> {
        let (n, first) = (
            self.inner.urls.len(),
            self.inner.current.load(Ordering::Relaxed),
        );
        (0..n).map(move |i| {
            let at = (first + i) % n;
            (at, self.inner.urls[at].as_str())
        })
    }
}

fn normal_url(url: &str) -> Result<String, Error> {
    let err = || Error::Malformed {
        what: "--node",
        expected: "http://host:port, several separated by commas",
        got: url.into(),
    };
    let url = match url.split_once("://") {
        Some(("tcp", rest)) => format!("http://{rest}"),
        Some(("http" | "https", _)) => url.to_owned(),
        Some(_) => return Err(err()),
        None => format!("http://{url}"),
    };
    let parsed = reqwest::Url::parse(&url).map_err(|_| err())?;
    parsed
        .host_str()
        .filter(|h| !h.is_empty())
        .ok_or_else(err)?;
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_urls_are_checked_and_normalised() {
        let c = Client::new("tcp://127.0.0.1:1, https://x.example/rpc/").unwrap();
        assert_eq!(c.urls(), ["http://127.0.0.1:1", "https://x.example/rpc"]);
        for bad in ["", "ftp://x", "http://"] {
            assert!(Client::new(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_node_that_is_not_there_is_named() {
        let e = Client::new("http://127.0.0.1:9")
            .unwrap()
            .status()
            .await
            .unwrap_err();
        assert!(
            e.is_outage() && e.to_string().contains("127.0.0.1:9"),
            "{e}"
        );
    }
}
