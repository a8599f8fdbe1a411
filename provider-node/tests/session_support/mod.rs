//! A provider's session server on loopback, over real TLS, with workers that keep to a script.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use ember_provider_node::{
    compute::{Device, null::NullDevice},
    identity::{
        cert::{Claims, Identity},
        rights::{CertView, LeaseView, Rights},
    },
    job::{self, JobDir, Manifest, OutputData, output::encode},
    receipt::CheckpointRoot,
    session::{
        pb,
        runner::{JobRunner, Workers},
        server::SessionServer,
        work::HostConfig,
    },
    tenant::{connect::Target, fetch::Expected},
    worker::{Blobs, Outcome, Progress, WorkerError},
};
use ember_types::lease::LeaseState;
use std::{
    collections::VecDeque,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI32, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

pub const TENANT: &str = "ember1tenant";
pub const OTHER: &str = "ember1other";
pub const PROVIDER: &str = "ember1provider";
pub const CHAIN: &str = "test-1";
/// A validity.
pub const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// What the next run of a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Runs the job on the null device.
    Finish,
    /// Dies, as of a SIGKILL.
    Crash,
    /// Never ends.
    Hang,
    /// Refuses the job, and lives.
    Refuse,
}

/// Workers that follow a script, and finish when it is over.
#[derive(Debug, Default)]
pub struct Script {
    pub acts: Mutex<VecDeque<Act>>,
    /// Workers started.
    pub starts: AtomicU32,
    /// Workers that live.
    pub live: AtomicI32,
    /// Runs begun.
    pub runs: AtomicU32,
}

impl Script {
    pub fn then(acts: &[Act]) -> Arc<Self> {
        Arc::new(Self {
            acts: Mutex::new(acts.iter().copied().collect()),
            ..Self::default()
        })
    }

    pub fn counts(&self) -> (u32, u32) {
        (self.starts.load(SeqCst), self.runs.load(SeqCst))
    }
}

/// The script as a provider has it.
pub struct Scripted(pub Arc<Script>);

#[tonic::async_trait]
impl Workers for Scripted {
    async fn start(
        &self,
        _: &LeaseView,
        _: u32,
        _: &Path,
    ) -> Result<Box<dyn JobRunner>, WorkerError> {
        self.0.starts.fetch_add(1, SeqCst);
        self.0.live.fetch_add(1, SeqCst);
        Ok(Box::new(Fake(Arc::clone(&self.0))))
    }
}

struct Fake(Arc<Script>);

impl Drop for Fake {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, SeqCst);
    }
}

#[tonic::async_trait]
impl JobRunner for Fake {
    fn model(&self) -> &str {
        "ember/null"
    }

    async fn run(
        &mut self,
        manifest: &Manifest,
        blobs: Blobs<'_>,
        progress: mpsc::Sender<Progress>,
    ) -> Result<Outcome, WorkerError> {
        self.0.runs.fetch_add(1, SeqCst);
        let act = self.0.acts.lock().unwrap().pop_front();
        let begun = Progress {
            step: 1,
            steps: 2,
            label: "copy".into(),
        };
        progress.send(begun).await.unwrap();
        match act.unwrap_or(Act::Finish) {
            Act::Finish => Ok(on_null(manifest, blobs)),
            Act::Crash => Err(WorkerError::Crashed {
                signal: Some(9),
                code: None,
                stderr: String::new(),
            }),
            Act::Hang => std::future::pending().await,
            Act::Refuse => Err(WorkerError::BudgetExceeded(
                "kernel k: out of budget".into(),
            )),
        }
    }
}

