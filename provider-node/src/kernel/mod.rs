//! From a tenant's source to SPIR-V that may meet a driver.
//!
//! The order is fixed: size limits, naga parse and validation with an allow-list ([`front`]), static limits
//! ([`limits`]), the operation budget ([`budget`]), naga's SPIR-V writer with every check on ([`emit`]), the exactness
//! check ([`exact`]), the canonical form ([`canon`]), and last the execution modes of one device ([`canon::for_device`]).
//! What the receipt commits to is the hash of the canonical form, which no device changes.

pub mod front;
pub mod limits;
pub mod budget;
pub mod emit;
pub mod exact;
pub mod canon;

pub use exact::Exactness;
pub use front::Language;

use crate::compute::{FloatControls, Hash, ProgramBinding};

/// Binding of the hidden status buffer in descriptor set 0. Tenants' bindings are below [`limits::MAX_BINDING`].
pub const STATUS_BINDING: u32 = 63;

/// Why a module was refused. Every text names the place where there is one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KernelError {
    /// The source is too long.
    #[error("source has {got} bytes, expected at most {max}")]
    SourceTooLong {
        /// Bytes of the source.
        got: usize,
        /// Most allowed.
        max: usize,
    },
    /// The source is not the language it says, or breaks its rules.
    #[error("{}{message}", at(.line, .column))]
    Source {
        /// Line from 1, 0 when unknown.
        line: u32,
        /// Column from 1, 0 when unknown.
        column: u32,
        /// What is wrong.
        message: String,
    },
    /// No compute entry point of that name.
    #[error("no compute entry point named {wanted:?}, there are: {}", .have.join(", "))]
    NoEntry {
        /// The name asked for.
        wanted: String,
        /// Compute entry points of the module.
        have: Vec<String>,
    },
    /// Valid in its language, refused here.
    #[error("not allowed in a kernel: {0}")]
    NotAllowed(String),
    /// Something is larger than the profile has.
    #[error("{what}: got {got}, expected at most {max}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How much there is.
        got: u64,
        /// How much there may be.
        max: u64,
    },
    /// An operation that the exactness class forbids.
    #[error("{}exactness {class} forbids {what}; {hint}", at(.line, &0))]
    Inexact {
        /// The class.
        class: Exactness,
        /// The operation.
        what: String,
        /// Line from 1, 0 when unknown.
        line: u32,
        /// What to do instead.
        hint: &'static str,
    },
    /// Our own passes made something that does not validate. A fault of this program, not of the tenant.
    #[error("internal: {0}; please report the module")]
    Internal(String),
}

fn at(line: &u32, column: &u32) -> String {
    match (line, column) {
        (0, _) => String::new(),
        (line, 0) => format!("line {line}: "),
        (line, column) => format!("line {line}, column {column}: "),
    }
}

/// A tenant's module as it comes.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Language.
    pub language: Language,
    /// The bytes: UTF-8 text, or SPIR-V in little endian.
    pub bytes: &'a [u8],
    /// Entry point.
    pub entry: &'a str,
}

/// A compiled kernel.
#[derive(Debug)]
pub struct Kernel {
    /// Canonical SPIR-V, the same on every machine for the same source and naga version.
    pub canonical: Vec<u32>,
    /// BLAKE3 of the canonical words in little endian.
    pub hash: Hash,
    /// Entry point.
    pub entry: String,
    /// Invocations of a workgroup along each axis.
    pub workgroup: [u32; 3],
    /// Workgroup memory in bytes.
    pub shared_bytes: u32,
    /// The tenant's bindings, by number.
    pub bindings: Vec<ProgramBinding>,
    /// Bindings that the source declares and the entry point does not use.
    pub unused: Vec<u32>,
    /// Whether it has any loop.
    pub has_loops: bool,
    module: naga::Module,
}

impl Kernel {
    /// Compiles `source` under exactness class `class`.
    ///
    /// # Errors
    /// [`KernelError`]; all but [`KernelError::Internal`] are the tenant's to mend.
    pub fn compile(source: Source<'_>, class: Exactness) -> Result<Self, KernelError> {
        let (mut module, info) = front::parse(source)?;
        limits::check(&module)?;
        let (bindings, unused) = limits::bindings(&module, &info)?;
        let shared_bytes = limits::shared_bytes(&module)?;
        let workgroup = module.entry_points[0].workgroup_size;
        front::compact(&mut module);
        let mut instrumented = module.clone();
        let has_loops = budget::instrument(&mut instrumented, budget::Canary::No);
        let text = source
            .language
            .is_text()
            .then(|| String::from_utf8_lossy(source.bytes));
        let raw = emit::spirv(&instrumented, source.entry, text.as_deref())?;
        let mut spirv = canon::load(&raw)?;
        exact::check(&spirv, class)?;
        canon::canonicalise(&mut spirv);
        let canonical = canon::store(&spirv)?;
        Ok(Self {
            hash: canon::hash(&canonical),
            canonical,
            entry: source.entry.into(),
            workgroup,
            shared_bytes,
            bindings,
            unused,
            has_loops,
            module,
        })
    }

    /// The words for a device with `controls`. With `canary`, loops that a driver leaves early are counted in the
    /// status buffer.
    ///
    /// # Errors
    /// [`KernelError::Internal`].
    pub fn for_device(
        &self,
        controls: FloatControls,
        canary: bool,
    ) -> Result<Vec<u32>, KernelError> {
        let mut spirv = if canary && self.has_loops {
            let mut module = self.module.clone();
            budget::instrument(&mut module, budget::Canary::Yes);
            let mut spirv = canon::load(&emit::spirv(&module, &self.entry, None)?)?;
            canon::canonicalise(&mut spirv);
            spirv
        } else {
            canon::load(&self.canonical)?
        };
        canon::for_device(&mut spirv, controls)?;
        canon::store(&spirv)
    }
}
