//! The gRPC surface. Every call is judged before anything else is looked at.

use super::{
    CHUNK, HEIGHT_HEADER, LEASE_HEADER,
    blobs::BlobError,
    conn::ConnInfo,
    host::Host,
    jobs::{JobView, Phase},
    pb::{self, job_event::Event, session_server::Session},
    shared::{AdmitError, HostError, Shared},
};
use crate::{compute::Hash, job::Manifest};
use futures::Stream;
use std::{pin::Pin, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncSeekExt},
    sync::mpsc,
};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

/// The service, one for all leases.
#[derive(Clone)]
pub struct SessionService {
    shared: Arc<Shared>,
}

type Events = Pin<Box<dyn Stream<Item = Result<pb::JobEvent, Status>> + Send>>;
type Chunks = Pin<Box<dyn Stream<Item = Result<pb::Chunk, Status>> + Send>>;

fn hash(text: &str) -> Result<Hash, Status> {
    text.parse()
        .map_err(|e: crate::compute::hash::BadHash| Status::invalid_argument(e.to_string()))
}

impl SessionService {
    /// The service over the server's state.
    pub const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Who calls, for which lease, and whether they may.
    async fn admit<T>(&self, request: &Request<T>) -> Result<Arc<Host>, Status> {
        let info = request.extensions().get::<ConnInfo>().ok_or_else(|| {
            Status::unauthenticated("expected a connection with a certificate, got none")
        })?;
        let number = |header| -> Option<u64> {
            let value = request.metadata().get(header)?;
            value.to_str().ok()?.parse().ok()
        };
        let lease = number(LEASE_HEADER).ok_or_else(|| {
            Status::invalid_argument(format!(
                "metadata {LEASE_HEADER}: expected a lease's number"
            ))
        })?;
        let seen = number(HEIGHT_HEADER).unwrap_or_default();
        self.shared
            .admit(lease, &info.claims, seen)
            .await
            .map_err(|e| {
                tracing::info!(lease, account = info.claims.account, reason = %e, "refused");
                match e {
                    AdmitError::Refused(why) => Status::permission_denied(why.to_string()),
                    AdmitError::Behind { .. } => Status::unavailable(e.to_string()),
                }
            })?;
        self.shared.host(lease, info).map_err(|e| {
            let text = e.to_string();
            match e {
                HostError::Refused(_) => Status::permission_denied(text),
                HostError::OtherLease { .. } => Status::failed_precondition(text),
                HostError::TooMany(_) => Status::resource_exhausted(text),
                HostError::Over | HostError::Io { .. } => Status::unavailable(text),
            }
        })
    }
}

fn event(view: &JobView, host: &Host, hash: &Hash) -> pb::JobEvent {
    let event = match &view.phase {
        Phase::Queued | Phase::Running => Event::Progress(pb::Progress {
            step: view.step,
            steps: view.steps,
            label: view.label.clone(),
        }),
        Phase::Failed(reason) => Event::Failed(pb::Failed {
            reason: reason.clone(),
        }),
        Phase::Done => match host.results().receipt(hash) {
            None => Event::Failed(pb::Failed {
                reason: "the result is gone".into(),
            }),
            Some(signed) => Event::Done(pb::Done {
                outputs: signed
                    .receipt
                    .outputs
                    .iter()
                    .map(|(name, hash, size)| pb::OutputRef {
                        name: name.clone(),
                        file: String::new(),
                        hash: hash.to_string(),
                        size: *size,
                    })
                    .collect(),
                receipt: serde_json::to_vec(&signed).unwrap_or_default(),
            }),
        },
    };
    pb::JobEvent { event: Some(event) }
}

#[tonic::async_trait]
impl Session for SessionService {
    type SubmitStream = Events;
    type FetchStream = Chunks;

    async fn status(
        &self,
        request: Request<pb::StatusRequest>,
    ) -> Result<Response<pb::StatusResponse>, Status> {
        let host = self.admit(&request).await?;
        let jobs = host
            .jobs()
            .into_iter()
            .map(|(hash, j)| pb::JobStatus {
                manifest_hash: hash.to_string(),
                state: j.phase.name().into(),
                step: j.step,
                steps: j.steps,
            })
            .collect();
        Ok(Response::new(pb::StatusResponse {
            state: "active".into(),
            height: self.shared.rights().height,
            jobs,
        }))
    }

    async fn missing(
        &self,
        request: Request<pb::MissingRequest>,
    ) -> Result<Response<pb::MissingResponse>, Status> {
        let host = self.admit(&request).await?;
        let mut blobs = Vec::new();
        for blob in request.into_inner().blobs {
            if let Some(offset) = host.blobs().missing_from(&hash(&blob.hash)?) {
                blobs.push(pb::BlobOffset {
                    hash: blob.hash,
                    offset,
                });
            }
        }
        Ok(Response::new(pb::MissingResponse { blobs }))
    }