/// Does what a worker does, on the null device: copies are real, kernels are compiled and do nothing.
fn on_null(manifest: &Manifest, blobs: Blobs<'_>) -> Outcome {
    let mut device = NullDevice::default();
    let bytes = |h: &job::Hash| Some(std::fs::read(blobs(h)?).unwrap().into());
    let compiled = job::compile(manifest, device.info(), &bytes).unwrap();
    let report = device.run(&compiled.plan, &mut |_| {}).unwrap();
    let mut checkpoints: Vec<CheckpointRoot> = Vec::new();
    for (declared, hashes) in manifest.checkpoints.iter().zip(report.checkpoints) {
        let buffers = declared.buffers.iter().cloned().zip(hashes).collect();
        let last = checkpoints.last().map(|c| c.chain);
        checkpoints.push(CheckpointRoot::after(last, declared.after, buffers));
    }
    let encoded = |(o, raw): (_, &Vec<u8>)| OutputData::new(o, encode(o, raw).unwrap());
    Outcome {
        outputs: manifest
            .outputs
            .iter()
            .zip(&report.outputs)
            .map(encoded)
            .collect(),
        checkpoints,
        kernels: compiled.kernels,
        device: device.info().clone(),
        usage: report.usage,
    }
}

pub fn view(lease_id: u64, tenant: &str, state: LeaseState) -> LeaseView {
    LeaseView {
        lease_id,
        devices: vec![0],
        tenant: tenant.into(),
        provider: PROVIDER.into(),
        state,
        ends_at: u64::MAX,
    }
}

/// A provider whose chain knows leases 1 (the tenant's), 2 (another's), 3 (the tenant's, suspended) and 4 (the
/// tenant's).
pub struct Stage {
    pub server: Option<SessionServer>,
    pub rights: watch::Sender<Arc<Rights>>,
    pub provider: Identity,
    pub script: Arc<Script>,
    pub dir: tempfile::TempDir,
    pub addr: SocketAddr,
}

impl Stage {
    /// With these certificates on chain: whose, and whether revoked.
    pub async fn new(known: &[(&Identity, &str, bool)]) -> Self {
        Self::scripted(known, &[]).await
    }

    pub async fn scripted(known: &[(&Identity, &str, bool)], acts: &[Act]) -> Self {
        let leases = [
            view(1, TENANT, LeaseState::Active),
            view(2, OTHER, LeaseState::Active),
            view(3, TENANT, LeaseState::Suspended),
            view(4, TENANT, LeaseState::Active),
        ];
        let cert = |(id, owner, revoked): &(&Identity, &str, bool)| {
            let view = CertView {
                owner: (*owner).into(),
                revoked: *revoked,
            };
            (id.fingerprint(), view)
        };
        let rights = Rights {
            height: 7,
            leases: leases.into_iter().map(|v| (v.lease_id, v)).collect(),
            certs: known.iter().map(cert).collect(),
        };
        let mut stage = Self {
            server: None,
            rights: watch::channel(Arc::new(rights)).0,
            provider: Identity::generate(PROVIDER, MONTH).unwrap(),
            script: Script::then(acts),
            dir: tempfile::tempdir().unwrap(),
            addr: "127.0.0.1:0".parse().unwrap(),
        };
        stage.start().await;
        stage
    }

    /// Starts the server, where it was before if it was.
    pub async fn start(&mut self) {
        let config = HostConfig {
            data: self.dir.path().into(),
            workers: Arc::new(Scripted(Arc::clone(&self.script))),
            chain_id: CHAIN.into(),
            pkcs8: Zeroizing::new(self.provider.pkcs8().to_vec()),
        };
        let rights = self.rights.subscribe();
        let server = SessionServer::bind(self.addr, &self.provider, config, rights)
            .await
            .unwrap();
        self.addr = server.addr;
        self.server = Some(server);
    }

    /// Stops it, and waits until no worker is left.
    pub async fn stop(&mut self) {
        self.server = None;
        let script = Arc::clone(&self.script);
        eventually("no worker lives", || script.live.load(SeqCst) == 0).await;
    }

    pub fn uri(&self) -> String {
        format!("https://{}", self.addr)
    }

    pub fn target(&self, lease: u64, who: &Identity) -> Target {
        self.target_at(lease, 0, who)
    }

    /// As a tenant who saw the lease at a height.
    pub fn target_at(&self, lease: u64, height: u64, who: &Identity) -> Target {
        let known = vec![self.provider.fingerprint()];
        Target::new(&self.uri(), lease, height, who, known).unwrap()
    }

