//! Messages that make vesting accounts. The accounts are auth's; what is locked in them bank asks auth.

pub mod msg;
