//! What a manifest must be before anything is compiled: names, sizes, bindings, bounds. No device is needed.

use super::JobError;
use super::limits as max;
use super::manifest::{Access, Dispatch, Format, Init, Manifest, Step, VERSION};
use std::collections::BTreeMap;

/// Checks a manifest.
///
/// # Errors
/// The first node at fault.
pub fn check(manifest: &Manifest) -> Result<(), JobError> {
    let m = manifest;
    ensure(m.version == VERSION, "version", || {
        format!("expected {VERSION}, got {}", m.version)
    })?;
    name("name", &m.name)?;
    let modules = names(
        "modules",
        m.modules.iter().map(|x| &x.name),
        1,
        max::MAX_MODULES,
    )?;
    for (i, module) in m.modules.iter().enumerate() {
        range(
            &format!("modules[{i}].size"),
            module.size,
            1,
            crate::kernel::limits::MAX_SOURCE_BYTES as u64,
        )?;
        range(
            &format!("modules[{i}].entry"),
            module.entry.len() as u64,
            1,
            max::MAX_NAME as u64,
        )?;
    }
    let blobs = names("blobs", m.blobs.iter().map(|x| &x.name), 0, max::MAX_BLOBS)?;
    for (i, blob) in m.blobs.iter().enumerate() {
        range(
            &format!("blobs[{i}].size"),
            blob.size,
            1,
            max::MAX_BUFFER_BYTES,
        )?;
    }
    let buffers = names(
        "buffers",
        m.buffers.iter().map(|x| &x.name),
        1,
        max::MAX_BUFFERS,
    )?;
    let mut total = 0;
    for (i, buffer) in m.buffers.iter().enumerate() {
        let node = format!("buffers[{i}]");
        words(&format!("{node}.size"), buffer.size)?;
        range(
            &format!("{node}.size"),
            buffer.size,
            4,
            max::MAX_BUFFER_BYTES,
        )?;
        total += buffer.size;
        if let Init::Blob(blob) = &buffer.init {
            let at = find(&blobs, &format!("{node}.init"), "blob", blob)?;
            let size = m.blobs[at].size;
            ensure(size <= buffer.size, format!("{node}.init"), || {
                format!(
                    "blob {blob:?} has {size} bytes, the buffer only {}",
                    buffer.size
                )
            })?;
        }
    }
    range("buffers (bytes in all)", total, 4, max::MAX_TOTAL_BYTES)?;
    let sizes: Vec<u64> = m.buffers.iter().map(|b| b.size).collect();
    graph(
        &Names {
            modules,
            buffers: &buffers,
            sizes: &sizes,
        },
        &m.graph,
    )?;
    count("checkpoints", m.checkpoints.len(), 0, max::MAX_CHECKPOINTS)?;
    for (i, checkpoint) in m.checkpoints.iter().enumerate() {
        let node = format!("checkpoints[{i}]");
        ensure(
            (checkpoint.after as usize) < m.graph.len(),
            format!("{node}.after"),
            || {
                format!(
                    "expected a step of 0 to {}, got {}",
                    m.graph.len() - 1,
                    checkpoint.after
                )
            },
        )?;
        ensure(
            i == 0 || m.checkpoints[i - 1].after < checkpoint.after,
            format!("{node}.after"),
            || "expected rising step indices".into(),
        )?;
        count(
            &format!("{node}.buffers"),
            checkpoint.buffers.len(),
            1,
            max::MAX_BUFFERS,
        )?;
        for (j, buffer) in checkpoint.buffers.iter().enumerate() {
            find(&buffers, &format!("{node}.buffers[{j}]"), "buffer", buffer)?;
        }
    }
    names(
        "outputs",
        m.outputs.iter().map(|x| &x.name),
        1,
        max::MAX_OUTPUTS,
    )?;
    let mut bytes = 0;
    for (i, output) in m.outputs.iter().enumerate() {
        let at = find(
            &buffers,
            &format!("outputs[{i}].buffer"),
            "buffer",
            &output.buffer,
        )?;
        bytes += sizes[at];
        format_fits(&format!("outputs[{i}].format"), output.format, sizes[at])?;
    }
    range("outputs (bytes in all)", bytes, 4, max::MAX_OUTPUT_BYTES)?;
    range("limits.wall_ms", m.limits.wall_ms, 1, max::MAX_WALL_MS)?;
    range(
        "limits.ops_per_invocation",
        m.limits.ops_per_invocation.into(),
        1,
        max::MAX_OPS.into(),
    )
}

