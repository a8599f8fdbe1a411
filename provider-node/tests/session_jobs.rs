//! Jobs over a session: results that are verified, and what crashes, restarts and the end of a lease cost.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod session_support;

use ember_provider_node::{
    identity::cert::{Claims, Identity},
    session::pb::{self, job_event::Event},
    tenant::{
        TenantError,
        fetch::JobReport,
        run::{Happening, run_job},
    },
};
use ember_types::lease::LeaseState;
use futures::StreamExt;
use session_support::{Act, CopyJob, MONTH, Stage, TENANT, copy_job, eventually};
use std::{fs, path::Path, sync::atomic::Ordering::SeqCst};

async fn run(
    stage: &Stage,
    tenant: &Identity,
    job: &CopyJob,
    out: &Path,
) -> Result<JobReport, TenantError> {
    let mut said = Vec::new();
    run_saying(stage, tenant, job, out, &mut |h| said.push(h)).await
}

async fn run_saying(
    stage: &Stage,
    tenant: &Identity,
    job: &CopyJob,
    out: &Path,
    say: &mut (dyn FnMut(Happening) + Send),
) -> Result<JobReport, TenantError> {
    let target = stage.target(1, tenant);
    let expected = stage.expected();
    run_job(&target, &job.manifest, &job.files, &expected, out, say).await
}

fn submit(job: &CopyJob) -> pb::SubmitRequest {
    pb::SubmitRequest {
        manifest: job.manifest.to_canonical(),
        hash: job.manifest.hash().to_string(),
    }
}

async fn staged(acts: &[Act]) -> (Stage, Identity, tempfile::TempDir) {
    let tenant = Identity::generate(TENANT, MONTH).unwrap();
    let stage = Stage::scripted(&[(&tenant, TENANT, false)], acts).await;
    (stage, tenant, tempfile::tempdir().unwrap())
}

#[tokio::test]
async fn a_job_leaves_verified_outputs_and_a_signed_receipt() {
    let (stage, tenant, out) = staged(&[]).await;
    let job = copy_job(1);
    let mut said = Vec::new();
    let report = run_saying(&stage, &tenant, &job, out.path(), &mut |h| said.push(h))
        .await
        .unwrap();
    assert!(report.receipt_verified);
    assert_eq!(report.device, "ember/null");
    assert_eq!(report.manifest_hash, job.manifest.hash().to_string());
    let sent: u64 = said
        .iter()
        .filter_map(|h| match h {
            Happening::Sending { sent, size } => (sent == size).then_some(*size),
            _ => None,
        })
        .sum();
    let sizes = job
        .files
        .iter()
        .map(|(_, f)| fs::metadata(f).unwrap().len());
    assert_eq!(sent, sizes.sum::<u64>(), "every file once: {said:?}");
    assert!(
        said.iter().any(|h| matches!(
            h,
            Happening::Step {
                step: 1,
                steps: 2,
                ..
            }
        )),
        "{said:?}"
    );

    let word = |n: usize| u32::from_le_bytes(job.x[4 * n..][..4].try_into().unwrap());
    let read = |name: &str| fs::read(out.path().join(name)).unwrap();
    assert_eq!(read("bytes.bin"), job.x);
    let words: Vec<u32> = serde_json::from_slice(&read("words.json")).unwrap();
    assert_eq!(words, (0..8).map(word).collect::<Vec<_>>());
    let share: serde_json::Value = serde_json::from_slice(&read("share.json")).unwrap();
    assert_eq!(
        share,
        serde_json::json!({"numerator": word(0), "denominator": word(1)})
    );
    let picture = read("picture.png");
    let mut png = png::Decoder::new(std::io::Cursor::new(&picture))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; png.output_buffer_size().unwrap()];
    let info = png.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height, pixels), (4, 2, job.x.clone()));
    let receipt: serde_json::Value = serde_json::from_slice(&read("receipt.json")).unwrap();
    assert_eq!(receipt["receipt"]["lease_id"], "1");
    assert_eq!(stage.script.counts(), (1, 1));

    // The same job again: nothing is sent, nothing runs, the same receipt comes.
    let again = tempfile::tempdir().unwrap();
    let mut said = Vec::new();
    run_saying(&stage, &tenant, &job, again.path(), &mut |h| said.push(h))
        .await
        .unwrap();
    assert_eq!(said, []);
    assert_eq!(stage.script.counts(), (1, 1));
    assert_eq!(
        fs::read(again.path().join("receipt.json")).unwrap(),
        read("receipt.json")
    );
    // Another job runs on the same worker.
    run(&stage, &tenant, &copy_job(2), again.path())
        .await
        .unwrap();
    assert_eq!(stage.script.counts(), (1, 2));
}

