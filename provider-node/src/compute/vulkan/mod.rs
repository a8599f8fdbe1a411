//! Vulkan through vulkano. None of vulkano's types leave this folder.

mod probe;
mod memory;
mod pipeline;
mod run;

pub use probe::enumerate;

use super::{Device, DeviceError, DeviceInfo, Plan, Progress, Report};
use std::sync::Arc;
use vulkano::command_buffer::allocator::StandardCommandBufferAllocator;
use vulkano::descriptor_set::allocator::StandardDescriptorSetAllocator;
use vulkano::device::{
    Device as VkDevice, DeviceCreateInfo, DeviceFeatures, Queue, QueueCreateInfo, QueueFlags,
};
use vulkano::memory::allocator::StandardMemoryAllocator;
use vulkano::{Validated, VulkanError};

/// A Vulkan device, owned by one thread of one process. Its memory serves one lease.
pub struct VulkanDevice {
    info: DeviceInfo,
    device: Arc<VkDevice>,
    queue: Arc<Queue>,
    memory: Arc<StandardMemoryAllocator>,
    commands: Arc<StandardCommandBufferAllocator>,
    descriptors: Arc<StandardDescriptorSetAllocator>,
    /// Nanoseconds of one timestamp tick; `None` when the queue has no timestamps.
    tick_ns: Option<f64>,
}

impl std::fmt::Debug for VulkanDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VulkanDevice")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

impl VulkanDevice {
    /// Opens device number `index`, as [`enumerate`] counts them.
    ///
    /// # Errors
    /// [`DeviceError::NoVulkan`], [`DeviceError::NoSuchDevice`], or what the driver says.
    pub fn open(index: u32) -> Result<Self, DeviceError> {
        let instance = probe::instance()?;
        let (info, physical) = probe::physical(&instance, index)?;
        let family = physical
            .queue_family_properties()
            .iter()
            .position(|f| f.queue_flags.contains(QueueFlags::COMPUTE))
            .ok_or_else(|| DeviceError::Other("no compute queue".into()))?;
        let stamps = physical.queue_family_properties()[family]
            .timestamp_valid_bits
            .is_some();
        let tick = f64::from(physical.properties().timestamp_period);
        let (device, mut queues) = VkDevice::new(
            physical,
            DeviceCreateInfo {
                queue_create_infos: vec![QueueCreateInfo {
                    queue_family_index: family as u32,
                    ..Default::default()
                }],
                enabled_features: DeviceFeatures {
                    robust_buffer_access: true,
                    ..DeviceFeatures::empty()
                },
                ..Default::default()
            },
        )
        .map_err(failed)?;
        let queue = queues
            .next()
            .ok_or_else(|| DeviceError::Other("no queue".into()))?;
        Ok(Self {
            info,
            memory: Arc::new(StandardMemoryAllocator::new_default(device.clone())),
            commands: Arc::new(StandardCommandBufferAllocator::new(
                device.clone(),
                Default::default(),
            )),
            descriptors: Arc::new(StandardDescriptorSetAllocator::new(
                device.clone(),
                Default::default(),
            )),
            device,
            queue,
            tick_ns: stamps.then_some(tick),
        })
    }
}

impl Device for VulkanDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn run(
        &mut self,
        plan: &Plan,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, DeviceError> {
        run::run(self, plan, progress)
    }
}

/// Sorts what vulkano answers into our errors.
fn failed(error: Validated<VulkanError>) -> DeviceError {
    match error {
        Validated::Error(e) => vulkan_failed(e),
        Validated::ValidationError(e) => {
            DeviceError::Other(format!("refused by validation: {e}").replace('\n', " "))
        }
    }
}

fn vulkan_failed(error: VulkanError) -> DeviceError {
    match error {
        VulkanError::DeviceLost => DeviceError::Lost(error.to_string()),
        VulkanError::OutOfHostMemory | VulkanError::OutOfDeviceMemory => {
            DeviceError::OutOfMemory(error.to_string())
        }
        other => DeviceError::Other(other.to_string()),
    }
}

/// For vulkano's boxed validation errors and the rest.
fn refused(error: impl std::fmt::Display) -> DeviceError {
    DeviceError::Other(error.to_string().replace('\n', " "))
}
