//! The gas meter and the SDK's costs.

use crate::error::{AppError, Result};

/// SDK `KVGasConfig`: what store accesses cost.
pub mod cost {
    /// `HasCost`.
    pub const HAS: u64 = 1_000;
    /// `DeleteCost`.
    pub const DELETE: u64 = 1_000;
    /// `ReadCostFlat`.
    pub const READ_FLAT: u64 = 1_000;
    /// `ReadCostPerByte`, over key and value.
    pub const READ_BYTE: u64 = 3;
    /// `WriteCostFlat`.
    pub const WRITE_FLAT: u64 = 2_000;
    /// `WriteCostPerByte`, over key and value.
    pub const WRITE_BYTE: u64 = 30;
    /// `IterNextCostFlat`.
    pub const ITER_NEXT: u64 = 30;
    /// auth `TxSizeCostPerByte`.
    pub const TX_BYTE: u64 = 10;
    /// auth `SigVerifyCostSecp256k1`.
    pub const SECP256K1: u64 = 1_000;
}

/// Gas of one transaction or one block hook.
#[derive(Debug, Clone)]
pub struct GasMeter {
    limit: u64,
    used: u64,
}

impl GasMeter {
    /// A meter that refuses more than `limit`; `u64::MAX` never refuses.
    pub const fn new(limit: u64) -> Self {
        Self { limit, used: 0 }
    }

    /// Take `amount`. What is over the limit is still counted, as the SDK does.
    ///
    /// # Errors
    /// sdk/11 when the limit is exceeded.
    pub fn consume(&mut self, amount: u64, what: &'static str) -> Result<()> {
        self.used = self.used.saturating_add(amount);
        if self.used > self.limit {
            return Err(AppError::out_of_gas(format_args!(
                "out of gas in location: {what}; gasWanted: {}, gasUsed: {}",
                self.limit, self.used
            )));
        }
        Ok(())
    }

    /// Gas used so far.
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// The limit.
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// Gas left.
    pub const fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}
