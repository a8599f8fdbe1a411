//! Messages that only the chain itself can send to a contract.

use cosmwasm_schema::cw_serde;

/// Sent by the chain, never by an account.
#[cw_serde]
pub enum SudoMsg {
    /// After the last transaction of every block. Does a bounded number of due items; the rest waits for the next block.
    EndBlock {},
}
