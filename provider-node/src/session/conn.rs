//! One TLS connection that can be cut from outside.

use crate::identity::cert::Claims;
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::oneshot,
};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

/// What a call knows of its connection.
#[derive(Debug, Clone)]
pub struct ConnInfo {
    /// The connection.
    pub id: u64,
    /// The certificate whose key the peer holds.
    pub claims: Arc<Claims>,
}

/// A connection.
#[derive(Debug)]
pub struct Conn {
    stream: TlsStream<TcpStream>,
    info: ConnInfo,
    /// `None` once it has been cut.
    cut: Option<oneshot::Receiver<()>>,
    closed: Option<oneshot::Sender<()>>,
}

impl Conn {
    /// A connection that ends when `cut` is sent to or dropped; `closed` is dropped with it.
    pub const fn new(
        stream: TlsStream<TcpStream>,
        info: ConnInfo,
        cut: oneshot::Receiver<()>,
        closed: oneshot::Sender<()>,
    ) -> Self {
        Self {
            stream,
            info,
            cut: Some(cut),
            closed: Some(closed),
        }
    }

    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if let Some(cut) = &mut self.cut {
            if Pin::new(cut).poll(cx).is_pending() {
                return Ok(());
            }
            (self.cut, self.closed) = (None, None);
        }
        Err(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "the lease or the certificate has lost its rights",
        ))
    }
}

impl AsyncRead for Conn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Conn {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connected for Conn {
    type ConnectInfo = ConnInfo;

    fn connect_info(&self) -> ConnInfo {
        self.info.clone()
    }
}
