//! Random numbers from a seed: the same on every machine and for ever, so that a printed seed replays a failure.

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Dice(u64);

#[allow(clippy::should_implement_trait, reason = "dice never end")]
impl Dice {
    /// The dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `0` to `n - 1`; 0 when there is nothing to choose from.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.next() % n }
    }

    /// From `least` to `most`, both included.
    pub fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// True `n` times in a hundred.
    pub fn percent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }

    /// One of a list; none of an empty one.
    pub fn of<T: Clone>(&mut self, list: &[T]) -> Option<T> {
        let i = self.below(list.len() as u64);
        list.get(i as usize).cloned()
    }

    /// One of the ids that are alive; now and then one that is not.
    pub fn id(&mut self, alive: &[u64], last: u64) -> u64 {
        match self.of(alive) {
            Some(id) if self.percent(93) => id,
            _ => self.below(last + 3),
        }
    }

    /// An index, by weight.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut at = self.below(weights.iter().sum());
        for (i, w) in weights.iter().enumerate() {
            if at < *w {
                return i;
            }
            at -= w;
        }
        0
    }
}
