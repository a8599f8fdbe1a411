//! Which contracts the chain calls after the last transaction of every block, and in which order.

use crate::{
    ctx::Ctx,
    error::{AppError, Result},
    modules::auth::keeper::{addr, human},
    store::StoreKey,
};
use serde_json::{Value, json};

/// The most gas that one contract's hook may use in a block. A hook that runs out is undone and tried again in the next
/// block, for ever if its due items never fit, so this lies far above what a bounded hook needs: the largest block of the market's
/// that `tests/costs.rs` knows takes under 200 million.
pub const MAX_GAS: u64 = 1_000_000_000;

const KEY: &[u8] = b"endBlock";

/// The contracts, in the order in which they are called.
pub fn contracts(ctx: &Ctx) -> Vec<Vec<u8>> {
    let bytes = ctx
        .with_layers(|l| l.get(StoreKey::Hooks, KEY))
        .unwrap_or_default();
    let mut rest = bytes.as_slice();
    let mut out = Vec::new();
    while let Some((len, tail)) = rest.split_first() {
        let (one, tail) = tail.split_at(usize::from(*len).min(tail.len()));
        out.push(one.to_vec());
        rest = tail;
    }
    out
}

/// Reads `app_state.hooks`.
///
/// # Errors
/// sdk/18 when it names something that is no address.
pub fn import(ctx: &Ctx, app_state: &Value) -> Result<()> {
    let empty = Vec::new();
    let mut bytes = Vec::new();
    for contract in app_state["hooks"]["end_block"].as_array().unwrap_or(&empty) {
        let text = contract.as_str().ok_or_else(|| {
            AppError::invalid_request(
                "genesis: app_state.hooks.end_block: expected a list of contract addresses",
            )
        })?;
        let contract = addr(ctx, text)?;
        bytes.push(contract.len().to_le_bytes()[0]);
        bytes.extend(contract);
    }
    ctx.with_layers(|l| l.set(StoreKey::Hooks, KEY, bytes));
    Ok(())
}

/// Writes `app_state.hooks`.
///
/// # Errors
/// When the chain has no prefix.
pub fn export(ctx: &Ctx) -> Result<Value> {
    let list = contracts(ctx)
        .iter()
        .map(|c| human(ctx, c))
        .collect::<Result<Vec<_>>>()?;
    Ok(json!({ "end_block": list }))
}
