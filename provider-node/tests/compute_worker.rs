//! The worker process: results, refusals that it survives, and every way it may die.
#![allow(clippy::unwrap_used, reason = "tests")]

mod compute_common;

use compute_common::{Small, bytes_of, has_gpu, head, small, words};
use ember_provider_node::job::Exactness::E0;
use ember_provider_node::worker::{Outcome, Progress, Worker, WorkerConfig, WorkerError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;

const MAIN: &str =
    "@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) ";

/// The example `run_job`, which cargo builds along with the tests, has the hidden subcommand.
fn exe() -> Option<PathBuf> {
    let exe = std::env::current_exe().unwrap();
    let example = exe
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/run_job");
    if !example.exists() {
        eprintln!(
            "SKIP: {} is not built (cargo build --example run_job)",
            example.display()
        );
        return None;
    }
    Some(example)
}

fn config(exe: &Path, dir: &Path) -> WorkerConfig {
    WorkerConfig {
        exe: exe.into(),
        device: 0,
        scratch: dir.join("scratch"),
        wall_cap: Duration::from_secs(120),
    }
}

struct Rig {
    dir: tempfile::TempDir,
    worker: Worker,
}

async fn rig() -> Option<Rig> {
    let exe = exe().filter(|_| has_gpu())?;
    let dir = tempfile::tempdir().unwrap();
    let worker = Worker::spawn(config(&exe, dir.path())).await.unwrap();
    Some(Rig { dir, worker })
}

/// Puts the job's bytes into files, as a session does with uploads.
fn stored(job: &Small, dir: &Path) -> BTreeMap<ember_provider_node::compute::Hash, PathBuf> {
    let mut files = BTreeMap::new();
    for (hash, bytes) in &job.bytes {
        let file = dir.join(hash.to_string());
        std::fs::write(&file, bytes).unwrap();
        files.insert(*hash, file);
    }
    files
}

async fn run(rig: &mut Rig, job: &Small) -> Result<Outcome, WorkerError> {
    run_watched(rig, job, mpsc::channel(8).0).await
}

async fn run_watched(
    rig: &mut Rig,
    job: &Small,
    progress: mpsc::Sender<Progress>,
) -> Result<Outcome, WorkerError> {
    let files = stored(job, rig.dir.path());
    rig.worker
        .run(&job.manifest, &|h| files.get(h).cloned(), progress)
        .await
}

fn doubling() -> Small {
    small(
        &format!("{}{MAIN}{{ y[id.x] = x[id.x] * 2u; }}", head("u32")),
        E0,
        &bytes_of(0..64),
        256,
        1,
    )
}

/// A job of many slow steps, that runs for minutes if nobody stops it.
fn slow() -> Small {
    let text = format!(
        "{}{MAIN}{{ for (var k = 0u; k < 8000u; k++) {{ y[id.x] = y[id.x] * 3u + x[k & 63u]; }} }}",
        head("u32")
    );
    let mut job = small(&text, E0, &bytes_of(0..64), 1 << 14, 64);
    job.manifest.graph = serde_json::from_value(serde_json::json!([
        {"repeat":{"times":4_096,"body":[serde_json::to_value(&job.manifest.graph[0]).unwrap()]}}
    ]))
    .unwrap();
    job.manifest.limits.ops_per_invocation = 8_100;
    job.manifest.limits.wall_ms = 100_000;
    job
}

#[tokio::test]
async fn one_worker_runs_job_after_job_and_survives_bad_ones() {
    let Some(mut rig) = rig().await else { return };
    let want: Vec<u32> = (0..64).map(|n| n * 2).collect();
    let mut checked = doubling();
    checked.manifest.checkpoints =
        serde_json::from_value(serde_json::json!([{"after":0,"buffers":["y","x"]}])).unwrap();
    let first = run(&mut rig, &checked).await.unwrap();
    assert_eq!(words(&first.outputs[0].bytes), want);
    assert_eq!(first.outputs[0].file, "y.bin");
    assert_eq!(
        first.checkpoints[0].buffers[0],
        ("y".to_string(), first.outputs[0].hash)
    );
    assert_eq!(first.kernels.len(), 1);
    assert_eq!(first.usage.invocations, 64);
    let pid = rig.worker.pid();

    let broken = small(
        &format!("{}{MAIN}{{ y[0] = ; }}", head("u32")),
        E0,
        &[0; 4],
        256,
        1,
    );
    let error = run(&mut rig, &broken).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("job refused: modules[0] \"k\": line 3, column"),
        "{error}"
    );

    let endless = small(
        &format!(
            "{}{MAIN}{{ loop {{ if x[0] == 9u {{ break; }} }} y[0] = 1u; }}",
            head("u32")
        ),
        E0,
        &[0; 4],
        256,
        1,
    );
    let error = run(&mut rig, &endless).await.unwrap_err();
    assert!(matches!(error, WorkerError::BudgetExceeded(_)), "{error}");

    let mut missing = doubling();
    missing.bytes.clear();
    let error = run(&mut rig, &missing).await.unwrap_err();
    assert!(
        matches!(&error, WorkerError::JobRefused(e) if e.node == "modules[0]"),
        "{error}"
    );

    let again = run(&mut rig, &doubling()).await.unwrap();
    assert_eq!(words(&again.outputs[0].bytes), want);
    assert_eq!(again.kernels, first.kernels);
    assert_eq!(rig.worker.pid(), pid);
    rig.worker.shutdown().await;
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

#[tokio::test]
async fn the_child_has_given_up_its_rights() {
    let Some(rig) = rig().await else { return };
    let status = std::fs::read_to_string(format!("/proc/{}/status", rig.worker.pid())).unwrap();
    let field = |name: &str| {
        status
            .lines()
            .find_map(|l| l.strip_prefix(name))
            .map(|v| v.trim_start_matches(':').trim().to_string())
    };
    assert_eq!(field("NoNewPrivs").as_deref(), Some("1"));
    // 2: a filter is on, on the main thread and on the driver's.
    for task in std::fs::read_dir(format!("/proc/{}/task", rig.worker.pid())).unwrap() {
        let text = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let line = text
            .lines()
            .find(|l| l.starts_with("Seccomp:"))
            .unwrap()
            .to_string();
        assert_eq!(line.split_whitespace().nth(1), Some("2"), "{line}");
    }
    assert!(rig.worker.sandbox().iter().any(|s| s == "seccomp"));
    assert!(rig.worker.sandbox().iter().any(|s| s.contains("landlock")));
    let environ = std::fs::read(format!("/proc/{}/environ", rig.worker.pid())).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&environ).contains("CARGO"));
    rig.worker.shutdown().await;
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_costs_one_job() {
    let Some(mut rig) = rig().await else { return };
    let pid = rustix::process::Pid::from_raw(rig.worker.pid() as i32).unwrap();
    let (progress, mut seen) = mpsc::channel(8);
    let killer = tokio::spawn(async move {
        // It is in the middle once the first batch is done.
        seen.recv().await.unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    });
    let error = run_watched(&mut rig, &slow(), progress).await.unwrap_err();
    killer.await.unwrap();
    assert!(
        matches!(
            error,
            WorkerError::Crashed {
                signal: Some(9),
                ..
            }
        ),
        "{error}"
    );
    assert!(!error.worker_lives());
    assert_eq!(
        run(&mut rig, &doubling()).await.unwrap_err(),
        WorkerError::Gone
    );

    let fresh = Worker::spawn(config(&exe().unwrap(), rig.dir.path()))
        .await
        .unwrap();
    let mut rig = Rig {
        dir: rig.dir,
        worker: fresh,
    };
    run(&mut rig, &doubling()).await.unwrap();
}

