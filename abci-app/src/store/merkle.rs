//! RFC-6962 merkle trees as CometBFT and the SDK build them.
//!
//! Source: CometBFT `crypto/merkle`, SDK `store/types/commit_info.go`.

use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// SHA-256.
pub fn sha256(bytes: impl AsRef<[u8]>) -> Hash {
    Sha256::digest(bytes).into()
}

fn leaf(bytes: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(bytes)
        .finalize()
        .into()
}

fn inner(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The root over `leaves`, in order; SHA-256 of nothing when there are none.
pub fn root(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => sha256([]),
        [one] => leaf(one),
        many => {
            // The largest power of two below the length.
            let split = 1 << (usize::BITS - 1 - (many.len() - 1).leading_zeros());
            inner(&root(&many[..split]), &root(&many[split..]))
        }
    }
}

/// The SDK's root of a map of names to roots: leaves are `len(name) name 32 sha256(root)`, sorted by name.
pub fn map_root(entries: &[(&str, Hash)]) -> Hash {
    let mut sorted: Vec<_> = entries.to_vec();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    let leaves: Vec<_> = sorted
        .into_iter()
        .map(|(name, hash)| {
            let mut bytes = Vec::with_capacity(name.len() + 34);
            // Every name is shorter than 128 bytes, so its length is one varint byte.
            bytes.push(name.len().to_le_bytes()[0]);
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(32);
            bytes.extend_from_slice(&sha256(hash));
            bytes
        })
        .collect();
    root(&leaves)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tendermint's own implementation is the oracle.
    #[test]
    fn roots_are_tendermints() {
        for n in 0..20u8 {
            let leaves: Vec<Vec<u8>> = (0..n).map(|i| vec![i; usize::from(i)]).collect();
            let want = tendermint::merkle::simple_hash_from_byte_vectors::<
                tendermint::crypto::default::Sha256,
            >(&leaves);
            assert_eq!(root(&leaves), want, "{n} leaves");
        }
    }

    #[test]
    fn a_map_does_not_depend_on_the_order_given() {
        let (a, b) = (("acc", [1; 32]), ("bank", [2; 32]));
        assert_eq!(map_root(&[a, b]), map_root(&[b, a]));
        assert_ne!(
            map_root(&[a, b]),
            map_root(&[("acc", [2; 32]), ("bank", [1; 32])])
        );
    }
}
