//! What an order asks for and what a provider's device is.

use crate::error::ValidationError;
use cosmwasm_schema::cw_serde;
use cosmwasm_std::Uint128;

/// The Vulkan feature floor that a job may count on. Its numbers stand in the provider node's `job` module.
#[cw_serde]
#[derive(Copy, Eq)]
pub enum VulkanProfile {
    /// What lavapipe and SwiftShader both do: any Vulkan 1.3 device.
    Portable1,
    /// NVIDIA Hopper.
    NvHopper1,
}

impl VulkanProfile {
    /// Whether a device of profile `self` serves a job that asks for `wanted`.
    pub fn serves(self, wanted: Self) -> bool {
        matches!(
            (self, wanted),
            (_, Self::Portable1) | (Self::NvHopper1, Self::NvHopper1)
        )
    }
}

/// One device of a provider, as the registry stores it.
#[cw_serde]
pub struct Device {
    /// The provider's own name for it, unique within the provider, `[a-z0-9-]{1,32}`.
    pub id: String,
    /// Canonical model id, `vendor/model`, for example `nvidia/h200` or `mesa/lavapipe`.
    pub model: String,
    /// Device-local memory in MiB.
    pub vram_mib: u32,
    /// The richest profile it passes.
    pub profile: VulkanProfile,
    /// Driver name and version as Vulkan reports it.
    pub driver: String,
}

/// What every unit of an order must be.
#[cw_serde]
pub struct GpuSpec {
    /// Canonical model id; `None` takes any.
    pub model: Option<String>,
    /// Least device-local memory in MiB.
    pub min_vram_mib: u32,
    /// The profile that the jobs need.
    pub profile: VulkanProfile,
    /// The provider's `region` attribute must equal this; `None` takes any.
    pub region: Option<String>,
    /// Least bonded stake of the provider, in the native token's micro-units.
    pub min_bond: Uint128,
}

/// What an order asks for.
#[cw_serde]
pub struct ResourceSpec {
    /// Number of devices, all at one provider. 1 to [`MAX_UNITS`].
    pub units: u32,
    /// What each must be.
    pub gpu: GpuSpec,
}

/// Most units of one order.
pub const MAX_UNITS: u32 = 1_024;

impl GpuSpec {
    /// Whether `device` is one.
    pub fn matches(&self, device: &Device) -> bool {
        self.model.as_ref().is_none_or(|m| *m == device.model)
            && device.vram_mib >= self.min_vram_mib
            && device.profile.serves(self.profile)
    }
}

impl ResourceSpec {
    /// # Errors
    /// When a field is out of its range or not of its form.
    pub fn validate(&self) -> Result<(), ValidationError> {
        if self.units == 0 || self.units > MAX_UNITS {
            return Err(ValidationError::range(
                "resources.units",
                format!("1 to {MAX_UNITS}"),
                self.units,
            ));
        }
        if let Some(model) = &self.gpu.model {
            validate_model(model)?;
        }
        if let Some(region) = &self.gpu.region {
            validate_slug("resources.gpu.region", region)?;
        }
        Ok(())
    }
}

impl Device {
    /// # Errors
    /// When a field is out of its range or not of its form.
    pub fn validate(&self) -> Result<(), ValidationError> {
        validate_slug("device.id", &self.id)?;
        validate_model(&self.model)?;
        if self.driver.is_empty() || self.driver.len() > 128 {
            return Err(ValidationError::malformed(
                "device.driver",
                "1 to 128 bytes",
                &self.driver,
            ));
        }
        Ok(())
    }
}

/// # Errors
/// When `s` is not `[a-z0-9-]{1,32}`.
pub fn validate_slug(field: &'static str, s: &str) -> Result<(), ValidationError> {
    let ok = (1..=32).contains(&s.len())
        && s.bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if ok {
        Ok(())
    } else {
        Err(ValidationError::malformed(
            field,
            "1 to 32 of a-z, 0-9 and -",
            s,
        ))
    }
}

/// # Errors
/// When `s` is not `vendor/model`, both slugs.
pub fn validate_model(s: &str) -> Result<(), ValidationError> {
    let err = || ValidationError::malformed("model", "vendor/model in a-z, 0-9 and -", s);
    let (vendor, model) = s.split_once('/').ok_or_else(err)?;
    validate_slug("model", vendor)
        .and(validate_slug("model", model))
        .map_err(|_| err())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> Device {
        Device {
            id: "gpu-0".into(),
            model: "mesa/lavapipe".into(),
            vram_mib: 2_048,
            profile: VulkanProfile::Portable1,
            driver: "llvmpipe 22.3.6".into(),
        }
    }

    #[test]
    fn a_spec_takes_what_it_names_and_nothing_less() {
        let any = GpuSpec {
            model: None,
            min_vram_mib: 2_048,
            profile: VulkanProfile::Portable1,
            region: None,
            min_bond: Uint128::zero(),
        };
        assert!(any.matches(&device()));
        assert!(
            !GpuSpec {
                min_vram_mib: 2_049,
                ..any.clone()
            }
            .matches(&device())
        );
        assert!(
            !GpuSpec {
                model: Some("nvidia/h200".into()),
                ..any.clone()
            }
            .matches(&device())
        );
        assert!(
            !GpuSpec {
                profile: VulkanProfile::NvHopper1,
                ..any
            }
            .matches(&device())
        );
    }

    #[test]
    fn ids_and_models_have_a_form() {
        assert!(device().validate().is_ok());
        for model in ["", "nvidia", "nvidia/", "Nvidia/h200", "a/b/c"] {
            assert!(validate_model(model).is_err(), "{model}");
        }
        assert!(
            Device {
                id: "GPU 0".into(),
                ..device()
            }
            .validate()
            .is_err()
        );
    }
}
