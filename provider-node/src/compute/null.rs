//! A device in host memory: copies, fills and repeats are done, dispatches are counted and do nothing.

use super::plan::{Init, Plan, Report, Step};
use super::{Device, DeviceError, DeviceInfo, FloatControls, Hash, Limits, Progress};
use ember_types::resources::VulkanProfile;

/// The null device, for tests of everything around a device.
#[derive(Debug)]
pub struct NullDevice {
    info: DeviceInfo,
}

impl Default for NullDevice {
    fn default() -> Self {
        Self {
            info: DeviceInfo {
                index: 0,
                model: "ember/null".into(),
                name: "null device".into(),
                driver: "null 1".into(),
                uuid: "0".repeat(32),
                vram_mib: 1_024,
                profile: VulkanProfile::Portable1,
                api: "none".into(),
                software: true,
                float_controls: FloatControls::default(),
                limits: Limits {
                    storage_buffer_bytes: 1 << 27,
                    uniform_buffer_bytes: 1 << 14,
                    groups: [65_535; 3],
                    workgroup_invocations: 256,
                    shared_bytes: 32_768,
                    subgroup_size: 1,
                    silent_loop_limit: None,
                },
            },
        }
    }
}

impl NullDevice {
    fn step(step: &Step, plan: &Plan, memory: &mut [Vec<u8>], report: &mut Report) {
        match step {
            Step::Dispatch {
                program, groups, ..
            } => {
                let per_group: u64 = plan.programs[*program]
                    .workgroup
                    .iter()
                    .map(|n| u64::from(*n))
                    .product();
                report.usage.dispatches += 1;
                report.usage.invocations +=
                    per_group * groups.iter().map(|n| u64::from(*n)).product::<u64>();
            }
            Step::Copy {
                src,
                src_offset,
                dst,
                dst_offset,
                size,
            } => {
                let from = memory[*src][*src_offset as usize..][..*size as usize].to_vec();
                memory[*dst][*dst_offset as usize..][..*size as usize].copy_from_slice(&from);
            }
            Step::Fill {
                buffer,
                offset,
                size,
                value,
            } => {
                for word in
                    memory[*buffer][*offset as usize..][..*size as usize].chunks_exact_mut(4)
                {
                    word.copy_from_slice(&value.to_le_bytes());
                }
            }
            Step::Repeat {
                times,
                counter,
                body,
            } => {
                for i in 0..*times {
                    if let Some((buffer, offset)) = counter {
                        memory[*buffer][*offset as usize..][..4].copy_from_slice(&i.to_le_bytes());
                    }
                    for step in body {
                        Self::step(step, plan, memory, report);
                    }
                }
            }
        }
    }
}

impl Device for NullDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn run(
        &mut self,
        plan: &Plan,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, DeviceError> {
        let mut memory: Vec<Vec<u8>> = plan
            .buffers
            .iter()
            .map(|b| {
                let mut bytes = match &b.init {
                    Init::Zero => Vec::new(),
                    Init::Data(data) => data.to_vec(),
                };
                bytes.resize(b.size as usize, 0);
                bytes
            })
            .collect();
        let (mut report, mut done, steps) = (Report::default(), 0, plan.total_steps());
        for (i, step) in plan.steps.iter().enumerate() {
            Self::step(step, plan, &mut memory, &mut report);
            done += step.weight();
            progress(Progress {
                step: done,
                steps,
                label: format!("step {i}"),
            });
            for (_, buffers) in plan.checkpoints.iter().filter(|(after, _)| *after == i) {
                report
                    .checkpoints
                    .push(buffers.iter().map(|b| Hash::of(&memory[*b])).collect());
            }
        }
        report.outputs = plan.outputs.iter().map(|b| memory[*b].clone()).collect();
        Ok(report)
    }
}
