//! The schemas in the repository are those of the code.

use ember_testing::schemas;
use serde_json::Value;

#[test]
fn stored_schemas_are_those_of_the_code_and_nothing_else() {
    let (wanted, stored) = (
        schemas::render().unwrap(),
        schemas::stored(&schemas::dir()).unwrap(),
    );
    let names = |m: &std::collections::BTreeMap<_, _>| m.keys().cloned().collect::<Vec<_>>();
    let hint = "run scripts/build-contracts and commit schemas/";
    assert_eq!(
        names(&stored),
        names(&wanted),
        "orphaned or missing: {hint}"
    );
    for (path, text) in &wanted {
        assert!(stored[path] == *text, "{} is stale: {hint}", path.display());
    }
}

#[test]
fn every_schema_names_its_idl_version_and_every_message() {
    for (path, text) in schemas::render().unwrap() {
        let api: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(api["idl_version"], "1.0.0", "{}", path.display());
        for part in ["instantiate", "execute", "query", "migrate", "sudo"] {
            assert!(api[part].is_object(), "{part} of {}", path.display());
        }
        let queries = api["query"]["oneOf"].as_array().unwrap().len();
        assert_eq!(api["responses"].as_object().unwrap().len(), queries);
    }
}

#[test]
fn writing_mends_a_stale_file_and_removes_an_orphan() {
    let dir = std::env::temp_dir().join(format!("ember-schemas-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("market")).unwrap();
    std::fs::write(dir.join("market/market.json"), "stale").unwrap();
    std::fs::write(dir.join("orphan.json"), "{}").unwrap();
    schemas::write(&dir).unwrap();
    let stored = schemas::stored(&dir).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!(stored, schemas::render().unwrap());
}
