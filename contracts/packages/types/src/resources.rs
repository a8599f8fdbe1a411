//! What an order asks for and what a provider's device is.

use crate::{
    assurance::{Assurance, AuditRule, validate_trust},
    error::ValidationError,
};
use cosmwasm_schema::cw_serde;
use cosmwasm_std::Uint128;

/// The Vulkan feature floor that a job may count on. Its numbers stand in the provider node's `job` module.
#[cw_serde]
#[derive(Copy, Eq, Default)]
pub enum VulkanProfile {
    /// What lavapipe and SwiftShader both do: any Vulkan 1.3 device.
    #[default]
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

/// A benchmark and what a device reached in it.
#[cw_serde]
#[derive(Eq)]
pub struct Score {
    /// The benchmark, with its unit: `[a-z0-9-]{1,32}`, for example `gemm-f16-gflops`.
    pub name: String,
    /// More is better.
    pub value: u64,
}

/// Most scores of one device.
pub const MAX_SCORES: usize = 16;

/// One device of a provider, as the registry stores it. The provider signs for it with the message that carries it.
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
    /// What it reached in benchmarks; at most [`MAX_SCORES`], each name once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Score>,
    /// BLAKE3 of what it answered to the known-answer jobs, 64 hex digits in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_answer: Option<String>,
}

/// What every unit of an order must be, and its provider with it. The default takes everybody's.
#[cw_serde]
#[derive(Default)]
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
    /// The device must have reached at least this in the benchmark of this name; `None` takes any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_score: Option<Score>,
    /// Least trust level of the device, 0 to 4.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub min_trust: u8,
    /// Who must have audited it.
    #[serde(default, skip_serializing_if = "AuditRule::is_empty")]
    pub audits: AuditRule,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_zero(v: &u8) -> bool {
    *v == 0
}

/// What an order asks for.
#[cw_serde]
#[derive(Default)]
pub struct ResourceSpec {
    /// Number of devices, all at one provider. 1 to [`MAX_UNITS`].
    pub units: u32,
    /// What each must be.
    pub gpu: GpuSpec,
    /// How results are checked: only providers who offer it may win. Nothing enforces it yet.
    #[serde(default, skip_serializing_if = "Assurance::is_none")]
    pub assurance: Assurance,
}

/// Most units of one order.
pub const MAX_UNITS: u32 = 1_024;

impl GpuSpec {
    /// Whether `device` is one.
    pub fn matches(&self, device: &Device) -> bool {
        self.model.as_ref().is_none_or(|m| *m == device.model)
            && device.vram_mib >= self.min_vram_mib
            && device.profile.serves(self.profile)
            && self.min_score.as_ref().is_none_or(|wanted| {
                let mut scores = device.scores.iter();
                scores.any(|s| s.name == wanted.name && s.value >= wanted.value)
            })
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
        if let Some(score) = &self.gpu.min_score {
            validate_slug("resources.gpu.min_score", &score.name)?;
        }
        validate_trust("resources.gpu.min_trust", self.gpu.min_trust)?;
        self.gpu.audits.validate()
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
        if self.scores.len() > MAX_SCORES {
            return Err(ValidationError::range(
                "device.scores",
                format!("at most {MAX_SCORES}"),
                self.scores.len(),
            ));
        }
        for (i, score) in self.scores.iter().enumerate() {
            validate_slug("device.scores", &score.name)?;
            if self.scores.iter().take(i).any(|s| s.name == score.name) {
                return Err(ValidationError::malformed(
                    "device.scores",
                    "each benchmark once",
                    &score.name,
                ));
            }
        }
        let hash =
            |h: &String| h.len() == 64 && h.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match &self.known_answer {
            Some(h) if !hash(h) => Err(ValidationError::malformed(
                "device.known_answer",
                "64 hex digits in lower case",
                h,
            )),
            _ => Ok(()),
        }
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
            scores: vec![],
            known_answer: None,
        }
    }

    fn score(name: &str, value: u64) -> Score {
        Score {
            name: name.into(),
            value,
        }
    }

    #[test]
    fn a_least_score_is_of_one_benchmark() {
        let wants = |name, value| GpuSpec {
            min_score: Some(score(name, value)),
            ..GpuSpec::default()
        };
        let d = Device {
            scores: vec![score("a", 5), score("b", u64::MAX)],
            ..device()
        };
        assert!(wants("a", 5).matches(&d) && wants("b", u64::MAX).matches(&d));
        assert!(!wants("a", 6).matches(&d));
        assert!(!wants("c", 0).matches(&d));
    }

    #[test]
    fn a_profile_is_bounded() {
        let with = |scores: Vec<Score>, known_answer: Option<&str>| Device {
            scores,
            known_answer: known_answer.map(Into::into),
            ..device()
        };
        let many = |n: usize| (0..n).map(|i| score(&format!("s{i}"), 1)).collect();
        assert!(with(many(16), Some(&"0f".repeat(32))).validate().is_ok());
        assert!(with(many(17), None).validate().is_err());
        assert!(
            with(vec![score("a", 1), score("a", 2)], None)
                .validate()
                .is_err()
        );
        assert!(with(vec![score("A", 1)], None).validate().is_err());
        for hash in [
            String::new(),
            "0F".repeat(32),
            "0f".repeat(33),
            "xy".repeat(32),
        ] {
            assert!(with(vec![], Some(&hash)).validate().is_err(), "{hash}");
        }
    }

    /// What was stored before there were scores, trust, audits and assurance reads as asking for none of them.
    #[test]
    fn what_the_first_version_stored_still_reads() {
        let old = r#"{"units":1,"gpu":{"model":null,"min_vram_mib":0,"profile":"portable1","region":null,"min_bond":"0"}}"#;
        let spec: ResourceSpec = cosmwasm_std::from_json(old).unwrap();
        let now = ResourceSpec {
            units: 1,
            ..ResourceSpec::default()
        };
        assert_eq!(spec, now);
        assert_eq!(cosmwasm_std::to_json_string(&now).unwrap(), old);
    }

    #[test]
    fn a_spec_takes_what_it_names_and_nothing_less() {
        let any = GpuSpec {
            model: None,
            min_vram_mib: 2_048,
            profile: VulkanProfile::Portable1,
            ..GpuSpec::default()
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
