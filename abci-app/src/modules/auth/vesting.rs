//! Coins that come free over time: how many are locked, and which of the delegated ones were. The rules are the SDK's
//! (x/auth/vesting); times are in seconds.

use crate::{
    codec::{
        coins::{self, Coins},
        dec::Dec,
    },
    error::{AppError, Result},
};

/// How coins come free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// Evenly from `start` to the end.
    Continuous {
        /// Seconds since the Unix epoch.
        start: i64,
    },
    /// All at the end.
    Delayed,
    /// So many after so many seconds, one after the other.
    Periodic {
        /// Seconds since the Unix epoch.
        start: i64,
        /// Length in seconds, and what comes free at its end.
        periods: Vec<(i64, Coins)>,
    },
    /// Never.
    Locked,
}

/// The coins of a vesting account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vesting {
    /// What was locked at first.
    pub original: Coins,
    /// Of the delegated coins, those that were free.
    pub delegated_free: Coins,
    /// Of the delegated coins, those that were locked.
    pub delegated_vesting: Coins,
    /// When all are free, seconds since the Unix epoch; 0 where they never are.
    pub end: i64,
    /// How they come free.
    pub schedule: Schedule,
}

fn of(coins: &[(String, u128)], denom: &str) -> u128 {
    let found = coins.iter().find(|(d, _)| d == denom);
    found.map_or(0, |(_, amount)| *amount)
}

fn set(coins: &mut Coins, denom: &str, amount: u128) {
    coins.retain(|(d, _)| d != denom);
    if amount > 0 {
        let place = coins.partition_point(|(d, _)| d.as_str() < denom);
        coins.insert(place, (denom.to_owned(), amount));
    }
}

fn plus(coins: &mut Coins, more: &[(String, u128)]) -> Result<()> {
    for (denom, amount) in more {
        let sum = of(coins, denom).checked_add(*amount);
        let sum = sum.ok_or_else(|| AppError::invalid_coins("a sum above 2^128"))?;
        set(coins, denom, sum);
    }
    Ok(())
}

fn invalid<T>(detail: impl std::fmt::Display) -> Result<T> {
    Err(AppError::invalid_request(detail))
}

impl Vesting {
    /// Coins that come free so, none of them delegated.
    pub fn new(original: Coins, end: i64, schedule: Schedule) -> Self {
        Self {
            original,
            delegated_free: Coins::new(),
            delegated_vesting: Coins::new(),
            end,
            schedule,
        }
    }

