//! Grants: saved, used, taken back, ended.

use super::{
    authorization::{Authorization, Used},
    keys,
};
use crate::{
    codec::times,
    ctx::{Ctx, Event},
    error::{AppError, Result},
    modules::{auth::keeper::human, router::Router},
    store::{Order, StoreKey},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::authz::v1beta1::{Grant, GrantQueueItem},
};
use prost::Message;

pub(super) const STORE: StoreKey = StoreKey::Authz;
/// What the look at one type in a queue costs.
const GAS_PER_TYPE: u64 = 20;
/// How deep messages may stand in each other.
const MAX_DEPTH: u32 = 10;
/// Most entries of the queue that end in one block; the rest end in the next.
const MAX_ENDS: usize = 200;

/// authz/2.
pub(super) fn not_found(detail: impl std::fmt::Display) -> AppError {
    AppError::new("authz", 2, format!("{detail}: authorization not found"))
}

/// A grant.
///
/// # Errors
/// sdk/11.
pub fn grant(ctx: &Ctx, granter: &[u8], grantee: &[u8], message: &str) -> Result<Option<Grant>> {
    let bytes = ctx.get(STORE, &keys::grant(granter, grantee, message))?;
    bytes
        .map(|b| Grant::decode(b.as_slice()).map_err(AppError::tx_decode))
        .transpose()
}

fn ends(grant: &Grant) -> Option<i128> {
    grant.expiration.as_ref().map(times::nanos)
}

/// As the SDK's typed events are: values in JSON, keys sorted.
fn emit(ctx: &Ctx, kind: &str, granter: &[u8], grantee: &[u8], message: &str) -> Result<()> {
    let json = |text: String| serde_json::Value::from(text).to_string();
    let event = Event::new(format!("cosmos.authz.v1beta1.{kind}"))
        .attr("grantee", json(human(ctx, grantee)?))
        .attr("granter", json(human(ctx, granter)?));
    ctx.emit(event.attr("msg_type_url", json(message.to_owned())));
    Ok(())
}

/// Saves a grant, in the place of one that there is. The caller has checked the authorization.
///
/// # Errors
/// authz/3 when its end has passed, sdk/11.
pub fn save(
    ctx: &Ctx,
    granter: &[u8],
    grantee: &[u8],
    authorization: &Authorization,
    expiration: Option<i128>,
) -> Result<()> {
    let now = i128::from(ctx.block.time_ns);
    if let Some(ends) = expiration.filter(|ends| *ends <= now) {
        let (now, ends) = (times::rfc3339(now), times::rfc3339(ends));
        let log = format!(
            "expiration must be after the current block time ({now}), got {ends}: expiration time of authorization should be more than current time"
        );
        return Err(AppError::new("authz", 3, log));
    }
    let message = authorization.message();
    let old = grant(ctx, granter, grantee, &message)?.and_then(|g| ends(&g));
    if old != expiration {
        if let Some(old) = old {
            unqueue(ctx, old, granter, grantee, &message)?;
        }
        if let Some(ends) = expiration {
            queue(ctx, ends, granter, grantee, &message)?;
        }
    }
    let grant = Grant {
        authorization: Some(authorization.to_any()),
        expiration: expiration.map(times::stamp),
    };
    let key = keys::grant(granter, grantee, &message);
    ctx.set(STORE, &key, grant.encode_to_vec())?;
    emit(ctx, "EventGrant", granter, grantee, &message)
}

/// Takes a grant back.
///
/// # Errors
/// authz/2 when there is none, sdk/11.
pub fn delete(ctx: &Ctx, granter: &[u8], grantee: &[u8], message: &str) -> Result<()> {
    let key = keys::grant(granter, grantee, message);
    let grant = grant(ctx, granter, grantee, message)?.ok_or_else(|| {
        not_found(format_args!(
            "failed to delete grant with key {}",
            hex::encode(&key)
        ))
    })?;
    if let Some(ends) = ends(&grant) {
        unqueue(ctx, ends, granter, grantee, message)?;
    }
    ctx.remove(STORE, &key)?;
    emit(ctx, "EventRevoke", granter, grantee, message)
}

fn queue(ctx: &Ctx, ends: i128, granter: &[u8], grantee: &[u8], message: &str) -> Result<()> {
    let key = keys::queue(ends, granter, grantee)?;
    let mut item = match ctx.get(STORE, &key)? {
        Some(bytes) => GrantQueueItem::decode(bytes.as_slice()).map_err(AppError::tx_decode)?,
        None => GrantQueueItem::default(),
    };
    item.msg_type_urls.push(message.to_owned());
    ctx.set(STORE, &key, item.encode_to_vec())
}

