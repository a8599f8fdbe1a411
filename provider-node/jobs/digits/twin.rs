//! The digits job in plain Rust: the same network from the same blobs, without a GPU.
//!
//! Every output of [`run`] must equal the job's output of the same name byte for byte. Needs std alone, so that any
//! test can include this file with `#[path]`.

use std::{fs, io, path::Path};

/// Images the job classifies.
pub const IMAGES: usize = 360;
const CLASSES: usize = 10;
const SIDE: usize = 8;
const C1: usize = 16;
const C2: usize = 32;

/// What the job writes, little endian as on the device.
pub struct Outputs {
    /// One u32 an image: the digit seen.
    pub predictions: Vec<u8>,
    /// Two u32: images classified right, images classified.
    pub accuracy: Vec<u8>,
    /// Ten i32 an image.
    pub logits: Vec<u8>,
    /// The numerator of `accuracy`.
    pub right: u32,
}

/// Runs the network over the blobs in `job_dir/data`.
///
/// # Errors
/// When a blob cannot be read or has another size than the job says.
pub fn run(job_dir: &Path) -> io::Result<Outputs> {
    let blob = |name: &str, size: usize| -> io::Result<Vec<u8>> {
        let path = job_dir.join("data").join(name);
        let bytes = fs::read(&path)?;
        if bytes.len() != size {
            let text = format!(
                "{}: expected {size} bytes, got {}",
                path.display(),
                bytes.len()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(bytes)
    };
    let images = blob("images.bin", IMAGES * SIDE * SIDE)?;
    let labels = words(&blob("labels.bin", IMAGES * 4)?);
    let shifts = words(&blob("shifts.bin", 8)?);
    let conv1 = Conv {
        inputs: 1,
        outputs: C1,
        stride: 1,
        row: 12, // nine taps, three zeros
        weights: blob("conv1_weights.bin", C1 * 12)?,
        bias: words(&blob("conv1_bias.bin", C1 * 4)?),
        shift: shifts[0],
    };
    let conv2 = Conv {
        inputs: C1,
        outputs: C2,
        stride: 2,
        row: 9 * C1,
        weights: blob("conv2_weights.bin", C2 * 9 * C1)?,
        bias: words(&blob("conv2_bias.bin", C2 * 4)?),
        shift: shifts[1],
    };
    let dense_weights = blob("dense_weights.bin", CLASSES * 16 * C2)?;
    let dense_bias = words(&blob("dense_bias.bin", CLASSES * 4)?);

    let mut out = Outputs {
        predictions: Vec::new(),
        accuracy: Vec::new(),
        logits: Vec::new(),
        right: 0,
    };
    for (image, label) in images.chunks_exact(SIDE * SIDE).zip(&labels) {
        let flat = conv2.apply(&conv1.apply(image));
        let logits: Vec<i32> = (dense_weights.chunks_exact(flat.len()).zip(&dense_bias))
            .map(|(weights, bias)| *bias + dot(&flat, weights))
            .collect();
        // The first of equal maxima, as the kernel has it.
        let best = (1..CLASSES).fold(0, |best, c| if logits[c] > logits[best] { c } else { best });
        let best = best as i32;
        out.right += u32::from(best == *label);
        out.predictions.extend(best.to_le_bytes());
        logits
            .iter()
            .for_each(|logit| out.logits.extend(logit.to_le_bytes()));
    }
    out.accuracy.extend(out.right.to_le_bytes());
    out.accuracy.extend((IMAGES as u32).to_le_bytes());
    Ok(out)
}

/// A 3x3 convolution over a square image with zero padding, a rounding shift and ReLU to 0..=127.
struct Conv {
    inputs: usize,
    outputs: usize,
    stride: usize,
    /// Bytes of one output channel's weights.
    row: usize,
    /// `[output][tap][input]`, int8.
    weights: Vec<u8>,
    bias: Vec<i32>,
    shift: i32,
}

impl Conv {
    fn apply(&self, image: &[u8]) -> Vec<u8> {
        let side = SIDE;
        let mut out = Vec::new();
        for y in (0..side).step_by(self.stride) {
            for x in (0..side).step_by(self.stride) {
                for channel in 0..self.outputs {
                    let row = &self.weights[channel * self.row..][..self.row];
                    let mut sum = self.bias[channel];
                    for tap in 0..9 {
                        // Shifted by one, so that the padding before the image is at zero.
                        let (px, py) = (x + tap % 3, y + tap / 3);
                        if (1..=side).contains(&px) && (1..=side).contains(&py) {
                            let at = ((py - 1) * side + px - 1) * self.inputs;
                            sum += dot(&image[at..at + self.inputs], &row[tap * self.inputs..]);
                        }
                    }
                    let rounded = (sum + (1 << (self.shift - 1))) >> self.shift;
                    out.push(rounded.clamp(0, 127) as u8);
                }
            }
        }
        out
    }
}

/// Activations are 0..=127, weights int8: no sum in this network leaves an i32.
fn dot(values: &[u8], weights: &[u8]) -> i32 {
    values
        .iter()
        .zip(weights)
        .map(|(v, w)| i32::from(*v) * i32::from(*w as i8))
        .sum()
}

fn words(bytes: &[u8]) -> Vec<i32> {
    bytes
        .chunks_exact(4)
        .map(|w| i32::from_le_bytes([w[0], w[1], w[2], w[3]]))
        .collect()
}