    /// Coins in periods.
    ///
    /// # Errors
    /// sdk/18 when the end is beyond what a number of seconds holds, sdk/10 when a sum is.
    pub fn periodic(start: i64, periods: Vec<(i64, Coins)>) -> Result<Self> {
        let (mut original, mut end) = (Coins::new(), Some(start));
        for (length, coins) in &periods {
            end = end.and_then(|e| e.checked_add(*length));
            plus(&mut original, coins)?;
        }
        let Some(end) = end else {
            return invalid("cumulative endTime overflowed, and/or is less than startTime");
        };
        let schedule = Schedule::Periodic { start, periods };
        Ok(Self::new(original, end, schedule))
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    /// sdk/18.
    pub fn check(&self) -> Result<()> {
        match &self.schedule {
            Schedule::Continuous { start } if *start >= self.end => {
                return invalid("vesting start-time cannot be before end-time");
            }
            Schedule::Locked if self.end > 0 => {
                return invalid("permanently vested accounts cannot have an end-time");
            }
            Schedule::Periodic { start, periods } => self.check_periods(*start, periods)?,
            _ => {}
        }
        if self.end < 0 {
            return invalid("end time cannot be negative");
        }
        if self.original.is_empty() {
            return invalid("invalid coins: ");
        }
        if coins::minus(&self.original, &self.delegated_vesting).is_none() {
            return invalid(
                "delegated vesting amount cannot be greater than original vesting amount",
            );
        }
        Ok(())
    }

    fn check_periods(&self, start: i64, periods: &[(i64, Coins)]) -> Result<()> {
        if start >= self.end {
            return invalid("vesting start-time cannot be before end-time");
        }
        for (i, (length, amount)) in periods.iter().enumerate() {
            if *length < 0 {
                return invalid(format_args!("period #{i} has a negative length: {length}"));
            }
            if amount.is_empty() {
                return invalid(format_args!("period #{i} has invalid coins: "));
            }
        }
        let sum = Self::periodic(start, periods.to_vec())?;
        if sum.end != self.end {
            return invalid("vesting end time does not match length of all vesting periods");
        }
        if sum.original != self.original {
            let (is, sum) = (
                coins::display(&self.original),
                coins::display(&sum.original),
            );
            return invalid(format_args!(
                "original vesting coins ({is}) does not match the sum of all coins in vesting periods ({sum})"
            ));
        }
        Ok(())
    }

    /// What has come free.
    fn vested(&self, now: i64) -> Result<Coins> {
        Ok(match &self.schedule {
            Schedule::Locked => Coins::new(),
            Schedule::Delayed if now >= self.end => self.original.clone(),
            Schedule::Delayed => Coins::new(),
            Schedule::Continuous { start } | Schedule::Periodic { start, .. } if now <= *start => {
                Coins::new()
            }
            Schedule::Continuous { .. } | Schedule::Periodic { .. } if now >= self.end => {
                self.original.clone()
            }
            Schedule::Continuous { start } => {
                let (gone, all) = (now.saturating_sub(*start), self.end.saturating_sub(*start));
                let part = Dec::from_int(gone).quo(&Dec::from_int(all))?;
                let mut vested = Coins::new();
                for (denom, amount) in &self.original {
                    let free = Dec::from_int(*amount).mul(&part).round_int();
                    let free = u128::try_from(free).unwrap_or(*amount).min(*amount);
                    set(&mut vested, denom, free);
                }
                vested
            }
            Schedule::Periodic { start, periods } => {
                let (mut vested, mut begins) = (Coins::new(), *start);
                for (length, amount) in periods {
                    if now.saturating_sub(begins) < *length {
                        break;
                    }
                    plus(&mut vested, amount)?;
                    begins = begins.saturating_add(*length);
                }
                vested
            }
        })
    }

    /// What has not come free yet.
    fn vesting(&self, now: i64) -> Result<Coins> {
        let vested = self.vested(now)?;
        let left = coins::minus(&self.original, &vested);
        left.ok_or_else(|| {
            AppError::new(
                "sdk",
                35,
                "more has vested than was locked: internal logic error",
            )
        })
    }

    /// What may not be spent now: what has not come free, less what of it is delegated.
    ///
    /// # Errors
    /// When the account is broken.
    pub fn locked(&self, now: i64) -> Result<Coins> {
        let mut locked = self.vesting(now)?;
        for (denom, amount) in &mut locked {
            *amount = amount.saturating_sub(of(&self.delegated_vesting, denom));
        }
        locked.retain(|(_, amount)| *amount > 0);
        Ok(locked)
    }

    /// Notes that coins are delegated: locked ones first. `balance` is what the account had before.
    ///
    /// # Errors
    /// sdk/5 when it has less.
    pub fn delegate(
        &mut self,
        now: i64,
        balance: &[(String, u128)],
        amount: &[(String, u128)],
    ) -> Result<()> {
        let vesting = self.vesting(now)?;
        for (denom, amount) in amount {
            if *amount == 0 || of(balance, denom) < *amount {
                return Err(AppError::insufficient_funds(
                    "delegation attempt with zero coins or insufficient funds",
                ));
            }
            let delegated = of(&self.delegated_vesting, denom);
            let locked = of(&vesting, denom).saturating_sub(delegated).min(*amount);
            plus(&mut self.delegated_vesting, &[(denom.clone(), locked)])?;
            plus(
                &mut self.delegated_free,
                &[(denom.clone(), amount - locked)],
            )?;
        }
        Ok(())
    }

    /// Notes that coins are delegated no more: free ones first. More may come back than was noted, or less after a
    /// slash.
    pub fn undelegate(&mut self, amount: &[(String, u128)]) {
        for (denom, amount) in amount {
            let free = of(&self.delegated_free, denom);
            let vesting = of(&self.delegated_vesting, denom);
            let from_free = free.min(*amount);
            let from_vesting = vesting.min(amount - from_free);
            set(&mut self.delegated_free, denom, free - from_free);
            set(&mut self.delegated_vesting, denom, vesting - from_vesting);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coins(amount: u128) -> Coins {
        if amount == 0 {
            return Coins::new();
        }
        vec![("uember".into(), amount)]
    }

    fn locked(v: &Vesting, now: i64) -> u128 {
        of(&v.locked(now).unwrap(), "uember")
    }

    #[test]
    fn coins_come_free_by_their_schedule() {
        let continuous = Vesting::new(coins(1_000), 200, Schedule::Continuous { start: 100 });
        let delayed = Vesting::new(coins(1_000), 200, Schedule::Delayed);
        let periods = vec![(50, coins(300)), (50, coins(700))];
        let periodic = Vesting::periodic(100, periods).unwrap();
        let forever = Vesting::new(coins(1_000), 0, Schedule::Locked);
        for (now, want) in [
            (0, [1_000; 4]),
            (100, [1_000; 4]),
            (149, [510, 1_000, 1_000, 1_000]),
            (150, [500, 1_000, 700, 1_000]),
            (199, [10, 1_000, 700, 1_000]),
            (200, [0, 0, 0, 1_000]),
            (i64::MAX, [0, 0, 0, 1_000]),
        ] {
            let all = [&continuous, &delayed, &periodic, &forever];
            all.iter().for_each(|v| v.check().unwrap());
            assert_eq!(all.map(|v| locked(v, now)), want, "{now}");
        }
        // A third of 1,000 is 333, and two thirds are rounded up.
        let thirds = Vesting::new(coins(1_000), 3, Schedule::Continuous { start: 0 });
        assert_eq!([1, 2].map(|now| locked(&thirds, now)), [667, 333]);
    }

    #[test]
    fn locked_coins_are_delegated_first_and_free_ones_come_back_first() {
        let mut v = Vesting::new(coins(1_000), 200, Schedule::Continuous { start: 100 });
        v.delegate(150, &coins(1_000), &coins(700)).unwrap();
        assert_eq!(
            (v.delegated_vesting.clone(), v.delegated_free.clone()),
            (coins(500), coins(200))
        );
        assert_eq!((locked(&v, 150), locked(&v, 120)), (0, 300));
        v.undelegate(&coins(300));
        assert_eq!(
            (v.delegated_vesting.clone(), v.delegated_free.clone()),
            (coins(400), coins(0))
        );
        v.undelegate(&coins(5_000));
        assert_eq!(v.delegated_vesting, coins(0));
        assert_eq!(v.delegate(150, &coins(9), &coins(10)).unwrap_err().code, 5);
        assert_eq!(
            v.delegate(150, &coins(9), &[("uember".into(), 0)])
                .unwrap_err()
                .code,
            5
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let bad = [
            Vesting::new(coins(1), 100, Schedule::Continuous { start: 100 }),
            Vesting::new(coins(0), 100, Schedule::Delayed),
            Vesting::new(coins(1), -1, Schedule::Delayed),
            Vesting::new(coins(1), 5, Schedule::Locked),
            Vesting::new(
                coins(1),
                9,
                Schedule::Periodic {
                    start: 1,
                    periods: vec![(5, coins(1))],
                },
            ),
            Vesting::new(
                coins(2),
                6,
                Schedule::Periodic {
                    start: 1,
                    periods: vec![(5, coins(1))],
                },
            ),
            Vesting::new(
                coins(1),
                6,
                Schedule::Periodic {
                    start: 1,
                    periods: vec![(-5, coins(1)), (10, coins(1))],
                },
            ),
            Vesting {
                delegated_vesting: coins(2),
                ..Vesting::new(coins(1), 9, Schedule::Delayed)
            },
        ];
        for v in bad {
            assert_eq!(v.check().unwrap_err().code, 18, "{v:?}");
        }
        assert!(Vesting::periodic(1, vec![(i64::MAX, coins(1))]).is_err());
    }

    proptest::proptest! {
        /// Never more is locked than was at first, it only gets less, and delegating changes what is locked by no more
        /// than what is delegated.
        #[test]
        fn locks_only_loosen(amount in 1u128.., start in 0i64..1_000, length in 1i64..1_000, a in 0i64..3_000, b in 0i64..3_000, part in 1u128..) {
            let mut v = Vesting::new(coins(amount), start + length, Schedule::Continuous { start });
            let (early, late) = (a.min(b), a.max(b));
            let (before, after) = (locked(&v, early), locked(&v, late));
            proptest::prop_assert!(after <= before && before <= amount);
            let part = part.min(amount);
            v.delegate(late, &coins(amount), &coins(part)).unwrap();
            proptest::prop_assert!(locked(&v, late) >= after.saturating_sub(part));
            proptest::prop_assert_eq!(of(&v.delegated_free, "uember") + of(&v.delegated_vesting, "uember"), part);
            v.undelegate(&coins(part));
            proptest::prop_assert_eq!(locked(&v, late), after);
        }
    }
}
