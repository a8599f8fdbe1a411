//! The job manifest. Its canonical form is compact JSON in declared field order; its id is the BLAKE3 hash of that.
//!
//! The same types serve the author's `job.json` ([`Author`]), which names files, and the built [`Manifest`], which
//! names hashes. All numbers are integers; unknown fields are refused.

use super::JobError;
use crate::compute::Hash;
use crate::kernel::{Exactness, Language};
use serde::{Deserialize, Serialize};

/// The manifest version this program reads and writes.
pub const VERSION: u32 = 1;
/// Longest canonical manifest, in bytes.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;

/// Vulkan profile a job counts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Any Vulkan 1.3 device.
    Portable1,
}

/// A job; `M` and `B` say where modules and blobs come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job<M, B> {
    /// [`VERSION`].
    pub version: u32,
    /// Name, for people.
    pub name: String,
    /// Profile.
    pub profile: Profile,
    /// Exactness class.
    pub exactness: Exactness,
    /// Kernel sources.
    pub modules: Vec<M>,
    /// Data.
    pub blobs: Vec<B>,
    /// Device memory.
    pub buffers: Vec<Buffer>,
    /// Steps, in order.
    pub graph: Vec<Step>,
    /// Where to hash which buffers.
    #[serde(default)]
    pub checkpoints: Vec<Checkpoint>,
    /// What comes back.
    pub outputs: Vec<Output>,
    /// Upper bounds.
    pub limits: Limits,
}

/// The author's form: `job.json`.
pub type Author = Job<AuthorModule, AuthorBlob>;
/// The built form: what is sent, hashed and signed.
pub type Manifest = Job<Module, Blob>;

/// A module of the author's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorModule {
    /// Name.
    pub name: String,
    /// Language.
    pub language: Language,
    /// Path below the job directory.
    pub file: String,
    /// BLAKE3 that the file must have. Absent: whatever the file has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<Hash>,
    /// Entry point.
    pub entry: String,
}

/// A blob of the author's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorBlob {
    /// Name.
    pub name: String,
    /// Path below the job directory.
    pub file: String,
    /// BLAKE3 that the file must have. Absent: whatever the file has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<Hash>,
}

/// A module of the built form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// Name.
    pub name: String,
    /// Language.
    pub language: Language,
    /// BLAKE3 of the source.
    pub source: Hash,
    /// Bytes of the source.
    pub size: u64,
    /// Entry point.
    pub entry: String,
}

/// A blob of the built form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// Name.
    pub name: String,
    /// BLAKE3 of the bytes.
    pub hash: Hash,
    /// Bytes.
    pub size: u64,
}

/// A buffer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffer {
    /// Name.
    pub name: String,
    /// Bytes, a multiple of 4.
    pub size: u64,
    /// First contents.
    pub init: Init,
}

/// First contents of a buffer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Zeros.
    Zero,
    /// The blob of this name, then zeros.
    Blob(String),
}

/// One step of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Run a kernel.
    Dispatch(Dispatch),
    /// Copy between buffers.
    Copy(Copy),
    /// Fill a range with a word.
    Fill(Fill),
    /// Run steps several times.
    Repeat(Repeat),
}

/// Runs a kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    /// Module name.
    pub module: String,
    /// Workgroups along each axis.
    pub groups: [u32; 3],
    /// Buffers, all of group 0.
    pub bindings: Vec<Binding>,
}

/// A buffer at a binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// Binding number.
    pub binding: u32,
    /// Buffer name.
    pub buffer: String,
    /// What the kernel does with it.
    pub access: Access,
}

/// What a kernel does with a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Reads.
    Read,
    /// Writes; what it held before does not matter.
    Write,
    /// Reads and writes.
    ReadWrite,
}

/// Copies between buffers. All numbers are bytes, multiples of 4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// From this buffer.
    pub src: String,
    /// From here on.
    pub src_offset: u64,
    /// To this buffer.
    pub dst: String,
    /// To here on.
    pub dst_offset: u64,
    /// This many.
    pub size: u64,
}

/// Fills a range. Offset and size are bytes, multiples of 4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    /// Buffer.
    pub buffer: String,
    /// From here on.
    pub offset: u64,
    /// This many.
    pub size: u64,
    /// With this word.
    pub value: u32,
}

/// Runs steps several times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// How often.
    pub times: u32,
    /// Where the iteration index is written before each iteration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<Counter>,
    /// The steps; no repeat among them.
    pub body: Vec<Step>,
}

/// A word of a buffer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counter {
    /// Buffer.
    pub buffer: String,
    /// Byte offset, a multiple of 4.
    pub offset: u64,
}

/// Buffers to hash after a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Index of a top-level step.
    pub after: u32,
    /// Buffer names.
    pub buffers: Vec<String>,
}

/// A buffer that comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Name; the file is named after it.
    pub name: String,
    /// Buffer name.
    pub buffer: String,
    /// In which form.
    pub format: Format,
}

/// Form of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The bytes, `.bin`.
    Raw,
    /// A JSON array of unsigned words, `.json`.
    U32,
    /// Two words as `{"numerator":n,"denominator":d}`, `.json`.
    Ratio,
    /// An image of RGBA words, red in the lowest byte, `.png`.
    PngRgba8(Picture),
}

/// Size of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Upper bounds of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Milliseconds for the whole job.
    pub wall_ms: u64,
    /// Loop iterations of one invocation in one dispatch.
    pub ops_per_invocation: u32,
}

impl Manifest {
    /// The canonical bytes.
    pub fn to_canonical(&self) -> Vec<u8> {
        // Structs of strings, integers and hashes always serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The manifest's id.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.to_canonical())
    }

    /// Reads canonical bytes. Shape only: [`check`](super::check::check) looks at what they say.
    ///
    /// # Errors
    /// When the bytes are too many, are no manifest, or are not exactly what [`Manifest::to_canonical`] writes.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, JobError> {
        let refuse = |reason: String| JobError::at("manifest", reason);
        if bytes.len() > MAX_MANIFEST_BYTES {
            return Err(refuse(format!(
                "expected at most {MAX_MANIFEST_BYTES} bytes, got {}",
                bytes.len()
            )));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| refuse(e.to_string()))?;
        if manifest.to_canonical() != bytes {
            return Err(refuse(
                "not in canonical form (compact JSON in declared field order)".into(),
            ));
        }
        Ok(manifest)
    }
}
