//! Sending contracts' messages in another's name: to some contracts, so many or for so much, and only some of their
//! messages; and storing some codes.

use super::authorization::Used;
use crate::{
    codec::{
        coins::{self, Coins},
        gzip, strict, type_url,
    },
    ctx::Ctx,
    error::{AppError, Result},
    modules::{access, auth::keeper::addr},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::base::v1beta1::Coin,
    cosmwasm::wasm::v1::{
        AcceptedMessageKeysFilter, AcceptedMessagesFilter, AllowAllMessagesFilter, CodeGrant,
        CombinedLimit, ContractGrant, MaxCallsLimit, MaxFundsLimit, MsgExecuteContract,
        MsgMigrateContract, MsgStoreCode, StoreCodeAuthorization,
    },
};
use prost::{Message, Name};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// A grant's code hash that stands for any.
const ANY_CODE: &[u8] = b"*";

/// wasmd's errors, whose numbers stand in the wasm module.
fn empty(what: &str) -> AppError {
    AppError::new("wasm", 12, format!("{what}: empty"))
}

fn invalid(what: impl std::fmt::Display) -> AppError {
    AppError::new("wasm", 14, format!("{what}: invalid"))
}

fn duplicate(what: impl std::fmt::Display) -> AppError {
    AppError::new("wasm", 15, format!("{what}: duplicate"))
}

/// sdk/29.
fn wrong_type(what: impl std::fmt::Display) -> AppError {
    AppError::new("sdk", 29, format!("{what}: invalid type"))
}

fn wrap(context: impl std::fmt::Display) -> impl FnOnce(AppError) -> AppError {
    move |e| AppError {
        log: format!("{context}: {}", e.log),
        ..e
    }
}

/// What of a message the grants look at.
struct Asked {
    contract: String,
    msg: Vec<u8>,
    funds: Vec<Coin>,
}

/// How much.
enum Limit {
    Calls(MaxCallsLimit),
    Funds(MaxFundsLimit),
    Both(CombinedLimit),
}

/// What becomes of a limit.
enum Left {
    /// It is for something else.
    NotIts,
    Same,
    Changed(Any),
    Spent,
}

/// Which messages.
enum Filter {
    All,
    Keys(AcceptedMessageKeysFilter),
    Messages(AcceptedMessagesFilter),
}

fn any<M: Message + Name>(m: &M) -> Any {
    Any {
        type_url: type_url::<M>(),
        value: m.encode_to_vec(),
    }
}

impl Limit {
    fn of(any: Option<&Any>) -> Result<Self> {
        let any = any.ok_or_else(|| wrong_type("undefined limit"))?;
        let value = any.value.as_slice();
        match any.type_url.strip_prefix('/') {
            Some(name) if name == MaxCallsLimit::full_name() => {
                strict("MaxCallsLimit", value).map(Self::Calls)
            }
            Some(name) if name == MaxFundsLimit::full_name() => {
                strict("MaxFundsLimit", value).map(Self::Funds)
            }
            Some(name) if name == CombinedLimit::full_name() => {
                strict("CombinedLimit", value).map(Self::Both)
            }
            _ => Err(no_type(any, "ContractAuthzLimitX")),
        }
    }

    fn check(&self) -> Result<()> {
        match self {
            Self::Calls(l) if l.remaining == 0 => Err(empty("remaining calls")),
            Self::Calls(_) => Ok(()),
            Self::Both(l) if l.calls_remaining == 0 => Err(empty("remaining calls")),
            Self::Funds(MaxFundsLimit { amounts }) | Self::Both(CombinedLimit { amounts, .. }) => {
                match coins::check(amounts) {
                    Ok(c) if c.is_empty() => Err(empty("amounts")),
                    Ok(_) => Ok(()),
                    Err(e) => Err(wrap("amounts")(e)),
                }
            }
        }
    }

