//! What may be done in another's name.

use super::{contracts, stake};
use crate::{
    codec::{coins, strict, type_url},
    ctx::Ctx,
    error::{AppError, Result},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        authz::v1beta1::GenericAuthorization,
        bank::v1beta1::{MsgSend, SendAuthorization},
        staking::v1beta1::StakeAuthorization,
    },
    cosmwasm::wasm::v1::{
        ContractExecutionAuthorization, ContractMigrationAuthorization, MsgExecuteContract,
        MsgMigrateContract, MsgStoreCode, StoreCodeAuthorization,
    },
};
use prost::{Message, Name};

/// What the look at one allowed recipient costs.
const GAS_PER_RECIPIENT: u64 = 10;

/// An authorization.
#[derive(Debug, Clone, PartialEq)]
pub enum Authorization {
    /// Any message of one type.
    Generic(GenericAuthorization),
    /// Sends of so much, to these recipients or to anyone.
    Send(SendAuthorization),
    /// Delegations and their ends, of so much, with some validators.
    Stake(StakeAuthorization),
    /// Executions of some contracts.
    Execution(ContractExecutionAuthorization),
    /// Migrations of some contracts.
    Migration(ContractMigrationAuthorization),
    /// Uploads of some codes.
    Code(StoreCodeAuthorization),
}

/// What becomes of an authorization that has been used.
#[derive(Debug, Clone, PartialEq)]
pub enum Used {
    /// It stays.
    Same,
    /// It changes.
    Changed(Authorization),
    /// Nothing is left of it.
    Spent,
}

impl Authorization {
    /// The authorization in an `Any`.
    ///
    /// # Errors
    /// sdk/29 when there is none, sdk/2 when it is of no known kind.
    pub fn decode(any: Option<&Any>) -> Result<Self> {
        let any =
            any.ok_or_else(|| AppError::new("sdk", 29, "authorization is nil: invalid type"))?;
        let value = any.value.as_slice();
        match any.type_url.strip_prefix('/') {
            Some(name) if name == GenericAuthorization::full_name() => {
                strict("GenericAuthorization", value).map(Self::Generic)
            }
            Some(name) if name == SendAuthorization::full_name() => {
                strict("SendAuthorization", value).map(Self::Send)
            }
            Some(name) if name == StakeAuthorization::full_name() => {
                strict("StakeAuthorization", value).map(Self::Stake)
            }
            Some(name) if name == ContractExecutionAuthorization::full_name() => {
                let a: ContractExecutionAuthorization =
                    strict("ContractExecutionAuthorization", value)?;
                contracts::known(&a.grants).map(|()| Self::Execution(a))
            }
            Some(name) if name == ContractMigrationAuthorization::full_name() => {
                let a: ContractMigrationAuthorization =
                    strict("ContractMigrationAuthorization", value)?;
                contracts::known(&a.grants).map(|()| Self::Migration(a))
            }
            Some(name) if name == StoreCodeAuthorization::full_name() => {
                strict("StoreCodeAuthorization", value).map(Self::Code)
            }
            _ => Err(AppError::tx_decode(format_args!(
                "no concrete type registered for type URL {} against interface *authz.Authorization",
                any.type_url.chars().take(128).collect::<String>()
            ))),
        }
    }

    /// As an `Any`.
    pub fn to_any(&self) -> Any {
        fn any<M: Message + Name>(m: &M) -> Any {
            Any {
                type_url: type_url::<M>(),
                value: m.encode_to_vec(),
            }
        }
        match self {
            Self::Generic(a) => any(a),
            Self::Send(a) => any(a),
            Self::Stake(a) => any(a),
            Self::Execution(a) => any(a),
            Self::Migration(a) => any(a),
            Self::Code(a) => any(a),
        }
    }

    /// The type of the messages that it is for.
    pub fn message(&self) -> String {
        match self {
            Self::Generic(a) => a.msg.clone(),
            Self::Send(_) => type_url::<MsgSend>(),
            Self::Stake(a) => stake::message(a),
            Self::Execution(_) => type_url::<MsgExecuteContract>(),
            Self::Migration(_) => type_url::<MsgMigrateContract>(),
            Self::Code(_) => type_url::<MsgStoreCode>(),
        }
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    /// sdk/10, bank/8, authz/4, authz/12; undefined/1 for an empty type; wasm's for contracts.
    pub fn check(&self, ctx: &Ctx) -> Result<()> {
        match self {
            Self::Generic(a) if a.msg.is_empty() => {
                Err(AppError::new("undefined", 1, "msg type cannot be empty"))
            }
            Self::Generic(_) => Ok(()),
            Self::Stake(a) => stake::check(a),
            Self::Execution(a) => contracts::check(ctx, &a.grants),
            Self::Migration(a) => contracts::check(ctx, &a.grants),
            Self::Code(a) => contracts::check_codes(ctx, &a.grants),
            Self::Send(a) if a.spend_limit.is_empty() => {
                Err(AppError::invalid_coins("spend limit cannot be nil"))
            }
            Self::Send(a) => {
                coins::check(&a.spend_limit)
                    .map_err(|_| AppError::invalid_coins("spend limit must be positive"))?;
                let mut recipients: Vec<_> = a.allow_list.iter().collect();
                recipients.sort();
                if recipients.windows(2).any(|two| two[0] == two[1]) {
                    return Err(AppError::new("bank", 8, "duplicate entry"));
                }
                Ok(())
            }
        }
    }

    /// Uses it for one message.
    ///
    /// # Errors
    /// sdk/5 and sdk/4 when it does not allow the message, sdk/11.
    pub fn accept(&self, ctx: &Ctx, msg: &Any) -> Result<Used> {
        match self {
            Self::Generic(_) => Ok(Used::Same),
            Self::Stake(a) => Ok(match stake::accept(ctx, a, msg)? {
                Some(left) => Used::Changed(Self::Stake(left)),
                None => Used::Spent,
            }),
            Self::Execution(a) => contracts::accept_execution(ctx, &a.grants, msg, |grants| {
                Used::Changed(Self::Execution(ContractExecutionAuthorization { grants }))
            }),
            Self::Migration(a) => contracts::accept_migration(ctx, &a.grants, msg, |grants| {
                Used::Changed(Self::Migration(ContractMigrationAuthorization { grants }))
            }),
            Self::Code(a) => contracts::accept_code(ctx, a, msg),
            Self::Send(a) => {
                if msg.type_url != type_url::<MsgSend>() {
                    return Err(AppError::new("sdk", 29, "type mismatch: invalid type"));
                }
                let send: MsgSend = strict("MsgSend", &msg.value)?;
                let (limit, amount) = (coins::check(&a.spend_limit)?, coins::check(&send.amount)?);
                let left = coins::minus(&limit, &amount).ok_or_else(|| {
                    AppError::insufficient_funds("requested amount is more than spend limit")
                })?;
                let place = a.allow_list.iter().position(|r| *r == send.to_address);
                let looked_at = place.map_or(a.allow_list.len(), |i| i + 1) as u64;
                ctx.consume_gas(GAS_PER_RECIPIENT * looked_at, "send authorization")?;
                if !a.allow_list.is_empty() && place.is_none() {
                    return Err(AppError::unauthorized(format_args!(
                        "cannot send to {} address",
                        send.to_address
                    )));
                }
                if left.is_empty() {
                    return Ok(Used::Spent);
                }
                Ok(Used::Changed(Self::Send(SendAuthorization {
                    spend_limit: coins::to_proto(&left),
                    allow_list: a.allow_list.clone(),
                })))
            }
        }
    }
}
