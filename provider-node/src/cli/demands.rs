//! What an order asks of a GPU and its provider, as people type it.

use super::args;
use clap::{Args, ValueEnum};
use cosmwasm_std::Uint128;
use ember_types::{
    assurance::{Assurance, AuditRule},
    resources::{GpuSpec, ResourceSpec, Score, VulkanProfile},
};

/// What is asked for.
#[derive(Debug, Args)]
pub struct Demands {
    /// Number of GPUs, all at one provider where the mode takes no parts
    #[arg(long, default_value_t = 1)]
    units: u32,
    /// Only this model, for example nvidia/h200
    #[arg(long)]
    model: Option<String>,
    /// Least device memory in MiB
    #[arg(long, default_value_t = 0, value_name = "MIB")]
    min_vram: u32,
    /// What the jobs need of Vulkan
    #[arg(long, value_enum, default_value = "portable1")]
    profile: Profile,
    /// Only providers of this region
    #[arg(long)]
    region: Option<String>,
    /// Only providers with at least this bond, in micro-units
    #[arg(long, default_value_t = 0, value_name = "MICRO")]
    min_bond: u128,
    /// Only devices that reached this in a benchmark, for example gemm-f16-gflops=900
    #[arg(long, value_parser = args::score, value_name = "NAME=VALUE")]
    min_score: Option<Score>,
    /// Only devices of this trust level or above, 0 to 4
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=4), value_name = "LEVEL")]
    min_trust: u8,
    /// Only what this account has audited; may be given several times, then all of them
    #[arg(long, value_name = "ADDRESS")]
    audited_by: Vec<String>,
    /// Only what one of these accounts has audited
    #[arg(long, value_name = "ADDRESS")]
    audited_by_any: Vec<String>,
    /// How results are to be checked; stored and priced, not enforced yet
    #[arg(long, value_enum, default_value = "none")]
    assurance: Assured,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Profile {
    /// Any Vulkan 1.3 device
    #[value(alias = "portable_1")]
    Portable1,
    /// NVIDIA Hopper
    #[value(alias = "nv_hopper_1")]
    NvHopper1,
}

/// [`Assurance`] as people type it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Assured {
    /// Not at all
    None,
    /// A share of the jobs is executed again
    Sampled,
    /// Bit-exact jobs that can be disputed
    Exact,
    /// By the device's enclave
    Attested,
}

impl From<Assured> for Assurance {
    fn from(a: Assured) -> Self {
        match a {
            Assured::None => Self::None,
            Assured::Sampled => Self::Sampled,
            Assured::Exact => Self::Exact,
            Assured::Attested => Self::Attested,
        }
    }
}

impl Demands {
    /// In the market's words, checked.
    pub fn resources(self) -> anyhow::Result<ResourceSpec> {
        let resources = ResourceSpec {
            units: self.units,
            gpu: GpuSpec {
                model: self.model,
                min_vram_mib: self.min_vram,
                profile: match self.profile {
                    Profile::Portable1 => VulkanProfile::Portable1,
                    Profile::NvHopper1 => VulkanProfile::NvHopper1,
                },
                region: self.region,
                min_bond: Uint128::new(self.min_bond),
                min_score: self.min_score,
                min_trust: self.min_trust,
                audits: AuditRule {
                    all_of: self.audited_by,
                    any_of: self.audited_by_any,
                },
            },
            assurance: self.assurance.into(),
        };
        resources.validate()?;
        Ok(resources)
    }
}
