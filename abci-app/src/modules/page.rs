//! Pages of a store, as the SDK's `query.Paginate` makes them.

use crate::{
    ctx::Ctx,
    error::{AppError, Result},
    store::{Order, StoreKey, prefix_end},
};
use cosmos_sdk_proto::cosmos::base::query::v1beta1::{PageRequest, PageResponse};

/// Entries of a page when none are asked for.
const DEFAULT_LIMIT: u64 = 100;
/// Most entries of a page.
const MAX_LIMIT: u64 = 1_000;

/// A key without its prefix, and the value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// One page of what is below `prefix`. The page response is always there: clients loop without.
///
/// The total is counted when it is asked for, or when no limit is, as the SDK does.
///
/// # Errors
/// When an offset and a key are asked for at once, or gas runs out.
pub fn paginate(
    ctx: &Ctx,
    store: StoreKey,
    prefix: &[u8],
    request: Option<PageRequest>,
) -> Result<(Vec<Pair>, PageResponse)> {
    paginate_if(ctx, store, prefix, request, |_| Ok(true))
}

/// The same of those entries whose value `wanted` takes, as `query.FilteredPaginate`.
///
/// # Errors
/// Those of [`paginate`] and of `wanted`.
pub fn paginate_if(
    ctx: &Ctx,
    store: StoreKey,
    prefix: &[u8],
    request: Option<PageRequest>,
    wanted: impl Fn(&[u8]) -> Result<bool>,
) -> Result<(Vec<Pair>, PageResponse)> {
    paginate_keys(ctx, store, prefix, request, |_, value| wanted(value))
}

/// The same of those entries whose key, without the prefix, and value `wanted` takes.
///
/// # Errors
/// Those of [`paginate`] and of `wanted`.
pub fn paginate_keys(
    ctx: &Ctx,
    store: StoreKey,
    prefix: &[u8],
    request: Option<PageRequest>,
    wanted: impl Fn(&[u8], &[u8]) -> Result<bool>,
) -> Result<(Vec<Pair>, PageResponse)> {
    let request = request.unwrap_or_default();
    if request.offset > 0 && !request.key.is_empty() {
        return Err(AppError::invalid_request(
            "rpc error: code = InvalidArgument desc = paginate: invalid request, either offset or key is expected, got both",
        ));
    }
    let (limit, count) = match request.limit {
        0 => (DEFAULT_LIMIT, true),
        n => (n.min(MAX_LIMIT), request.count_total),
    };
    let count = count && request.key.is_empty();
    let at = [prefix, &request.key].concat();
    let (mut from, mut to, order) = if request.reverse {
        // The page starts with the key itself.
        let to = if request.key.is_empty() {
            prefix_end(prefix)
        } else {
            Some([&at, [0].as_slice()].concat())
        };
        (prefix.to_vec(), to, Order::Descending)
    } else {
        (at, prefix_end(prefix), Order::Ascending)
    };
    let (mut page, mut next_key, mut seen) = (Vec::new(), Vec::new(), 0);
    while let Some((key, value)) = ctx.seek(store, &from, to.as_deref(), order)? {
        let own = key.get(prefix.len()..).unwrap_or_default();
        if wanted(own, &value)? {
            let full = page.len() as u64 == limit;
            if full && next_key.is_empty() {
                next_key = own.to_vec();
            }
            if full && !count {
                break;
            }
            if seen >= request.offset && !full {
                page.push((own.to_vec(), value));
            }
            seen += 1;
        }
        match order {
            Order::Ascending => from = [&key, [0].as_slice()].concat(),
            Order::Descending => to = Some(key),
        }
    }
    let total = if count { seen } else { 0 };
    Ok((page, PageResponse { next_key, total }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ctx::{BlockInfo, Mode},
        gas::GasMeter,
        store::{Layers, kv::MemBase},
    };
    use std::sync::Arc;

    fn keys(request: PageRequest) -> (String, String, u64) {
        let ctx = Ctx::new(
            Layers::new(Arc::new(MemBase::default())),
            GasMeter::new(u64::MAX),
            BlockInfo {
                height: 1,
                time_ns: 0,
                chain_id: String::new(),
            },
            Mode::Query,
        );
        for k in ["oz", "pa", "pb", "pc", "pd", "pe", "q"] {
            ctx.with_layers(|l| l.set(StoreKey::Bank, k.as_bytes(), vec![1]));
        }
        let (page, response) = paginate(&ctx, StoreKey::Bank, b"p", Some(request)).unwrap();
        let text = |k: Vec<u8>| String::from_utf8(k).unwrap();
        let all = page.into_iter().map(|(k, _)| text(k)).collect();
        (all, text(response.next_key), response.total)
    }

    #[test]
    fn pages_are_the_sdks() {
        let ask = |key: &str, offset, limit, count_total, reverse| {
            keys(PageRequest {
                key: key.into(),
                offset,
                limit,
                count_total,
                reverse,
            })
        };
        let is = |all: &str, next: &str, total| (all.to_owned(), next.to_owned(), total);
        assert_eq!(
            ask("", 0, 0, false, false),
            is("abcde", "", 5),
            "no limit: the total is counted"
        );
        assert_eq!(ask("", 0, 2, false, false), is("ab", "c", 0));
        assert_eq!(ask("", 0, 2, true, false), is("ab", "c", 5));
        assert_eq!(
            ask("c", 0, 2, true, false),
            is("cd", "e", 0),
            "with a key there is no total"
        );
        assert_eq!(ask("", 3, 9, true, false), is("de", "", 5));
        assert_eq!(ask("", 9, 2, false, false), is("", "", 0));
        assert_eq!(ask("", 0, 2, false, true), is("ed", "c", 0));
        assert_eq!(ask("c", 0, 2, false, true), is("cb", "a", 0));
        assert_eq!(ask("", 1, 2, true, true), is("dc", "b", 5));
    }
}
