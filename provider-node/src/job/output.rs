//! Outputs in the form that the manifest asks for.

use super::manifest::{Format, Output};
use super::{Hash, JobError};

/// One output of a finished job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputData {
    /// The name in the manifest.
    pub name: String,
    /// The name with the extension of its format, fit for a file.
    pub file: String,
    /// The encoded bytes.
    pub bytes: Vec<u8>,
    /// BLAKE3 of `bytes`.
    pub hash: Hash,
}

impl OutputData {
    /// Wraps encoded bytes.
    pub fn new(output: &Output, bytes: Vec<u8>) -> Self {
        Self {
            name: output.name.clone(),
            file: format!("{}.{}", output.name, extension(output.format)),
            hash: Hash::of(&bytes),
            bytes,
        }
    }
}

/// The file extension of a format.
pub fn extension(format: Format) -> &'static str {
    match format {
        Format::Raw => "bin",
        Format::U32 | Format::Ratio => "json",
        Format::PngRgba8(_) => "png",
    }
}

/// Encodes the contents of a buffer.
///
/// # Errors
/// When the buffer has the wrong size for its format; a checked manifest never gets there.
pub fn encode(output: &Output, raw: &[u8]) -> Result<Vec<u8>, JobError> {
    let refuse = |reason: String| JobError::at(format!("output {:?}", output.name), reason);
    let words = || {
        raw.chunks_exact(4)
            .map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]))
    };
    match output.format {
        Format::Raw => Ok(raw.to_vec()),
        Format::U32 => {
            let words: Vec<u32> = words().collect();
            serde_json::to_vec(&words).map_err(|e| refuse(e.to_string()))
        }
        Format::Ratio => match words().collect::<Vec<_>>().as_slice() {
            [n, d] => Ok(format!("{{\"numerator\":{n},\"denominator\":{d}}}").into_bytes()),
            other => Err(refuse(format!("expected 2 words, got {}", other.len()))),
        },
        Format::PngRgba8(picture) => {
            let mut bytes = Vec::new();
            let mut encoder = png::Encoder::new(&mut bytes, picture.width, picture.height);
            encoder.set_color(png::ColorType::Rgba);
            encoder.set_depth(png::BitDepth::Eight);
            let mut writer = encoder.write_header().map_err(|e| refuse(e.to_string()))?;
            writer
                .write_image_data(raw)
                .map_err(|e| refuse(e.to_string()))?;
            writer.finish().map_err(|e| refuse(e.to_string()))?;
            Ok(bytes)
        }
    }
}
