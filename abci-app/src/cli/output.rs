//! What commands print: JSON in one line, or indented text.

use anyhow::Result;
use clap::ValueEnum;
use serde_json::Value;
use std::{
    fmt::Write as _,
    io::{ErrorKind, Write as _},
};

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One line, for programs.
    Json,
}

/// Print a result to standard output. A reader that went away is no error.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(format: Format, value: &Value) -> Result<()> {
    let mut text = match format {
        Format::Json => value.to_string(),
        Format::Text => {
            let mut out = String::new();
            lines(&mut out, value, 0);
            out.trim_end().to_owned()
        }
    };
    text.push('\n');
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(()),
    }
}

fn lines(out: &mut String, value: &Value, depth: usize) {
    let pad = "  ".repeat(depth);
    // Writing to a String does not fail.
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if nested(value) {
                    writeln!(out, "{pad}{key}:").ok();
                    lines(out, value, depth + 1);
                } else {
                    writeln!(out, "{pad}{key}: {}", scalar(value)).ok();
                }
            }
        }
        Value::Array(list) => {
            for value in list {
                if nested(value) {
                    writeln!(out, "{pad}-").ok();
                    lines(out, value, depth + 1);
                } else {
                    writeln!(out, "{pad}- {}", scalar(value)).ok();
                }
            }
        }
        other => {
            writeln!(out, "{pad}{}", scalar(other)).ok();
        }
    }
}

fn nested(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_indented() {
        let mut out = String::new();
        lines(
            &mut out,
            &json!({ "a": [1, { "b": "x" }], "c": [], "d": null }),
            0,
        );
        assert_eq!(out, "a:\n  - 1\n  -\n    b: x\nc: []\nd: null\n");
    }
}
