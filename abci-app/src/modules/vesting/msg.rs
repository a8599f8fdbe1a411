//! `cosmos.vesting.v1beta1.Msg`.

use crate::{
    codec::{
        coins::{self, Coins},
        response, strict,
    },
    ctx::Ctx,
    error::{AppError, Result},
    modules::{
        auth::{
            account::Kind,
            keeper::{self, addr},
            vesting::{Schedule, Vesting},
        },
        bank,
    },
};
use cosmos_sdk_proto::cosmos::{
    base::v1beta1::Coin,
    vesting::v1beta1::{
        MsgCreatePeriodicVestingAccount, MsgCreatePeriodicVestingAccountResponse,
        MsgCreatePermanentLockedAccount, MsgCreatePermanentLockedAccountResponse,
        MsgCreateVestingAccount, MsgCreateVestingAccountResponse,
    },
};

const CREATE: &str = "/cosmos.vesting.v1beta1.MsgCreateVestingAccount";
const LOCK: &str = "/cosmos.vesting.v1beta1.MsgCreatePermanentLockedAccount";
const PERIODIC: &str = "/cosmos.vesting.v1beta1.MsgCreatePeriodicVestingAccount";

/// Who must sign a message; `None` when it is not of this module.
///
/// # Errors
/// sdk/2.
pub fn signers(type_url: &str, value: &[u8]) -> Option<Result<Vec<String>>> {
    Some(match type_url {
        CREATE => strict::<MsgCreateVestingAccount>("MsgCreateVestingAccount", value)
            .map(|m| vec![m.from_address]),
        LOCK => strict::<MsgCreatePermanentLockedAccount>("MsgCreatePermanentLockedAccount", value)
            .map(|m| vec![m.from_address]),
        PERIODIC => {
            strict::<MsgCreatePeriodicVestingAccount>("MsgCreatePeriodicVestingAccount", value)
                .map(|m| vec![m.from_address])
        }
        _ => return None,
    })
}

/// Executes a message: the response's type URL and bytes; `None` when it is not of this module.
///
/// # Errors
/// sdk/7, sdk/10, sdk/18 for what makes no sense, sdk/4 for accounts of modules, sdk/5.
pub fn handle(ctx: &Ctx, type_url: &str, value: &[u8]) -> Option<Result<(String, Vec<u8>)>> {
    Some(match type_url {
        CREATE => vest(ctx, value),
        LOCK => lock(ctx, value),
        PERIODIC => periodic(ctx, value),
        _ => return None,
    })
}

fn party(ctx: &Ctx, which: &str, text: &str) -> Result<Vec<u8>> {
    addr(ctx, text).map_err(|e| {
        let log = e.log.trim_end_matches(": invalid address");
        AppError::invalid_address(format_args!("invalid '{which}' address: {log}"))
    })
}

fn amount(amount: &[Coin]) -> Result<Coins> {
    let coins = coins::check(amount)?;
    if coins.is_empty() {
        return Err(AppError::new("sdk", 10, ": invalid coins"));
    }
    Ok(coins)
}

/// Makes the account, which must not be there, and sends it its coins.
fn create(ctx: &Ctx, from: &[u8], to: &[u8], vesting: Vesting) -> Result<()> {
    bank::enabled::check(ctx, &vesting.original)?;
    bank::keeper::check_recipient(ctx, to)?;
    if keeper::account(ctx, to)?.is_some() {
        let to = keeper::human(ctx, to)?;
        return Err(AppError::invalid_request(format_args!(
            "account {to} already exists"
        )));
    }
    vesting.check()?;
    let coins = vesting.original.clone();
    let mut account = keeper::ensure_account(ctx, to)?;
    account.kind = Kind::Vesting(vesting);
    keeper::set_account(ctx, to, &account)?;
    bank::keeper::send(ctx, from, to, &coins)
}

fn vest(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgCreateVestingAccount = strict("MsgCreateVestingAccount", value)?;
    let from = party(ctx, "from", &m.from_address)?;
    let to = party(ctx, "to", &m.to_address)?;
    let coins = amount(&m.amount)?;
    if m.end_time <= 0 {
        return Err(AppError::invalid_request("invalid end time"));
    }
    let schedule = if m.delayed {
        Schedule::Delayed
    } else {
        let start = keeper::now(ctx);
        Schedule::Continuous { start }
    };
    create(ctx, &from, &to, Vesting::new(coins, m.end_time, schedule))?;
    Ok(response(&MsgCreateVestingAccountResponse {}))
}

fn lock(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgCreatePermanentLockedAccount = strict("MsgCreatePermanentLockedAccount", value)?;
    let from = party(ctx, "from", &m.from_address)?;
    let to = party(ctx, "to", &m.to_address)?;
    let vesting = Vesting::new(amount(&m.amount)?, 0, Schedule::Locked);
    create(ctx, &from, &to, vesting)?;
    Ok(response(&MsgCreatePermanentLockedAccountResponse {}))
}

fn periodic(ctx: &Ctx, value: &[u8]) -> Result<(String, Vec<u8>)> {
    let m: MsgCreatePeriodicVestingAccount = strict("MsgCreatePeriodicVestingAccount", value)?;
    let from = party(ctx, "from", &m.from_address)?;
    let to = party(ctx, "to", &m.to_address)?;
    if m.start_time < 1 {
        return Err(AppError::invalid_request(format_args!(
            "invalid start time of {}, length must be greater than 0",
            m.start_time
        )));
    }
    let mut periods = Vec::with_capacity(m.vesting_periods.len());
    for (i, period) in m.vesting_periods.iter().enumerate() {
        if period.length < 1 {
            return Err(AppError::invalid_request(format_args!(
                "invalid period length of {} in period {i}, length must be greater than 0",
                period.length
            )));
        }
        periods.push((period.length, amount(&period.amount)?));
    }
    let vesting = Vesting::periodic(m.start_time, periods)?;
    create(ctx, &from, &to, vesting)?;
    Ok(response(&MsgCreatePeriodicVestingAccountResponse {}))
}
