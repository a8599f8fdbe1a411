//! What a kernel may be at most, and what it binds. The numbers are those of profile `portable-1`: the smaller of
//! what lavapipe and SwiftShader have.

use super::KernelError;
use crate::compute::ProgramBinding;
use naga::proc::Layouter;
use naga::valid::ModuleInfo;
use naga::{AddressSpace, Block, Function, Handle, Module, Statement, StorageAccess, TypeInner};

/// Longest source, in bytes.
pub const MAX_SOURCE_BYTES: usize = 256 * 1024;
/// Tenants' binding numbers are below this.
pub const MAX_BINDING: u32 = 32;
/// Most bindings of one kernel.
pub const MAX_BINDINGS: usize = 12;
/// Most invocations of a workgroup.
pub const MAX_WORKGROUP: u64 = 256;
/// Most workgroup memory, in bytes.
pub const MAX_SHARED_BYTES: u64 = 16 * 1024;
/// Most private and local memory of the module, in bytes.
pub const MAX_PRIVATE_BYTES: u64 = 64 * 1024;
/// Most statements and expressions once every call is expanded: what a driver has to compile.
pub const MAX_EXPANDED: u64 = 200_000;

fn at_most(what: &'static str, got: u64, max: u64) -> Result<(), KernelError> {
    if got > max {
        Err(KernelError::TooLarge { what, got, max })
    } else {
        Ok(())
    }
}

/// Checks workgroup size, memory and expanded length.
pub fn check(module: &Module) -> Result<(), KernelError> {
    let entry = &module.entry_points[0];
    let invocations = entry.workgroup_size.iter().map(|n| u64::from(*n)).product();
    at_most("invocations of a workgroup", invocations, MAX_WORKGROUP)?;
    at_most("workgroup size along z", entry.workgroup_size[2].into(), 64)?;
    if !entry.function.arguments.iter().all(|a| {
        matches!(a.binding, Some(naga::Binding::BuiltIn(_)))
            || matches!(module.types[a.ty].inner, TypeInner::Struct { .. })
    }) {
        return Err(KernelError::NotAllowed(
            "entry point arguments other than built-ins".into(),
        ));
    }
    let layouts = layouts(module)?;
    let mut private = 0u64;
    for (_, global) in module.global_variables.iter() {
        if global.space == AddressSpace::Private {
            private += u64::from(layouts[global.ty].size);
        }
    }
    for function in module
        .functions
        .iter()
        .map(|(_, f)| f)
        .chain([&entry.function])
    {
        for (_, local) in function.local_variables.iter() {
            private += u64::from(layouts[local.ty].size);
        }
    }
    at_most(
        "private and local memory in bytes",
        private,
        MAX_PRIVATE_BYTES,
    )?;
    at_most(
        "workgroup memory in bytes",
        shared_bytes(module)?.into(),
        MAX_SHARED_BYTES,
    )?;
    at_most(
        "length with every call expanded",
        expanded(module),
        MAX_EXPANDED,
    )
}

/// Workgroup memory of the module, in bytes.
pub fn shared_bytes(module: &Module) -> Result<u32, KernelError> {
    let layouts = layouts(module)?;
    let sum: u64 = module
        .global_variables
        .iter()
        .filter(|(_, g)| g.space == AddressSpace::WorkGroup)
        .map(|(_, g)| u64::from(layouts[g.ty].size).next_multiple_of(16))
        .sum();
    u32::try_from(sum).map_err(|_| KernelError::TooLarge {
        what: "workgroup memory in bytes",
        got: sum,
        max: MAX_SHARED_BYTES,
    })
}

/// The bindings that the entry point uses, by number, and the numbers of those it declares only.
pub fn bindings(
    module: &Module,
    info: &ModuleInfo,
) -> Result<(Vec<ProgramBinding>, Vec<u32>), KernelError> {
    let layouts = layouts(module)?;
    let (mut found, mut unused) = (Vec::new(), Vec::new());
    for (handle, global) in module.global_variables.iter() {
        if info.get_entry_point(0)[handle].is_empty() {
            unused.extend(global.binding.filter(|b| b.group == 0).map(|b| b.binding));
            continue;
        }
        let name = global.name.as_deref().unwrap_or("a variable");
        let (uniform, writable) = match global.space {
            AddressSpace::Storage { access } => (false, access.contains(StorageAccess::STORE)),
            AddressSpace::Uniform => (true, false),
            AddressSpace::Private | AddressSpace::WorkGroup | AddressSpace::Function => continue,
            other => {
                return Err(KernelError::NotAllowed(format!(
                    "{name} in address space {other:?}"
                )));
            }
        };
        let Some(at) = global.binding else {
            return Err(KernelError::NotAllowed(format!(
                "{name} without @group and @binding"
            )));
        };
        if at.group != 0 || at.binding >= MAX_BINDING {
            return Err(KernelError::NotAllowed(format!(
                "{name} at group {}, binding {}: expected group 0, binding below {MAX_BINDING}",
                at.group, at.binding
            )));
        }
        if found
            .iter()
            .any(|b: &ProgramBinding| b.binding == at.binding)
        {
            return Err(KernelError::NotAllowed(format!(
                "two variables at binding {}",
                at.binding
            )));
        }
        let min_bytes = u64::from(layouts[global.ty].size)
            .max(4)
            .next_multiple_of(4);
        found.push(ProgramBinding {
            binding: at.binding,
            uniform,
            writable,
            min_bytes,
        });
    }
    at_most("bindings", found.len() as u64, MAX_BINDINGS as u64)?;
    found.sort_by_key(|b| b.binding);
    unused.retain(|n| found.iter().all(|b| b.binding != *n));
    Ok((found, unused))
}

fn layouts(module: &Module) -> Result<Layouter, KernelError> {
    let mut layouts = Layouter::default();
    layouts
        .update(module.to_ctx())
        .map_err(|e| KernelError::NotAllowed(format!("a type that has no layout: {e}")))?;
    Ok(layouts)
}

/// Functions come before their callers (naga's validator checks it), so one pass in order is enough.
fn expanded(module: &Module) -> u64 {
    let mut sizes: Vec<u64> = Vec::with_capacity(module.functions.len());
    for (_, function) in module.functions.iter() {
        let size = function_size(function, &sizes);
        sizes.push(size);
    }
    function_size(&module.entry_points[0].function, &sizes)
}

fn function_size(function: &Function, sizes: &[u64]) -> u64 {
    block_size(&function.body, sizes).saturating_add(function.expressions.len() as u64)
}

fn block_size(block: &Block, sizes: &[u64]) -> u64 {
    block.iter().fold(0u64, |sum, statement| {
        let inner = match statement {
            Statement::Block(b) => block_size(b, sizes),
            Statement::If { accept, reject, .. } => {
                block_size(accept, sizes).saturating_add(block_size(reject, sizes))
            }
            Statement::Switch { cases, .. } => cases.iter().fold(0, |sum: u64, c| {
                sum.saturating_add(block_size(&c.body, sizes))
            }),
            Statement::Loop {
                body, continuing, ..
            } => block_size(body, sizes).saturating_add(block_size(continuing, sizes)),
            Statement::Call { function, .. } => callee(*function, sizes),
            _ => 0,
        };
        sum.saturating_add(inner).saturating_add(1)
    })
}

fn callee(function: Handle<Function>, sizes: &[u64]) -> u64 {
    sizes.get(function.index()).copied().unwrap_or(u64::MAX)
}
