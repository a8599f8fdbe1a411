//! JSON read with little code.
//!
//! A contract's wasm may have 500 KiB. `serde_json`, which `cosmwasm-std` reads with, takes 1 KB for every struct, beside
//! what the struct's own fields take: each may come as an object or as an array, and each copy parses, counts depth and
//! words its errors. Here it parses once, into a tree, and structs are taken from that: the market is 68 KB smaller.
//! (`serde-json-wasm` instead made it 26 KB larger, and `serde_json` without the arrays 3 KB smaller.)

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{
        DeserializeOwned, DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess,
        Unexpected, VariantAccess, Visitor, value::Error,
    },
};
use std::{borrow::Cow, fmt, vec};

/// A value that is read with little code, and written as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lean<T>(pub T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lean<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Node::deserialize(deserializer)?)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

impl<T: Serialize> Serialize for Lean<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Makes a type that derives serde's traits with `#[serde(remote = "Self")]` read itself as [`Lean`] does, wherever it
/// is read by itself: what a contract stores.
#[macro_export]
macro_rules! lean {
    ($($name:ident),+ $(,)?) => {$(
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                // The one that `remote` derives.
                $name::serialize(self, s)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct Derived($name);
                impl<'de> ::serde::Deserialize<'de> for Derived {
                    fn deserialize<D: ::serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                        $name::deserialize(d).map(Self)
                    }
                }
                $crate::lean::Lean::<Derived>::deserialize(d).map(|lean| lean.0.0)
            }
        }
    )+};
}

/// JSON without floats, which no message or state of a contract has.
enum Node<'de> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Text(Cow<'de, str>),
    Array(Vec<Self>),
    /// In the order they came, twice when they came twice: the struct refuses that.
    Object(Vec<(Self, Self)>),
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Nodes;

        impl<'de> Visitor<'de> for Nodes {
            type Value = Node<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON without floats")
            }

            fn visit_unit<E>(self) -> Result<Node<'de>, E> {
                Ok(Node::Null)
            }

            fn visit_bool<E>(self, v: bool) -> Result<Node<'de>, E> {
                Ok(Node::Bool(v))
            }

            fn visit_u64<E>(self, v: u64) -> Result<Node<'de>, E> {
                Ok(Node::Unsigned(v))
            }

            fn visit_i64<E>(self, v: i64) -> Result<Node<'de>, E> {
                Ok(Node::Signed(v))
            }

            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Node<'de>, E> {
                Ok(Node::Text(Cow::Borrowed(v)))
            }

            fn visit_str<E>(self, v: &str) -> Result<Node<'de>, E> {
                Ok(Node::Text(Cow::Owned(v.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node<'de>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Node::Array(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Object(entries))
            }
        }

        deserializer.deserialize_any(Nodes)
    }
}

// What follows is instantiated for every type: what does not depend on the type stands in functions of its own.
impl<'de> Node<'de> {
    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Null => Unexpected::Unit,
            Self::Bool(v) => Unexpected::Bool(*v),
            Self::Unsigned(v) => Unexpected::Unsigned(*v),
            Self::Signed(v) => Unexpected::Signed(*v),
            Self::Text(v) => Unexpected::Str(v),
            Self::Array(_) => Unexpected::Seq,
            Self::Object(_) => Unexpected::Map,
        }
    }

    fn is_not(&self, expected: &'static str) -> Error {
        Error::invalid_type(self.unexpected(), &expected)
    }

    fn bool(self) -> Result<bool, Error> {
        match self {
            Self::Bool(v) => Ok(v),
            other => Err(other.is_not("a boolean")),
        }
    }

    fn unsigned(self) -> Result<u64, Error> {
        match self {
            Self::Unsigned(v) => Ok(v),
            other => Err(other.is_not("an integer, zero or more")),
        }
    }

    fn signed(self) -> Result<i64, Error> {
        match self {
            Self::Signed(v) => Ok(v),
            Self::Unsigned(v) => i64::try_from(v)
                .map_err(|_| Error::invalid_value(Unexpected::Unsigned(v), &"64 bits with a sign")),
            other => Err(other.is_not("an integer")),
        }
    }

    fn text(self) -> Result<Cow<'de, str>, Error> {
        match self {
            Self::Text(v) => Ok(v),
            other => Err(other.is_not("a string")),
        }
    }

    fn null(self) -> Result<(), Error> {
        match self {
            Self::Null => Ok(()),
            other => Err(other.is_not("null")),
        }
    }

    fn items(self) -> Result<Items<'de>, Error> {
        match self {
            Self::Array(items) => Ok(Items(items.into_iter())),
            other => Err(other.is_not("an array")),
        }
    }

    fn entries(self) -> Result<Entries<'de>, Error> {
        match self {
            Self::Object(entries) => Ok(Entries {
                left: entries.into_iter(),
                value: Self::Null,
            }),
            other => Err(other.is_not("an object")),
        }
    }

    /// A variant's name and what it holds.
    fn variant(self) -> Result<(Self, Option<Self>), Error> {
        match self {
            Self::Text(_) => Ok((self, None)),
            Self::Object(mut entries) if entries.len() == 1 => match entries.pop() {
                Some((name, value)) => Ok((name, Some(value))),
                None => Err(Error::custom("expected a variant")),
            },
            other => Err(other.is_not("a variant: a string, or an object with one field")),
        }
    }
}

