//! Reading a tenant's source: parse, one entry point, validate with an explicit allow-list.

use super::{KernelError, Source, limits};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Module, ShaderStage, WithSpan};
use serde::{Deserialize, Serialize};
use std::error::Error as StdError;

/// What a module is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// WebGPU Shading Language.
    Wgsl,
    /// GLSL 4.50, compute stage.
    Glsl,
    /// SPIR-V in little endian.
    Spirv,
}

impl Language {
    /// Whether its source is text.
    pub fn is_text(self) -> bool {
        self != Self::Spirv
    }
}

/// What a kernel may use beyond the core: reading pairs of halves, which is exact and needs no device feature.
/// Not here, so refused: 64-bit types, float atomics, subgroups, textures in arrays, ray queries, push constants.
pub const CAPABILITIES: Capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;

/// Parses and validates; the module that comes back has exactly one entry point, a compute one.
pub fn parse(source: Source<'_>) -> Result<(Module, ModuleInfo), KernelError> {
    if source.bytes.len() > limits::MAX_SOURCE_BYTES {
        return Err(KernelError::SourceTooLong {
            got: source.bytes.len(),
            max: limits::MAX_SOURCE_BYTES,
        });
    }
    let text = if source.language.is_text() {
        std::str::from_utf8(source.bytes).map_err(|e| plain(format!("expected UTF-8 text: {e}")))?
    } else {
        ""
    };
    let mut module = match source.language {
        Language::Wgsl => wgsl(text)?,
        Language::Glsl => glsl(text)?,
        Language::Spirv => spirv(source.bytes)?,
    };
    let have: Vec<String> = module
        .entry_points
        .iter()
        .filter(|e| e.stage == ShaderStage::Compute)
        .map(|e| e.name.clone())
        .collect();
    if !have.iter().any(|name| name == source.entry) {
        return Err(KernelError::NoEntry {
            wanted: source.entry.into(),
            have,
        });
    }
    if !module.overrides.is_empty() {
        return Err(KernelError::NotAllowed(
            "override declarations; write constants".into(),
        ));
    }
    module
        .entry_points
        .retain(|e| e.stage == ShaderStage::Compute && e.name == source.entry);
    if module.entry_points.len() != 1 {
        return Err(KernelError::NotAllowed(
            "several entry points of one name".into(),
        ));
    }
    let info = Validator::new(ValidationFlags::all(), CAPABILITIES)
        .validate(&module)
        .map_err(|e| invalid(&e, text))?;
    Ok((module, info))
}

/// Drops what the entry point does not use. Only for validated modules: naga may panic on others.
pub fn compact(module: &mut Module) {
    naga::compact::compact(module, naga::compact::KeepUnused::No);
}

fn plain(message: String) -> KernelError {
    KernelError::Source {
        line: 0,
        column: 0,
        message,
    }
}

fn wgsl(text: &str) -> Result<Module, KernelError> {
    naga::front::wgsl::parse_str(text).map_err(|e| {
        let place = e.location(text);
        KernelError::Source {
            line: place.map_or(0, |p| p.line_number),
            column: place.map_or(0, |p| p.line_position),
            message: format!("does not parse: {}", e.message()),
        }
    })
}

fn glsl(text: &str) -> Result<Module, KernelError> {
    let options = naga::front::glsl::Options::from(ShaderStage::Compute);
    naga::front::glsl::Frontend::default()
        .parse(&options, text)
        .map_err(|e| match e.errors.first() {
            Some(first) => {
                let place = first.meta.is_defined().then(|| first.meta.location(text));
                KernelError::Source {
                    line: place.map_or(0, |p| p.line_number),
                    column: place.map_or(0, |p| p.line_position),
                    message: format!("does not parse: {}", first.kind),
                }
            }
            None => plain("GLSL does not parse".into()),
        })
}

fn spirv(bytes: &[u8]) -> Result<Module, KernelError> {
    // naga's reader is no validator; rspirv's checks the grammar of every instruction first.
    rspirv::dr::load_bytes(bytes).map_err(|e| plain(format!("SPIR-V does not parse: {e}")))?;
    let options = naga::front::spv::Options {
        adjust_coordinate_space: false,
        strict_capabilities: true,
        block_ctx_dump_prefix: None,
    };
    naga::front::spv::parse_u8_slice(bytes, &options)
        .map_err(|e| plain(format!("SPIR-V is not supported: {e}")))
}

fn invalid(error: &WithSpan<naga::valid::ValidationError>, text: &str) -> KernelError {
    let place = if text.is_empty() {
        None
    } else {
        error.location(text)
    };
    let mut message = error.as_inner().to_string();
    let mut cause = error.as_inner().source();
    while let Some(inner) = cause {
        message = format!("{message}: {inner}");
        cause = inner.source();
    }
    KernelError::Source {
        line: place.map_or(0, |p| p.line_number),
        column: place.map_or(0, |p| p.line_position),
        message,
    }
}
