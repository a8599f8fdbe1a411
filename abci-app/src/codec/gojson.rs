//! JSON to the byte as Go's `encoding/json` writes it: what is signed must not differ by a quote.

use serde::de::IgnoredAny;
use std::{collections::BTreeMap, fmt::Write};
use thiserror::Error;

/// A text that Go would not take for JSON.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadJson {
    /// It is none.
    #[error("invalid JSON bytes")]
    Invalid,
    /// A number beyond what a float of 64 bits holds.
    #[error("invalid JSON bytes: number {0} is too large")]
    Number(String),
}

/// A string with its quotes, `<`, `>`, `&` and the two line separators escaped, as Go does for HTML's sake.
pub fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// JSON with the keys of its objects sorted, no spaces, and numbers and strings as Go prints them again: what Go makes
/// of JSON that it read into an `interface{}`.
///
/// # Errors
/// When it is no JSON.
pub fn normalise(bytes: &[u8]) -> Result<String, BadJson> {
    // Checks everything, nesting too: the reader below needs to check nothing again.
    serde_json::from_slice::<IgnoredAny>(bytes).map_err(|_| BadJson::Invalid)?;
    let text = std::str::from_utf8(bytes).map_err(|_| BadJson::Invalid)?;
    let mut reader = Reader { rest: text };
    let mut out = String::with_capacity(text.len());
    reader.value(&mut out)?;
    Ok(out)
}

/// Reads JSON that is known to be sound.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Whether the next sign is `c`; it is passed then.
    fn eat(&mut self, c: char) -> bool {
        self.space();
        let next = self.rest.strip_prefix(c);
        self.rest = next.unwrap_or(self.rest);
        next.is_some()
    }

    fn take(&mut self, bytes: usize) -> Result<&'a str, BadJson> {
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(BadJson::Invalid)?;
        self.rest = rest;
        Ok(taken)
    }

    fn string(&mut self) -> Result<String, BadJson> {
        self.space();
        let mut escaped = false;
        let end = self.rest.bytes().enumerate().skip(1).find(|(_, b)| {
            let closes = *b == b'"' && !escaped;
            escaped = *b == b'\\' && !escaped;
            closes
        });
        let (end, _) = end.ok_or(BadJson::Invalid)?;
        serde_json::from_str(self.take(end + 1)?).map_err(|_| BadJson::Invalid)
    }

    fn value(&mut self, out: &mut String) -> Result<(), BadJson> {
        self.space();
        match self.rest.as_bytes().first() {
            Some(b'{') => self.object(out),
            Some(b'[') => self.array(out),
            Some(b'"') => {
                string(out, &self.string()?);
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => self.number(out),
            Some(_) => {
                let end = self.rest.find(|c: char| !c.is_ascii_lowercase());
                out.push_str(self.take(end.unwrap_or(self.rest.len()))?);
                Ok(())
            }
            None => Err(BadJson::Invalid),
        }
    }

    fn object(&mut self, out: &mut String) -> Result<(), BadJson> {
        self.eat('{');
        // The last of two equal keys counts.
        let mut fields = BTreeMap::new();
        while !self.eat('}') {
            self.eat(',');
            let key = self.string()?;
            self.eat(':');
            let mut value = String::new();
            self.value(&mut value)?;
            fields.insert(key, value);
        }
        out.push('{');
        for (i, (key, value)) in fields.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            string(out, key);
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
        Ok(())
    }

    fn array(&mut self, out: &mut String) -> Result<(), BadJson> {
        self.eat('[');
        out.push('[');
        let mut first = true;
        while !self.eat(']') {
            self.eat(',');
            if !first {
                out.push(',');
            }
            first = false;
            self.value(out)?;
        }
        out.push(']');
        Ok(())
    }

    fn number(&mut self, out: &mut String) -> Result<(), BadJson> {
        let end = self
            .rest
            .find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
        let text = self.take(end.unwrap_or(self.rest.len()))?;
        out.push_str(&number(text)?);
        Ok(())
    }
}

/// A number as Go and JavaScript print the float that they read it as. No arithmetic is done with it: reading a decimal
/// and printing the shortest one that reads the same have one right answer each, on every machine.
fn number(text: &str) -> Result<String, BadJson> {
    let value: f64 = text.parse().map_err(|_| BadJson::Invalid)?;
    if !value.is_finite() {
        return Err(BadJson::Number(text.chars().take(40).collect()));
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').ok_or(BadJson::Invalid)?;
    let exponent: i32 = exponent.parse().map_err(|_| BadJson::Invalid)?;
    // Both languages change the notation here.
    if digits.trim_start_matches('-') == "0" || (-6..21).contains(&exponent) {
        return Ok(format!("{value}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    Ok(format!("{digits}e{sign}{}", exponent.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_spaces_go_and_signs_of_html_are_escaped() {
        for (from, to) in [
            (
                r#" { "b" : [ 1 , {"z":null,"a":true} ] , "a" : "<&>" } "#,
                r#"{"a":"\u003c\u0026\u003e","b":[1,{"a":true,"z":null}]}"#,
            ),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{}"#, "{}"),
            ("[ ]", "[]"),
            (r#""\u0041\/\b\f\n\u0001\"""#, r#""A/\b\f\n\u0001\"""#),
            ("\"\u{2028}\u{e9}\u{7f}\"", "\"\\u2028\u{e9}\u{7f}\""),
            (r#"{"a":"\\"}"#, r#"{"a":"\\"}"#),
        ] {
            assert_eq!(normalise(from.as_bytes()).as_deref(), Ok(to), "{from}");
        }
        for bad in ["", "{", "{\"a\":}", "1 2", "nul", "\"\\ud800\"", "1e400"] {
            assert!(normalise(bad.as_bytes()).is_err(), "{bad}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(normalise(deep.as_bytes()), Err(BadJson::Invalid));
    }

    #[test]
    fn numbers_are_what_a_float_of_64_bits_makes_of_them() {
        for (from, to) in [
            ("0", "0"),
            ("-0", "-0"),
            ("1.0", "1"),
            ("1e2", "100"),
            ("12345678901234567890", "12345678901234567000"),
            ("1e21", "1e+21"),
            ("123456789012345678901234", "1.2345678901234569e+23"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("-1.5e-10", "-1.5e-10"),
            ("0.1", "0.1"),
        ] {
            assert_eq!(normalise(from.as_bytes()).as_deref(), Ok(to), "{from}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_normal_stays_so(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            if let Ok(once) = normalise(&bytes) {
                proptest::prop_assert_eq!(normalise(once.as_bytes()), Ok(once));
            }
        }
    }
}
