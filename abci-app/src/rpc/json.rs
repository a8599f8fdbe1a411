//! Protobuf to JSON, as CometBFT prints it: 64-bit integers are strings, hashes upper-case hex, bytes base64.

use crate::engine::{
    bus::{Event as BusEvent, Kind},
    chain::{ed25519_bytes, header_hash},
    keys::pub_key_json,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use prost::Message;
use serde_json::{Value, json};
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{
        abci::{
            Event, ExecTxResult, ResponseCheckTx, ResponseFinalizeBlock, ResponseInfo,
            ResponseQuery, ValidatorUpdate,
        },
        crypto::PublicKey,
        types::{Block, BlockId, Commit, ConsensusParams, Header, TxProof, Validator},
    },
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Bytes as base64.
pub fn b64(bytes: impl AsRef<[u8]>) -> Value {
    STANDARD.encode(bytes).into()
}

/// Bytes as base64; none as null.
pub fn b64_or_null(bytes: impl AsRef<[u8]>) -> Value {
    if bytes.as_ref().is_empty() {
        Value::Null
    } else {
        b64(bytes)
    }
}

/// Bytes as upper-case hex.
pub fn hex(bytes: impl AsRef<[u8]>) -> Value {
    hex::encode_upper(bytes).into()
}

/// An integer as a string.
pub fn int(n: impl ToString) -> Value {
    n.to_string().into()
}

/// RFC 3339 with as many digits as there are; Go's zero time for none.
pub fn time(t: Option<&Timestamp>) -> Value {
    let zero = || Value::from("0001-01-01T00:00:00Z");
    let Some(t) = t else { return zero() };
    let nanos = i128::from(t.seconds) * 1_000_000_000 + i128::from(t.nanos);
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|d| d.format(&Rfc3339).ok())
        .map_or_else(zero, Value::from)
}

/// A block id.
pub fn block_id(id: Option<&BlockId>) -> Value {
    let id = id.cloned().unwrap_or_default();
    let parts = id.part_set_header.unwrap_or_default();
    json!({ "hash": hex(id.hash), "parts": { "total": parts.total, "hash": hex(parts.hash) } })
}

/// A header.
pub fn header(h: &Header) -> Value {
    let version = h.version.unwrap_or_default();
    let mut v = json!({ "block": int(version.block) });
    if version.app != 0 {
        v["app"] = int(version.app);
    }
    json!({
        "version": v,
        "chain_id": h.chain_id,
        "height": int(h.height),
        "time": time(h.time.as_ref()),
        "last_block_id": block_id(h.last_block_id.as_ref()),
        "last_commit_hash": hex(&h.last_commit_hash),
        "data_hash": hex(&h.data_hash),
        "validators_hash": hex(&h.validators_hash),
        "next_validators_hash": hex(&h.next_validators_hash),
        "consensus_hash": hex(&h.consensus_hash),
        "app_hash": hex(&h.app_hash),
        "last_results_hash": hex(&h.last_results_hash),
        "evidence_hash": hex(&h.evidence_hash),
        "proposer_address": hex(&h.proposer_address),
    })
}

/// A commit.
pub fn commit(c: &Commit) -> Value {
    let signatures: Vec<_> = c
        .signatures
        .iter()
        .map(|s| {
            json!({
                "block_id_flag": s.block_id_flag,
                "validator_address": hex(&s.validator_address),
                "timestamp": time(s.timestamp.as_ref()),
                "signature": b64_or_null(&s.signature),
            })
        })
        .collect();
    json!({
        "height": int(c.height),
        "round": c.round,
        "block_id": block_id(c.block_id.as_ref()),
        "signatures": signatures,
    })
}

/// A block.
pub fn block(b: &Block) -> Value {
    let txs: Vec<_> = b.data.iter().flat_map(|d| &d.txs).map(b64).collect();
    json!({
        "header": header(b.header.as_ref().unwrap_or(&Header::default())),
        "data": { "txs": txs },
        "evidence": { "evidence": [] },
        "last_commit": b.last_commit.as_ref().map(commit),
    })
}

