//! Storing code.

use super::{
    fail::{Code, Fail, Res},
    gas_register,
    keeper::Keeper,
    keys, state,
};
use crate::{
    codec::gzip,
    ctx::{Event, Mode},
    error::AppError,
    modules::access,
};
use cosmos_sdk_proto::cosmwasm::wasm::v1::{AccessConfig, CodeInfo};
use std::borrow::Cow;

/// How many codes a node keeps compiled in memory beside those pinned on chain. Uploads cost less than memory.
pub(super) const MAX_KEPT: u64 = 32;

impl Keeper {
    /// Store `wasm`, gzipped or not; its id and checksum.
    ///
    /// # Errors
    /// sdk/4, sdk/11, wasm/2.
    pub fn store_code(
        &self,
        creator: &[u8],
        wasm: &[u8],
        permission: Option<AccessConfig>,
    ) -> Res<(u64, Vec<u8>)> {
        let ctx = &self.ctx;
        let policy = self.policy(creator);
        let creator = self.human(creator)?;
        let params = state::params(ctx)?;
        let default = access::default_for(params.instantiate_default_permission, &creator);
        let permission = permission.unwrap_or_else(|| default.clone());
        let upload = params.code_upload_access.unwrap_or_default();
        if !policy.may_create(&upload, &default, &creator, &permission) {
            return Err(AppError::unauthorized("can not create code").into());
        }
        let wasm = if gzip::is_gzip(wasm) {
            ctx.consume_gas(gzip::cost(wasm.len()), "Uncompress gzip bytecode")?;
            Cow::Owned(unpack(wasm, access::MAX_WASM)?)
        } else {
            Cow::Borrowed(wasm)
        };
        // Paid before it is done: compiling is the dearest thing a message can ask for.
        ctx.consume_gas(gas_register::compile(wasm.len()), "wasm contract")?;
        let simulation = ctx.mode != Mode::Deliver;
        let checksum = self.vm.store(&wasm, !simulation)?;
        let required = if simulation {
            Default::default()
        } else {
            self.vm.analyze(&checksum)?.required_capabilities
        };
        let id = state::next_sequence(ctx, keys::SEQ_CODE)?;
        let info = CodeInfo {
            code_hash: checksum.as_slice().to_vec(),
            creator,
            instantiate_config: Some(permission),
        };
        state::set_code(ctx, id, &info)?;
        let mut event = Event::new("store_code")
            .attr("code_checksum", checksum.to_hex())
            .attr("code_id", id.to_string());
        for capability in required {
            event = event.attr("required_capability", capability);
        }
        ctx.emit(event);
        if !simulation && id <= MAX_KEPT {
            self.vm.pin(&checksum)?;
        }
        Ok((id, info.code_hash))
    }
}

/// Unpack code.
///
/// # Errors
/// wasm/2.
pub(super) fn unpack(packed: &[u8], limit: usize) -> Res<Vec<u8>> {
    gzip::unpack(packed, limit).map_err(|e| {
        Fail::new(
            Code::CreateFailed,
            format_args!("uncompress wasm archive: {e}"),
        )
    })
}
