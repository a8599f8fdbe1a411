//! Ids. All are counters of the market contract, so they are never used twice.

use cosmwasm_schema::cw_serde;
use std::{fmt, num::ParseIntError, str::FromStr};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[cw_serde]
        #[derive(Copy, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    };
}

id!(
    /// An order, and its escrow account.
    OrderId
);
id!(
    /// A bid on one order, or the bid that a crossed ask became.
    BidId
);
id!(
    /// A standing ask of a provider in `market` mode.
    AskId
);
id!(
    /// A lease.
    LeaseId
);
