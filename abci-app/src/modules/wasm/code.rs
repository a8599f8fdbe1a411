//! Storing code.

use super::{
    access,
    fail::{Code, Fail, Res},
    gas_register,
    keeper::Keeper,
    keys, state,
};
use crate::{
    ctx::{Event, Mode},
    error::AppError,
};
use cosmos_sdk_proto::cosmwasm::wasm::v1::{AccessConfig, CodeInfo};
use flate2::read::GzDecoder;
use std::{borrow::Cow, io::Read};

/// The largest code, packed or not.
pub(super) const MAX_WASM: usize = 800 * 1024;
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
        let wasm = if is_gzip(wasm) {
            ctx.consume_gas(
                gas_register::uncompress(wasm.len()),
                "Uncompress gzip bytecode",
            )?;
            Cow::Owned(unpack(wasm, MAX_WASM)?)
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

/// Whether `bytes` start as gzip does.
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1f\x8b\x08")
}

/// Unpack one gzip member of at most `limit` bytes.
///
/// # Errors
/// wasm/2.
pub(super) fn unpack(gzip: &[u8], limit: usize) -> Res<Vec<u8>> {
    let mut out = Vec::new();
    let bad = |e: &dyn std::fmt::Display| {
        Fail::new(
            Code::CreateFailed,
            format_args!("uncompress wasm archive: {e}"),
        )
    };
    GzDecoder::new(gzip)
        .take(limit as u64 + 1)
        .read_to_end(&mut out)
        .map_err(|e| bad(&e))?;
    if out.len() > limit {
        return Err(bad(&format_args!("max {limit} bytes: exceeds limit")));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut e = GzEncoder::new(Vec::new(), Compression::best());
        e.write_all(bytes).unwrap();
        e.finish().unwrap()
    }

    #[test]
    fn a_gzip_bomb_is_stopped_at_the_limit() {
        assert_eq!(unpack(&pack(&[7; 1000]), 1000).unwrap(), vec![7; 1000]);
        let bomb = pack(&vec![0; 50_000_000]);
        assert!(bomb.len() < MAX_WASM && is_gzip(&bomb));
        assert!(
            unpack(&bomb, MAX_WASM)
                .unwrap_err()
                .app
                .log
                .contains("exceeds limit")
        );
        assert!(unpack(&pack(b"x")[..12], 10).is_err(), "cut short");
    }
}
