//! Connections that are too many, silent or slow: they end, and others are served.
#![allow(clippy::unwrap_used)]

use axum::{
    Router,
    body::Bytes,
    routing::{get, post},
};
use ember_abci_app::{
    metrics::Metrics,
    net::{Limits, serve},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, oneshot},
    task::JoinHandle,
};

/// A request in work, and what ends it.
#[derive(Default)]
struct Work {
    begun: Notify,
    end: Notify,
}

struct Server {
    work: Arc<Work>,
    addr: SocketAddr,
    metrics: Metrics,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Says how many bytes a body had.
async fn start(limits: Limits) -> Server {
    let work = Arc::new(Work::default());
    let inside = Arc::clone(&work);
    let wait = get(async move || {
        inside.begun.notify_one();
        inside.end.notified().await;
        "done"
    });
    let router = Router::new().route("/work", wait).route(
        "/",
        post(async |body: Bytes| body.len().to_string()).get(async || "here"),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, metrics) = (listener.local_addr().unwrap(), Metrics::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(serve(
        "test",
        listener,
        router,
        limits,
        metrics.clone(),
        async {
            stopped.await.ok();
        },
    ));
    Server {
        work,
        addr,
        metrics,
        stop,
        task,
    }
}

/// Limits that a test can wait for, and a number of connections.
fn limits(connections: usize, headers_ms: u64, request_ms: u64) -> Limits {
    Limits {
        connections,
        headers: Duration::from_millis(headers_ms),
        request: Duration::from_millis(request_ms),
    }
}

const LONG: u64 = 600_000;

async fn send(addr: SocketAddr, text: &str) -> TcpStream {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    tcp.write_all(text.as_bytes()).await.unwrap();
    tcp
}

/// What comes until the server closes; empty also when it resets.
async fn rest(tcp: &mut TcpStream) -> String {
    let mut out = Vec::new();
    tcp.read_to_end(&mut out).await.ok();
    String::from_utf8_lossy(&out).into_owned()
}

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const GET_KEEP: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// Whether a new connection is answered; one that is just being closed frees its place a little later.
async fn served_soon(addr: SocketAddr) -> bool {
    for _ in 0..500 {
        if rest(&mut send(addr, GET).await).await.ends_with("here") {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_the_others_are_served() {
    let s = start(limits(3, LONG, LONG)).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut tcp = send(s.addr, GET_KEEP).await;
        let mut buf = [0; 512];
        let n = tcp.read(&mut buf).await.unwrap();
        assert!(String::from_utf8_lossy(&buf[..n]).starts_with("HTTP/1.1 200"));
        open.push(tcp);
    }
    let mut fourth = TcpStream::connect(s.addr).await.unwrap();
    assert_eq!(rest(&mut fourth).await, "", "closed at once");
    let text = s.metrics.text();
    assert!(
        text.contains("emberd_connections{server=\"test\"} 3"),
        "{text}"
    );
    assert!(
        text.contains("emberd_refused_connections_total{server=\"test\"} 1"),
        "{text}"
    );
    // Those that were there go on, and a place that is free again is given away.
    let mut one = open.pop().unwrap();
    one.write_all(GET.as_bytes()).await.unwrap();
    assert!(rest(&mut one).await.ends_with("here"));
    assert!(served_soon(s.addr).await);
}

#[tokio::test]
async fn who_says_nothing_or_half_a_request_is_closed() {
    let s = start(limits(2, 100, LONG)).await;
    // Both places are taken; nobody else would be served for ever if they could stay.
    let mut silent = TcpStream::connect(s.addr).await.unwrap();
    let mut half = send(s.addr, "GET / HTTP/1.1\r\nhost").await;
    assert!(!rest(&mut silent).await.contains("200"));
    assert!(!rest(&mut half).await.contains("200"));
    // HTTP/2's first line, and nothing after it.
    let mut h2 = send(s.addr, "PRI * HTTP/2.0\r\n\r\nSM").await;
    assert!(!rest(&mut h2).await.contains("200"));
    // Connected, answered, and then idle.
    let mut idle = send(s.addr, GET_KEEP).await;
    assert!(rest(&mut idle).await.ends_with("here"));
    assert!(served_soon(s.addr).await);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let s = start(limits(1, LONG, 100)).await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\nconnection: close\r\n\r\n";
    let mut slow = send(s.addr, &format!("{head}12345")).await;
    let answer = rest(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    drop(slow);
    assert!(served_soon(s.addr).await);
    let text = s.metrics.text();
    assert!(
        text.contains("emberd_requests_total{server=\"test\",status=\"408\"} 1"),
        "{text}"
    );
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_work_and_waits_for_nobody_else() {
    let s = start(limits(9, LONG, LONG)).await;
    let mut idle = send(s.addr, GET_KEEP).await;
    let mut buf = [0; 512];
    assert!(idle.read(&mut buf).await.unwrap() > 0);
    let _silent = TcpStream::connect(s.addr).await.unwrap();
    let mut working = send(s.addr, "GET /work HTTP/1.1\r\nhost: x\r\n\r\n").await;
    s.work.begun.notified().await;
    s.stop.send(()).unwrap();
    while TcpStream::connect(s.addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    s.work.end.notify_one();
    let answer = rest(&mut working).await;
    assert!(answer.ends_with("done"), "{answer}");
    s.task.await.unwrap();
}
