//! The codes' blobs, for snapshots of the state: the state names them by their SHA-256 and does not hold them.

use super::{WasmModule, genesis, keys, state};
use crate::{ctx::Ctx, error::Result};
use cosmwasm_std::Checksum;

impl WasmModule {
    /// The checksums of the code that the state names, each once, ascending.
    ///
    /// # Errors
    /// When the store is broken.
    pub fn checksums(&self, ctx: &Ctx) -> Result<Vec<[u8; 32]>> {
        self.without_gas(ctx, |k| {
            let mut all = Vec::new();
            for (key, _) in genesis::scan(k, &[keys::CODE])? {
                let info = state::must_code(&k.ctx, state::tail_u64(&key))?;
                // A checksum has 32 bytes.
                all.extend(<[u8; 32]>::try_from(state::checksum(&info)?.as_slice()));
            }
            all.sort_unstable();
            all.dedup();
            Ok(all)
        })
    }

    /// The code with this checksum.
    ///
    /// # Errors
    /// wasm/8 when it is not on this node's disk.
    pub fn blob(&self, checksum: &[u8; 32]) -> Result<Vec<u8>> {
        Ok(self.vm.blob(&Checksum::from(*checksum))?)
    }

    /// Puts code on this node's disk; it is there for good when this returns. Idempotent.
    ///
    /// # Errors
    /// wasm/2 when it is no contract's code.
    pub fn keep_blob(&self, wasm: &[u8]) -> Result<()> {
        self.vm.store(wasm, true)?;
        Ok(())
    }
}