struct Items<'de>(vec::IntoIter<Node<'de>>);

impl Items<'_> {
    fn end(&self) -> Result<(), Error> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(Error::invalid_length(left, &"an array without them")),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        match self.0.next() {
            Some(item) => seed.deserialize(item).map(Some),
            None => Ok(None),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries<'de> {
    left: vec::IntoIter<(Node<'de>, Node<'de>)>,
    /// Of the key that was handed out last.
    value: Node<'de>,
}

impl<'de> Entries<'de> {
    fn next(&mut self) -> Option<Node<'de>> {
        let (key, value) = self.left.next()?;
        self.value = value;
        Some(key)
    }

    fn value(&mut self) -> Node<'de> {
        std::mem::replace(&mut self.value, Node::Null)
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        match self.next() {
            Some(key) => seed.deserialize(key).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.value())
    }
}

struct Variant<'de>((Node<'de>, Option<Node<'de>>));

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Error;
    type Variant = Held<'de>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Held<'de>), Error> {
        let (name, held) = self.0;
        Ok((seed.deserialize(name)?, Held(held)))
    }
}

struct Held<'de>(Option<Node<'de>>);

impl<'de> Held<'de> {
    fn node(self) -> Result<Node<'de>, Error> {
        self.0
            .ok_or_else(|| Error::invalid_type(Unexpected::UnitVariant, &"a variant with fields"))
    }
}

impl<'de> VariantAccess<'de> for Held<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.0.map_or(Ok(()), Node::null)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.node()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.node()?.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(self.node()?.entries()?)
    }
}

