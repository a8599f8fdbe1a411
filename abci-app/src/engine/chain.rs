//! Blocks, commits and hashes, as CometBFT v0.38 makes them.

use super::keys::{Key, address_of};
use prost::Message;
use sha2::{Digest, Sha256};
use tendermint::{crypto::default::Sha256 as Hasher, merkle::simple_hash_from_byte_vectors};
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{
        abci::{CommitInfo, ExecTxResult, Validator as AbciValidator, ValidatorUpdate, VoteInfo},
        crypto::{Proof, PublicKey, public_key::Sum},
        types::{
            Block, BlockId, BlockIdFlag, CanonicalBlockId, CanonicalPartSetHeader, CanonicalVote,
            Commit, CommitSig, ConsensusParams, Data, EvidenceList, HashedParams, Header,
            PartSetHeader, SignedMsgType, SimpleValidator, TxProof, Validator, ValidatorSet,
        },
        version::Consensus,
    },
};

/// Bytes in one part of a block.
const PART_BYTES: usize = 65_536;
/// Go's zero time, which an absent vote carries.
const ZERO_TIME: Timestamp = Timestamp {
    seconds: -62_135_596_800,
    nanos: 0,
};

/// What the engine knows after a block; saved with the block.
#[derive(Clone, PartialEq, Message)]
pub struct State {
    /// The chain.
    #[prost(string, tag = "1")]
    pub chain_id: String,
    /// Height of the first block.
    #[prost(int64, tag = "2")]
    pub initial_height: i64,
    /// Height of the last block; 0 before the first.
    #[prost(int64, tag = "3")]
    pub height: i64,
    /// Its id.
    #[prost(message, optional, tag = "4")]
    pub last_block_id: Option<BlockId>,
    /// Its header time, or genesis time.
    #[prost(message, optional, tag = "5")]
    pub last_time: Option<Timestamp>,
    /// The application's hash after it.
    #[prost(bytes = "vec", tag = "6")]
    pub app_hash: Vec<u8>,
    /// Hash of its results.
    #[prost(bytes = "vec", tag = "7")]
    pub last_results_hash: Vec<u8>,
    /// Validators of the block.
    #[prost(message, required, tag = "8")]
    pub last_validators: ValidatorSet,
    /// Validators of the next block.
    #[prost(message, required, tag = "9")]
    pub validators: ValidatorSet,
    /// Validators of the one after.
    #[prost(message, required, tag = "10")]
    pub next_validators: ValidatorSet,
    /// Parameters of the next block.
    #[prost(message, required, tag = "11")]
    pub params: ConsensusParams,
    /// The application's protocol version.
    #[prost(uint64, tag = "12")]
    pub app_version: u64,
}

impl State {
    /// Height of the block to make.
    pub fn next_height(&self) -> i64 {
        if self.height == 0 {
            self.initial_height
        } else {
            self.height + 1
        }
    }
}

/// Merkle root of `items` (RFC 6962).
pub fn merkle<T: AsRef<[u8]>>(items: &[T]) -> Vec<u8> {
    simple_hash_from_byte_vectors::<Hasher>(items).to_vec()
}

/// The hash that clients know a transaction by.
pub fn tx_hash(tx: &[u8]) -> [u8; 32] {
    Sha256::digest(tx).into()
}

/// Root over the transactions of a block.
pub fn data_hash<T: AsRef<[u8]>>(txs: &[T]) -> Vec<u8> {
    merkle(&txs.iter().map(|t| tx_hash(t.as_ref())).collect::<Vec<_>>())
}

/// Root over what of the results is deterministic.
pub fn results_hash(results: &[ExecTxResult]) -> Vec<u8> {
    let leaves: Vec<_> = results
        .iter()
        .map(|r| {
            ExecTxResult {
                code: r.code,
                data: r.data.clone(),
                gas_wanted: r.gas_wanted,
                gas_used: r.gas_used,
                ..ExecTxResult::default()
            }
            .encode_to_vec()
        })
        .collect();
    merkle(&leaves)
}

/// Root over a validator set.
pub fn validators_hash(set: &ValidatorSet) -> Vec<u8> {
    let leaves: Vec<_> = set
        .validators
        .iter()
        .map(|v| {
            SimpleValidator {
                pub_key: v.pub_key.clone(),
                voting_power: v.voting_power,
            }
            .encode_to_vec()
        })
        .collect();
    merkle(&leaves)
}

/// Hash of the parameters that light clients care for.
pub fn params_hash(params: &ConsensusParams) -> Vec<u8> {
    let block = params.block.unwrap_or_default();
    let hashed = HashedParams {
        block_max_bytes: block.max_bytes,
        block_max_gas: block.max_gas,
    };
    Sha256::digest(hashed.encode_to_vec()).to_vec()
}

/// Root over the votes of a commit.
pub fn commit_hash(commit: &Commit) -> Vec<u8> {
    let leaves: Vec<_> = commit
        .signatures
        .iter()
        .map(Message::encode_to_vec)
        .collect();
    merkle(&leaves)
}