/// What `blockchain` lists of a block.
pub fn block_meta(b: &Block, id: Option<&BlockId>) -> Value {
    json!({
        "block_id": block_id(id),
        "block_size": int(b.encoded_len()),
        "header": header(b.header.as_ref().unwrap_or(&Header::default())),
        "num_txs": int(b.data.as_ref().map_or(0, |d| d.txs.len())),
    })
}

/// A block's hash, from its header.
pub fn hash_of(b: &Block) -> Value {
    hex(b.header.as_ref().map(header_hash).unwrap_or_default())
}

/// Events.
pub fn events(list: &[Event]) -> Value {
    list.iter()
        .map(|e| {
            let attributes: Vec<_> = e
                .attributes
                .iter()
                .map(|a| json!({ "key": a.key, "value": a.value, "index": a.index }))
                .collect();
            json!({ "type": e.r#type, "attributes": attributes })
        })
        .collect()
}

/// The result of a transaction.
pub fn tx_result(r: &ExecTxResult) -> Value {
    json!({
        "code": r.code,
        "data": b64_or_null(&r.data),
        "log": r.log,
        "info": r.info,
        "gas_wanted": int(r.gas_wanted),
        "gas_used": int(r.gas_used),
        "events": events(&r.events),
        "codespace": r.codespace,
    })
}

/// The answer to CheckTx.
pub fn check_tx(r: &ResponseCheckTx) -> Value {
    json!({
        "code": r.code,
        "data": b64_or_null(&r.data),
        "log": r.log,
        "info": r.info,
        "gas_wanted": int(r.gas_wanted),
        "gas_used": int(r.gas_used),
        "events": events(&r.events),
        "codespace": r.codespace,
    })
}

/// The answer to a query.
pub fn query(r: &ResponseQuery) -> Value {
    let proof = r.proof_ops.as_ref().map(|p| {
        let ops: Vec<_> = p
            .ops
            .iter()
            .map(|o| json!({ "type": o.r#type, "key": b64_or_null(&o.key), "data": b64_or_null(&o.data) }))
            .collect();
        json!({ "ops": ops })
    });
    json!({
        "code": r.code,
        "log": r.log,
        "info": r.info,
        "index": int(r.index),
        "key": b64_or_null(&r.key),
        "value": b64_or_null(&r.value),
        "proofOps": proof,
        "height": int(r.height),
        "codespace": r.codespace,
    })
}

/// What the application says of itself. Zero values are left out, as by Go's `omitempty`.
pub fn info(r: &ResponseInfo) -> Value {
    let mut out = json!({});
    let mut set = |key: &str, there: bool, value: Value| {
        if there {
            out[key] = value;
        }
    };
    set("data", !r.data.is_empty(), r.data.clone().into());
    set("version", !r.version.is_empty(), r.version.clone().into());
    set("app_version", r.app_version != 0, int(r.app_version));
    set(
        "last_block_height",
        r.last_block_height != 0,
        int(r.last_block_height),
    );
    set(
        "last_block_app_hash",
        !r.last_block_app_hash.is_empty(),
        b64(&r.last_block_app_hash),
    );
    out
}

/// A public key with its type.
pub fn pub_key(key: Option<&PublicKey>) -> Value {
    ed25519_bytes(key).map_or(Value::Null, pub_key_json)
}

/// A validator.
pub fn validator(v: &Validator) -> Value {
    json!({
        "address": hex(&v.address),
        "pub_key": pub_key(v.pub_key.as_ref()),
        "voting_power": int(v.voting_power),
        "proposer_priority": int(v.proposer_priority),
    })
}

fn validator_updates(list: &[ValidatorUpdate]) -> Value {
    list.iter()
        .map(|u| {
            let mut out = json!({
                "pub_key": { "Sum": { "type": "tendermint.crypto.PublicKey_Ed25519", "value": {
                    "ed25519": ed25519_bytes(u.pub_key.as_ref()).map(b64)
                } } }
            });
            if u.power != 0 {
                out["power"] = int(u.power);
            }
            out
        })
        .collect()
}

/// Consensus parameters.
pub fn params(p: &ConsensusParams) -> Value {
    let block = p.block.unwrap_or_default();
    let evidence = p.evidence.unwrap_or_default();
    let age = evidence.max_age_duration.unwrap_or_default();
    let nanos = i128::from(age.seconds) * 1_000_000_000 + i128::from(age.nanos);
    let version = p.version.unwrap_or_default();
    json!({
        "block": { "max_bytes": int(block.max_bytes), "max_gas": int(block.max_gas) },
        "evidence": {
            "max_age_num_blocks": int(evidence.max_age_num_blocks),
            "max_age_duration": int(nanos),
            "max_bytes": int(evidence.max_bytes),
        },
        "validator": { "pub_key_types": p.validator.clone().unwrap_or_default().pub_key_types },
        "version": { "app": int(version.app) },
        "abci": { "vote_extensions_enable_height": int(p.abci.unwrap_or_default().vote_extensions_enable_height) },
    })
}

/// The proof that a transaction is in its block.
pub fn tx_proof(p: &TxProof) -> Value {
    let proof = p.proof.clone().unwrap_or_default();
    json!({
        "root_hash": hex(&p.root_hash),
        "data": b64(&p.data),
        "proof": {
            "total": int(proof.total),
            "index": int(proof.index),
            "leaf_hash": b64(&proof.leaf_hash),
            "aunts": proof.aunts.iter().map(b64).collect::<Vec<_>>(),
        },
    })
}

/// What FinalizeBlock answered, as `block_results` prints it.
pub fn block_results(height: u64, r: &ResponseFinalizeBlock) -> Value {
    let results: Vec<_> = r.tx_results.iter().map(tx_result).collect();
    json!({
        "height": int(height),
        "txs_results": if results.is_empty() { Value::Null } else { results.into() },
        "finalize_block_events": events(&r.events),
        "validator_updates": if r.validator_updates.is_empty() { Value::Null } else { validator_updates(&r.validator_updates) },
        "consensus_param_updates": r.consensus_param_updates.as_ref().map(params),
        "app_hash": b64(&r.app_hash),
    })
}

/// The data of an event of the bus.
pub fn event_data(e: &BusEvent) -> Value {
    let c = &e.committed;
    let head = c.block.header.clone().unwrap_or_default();
    let (kind, value) = match e.kind {
        Kind::NewBlock => (
            "NewBlock",
            json!({
                "block": block(&c.block),
                "block_id": block_id(Some(&c.id)),
                "result_finalize_block": {
                    "events": events(&c.results.events),
                    "tx_results": c.results.tx_results.iter().map(tx_result).collect::<Vec<_>>(),
                    "validator_updates": validator_updates(&c.results.validator_updates),
                    "consensus_param_updates": c.results.consensus_param_updates.as_ref().map(params),
                    "app_hash": b64(&c.results.app_hash),
                },
            }),
        ),
        Kind::NewBlockHeader => ("NewBlockHeader", json!({ "header": header(&head) })),
        Kind::NewBlockEvents => (
            "NewBlockEvents",
            json!({
                "height": int(head.height),
                "events": events(&c.results.events),
                "num_txs": int(c.results.tx_results.len()),
            }),
        ),
        Kind::Tx(i) => {
            let tx = c.block.data.as_ref().and_then(|d| d.txs.get(i));
            let mut result = json!({
                "height": int(head.height),
                "tx": tx.map(b64),
                "result": c.results.tx_results.get(i).map(tx_result),
            });
            if i > 0 {
                result["index"] = i.into();
            }
            ("Tx", json!({ "TxResult": result }))
        }
    };
    json!({ "type": format!("tendermint/event/{kind}"), "value": value })
}
