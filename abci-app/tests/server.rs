//! The socket server, with the client of the tendermint-abci crate and by hand.
#![allow(clippy::unwrap_used)]

mod common;

use bytes::BytesMut;
use common::Kv;
use ember_abci_app::server::{Addr, Options, Server, frame};
use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    process::Command,
    sync::{Arc, Barrier},
    thread,
};
use tendermint_abci::{Application, ClientBuilder};
use tendermint_proto::v0_38::abci::{
    Request, RequestCheckTx, RequestEcho, RequestFinalizeBlock, RequestFlush, RequestInfo,
    RequestQuery, Response, ResponseCommit, ResponseQuery, request::Value as Ask,
    response::Value as Answer,
};

fn bind(addr: &str) -> Server {
    Server::bind(&addr.parse().unwrap(), Options::default()).unwrap()
}

fn running<A: Application + Sync>(server: Server, app: A) -> (Addr, impl FnOnce()) {
    let (addr, stop) = (server.addr().clone(), server.stopper());
    let thread = thread::spawn(move || server.run(&app));
    (addr, move || {
        stop.stop();
        thread.join().unwrap().unwrap();
    })
}

#[test]
fn the_crates_own_client_over_tcp() {
    let app = Kv::default();
    let (addr, stop) = running(bind("tcp://127.0.0.1:0"), app.clone());
    let Addr::Tcp(host) = addr else { panic!("tcp") };
    // Its client sends no Flush.
    let mut client = ClientBuilder::default().connect(&host).unwrap();
    assert_eq!(
        client
            .echo(RequestEcho {
                message: "hello".into()
            })
            .unwrap()
            .message,
        "hello"
    );
    assert_eq!(client.info(RequestInfo::default()).unwrap().data, "kv");
    let block = RequestFinalizeBlock {
        txs: vec!["a=1".into()],
        height: 1,
        ..Default::default()
    };
    assert_eq!(client.finalize_block(block).unwrap().tx_results.len(), 1);
    client.commit().unwrap();
    let value = client
        .query(RequestQuery {
            data: "a".into(),
            ..Default::default()
        })
        .unwrap()
        .value;
    assert_eq!(value, "1");
    assert_eq!(app.height(), 1);
    stop();
    assert!(client.info(RequestInfo::default()).is_err(), "stopped");
}

fn put(buf: &mut BytesMut, value: Ask) {
    frame::put(buf, &Request { value: Some(value) });
}

fn answers(stream: &mut impl Read, count: usize) -> Vec<Answer> {
    let (mut buf, mut out) = (BytesMut::new(), Vec::new());
    let mut chunk = [0; 4_096];
    while out.len() < count {
        match frame::take(&mut buf, 1 << 20).unwrap() {
            Ok(bytes) => out.push(frame::decode::<Response>(bytes).unwrap().value.unwrap()),
            Err(_) => {
                let n = stream.read(&mut chunk).unwrap();
                assert!(n > 0, "closed after {} answers", out.len());
                buf.extend_from_slice(&chunk[..n]);
            }
        }
    }
    out
}

#[test]
fn a_pipeline_over_a_unix_socket() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    let (_, stop) = running(bind(&format!("unix://{}", path.display())), Kv::default());
    let mut stream = UnixStream::connect(&path).unwrap();
    let mut out = BytesMut::new();
    for i in 0..1_000 {
        let tx = if i % 10 == 0 {
            format!("bad{i}")
        } else {
            format!("k{i}=v")
        };
        put(
            &mut out,
            Ask::CheckTx(RequestCheckTx {
                tx: tx.into(),
                r#type: 0,
            }),
        );
    }
    put(&mut out, Ask::Flush(RequestFlush {}));
    stream.write_all(&out).unwrap();
    let got = answers(&mut stream, 1_001);
    for (i, answer) in got[..1_000].iter().enumerate() {
        let Answer::CheckTx(c) = answer else {
            panic!("a check")
        };
        assert_eq!(c.code, if i % 10 == 0 { 7 } else { 0 });
    }
    assert!(matches!(got[1_000], Answer::Flush(_)));
    stop();
    assert!(!path.exists(), "the socket file goes with the server");
}

/// A query that waits for a commit on another connection: served one after the other, this would hang.
#[test]
fn connections_are_served_side_by_side() {
    #[derive(Clone)]
    struct Meet(Arc<Barrier>);
    impl Application for Meet {
        fn query(&self, _: RequestQuery) -> ResponseQuery {
            self.0.wait();
            ResponseQuery::default()
        }
        fn commit(&self) -> ResponseCommit {
            self.0.wait();
            ResponseCommit::default()
        }
    }
    let (addr, stop) = running(bind("tcp://127.0.0.1:0"), Meet(Arc::new(Barrier::new(2))));
    let Addr::Tcp(host) = addr else { panic!("tcp") };
    let other = host.clone();
    let query = thread::spawn(move || {
        let mut client = ClientBuilder::default().connect(other).unwrap();
        client.query(RequestQuery::default()).unwrap();
    });
    ClientBuilder::default()
        .connect(host)
        .unwrap()
        .commit()
        .unwrap();
    query.join().unwrap();
    stop();
}

#[test]
fn socket_files_of_the_living_and_of_others_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    let addr: Addr = format!("unix://{}", path.display()).parse().unwrap();
    let bind = || Server::bind(&addr, Options::default());
    let alive = bind().unwrap();
    assert!(
        bind()
            .err()
            .unwrap()
            .to_string()
            .contains("another process serves")
    );
    drop(alive);
    assert!(path.exists(), "what a kill leaves behind");
    drop(bind().unwrap());
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "mine").unwrap();
    assert!(bind().err().unwrap().to_string().contains("another file"));
}

/// The test runs itself as the process that panics.
#[test]
fn a_panic_in_the_application_ends_the_process() {
    #[derive(Clone)]
    struct Panics;
    impl Application for Panics {
        fn query(&self, _: RequestQuery) -> ResponseQuery {
            panic!("boom")
        }
    }
    if std::env::var_os("EMBER_TEST_PANIC").is_some() {
        let server = bind("tcp://127.0.0.1:0");
        let Addr::Tcp(host) = server.addr().clone() else {
            panic!("tcp")
        };
        thread::spawn(move || server.run(&Panics));
        ClientBuilder::default()
            .connect(host)
            .unwrap()
            .query(RequestQuery::default())
            .ok();
        thread::park();
    }
    let out = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_panic_in_the_application_ends_the_process",
            "--nocapture",
        ])
        .env("EMBER_TEST_PANIC", "1")
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(70));
    assert!(String::from_utf8_lossy(&out.stderr).contains("the application panicked (boom)"));
}