/// Hash of a header; empty when a field is missing that every header has.
pub fn header_hash(header: &Header) -> Vec<u8> {
    tendermint::block::Header::try_from(header.clone())
        .map(|h| h.hash().as_bytes().to_vec())
        .unwrap_or_default()
}

/// The id of a block: its header's hash and the root over its parts.
pub fn block_id(block: &Block) -> BlockId {
    let bytes = block.encode_to_vec();
    let parts: Vec<_> = bytes.chunks(PART_BYTES).collect();
    BlockId {
        hash: header_hash(block.header.as_ref().unwrap_or(&Header::default())),
        part_set_header: Some(PartSetHeader {
            total: u32::try_from(parts.len()).unwrap_or(u32::MAX),
            hash: merkle(&parts),
        }),
    }
}

/// The block after `state`.
pub fn make_block(
    state: &State,
    time: Timestamp,
    txs: Vec<Vec<u8>>,
    last_commit: Commit,
    proposer: [u8; 20],
) -> Block {
    Block {
        header: Some(Header {
            version: Some(Consensus {
                block: 11,
                app: state.app_version,
            }),
            chain_id: state.chain_id.clone(),
            height: state.next_height(),
            time: Some(time),
            last_block_id: Some(state.last_block_id.clone().unwrap_or_else(no_block_id)),
            last_commit_hash: commit_hash(&last_commit),
            data_hash: data_hash(&txs),
            validators_hash: validators_hash(&state.validators),
            next_validators_hash: validators_hash(&state.next_validators),
            consensus_hash: params_hash(&state.params),
            app_hash: state.app_hash.clone(),
            last_results_hash: state.last_results_hash.clone(),
            evidence_hash: merkle::<&[u8]>(&[]),
            proposer_address: proposer.to_vec(),
        }),
        data: Some(Data { txs }),
        evidence: Some(EvidenceList::default()),
        last_commit: Some(last_commit),
    }
}

/// The id before the first block, as Go encodes it.
pub fn no_block_id() -> BlockId {
    BlockId {
        hash: Vec::new(),
        part_set_header: Some(PartSetHeader::default()),
    }
}

/// The commit before the first block.
pub fn no_commit() -> Commit {
    Commit {
        height: 0,
        round: 0,
        block_id: Some(no_block_id()),
        signatures: Vec::new(),
    }
}

/// The precommits of `validators` on a block, of which `key` signs its own.
pub fn sign_commit(
    key: &Key,
    chain_id: &str,
    height: i64,
    id: &BlockId,
    time: Timestamp,
    validators: &ValidatorSet,
) -> Commit {
    let signature = key.sign(&sign_bytes(chain_id, height, id, time));
    let address = key.address();
    let signatures = validators
        .validators
        .iter()
        .map(|v| {
            if v.address == address {
                CommitSig {
                    block_id_flag: BlockIdFlag::Commit as i32,
                    validator_address: address.to_vec(),
                    timestamp: Some(time),
                    signature: signature.to_vec(),
                }
            } else {
                CommitSig {
                    block_id_flag: BlockIdFlag::Absent as i32,
                    validator_address: Vec::new(),
                    timestamp: Some(ZERO_TIME),
                    signature: Vec::new(),
                }
            }
        })
        .collect();
    Commit {
        height,
        round: 0,
        block_id: Some(id.clone()),
        signatures,
    }
}

/// What a precommit of round 0 signs.
pub fn sign_bytes(chain_id: &str, height: i64, id: &BlockId, time: Timestamp) -> Vec<u8> {
    let parts = id.part_set_header.clone().unwrap_or_default();
    CanonicalVote {
        r#type: SignedMsgType::Precommit as i32,
        height,
        round: 0,
        block_id: Some(CanonicalBlockId {
            hash: id.hash.clone(),
            part_set_header: Some(CanonicalPartSetHeader {
                total: parts.total,
                hash: parts.hash,
            }),
        }),
        timestamp: Some(time),
        chain_id: chain_id.into(),
    }
    .encode_length_delimited_to_vec()
}

/// What the application is told about the votes on the last block.
pub fn commit_info(commit: &Commit, validators: &ValidatorSet) -> CommitInfo {
    CommitInfo {
        round: commit.round,
        votes: commit
            .signatures
            .iter()
            .zip(&validators.validators)
            .map(|(sig, v)| VoteInfo {
                validator: Some(AbciValidator {
                    address: v.address.clone().into(),
                    power: v.voting_power,
                }),
                block_id_flag: sig.block_id_flag,
            })
            .collect(),
    }
}

/// An ed25519 public key of the wire.
pub fn ed25519(public: &[u8]) -> PublicKey {
    PublicKey {
        sum: Some(Sum::Ed25519(public.to_vec())),
    }
}

/// The bytes of an ed25519 public key.
pub fn ed25519_bytes(key: Option<&PublicKey>) -> Option<&[u8]> {
    match key?.sum.as_ref()? {
        Sum::Ed25519(bytes) => Some(bytes),
        Sum::Secp256k1(_) => None,
    }
}