/// Advice that refuses nothing: what will not run on every device.
pub fn advice(manifest: &Manifest) -> Vec<String> {
    let ops = manifest.limits.ops_per_invocation;
    let mut advice = Vec::new();
    if ops > max::LAVAPIPE_OPS {
        advice.push(format!(
            "limits.ops_per_invocation is {ops}; lavapipe serves at most {} loop iterations per invocation, so a kernel \
             that needs more is refused there: split it with repeat",
            max::LAVAPIPE_OPS
        ));
    }
    advice
}

struct Names<'a> {
    modules: BTreeMap<&'a str, usize>,
    buffers: &'a BTreeMap<&'a str, usize>,
    sizes: &'a [u64],
}

fn graph(names: &Names<'_>, steps: &[Step]) -> Result<(), JobError> {
    count("graph", steps.len(), 1, max::MAX_STEPS)?;
    let (mut written, mut run) = (0usize, 0u64);
    for (i, step) in steps.iter().enumerate() {
        let node = format!("graph[{i}]");
        written += 1;
        match step {
            Step::Repeat(repeat) => {
                let node = format!("{node}.repeat");
                range(
                    &format!("{node}.times"),
                    repeat.times.into(),
                    1,
                    max::MAX_REPEAT.into(),
                )?;
                count(
                    &format!("{node}.body"),
                    repeat.body.len(),
                    1,
                    max::MAX_STEPS,
                )?;
                if let Some(counter) = &repeat.counter {
                    let node = format!("{node}.counter");
                    span(names, &node, &counter.buffer, counter.offset, 4)?;
                }
                for (j, step) in repeat.body.iter().enumerate() {
                    single(names, &format!("{node}.body[{j}]"), step)?;
                }
                written += repeat.body.len();
                run += u64::from(repeat.times) * repeat.body.len() as u64;
            }
            _ => {
                single(names, &node, step)?;
                run += 1;
            }
        }
    }
    count("graph (steps in all)", written, 1, max::MAX_STEPS)?;
    range("graph (steps as run)", run, 1, max::MAX_RUN_STEPS)
}

fn single(names: &Names<'_>, node: &str, step: &Step) -> Result<(), JobError> {
    match step {
        Step::Dispatch(d) => dispatch(names, &format!("{node}.dispatch"), d),
        Step::Copy(c) => {
            let node = format!("{node}.copy");
            let src = span(names, &format!("{node}.src"), &c.src, c.src_offset, c.size)?;
            let dst = span(names, &format!("{node}.dst"), &c.dst, c.dst_offset, c.size)?;
            let apart =
                c.src_offset + c.size <= c.dst_offset || c.dst_offset + c.size <= c.src_offset;
            ensure(src != dst || apart, node, || {
                "source and destination overlap".into()
            })
        }
        Step::Fill(f) => {
            span(names, &format!("{node}.fill"), &f.buffer, f.offset, f.size).map(|_| ())
        }
        Step::Repeat(_) => Err(JobError::at(
            node,
            "a repeat inside a repeat; write one loop with more steps",
        )),
    }
}

fn dispatch(names: &Names<'_>, node: &str, d: &Dispatch) -> Result<(), JobError> {
    find(
        &names.modules,
        &format!("{node}.module"),
        "module",
        &d.module,
    )?;
    for (axis, groups) in d.groups.iter().enumerate() {
        range(
            &format!("{node}.groups[{axis}]"),
            (*groups).into(),
            1,
            max::MAX_GROUPS.into(),
        )?;
    }
    let groups: u64 = d
        .groups
        .iter()
        .fold(1, |p, n| p.saturating_mul(u64::from(*n)));
    range(
        &format!("{node}.groups (product)"),
        groups,
        1,
        max::MAX_INVOCATIONS,
    )?;
    count(
        &format!("{node}.bindings"),
        d.bindings.len(),
        0,
        crate::kernel::limits::MAX_BINDINGS,
    )?;
    let mut seen: Vec<(usize, Access)> = Vec::new();
    for (i, binding) in d.bindings.iter().enumerate() {
        let node = format!("{node}.bindings[{i}]");
        let buffer = find(names.buffers, &node, "buffer", &binding.buffer)?;
        ensure(
            d.bindings[..i].iter().all(|b| b.binding != binding.binding),
            &node,
            || format!("binding {} twice", binding.binding),
        )?;
        let alias = seen
            .iter()
            .find(|(b, a)| *b == buffer && (*a != Access::Read || binding.access != Access::Read));
        ensure(alias.is_none(), &node, || {
            format!(
                "buffer {:?} is bound twice and written; use two buffers",
                binding.buffer
            )
        })?;
        seen.push((buffer, binding.access));
    }
    Ok(())
}