fn unqueue(ctx: &Ctx, ends: i128, granter: &[u8], grantee: &[u8], message: &str) -> Result<()> {
    let key = keys::queue(ends, granter, grantee)?;
    let bytes = ctx.get(STORE, &key)?.ok_or_else(|| {
        let log =
            "can't remove grant from the expire queue, grant key not found: grant key not found";
        AppError::new("authz", 5, log)
    })?;
    let mut item = GrantQueueItem::decode(bytes.as_slice()).map_err(AppError::tx_decode)?;
    let place = item.msg_type_urls.iter().position(|m| m == message);
    let looked_at = place.map_or(item.msg_type_urls.len(), |i| i + 1) as u64;
    ctx.consume_gas(GAS_PER_TYPE * looked_at, "grant queue")?;
    if let Some(i) = place {
        item.msg_type_urls.swap_remove(i);
        ctx.set(STORE, &key, item.encode_to_vec())?;
    }
    Ok(())
}

/// Runs messages in their signers' names, as far as those let `grantee`; their responses. Every event of a message
/// says which one it is of.
///
/// # Errors
/// authz's when a message is not allowed; the message's.
pub fn dispatch(
    ctx: &Ctx,
    router: &dyn Router,
    grantee: &[u8],
    messages: &[Any],
) -> Result<Vec<Vec<u8>>> {
    // Messages may stand in messages.
    let mut inner = ctx.clone();
    inner.depth.calls += 1;
    if inner.depth.calls > MAX_DEPTH {
        return Err(AppError::invalid_request(format_args!(
            "expected messages at most {MAX_DEPTH} deep in each other, got more"
        )));
    }
    let mut results = Vec::with_capacity(messages.len());
    for (i, msg) in messages.iter().enumerate() {
        accept(&inner, router, grantee, msg)?;
        let before = inner.take_events();
        let response = router.handle(&inner, msg);
        let own = inner.take_events();
        // What stood there before has to stay whatever comes: a caller that catches the error keeps it.
        before.into_iter().for_each(|e| inner.emit(e));
        let response = response.map_err(|e| AppError {
            log: format!(
                "failed to execute message; message {}: {}",
                msg.type_url, e.log
            ),
            ..e
        })?;
        for event in own {
            inner.emit(event.attr("authz_msg_index", i.to_string()));
        }
        results.push(response.value);
    }
    Ok(results)
}

/// Checks that a message's signer lets `grantee` send it, and uses the grant.
fn accept(ctx: &Ctx, router: &dyn Router, grantee: &[u8], msg: &Any) -> Result<()> {
    let signers = router.signers(msg)?;
    let [granter] = signers.as_slice() else {
        let log = "authorization can be given to msg with only one signer";
        return Err(AppError::new("authz", 9, log));
    };
    let name = granter;
    let granter = crate::modules::auth::keeper::addr(ctx, granter)?;
    if granter == grantee {
        return Ok(());
    }
    let url = msg.type_url.as_str();
    let Some(grant) = grant(ctx, &granter, grantee, url)? else {
        return Err(not_found(format_args!(
            "failed to get grant with given granter: {name}, grantee: {} & msgType: {url} ",
            human(ctx, grantee)?
        )));
    };
    if ends(&grant).is_some_and(|ends| ends < i128::from(ctx.block.time_ns)) {
        return Err(AppError::new("authz", 6, "authorization expired"));
    }
    match Authorization::decode(grant.authorization.as_ref())?.accept(ctx, msg)? {
        Used::Same => Ok(()),
        Used::Spent => delete(ctx, &granter, grantee, url),
        Used::Changed(authorization) => {
            let grant = Grant {
                authorization: Some(authorization.to_any()),
                ..grant
            };
            let key = keys::grant(&granter, grantee, url);
            ctx.set(STORE, &key, grant.encode_to_vec())
        }
    }
}

/// Removes grants that have ended, before a block's transactions.
///
/// # Errors
/// When the store is broken.
pub fn begin_block(ctx: &Ctx) -> Result<()> {
    let now = times::sortable(i128::from(ctx.block.time_ns)).unwrap_or_default();
    // The end is included.
    let end = [&[keys::QUEUE][..], &now, &[0xff]].concat();
    for _ in 0..MAX_ENDS {
        let from = [keys::QUEUE];
        let Some((key, value)) = ctx.seek(STORE, &from, Some(&end), Order::Ascending)? else {
            break;
        };
        let item = GrantQueueItem::decode(value.as_slice()).map_err(AppError::tx_decode)?;
        ctx.remove(STORE, &key)?;
        let Some((granter, grantee)) = keys::queued(&key) else {
            continue;
        };
        for message in item.msg_type_urls {
            ctx.remove(STORE, &keys::grant(granter, grantee, &message))?;
        }
    }
    Ok(())
}
