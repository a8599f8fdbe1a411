//! Which devices there are, in our words.

use super::super::info::model_id;
use super::super::{DeviceError, DeviceInfo, FloatControls, Limits};
use ember_types::resources::VulkanProfile;
use std::sync::Arc;
use vulkano::device::physical::{PhysicalDevice, PhysicalDeviceType};
use vulkano::instance::{Instance, InstanceCreateInfo};
use vulkano::memory::MemoryHeapFlags;
use vulkano::{Version, VulkanLibrary};

/// lavapipe's `LP_MAX_TGSI_LOOP_ITERATIONS`: its shaders leave all loops after so many iterations and say nothing.
const LAVAPIPE_LOOPS: u32 = 65_535;

/// An instance of Vulkan 1.3. Not newer: on one NVIDIA card 1.4 alone changed float results.
pub fn instance() -> Result<Arc<Instance>, DeviceError> {
    let library = VulkanLibrary::new().map_err(|e| DeviceError::NoVulkan(e.to_string()))?;
    let create = InstanceCreateInfo {
        application_name: Some("ember".into()),
        max_api_version: Some(Version::V1_3),
        ..Default::default()
    };
    Instance::new(library, create).map_err(|e| DeviceError::NoVulkan(e.to_string()))
}

/// The devices with Vulkan 1.3 and a compute queue, in the loader's order.
///
/// # Errors
/// [`DeviceError::NoVulkan`] when there is no loader.
pub fn enumerate() -> Result<Vec<DeviceInfo>, DeviceError> {
    let instance = instance()?;
    Ok(all(&instance)?.into_iter().map(|(info, _)| info).collect())
}

/// Device number `index`.
pub fn physical(
    instance: &Arc<Instance>,
    index: u32,
) -> Result<(DeviceInfo, Arc<PhysicalDevice>), DeviceError> {
    let mut devices = all(instance)?;
    let have = devices.len() as u32;
    if index >= have {
        return Err(DeviceError::NoSuchDevice {
            wanted: index,
            have,
        });
    }
    Ok(devices.swap_remove(index as usize))
}

fn all(instance: &Arc<Instance>) -> Result<Vec<(DeviceInfo, Arc<PhysicalDevice>)>, DeviceError> {
    let devices = instance
        .enumerate_physical_devices()
        .map_err(|e| DeviceError::NoVulkan(e.to_string()))?;
    Ok(devices
        .filter(|d| d.api_version() >= Version::V1_3)
        .enumerate()
        .map(|(i, d)| (describe(i as u32, &d), d))
        .collect())
}

fn describe(index: u32, device: &PhysicalDevice) -> DeviceInfo {
    let p = device.properties();
    let model = model_id(p.vendor_id, &p.device_name);
    let local: u64 = device
        .memory_properties()
        .memory_heaps
        .iter()
        .filter(|h| h.flags.intersects(MemoryHeapFlags::DEVICE_LOCAL))
        .map(|h| h.size)
        .max()
        .unwrap_or(0);
    let driver = [p.driver_name.as_deref(), p.driver_info.as_deref()];
    let driver = driver
        .into_iter()
        .flatten()
        .filter(|s| !s.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let version = device.api_version().min(Version::V1_3);
    DeviceInfo {
        index,
        profile: if model.starts_with("nvidia/h100") || model.starts_with("nvidia/h200") {
            VulkanProfile::NvHopper1
        } else {
            VulkanProfile::Portable1
        },
        name: p.device_name.clone(),
        driver: if driver.is_empty() {
            format!("unknown {}", p.driver_version)
        } else {
            driver
        },
        uuid: hex::encode(p.device_uuid.unwrap_or_default()),
        vram_mib: u32::try_from(local >> 20).unwrap_or(u32::MAX),
        api: format!("{}.{}", version.major, version.minor),
        software: p.device_type == PhysicalDeviceType::Cpu,
        float_controls: FloatControls {
            rte32: p.shader_rounding_mode_rte_float32 == Some(true),
            preserve32: p.shader_signed_zero_inf_nan_preserve_float32 == Some(true),
        },
        limits: Limits {
            storage_buffer_bytes: p.max_storage_buffer_range.into(),
            uniform_buffer_bytes: p.max_uniform_buffer_range.into(),
            groups: p.max_compute_work_group_count,
            workgroup_invocations: p.max_compute_work_group_invocations,
            shared_bytes: p.max_compute_shared_memory_size,
            subgroup_size: p.subgroup_size.unwrap_or(1),
            silent_loop_limit: (model == "mesa/lavapipe").then_some(LAVAPIPE_LOOPS),
        },
        model,
    }
}