    fn accept(&self, funds: &Coins) -> Result<Left> {
        Ok(match self {
            Self::Calls(_) if !funds.is_empty() => Left::NotIts,
            Self::Calls(l) => match l.remaining {
                0 => return Err(AppError::unauthorized("no calls left")),
                1 => Left::Spent,
                n => Left::Changed(any(&MaxCallsLimit { remaining: n - 1 })),
            },
            Self::Funds(_) if funds.is_empty() => Left::Same,
            Self::Funds(l) => match coins::minus(&coins::check(&l.amounts)?, funds) {
                None => Left::NotIts,
                Some(left) if left.is_empty() => Left::Spent,
                Some(left) => Left::Changed(any(&MaxFundsLimit {
                    amounts: coins::to_proto(&left),
                })),
            },
            Self::Both(l) => match coins::minus(&coins::check(&l.amounts)?, funds) {
                None => Left::NotIts,
                Some(_) if l.calls_remaining == 0 => {
                    return Err(AppError::unauthorized("no calls left"));
                }
                Some(left) if left.is_empty() || l.calls_remaining == 1 => Left::Spent,
                Some(left) => Left::Changed(any(&CombinedLimit {
                    calls_remaining: l.calls_remaining - 1,
                    amounts: coins::to_proto(&left),
                })),
            },
        })
    }
}

impl Filter {
    fn of(any: Option<&Any>) -> Result<Self> {
        let any = any.ok_or_else(|| wrong_type("undefined filter"))?;
        let value = any.value.as_slice();
        match any.type_url.strip_prefix('/') {
            Some(name) if name == AllowAllMessagesFilter::full_name() => {
                strict::<AllowAllMessagesFilter>("AllowAllMessagesFilter", value).map(|_| Self::All)
            }
            Some(name) if name == AcceptedMessageKeysFilter::full_name() => {
                strict("AcceptedMessageKeysFilter", value).map(Self::Keys)
            }
            Some(name) if name == AcceptedMessagesFilter::full_name() => {
                strict("AcceptedMessagesFilter", value).map(Self::Messages)
            }
            _ => Err(no_type(any, "ContractAuthzFilterX")),
        }
    }

    fn check(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        match self {
            Self::All => Ok(()),
            Self::Keys(f) if f.keys.is_empty() => Err(empty("keys")),
            Self::Keys(f) => f.keys.iter().try_for_each(|key| match key.as_str() {
                "" => Err(empty("key")),
                k if k != k.trim() => Err(invalid(format_args!("key {k:?} contains whitespaces"))),
                k if !seen.insert(k.as_bytes()) => Err(duplicate(format_args!("key {k:?}"))),
                _ => Ok(()),
            }),
            Self::Messages(f) if f.messages.is_empty() => Err(empty("messages")),
            Self::Messages(f) => f.messages.iter().try_for_each(|m| {
                if m.is_empty() {
                    return Err(empty("message"));
                }
                check_json(m)?;
                if seen.insert(m) {
                    Ok(())
                } else {
                    Err(duplicate("message"))
                }
            }),
        }
    }

    fn accepts(&self, ctx: &Ctx, msg: &[u8]) -> Result<bool> {
        match self {
            Self::All => check_json(msg).map(|()| true),
            Self::Keys(f) => {
                ctx.consume_gas(msg.len() as u64, "contract authorization")?;
                check_json(msg).map_err(|e| {
                    AppError::unauthorized(format_args!("not an allowed msg: {}", e.log))
                })?;
                // One field, and one of these.
                let object: Option<Map<String, Value>> = serde_json::from_slice(msg).ok();
                let mut names = object.iter().flat_map(Map::keys);
                Ok(match (names.next(), names.next()) {
                    (Some(name), None) => f.keys.contains(name),
                    _ => false,
                })
            }
            Self::Messages(f) => Ok(f.messages.iter().any(|m| m == msg)),
        }
    }
}

