//! Packed code.

use flate2::read::GzDecoder;
use std::io::{self, Read};

/// Unpacking costs 15 gas per 100 bytes of gzip, as in wasmd.
const PER_100_BYTES: u64 = 15;

/// Whether `bytes` start as gzip does.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1f\x8b\x08")
}

/// The gas of unpacking so many bytes of gzip.
pub const fn cost(bytes: usize) -> u64 {
    (bytes as u64).saturating_mul(PER_100_BYTES) / 100
}

/// Unpack one gzip member of at most `limit` bytes.
///
/// # Errors
/// When it is none, or more.
pub fn unpack(gzip: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    GzDecoder::new(gzip)
        .take(limit as u64 + 1)
        .read_to_end(&mut out)?;
    if out.len() > limit {
        return Err(io::Error::other(format!(
            "max {limit} bytes: exceeds limit"
        )));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut e = GzEncoder::new(Vec::new(), Compression::best());
        e.write_all(bytes).unwrap();
        e.finish().unwrap()
    }

    #[test]
    fn a_gzip_bomb_is_stopped_at_the_limit() {
        assert_eq!(unpack(&pack(&[7; 1000]), 1000).unwrap(), vec![7; 1000]);
        let bomb = pack(&vec![0; 50_000_000]);
        assert!(bomb.len() < 800 * 1024 && is_gzip(&bomb));
        let e = unpack(&bomb, 800 * 1024).unwrap_err();
        assert!(e.to_string().contains("exceeds limit"));
        assert!(unpack(&pack(b"x")[..12], 10).is_err(), "cut short");
        assert_eq!((cost(1), cost(20)), (0, 3));
    }
}
