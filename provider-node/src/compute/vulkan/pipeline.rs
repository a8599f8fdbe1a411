//! Compute pipelines with an explicit layout: the tenant's bindings and the hidden status buffer.

use super::super::plan::Program;
use super::memory::Words;
use super::{DeviceError, VulkanDevice, failed, refused};
use std::sync::Arc;
use vulkano::descriptor_set::layout::{
    DescriptorSetLayout, DescriptorSetLayoutBinding, DescriptorSetLayoutCreateInfo, DescriptorType,
};
use vulkano::descriptor_set::{DescriptorSet, WriteDescriptorSet};
use vulkano::pipeline::compute::ComputePipelineCreateInfo;
use vulkano::pipeline::layout::PipelineLayoutCreateInfo;
use vulkano::pipeline::{ComputePipeline, PipelineLayout, PipelineShaderStageCreateInfo};
use vulkano::shader::{ShaderModule, ShaderModuleCreateInfo, ShaderStages};

/// A pipeline and the layout of its one descriptor set.
pub struct Built {
    pub pipeline: Arc<ComputePipeline>,
    pub layout: Arc<PipelineLayout>,
    set: Arc<DescriptorSetLayout>,
    status_binding: u32,
}

/// Hands a program to the driver.
pub fn build(gpu: &VulkanDevice, program: &Program) -> Result<Built, DeviceError> {
    let named = |e: DeviceError| match e {
        DeviceError::Other(text) => {
            DeviceError::Other(format!("module {:?}: {text}", program.name))
        }
        other => other,
    };
    let slot = |uniform| {
        let kind = if uniform {
            DescriptorType::UniformBuffer
        } else {
            DescriptorType::StorageBuffer
        };
        DescriptorSetLayoutBinding {
            stages: ShaderStages::COMPUTE,
            ..DescriptorSetLayoutBinding::descriptor_type(kind)
        }
    };
    let mut bindings: std::collections::BTreeMap<u32, DescriptorSetLayoutBinding> = program
        .bindings
        .iter()
        .map(|b| (b.binding, slot(b.uniform)))
        .collect();
    bindings.insert(program.status_binding, slot(false));
    let create = DescriptorSetLayoutCreateInfo {
        bindings,
        ..Default::default()
    };
    let set = DescriptorSetLayout::new(gpu.device.clone(), create).map_err(failed)?;
    let create = PipelineLayoutCreateInfo {
        set_layouts: vec![set.clone()],
        ..Default::default()
    };
    let layout = PipelineLayout::new(gpu.device.clone(), create).map_err(failed)?;
    // SAFETY: the words come from our own SPIR-V writer, which validated the module and put every bounds check in.
    let module = unsafe {
        ShaderModule::new(
            gpu.device.clone(),
            ShaderModuleCreateInfo::new(&program.spirv),
        )
    }
    .map_err(|e| named(failed(e)))?;
    let entry = module.entry_point(&program.entry).ok_or_else(|| {
        named(DeviceError::Other(format!(
            "no entry point {:?}",
            program.entry
        )))
    })?;
    let stage = PipelineShaderStageCreateInfo::new(entry);
    let create = ComputePipelineCreateInfo::stage_layout(stage, layout.clone());
    let pipeline =
        ComputePipeline::new(gpu.device.clone(), None, create).map_err(|e| named(failed(e)))?;
    Ok(Built {
        pipeline,
        layout,
        set,
        status_binding: program.status_binding,
    })
}

/// The descriptor set of one dispatch.
pub fn bind(
    gpu: &VulkanDevice,
    built: &Built,
    bindings: &[(u32, Words)],
    status: &Words,
) -> Result<Arc<DescriptorSet>, DeviceError> {
    let mut writes: Vec<WriteDescriptorSet> = bindings
        .iter()
        .map(|(n, buffer)| WriteDescriptorSet::buffer(*n, buffer.clone()))
        .collect();
    writes.push(WriteDescriptorSet::buffer(
        built.status_binding,
        status.clone(),
    ));
    DescriptorSet::new(gpu.descriptors.clone(), built.set.clone(), writes, []).map_err(
        |e| match e {
            vulkano::Validated::Error(e) => super::vulkan_failed(e),
            other => refused(other),
        },
    )
}
