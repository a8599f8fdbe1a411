//! What a grant of contracts' messages is limited to: how many or how much, and which messages.

use crate::{
    codec::{
        coins::{self, Coins},
        strict, type_url,
    },
    ctx::Ctx,
    error::{AppError, Result},
};
use cosmos_sdk_proto::{
    Any,
    cosmwasm::wasm::v1::{
        AcceptedMessageKeysFilter, AcceptedMessagesFilter, AllowAllMessagesFilter, CombinedLimit,
        MaxCallsLimit, MaxFundsLimit,
    },
};
use prost::{Message, Name};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// wasmd's errors, whose numbers stand in the wasm module.
pub(super) fn empty(what: &str) -> AppError {
    AppError::new("wasm", 12, format!("{what}: empty"))
}

pub(super) fn invalid(what: impl std::fmt::Display) -> AppError {
    AppError::new("wasm", 14, format!("{what}: invalid"))
}

pub(super) fn duplicate(what: impl std::fmt::Display) -> AppError {
    AppError::new("wasm", 15, format!("{what}: duplicate"))
}

/// sdk/29.
pub(super) fn wrong_type(what: impl std::fmt::Display) -> AppError {
    AppError::new("sdk", 29, format!("{what}: invalid type"))
}

pub(super) fn wrap(context: impl std::fmt::Display) -> impl FnOnce(AppError) -> AppError {
    move |e| AppError {
        log: format!("{context}: {}", e.log),
        ..e
    }
}

/// How much.
pub(super) enum Limit {
    Calls(MaxCallsLimit),
    Funds(MaxFundsLimit),
    Both(CombinedLimit),
}

/// What becomes of a limit.
pub(super) enum Left {
    /// It is for something else.
    NotIts,
    Same,
    Changed(Any),
    Spent,
}

/// Which messages.
pub(super) enum Filter {
    All,
    Keys(AcceptedMessageKeysFilter),
    Messages(AcceptedMessagesFilter),
}

pub(super) fn any<M: Message + Name>(m: &M) -> Any {
    Any {
        type_url: type_url::<M>(),
        value: m.encode_to_vec(),
    }
}

impl Limit {
    pub(super) fn of(any: Option<&Any>) -> Result<Self> {
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

    pub(super) fn check(&self) -> Result<()> {
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

    pub(super) fn accept(&self, funds: &Coins) -> Result<Left> {
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
    pub(super) fn of(any: Option<&Any>) -> Result<Self> {
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

    pub(super) fn check(&self) -> Result<()> {
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

    pub(super) fn accepts(&self, ctx: &Ctx, msg: &[u8]) -> Result<bool> {
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

pub(super) fn no_type(any: &Any, interface: &str) -> AppError {
    AppError::tx_decode(format_args!(
        "no concrete type registered for type URL {} against interface *types.{interface}",
        any.type_url.chars().take(128).collect::<String>()
    ))
}

pub(super) fn check_json(msg: &[u8]) -> Result<()> {
    serde_json::from_slice::<IgnoredAny>(msg)
        .map(drop)
        .map_err(|_| AppError::new("wasm", 14, "invalid"))
}