fn no_type(any: &Any, interface: &str) -> AppError {
    AppError::tx_decode(format_args!(
        "no concrete type registered for type URL {} against interface *types.{interface}",
        any.type_url.chars().take(128).collect::<String>()
    ))
}

fn check_json(msg: &[u8]) -> Result<()> {
    serde_json::from_slice::<IgnoredAny>(msg)
        .map(drop)
        .map_err(|_| AppError::new("wasm", 14, "invalid"))
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
mod tests {
    use super::*;
    use crate::{
        ctx::{BlockInfo, Mode},
        gas::GasMeter,
        modules::{auth, authz::authorization::Authorization},
        store::{Layers, kv::MemBase},
    };
    use cosmos_sdk_proto::cosmwasm::wasm::v1::{
        AccessConfig, AccessType, ContractExecutionAuthorization, ContractMigrationAuthorization,
    };
    use flate2::{Compression, write::GzEncoder};
    use serde_json::json;
    use std::{io::Write, sync::Arc};

    fn text(n: u8) -> String {
        crate::codec::address::encode("test", &[n; 32]).unwrap()
    }

    fn ctx() -> Ctx {
        let block = BlockInfo {
            height: 1,
            time_ns: 0,
            chain_id: String::new(),
        };
        let layers = Layers::new(Arc::new(MemBase::default()));
        let ctx = Ctx::new(layers, GasMeter::new(1_000_000), block, Mode::Deliver);
        let account = json!({"@type": "/cosmos.auth.v1beta1.BaseAccount", "address": text(1),
            "pub_key": null, "account_number": "0", "sequence": "0"});
        auth::genesis::import(&ctx, &json!({"auth": {"accounts": [account]}})).unwrap();
        ctx
    }

    fn coins_of(amount: u32) -> Vec<Coin> {
        match amount {
            0 => vec![],
            n => vec![Coin {
                denom: "utest".into(),
                amount: n.to_string(),
            }],
        }
    }

    fn calls(remaining: u64) -> Any {
        any(&MaxCallsLimit { remaining })
    }

    fn funds(amount: u32) -> Any {
        let amounts = coins_of(amount);
        any(&MaxFundsLimit { amounts })
    }

    fn both(calls_remaining: u64, amount: u32) -> Any {
        let amounts = coins_of(amount);
        any(&CombinedLimit {
            calls_remaining,
            amounts,
        })
    }

    fn all() -> Any {
        any(&AllowAllMessagesFilter {})
    }

    fn keys(keys: &[&str]) -> Any {
        let keys = keys.iter().map(|k| (*k).into()).collect();
        any(&AcceptedMessageKeysFilter { keys })
    }

    fn grant(contract: u8, limit: Any, filter: Any) -> ContractGrant {
        ContractGrant {
            contract: text(contract),
            limit: Some(limit),
            filter: Some(filter),
        }
    }

    fn execution(grants: Vec<ContractGrant>) -> Authorization {
        Authorization::Execution(ContractExecutionAuthorization { grants })
    }

    fn execute(contract: u8, msg: &str, amount: u32) -> Any {
        any(&MsgExecuteContract {
            sender: text(1),
            contract: text(contract),
            msg: msg.as_bytes().to_vec(),
            funds: coins_of(amount),
        })
    }

    /// What is left of one grant's limit.
    fn left(limit: Any, amount: u32) -> Result<Used, (u32, String)> {
        let used = execution(vec![grant(7, limit, all())]);
        used.accept(&ctx(), &execute(7, "{}", amount))
            .map_err(|e| (e.code, e.log))
    }

    fn changed(limit: Any) -> Result<Used, (u32, String)> {
        Ok(Used::Changed(execution(vec![grant(7, limit, all())])))
    }

    #[test]
    fn limits_shrink_and_end() {
        let no = || Err((4, "unauthorized".to_owned()));
        assert_eq!(left(calls(2), 0), changed(calls(1)));
        assert_eq!(left(calls(1), 0), Ok(Used::Spent));
        assert_eq!(left(calls(2), 1), no(), "calls only");
        assert_eq!(left(funds(9), 0), Ok(Used::Same));
        assert_eq!(left(funds(9), 4), changed(funds(5)));
        assert_eq!(left(funds(9), 9), Ok(Used::Spent));
        assert_eq!(left(funds(9), 10), no());
        assert_eq!(left(both(3, 9), 4), changed(both(2, 5)));
        assert_eq!(left(both(3, 9), 0), changed(both(2, 9)));
        assert_eq!(left(both(3, 9), 9), Ok(Used::Spent));
        assert_eq!(left(both(1, 9), 4), Ok(Used::Spent));
        assert_eq!(left(both(3, 9), 10), no());
        let spent = left(calls(0), 0).unwrap_err();
        assert_eq!(spent, (4, "limit: no calls left: unauthorized".into()));
    }

    #[test]
    fn the_first_grant_that_takes_a_message_is_used() {
        let grants = vec![
            grant(6, calls(1), all()),
            grant(7, calls(1), keys(&["a"])),
            grant(7, funds(5), keys(&["a", "b"])),
        ];
        let used = |msg: &str, amount| {
            let result = execution(grants.clone()).accept(&ctx(), &execute(7, msg, amount));
            result.map_err(|e| e.log)
        };
        let without = |i: usize| {
            let mut rest = grants.clone();
            rest.remove(i);
            Ok(Used::Changed(execution(rest)))
        };
        assert_eq!(used(r#"{"a":1}"#, 0), without(1));
        assert_eq!(used(r#"{"b":1}"#, 0), Ok(Used::Same));
        assert_eq!(used(r#"{"a":{}}"#, 5), without(2));
        for refused in [r#"{"a":1,"b":2}"#, r#"{"c":1}"#, r#""a""#, "{}"] {
            assert_eq!(used(refused, 0), Err("unauthorized".into()), "{refused}");
        }
        let bad = used("{", 0).unwrap_err();
        assert_eq!(bad, "payload msg: invalid");
        assert_eq!(
            execution(grants)
                .accept(&ctx(), &execute(8, "{}", 0))
                .unwrap_err()
                .code,
            4
        );
    }

    #[test]
    fn messages_may_be_given_whole_and_migrations_are_like_executions() {
        let messages = vec![br#"{"x":1}"#.to_vec()];
        let filter = any(&AcceptedMessagesFilter { messages });
        let a = Authorization::Migration(ContractMigrationAuthorization {
            grants: vec![grant(7, calls(1), filter)],
        });
        a.check(&ctx()).unwrap();
        assert_eq!(a.message(), "/cosmwasm.wasm.v1.MsgMigrateContract");
        let migrate = |code_id, msg: &str| {
            let m = MsgMigrateContract {
                sender: text(1),
                contract: text(7),
                code_id,
                msg: msg.as_bytes().to_vec(),
            };
            a.accept(&ctx(), &any(&m)).map_err(|e| e.code)
        };
        assert_eq!(migrate(2, r#"{"x":1}"#), Ok(Used::Spent));
        assert_eq!(migrate(2, r#"{"x": 1}"#), Err(4), "other bytes");
        assert_eq!(migrate(0, r#"{"x":1}"#), Err(18));
        assert_eq!(migrate(2, ""), Err(29));
        assert_eq!(a.accept(&ctx(), &execute(7, "{}", 0)).unwrap_err().code, 29);
    }

    #[test]
    fn codes_are_known_by_their_hash() {
        let wasm = b"\0asm\x01\0\0\0".to_vec();
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&wasm).unwrap();
        let packed = packed.finish().unwrap();
        let only = |permission: AccessType| AccessConfig {
            permission: permission as i32,
            addresses: vec![],
        };
        let code = |code_hash: &[u8], instantiate_permission| CodeGrant {
            code_hash: code_hash.to_vec(),
            instantiate_permission,
        };
        let may = |grants: Vec<CodeGrant>, wasm: &[u8], instantiate_permission| {
            let msg = any(&MsgStoreCode {
                sender: text(1),
                wasm_byte_code: wasm.to_vec(),
                instantiate_permission,
            });
            let a = Authorization::Code(StoreCodeAuthorization { grants });
            a.check(&ctx()).unwrap();
            a.accept(&ctx(), &msg).map_err(|e| e.code)
        };
        let hash = Sha256::digest(&wasm).to_vec();
        assert_eq!(may(vec![code(&hash, None)], &wasm, None), Ok(Used::Same));
        assert_eq!(may(vec![code(&hash, None)], &packed, None), Ok(Used::Same));
        assert_eq!(may(vec![code(&[1; 32], None)], &wasm, None), Err(4));
        let nobody = || vec![code(b"*", Some(only(AccessType::Nobody)))];
        assert_eq!(may(nobody(), &wasm, None), Err(4));
        assert_eq!(
            may(nobody(), &wasm, Some(only(AccessType::Everybody))),
            Err(4)
        );
        assert_eq!(
            may(nobody(), &wasm, Some(only(AccessType::Nobody))),
            Ok(Used::Same)
        );
        assert_eq!(may(nobody(), b"text", None), Err(18));
        assert_eq!(may(nobody(), &packed[..9], None), Err(18));

        let log = |grants: Vec<CodeGrant>| check_codes(&ctx(), &grants).unwrap_err().log;
        assert_eq!(log(vec![]), "grants: empty");
        assert_eq!(log(vec![code(b"", None)]), "position 0: code hash: empty");
        assert_eq!(
            log(vec![code(&hash, None), code(&hash, None)]),
            "cannot have multiple grants with same code hash: invalid request"
        );
        assert!(log(vec![code(&hash, None), code(b"*", None)]).contains("wildcard"));
    }

    #[test]
    fn what_makes_no_sense_is_not_granted() {
        let log = |g: ContractGrant| check(&ctx(), &[g]).unwrap_err().log;
        assert_eq!(check(&ctx(), &[]).unwrap_err().log, "grants: empty");
        assert_eq!(
            log(grant(7, calls(0), all())),
            "position 0: limit: remaining calls: empty"
        );
        assert_eq!(
            log(grant(7, funds(0), all())),
            "position 0: limit: amounts: empty"
        );
        assert_eq!(
            log(grant(7, both(0, 1), all())),
            "position 0: limit: remaining calls: empty"
        );
        for (names, expected) in [
            (&[][..], "keys: empty"),
            (&[""], "key: empty"),
            (&[" a"], "key \" a\" contains whitespaces: invalid"),
            (&["a", "a"], "key \"a\": duplicate"),
        ] {
            let expected = format!("position 0: filter: {expected}");
            assert_eq!(log(grant(7, calls(1), keys(names))), expected);
        }
        for (messages, expected) in [
            (vec![], "messages: empty"),
            (vec![vec![]], "message: empty"),
            (vec![b"{".to_vec()], "invalid"),
            (vec![b"{}".to_vec(), b"{}".to_vec()], "message: duplicate"),
        ] {
            let expected = format!("position 0: filter: {expected}");
            let filter = any(&AcceptedMessagesFilter { messages });
            assert_eq!(log(grant(7, calls(1), filter)), expected);
        }
        let undefined = ContractGrant {
            limit: None,
            ..grant(7, calls(1), all())
        };
        assert_eq!(
            log(undefined),
            "position 0: limit: undefined limit: invalid type"
        );
        let strange = grant(7, all(), all());
        assert_eq!(known(&[strange]).unwrap_err().code, 2);
        let nowhere = ContractGrant {
            contract: "x".into(),
            ..grant(7, calls(1), all())
        };
        assert!(log(nowhere).starts_with("position 0: contract: "));
    }
}
