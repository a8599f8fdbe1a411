//! The fee schedule and the totals of each denom.

use crate::{
    error::ContractError,
    state::{FEES, LEDGERS, Ledger},
};
use cosmwasm_std::{Order, StdResult, Storage};
use ember_types::{error::ValidationError, fees::DenomFees, lean::Lean};

/// Most denoms of a schedule.
pub const MAX_DENOMS: usize = 32;

/// The schedule of a denom.
///
/// # Errors
/// When the market does not trade in it; the error names those that it does.
pub fn of(storage: &dyn Storage, denom: &str) -> Result<DenomFees, ContractError> {
    match FEES.may_load(storage, denom)? {
        Some(Lean(fees)) => Ok(fees),
        None => Err(ContractError::UnknownDenom {
            denom: denom.chars().take(128).collect(),
            known: FEES
                .keys(storage, None, None, Order::Ascending)
                .collect::<StdResult<Vec<_>>>()?
                .join(", "),
        }),
    }
}

/// The whole schedule by denom.
///
/// # Errors
/// When the storage is broken.
pub fn all(storage: &dyn Storage) -> Result<Vec<DenomFees>, ContractError> {
    FEES.range(storage, None, None, Order::Ascending)
        .map(|row| Ok(row?.1.0))
        .collect()
}

/// Replaces the schedule.
///
/// # Errors
/// When an entry is not valid, a denom is given twice, or there are none or too many.
pub fn replace(storage: &mut dyn Storage, fees: &[DenomFees]) -> Result<(), ContractError> {
    if fees.is_empty() || fees.len() > MAX_DENOMS {
        let expected = format!("1 to {MAX_DENOMS} entries");
        return Err(ValidationError::range("fees", expected, fees.len()).into());
    }
    FEES.clear(storage);
    for entry in fees {
        entry.validate()?;
        if FEES.has(storage, &entry.denom) {
            return Err(ContractError::DuplicateDenom {
                denom: entry.denom.clone(),
            });
        }
        FEES.save(storage, &entry.denom, &Lean(entry.clone()))?;
    }
    Ok(())
}

/// Changes a denom's totals.
///
/// # Errors
/// When a total leaves 128 bits.
pub fn ledger(
    storage: &mut dyn Storage,
    denom: &str,
    change: impl FnOnce(&mut Ledger) -> Result<(), ContractError>,
) -> Result<(), ContractError> {
    let mut ledger = LEDGERS.may_load(storage, denom)?.unwrap_or_default();
    change(&mut ledger)?;
    Ok(LEDGERS.save(storage, denom, &ledger)?)
}
