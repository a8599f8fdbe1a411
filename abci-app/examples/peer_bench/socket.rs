//! CheckTx over the ABCI server's unix socket, with signatures that were never seen, and a signature by itself.

use super::{
    ours::{Ours, check},
    workload::Workload,
};
use anyhow::{Context, Result, ensure};
use bytes::{Bytes, BytesMut};
use ember_abci_app::{
    server::{Options, Server, frame},
    tx::{keys::PublicKey, sigs},
};
use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    thread,
    time::Instant,
};
use tendermint_proto::v0_38::abci::{
    Request, RequestFlush, Response, request::Value, response::Value as Answer,
};

/// Checks before a Flush, as CometBFT's mempool connection sends them when it is busy.
const BATCH: usize = 500;

/// CheckTx a second with so many connections. Each transaction is checked once, and no account signs for two of them.
///
/// # Errors
/// When a transaction is refused.
pub fn checks_a_second(
    ours: &Ours,
    dir: &Path,
    connections: usize,
    rounds: &[Vec<Bytes>],
) -> Result<f64> {
    let path = dir.join(format!("abci-{connections}.sock"));
    let addr = format!("unix://{}", path.display());
    let server = Server::bind(
        &addr.parse().map_err(anyhow::Error::msg)?,
        Options::default(),
    )?;
    let (stop, app) = (server.stopper(), ours.app());
    let serving = thread::spawn(move || server.run(&app));
    let mut lanes = vec![Vec::new(); connections];
    for round in rounds {
        for (i, tx) in round.iter().enumerate() {
            lanes[i % connections].push(tx.clone());
        }
    }
    let lanes: Vec<_> = lanes.iter().map(|txs| batches(txs)).collect();
    let txs: usize = rounds.iter().map(Vec::len).sum();
    let streams = lanes
        .iter()
        .map(|_| UnixStream::connect(&path))
        .collect::<Result<Vec<_>, _>>()?;
    let start = Instant::now();
    thread::scope(|s| {
        let running: Vec<_> = lanes
            .iter()
            .zip(streams)
            .map(|(lane, stream)| s.spawn(|| drive(stream, lane)))
            .collect();
        for one in running {
            one.join()
                .ok()
                .context("a connection's thread panicked")??;
        }
        anyhow::Ok(())
    })?;
    let took = start.elapsed();
    stop.stop();
    serving
        .join()
        .ok()
        .context("the server's thread panicked")??;
    Ok(txs as f64 / took.as_secs_f64())
}

/// Signatures verified a second, on one core.
///
/// # Errors
/// When one is not good.
pub fn signatures_a_second(workload: &Workload) -> Result<f64> {
    let signed: Vec<_> = workload
        .keys()
        .iter()
        .map(|k| {
            (
                PublicKey::Secp256k1(k.public_key()),
                k.sign(k.address.as_bytes()),
                &k.address,
            )
        })
        .collect();
    let start = Instant::now();
    for (key, signature, bytes) in &signed {
        ensure!(
            sigs::verify(key, bytes.as_bytes(), signature),
            "a good signature was refused"
        );
    }
    Ok(signed.len() as f64 / start.elapsed().as_secs_f64())
}

/// Encoded batches, each with its Flush, and how many checks are in each.
fn batches(txs: &[Bytes]) -> Vec<(usize, BytesMut)> {
    let batch = |txs: &[Bytes]| {
        let mut out = BytesMut::new();
        for value in txs
            .iter()
            .map(|tx| Value::CheckTx(check(tx.clone())))
            .chain([Value::Flush(RequestFlush {})])
        {
            frame::put(&mut out, &Request { value: Some(value) });
        }
        (txs.len(), out)
    };
    txs.chunks(BATCH).map(batch).collect()
}

fn drive(mut stream: UnixStream, batches: &[(usize, BytesMut)]) -> Result<()> {
    let (mut input, mut chunk) = (BytesMut::new(), vec![0; 64 * 1024]);
    for (txs, batch) in batches {
        stream.write_all(batch)?;
        let mut answers = 0;
        while answers <= *txs {
            match frame::take(&mut input, 1 << 20)? {
                Ok(bytes) => {
                    let response: Response = frame::decode(bytes)?;
                    if let Some(Answer::CheckTx(r)) = &response.value {
                        ensure!(r.code == 0, "CheckTx: {}", r.log);
                    }
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
    Ok(())
}