fn format_fits(node: &str, format: Format, size: u64) -> Result<(), JobError> {
    match format {
        Format::Raw | Format::U32 => Ok(()),
        Format::Ratio => ensure(size == 8, node, || {
            format!("a ratio is 8 bytes, the buffer has {size}")
        }),
        Format::PngRgba8(p) => {
            range(&format!("{node}.width"), p.width.into(), 1, 16_384)?;
            range(&format!("{node}.height"), p.height.into(), 1, 16_384)?;
            let want = u64::from(p.width) * u64::from(p.height) * 4;
            ensure(want == size, node, || {
                format!(
                    "{} x {} pixels are {want} bytes, the buffer has {size}",
                    p.width, p.height
                )
            })
        }
    }
}

fn ensure(
    ok: bool,
    node: impl Into<String>,
    reason: impl FnOnce() -> String,
) -> Result<(), JobError> {
    if ok {
        Ok(())
    } else {
        Err(JobError::at(node, reason()))
    }
}

fn range(node: &str, got: u64, least: u64, most: u64) -> Result<(), JobError> {
    ensure((least..=most).contains(&got), node, || {
        format!("expected {least} to {most}, got {got}")
    })
}

fn count(node: &str, got: usize, least: usize, most: usize) -> Result<(), JobError> {
    ensure((least..=most).contains(&got), node, || {
        format!("expected {least} to {most} of them, got {got}")
    })
}

fn words(node: &str, bytes: u64) -> Result<(), JobError> {
    ensure(bytes.is_multiple_of(4), node, || {
        format!("expected a multiple of 4, got {bytes}")
    })
}

fn name(node: &str, name: &str) -> Result<(), JobError> {
    let ok = (1..=max::MAX_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        && !name.starts_with('.');
    ensure(ok, node, || {
        format!(
            "expected 1 to {} of A-Z a-z 0-9 _ - . not led by a dot, got {name:?}",
            max::MAX_NAME
        )
    })
}

/// Checks that names have their form and are unique; maps them to their place.
fn names<'a>(
    node: &str,
    list: impl ExactSizeIterator<Item = &'a String>,
    least: usize,
    most: usize,
) -> Result<BTreeMap<&'a str, usize>, JobError> {
    count(node, list.len(), least, most)?;
    let mut map = BTreeMap::new();
    for (i, n) in list.enumerate() {
        name(&format!("{node}[{i}].name"), n)?;
        let first = map.insert(n.as_str(), i);
        ensure(first.is_none(), format!("{node}[{i}].name"), || {
            format!("{n:?} is taken")
        })?;
    }
    Ok(map)
}

fn find(
    map: &BTreeMap<&str, usize>,
    node: &str,
    kind: &str,
    name: &str,
) -> Result<usize, JobError> {
    map.get(name)
        .copied()
        .ok_or_else(|| JobError::at(node, format!("no {kind} named {name:?}")))
}

/// Checks a range of bytes of a buffer; which buffer it is.
fn span(
    names: &Names<'_>,
    node: &str,
    buffer: &str,
    offset: u64,
    size: u64,
) -> Result<usize, JobError> {
    let at = find(names.buffers, node, "buffer", buffer)?;
    words(&format!("{node} offset"), offset)?;
    words(&format!("{node} size"), size)?;
    let have = names.sizes[at];
    let fits = size > 0 && offset.checked_add(size).is_some_and(|end| end <= have);
    ensure(fits, node, || {
        format!("bytes {offset} on, {size} long, do not lie in buffer {buffer:?} of {have}")
    })?;
    Ok(at)
}
