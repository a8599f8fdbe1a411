//! Sending contracts' messages in another's name: to some contracts, so many or for so much, and only some of their
//! messages; and storing some codes.

use super::{
    authorization::Used,
    limits::{Filter, Left, Limit, check_json, empty, wrap, wrong_type},
};
use crate::{
    codec::{coins, gzip, strict, type_url},
    ctx::Ctx,
    error::{AppError, Result},
    modules::{access, auth::keeper::addr},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::base::v1beta1::Coin,
    cosmwasm::wasm::v1::{
        CodeGrant, ContractGrant, MsgExecuteContract, MsgMigrateContract, MsgStoreCode,
        StoreCodeAuthorization,
    },
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// A grant's code hash that stands for any.
const ANY_CODE: &[u8] = b"*";

/// What of a message the grants look at.
struct Asked {
    contract: String,
    msg: Vec<u8>,
    funds: Vec<Coin>,
}

/// Whether grants can be read at all.
///
/// # Errors
/// sdk/2 for limits and filters of no known kind.
pub(super) fn known(grants: &[ContractGrant]) -> Result<()> {
    for g in grants {
        if g.filter.is_some() {
            Filter::of(g.filter.as_ref()).map_err(wrap("filter"))?;
        }
        if g.limit.is_some() {
            Limit::of(g.limit.as_ref()).map_err(wrap("limit"))?;
        }
    }
    Ok(())
}

/// Whether grants of contracts make sense.
///
/// # Errors
/// wasm/12, /14, /15, sdk/7, /10, /29, with the place.
pub(super) fn check(ctx: &Ctx, grants: &[ContractGrant]) -> Result<()> {
    if grants.is_empty() {
        return Err(empty("grants"));
    }
    let one = |g: &ContractGrant| {
        addr(ctx, &g.contract).map_err(wrap("contract"))?;
        let limit = Limit::of(g.limit.as_ref()).and_then(|l| l.check());
        limit.map_err(wrap("limit"))?;
        let filter = Filter::of(g.filter.as_ref()).and_then(|f| f.check());
        filter.map_err(wrap("filter"))
    };
    for (i, g) in grants.iter().enumerate() {
        one(g).map_err(wrap(format!("position {i}")))?;
    }
    Ok(())
}

/// Whether grants of codes make sense.
///
/// # Errors
/// wasm/12, /14, /15, sdk/7, /18.
pub(super) fn check_codes(ctx: &Ctx, grants: &[CodeGrant]) -> Result<()> {
    if grants.is_empty() {
        return Err(empty("grants"));
    }
    let mut seen = BTreeSet::new();
    for (i, g) in grants.iter().enumerate() {
        if grants.len() > 1 && g.code_hash == ANY_CODE {
            return Err(AppError::invalid_request(
                "cannot have multiple grants when wildcard grant is one of them",
            ));
        }
        let checked = match &g.instantiate_permission {
            _ if g.code_hash.is_empty() => Err(empty("code hash")),
            Some(p) => access::validate(p, |a| addr(ctx, a).map(drop)),
            None => Ok(()),
        };
        checked.map_err(wrap(format!("position {i}")))?;
        if !seen.insert(&g.code_hash) {
            return Err(AppError::invalid_request(
                "cannot have multiple grants with same code hash",
            ));
        }
    }
    Ok(())
}

/// sdk/4, without more: no grant is for the message.
fn refused() -> AppError {
    AppError::new("sdk", 4, "unauthorized")
}

/// The message of an execution.
///
/// # Errors
/// sdk/29 for another message, and those of one that makes no sense.
fn execution(ctx: &Ctx, msg: &Any) -> Result<Asked> {
    if msg.type_url != type_url::<MsgExecuteContract>() {
        return Err(wrong_type("type mismatch"));
    }
    let m: MsgExecuteContract = strict("MsgExecuteContract", &msg.value)?;
    asked(ctx, &m.sender, m.contract, m.msg, m.funds)
}

/// The message of a migration.
///
/// # Errors
/// sdk/29 for another message, and those of one that makes no sense.
fn migration(ctx: &Ctx, msg: &Any) -> Result<Asked> {
    if msg.type_url != type_url::<MsgMigrateContract>() {
        return Err(wrong_type("type mismatch"));
    }
    let m: MsgMigrateContract = strict("MsgMigrateContract", &msg.value)?;
    if m.code_id == 0 {
        return Err(AppError::invalid_request("code id is required"));
    }
    asked(ctx, &m.sender, m.contract, m.msg, Vec::new())
}

fn asked(
    ctx: &Ctx,
    sender: &str,
    contract: String,
    msg: Vec<u8>,
    funds: Vec<Coin>,
) -> Result<Asked> {
    if msg.is_empty() {
        return Err(wrong_type("empty message"));
    }
    addr(ctx, sender).map_err(wrap("sender"))?;
    addr(ctx, &contract).map_err(wrap("contract"))?;
    check_json(&msg).map_err(wrap("payload msg"))?;
    Ok(Asked {
        contract,
        msg,
        funds,
    })
}

/// Uses grants for an execution; `keep` makes an authorization of what is left.
///
/// # Errors
/// sdk/4 when none is for it, and those of the message.
pub(super) fn accept_execution(
    ctx: &Ctx,
    grants: &[ContractGrant],
    msg: &Any,
    keep: impl FnOnce(Vec<ContractGrant>) -> Used,
) -> Result<Used> {
    accept(ctx, grants, &execution(ctx, msg)?, keep)
}

/// Uses grants for a migration; `keep` makes an authorization of what is left.
///
/// # Errors
/// sdk/4 when none is for it, and those of the message.
pub(super) fn accept_migration(
    ctx: &Ctx,
    grants: &[ContractGrant],
    msg: &Any,
    keep: impl FnOnce(Vec<ContractGrant>) -> Used,
) -> Result<Used> {
    accept(ctx, grants, &migration(ctx, msg)?, keep)
}

/// The first grant of the contract whose limit and filter take the message is the one.
fn accept(
    ctx: &Ctx,
    grants: &[ContractGrant],
    asked: &Asked,
    keep: impl FnOnce(Vec<ContractGrant>) -> Used,
) -> Result<Used> {
    let funds = coins::check(&asked.funds).map_err(wrap("funds"))?;
    for (i, g) in grants.iter().enumerate() {
        if g.contract != asked.contract {
            continue;
        }
        let limit = Limit::of(g.limit.as_ref()).and_then(|l| l.accept(&funds));
        let left = match limit.map_err(wrap("limit"))? {
            Left::NotIts => continue,
            left => left,
        };
        let filter = Filter::of(g.filter.as_ref()).and_then(|f| f.accepts(ctx, &asked.msg));
        if !filter.map_err(wrap("filter"))? {
            continue;
        }
        let mut rest = grants.to_vec();
        return Ok(match left {
            Left::NotIts | Left::Same => Used::Same,
            Left::Spent => {
                rest.remove(i);
                if rest.is_empty() {
                    Used::Spent
                } else {
                    keep(rest)
                }
            }
            Left::Changed(limit) => {
                rest[i].limit = Some(limit);
                keep(rest)
            }
        });
    }
    Err(refused())
}

/// Whether a code may be stored. Hashes are compared as bytes: wasmd folds their case, which makes different hashes that
/// are no text the same.
///
/// # Errors
/// sdk/4 when no grant is for it, sdk/18 when it cannot be unpacked, sdk/11.
pub(super) fn accept_code(ctx: &Ctx, a: &StoreCodeAuthorization, msg: &Any) -> Result<Used> {
    if msg.type_url != type_url::<MsgStoreCode>() {
        return Err(AppError::invalid_request("unknown msg type"));
    }
    let m: MsgStoreCode = strict("MsgStoreCode", &msg.value)?;
    let mut code = m.wasm_byte_code;
    if gzip::is_gzip(&code) {
        ctx.consume_gas(gzip::cost(code.len()), "Uncompress gzip bytecode")?;
        code = gzip::unpack(&code, access::MAX_WASM)
            .map_err(|_| AppError::invalid_request("uncompress wasm archive"))?;
    }
    if !code.starts_with(b"\0asm") {
        return Err(AppError::invalid_request("checksum"));
    }
    let checksum: [u8; 32] = Sha256::digest(&code).into();
    let allowed = |g: &CodeGrant| {
        (g.code_hash == ANY_CODE || g.code_hash == checksum)
            && g.instantiate_permission.as_ref().is_none_or(|of| {
                let own = m.instantiate_permission.as_ref();
                own.is_some_and(|own| access::is_subset(own, of))
            })
    };
    if a.grants.iter().any(allowed) {
        Ok(Used::Same)
    } else {
        Err(refused())
    }
}

#[cfg(test)]
mod tests;
