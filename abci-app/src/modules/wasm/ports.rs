//! What the contracts need of the chain below them.

use super::WasmModule;
use crate::{ctx::Ctx, error::Result};
use cosmos_sdk_proto::{
    Any,
    cosmos::{bank::v1beta1::Metadata, base::v1beta1::Coin},
};

/// What stands at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// Nothing.
    Absent,
    /// An account that nobody has signed with: coins were sent there.
    Unused,
    /// Somebody's.
    Claimed,
}

/// Bank, accounts and the address prefix. Every method charges gas on the context and emits the SDK's events.
pub trait Chain: Send + Sync {
    /// The bech32 prefix of accounts. Free of gas: it is part of the node's configuration in the SDK.
    ///
    /// # Errors
    /// Before genesis has set it.
    fn prefix(&self, ctx: &Ctx) -> Result<String>;

    /// What stands at `addr`.
    ///
    /// # Errors
    /// sdk/11.
    fn account(&self, ctx: &Ctx, addr: &[u8]) -> Result<Account>;

    /// Make an empty account at `addr`, where there is none.
    ///
    /// # Errors
    /// sdk/11.
    fn create_account(&self, ctx: &Ctx, addr: &[u8]) -> Result<()>;

    /// Move coins; refused for blocked recipients and denoms that may not be sent.
    ///
    /// # Errors
    /// sdk/4, sdk/5, sdk/10, sdk/11.
    fn send(&self, ctx: &Ctx, from: &[u8], to: &[u8], coins: &[Coin]) -> Result<()>;

    /// Destroy coins.
    ///
    /// # Errors
    /// sdk/5, sdk/10, sdk/11.
    fn burn(&self, ctx: &Ctx, from: &[u8], coins: &[Coin]) -> Result<()>;

    /// One balance; zero when there is none.
    ///
    /// # Errors
    /// sdk/11.
    fn balance(&self, ctx: &Ctx, addr: &[u8], denom: &str) -> Result<Coin>;

    /// All balances, by denom.
    ///
    /// # Errors
    /// sdk/11.
    fn all_balances(&self, ctx: &Ctx, addr: &[u8]) -> Result<Vec<Coin>>;

    /// The supply of a denom; zero when there is none.
    ///
    /// # Errors
    /// sdk/11.
    fn supply(&self, ctx: &Ctx, denom: &str) -> Result<Coin>;

    /// The metadata of a denom.
    ///
    /// # Errors
    /// sdk/11.
    fn denom_metadata(&self, ctx: &Ctx, denom: &str) -> Result<Option<Metadata>>;

    /// Asks another module a query of its gRPC service.
    ///
    /// # Errors
    /// The query's; sdk/6 for one that contracts may not ask.
    fn ask(&self, ctx: &Ctx, path: &str, data: &[u8]) -> Result<Vec<u8>>;

    /// Who must sign a message of any module, as addresses in text. `wasm` is the module that asks.
    ///
    /// # Errors
    /// sdk/2 for a message that this chain does not have.
    fn signers(&self, wasm: &WasmModule, msg: &Any) -> Result<Vec<String>>;

    /// Run a message of any module whose signers were checked; its response.
    ///
    /// # Errors
    /// The message's.
    fn handle(&self, ctx: &Ctx, wasm: &WasmModule, msg: &Any) -> Result<Any>;
}
