//! The two windows of a mode with sealed bids: commit, then reveal.

use crate::error::ValidationError;

/// Longest commit window and longest reveal window, in seconds: 30 days each.
pub const MAX_WINDOW_SECS: u64 = 30 * 24 * 3_600;

/// When bids are committed to and when they are revealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Unix seconds. Before it commitments are taken.
    pub commit_until: u64,
    /// Unix seconds. From `commit_until` to before it commitments are revealed.
    pub reveal_until: u64,
}

impl Windows {
    pub(super) fn validate(self, now: u64) -> Result<(), ValidationError> {
        let windows = [
            ("pricing.commit_until", now, self.commit_until),
            ("pricing.reveal_until", self.commit_until, self.reveal_until),
        ];
        for (field, from, until) in windows {
            if until <= from || until > from.saturating_add(MAX_WINDOW_SECS) {
                let expected = format!("after {from} and within {MAX_WINDOW_SECS} s of it");
                return Err(ValidationError::range(field, expected, until));
            }
        }
        Ok(())
    }

    /// Windows as long as these, which opened at `opened`, from `now` on.
    pub(super) fn again(self, opened: u64, now: u64) -> Self {
        let commit_secs = self.commit_until.saturating_sub(opened).max(1);
        let reveal_secs = self.reveal_until.saturating_sub(self.commit_until).max(1);
        let commit_until = now.saturating_add(commit_secs);
        Self {
            commit_until,
            reveal_until: commit_until.saturating_add(reveal_secs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn windows_follow_each_other_and_are_not_too_long() {
        let most = MAX_WINDOW_SECS;
        for (commit_until, reveal_until, ok) in [
            (100, 200, false),
            (101, 101, false),
            (101, 102, true),
            (100 + most, 100 + 2 * most, true),
            (101 + most, 102 + most, false),
            (101, 102 + most, false),
            (u64::MAX, u64::MAX, false),
        ] {
            let w = Windows {
                commit_until,
                reveal_until,
            };
            assert_eq!(w.validate(100).is_ok(), ok, "{w:?}");
        }
    }

    proptest! {
        #[test]
        fn what_opens_again_is_as_long_and_well_formed(
            opened in 0u64..1 << 40, commit in 1u64..MAX_WINDOW_SECS, reveal in 1u64..MAX_WINDOW_SECS, later in 0u64..1 << 40,
        ) {
            let commit_until = opened + commit;
            let w = Windows { commit_until, reveal_until: commit_until + reveal };
            let now = opened + later;
            let again = w.again(opened, now);
            prop_assert!(again.validate(now).is_ok());
            prop_assert_eq!((again.commit_until - now, again.reveal_until - again.commit_until), (commit, reveal));
        }
    }
}
