//! From a checked manifest and its bytes to a plan for one device.

use super::limits::{LAVAPIPE_OPS, MAX_INVOCATIONS, MAX_UNIFORM_BYTES};
use super::manifest::{Access, Dispatch, Init, Manifest, Step};
use super::{Hash, JobError, check};
use crate::compute::{self, DeviceInfo, Plan, PlanBuffer, Program};
use crate::kernel::{Kernel, STATUS_BINDING, Source};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A job ready to run.
#[derive(Debug)]
pub struct Compiled {
    /// For the device.
    pub plan: Plan,
    /// Canonical hash of each module's kernel, in the manifest's order.
    pub kernels: Vec<Hash>,
}

/// Compiles `manifest` for `device`. `bytes` gives sources and blobs by hash; whoever gives them has compared the
/// hashes.
///
/// # Errors
/// The node at fault.
pub fn compile(
    manifest: &Manifest,
    device: &DeviceInfo,
    bytes: &dyn Fn(&Hash) -> Option<Arc<[u8]>>,
) -> Result<Compiled, JobError> {
    check::check(manifest)?;
    let fetch = |node: String, hash: &Hash, size: u64| match bytes(hash) {
        Some(b) if b.len() as u64 == size => Ok(b),
        Some(b) => Err(JobError::at(
            node,
            format!("expected {size} bytes, got {}", b.len()),
        )),
        None => Err(JobError::at(node, format!("blob {hash} was not uploaded"))),
    };
    let (budget, canary) = budget(manifest, device);
    let (mut programs, mut kernels, mut unused) = (Vec::new(), Vec::new(), Vec::new());
    for (i, m) in manifest.modules.iter().enumerate() {
        let node = format!("modules[{i}] {:?}", m.name);
        let source = fetch(node.clone(), &m.source, m.size)?;
        let source = Source {
            language: m.language,
            bytes: &source,
            entry: &m.entry,
        };
        let refuse = |e| JobError::at(node.clone(), e);
        let kernel = Kernel::compile(source, manifest.exactness).map_err(refuse)?;
        let invocations: u32 = kernel.workgroup.iter().product();
        if invocations > device.limits.workgroup_invocations
            || kernel.shared_bytes > device.limits.shared_bytes
        {
            return Err(JobError::at(
                node,
                format!(
                    "workgroup of {invocations} invocations and {} bytes does not fit {}",
                    kernel.shared_bytes, device.model
                ),
            ));
        }
        programs.push(Program {
            name: m.name.clone(),
            spirv: kernel
                .for_device(device.float_controls, canary)
                .map_err(refuse)?,
            entry: kernel.entry.clone(),
            workgroup: kernel.workgroup,
            bindings: kernel.bindings.clone(),
            status_binding: STATUS_BINDING,
        });
        kernels.push(kernel.hash);
        unused.push(kernel.unused);
    }
    let mut buffers = Vec::new();
    for (i, b) in manifest.buffers.iter().enumerate() {
        let init = match &b.init {
            Init::Zero => compute::Init::Zero,
            Init::Blob(name) => {
                let node = format!("buffers[{i}].init");
                let blob = manifest.blobs.iter().find(|x| x.name == *name);
                let blob =
                    blob.ok_or_else(|| JobError::at(&node, format!("no blob named {name:?}")))?;
                compute::Init::Data(fetch(node, &blob.hash, blob.size)?)
            }
        };
        buffers.push(PlanBuffer {
            name: b.name.clone(),
            size: b.size,
            init,
        });
    }
    let names = Names {
        modules: manifest
            .modules
            .iter()
            .enumerate()
            .map(|(i, m)| (m.name.as_str(), i))
            .collect(),
        buffers: manifest
            .buffers
            .iter()
            .enumerate()
            .map(|(i, b)| (b.name.as_str(), i))
            .collect(),
        programs: &programs,
        unused: &unused,
        sizes: buffers.iter().map(|b| b.size).collect(),
        groups: device.limits.groups,
    };
    let mut steps = Vec::new();
    for (i, step) in manifest.graph.iter().enumerate() {
        steps.push(names.step(&format!("graph[{i}]"), step)?);
    }
    let mut checkpoints = Vec::new();
    for (i, c) in manifest.checkpoints.iter().enumerate() {
        let node = format!("checkpoints[{i}]");
        let at: Result<Vec<usize>, JobError> =
            c.buffers.iter().map(|b| names.buffer(&node, b)).collect();
        checkpoints.push((c.after as usize, at?));
    }
    let mut outputs = Vec::new();
    for (i, o) in manifest.outputs.iter().enumerate() {
        outputs.push(names.buffer(&format!("outputs[{i}]"), &o.buffer)?);
    }
    let wall_ms = manifest.limits.wall_ms;
    Ok(Compiled {
        plan: Plan {
            programs,
            buffers,
            steps,
            checkpoints,
            outputs,
            budget,
            wall_ms,
        },
        kernels,
    })
}

