//! `tx_search`, `block_search` and pages.

use super::{
    methods::{Answer, Api, RpcError, tx_json},
    params::Params,
};
use crate::engine::filter::Filter;
use serde_json::json;
use tendermint_abci::Application;

/// CometBFT's longest query.
const MAX_QUERY: usize = 512;

impl<A: Application> Api<A> {
    pub(super) fn tx_search(&self, p: &Params) -> Answer {
        let filter = filter(p)?;
        let prove = p.flag("prove").map_err(RpcError::params)?;
        let mut hits = self.node.store().search_txs(&filter, self.node.height())?;
        if descending(p)? {
            hits.reverse();
        }
        let (from, to) = self.page(p, hits.len())?;
        let mut txs = Vec::with_capacity(to - from);
        for (height, index) in &hits[from..to] {
            txs.push(tx_json(&self.node.tx_at(*height, *index)?, prove));
        }
        Ok(json!({ "txs": txs, "total_count": hits.len().to_string() }))
    }

    pub(super) fn block_search(&self, p: &Params) -> Answer {
        let filter = filter(p)?;
        let (oldest, newest) = (self.node.base(), self.node.height());
        let mut hits = self.node.store().search_blocks(&filter, oldest, newest)?;
        // CometBFT's default here is the newest first.
        let order = p.text("order_by").map_err(RpcError::params)?;
        if descending(p)? || order.is_empty() {
            hits.reverse();
        }
        let (from, to) = self.page(p, hits.len())?;
        let blocks = hits[from..to]
            .iter()
            .map(|h| self.block_at(*h))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(json!({ "blocks": blocks, "total_count": hits.len().to_string() }))
    }

    /// From and to of the page that a call asks for, of `total` items.
    pub(super) fn page(&self, p: &Params, total: usize) -> Result<(usize, usize), RpcError> {
        let size = self.per_page(p, "per_page")?;
        let pages = total.div_ceil(size).max(1);
        let page = p.int("page").map_err(RpcError::params)?.unwrap_or(1);
        let at = usize::try_from(page)
            .ok()
            .filter(|n| (1..=pages).contains(n))
            .ok_or_else(|| {
                RpcError::internal(format!(
                    "page should be within [1, {pages}] range, given {page}"
                ))
            })?;
        let from = (at - 1) * size;
        Ok((from, (from + size).min(total)))
    }

    /// Items of a page: 30 by default, 100 at most.
    pub(super) fn per_page(&self, p: &Params, name: &str) -> Result<usize, RpcError> {
        let wanted = p.int(name).map_err(RpcError::params)?.unwrap_or(30);
        Ok(match usize::try_from(wanted) {
            Err(_) | Ok(0) => 30,
            Ok(n) => n.min(100),
        })
    }
}

fn filter(p: &Params) -> Result<Filter, RpcError> {
    let query = p.text("query").map_err(RpcError::params)?;
    if query.len() > MAX_QUERY {
        return Err(RpcError::internal("maximum query length exceeded"));
    }
    Filter::parse(&query).map_err(RpcError::internal)
}

fn descending(p: &Params) -> Result<bool, RpcError> {
    match &*p.text("order_by").map_err(RpcError::params)? {
        "" | "asc" => Ok(false),
        "desc" => Ok(true),
        _ => Err(RpcError::internal(
            "expected order_by to be either `asc` or `desc` or empty",
        )),
    }
}