#[tokio::test]
async fn a_killed_worker_costs_one_new_start_and_no_more() {
    let (stage, tenant, out) = staged(&[Act::Crash, Act::Finish, Act::Crash, Act::Crash]).await;
    run(&stage, &tenant, &copy_job(1), out.path())
        .await
        .unwrap();
    assert_eq!(stage.script.counts(), (2, 2));
    let lines = stage.target(1, &tenant).logs("").await.unwrap().join("\n");
    assert!(
        lines.contains("signal 9") && lines.contains("starting again"),
        "{lines}"
    );

    let job = copy_job(2);
    match run(&stage, &tenant, &job, out.path()).await {
        Err(TenantError::Failed(why)) => assert!(why.contains("signal 9"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(stage.script.counts(), (3, 4));
    // Submitted again, it runs again.
    run(&stage, &tenant, &job, out.path()).await.unwrap();
    assert_eq!(stage.script.counts(), (4, 5));
    assert_eq!(stage.script.live.load(SeqCst), 1);
}

#[tokio::test]
async fn a_job_at_fault_keeps_its_worker_and_says_why() {
    let (stage, tenant, out) = staged(&[Act::Refuse]).await;
    let job = copy_job(1);
    match run(&stage, &tenant, &job, out.path()).await {
        Err(TenantError::Failed(why)) => assert_eq!(why, "kernel k: out of budget"),
        other => panic!("{other:?}"),
    }
    run(&stage, &tenant, &job, out.path()).await.unwrap();
    assert_eq!(stage.script.counts(), (1, 2), "one worker, no silent retry");
}

#[tokio::test]
async fn two_calls_for_one_job_run_it_once() {
    let (stage, tenant, out) = staged(&[]).await;
    let job = copy_job(1);
    let other = tempfile::tempdir().unwrap();
    let (a, b) = tokio::join!(
        run(&stage, &tenant, &job, out.path()),
        run(&stage, &tenant, &job, other.path())
    );
    assert_eq!(a.unwrap().manifest_hash, b.unwrap().manifest_hash);
    assert_eq!(stage.script.counts(), (1, 1));
}

#[tokio::test]
async fn results_outlive_the_daemon() {
    let (mut stage, tenant, out) = staged(&[]).await;
    let job = copy_job(1);
    run(&stage, &tenant, &job, out.path()).await.unwrap();
    let first = fs::read(out.path().join("receipt.json")).unwrap();
    stage.stop().await;
    stage.start().await;
    let status = stage.target(1, &tenant).status().await.unwrap();
    assert_eq!(status.jobs[0].state, "done");
    let again = tempfile::tempdir().unwrap();
    run(&stage, &tenant, &job, again.path()).await.unwrap();
    assert_eq!(fs::read(again.path().join("receipt.json")).unwrap(), first);
    assert_eq!(fs::read(again.path().join("bytes.bin")).unwrap(), job.x);
    assert_eq!(stage.script.counts(), (1, 1), "nothing ran twice");
}

#[tokio::test]
async fn a_tenant_sits_out_a_daemon_that_dies_under_its_job() {
    let (mut stage, tenant, out) = staged(&[Act::Hang]).await;
    let job = copy_job(1);
    let (target, expected) = (stage.target(1, &tenant), stage.expected());
    let (manifest, files, path) = (
        job.manifest.clone(),
        job.files.clone(),
        out.path().to_owned(),
    );
    let waiting = tokio::spawn(async move {
        let mut said = Vec::new();
        let report = run_job(&target, &manifest, &files, &expected, &path, &mut |h| {
            said.push(h);
        })
        .await;
        (report, said)
    });
    let script = stage.script.clone();
    eventually("the job hangs", || script.runs.load(SeqCst) == 1).await;
    stage.stop().await;
    stage.start().await;
    let (report, said) = waiting.await.unwrap();
    report.unwrap();
    assert_eq!(fs::read(out.path().join("bytes.bin")).unwrap(), job.x);
    assert_eq!(stage.script.counts(), (2, 2), "it ran again");
    let broke = |h: &&Happening| matches!(h, Happening::Reconnecting(_));
    assert!(said.iter().any(|h| broke(&h)), "{said:?}");
    let sent = said
        .iter()
        .filter(|h| matches!(h, Happening::Sending { sent, size } if sent == size));
    assert_eq!(sent.count(), job.files.len(), "no file was sent twice");
}

#[tokio::test]
async fn the_end_of_a_lease_ends_its_job_and_removes_its_data() {
    for (state, kept) in [
        (Some(LeaseState::Closed), false),
        (Some(LeaseState::Suspended), true),
        // Missing from an answer is not closed.
        (None, true),
    ] {
        let (stage, tenant, out) = staged(&[Act::Hang]).await;
        let job = copy_job(1);
        let target = stage.target(1, &tenant);
        let mut said = Vec::new();
        let expected = stage.expected();
        let mut say = |h| said.push(h);
        let running = run_job(
            &target,
            &job.manifest,
            &job.files,
            &expected,
            out.path(),
            &mut say,
        );
        let script = stage.script.clone();
        let end = async {
            eventually("the job hangs", || script.runs.load(SeqCst) == 1).await;
            stage.change(|r| match state {
                Some(state) => r.leases.get_mut(&1).unwrap().state = state,
                None => drop(r.leases.remove(&1)),
            });
            eventually("the worker is gone", || script.live.load(SeqCst) == 0).await;
        };
        let (report, ()) = tokio::join!(running, end);
        // Either the last event or the refusal of the next call: both say it.
        match report {
            Err(TenantError::Failed(why) | TenantError::Refused(why)) => assert!(
                why.contains("no longer active") || why.contains("lease 1"),
                "{state:?}: {why}"
            ),
            other => panic!("{state:?}: {other:?}"),
        }
        if kept {
            assert!(stage.folder(1).join("blobs").is_dir(), "{state:?}");
            stage.change(|r| {
                let view = session_support::view(1, TENANT, LeaseState::Active);
                r.leases.insert(1, view);
            });
            run(&stage, &tenant, &job, out.path()).await.unwrap();
            assert_eq!(stage.script.counts(), (2, 2));
        } else {
            let folder = stage.folder(1);
            eventually("the data are gone", || !folder.exists()).await;
        }
    }
}

#[tokio::test]
async fn a_live_stream_is_cut_when_the_lease_closes() {
    let (stage, tenant, _out) = staged(&[Act::Hang]).await;
    let job = copy_job(1);
    let mut client = stage.target(1, &tenant).connect().await.unwrap();
    let mut queued = client.submit(submit(&job)).await.unwrap_err();
    assert!(
        queued.message().contains("send it first"),
        "{}",
        queued.message()
    );
    for (hash, file) in &job.files {
        let data = fs::read(file).unwrap();
        let blob = pb::BlobRef {
            hash: hash.to_string(),
            size: data.len() as u64,
        };
        let put = pb::PutRequest {
            blob: Some(blob),
            offset: 0,
            data,
        };
        client.put(tokio_stream::iter([put])).await.unwrap();
    }
    let mut events = client.submit(submit(&job)).await.unwrap().into_inner();
    loop {
        match events.next().await.unwrap().unwrap().event {
            Some(Event::Progress(p)) if p.step == 1 => break,
            Some(Event::Progress(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    stage.lease_is(1, LeaseState::Closed);
    let mut last = None;
    while let Some(event) = events.next().await {
        match event {
            Ok(e) => last = e.event,
            Err(_) => break,
        }
    }
    assert!(
        matches!(last, None | Some(Event::Failed(_))),
        "no result: {last:?}"
    );
    queued = client.status(pb::StatusRequest {}).await.unwrap_err();
    assert!(!queued.message().is_empty(), "the connection is dead");
}

#[tokio::test]
async fn a_tenant_believes_no_false_receipt_and_no_false_output() {
    let (stage, tenant, out) = staged(&[]).await;
    let job = copy_job(1);
    let target = stage.target(1, &tenant);
    let mut strangers = stage.expected();
    let stranger = Identity::generate(TENANT, MONTH).unwrap();
    strangers.keys = vec![Claims::read(stranger.der()).unwrap().public_key];
    let mut nobodys = stage.expected();
    nobodys.keys.clear();
    let mut elsewhere = stage.expected();
    elsewhere.chain_id = "other-1".into();
    let mut else_ones = stage.expected();
    else_ones.provider = "ember1else".into();
    for (expected, words) in [
        (&strangers, "key"),
        (&nobodys, "no certificate"),
        (&elsewhere, "chain: expected other-1, got test-1"),
        (&else_ones, "provider: expected ember1else"),
    ] {
        let mut quiet = |_| {};
        match run_job(
            &target,
            &job.manifest,
            &job.files,
            expected,
            out.path(),
            &mut quiet,
        )
        .await
        {
            Err(TenantError::Untrue(why)) => assert!(why.contains(words), "{words}: {why}"),
            other => panic!("{words}: {other:?}"),
        }
        assert!(!out.path().join("bytes.bin").exists(), "{words}");
    }
    // The provider's disk lies: the receipt stands, the bytes do not.
    let stored = stage
        .folder(1)
        .join("jobs")
        .join(job.manifest.hash().to_string())
        .join("output-bytes");
    let mut bytes = fs::read(&stored).unwrap();
    bytes[0] ^= 1;
    fs::write(&stored, bytes).unwrap();
    match run(&stage, &tenant, &job, out.path()).await {
        Err(TenantError::Untrue(why)) => assert!(why.contains("output \"bytes\""), "{why}"),
        other => panic!("{other:?}"),
    }
    assert!(!out.path().join("bytes.bin").exists());
}

#[tokio::test]
async fn outputs_are_asked_for_by_name_only() {
    let (stage, tenant, out) = staged(&[]).await;
    let job = copy_job(1);
    run(&stage, &tenant, &job, out.path()).await.unwrap();
    let mut client = stage.target(1, &tenant).connect().await.unwrap();
    let ask = |output: &str, offset| pb::FetchRequest {
        manifest_hash: job.manifest.hash().to_string(),
        output: output.into(),
        offset,
    };
    for name in ["../manifest.json", "receipt", "", "bytes/../../x"] {
        let e = client.fetch(ask(name, 0)).await.unwrap_err();
        assert_eq!(e.code(), tonic::Code::NotFound, "{name}");
    }
    let mut rest = client.fetch(ask("bytes", 30)).await.unwrap().into_inner();
    let chunk = rest.next().await.unwrap().unwrap();
    assert_eq!(chunk.data, &job.x[30..]);
    assert!(rest.next().await.is_none());
}
