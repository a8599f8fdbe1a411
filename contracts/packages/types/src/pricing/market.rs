//! Standing asks: providers post rate, device and units; an order crosses at once, best price then oldest, or
//! is refused when no ask admits it.

use super::Offer;
use crate::{error::ValidationError, ids::BidId};
use cosmwasm_schema::cw_serde;

/// Parameters of a market order: none, the order's ceiling is its limit price.
#[cw_serde]
pub struct Market {}

impl Market {
    pub(super) fn validate(&self) -> Result<(), ValidationError> {
        Ok(())
    }

    pub(super) fn winner(&self, units: u32, offers: &[Offer]) -> Option<BidId> {
        super::cheapest_then_oldest(units, offers)
    }
}