/// `set` with `updates`: power 0 removes. The order is CometBFT's: power descending, then address.
///
/// # Errors
/// A key that is not ed25519, a negative power, an unknown removal, or an empty set; as text.
pub fn update_validators(
    set: &ValidatorSet,
    updates: &[ValidatorUpdate],
) -> Result<ValidatorSet, String> {
    let mut validators = set.validators.clone();
    for update in updates {
        let key = ed25519_bytes(update.pub_key.as_ref()).ok_or("a key that is not ed25519")?;
        let address = address_of(key).to_vec();
        let known = validators.iter().position(|v| v.address == address);
        match (update.power, known) {
            (..0, _) => return Err(format!("power {}", update.power)),
            (0, Some(at)) => {
                validators.remove(at);
            }
            (0, None) => {
                return Err(format!(
                    "the removal of the unknown validator {}",
                    hex::encode_upper(address)
                ));
            }
            (power, Some(at)) => validators[at].voting_power = power,
            (power, None) => validators.push(Validator {
                address,
                pub_key: Some(ed25519(key)),
                voting_power: power,
                proposer_priority: 0,
            }),
        }
    }
    if validators.is_empty() {
        return Err("no validator".into());
    }
    validators.sort_by(|a, b| {
        b.voting_power
            .cmp(&a.voting_power)
            .then_with(|| a.address.cmp(&b.address))
    });
    Ok(ValidatorSet {
        proposer: validators.first().cloned(),
        total_voting_power: validators.iter().map(|v| v.voting_power).sum(),
        validators,
    })
}

/// `params` with the sub-messages of `update` that are set.
pub fn update_params(
    params: &ConsensusParams,
    update: Option<&ConsensusParams>,
) -> ConsensusParams {
    let mut out = params.clone();
    if let Some(u) = update {
        out.block = u.block.or(out.block);
        out.evidence = u.evidence.or(out.evidence);
        out.validator = u.validator.clone().or(out.validator);
        out.version = u.version.or(out.version);
        out.abci = u.abci.or(out.abci);
    }
    out
}

/// The proof that transaction `index` is in a block.
pub fn tx_proof<T: AsRef<[u8]>>(txs: &[T], index: usize) -> Option<TxProof> {
    let leaves: Vec<_> = txs.iter().map(|t| leaf(&tx_hash(t.as_ref()))).collect();
    let mut aunts = Vec::new();
    let root = subtree(&leaves, index, &mut aunts);
    Some(TxProof {
        root_hash: root.to_vec(),
        data: txs.get(index)?.as_ref().to_vec(),
        proof: Some(Proof {
            total: i64::try_from(txs.len()).ok()?,
            index: i64::try_from(index).ok()?,
            leaf_hash: leaves.get(index)?.to_vec(),
            aunts,
        }),
    })
}

fn leaf(data: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update([0])
        .chain_update(data)
        .finalize()
        .into()
}

/// Root of `leaves`; the siblings of the path to `index` go to `aunts`, lowest first.
fn subtree(leaves: &[[u8; 32]], index: usize, aunts: &mut Vec<Vec<u8>>) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(split);
            let (l, r) = if index < split {
                let l = subtree(left, index, aunts);
                let r = subtree(right, usize::MAX, &mut Vec::new());
                aunts.push(r.to_vec());
                (l, r)
            } else {
                let l = subtree(left, usize::MAX, &mut Vec::new());
                let r = subtree(right, index.wrapping_sub(split), aunts);
                aunts.push(l.to_vec());
                (l, r)
            };
            Sha256::new()
                .chain_update([1])
                .chain_update(l)
                .chain_update(r)
                .finalize()
                .into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A proof leads from its leaf to the root that tendermint's own merkle tree has.
        #[test]
        fn proofs_lead_to_the_root(n in 1usize..40, pick in any::<prop::sample::Index>()) {
            let txs: Vec<Vec<u8>> = (0..n).map(|i| vec![i as u8; i + 1]).collect();
            let index = pick.index(n);
            let proof = tx_proof(&txs, index).unwrap();
            prop_assert_eq!(&proof.root_hash, &data_hash(&txs));
            let p: tendermint::merkle::Proof = proof.proof.unwrap().try_into().unwrap();
            prop_assert_eq!(p.aunts.len(), depth(n, index));
        }
    }

    fn depth(n: usize, index: usize) -> usize {
        if n == 1 {
            return 0;
        }
        let split = n.next_power_of_two() / 2;
        1 + if index < split {
            depth(split, index)
        } else {
            depth(n - split, index - split)
        }
    }

    #[test]
    fn validator_updates() {
        let one = |k: u8, power| ValidatorUpdate {
            pub_key: Some(ed25519(&[k; 32])),
            power,
        };
        let set = update_validators(&ValidatorSet::default(), &[one(1, 5), one(2, 9)]).unwrap();
        assert_eq!(set.validators[0].voting_power, 9);
        let set = update_validators(&set, &[one(1, 10), one(2, 0)]).unwrap();
        assert_eq!((set.validators.len(), set.total_voting_power), (1, 10));
        assert!(update_validators(&set, &[one(1, 0)]).is_err());
        assert!(update_validators(&set, &[one(7, 0)]).is_err());
        assert!(update_validators(&set, &[one(1, -1)]).is_err());
    }
}
