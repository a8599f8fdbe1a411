//! Events, held against the table of the vocabulary, and the table as people read it.

use cosmwasm_std::Event;
use ember_types::events::{Action, Emitter, KEYS, Kind, SHAPES, Shape, key};
use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};

const TABLE: &str = "contracts/packages/types/src/events.rs";

/// Where the table is written for people.
pub fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../EVENTS.md")
}

/// What of the table was emitted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Seen(BTreeSet<Part>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// An event, by its action where it has one.
    Event(&'static str, &'static str),
    /// An attribute that may be there, and whether it was.
    Attribute(&'static str, &'static str, bool),
    /// A value of a closed list.
    Word(&'static str, &'static str, &'static str),
}

const NO_ACTION: Action = Action {
    name: "",
    doc: "",
    always: &[],
    sometimes: &[],
};

fn words(shape: &'static Shape, key: &str) -> Option<&'static [&'static str]> {
    let mut words = shape.words.iter();
    words.find(|(k, _)| *k == key).map(|(_, list)| *list)
}

fn is(kind: Kind, value: &str) -> bool {
    let all = |ok: fn(char) -> bool| !value.is_empty() && value.chars().all(ok);
    match kind {
        Kind::Address => all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()),
        Kind::Number => all(|c| c.is_ascii_digit()),
        Kind::Hash => value.len() == 64 && all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)),
        Kind::Word => all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c)),
        Kind::Text => !value.is_empty(),
    }
}

impl Seen {
    /// Holds an event that a contract answered, its name without `wasm-`, against the table.
    ///
    /// # Errors
    /// What of it is not as the table says, and what to do about it.
    pub fn event(&mut self, by: Emitter, event: &Event) -> Result<(), String> {
        let name = event.ty.as_str();
        let shape = SHAPES.iter().find(|s| s.name == name);
        let shape = shape.ok_or_else(|| {
            format!("event \"{name}\" is not documented: add it to events! in {TABLE}")
        })?;
        let odd = |what: String| {
            format!(
                "event \"{name}\": {what}; its entry in {TABLE} must say what is emitted: {event:?}"
            )
        };
        if shape.by != by {
            return Err(odd(format!("expected of {:?}, got of {by:?}", shape.by)));
        }
        let action = match shape.actions {
            [] => &NO_ACTION,
            actions => {
                let said = event.attributes.iter().find(|a| a.key == key::ACTION);
                let said = said.map_or("", |a| a.value.as_str());
                let action = actions.iter().find(|a| a.name == said);
                action.ok_or_else(|| odd(format!("action \"{said}\" is not documented")))?
            }
        };
        let mut missing: BTreeSet<_> = shape.always.iter().chain(action.always).copied().collect();
        let mut absent: BTreeSet<_> = shape
            .sometimes
            .iter()
            .chain(action.sometimes)
            .copied()
            .collect();
        for a in &event.attributes {
            let key = match (missing.take(a.key.as_str()), absent.take(a.key.as_str())) {
                (Some(key), _) => key,
                (_, Some(key)) => {
                    self.0.insert(Part::Attribute(shape.name, key, true));
                    key
                }
                _ => {
                    return Err(odd(format!(
                        "attribute \"{}\" is not documented, or twice there",
                        a.key
                    )));
                }
            };
            let kind = KEYS.iter().find(|k| k.name == key).map(|k| k.kind);
            if !kind.is_some_and(|kind| is(kind, &a.value)) {
                return Err(odd(format!(
                    "{key}: expected {kind:?}, got \"{}\"",
                    a.value
                )));
            }
            if let Some(list) = words(shape, key) {
                let word = list.iter().find(|w| **w == a.value).ok_or_else(|| {
                    odd(format!(
                        "{key}: expected one of {list:?}, got \"{}\"",
                        a.value
                    ))
                })?;
                self.0.insert(Part::Word(shape.name, key, word));
            }
        }
        if !missing.is_empty() {
            return Err(odd(format!("attributes {missing:?} are missing")));
        }
        for key in absent {
            self.0.insert(Part::Attribute(shape.name, key, false));
        }
        self.0.insert(Part::Event(shape.name, action.name));
        Ok(())
    }

    /// What another run saw too.
    pub fn add(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// What the table says of the contract's events and nobody emitted: dead rows, or rows that no test reaches.
    pub fn missing(&self, by: Emitter) -> Vec<String> {
        let mut wanted = BTreeSet::new();
        for shape in SHAPES.iter().filter(|s| s.by == by) {
            let actions = match shape.actions {
                [] => &[NO_ACTION],
                actions => actions,
            };
            for action in actions {
                wanted.insert(Part::Event(shape.name, action.name));
                for key in shape.sometimes.iter().chain(action.sometimes) {
                    wanted.extend([true, false].map(|b| Part::Attribute(shape.name, key, b)));
                }
            }
            for (key, list) in shape.words {
                wanted.extend(list.iter().map(|w| Part::Word(shape.name, key, w)));
            }
        }
        let missing = wanted.difference(&self.0);
        missing.map(|part| format!("{part:?}")).collect()
    }
}

/// The table for people.
pub fn render() -> String {
    let mut page = String::from(HEAD);
    for (by, title) in [(Emitter::Market, "Market"), (Emitter::Registry, "Registry")] {
        let _ = write!(
            page,
            "\n## {title}\n\n| event | attributes | when |\n|---|---|---|\n"
        );
        for shape in SHAPES.iter().filter(|s| s.by == by) {
            let (always, sometimes) = (list(shape.always), optional(shape.sometimes));
            let mut doc = tidy(shape.doc).to_owned();
            for (key, words) in shape.words {
                let _ = write!(doc, " `{key}`: {}.", list(words));
            }
            let _ = writeln!(
                page,
                "| `wasm-{}` | {always}{sometimes} | {doc} |",
                shape.name
            );
            for a in shape.actions {
                let (always, sometimes) = (list(a.always), optional(a.sometimes));
                let (name, doc) = (a.name, tidy(a.doc));
                let _ = writeln!(
                    page,
                    "| … `action` = `{name}` | {always}{sometimes} | {doc} |"
                );
            }
        }
    }
    page += "\n## Attributes\n\n| attribute | value | meaning |\n|---|---|---|\n";
    for key in KEYS {
        let value = match key.kind {
            Kind::Address => "address",
            Kind::Number => "digits",
            Kind::Hash => "64 hex digits, lower case",
            Kind::Word => "word",
            Kind::Text => "text",
        };
        let _ = writeln!(page, "| `{}` | {value} | {} |", key.name, tidy(key.doc));
    }
    page
}

const HEAD: &str = "\
# Events

Written by `../scripts/build-contracts` from `packages/types/src/events.rs`; a test fails when it is stale. Every event that a
test of the contracts emits is held against the same table, and every row of it is emitted by a test.

An event stands in the result of its transaction, or of the block when the end-block hook took the step. Each has the
attribute `_contract_address` beside those below. Attributes in brackets are there where they apply; an `action` adds its own
to those of its event. Over the websocket, `tm.event='Tx' AND wasm-bid_placed.order_id='7'` gives the bids on order 7.
";

fn list(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|n| format!("`{n}`")).collect();
    quoted.join(" ")
}

