//! The way from a message to its module. Modules whose messages carry messages (authz, gov, contracts) are handed it;
//! the application implements it.

use crate::{ctx::Ctx, error::Result};
use cosmos_sdk_proto::Any;

/// Messages of every module of the chain.
pub trait Router {
    /// Who must sign a message, in order, as addresses in text.
    ///
    /// # Errors
    /// sdk/2 when the message is not one, or none of this chain.
    fn signers(&self, msg: &Any) -> Result<Vec<String>>;

    /// Runs a message whose signers were checked; its response. On an error the caller drops what it wrote.
    ///
    /// # Errors
    /// The message's.
    fn handle(&self, ctx: &Ctx, msg: &Any) -> Result<Any>;
}
