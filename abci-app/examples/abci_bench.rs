//! 10,000 CheckTx over this server (unix, TCP) and over the server of the tendermint-abci crate.
//!
//! `pipelined`: requests in batches of 500 with a Flush, as CometBFT's mempool connection sends them.
//! `one by one`: each request with its Flush, and the answer awaited, as CometBFT's synchronous calls do.

use anyhow::{Context, Result, ensure};
use bytes::BytesMut;
use ember_abci_app::server::{Options, Server, frame};
use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    thread,
    time::Instant,
};
use tendermint_abci::{Application, ServerBuilder};
use tendermint_proto::v0_38::abci::{
    Request, RequestCheckTx, RequestFlush, Response, ResponseCheckTx, request::Value,
};

const TXS: usize = 10_000;
const BATCH: usize = 500;
/// About the size of a signed bank send.
const TX_BYTES: usize = 330;

#[derive(Clone)]
struct App;

impl Application for App {
    fn check_tx(&self, r: RequestCheckTx) -> ResponseCheckTx {
        ResponseCheckTx {
            gas_wanted: i64::try_from(r.tx.len()).unwrap_or_default(),
            ..ResponseCheckTx::default()
        }
    }
}

fn put(buf: &mut BytesMut, value: Value) {
    frame::put(buf, &Request { value: Some(value) });
}

/// Send `batch` checks and a Flush, await all answers; until TXS are done. Transactions a second.
fn drive(stream: &mut (impl Read + Write), batch: usize, txs: usize) -> Result<f64> {
    let mut out = BytesMut::new();
    for _ in 0..batch {
        let tx = vec![7; TX_BYTES].into();
        put(&mut out, Value::CheckTx(RequestCheckTx { tx, r#type: 0 }));
    }
    put(&mut out, Value::Flush(RequestFlush {}));
    let (mut input, mut chunk) = (BytesMut::new(), vec![0; 64 * 1024]);
    let start = Instant::now();
    for _ in 0..txs / batch {
        stream.write_all(&out)?;
        let mut answers = 0;
        while answers <= batch {
            match frame::take(&mut input, 1 << 20)? {
                Ok(bytes) => {
                    frame::decode::<Response>(bytes)?;
                    answers += 1;
                }
                Err(_) => {
                    let n = stream.read(&mut chunk)?;
                    ensure!(n > 0, "the server closed the connection");
                    input.extend_from_slice(&chunk[..n]);
                }
            }
        }
    }
    Ok(txs as f64 / start.elapsed().as_secs_f64())
}

fn report(name: &str, stream: &mut (impl Read + Write)) -> Result<()> {
    let pipelined = drive(stream, BATCH, TXS)?;
    // Fewer, because a server with Nagle on may need 40 ms for each.
    let sample = drive(stream, 1, 50)?;
    let single = drive(stream, 1, if sample < 500.0 { 100 } else { TXS })?;
    println!("{name:<28} {pipelined:>14.0} {single:>14.0}");
    Ok(())
}

fn main() -> Result<()> {
    let dir = std::env::temp_dir().join(format!("ember-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let path = dir.join("a.sock");
    println!(
        "{:<28} {:>14} {:>14}",
        "CheckTx a second", "pipelined", "one by one"
    );
    let unix = Server::bind(
        &format!("unix://{}", path.display())
            .parse()
            .map_err(anyhow::Error::msg)?,
        Options::default(),
    )?;
    let stop = unix.stopper();
    let serving = thread::spawn(move || unix.run(&App));
    report("emberd, unix", &mut UnixStream::connect(&path)?)?;
    stop.stop();
    serving
        .join()
        .ok()
        .context("the server's thread panicked")??;
    let tcp = Server::bind(
        &"tcp://127.0.0.1:0".parse().map_err(anyhow::Error::msg)?,
        Options::default(),
    )?;
    let addr = tcp.addr().to_string();
    let stop = tcp.stopper();
    let serving = thread::spawn(move || tcp.run(&App));
    let connect = |addr: &str| -> Result<TcpStream> {
        let stream = TcpStream::connect(addr.trim_start_matches("tcp://"))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    report("emberd, tcp", &mut connect(&addr)?)?;
    stop.stop();
    serving
        .join()
        .ok()
        .context("the server's thread panicked")??;
    let theirs = ServerBuilder::default().bind("127.0.0.1:0", App)?;
    let addr = theirs.local_addr();
    // It cannot be stopped: the process's end stops it.
    thread::spawn(move || theirs.listen().ok());
    report("tendermint-abci, tcp", &mut connect(&addr)?)?;
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}
