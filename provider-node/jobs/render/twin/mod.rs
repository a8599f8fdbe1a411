//! The render job in plain Rust: the same operations in the same order, so the same picture bit for bit.
//!
//! Function by function these are `kernels/trace.wgsl`, `bloom.wgsl` and `tone.wgsl`; read them side by side. Only
//! `+ - *`, comparisons, conversions and bit operations touch an `f32`, because only those are exact on every device.
//! What the kernels compute for every invocation and then drop is computed here only where it is used. Needs std
//! alone, so that any test can include this file with `#[path]`.

mod math;
mod post;
mod scene;
mod trace;

use std::{fs, io, path::Path};

/// Pixels across.
pub const WIDTH: usize = 640;
/// Pixels down.
pub const HEIGHT: usize = 360;
/// Renders the job in `dir`: RGBA bytes, row by row from the top.
///
/// # Errors
/// When a blob cannot be read or has another size than the job says.
pub fn render(dir: &Path) -> io::Result<Vec<u8>> {
    let scene = scene::Scene::new(&words(dir, "scene.bin", 408)?);
    let tone = words(dir, "tone.bin", 2048)?;
    let narrow = words(dir, "narrow.bin", 28)?;
    let wide = words(dir, "wide.bin", 28)?;
    let sums = trace::trace(&scene);
    let bright = post::gather(&sums);
    let narrow = post::down(&post::across(&bright, &narrow), &narrow);
    let wide = post::down(&post::across(&bright, &wide), &wide);
    Ok((0..HEIGHT * WIDTH)
        .flat_map(|at| post::encode_pixel(at, &sums, &narrow, &wide, &tone))
        .collect())
}

fn words(dir: &Path, name: &str, count: usize) -> io::Result<Vec<u32>> {
    let path = dir.join("data").join(name);
    let bytes = fs::read(&path)?;
    if bytes.len() != count * 4 {
        let text = format!(
            "{}: expected {} bytes, got {}",
            path.display(),
            count * 4,
            bytes.len()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(bytes
        .chunks_exact(4)
        .map(|w| u32::from_le_bytes([w[0], w[1], w[2], w[3]]))
        .collect())
}
