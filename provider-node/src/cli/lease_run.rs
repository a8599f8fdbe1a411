//! `ember lease run`, `status` and `logs`: what goes to the provider and not to the chain.

use crate::{
    chain::{ChainClient, RpcChain},
    compute::Hash,
    config::Global,
    identity::cert::Identity,
    job::JobDir,
    tenant::{
        connect::Target,
        fetch::{Expected, fetch_job},
        run::{Happening, run_job},
    },
};
use anyhow::{Result, bail};
use clap::Args;
use ember_types::{
    ids::LeaseId,
    market::{LeaseResponse, QueryMsg},
    registry::{self, ProviderResponse},
};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// At most one line of progress in this time.
const PROGRESS: Duration = Duration::from_millis(200);

/// Run a job on a lease.
#[derive(Debug, Args)]
pub struct Run {
    /// A job's folder, or the name of a ready-made one in EMBER_JOBS_DIR
    job: String,
    /// Which lease
    #[arg(long)]
    lease: LeaseId,
    /// Where outputs and receipt.json go
    #[arg(long, value_name = "DIR", default_value = "ember-out")]
    out: PathBuf,
    /// Folder of ready-made jobs
    #[arg(long, env = "EMBER_JOBS_DIR", value_name = "DIR")]
    jobs_dir: Option<PathBuf>,
    /// Run it only if its manifest has this hash
    #[arg(long, value_name = "HASH")]
    manifest_hash: Option<Hash>,
}

/// Fetch what a job left.
#[derive(Debug, Args)]
pub struct Fetch {
    /// Which lease
    lease: LeaseId,
    /// The job's manifest hash [default: the lease's only finished job]
    #[arg(long, value_name = "HASH")]
    manifest_hash: Option<Hash>,
    /// Where outputs and receipt.json go
    #[arg(long, value_name = "DIR", default_value = "ember-out")]
    out: PathBuf,
}

impl Fetch {
    pub async fn run(self, g: &Global) -> Result<Value> {
        let (target, expected) = reach(g, self.lease).await?;
        let job = self.manifest_hash.as_ref();
        let report = fetch_job(&target, job, &expected, &self.out).await?;
        Ok(serde_json::to_value(report)?)
    }
}

impl Run {
    pub async fn run(self, g: &Global) -> Result<Value> {
        let dir = find_job(&self.job, self.jobs_dir.as_deref())?;
        let (manifest, files) = JobDir::load(&dir)?;
        if let Some(wanted) = self.manifest_hash.filter(|h| *h != manifest.hash()) {
            bail!(
                "{}: expected a job whose manifest has hash {wanted}, got {}: it is another job, or its files have changed",
                dir.display(),
                manifest.hash()
            );
        }
        let (target, expected) = reach(g, self.lease).await?;
        let mut last: Option<Instant> = None;
        let mut say = |h: Happening| {
            let now = Instant::now();
            let due = last.is_none_or(|l| now.duration_since(l) >= PROGRESS);
            match h {
                Happening::Step { step, steps, label } if step > 0 && (due || step == steps) => {
                    last = Some(now);
                    eprintln!("{step}/{steps} {label}");
                }
                Happening::Reconnecting(why) => eprintln!("{why}; trying again"),
                Happening::Step { .. } | Happening::Sending { .. } => {}
            }
        };
        let report = run_job(&target, &manifest, &files, &expected, &self.out, &mut say).await?;
        Ok(serde_json::to_value(report)?)
    }
}

/// What the provider holds for a lease.
pub async fn status(g: &Global, lease: LeaseId) -> Result<Value> {
    let (target, _) = reach(g, lease).await?;
    let s = target.status().await?;
    let jobs: Vec<_> = s
        .jobs
        .iter()
        .map(|j| json!({"manifest_hash": j.manifest_hash, "state": j.state, "step": j.step, "steps": j.steps}))
        .collect();
    Ok(json!({"lease_id": lease, "state": s.state, "height": s.height, "jobs": jobs}))
}

/// What jobs have logged.
pub async fn logs(g: &Global, lease: LeaseId, job: &str) -> Result<Value> {
    let (target, _) = reach(g, lease).await?;
    Ok(json!({"lines": target.logs(job).await?}))
}

/// The lease's provider, as the chain names it.
async fn reach(g: &Global, lease_id: LeaseId) -> Result<(Target, Expected)> {
    let identity = Identity::load(&g.home()?)?;
    let chain: RpcChain = g.signing_chain()?;
    let lease: LeaseResponse = chain.ask_market(&QueryMsg::Lease { lease_id }).await?;
    let address = lease.provider.to_string();
    let q = registry::QueryMsg::Provider {
        address: address.clone(),
    };
    let provider: ProviderResponse = chain.ask_registry(&q).await?;
    let mut certificates = chain.certificates(&address).await?;
    certificates.retain(|c| c.revoked_at.is_none());
    if certificates.is_empty() {
        bail!(
            "provider {address} has no certificate on chain: expected one that is not revoked; it must run `ember cert publish`"
        );
    }
    let expected = Expected {
        chain_id: chain.client().chain_id().await?.to_owned(),
        provider: address,
        tenant: lease.tenant.to_string(),
        keys: certificates.iter().map(|c| c.public_key.to_vec()).collect(),
    };
    // Read last: whoever has seen this height has seen the lease.
    let height = chain.head().await?.height;
    let fingerprints = certificates.into_iter().map(|c| c.fingerprint).collect();
    let target = Target::new(
        &provider.host_uri,
        lease_id.0,
        height,
        &identity,
        fingerprints,
    )?;
    Ok((target, expected))
}

/// The folder of a job: as named, or a ready-made one.
fn find_job(job: &str, jobs_dir: Option<&Path>) -> Result<PathBuf> {
    let here = PathBuf::from(job);
    if here.is_dir() {
        return Ok(here);
    }
    let Some(dir) = jobs_dir else {
        bail!(
            "no job folder {job}; give a folder with a job.json, or set EMBER_JOBS_DIR for ready-made ones"
        );
    };
    // A name, not a way out of the folder.
    if !job.contains('/') && dir.join(job).join("job.json").is_file() {
        return Ok(dir.join(job));
    }
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .map(|d| {
            d.flatten()
                .filter(|e| e.path().join("job.json").is_file())
                .filter_map(|e| e.file_name().into_string().ok())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    bail!(
        "no job folder {job}; give a folder with a job.json, or one of: {}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_a_folder_or_a_ready_made_name() {
        let dir = tempfile::tempdir().unwrap();
        let job = dir.path().join("digits");
        std::fs::create_dir(&job).unwrap();
        std::fs::write(job.join("job.json"), "{}").unwrap();
        assert_eq!(find_job("digits", Some(dir.path())).unwrap(), job);
        assert_eq!(find_job(job.to_str().unwrap(), None).unwrap(), job);
        for bad in ["no/such/job", "../digits", "other"] {
            let e = find_job(bad, Some(dir.path())).unwrap_err().to_string();
            assert!(e.contains(bad) && e.contains("digits"), "{e}");
        }
        assert!(
            find_job("digits", None)
                .unwrap_err()
                .to_string()
                .contains("EMBER_JOBS_DIR")
        );
    }
}
