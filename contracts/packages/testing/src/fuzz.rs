//! Mutations of JSON messages, of their bytes, and of their numbers and texts so that many still decode; and the loops
//! that run them.

use crate::{Bare, dice::Dice};
use cosmwasm_std::{Addr, Coin, Timestamp, from_json};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
};

/// Ends of ranges, as text.
pub const EDGES: [&str; 10] = [
    "0",
    "1",
    "4294967295",
    "4294967296",
    "18446744073709551614",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211454",
    "340282366920938463463374607431768211455",
    "340282366920938463463374607431768211456",
];

/// Every `*.json` of a folder, by its name without the ending.
///
/// # Panics
/// When the folder cannot be read or a file holds no JSON.
pub fn corpus(dir: &Path) -> BTreeMap<String, Value> {
    let failed = |path: &Path, e: String| -> ! { panic!("{}: {e}", path.display()) };
    let files = fs::read_dir(dir).unwrap_or_else(|e| failed(dir, e.to_string()));
    let mut found = BTreeMap::new();
    for file in files {
        let path: PathBuf = file.unwrap_or_else(|e| failed(dir, e.to_string())).path();
        let text = fs::read(&path).unwrap_or_else(|e| failed(&path, e.to_string()));
        let value = serde_json::from_slice(&text).unwrap_or_else(|e| failed(&path, e.to_string()));
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        found.insert(name.into_owned(), value);
    }
    found
}

/// The names of an enum's variants, from its schema.
pub fn variants(schema: impl serde::Serialize) -> Vec<String> {
    let schema = serde_json::to_value(schema).unwrap_or_default();
    let all = schema["oneOf"].as_array().cloned().unwrap_or_default();
    all.iter()
        .filter_map(|v| v["required"][0].as_str().map(str::to_owned))
        .collect()
}

/// Every variant of a message has an entry.
///
/// # Panics
/// When one has none.
pub fn expect_entries<T>(entries: &BTreeMap<String, T>, kind: &str, schema: impl serde::Serialize) {
    for name in variants(schema) {
        let name = format!("{kind}.{name}");
        let found = entries
            .keys()
            .any(|k| *k == name || k.starts_with(&format!("{name}.")));
        assert!(found, "expected an entry fuzz/corpus/{name}.json");
    }
}

/// A message, when the bytes are one.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    from_json(bytes).ok()
}

/// What became of a message that was decoded and run.
pub fn outcome<T, E>(ran: Option<Result<T, E>>) -> Outcome {
    match ran {
        None => Outcome::Undecodable,
        Some(Err(_)) => Outcome::Refused,
        Some(Ok(_)) => Outcome::Taken,
    }
}

/// How many numbers a value holds; numbers in texts count.
pub fn numbers(value: &Value) -> usize {
    let mut count = 0;
    let mut copy = value.clone();
    leaves(&mut copy, &mut |leaf| count += usize::from(is_number(leaf)));
    count
}

/// Puts `edge` in the place of the number at `index`.
pub fn set_number(value: &mut Value, index: usize, edge: &str) {
    let mut at = 0;
    leaves(value, &mut |leaf| {
        if is_number(leaf) {
            if at == index {
                replace(leaf, edge);
            }
            at += 1;
        }
    });
}

fn is_number(leaf: &Value) -> bool {
    leaf.is_number()
        || leaf
            .as_str()
            .is_some_and(|s| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()))
}

fn replace(leaf: &mut Value, edge: &str) {
    *leaf = match leaf {
        // What no JSON number of 64 bits can say comes as the nearest float, which nothing decodes.
        Value::Number(_) => serde_json::from_str(edge).unwrap_or(Value::Null),
        _ => Value::String(edge.into()),
    };
}

fn leaves(value: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|v| leaves(v, visit)),
        Value::Object(map) => map.values_mut().for_each(|v| leaves(v, visit)),
        leaf => visit(leaf),
    }
}

/// A value with one to four of its parts changed; sometimes bytes only, so that it may not even be JSON.
pub fn mutate(dice: &mut Dice, value: &Value, others: &[&Value]) -> Vec<u8> {
    let mut value = value.clone();
    for _ in 0..dice.within(1, 4) {
        if dice.percent(75) {
            one_leaf(dice, &mut value);
        } else {
            structure(dice, &mut value, others);
        }
    }
    let mut bytes = value.to_string().into_bytes();
    if dice.percent(20) {
        for _ in 0..dice.within(1, 3) {
            one_byte(dice, &mut bytes);
        }
    }
    bytes
}