macro_rules! numbers {
    ($visit:ident($number:ident): $($name:ident)+) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.$number()?)
        }
    )+};
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Error;

    numbers!(visit_u64(unsigned): deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128);
    numbers!(visit_i64(signed): deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128);

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(v) => visitor.visit_bool(v),
            Self::Unsigned(v) => visitor.visit_u64(v),
            Self::Signed(v) => visitor.visit_i64(v),
            Self::Text(v) => visitor.visit_str(&v),
            Self::Array(_) => self.deserialize_seq(visitor),
            Self::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.bool()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(&self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.null()?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut items = self.items()?;
        let value = visitor.visit_seq(&mut items)?;
        items.end()?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self.entries()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(self.entries()?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(Variant(self.variant()?))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        char f32 f64 bytes byte_buf unit_struct tuple_struct
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "snake_case")]
    enum Choice {
        Nothing,
        One(u32),
        Two(u8, String),
        Some { at: Option<i64>, of: Vec<Choice> },
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Id(u64);

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct All {
        id: Id,
        yes: bool,
        unit: (),
        pair: (u16, String),
        choice: Choice,
        inner: Option<Box<All>>,
        #[serde(default)]
        later: Vec<i32>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(remote = "Self", deny_unknown_fields)]
    struct Stored {
        id: Id,
        name: String,
    }

    crate::lean!(Stored);

    fn choice() -> impl Strategy<Value = Choice> {
        let leaf = prop_oneof![
            Just(Choice::Nothing),
            any::<u32>().prop_map(Choice::One),
            (any::<u8>(), ".{0,4}").prop_map(|(n, s)| Choice::Two(n, s)),
        ];
        leaf.prop_recursive(3, 8, 3, |inner| {
            (any::<Option<i64>>(), prop::collection::vec(inner, 0..3))
                .prop_map(|(at, of)| Choice::Some { at, of })
        })
    }

    fn all() -> impl Strategy<Value = All> {
        let one = (
            any::<u64>(),
            any::<bool>(),
            any::<u16>(),
            ".{0,6}",
            choice(),
            any::<Vec<i32>>(),
        );
        prop::collection::vec(one, 1..3).prop_map(|rows| {
            let nest = |inner: Option<Box<All>>, (id, yes, n, s, choice, later)| {
                Some(Box::new(All {
                    id: Id(id),
                    yes,
                    unit: (),
                    pair: (n, s),
                    choice,
                    inner,
                    later,
                }))
            };
            *rows.into_iter().fold(None, nest).unwrap()
        })
    }

    proptest! {
        /// What serde_json writes is read back, and of what it does not write nothing is read that serde_json would not
        /// read alike.
        #[test]
        fn values_are_those_of_serde_json(value in all(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
            let mut text = serde_json::to_vec(&Lean(value.clone())).unwrap();
            prop_assert_eq!(&text, &serde_json::to_vec(&value).unwrap());
            prop_assert_eq!(&serde_json::from_slice::<Lean<All>>(&text).unwrap().0, &value);
            let at = at.index(text.len());
            if cut { text.remove(at); } else { text[at] = byte; }
            let (lean, whole) = (serde_json::from_slice::<Lean<All>>(&text), serde_json::from_slice::<All>(&text));
            prop_assert_eq!(lean.map(|l| l.0).ok(), whole.ok(), "{}", String::from_utf8_lossy(&text));
        }
    }

    fn refused<T: DeserializeOwned + fmt::Debug>(text: &str) -> String {
        serde_json::from_str::<Lean<T>>(text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn errors_say_what_was_expected() {
        for (text, says) in [
            (r#"{"id":1}"#, "missing field `name`"),
            (
                r#"{"id":1,"name":"a","more":1}"#,
                "unknown field `more`, expected `id` or `name`",
            ),
            (r#"{"id":1,"id":2,"name":"a"}"#, "duplicate field `id`"),
            (
                r#"{"id":-1,"name":"a"}"#,
                "invalid type: integer `-1`, expected an integer, zero or more",
            ),
            (
                r#"{"id":1.5,"name":"a"}"#,
                "invalid type: floating point `1.5`, expected JSON without floats",
            ),
            (
                r#"{"id":"1","name":"a"}"#,
                "invalid type: string \"1\", expected an integer, zero or more",
            ),
            // serde_json would read a struct from an array.
            (r#"[1,"a"]"#, "invalid type: sequence, expected an object"),
            (r#"{"id":1,"name":"a"} x"#, "trailing characters"),
        ] {
            let error = serde_json::from_str::<Stored>(text)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(says), "{text}: {error}");
        }
        for (text, says) in [
            (
                r#""other""#,
                "unknown variant `other`, expected one of `nothing`, `one`, `two`, `some`",
            ),
            (
                r#""one""#,
                "invalid type: unit variant, expected a variant with fields",
            ),
            (
                r#"{"one":1,"two":[]}"#,
                "invalid type: map, expected a variant: a string, or an object with one field",
            ),
            (
                r#"{"one":4294967296}"#,
                "invalid value: integer `4294967296`, expected u32",
            ),
            (
                r#"{"two":[1,"a",2]}"#,
                "invalid length 1, expected an array without them",
            ),
        ] {
            let error = refused::<Choice>(text);
            assert!(error.starts_with(says), "{text}: {error}");
        }
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        assert!(refused::<All>(&deep).starts_with("recursion limit exceeded"));
    }

    #[test]
    fn what_is_stored_reads_itself() {
        let stored = Stored {
            id: Id(7),
            name: "a\n\"b".into(),
        };
        let text = cosmwasm_std::to_json_vec(&stored).unwrap();
        assert_eq!(text, br#"{"id":7,"name":"a\n\"b"}"#);
        assert_eq!(cosmwasm_std::from_json::<Stored>(&text).unwrap(), stored);
    }
}
