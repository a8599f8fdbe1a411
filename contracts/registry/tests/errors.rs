//! Every refusal that the registry can give is given here, each by its own reason.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use cosmwasm_std::{
    Addr, Coin, Empty, Env, OwnedDeps, Uint128, Uint256, coin, from_json,
    testing::{MockApi, MockQuerier, MockStorage, message_info, mock_dependencies, mock_env},
};
use ember_registry::{ContractError, contract};
use ember_testing::{
    Settings,
    suite::{NATIVE, USDC, device},
};
use ember_types::registry::{ConfigUpdate, ExecuteMsg, InstantiateMsg, MigrateMsg};
use std::collections::BTreeSet;

/// Names of the variants of an enum, read from its source: a new one cannot be forgotten here.
fn declared(source: &str, name: &str) -> BTreeSet<String> {
    let start = source.find(&format!("pub enum {name} {{")).unwrap();
    let body = &source[start..];
    let body = &body[..body.find("\n}\n").unwrap()];
    let variants = body.lines().filter_map(|l| l.strip_prefix("    "));
    let names = variants.filter(|l| l.starts_with(|c: char| c.is_ascii_uppercase()));
    names.map(word).collect()
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}

struct World {
    deps: OwnedDeps<MockStorage, MockApi, MockQuerier, Empty>,
    env: Env,
    reached: BTreeSet<String>,
}

impl World {
    fn new(change: impl FnOnce(&mut InstantiateMsg)) -> Self {
        let mut deps = mock_dependencies();
        let authority = deps.api.addr_make("authority");
        let collector = deps.api.addr_make("collector");
        let court = deps.api.addr_make("court");
        let mut msg = Settings::default().registry(&authority, &collector, &court);
        change(&mut msg);
        let info = message_info(&authority, &[]);
        contract::instantiate(deps.as_mut(), mock_env(), info, msg).unwrap();
        Self {
            deps,
            env: mock_env(),
            reached: BTreeSet::new(),
        }
    }

    fn who(&self, name: &str) -> Addr {
        self.deps.api.addr_make(name)
    }

    fn tell(&mut self, who: &str, msg: ExecuteMsg, funds: &[Coin]) -> Result<(), ContractError> {
        let info = message_info(&self.who(who), funds);
        contract::execute(self.deps.as_mut(), self.env.clone(), info, msg).map(|_| ())
    }

    /// A message that passes.
    fn does(&mut self, who: &str, msg: ExecuteMsg, funds: &[Coin]) {
        self.tell(who, msg, funds).unwrap();
    }

    /// A message that is refused with this refusal.
    fn refuses(&mut self, name: &str, who: &str, msg: ExecuteMsg, funds: &[Coin]) {
        let error = self.tell(who, msg, funds).unwrap_err();
        self.expect(name, &error);
    }

    fn expect(&mut self, name: &str, error: &ContractError) {
        let text = error.to_string();
        assert!(!text.is_empty() && !text.contains('\n'), "one line: {text}");
        assert_eq!(word(&format!("{error:?}")), name, "{text}");
        self.reached.insert(name.into());
    }
}

fn register(devices: &[&str]) -> ExecuteMsg {
    ExecuteMsg::RegisterProvider {
        host_uri: "https://a:1".into(),
        devices: devices.iter().map(|d| device(d)).collect(),
        attributes: vec![],
        assurances: vec![],
    }
}

fn unbond(amount: u128) -> ExecuteMsg {
    ExecuteMsg::Unbond {
        amount: Uint128::new(amount),
    }
}

fn revoke(fingerprint: &str) -> ExecuteMsg {
    ExecuteMsg::RevokeCertificate {
        fingerprint: fingerprint.into(),
    }
}

