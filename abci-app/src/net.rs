//! HTTP for strangers: a bounded number of connections, and a bounded time for each step of a request, so that nobody
//! who is slow, silent or many keeps the node from serving others.

use crate::metrics::Metrics;
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    response::IntoResponse,
};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tower::ServiceExt;

/// Most bytes of a request's headers.
const MAX_HEADERS: u32 = 64 << 10;
/// Most calls at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 100;
/// How often a silent HTTP/2 peer is asked whether it is there, and how long it may take to answer.
const PING: Duration = Duration::from_secs(20);
/// How long open calls may take after a stop.
const GRACE: Duration = Duration::from_secs(3);

/// Bounds of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most connections at once; what comes above is closed at once.
    pub connections: usize,
    /// Time from a connection's start, or from an answer on it, to the end of the next request's headers.
    pub headers: Duration,
    /// Time from there to the answer, the request's body included. Also the time that a peer may take nothing of what
    /// is sent to it.
    pub request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // As many as CometBFT's RPC takes.
            connections: 900,
            headers: Duration::from_secs(10),
            request: Duration::from_secs(30),
        }
    }
}

/// Serves until `stop` is ready; then calls in work have three seconds. `name` is what metrics call the server.
pub async fn serve(
    name: &'static str,
    listener: TcpListener,
    router: Router,
    limits: Limits,
    metrics: Metrics,
    stop: impl Future<Output = ()>,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(MAX_HEADERS as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS);
    let permits = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let tcp = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => tcp,
                Err(error) => {
                    // No file is left, for example: others must close first.
                    tracing::warn!(name, %error, "a connection was not accepted");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
            metrics.refused(name);
            continue;
        };
        prepare(&tcp, limits);
        let spoke = Arc::new(AtomicBool::new(false));
        let (router, counted, heard) = (router.clone(), metrics.clone(), Arc::clone(&spoke));
        let service = tower::service_fn(move |request: Request<Incoming>| {
            heard.store(true, Ordering::Relaxed);
            let (router, counted) = (router.clone(), counted.clone());
            async move {
                let answer = timeout(limits.request, router.oneshot(request.map(Body::new))).await;
                let answer = match answer {
                    Ok(Ok(answer)) => answer,
                    Ok(Err(never)) => match never {},
                    Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
                };
                counted.request(name, answer.status().as_u16());
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = builder
            .serve_connection_with_upgrades(TokioIo::new(tcp), TowerToHyperService::new(service))
            .into_owned();
        let connection = graceful.watch(connection);
        let metrics = metrics.clone();
        tokio::spawn(async move {
            metrics.opened(name);
            // Before the first request HTTP's own clocks do not run yet.
            let silent = async {
                sleep(limits.headers).await;
                if spoke.load(Ordering::Relaxed) {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                end = connection => if let Err(error) = end {
                    tracing::debug!(name, %error, "connection ended");
                },
                () = silent => tracing::debug!(name, "silent connection closed"),
            }
            metrics.closed(name);
            drop(permit);
        });
    }
    drop(listener);
    timeout(GRACE, graceful.shutdown()).await.ok();
}

fn prepare(tcp: &TcpStream, limits: Limits) {
    // Small answers at once. Neither is needed to serve.
    tcp.set_nodelay(true).ok();
    let wait = u32::try_from(limits.request.as_millis()).unwrap_or(u32::MAX);
    rustix::net::sockopt::set_tcp_user_timeout(tcp, wait).ok();
}

/// Lets the process open as many files as the system permits it: every connection is one.
pub fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let more = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, more) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}
