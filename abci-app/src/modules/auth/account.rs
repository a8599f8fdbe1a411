//! The kinds of accounts, and what they are in the store: the SDK's messages, in an `Any`.

use super::vesting::{Schedule, Vesting};
use crate::{
    codec::{address, coins, type_url},
    error::{AppError, Result},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        auth::v1beta1::{BaseAccount, ModuleAccount},
        vesting::v1beta1::{
            BaseVestingAccount, ContinuousVestingAccount, DelayedVestingAccount, Period,
            PeriodicVestingAccount, PermanentLockedAccount,
        },
    },
};
use prost::{Message, Name};
use std::ops::{Deref, DerefMut};

/// The SDK's modules that have accounts, and what each may do with coins.
pub const MODULES: [(&str, &[&str]); 6] = [
    ("bonded_tokens_pool", &["burner", "staking"]),
    ("distribution", &[]),
    ("fee_collector", &[]),
    ("gov", &["burner"]),
    ("mint", &["minter"]),
    ("not_bonded_tokens_pool", &["burner", "staking"]),
];

/// An account. What all kinds have can be used as the account's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// What all kinds have.
    pub base: BaseAccount,
    /// What they have beside.
    pub kind: Kind,
}

/// What an account has beside what all have.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing.
    Base,
    /// It is a module's.
    Module {
        /// The module.
        name: String,
        /// What it may do with coins.
        permissions: Vec<String>,
    },
    /// Coins that come free over time.
    Vesting(Vesting),
}

impl Deref for Account {
    type Target = BaseAccount;

    fn deref(&self) -> &BaseAccount {
        &self.base
    }
}

impl DerefMut for Account {
    fn deref_mut(&mut self) -> &mut BaseAccount {
        &mut self.base
    }
}

fn any<M: Message + Name>(m: &M) -> Any {
    Any {
        type_url: type_url::<M>(),
        value: m.encode_to_vec(),
    }
}

fn read<M: Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes).map_err(AppError::tx_decode)
}

fn vesting(base: Option<BaseVestingAccount>, schedule: Schedule) -> Result<Account> {
    let v = base.unwrap_or_default();
    Ok(Account {
        base: v.base_account.unwrap_or_default(),
        kind: Kind::Vesting(Vesting {
            original: coins::check(&v.original_vesting)?,
            delegated_free: coins::check(&v.delegated_free)?,
            delegated_vesting: coins::check(&v.delegated_vesting)?,
            end: v.end_time,
            schedule,
        }),
    })
}

impl Account {
    /// A new account: the module's when the address is one's.
    pub fn new(addr: &[u8], text: String, account_number: u64) -> Self {
        let owner = MODULES
            .iter()
            .find(|(name, _)| address::module(name) == addr);
        Self {
            base: BaseAccount {
                address: text,
                pub_key: None,
                account_number,
                sequence: 0,
            },
            kind: owner.map_or(Kind::Base, |(name, permissions)| Kind::Module {
                name: (*name).to_owned(),
                permissions: permissions.iter().map(|p| (*p).to_owned()).collect(),
            }),
        }
    }

    /// The account in an `Any`.
    ///
    /// # Errors
    /// sdk/2 when it is of no known kind, sdk/10 when its coins are none.
    pub fn from_any(any: &Any) -> Result<Self> {
        let value = any.value.as_slice();
        let name = any.type_url.strip_prefix('/').unwrap_or_default();
        if name == BaseAccount::full_name() {
            let (base, kind) = (read(value)?, Kind::Base);
            return Ok(Self { base, kind });
        }
        if name == ModuleAccount::full_name() {
            let m: ModuleAccount = read(value)?;
            return Ok(Self {
                base: m.base_account.unwrap_or_default(),
                kind: Kind::Module {
                    name: m.name,
                    permissions: m.permissions,
                },
            });
        }
        if name == ContinuousVestingAccount::full_name() {
            let a: ContinuousVestingAccount = read(value)?;
            let start = a.start_time;
            return vesting(a.base_vesting_account, Schedule::Continuous { start });
        }
        if name == DelayedVestingAccount::full_name() {
            let a: DelayedVestingAccount = read(value)?;
            return vesting(a.base_vesting_account, Schedule::Delayed);
        }
        if name == PermanentLockedAccount::full_name() {
            let a: PermanentLockedAccount = read(value)?;
            return vesting(a.base_vesting_account, Schedule::Locked);
        }
        if name == PeriodicVestingAccount::full_name() {
            let a: PeriodicVestingAccount = read(value)?;
            let periods = a.vesting_periods.iter();
            let schedule = Schedule::Periodic {
                start: a.start_time,
                periods: periods
                    .map(|p| Ok((p.length, coins::check(&p.amount)?)))
                    .collect::<Result<_>>()?,
            };
            return vesting(a.base_vesting_account, schedule);
        }
        Err(AppError::tx_decode(format_args!(
            "unable to resolve type URL {}",
            any.type_url.chars().take(128).collect::<String>()
        )))
    }

    /// As the `Any` that clients unpack.
    pub fn to_any(&self) -> Any {
        let base_account = Some(self.base.clone());
        let v = match &self.kind {
            Kind::Base => return any(&self.base),
            Kind::Module { name, permissions } => {
                return any(&ModuleAccount {
                    base_account,
                    name: name.clone(),
                    permissions: permissions.clone(),
                });
            }
            Kind::Vesting(v) => v,
        };
        let base_vesting_account = Some(BaseVestingAccount {
            base_account,
            original_vesting: coins::to_proto(&v.original),
            delegated_free: coins::to_proto(&v.delegated_free),
            delegated_vesting: coins::to_proto(&v.delegated_vesting),
            end_time: v.end,
        });
        match &v.schedule {
            Schedule::Continuous { start } => any(&ContinuousVestingAccount {
                base_vesting_account,
                start_time: *start,
            }),
            Schedule::Delayed => any(&DelayedVestingAccount {
                base_vesting_account,
            }),
            Schedule::Locked => any(&PermanentLockedAccount {
                base_vesting_account,
            }),
            Schedule::Periodic { start, periods } => any(&PeriodicVestingAccount {
                base_vesting_account,
                start_time: *start,
                vesting_periods: periods
                    .iter()
                    .map(|(length, amount)| Period {
                        length: *length,
                        amount: coins::to_proto(amount),
                    })
                    .collect(),
            }),
        }
    }
}
