//! Listening, and the life of the connections' threads.

use super::{addr::Addr, connection::serve};
use parking_lot::Mutex;
use std::{
    fs,
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::{
        fs::FileTypeExt,
        net::{UnixListener, UnixStream},
    },
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use tendermint_abci::Application;

/// Exit code of a process whose application panicked: `EX_SOFTWARE`.
pub const PANIC_EXIT_CODE: i32 = 70;

/// Bounds of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Most bytes of one request.
    pub max_message: usize,
    /// Most connections at once. CometBFT makes four.
    pub max_connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            // A block of CometBFT's largest size fits.
            max_message: 128 << 20,
            max_connections: 32,
        }
    }
}

enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// A bound server.
pub struct Server {
    listener: Listener,
    addr: Addr,
    shared: Arc<Shared>,
    options: Options,
}

#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    streams: Mutex<Vec<(u64, Stream)>>,
}

/// Ends a server from another thread.
#[derive(Clone)]
pub struct Stopper {
    shared: Arc<Shared>,
    addr: Addr,
}

impl Server {
    /// Bind. A socket file that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// When the address is in use or cannot be bound.
    pub fn bind(addr: &Addr, options: Options) -> io::Result<Self> {
        let (listener, addr) = match addr {
            Addr::Unix(path) => {
                remove_stale(path)?;
                (Listener::Unix(UnixListener::bind(path)?), addr.clone())
            }
            Addr::Tcp(host) => {
                let listener = TcpListener::bind(host)?;
                let addr = Addr::Tcp(listener.local_addr()?.to_string());
                (Listener::Tcp(listener), addr)
            }
        };
        Ok(Self {
            listener,
            addr,
            shared: Arc::default(),
            options,
        })
    }

    /// Where it listens, with the real port.
    pub fn addr(&self) -> &Addr {
        &self.addr
    }

    /// What ends [`Self::run`].
    pub fn stopper(&self) -> Stopper {
        Stopper {
            shared: Arc::clone(&self.shared),
            addr: self.addr.clone(),
        }
    }

    /// Serve `app` until stopped, then wait for requests in work. A panic in the application ends the process with
    /// code 70: its state may be wrong, and a restart replays from the last commit.
    ///
    /// # Errors
    /// When no connection can be accepted any more.
    pub fn run<A: Application>(&self, app: &A) -> io::Result<()> {
        let mut threads: Vec<thread::JoinHandle<()>> = Vec::new();
        for id in 0.. {
            let stream = match self.accept() {
                Ok(stream) => stream,
                Err(e) if self.stopping() => {
                    tracing::debug!(error = %e, "accept after stop");
                    break;
                }
                Err(e)
                    if matches!(
                        e.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                    ) =>
                {
                    continue;
                }
                Err(e) => return Err(e),
            };
            if self.stopping() {
                break;
            }
            threads.retain(|t| !t.is_finished());
            if threads.len() >= self.options.max_connections {
                tracing::warn!(
                    max = self.options.max_connections,
                    "connection refused: too many"
                );
                continue;
            }
            let (Ok(mut stream), Ok(copy)) = (stream.prepare(), stream.copy()) else {
                continue;
            };
            self.shared.streams.lock().push((id, copy));
            if self.stopping() {
                // The stopper may have looked at the list before this one stood in it.
                stream.close_input();
            }
            let (app, shared, max) = (
                app.clone(),
                Arc::clone(&self.shared),
                self.options.max_message,
            );
            threads.push(
                thread::Builder::new()
                    .name(format!("abci-{id}"))
                    .spawn(move || {
                        connection(&app, &mut stream, &shared, max);
                        shared.streams.lock().retain(|(other, _)| *other != id);
                    })?,
            );
        }
        for thread in threads {
            thread.join().ok();
        }
        if let Addr::Unix(path) = &self.addr {
            fs::remove_file(path).ok();
        }
        Ok(())
    }

    fn accept(&self) -> io::Result<Stream> {
        Ok(match &self.listener {
            Listener::Unix(l) => Stream::Unix(l.accept()?.0),
            Listener::Tcp(l) => Stream::Tcp(l.accept()?.0),
        })
    }

    fn stopping(&self) -> bool {
        self.shared.stopping.load(Ordering::SeqCst)
    }
}

impl Stopper {
    /// Take no more requests; those in work are finished and answered.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for (_, stream) in &*self.shared.streams.lock() {
            stream.close_input();
        }
        // Wakes the accept.
        match &self.addr {
            Addr::Unix(path) => drop(UnixStream::connect(path)),
            Addr::Tcp(host) => drop(TcpStream::connect(host)),
        }
    }
}

fn connection(app: &impl Application, stream: &mut Stream, shared: &Shared, max: usize) {
    match catch_unwind(AssertUnwindSafe(|| serve(app, stream, max))) {
        Ok(Ok(())) => tracing::debug!("connection closed"),
        Ok(Err(e)) if shared.stopping.load(Ordering::SeqCst) => {
            tracing::debug!(error = %e, "connection ended by stop");
        }
        Ok(Err(e)) => tracing::warn!(error = %e, "connection ended"),
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            tracing::error!(panic = text, "the application panicked: the process ends");
            eprintln!(
                "emberd: the application panicked ({text}): exit {PANIC_EXIT_CODE}, start it again"
            );
            std::process::exit(PANIC_EXIT_CODE);
        }
    }
}

/// Remove a socket that a dead process left; anything else stays.
fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    let wrong = |what| {
        io::Error::new(
            io::ErrorKind::AddrInUse,
            format!(
                "{}: expected no file or a dead socket, got {what}",
                path.display()
            ),
        )
    };
    if !meta.file_type().is_socket() {
        return Err(wrong("another file"));
    }
    if UnixStream::connect(path).is_ok() {
        return Err(wrong("a socket that another process serves"));
    }
    fs::remove_file(path)
}

impl Stream {
    fn prepare(&self) -> io::Result<Self> {
        if let Self::Tcp(s) = self {
            s.set_nodelay(true)?;
        }
        self.copy()
    }

    fn copy(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Unix(s) => Self::Unix(s.try_clone()?),
            Self::Tcp(s) => Self::Tcp(s.try_clone()?),
        })
    }

    fn close_input(&self) {
        // A peer that is gone already needs no closing.
        match self {
            Self::Unix(s) => s.shutdown(Shutdown::Read).ok(),
            Self::Tcp(s) => s.shutdown(Shutdown::Read).ok(),
        };
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(s) => s.read(buf),
            Self::Tcp(s) => s.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(s) => s.write(buf),
            Self::Tcp(s) => s.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
