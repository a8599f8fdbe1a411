//! Buffers: on the device for kernels, on the host for staging.

use super::{DeviceError, VulkanDevice};
use vulkano::Validated;
use vulkano::buffer::{AllocateBufferError, Buffer, BufferCreateInfo, BufferUsage, Subbuffer};
use vulkano::memory::allocator::{AllocationCreateInfo, MemoryTypeFilter};

/// A buffer of words.
pub type Words = Subbuffer<[u32]>;

/// A device buffer of `bytes` (a multiple of 4). Its contents are whatever was there: fill it first.
pub fn device(gpu: &VulkanDevice, bytes: u64, what: &str) -> Result<Words, DeviceError> {
    let usage = BufferUsage::STORAGE_BUFFER
        | BufferUsage::UNIFORM_BUFFER
        | BufferUsage::TRANSFER_SRC
        | BufferUsage::TRANSFER_DST;
    allocate(gpu, bytes, usage, MemoryTypeFilter::PREFER_DEVICE, what)
}

/// A host buffer to upload `data` from, padded with zeros to whole words.
pub fn upload(gpu: &VulkanDevice, data: &[u8]) -> Result<Words, DeviceError> {
    let filter = MemoryTypeFilter::PREFER_HOST | MemoryTypeFilter::HOST_SEQUENTIAL_WRITE;
    let size = (data.len() as u64).next_multiple_of(4);
    let buffer = allocate(gpu, size, BufferUsage::TRANSFER_SRC, filter, "staging")?;
    let mut mapped = buffer.write().map_err(super::refused)?;
    for (word, bytes) in mapped.iter_mut().zip(data.chunks(4)) {
        let mut padded = [0; 4];
        padded[..bytes.len()].copy_from_slice(bytes);
        *word = u32::from_le_bytes(padded);
    }
    drop(mapped);
    Ok(buffer)
}

/// A host buffer to read `bytes` back into.
pub fn download(gpu: &VulkanDevice, bytes: u64) -> Result<Words, DeviceError> {
    let filter = MemoryTypeFilter::PREFER_HOST | MemoryTypeFilter::HOST_RANDOM_ACCESS;
    allocate(gpu, bytes, BufferUsage::TRANSFER_DST, filter, "read-back")
}

/// What a host buffer holds.
pub fn read(buffer: &Words) -> Result<Vec<u8>, DeviceError> {
    let mapped = buffer.read().map_err(super::refused)?;
    Ok(mapped.iter().flat_map(|w| w.to_le_bytes()).collect())
}

fn allocate(
    gpu: &VulkanDevice,
    bytes: u64,
    usage: BufferUsage,
    memory_type_filter: MemoryTypeFilter,
    what: &str,
) -> Result<Words, DeviceError> {
    let create = BufferCreateInfo {
        usage,
        ..Default::default()
    };
    let allocation = AllocationCreateInfo {
        memory_type_filter,
        ..Default::default()
    };
    Buffer::new_slice::<u32>(gpu.memory.clone(), create, allocation, bytes / 4).map_err(|e| match e
    {
        Validated::Error(AllocateBufferError::AllocateMemory(e)) => {
            DeviceError::OutOfMemory(format!("{bytes} bytes for {what}: {e}"))
        }
        other => super::refused(other),
    })
}
