//! Every message of the registry that an account sends, once.

use super::{
    fill::{AUDITOR, AUTHORITY, NEWCOMER, PROVIDER, register, registry},
    world::{NATIVE, UNBONDING_SECS, World, account},
};
use anyhow::Result;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The newcomer's certificate, DER: self-signed, P-256, 90 days from the start. Its key is thrown away. A new one each time
/// would have a signature of another length, and cost another gas.
const CERTIFICATE: &str = "\
    MIIBnTCCAUOgAwIBAgIQTTwrGk08KxpNPCsaTTwrGjAKBggqhkjOPQQDAjA3MTUwMwYDVQQDDCxlbWJlcjFuMjQ5c3NseG51ZGtmeXVmc3JzM2\
    E4MnA2dHJ6dTl4c3A3Y3hkZjAeFw0yNzAxMTUwODAwMDBaFw0yNzA0MTUwODAwMDBaMDcxNTAzBgNVBAMMLGVtYmVyMW4yNDlzc2x4bnVka2Z5\
    dWZzcnMzYTgycDZ0cnp1OXhzcDdjeGRmMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAESg73qy8iRNVea1JbDGjcZ8h2bYsyeNnjiuLZJhjome\
    SidqbJ8xIO82Iw/sefCcrdYQBX6VwCC+0g/lyXwD/PPqMxMC8wDgYDVR0PAQH/BAQDAgeAMB0GA1UdJQQWMBQGCCsGAQUFBwMCBggrBgEFBQcD\
    ATAKBggqhkjOPQQDAgNIADBFAiACQwKDa/PkEd2iTnjG4uwFDaTXaKU33h8PGKGL66ZWYwIhANqRa0CFkAn3obQF/7wbJOmml8dfzym+7AMZZV\
    QiZflT";

/// Message and SDK gas, in the order of the messages.
pub fn costs(world: &mut World) -> Result<Vec<(&'static str, u64)>> {
    let mut out = Vec::new();
    out.push(("register_provider", register(world, NEWCOMER)?.gas));
    let provider = account(PROVIDER);
    let later = world.now() + 1_000_000;
    let fingerprint = hex::encode(Sha256::digest(STANDARD.decode(CERTIFICATE)?));
    let bonds = [
        ("touch", NEWCOMER, json!({ "touch": {} }), 0),
        ("bond", NEWCOMER, json!({ "bond": {} }), 7_000),
        (
            "unbond",
            NEWCOMER,
            json!({ "unbond": { "amount": "7000" } }),
            0,
        ),
        (
            "sign_audit",
            AUDITOR,
            json!({ "sign_audit": {
            "provider": provider, "revision": 1, "statement": "seen it run", "expires_at": later,
        } }),
            0,
        ),
        (
            "revoke_audit",
            AUDITOR,
            json!({ "revoke_audit": { "provider": provider } }),
            0,
        ),
        (
            "set_trust",
            AUTHORITY,
            json!({ "set_trust": {
            "provider": provider, "device": null, "level": 3, "revision": 1, "expires_at": later,
        } }),
            0,
        ),
        (
            "clear_trust",
            AUTHORITY,
            json!({ "clear_trust": { "provider": provider, "device": null } }),
            0,
        ),
        (
            "update_provider",
            NEWCOMER,
            json!({ "update_provider": {
            "host_uri": "https://elsewhere.example:8443",
            "attributes": [{ "key": "region", "value": "us" }],
        } }),
            0,
        ),
        (
            "publish_certificate",
            NEWCOMER,
            json!({ "publish_certificate": { "der": CERTIFICATE } }),
            0,
        ),
        (
            "revoke_certificate",
            NEWCOMER,
            json!({ "revoke_certificate": { "fingerprint": fingerprint } }),
            0,
        ),
    ];
    let mut send =
        |world: &mut World, (name, sender, msg, bond): (&'static str, &str, Value, u128)| {
            let funds: &[_] = if bond > 0 { &[(bond, NATIVE)] } else { &[] };
            registry(world, sender, &msg, funds).map(|done| out.push((name, done.gas)))
        };
    for message in bonds {
        send(world, message)?;
    }
    // Not hours: who is not seen ceases to count.
    world.advance(UNBONDING_SECS);
    let claim = json!({ "claim_unbonded": {} });
    send(world, ("claim_unbonded", NEWCOMER, claim, 0))?;
    let court = json!({ "update_config": { "court": account(AUTHORITY) } });
    send(world, ("update_config", AUTHORITY, court, 0))?;
    let slash = json!({ "slash": {
        "owner": account(NEWCOMER), "amount": "1000", "reason": "a false result",
    } });
    send(world, ("slash", AUTHORITY, slash, 0))?;
    let leave = json!({ "unregister_provider": {} });
    send(world, ("unregister_provider", NEWCOMER, leave, 0))?;
    Ok(out)
}
