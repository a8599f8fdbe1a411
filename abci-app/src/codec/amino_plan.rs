//! How each message is written in amino's JSON, from the options of its `.proto` file.

use super::descriptors::{extension, pool};
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, OneofDescriptor};
use std::{collections::BTreeMap, sync::OnceLock};

/// How a message is written.
pub(super) struct Plan {
    /// The message's name in amino.
    pub name: Option<String>,
    /// The name of its own form, if it has one.
    pub encoding: String,
    /// In the order of their names.
    pub fields: Vec<FieldPlan>,
}

/// How a field is written.
pub(super) struct FieldPlan {
    /// The field.
    pub field: FieldDescriptor,
    /// Its name in JSON.
    pub name: String,
    /// Whether it is written when it is empty.
    pub keep_empty: bool,
    /// The form of its value.
    pub form: Form,
    /// The oneof that it is of, that one's name, and this one's name in it.
    pub oneof: Option<(OneofDescriptor, String, Option<String>)>,
}

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As its type is.
    Plain,
    /// Nothing is `[]`, not `null`.
    Coins,
    /// JSON in bytes, written as it is.
    InlineJson,
    /// An integer: nothing is `0`.
    Int,
    /// An integer of 10^-18.
    Dec,
}

/// The plan of the message of this full name. All are made at the first call.
pub(super) fn of(name: &str) -> Option<&'static Plan> {
    static PLANS: OnceLock<BTreeMap<String, Plan>> = OnceLock::new();
    let plans = PLANS.get_or_init(|| {
        pool()
            .all_messages()
            .map(|m| (m.full_name().to_owned(), plan(&m)))
            .collect()
    });
    plans.get(name)
}

/// The text of an option, where it is set.
fn option(options: &DynamicMessage, name: &str) -> Option<String> {
    let extension = extension(name);
    options
        .has_extension(&extension)
        .then(|| {
            options
                .get_extension(&extension)
                .as_str()
                .map(str::to_owned)
        })
        .flatten()
}

fn plan(message: &MessageDescriptor) -> Plan {
    let options = message.options();
    let mut fields: Vec<FieldPlan> = message.fields().map(field_plan).collect();
    fields.sort_by(|a, b| a.place().cmp(b.place()));
    Plan {
        name: option(&options, "amino.name"),
        encoding: option(&options, "amino.message_encoding").unwrap_or_default(),
        fields,
    }
}

fn field_plan(field: FieldDescriptor) -> FieldPlan {
    let options = field.options();
    let keep = options.get_extension(&extension("amino.dont_omitempty"));
    let custom = option(&options, "gogoproto.customtype");
    let form = match (
        option(&options, "amino.encoding").as_deref(),
        option(&options, "cosmos_proto.scalar").as_deref(),
    ) {
        (Some("legacy_coins"), _) => Form::Coins,
        (Some("inline_json"), _) => Form::InlineJson,
        (_, Some("cosmos.Int")) => Form::Int,
        (_, Some("cosmos.Dec")) if custom.as_deref() == Some("cosmossdk.io/math.LegacyDec") => {
            Form::Dec
        }
        _ => Form::Plain,
    };
    let oneof = field.containing_oneof().map(|of| {
        let name = camel(of.name());
        (of, name, option(&options, "amino.oneof_name"))
    });
    FieldPlan {
        name: option(&options, "amino.field_name").unwrap_or_else(|| field.name().to_owned()),
        keep_empty: keep.as_bool().unwrap_or(false),
        form,
        oneof,
        field,
    }
}

/// `sum_of` is `SumOf`.
fn camel(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut chars = word.chars();
            chars
                .next()
                .map(|c| c.to_ascii_uppercase())
                .into_iter()
                .chain(chars)
        })
        .collect()
}

impl FieldPlan {
    /// What it is sorted by.
    fn place(&self) -> &str {
        self.oneof.as_ref().map_or(&self.name, |(_, name, _)| name)
    }
}
