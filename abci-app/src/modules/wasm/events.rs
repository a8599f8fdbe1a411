//! Contracts' attributes and events as the chain's.

use super::fail::{Code, Fail, Res};
use crate::ctx::{Ctx, Event};
use cosmwasm_std::Attribute;

/// The attribute that names the contract; first of every event.
pub(super) const CONTRACT: &str = "_contract_address";
/// A contract's custom events start with it.
const CUSTOM_PREFIX: &str = "wasm-";
/// Custom types are longer than this.
const MIN_TYPE_LEN: usize = 2;

/// Emit what a contract's response holds: the `wasm` event when there are attributes, then the custom ones.
///
/// # Errors
/// wasm/21 for reserved or empty keys and short types.
pub(super) fn emit_response(
    ctx: &Ctx,
    contract: &str,
    attributes: &[Attribute],
    events: &[cosmwasm_std::Event],
) -> Res<()> {
    if !attributes.is_empty() {
        ctx.emit(event("wasm".into(), contract, attributes)?);
    }
    let custom: Res<Vec<Event>> = events.iter().map(|e| custom(e, contract)).collect();
    for e in custom? {
        ctx.emit(e);
    }
    Ok(())
}

fn custom(e: &cosmwasm_std::Event, contract: &str) -> Res<Event> {
    let kind = e.ty.trim();
    if kind.len() <= MIN_TYPE_LEN {
        return Err(Fail::new(
            Code::InvalidEvent,
            format_args!("Event type too short: '{kind}'"),
        ));
    }
    event(format!("{CUSTOM_PREFIX}{kind}"), contract, &e.attributes)
}

fn event(kind: String, contract: &str, attributes: &[Attribute]) -> Res<Event> {
    let mut out = Event::new(kind).attr(CONTRACT, contract);
    for a in attributes {
        let key = a.key.trim();
        if key.is_empty() {
            return Err(Fail::new(
                Code::InvalidEvent,
                format_args!("Empty attribute key. Value: {}", a.value),
            ));
        }
        if key.starts_with('_') {
            return Err(Fail::new(
                Code::InvalidEvent,
                format_args!("Attribute key starts with reserved prefix _: '{key}'"),
            ));
        }
        out = out.attr(key, a.value.trim());
    }
    Ok(out)
}

/// The chain's events as a reply shows them to a contract.
pub(super) fn for_reply(events: Vec<Event>) -> Vec<cosmwasm_std::Event> {
    events
        .into_iter()
        .map(|e| {
            let mut out = cosmwasm_std::Event::new(e.kind);
            // `add_attribute` refuses reserved keys in debug builds, and the chain's own are.
            out.attributes = e
                .attributes
                .into_iter()
                .map(|(key, value)| Attribute { key, value })
                .collect();
            out
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attr(key: &str, value: &str) -> Attribute {
        Attribute {
            key: key.into(),
            value: value.into(),
        }
    }

    #[test]
    fn attributes_are_trimmed_and_reserved_keys_refused() {
        let e = event("wasm".into(), "c", &[attr(" k ", " v ")]).unwrap();
        assert_eq!(e, Event::new("wasm").attr(CONTRACT, "c").attr("k", "v"));
        for key in ["", "  ", "_x", " _x"] {
            let e = event("wasm".into(), "c", &[attr(key, "v")]).unwrap_err();
            assert_eq!((e.app.codespace, e.app.code), ("wasm", 21), "{key:?}");
        }
        assert!(custom(&cosmwasm_std::Event::new(" ab "), "c").is_err());
        assert_eq!(
            custom(&cosmwasm_std::Event::new(" abc "), "c")
                .unwrap()
                .kind,
            "wasm-abc"
        );
    }
}