fn one_leaf(dice: &mut Dice, value: &mut Value) {
    let mut count = 0;
    leaves(value, &mut |_| count += 1);
    let (chosen, mut at) = (dice.below(count), 0);
    leaves(value, &mut |leaf| {
        if at == chosen {
            change(dice, leaf);
        }
        at += 1;
    });
}

fn change(dice: &mut Dice, leaf: &mut Value) {
    if is_number(leaf) {
        match dice.below(3) {
            0 => replace(leaf, &dice.below(12).to_string()),
            1 => replace(leaf, &dice.next().to_string()),
            _ => replace(leaf, dice.of(&EDGES).unwrap_or("0")),
        }
        return;
    }
    *leaf = match (&*leaf, dice.below(8)) {
        (_, 0) => Value::Null,
        (_, 1) => Value::String(String::new()),
        (_, 2) => Value::String("x".repeat(dice.within(1, 300) as usize)),
        (Value::String(s), _) => {
            let mut bytes = s.clone().into_bytes();
            one_byte(dice, &mut bytes);
            Value::String(String::from_utf8_lossy(&bytes).into_owned())
        }
        (Value::Bool(b), _) => Value::Bool(!b),
        (other, _) => other.clone(),
    };
}

/// Drops, doubles or borrows a part.
fn structure(dice: &mut Dice, value: &mut Value, others: &[&Value]) {
    match value {
        Value::Array(list) => match dice.below(4) {
            0 => list.clear(),
            1 => list.extend(
                list.clone()
                    .into_iter()
                    .cycle()
                    .take(dice.below(40) as usize),
            ),
            _ => {
                let i = dice.below(list.len() as u64) as usize;
                if let Some(v) = list.get_mut(i) {
                    structure(dice, v, others);
                }
            }
        },
        Value::Object(map) => {
            let keys: Vec<_> = map.keys().cloned().collect();
            let Some(key) = dice.of(&keys) else { return };
            match dice.below(12) {
                0 => drop(map.remove(&key)),
                1 => drop(map.insert("unknown".into(), Value::Null)),
                2 => {
                    let other = dice.of(others).cloned().unwrap_or_default();
                    map.insert(key, other);
                }
                _ => {
                    if let Some(v) = map.get_mut(&key) {
                        structure(dice, v, others);
                    }
                }
            }
        }
        leaf => change(dice, leaf),
    }
}

fn one_byte(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let at = dice.below(bytes.len() as u64) as usize;
    match (dice.below(4), bytes.get_mut(at)) {
        (0, Some(b)) => *b = dice.next() as u8,
        (1, Some(b)) => *b ^= 1 << dice.below(8),
        (2, Some(_)) => drop(bytes.remove(at)),
        _ => bytes.insert(at, dice.next() as u8),
    }
}

/// One message: the corpus entry that it comes from, and what goes with it.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its kind: what stands before the first dot of the entry's name (`execute`, `query`, `instantiate`, ...).
    pub kind: String,
    /// JSON, or what was.
    pub bytes: Vec<u8>,
    /// Who sends it.
    pub sender: Addr,
    /// With these coins.
    pub funds: Vec<Coin>,
}

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Not a message of its kind.
    Undecodable,
    /// The contract or the bank said no.
    Refused,
    /// It went through.
    Taken,
}

/// A contract under fuzz: `base` is a world in which the corpus finds something to act on; `run` runs one input in a
/// copy of it and panics when anything is broken.
pub struct Target<'a> {
    /// The world.
    pub base: Bare,
    /// Who sends.
    pub people: Vec<Addr>,
    /// In which coins.
    pub denoms: Vec<&'a str>,
    /// By name.
    pub corpus: BTreeMap<String, Value>,
    /// Runs an input.
    pub run: fn(&mut Bare, &Input) -> Outcome,
}