/// The budget on `device`, and whether loops need the canary there.
///
/// A driver that leaves loops silently counts the iterations of a whole lane group. Below limit / lanes no invocation
/// can get there; above, each loop must prove that it ended by itself.
fn budget(manifest: &Manifest, device: &DeviceInfo) -> (u32, bool) {
    let asked = manifest.limits.ops_per_invocation;
    match device.limits.silent_loop_limit {
        None => (asked, false),
        Some(limit) => {
            let budget = asked.min(LAVAPIPE_OPS).min(limit);
            (budget, budget > limit / device.limits.subgroup_size.max(1))
        }
    }
}

struct Names<'a> {
    modules: BTreeMap<&'a str, usize>,
    buffers: BTreeMap<&'a str, usize>,
    programs: &'a [Program],
    unused: &'a [Vec<u32>],
    sizes: Vec<u64>,
    groups: [u32; 3],
}

impl Names<'_> {
    fn buffer(&self, node: &str, name: &str) -> Result<usize, JobError> {
        let found = self.buffers.get(name).copied();
        found.ok_or_else(|| JobError::at(node, format!("no buffer named {name:?}")))
    }

    fn step(&self, node: &str, step: &Step) -> Result<compute::Step, JobError> {
        Ok(match step {
            Step::Dispatch(d) => self.dispatch(&format!("{node}.dispatch"), d)?,
            Step::Copy(c) => compute::Step::Copy {
                src: self.buffer(node, &c.src)?,
                src_offset: c.src_offset,
                dst: self.buffer(node, &c.dst)?,
                dst_offset: c.dst_offset,
                size: c.size,
            },
            Step::Fill(f) => compute::Step::Fill {
                buffer: self.buffer(node, &f.buffer)?,
                offset: f.offset,
                size: f.size,
                value: f.value,
            },
            Step::Repeat(r) => {
                let counter = match &r.counter {
                    Some(c) => Some((self.buffer(node, &c.buffer)?, c.offset)),
                    None => None,
                };
                let mut body = Vec::new();
                for (j, step) in r.body.iter().enumerate() {
                    body.push(self.step(&format!("{node}.repeat.body[{j}]"), step)?);
                }
                compute::Step::Repeat {
                    times: r.times,
                    counter,
                    body,
                }
            }
        })
    }

    fn dispatch(&self, node: &str, d: &Dispatch) -> Result<compute::Step, JobError> {
        let at = self.modules.get(d.module.as_str()).copied();
        let program =
            at.ok_or_else(|| JobError::at(node, format!("no module named {:?}", d.module)))?;
        let kernel = &self.programs[program];
        let invocations = d
            .groups
            .iter()
            .chain(&kernel.workgroup)
            .fold(1u64, |p, n| p.saturating_mul(u64::from(*n)));
        if invocations > MAX_INVOCATIONS {
            return Err(JobError::at(
                format!("{node}.groups"),
                format!("expected at most {MAX_INVOCATIONS} invocations, got {invocations}"),
            ));
        }
        for axis in 0..3 {
            if d.groups[axis] > self.groups[axis] {
                return Err(JobError::at(
                    format!("{node}.groups[{axis}]"),
                    format!(
                        "the device has at most {}, got {}",
                        self.groups[axis], d.groups[axis]
                    ),
                ));
            }
        }
        let mut bindings = Vec::new();
        for (i, b) in d.bindings.iter().enumerate() {
            let node = format!("{node}.bindings[{i}]");
            let buffer = self.buffer(&node, &b.buffer)?;
            if self.unused[program].contains(&b.binding) {
                continue;
            }
            let Some(declared) = kernel.bindings.iter().find(|k| k.binding == b.binding) else {
                return Err(JobError::at(
                    node,
                    format!("module {:?} declares no binding {}", d.module, b.binding),
                ));
            };
            let (mine, theirs) = (b.access != Access::Read, declared.writable);
            if mine != theirs {
                let word = |w| if w { "read_write" } else { "read" };
                return Err(JobError::at(
                    format!("{node}.access"),
                    format!(
                        "the module declares {}, the manifest {}",
                        word(theirs),
                        word(mine)
                    ),
                ));
            }
            let size = self.sizes[buffer];
            if size < declared.min_bytes {
                return Err(JobError::at(
                    node,
                    format!(
                        "the module needs {} bytes, buffer {:?} has {size}",
                        declared.min_bytes, b.buffer
                    ),
                ));
            }
            if declared.uniform && size > MAX_UNIFORM_BYTES {
                return Err(JobError::at(
                    node,
                    format!(
                        "a uniform buffer has at most {MAX_UNIFORM_BYTES} bytes, {:?} has {size}",
                        b.buffer
                    ),
                ));
            }
            bindings.push((b.binding, buffer));
        }
        if let Some(missing) = kernel
            .bindings
            .iter()
            .find(|k| bindings.iter().all(|(n, _)| *n != k.binding))
        {
            return Err(JobError::at(
                format!("{node}.bindings"),
                format!(
                    "module {:?} uses binding {}, which has no buffer",
                    d.module, missing.binding
                ),
            ));
        }
        Ok(compute::Step::Dispatch {
            program,
            groups: d.groups,
            bindings,
        })
    }
}