    /// A client that names no lease by itself.
    pub async fn channel(
        &self,
        lease: u64,
        who: &Identity,
    ) -> pb::session_client::SessionClient<tonic::transport::Channel> {
        let channel = self.target(lease, who).channel().await.unwrap();
        pb::session_client::SessionClient::new(channel)
    }

    pub fn for_lease(&self, lease: u64) -> tonic::Request<pb::StatusRequest> {
        let mut request = tonic::Request::new(pb::StatusRequest {});
        let id = lease.to_string().parse().unwrap();
        request.metadata_mut().insert("ember-lease-id", id);
        request
    }

    /// What the tenant expects of a receipt.
    pub fn expected(&self) -> Expected {
        Expected {
            chain_id: CHAIN.into(),
            provider: PROVIDER.into(),
            tenant: TENANT.into(),
            keys: vec![Claims::read(self.provider.der()).unwrap().public_key],
        }
    }

    pub fn change(&self, f: impl FnOnce(&mut Rights)) {
        let mut next = (**self.rights.borrow()).clone();
        next.height += 1;
        f(&mut next);
        self.rights.send_replace(Arc::new(next));
    }

    pub fn lease_is(&self, lease: u64, state: LeaseState) {
        self.change(|r| r.leases.get_mut(&lease).unwrap().state = state);
    }

    pub fn folder(&self, lease: u64) -> PathBuf {
        self.dir.path().join(format!("lease-{lease}"))
    }
}

/// Waits until something is so; a test that waits in vain is ended by the harness's own limit, with these words.
pub async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

/// A job that copies its blob `x` to its outputs: raw, as words, as a ratio and as a picture of 4 x 2.
pub struct CopyJob {
    pub dir: tempfile::TempDir,
    pub manifest: Manifest,
    pub files: Vec<(job::Hash, PathBuf)>,
    pub x: Vec<u8>,
}

pub fn copy_job(seed: u8) -> CopyJob {
    let dir = tempfile::tempdir().unwrap();
    let x: Vec<u8> = (0..32u8).map(|n| n.wrapping_mul(7) ^ seed).collect();
    let wgsl = "@group(0) @binding(0) var<storage, read_write> y: array<u32>;\n\
                @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = id.x; }\n";
    let job = serde_json::json!({
        "version": 1, "name": "copy", "profile": "portable1", "exactness": "E0",
        "modules": [{"name": "k", "language": "wgsl", "file": "k.wgsl", "entry": "main"}],
        "blobs": [{"name": "x", "file": "x.bin"}],
        "buffers": [
            {"name": "x", "size": 32, "init": {"blob": "x"}},
            {"name": "y", "size": 32, "init": "zero"},
            {"name": "two", "size": 8, "init": "zero"},
        ],
        "graph": [
            {"dispatch": {"module": "k", "groups": [2, 1, 1],
                          "bindings": [{"binding": 0, "buffer": "y", "access": "read_write"}]}},
            {"copy": {"src": "x", "src_offset": 0, "dst": "y", "dst_offset": 0, "size": 32}},
            {"copy": {"src": "x", "src_offset": 0, "dst": "two", "dst_offset": 0, "size": 8}},
        ],
        "checkpoints": [{"after": 1, "buffers": ["y"]}],
        "outputs": [
            {"name": "bytes", "buffer": "y", "format": "raw"},
            {"name": "words", "buffer": "y", "format": "u32"},
            {"name": "share", "buffer": "two", "format": "ratio"},
            {"name": "picture", "buffer": "y", "format": {"png_rgba8": {"width": 4, "height": 2}}},
        ],
        "limits": {"wall_ms": 60_000, "ops_per_invocation": 1_000},
    });
    std::fs::write(dir.path().join("job.json"), job.to_string()).unwrap();
    std::fs::write(dir.path().join("k.wgsl"), wgsl).unwrap();
    std::fs::write(dir.path().join("x.bin"), &x).unwrap();
    let (manifest, files) = JobDir::load(dir.path()).unwrap();
    CopyJob {
        dir,
        manifest,
        files,
        x,
    }
}
