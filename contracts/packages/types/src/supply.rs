//! How many devices there are.

use cosmwasm_schema::cw_serde;

/// Devices of one model of all providers who are bonded and were seen recently.
#[cw_serde]
pub struct ModelSupply {
    /// Canonical model id.
    pub model: String,
    /// Providers who have some.
    pub providers: u32,
    /// Devices.
    pub devices: u32,
    /// Of those: leased now, as far as the market could tell of which model a lease is.
    pub in_use: u32,
    /// `devices - in_use`.
    pub free: u32,
}

/// A page of the supply.
#[cw_serde]
pub struct SupplyResponse {
    /// By model, in the direction asked for.
    pub models: Vec<ModelSupply>,
    /// Continue after this model; none at the end of the list.
    pub next: Option<String>,
    /// Whether some providers are still counted though their time has passed: the hook takes them out a number a block.
    pub behind: bool,
}
