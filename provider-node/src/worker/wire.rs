//! Frames between parent and child: length (u32, little endian, of what follows), one tag byte, payload.

use super::Failure;
use crate::compute::{DeviceInfo, Hash, Progress, Usage};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Largest payload of a frame.
pub const MAX_PAYLOAD: usize = 2 << 20;
/// Bytes of data in one frame.
pub const CHUNK: usize = 1 << 20;

/// Tags from parent to child.
pub mod to_child {
    /// [`Start`](super::Start) as JSON, once, first.
    pub const START: u8 = 1;
    /// A canonical manifest, behind its wall limit in milliseconds (u64).
    pub const JOB: u8 = 2;
    /// A blob begins: [`Announce`](super::Announce) as JSON. Chunks follow.
    pub const BLOB: u8 = 3;
    /// Bytes of the blob announced last.
    pub const CHUNK: u8 = 4;
    /// Everything is here: run.
    pub const RUN: u8 = 5;
}

/// Tags from child to parent.
pub mod to_parent {
    /// [`Ready`](super::Ready) as JSON, once, first.
    pub const READY: u8 = 1;
    /// `Progress` as JSON.
    pub const PROGRESS: u8 = 2;
    /// Index of an output (u32) and some of its bytes.
    pub const OUTPUT: u8 = 3;
    /// [`Done`](super::Done) as JSON: the job is over, the outputs went before.
    pub const DONE: u8 = 4;
    /// `Failure` as JSON: the job is over.
    pub const FAILED: u8 = 5;
}

/// What the child needs to know at first.
#[derive(Debug, Serialize, Deserialize)]
pub struct Start {
    pub device: u32,
    pub scratch: PathBuf,
    /// Paths beside the usual ones that the driver reads.
    pub readable: Vec<PathBuf>,
}

/// A blob to come.
#[derive(Debug, Serialize, Deserialize)]
pub struct Announce {
    pub hash: Hash,
    pub size: u64,
}

/// The child is up.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ready {
    pub device: DeviceInfo,
    pub sandbox: Vec<String>,
}

/// The job is done.
#[derive(Debug, Serialize, Deserialize)]
pub struct Done {
    pub kernels: Vec<Hash>,
    pub checkpoints: Vec<Vec<Hash>>,
    pub usage: Usage,
}

/// One frame.
#[derive(Debug)]
pub struct Frame {
    pub tag: u8,
    pub payload: Vec<u8>,
}

impl Frame {
    /// The payload as JSON.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> io::Result<T> {
        serde_json::from_slice(&self.payload).map_err(|e| bad(format!("frame {}: {e}", self.tag)))
    }
}

pub fn bad(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

fn head(tag: u8, len: usize) -> io::Result<[u8; 5]> {
    if len > MAX_PAYLOAD {
        return Err(bad(format!(
            "frame of {len} bytes, expected at most {MAX_PAYLOAD}"
        )));
    }
    let length = (len as u32 + 1).to_le_bytes();
    Ok([length[0], length[1], length[2], length[3], tag])
}

fn payload_len(head: [u8; 5]) -> io::Result<usize> {
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    match length.checked_sub(1) {
        Some(len) if len <= MAX_PAYLOAD => Ok(len),
        _ => Err(bad(format!(
            "frame length {length}, expected 1 to {}",
            MAX_PAYLOAD + 1
        ))),
    }
}

/// Writes a frame, blocking.
pub fn send(to: &mut impl Write, tag: u8, payload: &[u8]) -> io::Result<()> {
    to.write_all(&head(tag, payload.len())?)?;
    to.write_all(payload)?;
    to.flush()
}

/// Writes a JSON frame, blocking.
pub fn send_json(to: &mut impl Write, tag: u8, value: &impl Serialize) -> io::Result<()> {
    send(to, tag, &serde_json::to_vec(value)?)
}

/// Reads a frame, blocking; `None` at the end.
pub fn receive(from: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut head = [0; 5];
    match from.read_exact(&mut head) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut payload = vec![0; payload_len(head)?];
    from.read_exact(&mut payload)?;
    Ok(Some(Frame {
        tag: head[4],
        payload,
    }))
}

/// Writes a frame.
pub async fn send_async(
    to: &mut (impl AsyncWrite + Unpin),
    tag: u8,
    payload: &[u8],
) -> io::Result<()> {
    to.write_all(&head(tag, payload.len())?).await?;
    to.write_all(payload).await?;
    to.flush().await
}

/// Writes a JSON frame.
pub async fn send_json_async(
    to: &mut (impl AsyncWrite + Unpin),
    tag: u8,
    value: &impl Serialize,
) -> io::Result<()> {
    send_async(to, tag, &serde_json::to_vec(value)?).await
}

/// Reads a frame; `None` at the end. Not safe to cancel: a frame read in part is lost.
pub async fn receive_async(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Frame>> {
    let mut head = [0; 5];
    match from.read_exact(&mut head).await {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(e) => return Err(e),
        Ok(_) => {}
    }
    let mut payload = vec![0; payload_len(head)?];
    from.read_exact(&mut payload).await?;
    Ok(Some(Frame {
        tag: head[4],
        payload,
    }))
}

/// What a child frame says, sorted.
#[derive(Debug)]
pub enum FromChild {
    Progress(Progress),
    Output { index: usize, bytes: Vec<u8> },
    Done(Done),
    Failed(Failure),
}

impl FromChild {
    /// Reads a frame that may come while a job runs.
    pub fn parse(frame: Frame) -> io::Result<Self> {
        Ok(match frame.tag {
            to_parent::PROGRESS => Self::Progress(frame.json()?),
            to_parent::DONE => Self::Done(frame.json()?),
            to_parent::FAILED => Self::Failed(frame.json()?),
            to_parent::OUTPUT => {
                let Some((index, bytes)) = frame.payload.split_first_chunk::<4>() else {
                    return Err(bad("an output without an index".into()));
                };
                Self::Output {
                    index: u32::from_le_bytes(*index) as usize,
                    bytes: bytes.to_vec(),
                }
            }
            other => return Err(bad(format!("unexpected frame {other}"))),
        })
    }
}
