//! The event queries of `subscribe`, `tx_search` and `block_search`: `key op value AND …`.

use std::{cmp::Ordering, collections::BTreeMap};

/// Events of one block or transaction: `type.attribute` to its values.
pub type Events = BTreeMap<String, Vec<String>>;

/// How a value is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// `=`.
    Equal,
    /// `<`.
    Less,
    /// `<=`.
    LessEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterEqual,
    /// `CONTAINS`.
    Contains,
    /// `EXISTS`.
    Exists,
}

/// What it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// `'text'`.
    Text(String),
    /// `123` or `1.5`.
    Number(String),
    /// Of `EXISTS`.
    None,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `type.attribute`.
    pub key: String,
    /// The comparison.
    pub op: Op,
    /// With what.
    pub operand: Operand,
}

/// Conditions that must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// At least one.
    pub conditions: Vec<Condition>,
}

impl Filter {
    /// Parse a query.
    ///
    /// # Errors
    /// A text that says where it went wrong. `DATE` and `TIME` operands are not supported.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        let mut conditions = Vec::new();
        loop {
            let end = rest
                .find(|c: char| c.is_whitespace() || "=<>".contains(c))
                .unwrap_or(rest.len());
            let key = &rest[..end];
            if key.is_empty() {
                return Err(format!("expected a key at {rest:?}"));
            }
            rest = rest[end..].trim_start();
            let op = [
                ("<=", Op::LessEqual),
                (">=", Op::GreaterEqual),
                ("=", Op::Equal),
                ("<", Op::Less),
                (">", Op::Greater),
                ("CONTAINS", Op::Contains),
                ("EXISTS", Op::Exists),
            ]
            .into_iter()
            .find_map(|(token, op)| {
                rest = rest.strip_prefix(token)?.trim_start();
                Some(op)
            })
            .ok_or_else(|| {
                format!("expected one of = < <= > >= CONTAINS EXISTS after {key:?}, got {rest:?}")
            })?;
            let operand = if op == Op::Exists {
                Operand::None
            } else {
                operand(&mut rest, &op)?
            };
            conditions.push(Condition {
                key: key.into(),
                op,
                operand,
            });
            if rest.is_empty() {
                return Ok(Self { conditions });
            }
            rest = rest
                .strip_prefix("AND")
                .filter(|r| r.starts_with(char::is_whitespace))
                .ok_or_else(|| format!("expected AND, got {rest:?}"))?
                .trim_start();
        }
    }

    /// Whether every condition holds for some value of its key.
    pub fn matches(&self, events: &Events) -> bool {
        self.conditions.iter().all(|c| {
            if c.op == Op::Exists {
                // `EXISTS` also holds for a prefix that is a whole event type.
                let kind = format!("{}.", c.key);
                return events.keys().any(|k| *k == c.key || k.starts_with(&kind));
            }
            events
                .get(&c.key)
                .is_some_and(|values| values.iter().any(|v| c.holds(v)))
        })
    }
}

fn operand(rest: &mut &str, op: &Op) -> Result<Operand, String> {
    if let Some(r) = rest.strip_prefix('\'') {
        let end = r
            .find('\'')
            .ok_or_else(|| format!("expected a closing quote in {rest:?}"))?;
        *rest = r[end + 1..].trim_start();
        if !matches!(op, Op::Equal | Op::Contains) {
            return Err("expected a number after a comparison, got a quoted text".into());
        }
        return Ok(Operand::Text(r[..end].into()));
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let token = &rest[..end];
    if parse_number(token).is_none() || *op == Op::Contains {
        return Err(format!(
            "expected a number or a 'quoted' text, got {token:?} (DATE and TIME are not supported)"
        ));
    }
    *rest = rest[end..].trim_start();
    Ok(Operand::Number(token.into()))
}

impl Condition {
    /// Whether it holds for `value`.
    pub fn holds(&self, value: &str) -> bool {
        match (&self.op, &self.operand) {
            (Op::Exists, _) => true,
            (Op::Equal, Operand::Text(t)) => t == value,
            (Op::Contains, Operand::Text(t)) => value.contains(t),
            (op, Operand::Number(n)) => {
                // "100uember" counts as 100, as in CometBFT.
                let end = value
                    .find(|c: char| !c.is_ascii_digit() && c != '.')
                    .unwrap_or(value.len());
                let Some(order) = compare(&value[..end], n) else {
                    return false;
                };
                match op {
                    Op::Equal => order == Ordering::Equal,
                    Op::Less => order == Ordering::Less,
                    Op::LessEqual => order != Ordering::Greater,
                    Op::Greater => order == Ordering::Greater,
                    Op::GreaterEqual => order != Ordering::Less,
                    Op::Contains | Op::Exists => false,
                }
            }
            _ => false,
        }
    }

    /// The height bounds that it means, when it is one of a height with a whole number.
    pub fn bounds(&self) -> Option<(u64, u64)> {
        let Operand::Number(n) = &self.operand else {
            return None;
        };
        let n: u64 = n.parse().ok()?;
        Some(match self.op {
            Op::Equal => (n, n),
            Op::Less => (0, n.checked_sub(1)?),
            Op::LessEqual => (0, n),
            Op::Greater => (n.checked_add(1)?, u64::MAX),
            Op::GreaterEqual => (n, u64::MAX),
            Op::Contains | Op::Exists => return None,
        })
    }
}

/// Whole and fractional digits; the whole part without leading zeros, the fraction without trailing ones.
fn parse_number(text: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    (!whole.is_empty() && digits(whole) && digits(fraction)).then(|| {
        (
            whole.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        )
    })
}

/// Decimal comparison of any length, without floats.
fn compare(a: &str, b: &str) -> Option<Ordering> {
    let ((aw, af), (bw, bf)) = (parse_number(a)?, parse_number(b)?);
    Some(
        aw.len()
            .cmp(&bw.len())
            .then_with(|| aw.cmp(bw))
            .then_with(|| af.cmp(bf)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Events {
        [
            ("tm.event", "Tx"),
            ("tx.height", "12"),
            ("transfer.amount", "100uember"),
            ("wasm-order_created.order_id", "7"),
        ]
        .map(|(k, v)| (k.to_owned(), vec![v.to_owned()]))
        .into()
    }

    #[test]
    fn queries_that_clients_send() {
        for (query, want) in [
            ("tm.event='Tx'", true),
            ("tm.event = 'Tx' AND tx.height > 11", true),
            ("tm.event='Tx' AND tx.height>=13", false),
            ("tx.height<13 AND tx.height>11", true),
            ("transfer.amount > 99", true),
            ("transfer.amount = '100uember'", true),
            ("transfer.amount CONTAINS 'uem'", true),
            ("transfer.amount=100.5", false),
            ("wasm-order_created.order_id=7", true),
            ("wasm-order_created.order_id='7'", true),
            ("wasm-order_created EXISTS", true),
            ("transfer.sender EXISTS", false),
        ] {
            assert_eq!(
                Filter::parse(query).unwrap().matches(&events()),
                want,
                "{query}"
            );
        }
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for query in [
            "",
            "=",
            "a.b",
            "a.b='x",
            "a.b='x' b.c='y'",
            "a.b='x' AND",
            "a.b > 'x'",
            "a.b = TIME 2020-01-01T00:00:00Z",
            "a.b CONTAINS 5",
        ] {
            assert!(Filter::parse(query).is_err(), "{query}");
        }
    }
}