#[tokio::test]
async fn the_wall_limit_ends_a_job() {
    let Some(mut rig) = rig().await else { return };
    let mut job = slow();
    job.manifest.limits.wall_ms = 1_500;
    let error = run(&mut rig, &job).await.unwrap_err();
    assert_eq!(error, WorkerError::TimedOut(Duration::from_millis(1_500)));
    assert_eq!(
        run(&mut rig, &doubling()).await.unwrap_err(),
        WorkerError::Gone
    );
    assert!(!Path::new(&format!("/proc/{}/exe", rig.worker.pid())).exists());
}

#[tokio::test]
async fn a_dropped_run_leaves_no_half_read_stream() {
    let Some(mut rig) = rig().await else { return };
    let (progress, mut seen) = mpsc::channel(8);
    let job = slow();
    tokio::select! {
        outcome = run_watched(&mut rig, &job, progress) => panic!("{outcome:?}"),
        _ = seen.recv() => {}
    }
    assert_eq!(
        run(&mut rig, &doubling()).await.unwrap_err(),
        WorkerError::Gone
    );
}

#[tokio::test]
async fn workers_that_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let spawn = |exe: &str| Worker::spawn(config(Path::new(exe), dir.path()));
    assert!(matches!(
        spawn("/nonexistent/ember").await,
        Err(WorkerError::Io(_))
    ));
    assert!(matches!(
        spawn("/bin/true").await,
        Err(WorkerError::Crashed { code: Some(0), .. })
    ));
    assert!(matches!(
        spawn("/bin/false").await,
        Err(WorkerError::Crashed { code: Some(1), .. })
    ));
    let Some(exe) = exe().filter(|_| has_gpu()) else {
        return;
    };
    let config = WorkerConfig {
        device: 99,
        ..config(&exe, dir.path())
    };
    assert!(
        matches!(Worker::spawn(config).await, Err(WorkerError::NoSuchDevice { wanted: 99, have }) if have >= 1)
    );
}
