//! `cosmos.consensus.v1.Msg`: governance changes the parameters; the block's answer tells CometBFT.

use super::{get, set};
use crate::{
    codec::{strict, times},
    ctx::{Ctx, Event},
    error::{AppError, Result},
    modules::auth::keeper::check_gov,
};
use prost::Message;
use std::fmt::Write;
use tendermint_proto::v0_38::types::{
    AbciParams, BlockParams, ConsensusParams, EvidenceParams, ValidatorParams, VersionParams,
};

/// `MsgUpdateParams`.
pub const UPDATE_PARAMS: &str = "/cosmos.consensus.v1.MsgUpdateParams";

/// The largest block that CometBFT makes, bytes.
const MAX_BLOCK_BYTES: i64 = 104_857_600;
/// The kinds of keys that CometBFT's validators may have.
const KEY_TYPES: [&str; 2] = ["ed25519", "secp256k1"];

/// `cosmos.consensus.v1.MsgUpdateParams`, which cosmos-sdk-proto does not have.
#[derive(Clone, PartialEq, Message)]
pub struct MsgUpdateParams {
    /// Governance.
    #[prost(string, tag = "1")]
    pub authority: String,
    /// How large blocks are.
    #[prost(message, optional, tag = "2")]
    pub block: Option<BlockParams>,
    /// How old evidence may be.
    #[prost(message, optional, tag = "3")]
    pub evidence: Option<EvidenceParams>,
    /// Which keys validators have.
    #[prost(message, optional, tag = "4")]
    pub validator: Option<ValidatorParams>,
    /// From which height votes carry extensions; may be left out.
    #[prost(message, optional, tag = "5")]
    pub abci: Option<AbciParams>,
}

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    (type_url == UPDATE_PARAMS)
        .then(|| strict::<MsgUpdateParams>("MsgUpdateParams", value).map(|m| vec![m.authority]))
}

/// Executes a message: the response's type URL and bytes; `None` when it is not of this module.
///
/// # Errors
/// gov/13 when the sender is not the gov module; undefined/1 for what CometBFT would not take.
pub fn handle(ctx: &Ctx, type_url: &str, value: &[u8]) -> Option<Result<(String, Vec<u8>)>> {
    (type_url == UPDATE_PARAMS).then(|| update_params(ctx, value))
}

fn bad(log: impl Into<String>) -> AppError {
    AppError::new("undefined", 1, log)
}

fn update_params(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgUpdateParams = strict("MsgUpdateParams", value)?;
    check_gov(ctx, &m.authority)?;
    if m.block.is_none() || m.evidence.is_none() || m.validator.is_none() {
        return Err(bad("all parameters must be present"));
    }
    let update = ConsensusParams {
        block: m.block,
        evidence: m.evidence,
        validator: m.validator,
        version: Some(VersionParams::default()),
        abci: m.abci,
    };
    let now = get(ctx);
    let next = ConsensusParams {
        abci: Some(update.abci.or(now.abci).unwrap_or_default()),
        ..update.clone()
    };
    check(&next)?;
    check_extensions(now.abci, update.abci, ctx.block.height)?;
    set(ctx, &next);
    ctx.emit(
        Event::new("update_consensus_params")
            .attr("authority", m.authority)
            .attr("parameters", text(&update)),
    );
    let response = "/cosmos.consensus.v1.MsgUpdateParamsResponse".to_owned();
    Ok((response, Vec::new()))
}

/// What CometBFT's `ConsensusParams.ValidateBasic` checks.
fn check(p: &ConsensusParams) -> Result<()> {
    let block = p.block.unwrap_or_default();
    let evidence = p.evidence.unwrap_or_default();
    let age = evidence.max_age_duration.unwrap_or_default();
    let most = match block.max_bytes {
        -1 => MAX_BLOCK_BYTES,
        n => n,
    };
    let extensions = p.abci.unwrap_or_default().vote_extensions_enable_height;
    let kinds = p.validator.as_ref().map_or(&[][..], |v| &v.pub_key_types);
    let log = match block.max_bytes {
        0 => "block.MaxBytes cannot be 0".to_owned(),
        n if n < -1 => format!("block.MaxBytes must be -1 or greater than 0. Got {n}"),
        n if n > MAX_BLOCK_BYTES => {
            format!("block.MaxBytes is too big. {n} > {MAX_BLOCK_BYTES}")
        }
        _ if block.max_gas < -1 => format!(
            "block.MaxGas must be greater or equal to -1. Got {}",
            block.max_gas
        ),
        _ if evidence.max_age_num_blocks <= 0 => format!(
            "evidence.MaxAgeNumBlocks must be greater than 0. Got {}",
            evidence.max_age_num_blocks
        ),
        _ if times::duration(&age) <= 0 => format!(
            "evidence.MaxAgeDuration must be grater than 0 if provided, Got {}s",
            age.seconds
        ),
        n if evidence.max_bytes > most => format!(
            "evidence.MaxBytesEvidence is greater than upper bound, {} > {n}",
            evidence.max_bytes
        ),
        _ if evidence.max_bytes < 0 => format!(
            "evidence.MaxBytes must be non negative. Got: {}",
            evidence.max_bytes
        ),
        _ if extensions < 0 => {
            format!("ABCI.VoteExtensionsEnableHeight cannot be negative. Got: {extensions}")
        }
        _ if kinds.is_empty() => "len(Validator.PubKeyTypes) must be greater than 0".to_owned(),
        _ => match kinds.iter().position(|k| !KEY_TYPES.contains(&k.as_str())) {
            None => return Ok(()),
            Some(i) => format!(
                "params.Validator.PubKeyTypes[{i}], {}, is an unknown pubkey type",
                kinds[i]
            ),
        },
    };
    Err(bad(log))
}

