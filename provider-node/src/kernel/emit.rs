//! naga's SPIR-V writer with every safety check on.

use super::{KernelError, front};
use naga::back::spv::{
    DebugInfo, Options, PipelineOptions, SourceLanguage, WriterFlags,
    ZeroInitializeWorkgroupMemoryMode, write_vec,
};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{ValidationFlags, Validator};
use naga::{Module, ShaderStage};

/// SPIR-V of an instrumented module. `text`, the source, puts line numbers in (the canonical form drops them).
pub fn spirv(module: &Module, entry: &str, text: Option<&str>) -> Result<Vec<u32>, KernelError> {
    // Control flow was checked for uniformity on the tenant's own module; the budget's break is never uniform.
    let flags = ValidationFlags::all() - ValidationFlags::CONTROL_FLOW_UNIFORMITY;
    let info = Validator::new(flags, front::CAPABILITIES)
        .validate(module)
        .map_err(|e| KernelError::Internal(format!("instrumented module: {:?}", e.into_inner())))?;
    let restrict = BoundsCheckPolicy::Restrict;
    let options = Options {
        lang_version: (1, 3),
        flags: if text.is_some() {
            WriterFlags::DEBUG
        } else {
            WriterFlags::empty()
        },
        // Group and binding stay as the module has them.
        fake_missing_bindings: true,
        capabilities: Some([spirv::Capability::Shader].into_iter().collect()),
        bounds_check_policies: BoundsCheckPolicies {
            index: restrict,
            buffer: restrict,
            image_load: restrict,
            binding_array: restrict,
        },
        zero_initialize_workgroup_memory: ZeroInitializeWorkgroupMemoryMode::Polyfill,
        force_loop_bounding: true,
        emit_int_div_checks: true,
        debug_info: text.map(|source_code| DebugInfo {
            source_code,
            file_name: "kernel",
            language: SourceLanguage::Unknown,
        }),
        ..Options::default()
    };
    let pipeline = PipelineOptions {
        shader_stage: ShaderStage::Compute,
        entry_point: entry.into(),
    };
    write_vec(module, &info, &options, Some(&pipeline))
        .map_err(|e| KernelError::NotAllowed(format!("the SPIR-V writer refused it: {e}")))
}
