//! Pages of lists, in either direction. Each answers where to go on.

use cosmwasm_std::Order;

/// Entries of a page when no limit is asked for.
pub const DEFAULT_LIMIT: u32 = 30;

/// Most entries of a page.
pub const MAX_LIMIT: u32 = 100;

/// Most rows that one query looks at. A filter that no index serves passes over rows; a page that met this bound holds
/// fewer entries than asked for, or none, and still says where to go on.
pub const MAX_LOOKED_AT: usize = 500;

/// How many entries a page holds: 1 to [`MAX_LIMIT`].
pub fn size(limit: Option<u32>) -> usize {
    limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize
}

/// Which page of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<K> {
    /// Continue after this key, in the direction asked for.
    pub start_after: Option<K>,
    /// Most entries.
    pub limit: Option<u32>,
    /// From the last key to the first.
    pub descending: Option<bool>,
}

impl<K> Page<K> {
    /// As a query says it.
    pub const fn new(start_after: Option<K>, limit: Option<u32>, descending: Option<bool>) -> Self {
        Self {
            start_after,
            limit,
            descending,
        }
    }

    /// The direction.
    pub const fn order(&self) -> Order {
        match self.descending {
            Some(true) => Order::Descending,
            Some(false) | None => Order::Ascending,
        }
    }
}

/// The entries of a page, and after which key the next one goes on: none at the end of the list.
pub type Found<K, T> = (Vec<(K, T)>, Option<K>);

/// The first `limit` of `rows` that fit, and after which key the next page goes on: none when no row is left.
///
/// # Errors
/// When a row cannot be read.
pub fn fill<K: Clone, T, E>(
    rows: &mut dyn Iterator<Item = Result<(K, T), E>>,
    limit: Option<u32>,
    fits: impl Fn(&T) -> bool,
) -> Result<Found<K, T>, E> {
    let (size, mut found, mut looked_at, mut last) = (size(limit), Vec::new(), 0usize, None);
    for row in rows {
        if found.len() == size || looked_at == MAX_LOOKED_AT {
            return Ok((found, last));
        }
        let (key, value) = row?;
        looked_at = looked_at.saturating_add(1);
        last = Some(key.clone());
        if fits(&value) {
            found.push((key, value));
        }
    }
    Ok((found, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cosmwasm_std::StdError;

    /// Pages of the even numbers below `n`, as lists of entries.
    fn evens(n: u32, limit: Option<u32>) -> Vec<Vec<u32>> {
        let (mut pages, mut from) = (Vec::new(), 0);
        loop {
            let mut rows = (from..n).map(|i| Ok::<_, StdError>((i, i)));
            let (found, next) = fill(&mut rows, limit, |i| i % 2 == 0).unwrap();
            pages.push(found.into_iter().map(|(k, _)| k).collect());
            match next {
                Some(k) => from = k + 1,
                None => return pages,
            }
        }
    }

    #[test]
    fn pages_hold_what_fits_and_end_when_no_row_is_left() {
        assert_eq!(evens(0, None), [Vec::<u32>::new()]);
        assert_eq!(evens(5, Some(3)), [vec![0, 2, 4]]);
        assert_eq!(evens(6, Some(2)), [vec![0, 2], vec![4]]);
        assert_eq!(
            evens(2, Some(0)),
            [vec![0], vec![]],
            "a page is never empty for its size"
        );
        let all: Vec<u32> = (0..2_001).filter(|i| i % 2 == 0).collect();
        assert_eq!(evens(2_001, Some(u32::MAX)).concat(), all);
        assert_eq!(evens(2_001, None)[0].len(), 30);
        assert_eq!(evens(2_001, Some(1_000))[0].len(), 100);
    }

    #[test]
    fn a_filter_that_nothing_fits_looks_at_a_bounded_number_of_rows() {
        let seen = std::cell::Cell::new(0);
        let mut rows = (0..u64::MAX).map(|i| {
            seen.set(i);
            Ok::<_, StdError>((i, ()))
        });
        let (found, next) = fill(&mut rows, None, |()| false).unwrap();
        assert_eq!((found, next), (vec![], Some(MAX_LOOKED_AT as u64 - 1)));
        assert_eq!(seen.get(), MAX_LOOKED_AT as u64);
    }
}
