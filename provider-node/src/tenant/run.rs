//! A job, from its directory to verified outputs. Every step may be repeated: what the provider has is not sent
//! again, a job that runs is attached to, and one that is done answers at once. So a broken connection, or a
//! daemon that was killed, costs a new try and nothing else.

use super::{
    TenantError,
    connect::{Client, Target},
    fetch::{Expected, JobReport, take},
    io,
};
use crate::{
    compute::Hash,
    job::Manifest,
    session::{
        CHUNK,
        pb::{self, job_event::Event},
    },
};
use futures::StreamExt;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;

/// How long to come back to a provider that does not answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a connection that did serve may break.
const MAX_BREAKS: u32 = 20;
/// The first wait before a new connection; it doubles up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The last wait before a new connection.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// What happens, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A blob is being sent.
    Sending {
        /// Bytes of it that are there.
        sent: u64,
        /// Its bytes.
        size: u64,
    },
    /// The job moves.
    Step {
        /// Steps done.
        step: u64,
        /// Steps in all.
        steps: u64,
        /// What it does.
        label: String,
    },
    /// The connection broke and is made again.
    Reconnecting(String),
}

/// Runs a job and leaves its outputs and `receipt.json` in `out`.
///
/// # Errors
/// When the provider is not reached for a minute, refuses, fails, or says what does not stand.
pub async fn run_job(
    target: &Target,
    manifest: &Manifest,
    files: &[(Hash, PathBuf)],
    expected: &Expected,
    out: &Path,
    happening: &mut (dyn FnMut(Happening) + Send),
) -> Result<JobReport, TenantError> {
    fs::create_dir_all(out).map_err(io(out))?;
    let (mut since, mut breaks, mut wait) = (Instant::now(), 0, FIRST_WAIT);
    loop {
        let before = since;
        let result = attempt(target, manifest, files, expected, out, &mut |h| {
            since = Instant::now();
            happening(h);
        })
        .await;
        let error = match result {
            Err(e @ (TenantError::Unreachable { .. } | TenantError::Broken(_))) => e,
            other => return other,
        };
        if before != since {
            (breaks, wait) = (breaks + 1, FIRST_WAIT);
        }
        if since.elapsed() > PATIENCE || breaks > MAX_BREAKS {
            return Err(error);
        }
        // Words about the first try of a row only: a provider that is down for seconds is not worth a page.
        if before != since || breaks == 0 && wait == FIRST_WAIT {
            happening(Happening::Reconnecting(error.to_string()));
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LAST_WAIT);
    }
}

async fn attempt(
    target: &Target,
    manifest: &Manifest,
    files: &[(Hash, PathBuf)],
    expected: &Expected,
    out: &Path,
    happening: &mut (dyn FnMut(Happening) + Send),
) -> Result<JobReport, TenantError> {
    let mut client = target.connect().await?;
    upload(&mut client, files, happening).await?;
    let hash = manifest.hash();
    let request = pb::SubmitRequest {
        manifest: manifest.to_canonical(),
        hash: hash.to_string(),
    };
    let mut events = client.submit(request).await?.into_inner();
    let done = loop {
        match events.next().await.transpose()?.and_then(|e| e.event) {
            None => {
                return Err(TenantError::Broken(
                    "the stream of events ended early".into(),
                ));
            }
            Some(Event::Progress(p)) => happening(Happening::Step {
                step: p.step,
                steps: p.steps,
                label: p.label,
            }),
            Some(Event::Failed(f)) => return Err(TenantError::Failed(f.reason)),
            Some(Event::Done(done)) => break done,
        }
    };
    take(
        &mut client,
        manifest,
        &done.receipt,
        target.lease_id,
        expected,
        out,
    )
    .await
}

async fn upload(
    client: &mut Client,
    files: &[(Hash, PathBuf)],
    happening: &mut (dyn FnMut(Happening) + Send),
) -> Result<(), TenantError> {
    let mut by_hash = BTreeMap::new();
    let mut blobs = Vec::new();
    for (hash, path) in files {
        let size = fs::metadata(path).map_err(io(path))?.len();
        by_hash.insert(hash.to_string(), (path, size));
        blobs.push(pb::BlobRef {
            hash: hash.to_string(),
            size,
        });
    }
    for gap in client
        .missing(pb::MissingRequest { blobs })
        .await?
        .into_inner()
        .blobs
    {
        let Some((path, size)) = by_hash.get(&gap.hash) else {
            return Err(TenantError::Untrue(format!(
                "it asks for blob {}, which is not of this job",
                gap.hash
            )));
        };
        send(client, path, &gap.hash, *size, gap.offset, happening).await?;
    }
    Ok(())
}

async fn send(
    client: &mut Client,
    path: &Path,
    hash: &str,
    size: u64,
    from: u64,
    happening: &mut (dyn FnMut(Happening) + Send),
) -> Result<(), TenantError> {
    let mut file = File::open(path).map_err(io(path))?;
    file.seek(SeekFrom::Start(from)).map_err(io(path))?;
    let (tx, rx) = mpsc::channel(4);
    let put = client.put(ReceiverStream::new(rx));
    // The channel ends with this block, and the call with the channel.
    let feed = async move {
        let mut at = from;
        let mut blob = Some(pb::BlobRef {
            hash: hash.to_owned(),
            size,
        });
        loop {
            let mut data = vec![0; CHUNK];
            let n = file.read(&mut data).map_err(io(path))?;
            data.truncate(n);
            if n == 0 && blob.is_none() {
                return Ok::<_, TenantError>(());
            }
            // A closed channel: the provider refused, and `put` says why.
            if tx
                .send(pb::PutRequest {
                    blob: blob.take(),
                    offset: at,
                    data,
                })
                .await
                .is_err()
            {
                return Ok(());
            }
            at += n as u64;
            happening(Happening::Sending { sent: at, size });
        }
    };
    let (answer, fed) = tokio::join!(put, feed);
    fed?;
    answer?;
    Ok(())
}
