//! Starting the child from a thread that never ends.
//!
//! Linux sends the parent-death signal when the *thread* that forked ends, and an async runtime retires threads.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::mpsc;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// What of the parent's environment a driver may see.
const KEPT: [&str; 11] = [
    "VK_ICD_FILENAMES",
    "VK_DRIVER_FILES",
    "VK_ADD_DRIVER_FILES",
    "VK_LOADER_DEBUG",
    "LD_LIBRARY_PATH",
    "LP_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
    "MESA_VK_DEVICE_SELECT",
    "RUST_BACKTRACE",
];

struct Request {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

fn spawner() -> &'static mpsc::Sender<Request> {
    static SPAWNER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    SPAWNER.get_or_init(|| {
        let (sender, requests) = mpsc::channel::<Request>();
        let run = move || {
            for mut request in requests {
                let _guard = request.runtime.enter();
                // A caller that went away drops the child, which kills it.
                let _ = request.reply.send(request.command.spawn());
            }
        };
        if let Err(e) = std::thread::Builder::new()
            .name("worker-spawner".into())
            .spawn(run)
        {
            tracing::error!("no thread to start workers from: {e}");
        }
        sender
    })
}

/// Starts `exe worker` with a clean environment and piped standard streams.
pub async fn spawn(exe: &Path, scratch: &Path) -> io::Result<Child> {
    let mut command = Command::new(exe);
    command
        .arg(super::SUBCOMMAND)
        .env_clear()
        .current_dir(scratch)
        .kill_on_drop(true);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    for name in [
        "HOME",
        "TMPDIR",
        "XDG_CACHE_HOME",
        "XDG_RUNTIME_DIR",
        "XDG_CONFIG_HOME",
    ] {
        command.env(name, scratch);
    }
    // Nothing a tenant compiles is kept on disk.
    command
        .env("MESA_SHADER_CACHE_DISABLE", "true")
        .env("__GL_SHADER_DISK_CACHE", "0")
        .env("LANG", "C");
    let (reply, child) = oneshot::channel();
    let gone = || io::Error::other("the thread that starts workers is gone");
    let request = Request {
        command,
        runtime: Handle::current(),
        reply,
    };
    spawner().send(request).map_err(|_| gone())?;
    child.await.map_err(|_| gone())?
}
