//! A finished job's receipt and outputs: nothing is kept that is not verified.

use super::{
    TenantError,
    connect::{Client, Target},
    io,
};
use crate::{
    compute::Hash,
    job::{Manifest, check::check, manifest::Format, output::extension},
    receipt::SignedReceipt,
    session::pb,
};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A verified output on the tenant's disk.
#[derive(Debug, Clone, Serialize)]
pub struct Fetched {
    /// Its name in the manifest.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// BLAKE3.
    pub hash: String,
    /// Bytes.
    pub size: u64,
    /// What it says, where it is a ratio: `352/360 = 0.978`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A finished job.
#[derive(Debug, Clone, Serialize)]
pub struct JobReport {
    /// The manifest's hash: the job's name.
    pub manifest_hash: String,
    /// Model of the device that it ran on.
    pub device: String,
    /// The outputs.
    pub outputs: Vec<Fetched>,
    /// Where the receipt lies.
    pub receipt: PathBuf,
    /// Whether the receipt is signed by a certificate that the provider has published: always true, for what is
    /// not verified is an error.
    pub receipt_verified: bool,
}

/// Whose receipt is believed.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Chain id.
    pub chain_id: String,
    /// The provider's account.
    pub provider: String,
    /// The tenant's account.
    pub tenant: String,
    /// SEC1 keys of the certificates that the provider has published.
    pub keys: Vec<Vec<u8>>,
}

/// Fetches a job that has finished, by its manifest's hash, or the lease's only one.
///
/// # Errors
/// When there is none, or what the provider says of it does not stand.
pub async fn fetch_job(
    target: &Target,
    job: Option<&Hash>,
    expected: &Expected,
    out: &Path,
) -> Result<JobReport, TenantError> {
    fs::create_dir_all(out).map_err(io(out))?;
    let mut client = target.connect().await?;
    let request = pb::ResultRequest {
        manifest_hash: job.map(ToString::to_string).unwrap_or_default(),
    };
    let result = client.result(request).await?.into_inner();
    let manifest = Manifest::from_canonical(&result.manifest)?;
    check(&manifest)?;
    if let Some(job) = job.filter(|j| **j != manifest.hash()) {
        return Err(TenantError::Untrue(format!(
            "manifest: expected {job}, got {}",
            manifest.hash()
        )));
    }
    let lease = target.lease_id;
    take(
        &mut client,
        &manifest,
        &result.receipt,
        lease,
        expected,
        out,
    )
    .await
}

/// Verifies a finished job's receipt, fetches its outputs and leaves all of it in `out`.
///
/// # Errors
/// When the receipt or an output is not what it must be.
pub async fn take(
    client: &mut Client,
    manifest: &Manifest,
    receipt: &[u8],
    lease: u64,
    expected: &Expected,
    out: &Path,
) -> Result<JobReport, TenantError> {
    let hash = manifest.hash();
    let signed = believe(receipt, &hash, lease, expected)?;
    let outputs = outputs(client, manifest, &signed, out).await?;
    let path = out.join("receipt.json");
    fs::write(&path, receipt).map_err(io(&path))?;
    Ok(JobReport {
        manifest_hash: hash.to_string(),
        device: signed.receipt.device,
        outputs,
        receipt: path,
        receipt_verified: true,
    })
}

/// A ratio as people read it.
fn ratio(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Ratio {
        numerator: u32,
        denominator: u32,
    }
    let r: Ratio = serde_json::from_slice(bytes).ok()?;
    let quotient = f64::from(r.numerator) / f64::from(r.denominator);
    Some(format!("{}/{} = {quotient:.3}", r.numerator, r.denominator))
}

/// A receipt that is this job's, this lease's, and signed by the provider.
fn believe(
    bytes: &[u8],
    manifest: &Hash,
    lease: u64,
    expected: &Expected,
) -> Result<SignedReceipt, TenantError> {
    let untrue = |what: String| TenantError::Untrue(format!("receipt: {what}"));
    let signed: SignedReceipt = serde_json::from_slice(bytes).map_err(|e| untrue(e.to_string()))?;
    let mut verdict = Err("the provider has published no certificate".to_owned());
    for key in &expected.keys {
        verdict = signed.verify_by(key).map_err(|e| e.to_string());
        if verdict.is_ok() {
            break;
        }
    }
    verdict.map_err(untrue)?;
    let r = &signed.receipt;
    for (what, got, want) in [
        (
            "manifest",
            r.manifest_hash.to_string(),
            manifest.to_string(),
        ),
        ("lease", r.lease_id.clone(), lease.to_string()),
        ("chain", r.chain_id.clone(), expected.chain_id.clone()),
        ("provider", r.provider.clone(), expected.provider.clone()),
        ("tenant", r.tenant.clone(), expected.tenant.clone()),
    ] {
        if got != want {
            return Err(untrue(format!("{what}: expected {want}, got {got}")));
        }
    }
    Ok(signed)
}

async fn outputs(
    client: &mut Client,
    manifest: &Manifest,
    signed: &SignedReceipt,
    out: &Path,
) -> Result<Vec<Fetched>, TenantError> {
    let mut fetched = Vec::new();
    for output in &manifest.outputs {
        let (_, hash, size) = signed
            .receipt
            .outputs
            .iter()
            .find(|(name, _, _)| *name == output.name)
            .ok_or_else(|| {
                TenantError::Untrue(format!("receipt: no output \"{}\"", output.name))
            })?;
        // Before a byte is taken: what the manifest's buffer can become, as the provider's own worker bounds it.
        let most = manifest
            .buffers
            .iter()
            .find(|b| b.name == output.buffer)
            .map_or(0, |b| b.size.saturating_mul(3).saturating_add(4_096));
        if *size > most {
            return Err(TenantError::Untrue(format!(
                "receipt: output \"{}\": expected at most {most} bytes, got {size}",
                output.name
            )));
        }
        let request = pb::FetchRequest {
            manifest_hash: signed.receipt.manifest_hash.to_string(),
            output: output.name.clone(),
            offset: 0,
        };
        let mut chunks = client.fetch(request).await?.into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            bytes.extend(chunk?.data);
            if bytes.len() as u64 > *size {
                break;
            }
        }
        let got = Hash::of(&bytes);
        if got != *hash {
            return Err(TenantError::Untrue(format!(
                "output \"{}\": expected hash {hash}, got {got}",
                output.name
            )));
        }
        // Output names are slugs: the manifest was checked.
        let path = out.join(format!("{}.{}", output.name, extension(output.format)));
        fs::write(&path, &bytes).map_err(io(&path))?;
        fetched.push(Fetched {
            name: output.name.clone(),
            value: (output.format == Format::Ratio)
                .then(|| ratio(&bytes))
                .flatten(),
            path,
            hash: hash.to_string(),
            size: *size,
        });
    }
    Ok(fetched)
}
