//! RFC-6962 merkle trees as CometBFT and the SDK build them.
//!
//! Source: CometBFT `crypto/merkle`, SDK `store/types/commit_info.go`.

use ics23::{CommitmentProof, ExistenceProof, InnerOp, commitment_proof};
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
            let (left, right) = many.split_at(split(many.len()));
            inner(&root(left), &root(right))
        }
    }
}

/// The hashes beside the way from a leaf to the root, lowest first; `true` for those on the left.
fn aunts(leaves: &[Vec<u8>], at: usize) -> Vec<(bool, Hash)> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut way, aunt) = match at.checked_sub(left.len()) {
        None => (aunts(left, at), (false, root(right))),
        Some(at) => (aunts(right, at), (true, root(left))),
    };
    way.push(aunt);
    way
}

/// The largest power of two below `len`, which is at least 2.
const fn split(len: usize) -> usize {
    1 << (usize::BITS - 1 - (len - 1).leading_zeros())
}

/// The leaves of a map: `len(name) name 32 sha256(root)`, sorted by name.
fn map_leaves(entries: &[(&str, Hash)]) -> Vec<Vec<u8>> {
    let mut sorted: Vec<_> = entries.to_vec();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    sorted
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
        .collect()
}

/// The SDK's root of a map of names to roots.
pub fn map_root(entries: &[(&str, Hash)]) -> Hash {
    root(&map_leaves(entries))
}

/// Proves the root of one name under [`map_root`], to ICS-23's `tendermint_spec`. `None` when the name is not there.
pub fn map_proof(entries: &[(&str, Hash)], name: &str) -> Option<CommitmentProof> {
    let (_, value) = entries.iter().find(|(n, _)| *n == name)?;
    let at = entries.iter().filter(|(n, _)| *n < name).count();
    let path = aunts(&map_leaves(entries), at)
        .into_iter()
        .map(|(on_the_left, hash)| {
            let (mut prefix, mut suffix) = (vec![1], Vec::new());
            if on_the_left {
                &mut prefix
            } else {
                &mut suffix
            }
            .extend_from_slice(&hash);
            InnerOp {
                hash: ics23::HashOp::Sha256.into(),
                prefix,
                suffix,
            }
        })
        .collect();
    Some(CommitmentProof {
        proof: Some(commitment_proof::Proof::Exist(ExistenceProof {
            key: name.as_bytes().to_vec(),
            value: value.to_vec(),
            leaf: ics23::tendermint_spec().leaf_spec,
            path,
        })),
    })
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