    async fn put(
        &self,
        request: Request<Streaming<pb::PutRequest>>,
    ) -> Result<Response<pb::PutResponse>, Status> {
        let host = self.admit(&request).await?;
        let mut pieces = request.into_inner();
        let refuse = |e: BlobError| match e {
            // Another call has moved on meanwhile: asking for what is missing again helps.
            BlobError::Offset { .. } => Status::aborted(e.to_string()),
            BlobError::Io(_) => Status::unavailable(e.to_string()),
            _ => Status::invalid_argument(e.to_string()),
        };
        let first = pieces
            .next()
            .await
            .ok_or_else(|| Status::invalid_argument("expected a blob, got nothing"))??;
        let blob = first.blob.ok_or_else(|| {
            Status::invalid_argument("the first message: expected the blob's hash and size")
        })?;
        let mut incoming = host
            .blobs()
            .resume(hash(&blob.hash)?, blob.size, first.offset)
            .map_err(refuse)?;
        incoming.push(&first.data).map_err(refuse)?;
        while let Some(piece) = pieces.next().await {
            incoming.push(&piece?.data).map_err(refuse)?;
        }
        tokio::task::spawn_blocking(move || incoming.finish())
            .await
            .map_err(|e| Status::internal(e.to_string()))?
            .map_err(refuse)?;
        Ok(Response::new(pb::PutResponse {}))
    }

    async fn submit(
        &self,
        request: Request<pb::SubmitRequest>,
    ) -> Result<Response<Events>, Status> {
        let host = self.admit(&request).await?;
        let req = request.into_inner();
        let (said, got) = (hash(&req.hash)?, Hash::of(&req.manifest));
        if said != got {
            return Err(Status::invalid_argument(format!(
                "manifest: expected bytes of hash {said}, got bytes of hash {got}"
            )));
        }
        let manifest = Manifest::from_canonical(&req.manifest)
            .map_err(|e| Status::invalid_argument(e.to_string()))?;
        let taker = Arc::clone(&host);
        let mut job = tokio::task::spawn_blocking(move || taker.submit(&manifest))
            .await
            .map_err(|e| Status::internal(e.to_string()))?
            .map_err(Status::failed_precondition)?;
        let (tx, rx) = mpsc::channel(16);
        tokio::spawn(async move {
            loop {
                let view = job.borrow_and_update().clone();
                let over = matches!(view.phase, Phase::Done | Phase::Failed(_));
                if tx.send(Ok(event(&view, &host, &got))).await.is_err() || over {
                    return;
                }
                tokio::select! {
                    changed = job.changed() => if changed.is_err() { return },
                    () = tx.closed() => return,
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(rx))))
    }

    async fn logs(
        &self,
        request: Request<pb::LogsRequest>,
    ) -> Result<Response<pb::LogsResponse>, Status> {
        let host = self.admit(&request).await?;
        let wanted = request.into_inner().manifest_hash;
        let mut lines = Vec::new();
        for (hash, job) in host.jobs() {
            let name = hash.to_string();
            if wanted.is_empty() || wanted == name {
                let short = &name[..12];
                lines.extend(job.log.iter().map(|line| format!("{short} {line}")));
            }
        }
        Ok(Response::new(pb::LogsResponse { lines }))
    }

    async fn result(
        &self,
        request: Request<pb::ResultRequest>,
    ) -> Result<Response<pb::ResultResponse>, Status> {
        let host = self.admit(&request).await?;
        let wanted = request.into_inner().manifest_hash;
        let done = host.results().finished();
        let found = match (wanted.as_str(), done.as_slice()) {
            ("", [only]) => *only,
            ("", all) => {
                let names: Vec<_> = all.iter().map(ToString::to_string).collect();
                return Err(Status::not_found(format!(
                    "expected one finished job, got {}: name one of: {}",
                    all.len(),
                    names.join(", ")
                )));
            }
            (name, all) => {
                let name = hash(name)?;
                if !all.contains(&name) {
                    return Err(Status::not_found(format!(
                        "expected a finished job, got {name}, which is none of this lease"
                    )));
                }
                name
            }
        };
        let gone = || Status::not_found(format!("the result of job {found} is gone"));
        let receipt = host.results().receipt(&found).ok_or_else(gone)?;
        Ok(Response::new(pb::ResultResponse {
            manifest: host.results().manifest(&found).map_err(|_| gone())?,
            receipt: serde_json::to_vec(&receipt).map_err(|e| Status::internal(e.to_string()))?,
        }))
    }

    async fn fetch(&self, request: Request<pb::FetchRequest>) -> Result<Response<Chunks>, Status> {
        let host = self.admit(&request).await?;
        let req = request.into_inner();
        let path = host
            .results()
            .output(&hash(&req.manifest_hash)?, &req.output)
            .ok_or_else(|| {
                Status::not_found(format!(
                    "expected an output of a finished job, got \"{}\" of {}",
                    req.output, req.manifest_hash
                ))
            })?;
        let io = |e: std::io::Error| Status::internal(format!("output: {e}"));
        let mut file = tokio::fs::File::open(path).await.map_err(io)?;
        file.seek(std::io::SeekFrom::Start(req.offset))
            .await
            .map_err(io)?;
        let (tx, rx) = mpsc::channel(4);
        tokio::spawn(async move {
            loop {
                let mut data = vec![0; CHUNK];
                match file.read(&mut data).await {
                    Ok(0) => return,
                    Ok(n) => {
                        data.truncate(n);
                        if tx.send(Ok(pb::Chunk { data })).await.is_err() {
                            return;
                        }
                    }
                    Err(e) => {
                        tx.send(Err(io(e))).await.ok();
                        return;
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(rx))))
    }
}
