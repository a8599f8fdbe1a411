//! Which module a message belongs to.

use super::told::Told;
use crate::{
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth, authz, bank, consensus, distribution, evidence, feegrant, gov, mint, router::Router,
        slashing, staking, upgrade, vesting, wasm::WasmModule,
    },
};
use cosmos_sdk_proto::Any;

/// The type URLs of the wasm module's messages start so.
const WASM: &str = "/cosmwasm.wasm.v1.";

/// Every module of this chain.
#[derive(Clone, Copy)]
pub struct Modules<'a> {
    /// The contracts.
    pub wasm: &'a WasmModule,
}

impl Router for Modules<'_> {
    fn signers(&self, msg: &Any) -> Result<Vec<String>> {
        let (url, value) = (msg.type_url.as_str(), msg.value.as_slice());
        if url.starts_with(WASM) {
            return self.wasm.signers(url, value);
        }
        bank::msg::signers(url, value)
            .or_else(|| auth::msg::signers(url, value))
            .or_else(|| authz::msg::signers(url, value))
            .or_else(|| consensus::msg::signers(url, value))
            .or_else(|| distribution::msg::signers(url, value))
            .or_else(|| evidence::msg::signers(url, value))
            .or_else(|| feegrant::msg::signers(url, value))
            .or_else(|| gov::msg::signers(url, value))
            .or_else(|| mint::msg::signers(url, value))
            .or_else(|| slashing::msg::signers(url, value))
            .or_else(|| staking::msg::signers(url, value))
            .or_else(|| upgrade::msg::signers(url, value))
            .or_else(|| vesting::msg::signers(url, value))
            .unwrap_or_else(|| Err(unknown(url)))
    }

    fn handle(&self, ctx: &Ctx, msg: &Any) -> Result<Any> {
        let (url, value) = (msg.type_url.as_str(), msg.value.as_slice());
        let (type_url, value) = if url.starts_with(WASM) {
            self.wasm.handle_msg(ctx, url, value)?
        } else {
            bank::msg::handle(ctx, url, value)
                .or_else(|| auth::msg::handle(ctx, url, value))
                .or_else(|| authz::msg::handle(ctx, self, url, value))
                .or_else(|| consensus::msg::handle(ctx, url, value))
                .or_else(|| distribution::msg::handle(ctx, url, value))
                .or_else(|| evidence::msg::handle(ctx, url, value))
                .or_else(|| feegrant::msg::handle(ctx, url, value))
                .or_else(|| gov::msg::handle(ctx, self, url, value))
                .or_else(|| mint::msg::handle(ctx, url, value))
                .or_else(|| slashing::msg::handle(ctx, &Told, url, value))
                .or_else(|| staking::msg::handle(ctx, &Told, url, value))
                .or_else(|| upgrade::msg::handle(ctx, url, value))
                .or_else(|| vesting::msg::handle(ctx, url, value))
                .unwrap_or_else(|| Err(unknown(url)))?
        };
        Ok(Any { type_url, value })
    }
}

fn unknown(type_url: &str) -> AppError {
    let shown: String = type_url.chars().take(128).collect();
    AppError::tx_decode(format_args!("unable to resolve type URL {shown}"))
}