#[test]
fn every_refusal_is_reached() {
    let mut w = World::new(|_| ());
    let native = |n: u128| [coin(n, NATIVE)];

    // Providers and bonds.
    w.refuses("NotRegistered", "p", ExecuteMsg::Touch {}, &[]);
    w.refuses("Duplicate", "p", register(&["a", "a"]), &[]);
    w.refuses("Invalid", "p", register(&["A"]), &[]);
    let many: Vec<_> = (0..257).map(|i| format!("d{i}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    w.refuses("TooMany", "p", register(&many), &[]);
    w.refuses("WrongFunds", "p", register(&[]), &[coin(1, USDC)]);
    let most = Coin {
        denom: NATIVE.into(),
        amount: Uint256::MAX,
    };
    w.refuses("AmountTooLarge", "p", register(&[]), &[most]);
    w.does("p", register(&["gpu-0"]), &native(100));
    w.refuses("AlreadyRegistered", "p", register(&[]), &[]);
    let nothing = ExecuteMsg::UpdateProvider {
        host_uri: None,
        devices: None,
        attributes: None,
        assurances: None,
    };
    w.refuses("NothingToUpdate", "p", nothing, &[]);
    w.refuses("UnexpectedFunds", "p", ExecuteMsg::Touch {}, &native(1));
    w.refuses("ZeroAmount", "p", unbond(0), &[]);
    w.refuses("InsufficientBond", "p", unbond(101), &[]);
    w.refuses("BondOverflow", "p", ExecuteMsg::Bond {}, &native(u128::MAX));
    w.refuses("NothingToClaim", "p", ExecuteMsg::ClaimUnbonded {}, &[]);
    for _ in 0..32 {
        w.does("p", unbond(1), &[]);
    }
    w.refuses("UnbondingQueueFull", "p", unbond(1), &[]);

    // The court and the authority.
    let slash = |w: &World, owner: &str| ExecuteMsg::Slash {
        owner: w.who(owner).to_string(),
        amount: Uint128::one(),
        reason: "r".into(),
    };
    let msg = slash(&w, "p");
    w.refuses("Unauthorized", "p", msg, &[]);
    let msg = slash(&w, "nobody");
    w.refuses("NothingToSlash", "court", msg, &[]);
    let msg = ExecuteMsg::UpdateConfig(ConfigUpdate::default());
    w.refuses("EmptyConfigUpdate", "authority", msg, &[]);
    let mut bare = World::new(|msg| msg.court = None);
    let msg = slash(&bare, "p");
    bare.refuses("NotConfigured", "court", msg, &[]);
    w.reached.append(&mut bare.reached);

    // Audits and trust.
    let (provider, now) = (w.who("p").to_string(), w.env.block.time.seconds());
    let sign = |revision| ExecuteMsg::SignAudit {
        provider: provider.clone(),
        revision,
        statement: "s".into(),
        expires_at: now + 1,
    };
    w.refuses("OwnAudit", "p", sign(1), &[]);
    w.refuses("StaleRevision", "a", sign(2), &[]);
    let msg = ExecuteMsg::RevokeAudit {
        provider: provider.clone(),
    };
    w.refuses("NoAudit", "a", msg, &[]);
    let msg = ExecuteMsg::ClearTrust {
        provider: provider.clone(),
        device: None,
    };
    w.refuses("NoTrust", "trust_setter", msg, &[]);
    let msg = ExecuteMsg::SetTrust {
        provider: provider.clone(),
        device: Some("gpu-1".into()),
        level: 1,
        revision: 1,
        expires_at: now + 1,
    };
    w.refuses("NoDevice", "trust_setter", msg, &[]);

    certificates(&mut w);
    versions(&mut w);
    let mut empty = World::new(|_| ());
    empty.deps.storage = MockStorage::default();
    empty.refuses("Std", "p", ExecuteMsg::Bond {}, &native(1));
    w.reached.append(&mut empty.reached);

    let source = include_str!("../src/error.rs");
    assert_eq!(declared(source, "ContractError"), w.reached);
}

fn certificates(w: &mut World) {
    let junk = ExecuteMsg::PublishCertificate {
        der: vec![0x30, 0].into(),
    };
    w.refuses("Certificate", "t0", junk, &[]);
    // Its common name is t0's address.
    let json = include_str!("../fuzz/corpus/execute.publish_certificate.json");
    let publish: ExecuteMsg = from_json(json).unwrap();
    w.does("t0", publish.clone(), &[]);
    w.refuses("CertificateExists", "t0", publish, &[]);
    w.refuses("NoCertificate", "t0", revoke("00"), &[]);
    let json = include_str!("../fuzz/corpus/execute.revoke_certificate.json");
    let known: ExecuteMsg = from_json(json).unwrap();
    w.refuses("NotCertificateOwner", "p", known.clone(), &[]);
    w.does("t0", known.clone(), &[]);
    w.refuses("AlreadyRevoked", "t0", known, &[]);
}

fn versions(w: &mut World) {
    for (name, contract, version) in [
        ("WrongContract", "crate:other", contract::VERSION),
        ("WrongVersion", contract::NAME, "99.0.0"),
    ] {
        cw2::set_contract_version(w.deps.as_mut().storage, contract, version).unwrap();
        let error = contract::migrate(w.deps.as_mut(), mock_env(), MigrateMsg {}).unwrap_err();
        w.expect(name, &error);
    }
}
