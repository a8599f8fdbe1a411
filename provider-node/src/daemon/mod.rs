//! `ember provider run`: looks at the chain, bids, and tells the session server whom to serve.
//!
//! The chain's state is the truth: everything is derived from it anew at every look, so a daemon that was killed goes on
//! where it was.

pub mod openings;
pub mod price;
pub mod decide;
pub mod assign;
pub mod bidder;
pub mod run;

pub use decide::{Action, Market, decide};
pub use openings::{Opening, Openings};
pub use price::{Prices, Strategy, parse_price};
pub use run::Daemon;
