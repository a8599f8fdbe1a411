//! Lists, walked page by page in both directions.

use serde_json::{Value, json};

/// A list that a contract answers.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    /// The query.
    pub query: &'a str,
    /// The field of its answer that holds the entries.
    pub entries: &'a str,
}

impl List<'_> {
    /// Every entry that `filter` leaves, upwards; after having walked it up and down in pages of several sizes and found
    /// the same entries in the same order each time, none on two pages, and never more on a page than asked for.
    ///
    /// # Panics
    /// When a walk differs, or does not end.
    pub fn walk(self, ask: &dyn Fn(Value) -> Value, filter: &Value) -> Vec<Value> {
        let all = self.pages(ask, filter, false, 100).concat();
        for limit in [1, 2, 7, 100] {
            let up = self.pages(ask, filter, false, limit).concat();
            assert_eq!(up, all, "{self:?} {filter} upwards by {limit}");
            let mut down = self.pages(ask, filter, true, limit).concat();
            down.reverse();
            assert_eq!(down, all, "{self:?} {filter} downwards by {limit}");
        }
        all
    }

    /// The list page by page.
    ///
    /// # Panics
    /// When a page holds more than `limit`, or the list does not end.
    pub fn pages(
        self,
        ask: &dyn Fn(Value) -> Value,
        filter: &Value,
        descending: bool,
        limit: usize,
    ) -> Vec<Vec<Value>> {
        let (mut pages, mut start_after) = (Vec::new(), Value::Null);
        while pages.len() < 10_000 {
            let mut args = filter.clone();
            args["start_after"] = start_after;
            args["limit"] = json!(limit);
            args["descending"] = json!(descending);
            let mut answer = ask(json!({ (self.query): args }));
            let Value::Array(entries) = answer[self.entries].take() else {
                panic!("{self:?}: expected a list of {}", self.entries)
            };
            assert!(entries.len() <= limit, "{self:?} {filter}: {entries:?}");
            pages.push(entries);
            start_after = answer["next"].take();
            if start_after.is_null() {
                return pages;
            }
        }
        panic!("{self:?} {filter}: it does not end")
    }
}

/// Every choice of one value a field, as filters: `[("a", [1, null]), ("b", [2])]` is `{a: 1, b: 2}` and `{a: null, b: 2}`.
pub fn filters(fields: &[(&str, Vec<Value>)]) -> Vec<Value> {
    let mut all = vec![json!({})];
    for (field, values) in fields {
        let with = |filter: &Value| {
            let filter = filter.clone();
            let one = move |value: &Value| {
                let mut filter = filter.clone();
                filter[*field] = value.clone();
                filter
            };
            values.iter().map(one).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

/// Whether `filter` does not ask for something else than `value` in `field`.
pub fn fits(filter: &Value, field: &str, value: &Value) -> bool {
    filter[field].is_null() || filter[field] == *value
}
