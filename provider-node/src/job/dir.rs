//! A job directory: `job.json` beside kernels and data.

use super::check;
use super::manifest::{Author, Blob, Manifest, Module};
use super::{Hash, JobError};
use std::fs::File;
use std::path::{Component, Path, PathBuf};

/// A job directory on disk.
#[derive(Debug)]
pub struct JobDir;

impl JobDir {
    /// Reads `path/job.json`, hashes every file it names and checks the manifest that results.
    ///
    /// Gives the manifest and where the bytes of each hash lie, each hash once.
    ///
    /// # Errors
    /// When a file is missing or unreadable, or a node of the job is at fault.
    pub fn load(path: &Path) -> Result<(Manifest, Vec<(Hash, PathBuf)>), JobError> {
        let file = path.join("job.json");
        let text = std::fs::read(&file).map_err(|e| JobError::at(file.display().to_string(), e))?;
        let author: Author =
            serde_json::from_slice(&text).map_err(|e| JobError::at("job.json", e))?;
        let mut files: Vec<(Hash, PathBuf)> = Vec::new();
        let mut hash = |node: String, name: &str, pin| -> Result<(Hash, u64), JobError> {
            let (file, hash, size) =
                hash_file(path, name, pin).map_err(|e| JobError::at(node, e))?;
            if files.iter().all(|(h, _)| *h != hash) {
                files.push((hash, file));
            }
            Ok((hash, size))
        };
        let mut modules = Vec::new();
        for (i, m) in author.modules.into_iter().enumerate() {
            let (source, size) = hash(format!("modules[{i}].file"), &m.file, m.blake3)?;
            modules.push(Module {
                name: m.name,
                language: m.language,
                source,
                size,
                entry: m.entry,
            });
        }
        let mut blobs = Vec::new();
        for (i, b) in author.blobs.into_iter().enumerate() {
            let (hash, size) = hash(format!("blobs[{i}].file"), &b.file, b.blake3)?;
            blobs.push(Blob {
                name: b.name,
                hash,
                size,
            });
        }
        let manifest = Manifest {
            version: author.version,
            name: author.name,
            profile: author.profile,
            exactness: author.exactness,
            modules,
            blobs,
            buffers: author.buffers,
            graph: author.graph,
            checkpoints: author.checkpoints,
            outputs: author.outputs,
            limits: author.limits,
        };
        check::check(&manifest)?;
        Ok((manifest, files))
    }
}

/// Streams a file below `dir` through the hash, which must be `pin` where there is one.
fn hash_file(dir: &Path, name: &str, pin: Option<Hash>) -> Result<(PathBuf, Hash, u64), String> {
    let relative = Path::new(name);
    if !relative
        .components()
        .all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
    {
        return Err(format!(
            "expected a path below the job directory, got {name:?}"
        ));
    }
    let file = dir.join(relative);
    let mut hasher = blake3::Hasher::new();
    let open = File::open(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    hasher
        .update_reader(open)
        .map_err(|e| format!("{}: {e}", file.display()))?;
    let (hash, size) = (Hash(*hasher.finalize().as_bytes()), hasher.count());
    match pin {
        Some(pin) if pin != hash => Err(format!(
            "{}: expected BLAKE3 {pin}, got {hash} of {size} bytes: the file was cut short or changed; restore it, or correct \"blake3\" in job.json",
            file.display()
        )),
        _ => Ok((file, hash, size)),
    }
}
