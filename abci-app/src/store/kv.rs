//! The vocabulary of storage.

use std::collections::BTreeMap;

/// The SDK's store of one module. The names are part of the app hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreKey {
    /// Accounts.
    Auth,
    /// Grants of authority.
    Authz,
    /// Balances and supply.
    Bank,
    /// Consensus parameters.
    Consensus,
    /// Rewards.
    Distribution,
    /// Misbehaviour.
    Evidence,
    /// Allowances for fees.
    Feegrant,
    /// Proposals, deposits and votes.
    Gov,
    /// End-block hooks.
    Hooks,
    /// Inflation.
    Mint,
    /// Signing records.
    Slashing,
    /// Validators and delegations.
    Staking,
    /// Upgrades of the software.
    Upgrade,
    /// Contracts.
    Wasm,
}

impl StoreKey {
    /// Every store, in the order of their names.
    pub const ALL: [Self; 14] = [
        Self::Auth,
        Self::Authz,
        Self::Bank,
        Self::Consensus,
        Self::Distribution,
        Self::Evidence,
        Self::Feegrant,
        Self::Gov,
        Self::Hooks,
        Self::Mint,
        Self::Slashing,
        Self::Staking,
        Self::Upgrade,
        Self::Wasm,
    ];

    /// The SDK's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "acc",
            Self::Authz => "authz",
            Self::Bank => "bank",
            Self::Consensus => "consensus",
            Self::Distribution => "distribution",
            Self::Evidence => "evidence",
            Self::Feegrant => "feegrant",
            Self::Gov => "gov",
            Self::Hooks => "hooks",
            Self::Mint => "mint",
            Self::Slashing => "slashing",
            Self::Staking => "staking",
            Self::Upgrade => "upgrade",
            Self::Wasm => "wasm",
        }
    }

    /// The byte before the store's keys on disk.
    pub(super) const fn tag(self) -> u8 {
        match self {
            Self::Auth => 1,
            Self::Bank => 2,
            Self::Consensus => 3,
            Self::Hooks => 4,
            Self::Wasm => 5,
            Self::Authz => 6,
            Self::Distribution => 7,
            Self::Evidence => 8,
            Self::Feegrant => 9,
            Self::Gov => 10,
            Self::Mint => 11,
            Self::Slashing => 12,
            Self::Staking => 13,
            Self::Upgrade => 14,
        }
    }
}

/// The first key after everything that begins with `prefix`; `None` when nothing can.
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

/// Direction of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest key first.
    Ascending,
    /// Largest key first.
    Descending,
}

/// One pending write; `None` deletes.
pub type Write = Option<Vec<u8>>;

/// An immutable snapshot that layers of writes are put over: the disk at one height, or nothing.
pub trait Base: Send + Sync {
    /// The value of `key`.
    fn get(&self, store: StoreKey, key: &[u8]) -> Option<Vec<u8>>;

    /// The first pair at or after `from` and before `to` (ascending), or the last before `to` and at or after
    /// `from` (descending). `to` of `None` has no end.
    fn seek(
        &self,
        store: StoreKey,
        from: &[u8],
        to: Option<&[u8]>,
        order: Order,
    ) -> Option<(Vec<u8>, Vec<u8>)>;
}

/// A base in memory: tests, and the empty state below genesis.
#[derive(Debug, Default, Clone)]
pub struct MemBase(pub BTreeMap<(StoreKey, Vec<u8>), Vec<u8>>);

impl Base for MemBase {
    fn get(&self, store: StoreKey, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(&(store, key.to_vec())).cloned()
    }

    fn seek(
        &self,
        store: StoreKey,
        from: &[u8],
        to: Option<&[u8]>,
        order: Order,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut hits = self
            .0
            .range((store, from.to_vec())..)
            .take_while(|((s, k), _)| *s == store && to.is_none_or(|t| k.as_slice() < t))
            .map(|((_, k), v)| (k.clone(), v.clone()));
        match order {
            Order::Ascending => hits.next(),
            Order::Descending => hits.last(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_carries() {
        assert_eq!(prefix_end(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(prefix_end(&[1, 0xff]), Some(vec![2]));
        assert_eq!(prefix_end(&[0xff]), None);
        assert_eq!(prefix_end(&[]), None);
    }
}
