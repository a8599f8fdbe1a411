//! Results on standard output, errors as one line on standard error.

use crate::{chain, config::Output};
use serde_json::Value;

/// Writes a result.
pub fn print(answer: &Value, output: Output) {
    match output {
        Output::Json => println!("{answer}"),
        Output::Text => print!("{}", text(answer, 0)),
    }
}

fn text(v: &Value, depth: usize) -> String {
    let pad = "  ".repeat(depth);
    match v {
        Value::Object(map) => map
            .iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| match v {
                Value::Array(items) if items.is_empty() => format!("{pad}{k}: none\n"),
                Value::Object(_) | Value::Array(_) => format!("{pad}{k}:\n{}", text(v, depth + 1)),
                _ => format!("{pad}{k}: {}\n", scalar(v)),
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .map(|i| {
                let body = text(i, depth + 1);
                format!("{pad}- {}\n", body.trim())
            })
            .collect(),
        _ => format!("{pad}{}\n", scalar(v)),
    }
}

fn scalar(v: &Value) -> String {
    v.as_str().map_or_else(|| v.to_string(), str::to_owned)
}

/// One line for an error: what a contract said stands alone, without what the chain wrapped around it.
pub fn error_line(e: &anyhow::Error) -> String {
    let text = match e.downcast_ref::<chain::Error>() {
        Some(chain::Error::Query { log, .. } | chain::Error::Rejected { log, .. }) => sentence(log),
        _ => format!("{e:#}"),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One line for a mistake on the command line: what is wrong, the possible values if there are any, where help is.
pub fn usage_line(e: &clap::Error) -> String {
    let text = e.to_string();
    let kept: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with("Usage:") && !l.starts_with("For more"))
        .collect();
    let line = kept.join(" ");
    format!(
        "{}; see --help",
        line.strip_prefix("error: ").unwrap_or(&line)
    )
}

/// A contract's own sentence in a log of the chain.
fn sentence(log: &str) -> String {
    let mut s = log.trim();
    for prefix in [
        "rpc error: code = Unknown desc = ",
        "failed to execute message; message index: ",
    ] {
        s = s.strip_prefix(prefix).unwrap_or(s);
    }
    if let Some((index, rest)) = s.split_once(": ")
        && index.bytes().all(|b| b.is_ascii_digit())
    {
        s = rest;
    }
    s = s
        .split(": execute wasm contract failed")
        .next()
        .unwrap_or(s);
    s = s.split(": query wasm contract failed").next().unwrap_or(s);
    s.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_speaks_for_itself() {
        let e = anyhow::Error::from(chain::Error::Rejected {
            codespace: "wasm".into(),
            code: 5,
            log: "failed to execute message; message index: 0: no order 7: execute wasm contract failed".into(),
        });
        assert_eq!(error_line(&e), "no order 7");
        let e = anyhow::anyhow!("a\nb").context("c");
        assert_eq!(error_line(&e), "c: a b");
    }

    #[test]
    fn a_mistake_on_the_command_line_is_one_line() {
        use clap::Parser;
        let line = |args: &str| {
            let e = crate::cli::Cli::try_parse_from(args.split(' ')).unwrap_err();
            usage_line(&e)
        };
        let text = line("ember order deposit 1 1000usdc!");
        assert!(
            text.contains("usdc!") && text.contains("expected an amount"),
            "{text}"
        );
        let text = line("ember order create --mode dutch --denom a");
        assert!(
            text.contains("dutch") && text.contains("reverse-auction"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1);
        assert!(
            !text.starts_with("error") && text.ends_with("see --help"),
            "{text}"
        );
    }

    #[test]
    fn text_is_lines_of_keys() {
        let v = serde_json::json!({"a": "x", "n": null, "l": [{"b": 1, "c": 2}], "e": []});
        assert_eq!(text(&v, 0), "a: x\ne: none\nl:\n  - b: 1\n    c: 2\n");
    }
}