/// What CometBFT's `ConsensusParams.ValidateUpdate` checks. This application takes no part in extended votes, so that
/// they may not be switched on at all: validators would have nothing to extend them with.
fn check_extensions(now: Option<AbciParams>, new: Option<AbciParams>, height: u64) -> Result<()> {
    let Some(new) = new else {
        return Ok(());
    };
    let now = now.unwrap_or_default().vote_extensions_enable_height;
    let new = new.vote_extensions_enable_height;
    if new == now || new == 0 && (now < 0 || now.unsigned_abs() > height) {
        return Ok(());
    }
    if new == 0 {
        return Err(bad(format!(
            "vote extensions cannot be disabled once enabledold enable height: {now}, current height {height}"
        )));
    }
    Err(AppError::not_supported(format_args!(
        "vote extensions: expected enable height 0, got {new}"
    )))
}

/// The parameters as Go's protobuf writes them in one line.
fn text(p: &ConsensusParams) -> String {
    let mut out = String::new();
    let int = |name: &str, n: i64| match n {
        0 => String::new(),
        n => format!("{name}:{n} "),
    };
    let mut part = |name: &str, inner: Option<String>| {
        if let Some(inner) = inner {
            // Writing into a text does not fail.
            write!(out, "{name}:<{inner}> ").ok();
        }
    };
    let block = |b: BlockParams| int("max_bytes", b.max_bytes) + &int("max_gas", b.max_gas);
    part("block", p.block.map(block));
    let evidence = |e: EvidenceParams| {
        let age = e.max_age_duration.unwrap_or_default();
        let age = int("seconds", age.seconds) + &int("nanos", age.nanos.into());
        let blocks = int("max_age_num_blocks", e.max_age_num_blocks);
        format!("{blocks}max_age_duration:<{age}> ") + &int("max_bytes", e.max_bytes)
    };
    part("evidence", p.evidence.map(evidence));
    let kinds = |v: &ValidatorParams| -> String {
        let kinds = v.pub_key_types.iter();
        kinds.map(|k| format!("pub_key_types:{k:?} ")).collect()
    };
    part("validator", p.validator.as_ref().map(kinds));
    let version = |v: VersionParams| match v.app {
        0 => String::new(),
        n => format!("app:{n} "),
    };
    part("version", p.version.map(version));
    let abci = |a: AbciParams| {
        int(
            "vote_extensions_enable_height",
            a.vote_extensions_enable_height,
        )
    };
    part("abci", p.abci.map(abci));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::address,
        ctx::{BlockInfo, Mode},
        gas::GasMeter,
        modules::auth,
        store::{Layers, kv::MemBase},
    };
    use serde_json::json;
    use std::sync::Arc;
    use tendermint_proto::google::protobuf::Duration;

    fn params() -> ConsensusParams {
        ConsensusParams {
            block: Some(BlockParams {
                max_bytes: 22_020_096,
                max_gas: -1,
            }),
            evidence: Some(EvidenceParams {
                max_age_num_blocks: 100_000,
                max_age_duration: Some(Duration {
                    seconds: 172_800,
                    nanos: 5,
                }),
                max_bytes: 0,
            }),
            validator: Some(ValidatorParams {
                pub_key_types: vec!["ed25519".into(), "secp256k1".into()],
            }),
            version: Some(VersionParams::default()),
            abci: Some(AbciParams::default()),
        }
    }

    #[test]
    fn the_text_is_gos() {
        // Printed by cometbft v0.38.25's ConsensusParams.String().
        assert_eq!(
            text(&params()),
            "block:<max_bytes:22020096 max_gas:-1 > evidence:<max_age_num_blocks:100000 max_age_duration:<seconds:172800 nanos:5 > > validator:<pub_key_types:\"ed25519\" pub_key_types:\"secp256k1\" > version:<> abci:<> "
        );
    }

    #[test]
    fn what_cometbft_would_not_take_is_refused_in_its_words() {
        let log = |change: fn(&mut ConsensusParams)| {
            let mut p = params();
            change(&mut p);
            check(&p).map_err(|e| e.log)
        };
        fn block(p: &mut ConsensusParams) -> &mut BlockParams {
            p.block.as_mut().unwrap()
        }
        fn evidence(p: &mut ConsensusParams) -> &mut EvidenceParams {
            p.evidence.as_mut().unwrap()
        }
        assert_eq!(log(|_| ()), Ok(()));
        assert_eq!(log(|p| block(p).max_bytes = -1), Ok(()));
        for (change, expected) in [
            (
                (|p| block(p).max_bytes = 0) as fn(&mut ConsensusParams),
                "block.MaxBytes cannot be 0",
            ),
            (
                |p| block(p).max_bytes = -2,
                "block.MaxBytes must be -1 or greater than 0. Got -2",
            ),
            (
                |p| block(p).max_bytes = 104_857_601,
                "block.MaxBytes is too big. 104857601 > 104857600",
            ),
            (
                |p| block(p).max_gas = -2,
                "block.MaxGas must be greater or equal to -1. Got -2",
            ),
            (
                |p| evidence(p).max_age_num_blocks = 0,
                "evidence.MaxAgeNumBlocks must be greater than 0. Got 0",
            ),
            (
                |p| evidence(p).max_age_duration = None,
                "evidence.MaxAgeDuration must be grater than 0 if provided, Got 0s",
            ),
            (
                |p| evidence(p).max_bytes = 22_020_097,
                "evidence.MaxBytesEvidence is greater than upper bound, 22020097 > 22020096",
            ),
            (
                |p| evidence(p).max_bytes = -1,
                "evidence.MaxBytes must be non negative. Got: -1",
            ),
            (
                |p| p.validator = Some(ValidatorParams::default()),
                "len(Validator.PubKeyTypes) must be greater than 0",
            ),
            (
                |p| p.validator.as_mut().unwrap().pub_key_types[1] = "bls".into(),
                "params.Validator.PubKeyTypes[1], bls, is an unknown pubkey type",
            ),
        ] {
            assert_eq!(log(change).unwrap_err(), expected);
        }
    }

    #[test]
    fn governance_alone_changes_all_at_once() {
        let block = BlockInfo {
            height: 7,
            time_ns: 0,
            chain_id: "test-1".into(),
        };
        let layers = Layers::new(Arc::new(MemBase::default()));
        let ctx = Ctx::new(layers, GasMeter::new(u64::MAX), block, Mode::Deliver);
        let gov = address::encode("test", &address::module("gov")).unwrap();
        let accounts = json!({"auth": {"accounts": [{"@type": "/cosmos.auth.v1beta1.BaseAccount",
            "address": gov, "pub_key": null, "account_number": "0", "sequence": "0"}]}});
        auth::genesis::import(&ctx, &accounts).unwrap();
        set(&ctx, &params());
        let update = MsgUpdateParams {
            authority: gov.clone(),
            block: Some(BlockParams {
                max_bytes: 1_000_000,
                max_gas: 5,
            }),
            evidence: params().evidence,
            validator: params().validator,
            abci: None,
        };
        let send = |m: &MsgUpdateParams| handle(&ctx, UPDATE_PARAMS, &m.encode_to_vec()).unwrap();
        assert_eq!(
            signers(UPDATE_PARAMS, &update.encode_to_vec())
                .unwrap()
                .unwrap(),
            std::slice::from_ref(&gov)
        );
        let refused = |m: MsgUpdateParams| {
            let e = send(&m).unwrap_err();
            assert_eq!(get(&ctx), params());
            (e.codespace, e.code)
        };
        let stranger = address::encode("test", &[1; 20]).unwrap();
        let by = |authority| MsgUpdateParams {
            authority,
            ..update.clone()
        };
        assert_eq!(refused(by(stranger)), ("gov", 13));
        let mut partial = update.clone();
        partial.evidence = None;
        assert_eq!(refused(partial), ("undefined", 1));
        let mut extended = update.clone();
        extended.abci = Some(AbciParams {
            vote_extensions_enable_height: 9,
        });
        assert_eq!(refused(extended), ("sdk", 37));
        let (response, bytes) = send(&update).unwrap();
        assert_eq!(response, "/cosmos.consensus.v1.MsgUpdateParamsResponse");
        assert!(bytes.is_empty());
        let event = &ctx.take_events()[0];
        assert_eq!(event.kind, "update_consensus_params");
        assert_eq!(event.attributes[0], ("authority".into(), gov));
        assert!(
            event.attributes[1]
                .1
                .starts_with("block:<max_bytes:1000000 max_gas:5 > ")
        );
        let now = get(&ctx);
        assert_eq!((now.block, now.abci), (update.block, params().abci));
        assert_eq!(super::super::max_gas(&ctx), Some(5));
    }
}