impl Target<'_> {
    fn input(&self, name: &str, bytes: Vec<u8>, sender: &Addr, funds: &[Coin]) -> Input {
        Input {
            kind: name.split('.').next().unwrap_or_default().into(),
            bytes,
            sender: sender.clone(),
            funds: funds.to_vec(),
        }
    }

    fn guarded(&self, world: &mut Bare, input: &Input) -> Outcome {
        let ran = catch_unwind(AssertUnwindSafe(|| (self.run)(world, input)));
        ran.unwrap_or_else(|panic| {
            let Input {
                kind,
                sender,
                funds,
                bytes,
            } = input;
            eprintln!(
                "FAILED: {kind} by {sender} with {funds:?}: {}",
                String::from_utf8_lossy(bytes)
            );
            resume_unwind(panic)
        })
    }

    /// No coin, and the right amounts and the ends of the range in each denom.
    fn coins(&self) -> Vec<Vec<Coin>> {
        let amounts = [0, 1, 500, 40_000, u128::MAX / 16, u128::MAX];
        let one = |d: &&str| amounts.map(|a| vec![Coin::new(a, *d)]);
        let mut all: Vec<_> = self.denoms.iter().flat_map(one).collect();
        all.push(vec![]);
        all.push(self.denoms.iter().map(|d| Coin::new(1u128, *d)).collect());
        all
    }

    /// Every entry as it is, by everyone, with all coins: what came of it at best, by name.
    pub fn as_it_is(&self) -> BTreeMap<String, Outcome> {
        let mut best = BTreeMap::new();
        for (name, value) in &self.corpus {
            for sender in &self.people {
                for funds in self.coins() {
                    let input = self.input(name, value.to_string().into_bytes(), sender, &funds);
                    let outcome = self.guarded(&mut self.base.clone(), &input);
                    let best = best.entry(name.clone()).or_insert(outcome);
                    *best = outcome.max(*best);
                }
            }
        }
        best
    }

    /// Every number of every entry at the ends of every range, by everyone, with all coins; now and at the end of time.
    /// Answers how many went through.
    pub fn at_the_edges(&self) -> usize {
        let mut taken = 0;
        for (name, value) in &self.corpus {
            for index in 0..numbers(value).max(1) {
                for edge in EDGES {
                    let mut value = value.clone();
                    set_number(&mut value, index, edge);
                    taken += self.everybody(name, &value);
                }
            }
        }
        taken
    }

    fn everybody(&self, name: &str, value: &Value) -> usize {
        let mut taken = 0;
        let bytes = value.to_string().into_bytes();
        for (i, sender) in self.people.iter().enumerate() {
            for (j, funds) in self.coins().iter().enumerate() {
                let mut world = self.base.clone();
                if (i + j) % 4 == 0 {
                    world.env.block.time = Timestamp::from_nanos(u64::MAX);
                }
                let outcome =
                    self.guarded(&mut world, &self.input(name, bytes.clone(), sender, funds));
                taken += usize::from(outcome == Outcome::Taken);
            }
        }
        taken
    }

    /// `rounds` short histories of mutated entries. Answers how often each outcome came.
    pub fn mutated(&self, seed: u64, rounds: u64) -> BTreeMap<Outcome, usize> {
        let mut dice = Dice::new(seed);
        let names: Vec<_> = self.corpus.keys().cloned().collect();
        let others: Vec<_> = self.corpus.values().collect();
        let coins = self.coins();
        let mut seen = BTreeMap::new();
        for _ in 0..rounds {
            let mut world = self.base.clone();
            for _ in 0..dice.within(1, 5) {
                let Some(name) = dice.of(&names) else { break };
                let Some(value) = self.corpus.get(&name) else {
                    break;
                };
                let bytes = mutate(&mut dice, value, &others);
                let sender = dice
                    .of(&self.people)
                    .unwrap_or_else(|| world.authority.clone());
                let funds = dice.of(&coins).unwrap_or_default();
                let outcome = self.guarded(&mut world, &self.input(&name, bytes, &sender, &funds));
                *seen.entry(outcome).or_default() += 1;
                let secs = dice.below(2_000);
                world.pass(secs);
            }
        }
        seen
    }
}

/// Puts real names in the place of `$names` in every text of the corpus.
pub fn fill(corpus: &mut BTreeMap<String, Value>, names: &BTreeMap<&str, String>) {
    for value in corpus.values_mut() {
        leaves(value, &mut |leaf| {
            let name = leaf.as_str().and_then(|s| s.strip_prefix('$'));
            if let Some(real) = name.and_then(|n| names.get(n)) {
                *leaf = Value::String(real.clone());
            }
        });
    }
}

/// How many rounds: `EMBER_FUZZ`, else `default`.
///
/// # Panics
/// When it is not a number.
pub fn rounds(default: u64) -> u64 {
    match std::env::var("EMBER_FUZZ") {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("EMBER_FUZZ: expected a number, got \"{text}\"")),
        Err(_) => default,
    }
}
