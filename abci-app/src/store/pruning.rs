//! How many past heights a node keeps.

use thiserror::Error;

/// What a node keeps of the past. It changes nothing that consensus sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruning {
    /// Every height: an archive.
    Nothing,
    /// The last heights, as many as said; at least one, the newest.
    KeepRecent(u64),
}

/// `default` of the SDK: 21 days of blocks of five seconds.
const DEFAULT: u64 = 362_880;

/// `everything` of the SDK: the newest height and the one before, which a light client asks about.
const EVERYTHING: u64 = 2;

/// A pruning option that there is not.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "pruning: expected default, nothing, everything or custom with pruning-keep-recent of at least 2, got {0}"
)]
pub struct PruningError(String);

impl Pruning {
    /// The SDK's names of it; `keep_recent` counts for `custom` only.
    ///
    /// # Errors
    /// When there is no such name, or `custom` keeps less than two heights.
    pub fn parse(name: &str, keep_recent: u64) -> Result<Self, PruningError> {
        match name {
            "default" => Ok(Self::KeepRecent(DEFAULT)),
            "nothing" => Ok(Self::Nothing),
            "everything" => Ok(Self::KeepRecent(EVERYTHING)),
            "custom" if keep_recent >= EVERYTHING => Ok(Self::KeepRecent(keep_recent)),
            "custom" => Err(PruningError(format!("custom with {keep_recent}"))),
            other => Err(PruningError(other.to_owned())),
        }
    }

    /// The oldest height that is to be kept when `newest` is the newest.
    pub const fn oldest(self, newest: u64) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::KeepRecent(n) => newest.saturating_sub(n.saturating_sub(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_sdks() {
        assert_eq!(Pruning::parse("nothing", 0), Ok(Pruning::Nothing));
        assert_eq!(Pruning::parse("custom", 7), Ok(Pruning::KeepRecent(7)));
        assert_eq!(Pruning::parse("everything", 0).unwrap().oldest(10), 9);
        assert_eq!(Pruning::Nothing.oldest(10), 0);
        assert_eq!(Pruning::KeepRecent(100).oldest(10), 0);
        for (name, keep) in [("custom", 1), ("evrything", 5)] {
            let error = Pruning::parse(name, keep).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
