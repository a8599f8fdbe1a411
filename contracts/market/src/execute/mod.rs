//! One file a message.

pub mod accept_bid;
pub mod close_lease;
pub mod close_order;
pub mod commit_bid;
pub mod create_order;
pub mod deposit;
pub mod give_notice;
pub mod place_ask;
pub mod place_bid;
pub mod report_score;
pub mod reveal_bid;
pub mod settle;
pub mod update_fees;
pub mod withdraw;
pub mod withdraw_ask;
pub mod withdraw_bid;

use crate::{account::Account, error::ContractError};
use cosmwasm_std::Addr;
use ember_types::ids::LeaseId;

fn unauthorized<T>(expected: impl Into<String>, sender: &Addr) -> Result<T, ContractError> {
    Err(ContractError::Unauthorized {
        expected: expected.into(),
        sender: sender.clone(),
    })
}

fn expect_running(account: &Account, lease_id: LeaseId) -> Result<(), ContractError> {
    if account.is_running(lease_id) {
        return Ok(());
    }
    Err(ContractError::LeaseClosed { lease_id })
}
