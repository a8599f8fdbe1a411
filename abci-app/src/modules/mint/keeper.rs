//! The store, laid out as the SDK's: `0x00` the minter, `0x01` the parameters; and what a block makes.

use super::params::{Minter, Params};
use crate::{
    codec::{address, coins::Coins},
    ctx::{Ctx, Event},
    error::{AppError, Result},
    modules::{bank, stakes},
    store::StoreKey,
};
use cosmos_sdk_proto::cosmos::mint::v1beta1 as proto;
use prost::Message;

const STORE: StoreKey = StoreKey::Mint;
const MINTER: &[u8] = &[0x00];
const PARAMS: &[u8] = &[0x01];

/// The module's account: what is made passes through it.
pub fn account() -> Vec<u8> {
    address::module("mint")
}

/// The parameters; `None` on a chain without inflation.
///
/// # Errors
/// sdk/11; sdk/2 when the store is broken.
pub fn params(ctx: &Ctx) -> Result<Option<Params>> {
    ctx.get(STORE, PARAMS)?
        .map(|b| {
            Params::from_proto(proto::Params::decode(b.as_slice()).map_err(AppError::tx_decode)?)
        })
        .transpose()
}

/// Where inflation stands; `None` on a chain without.
///
/// # Errors
/// sdk/11; sdk/2 when the store is broken.
pub fn minter(ctx: &Ctx) -> Result<Option<Minter>> {
    ctx.get(STORE, MINTER)?
        .map(|b| {
            Minter::from_proto(&proto::Minter::decode(b.as_slice()).map_err(AppError::tx_decode)?)
        })
        .transpose()
}

/// Stores the parameters. The caller has checked them.
///
/// # Errors
/// sdk/11.
pub fn set_params(ctx: &Ctx, params: &Params) -> Result<()> {
    ctx.set(STORE, PARAMS, params.to_proto().encode_to_vec())
}

/// Stores where inflation stands.
///
/// # Errors
/// sdk/11.
pub fn set_minter(ctx: &Ctx, minter: &Minter) -> Result<()> {
    ctx.set(STORE, MINTER, minter.to_proto().encode_to_vec())
}

/// Makes a block's coins and hands them to the fee collector (`DefaultMintFn`). Nothing on a chain without inflation.
///
/// # Errors
/// When the supply would exceed 128 bits or the state cannot be read: the node must stop.
pub fn begin_block(ctx: &Ctx) -> Result<()> {
    let (Some(params), Some(mut minter)) = (params(ctx)?, minter(ctx)?) else {
        return Ok(());
    };
    let bonded_ratio = stakes::bonded_ratio(ctx)?;
    minter.inflation = params.next_inflation(&minter.inflation, &bonded_ratio)?;
    minter.annual_provisions = minter.inflation.mul_int(stakes::supply(ctx)?);
    set_minter(ctx, &minter)?;
    let amount = minter.block_provision(&params)?;
    let mut coins = Coins::new();
    if amount > 0 {
        coins.push((params.mint_denom, amount));
        bank::keeper::mint_coins(ctx, &account(), &coins)?;
    }
    // The SDK sends nothing too, with its events.
    bank::keeper::send(ctx, &account(), &address::module("fee_collector"), &coins)?;
    ctx.emit(
        Event::new("mint")
            .attr("bonded_ratio", bonded_ratio.to_string())
            .attr("inflation", minter.inflation.to_string())
            .attr("annual_provisions", minter.annual_provisions.to_string())
            .attr("amount", amount.to_string()),
    );
    Ok(())
}
