//! Pinned codes: cheap to load for everybody, and kept in memory by every node.

use super::{
    code::MAX_KEPT, fail::Res, gas_register::PIN, genesis::scan, keeper::Keeper, keys, state,
};
use crate::{
    ctx::{Event, Mode},
    store::StoreKey,
};
use cosmos_sdk_proto::cosmwasm::wasm::v1::CodeInfo;
use prost::Message;

impl Keeper {
    /// Pin a code.
    ///
    /// # Errors
    /// sdk/11, wasm/28.
    pub fn pin_code(&self, id: u64) -> Res<()> {
        let info = state::must_code(&self.ctx, id)?;
        self.ctx
            .consume_gas(PIN, "Loading CosmWasm module: pin code")?;
        self.pinned_but(None)?;
        if self.ctx.mode == Mode::Deliver {
            self.vm.keep(&state::checksum(&info)?);
        }
        state::set_pinned(&self.ctx, id)?;
        self.ctx
            .emit(Event::new("pin_code").attr("code_id", id.to_string()));
        Ok(())
    }

    /// Pin a code no more.
    ///
    /// # Errors
    /// sdk/11, wasm/28.
    pub fn unpin_code(&self, id: u64) -> Res<()> {
        let info = state::must_code(&self.ctx, id)?;
        self.ctx
            .consume_gas(PIN, "Loading CosmWasm module: unpin code")?;
        let others = self.pinned_but(Some(id))?;
        let wanted = others.contains(&info.code_hash) || self.is_kept(&info.code_hash);
        if self.ctx.mode == Mode::Deliver && !wanted {
            self.vm.drop_kept(&state::checksum(&info)?);
        }
        state::remove_pinned(&self.ctx, id)?;
        self.ctx
            .emit(Event::new("unpin_code").attr("code_id", id.to_string()));
        Ok(())
    }

    /// The checksums of all pinned codes but one. wasmd reads them whenever the list changes, and so they are paid for.
    fn pinned_but(&self, but: Option<u64>) -> Res<Vec<Vec<u8>>> {
        let ids = scan(self, &[keys::PINNED])?;
        let ids = ids.iter().map(|(key, _)| state::tail_u64(key));
        ids.filter(|id| Some(*id) != but)
            .map(|id| Ok(state::must_code(&self.ctx, id)?.code_hash))
            .collect()
    }

    /// Whether this node keeps a code in memory because it is one of the first ones.
    fn is_kept(&self, checksum: &[u8]) -> bool {
        self.ctx.with_layers(|l| {
            (1..=MAX_KEPT)
                .filter_map(|id| l.get(StoreKey::Wasm, &keys::code(id)))
                .any(|b| CodeInfo::decode(b.as_slice()).is_ok_and(|c| c.code_hash == checksum))
        })
    }
}