fn optional(names: &[&str]) -> String {
    names.iter().map(|n| format!(" [`{n}`]")).collect()
}

fn tidy(doc: &str) -> &str {
    doc.trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ember_types::events;

    fn revealed() -> Event {
        Event::new(events::BID_REVEALED)
            .add_attribute(key::ORDER_ID, "1")
            .add_attribute(key::BID_ID, "2")
            .add_attribute(key::PROVIDER, "ember1abc")
            .add_attribute(key::SALT, "ab".repeat(32))
            .add_attribute(key::RATE, "3")
    }

    fn refused(event: &Event, by: Emitter) -> String {
        let mut seen = Seen::default();
        let refused = seen.event(by, event).unwrap_err();
        assert_eq!(
            seen.missing(Emitter::Market),
            Seen::default().missing(Emitter::Market)
        );
        refused
    }

    #[test]
    fn what_is_emitted_is_what_is_documented_and_nothing_else() {
        let market = Emitter::Market;
        let mut seen = Seen::default();
        seen.event(market, &revealed()).unwrap();
        let all = Seen::default().missing(market);
        assert_eq!(seen.missing(market).len(), all.len() - 1);
        assert!(refused(&revealed(), Emitter::Registry).contains("expected of Market"));
        assert!(refused(&Event::new("new"), market).contains("add it to events!"));
        let more = revealed().add_attribute("color", "red");
        assert!(refused(&more, market).contains("\"color\" is not documented"));
        let twice = revealed().add_attribute(key::RATE, "3");
        assert!(refused(&twice, market).contains("\"rate\" is not documented, or twice"));
        let mut less = revealed();
        less.attributes.pop();
        assert!(refused(&less, market).contains("{\"rate\"} are missing"));
        less = less.add_attribute(key::RATE, "3.5");
        assert!(refused(&less, market).contains("rate: expected Some(Number), got"));
    }

    #[test]
    fn actions_have_attributes_of_their_own_and_words_are_a_closed_list() {
        let cert = |action: &str| {
            Event::new(events::AUDIT)
                .add_attribute(key::ACTION, action)
                .add_attribute(key::PROVIDER, "ember1abc")
                .add_attribute(key::SIGNER, "ember1def")
        };
        let registry = Emitter::Registry;
        Seen::default().event(registry, &cert("revoke")).unwrap();
        assert!(refused(&cert("sign"), registry).contains("are missing"));
        assert!(refused(&cert("burn"), registry).contains("action \"burn\" is not documented"));
        let infeasible = |value: &str| {
            Event::new(events::ORDER_INFEASIBLE)
                .add_attribute(key::ORDER_ID, "1")
                .add_attribute(key::FEASIBLE, value)
        };
        Seen::default()
            .event(Emitter::Market, &infeasible("false"))
            .unwrap();
        assert!(refused(&infeasible("true"), Emitter::Market).contains("expected one of"));
    }

    #[test]
    fn the_table_names_each_event_and_attribute_once_and_uses_them() {
        let unique = |names: Vec<&str>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
        assert!(unique(SHAPES.iter().map(|s| s.name).collect()));
        assert!(unique(KEYS.iter().map(|k| k.name).collect()));
        let parts = |s: &'static Shape| {
            let actions = s.actions.iter().flat_map(|a| [a.always, a.sometimes]);
            [s.always, s.sometimes].into_iter().chain(actions).flatten()
        };
        let used: BTreeSet<_> = SHAPES.iter().flat_map(parts).collect();
        for k in KEYS {
            assert!(
                used.contains(&k.name),
                "no event has the attribute {}",
                k.name
            );
        }
        for s in SHAPES {
            assert!(
                s.words.iter().all(|(k, _)| s.always.contains(k)),
                "{}",
                s.name
            );
            assert_eq!(
                s.actions.is_empty(),
                !s.always.contains(&key::ACTION),
                "{}",
                s.name
            );
        }
    }

    #[test]
    fn the_page_is_that_of_the_table() {
        let stored = std::fs::read_to_string(page()).unwrap_or_default();
        assert!(
            stored == render(),
            "{} is stale: run scripts/build-contracts and commit it",
            page().display()
        );
    }
}
