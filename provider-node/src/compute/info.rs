//! What a device is, in words that go on chain and into receipts.

use ember_types::resources::{Device as ChainDevice, VulkanProfile};
use serde::{Deserialize, Serialize};

/// The SPIR-V float controls a device advertises for 32-bit floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FloatControls {
    /// `shaderRoundingModeRTEFloat32`.
    pub rte32: bool,
    /// `shaderSignedZeroInfNanPreserveFloat32`.
    pub preserve32: bool,
}

/// What a plan may ask of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest storage buffer binding, in bytes.
    pub storage_buffer_bytes: u64,
    /// Largest uniform buffer binding, in bytes.
    pub uniform_buffer_bytes: u64,
    /// Most workgroups along each axis.
    pub groups: [u32; 3],
    /// Most invocations of a workgroup.
    pub workgroup_invocations: u32,
    /// Workgroup memory, in bytes.
    pub shared_bytes: u32,
    /// Lanes that run in lock step.
    pub subgroup_size: u32,
    /// Loop iterations after which the driver leaves a loop silently, summed over the loops of one lane group;
    /// `None` where no such limit is known.
    pub silent_loop_limit: Option<u32>,
}

/// One physical device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// Its number on this machine, from 0.
    pub index: u32,
    /// Canonical model id, `vendor/model`.
    pub model: String,
    /// The name as the driver gives it.
    pub name: String,
    /// Driver name and version.
    pub driver: String,
    /// Device UUID, 32 hex digits.
    pub uuid: String,
    /// Device-local memory in MiB.
    pub vram_mib: u32,
    /// The richest profile it passes.
    pub profile: VulkanProfile,
    /// The Vulkan version in use (pinned to 1.3 where the driver has more).
    pub api: String,
    /// Whether it is a CPU that poses as a GPU.
    pub software: bool,
    /// Float controls.
    pub float_controls: FloatControls,
    /// Limits.
    pub limits: Limits,
}

impl DeviceInfo {
    /// The same device in the registry's words, under the provider's own name `id`.
    pub fn to_chain(&self, id: String) -> ChainDevice {
        let mut driver = self.driver.clone();
        driver.truncate(driver.floor_char_boundary(128));
        ChainDevice {
            id,
            model: self.model.clone(),
            vram_mib: self.vram_mib,
            profile: self.profile,
            driver,
            scores: Vec::new(),
            known_answer: None,
        }
    }
}

/// The canonical model id of a device from its PCI vendor and the driver's name for it.
///
/// Words that say nothing (`GeForce`, `(R)`, memory form factors) fall away; what is left is a slug of at most 32.
pub fn model_id(vendor_id: u32, name: &str) -> String {
    let lower = name.to_lowercase();
    if lower.starts_with("llvmpipe") {
        return "mesa/lavapipe".into();
    }
    if lower.starts_with("swiftshader") {
        return "google/swiftshader".into();
    }
    let vendor = match vendor_id {
        0x10de => "nvidia",
        0x1002 => "amd",
        0x8086 => "intel",
        0x13b5 => "arm",
        0x5143 => "qualcomm",
        0x106b => "apple",
        0x10005 => "mesa",
        0x1ae0 => "google",
        _ => "other",
    };
    const NOISE: [&str; 12] = [
        "nvidia",
        "amd",
        "intel",
        "arm",
        "geforce",
        "tesla",
        "graphics",
        "corporation",
        "r",
        "tm",
        "radv",
        "gpu",
    ];
    let words: Vec<&str> = lower
        .split('(')
        .next()
        .unwrap_or_default()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty() && !NOISE.contains(w))
        .collect();
    let mut model = words.join("-");
    model.truncate(32);
    let model = model.trim_matches('-');
    format!(
        "{vendor}/{}",
        if model.is_empty() { "unknown" } else { model }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_have_canonical_ids() {
        for (vendor, name, want) in [
            (0x10005, "llvmpipe (LLVM 15.0.6, 256 bits)", "mesa/lavapipe"),
            (
                0x1ae0,
                "SwiftShader Device (LLVM 10.0.0)",
                "google/swiftshader",
            ),
            (0x10de, "NVIDIA H200", "nvidia/h200"),
            (0x10de, "NVIDIA H100 80GB HBM3", "nvidia/h100-80gb-hbm3"),
            (0x10de, "NVIDIA GeForce RTX 4090", "nvidia/rtx-4090"),
            (
                0x1002,
                "AMD Radeon RX 7900 XTX (RADV NAVI31)",
                "amd/radeon-rx-7900-xtx",
            ),
            (0x9999, "(?)", "other/unknown"),
        ] {
            let got = model_id(vendor, name);
            assert_eq!(got, want);
            ember_types::resources::validate_model(&got).unwrap();
        }
    }
}
