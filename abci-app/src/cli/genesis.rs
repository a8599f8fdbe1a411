//! The genesis of a new chain: CometBFT's document around an SDK-shaped `app_state`, with Ember's contracts in it.

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use cosmwasm_std::Uint128;
use ember_client::{Coin, key::bech32};
use ember_types::{fees::DenomFees, market, registry};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, path::PathBuf};

/// What the contracts are instantiated with.
#[derive(Debug, Clone)]
pub struct Contracts {
    /// `registry.wasm` and `market.wasm` lie here.
    pub dir: PathBuf,
    /// Seconds between an unbonding and its release.
    pub unbonding_secs: u64,
    /// Seconds that a suspended lease waits for a top-up.
    pub grace_secs: u64,
    /// Least bond of a provider, native micro-units.
    pub min_bond: u128,
    /// Deposit that a bid carries, micro-units of the order's denom.
    pub bid_deposit: u128,
    /// Least first deposit of an order, micro-units.
    pub min_deposit: u128,
    /// Most open bids of an order.
    pub max_bids: u32,
}

/// A validator of the first block.
#[derive(Debug, Clone)]
pub struct Validator {
    /// Its ed25519 public key.
    pub public: [u8; 32],
    /// Its name.
    pub moniker: String,
}

/// What a genesis is made of.
#[derive(Debug)]
pub struct Spec<'a> {
    /// The chain.
    pub chain_id: &'a str,
    /// Bech32 prefix.
    pub prefix: &'a str,
    /// Native denom.
    pub denom: &'a str,
    /// Stablecoin denom.
    pub stable_denom: &'a str,
    /// Who may change fees and upgrade contracts.
    pub authority: &'a str,
    /// Accounts and what they hold.
    pub accounts: &'a [(String, Vec<Coin>)],
    /// Ember's contracts; none makes a chain without them.
    pub contracts: Option<&'a Contracts>,
    /// Who signs the first block, each with the same power.
    pub validators: &'a [Validator],
    /// RFC 3339.
    pub time: String,
}

/// The address of a module's account: first 20 bytes of the SHA-256 of its name.
///
/// # Errors
/// When `prefix` is no bech32 prefix.
pub fn module_address(prefix: &str, name: &str) -> Result<String> {
    Ok(bech32(prefix, &Sha256::digest(name)[..20])?)
}

/// wasmd's `BuildContractAddressClassic`.
///
/// # Errors
/// When `prefix` is no bech32 prefix.
pub fn contract_address(prefix: &str, code_id: u64, instance_id: u64) -> Result<String> {
    let hash = Sha256::new()
        .chain_update(Sha256::digest("module"))
        .chain_update(b"wasm\0")
        .chain_update(code_id.to_be_bytes())
        .chain_update(instance_id.to_be_bytes())
        .finalize();
    Ok(bech32(prefix, &hash)?)
}

impl Spec<'_> {
    /// The document.
    ///
    /// # Errors
    /// When an account or a contract file is not usable.
    pub fn build(&self) -> Result<Value> {
        Ok(json!({
            "genesis_time": self.time,
            "chain_id": self.chain_id,
            "initial_height": "1",
            "consensus_params": {
                "block": { "max_bytes": "22020096", "max_gas": "100000000" },
                "evidence": {
                    "max_age_num_blocks": "100000",
                    "max_age_duration": "172800000000000",
                    "max_bytes": "1048576",
                },
                "validator": { "pub_key_types": ["ed25519"] },
                "version": { "app": "0" },
                "abci": { "vote_extensions_enable_height": "0" },
            },
            "validators": self.validators.iter().map(|v| json!({
                "address": hex::encode_upper(crate::engine::keys::address_of(&v.public)),
                "pub_key": crate::engine::keys::pub_key_json(&v.public),
                "power": "10",
                "name": v.moniker,
            })).collect::<Vec<_>>(),
            "app_hash": "",
            "app_state": self.app_state()?,
        }))
    }

    fn app_state(&self) -> Result<Value> {
        let mut accounts = Vec::new();
        let mut balances = Vec::new();
        for (address, coins) in self.accounts {
            self.check_address("--account", address)?;
            accounts.push(json!({
                "@type": "/cosmos.auth.v1beta1.BaseAccount",
                "address": address,
                "pub_key": null,
                "account_number": accounts.len().to_string(),
                "sequence": "0",
            }));
            // Sorted and one entry a denom, as the bank module has them.
            let mut sums = BTreeMap::<&str, u128>::new();
            for coin in coins {
                let sum = sums.entry(&coin.denom).or_default();
                *sum = sum.checked_add(coin.amount).with_context(|| {
                    format!("--account {address}: the sum of {} overflows", coin.denom)
                })?;
            }
            let coins: Vec<_> = sums
                .iter()
                .map(|(denom, amount)| json!({ "denom": denom, "amount": amount.to_string() }))
                .collect();
            balances.push(json!({ "address": address, "coins": coins }));
        }
        self.check_address("--authority", self.authority)?;
        let (gen_msgs, hooks) = self.contracts.map_or_else(
            || Ok((Vec::new(), Vec::new())),
            |contracts| self.gen_msgs(contracts),
        )?;
        Ok(json!({
            "auth": {
                "params": {
                    "max_memo_characters": "256",
                    "tx_sig_limit": "7",
                    "tx_size_cost_per_byte": "10",
                    "sig_verify_cost_ed25519": "590",
                    "sig_verify_cost_secp256k1": "1000",
                },
                "accounts": accounts,
            },
            "bank": {
                "params": { "send_enabled": [], "default_send_enabled": true },
                "balances": balances,
                "supply": [],
                "denom_metadata": [],
                "send_enabled": [],
            },
            "consensus": null,
            "genutil": { "gen_txs": [] },
            "wasm": {
                "params": {
                    "code_upload_access": { "permission": "Everybody", "addresses": [] },
                    "instantiate_default_permission": "Everybody",
                },
                "codes": [],
                "contracts": [],
                "sequences": [],
                "gen_msgs": gen_msgs,
            },
            "hooks": { "end_block": hooks },
        }))
    }

    fn gen_msgs(&self, c: &Contracts) -> Result<(Vec<Value>, Vec<String>)> {
        let address = |id| contract_address(self.prefix, id, id);
        let (registry, market) = (address(1)?, address(2)?);
        let fees = |denom: &str, take_bps, reservation_bps| DenomFees {
            denom: denom.into(),
            take_bps,
            reservation_bps,
            min_deposit: Uint128::new(c.min_deposit),
            bid_deposit: Uint128::new(c.bid_deposit),
            ..DenomFees::default()
        };
        let registry_msg = registry::InstantiateMsg {
            authority: self.authority.into(),
            bond_denom: self.denom.into(),
            unbonding_secs: c.unbonding_secs,
            min_bond: Uint128::new(c.min_bond),
            fee_collector: Some(module_address(self.prefix, "fee_collector")?),
            court: None,
            market: Some(market.clone()),
            trust_setters: Vec::new(),
            seen_secs: None,
        };
        let market_msg = market::InstantiateMsg {
            authority: self.authority.into(),
            registry: registry.clone(),
            fee_collector: module_address(self.prefix, "fee_collector")?,
            fees: vec![fees(self.stable_denom, 2_000, 25), fees(self.denom, 400, 0)],
            grace_secs: c.grace_secs,
            max_bids_per_order: c.max_bids,
        };
        let (mut msgs, mut hooks) = (Vec::new(), Vec::new());
        for (code_id, name, contract, msg) in [
            (1, "registry", registry, json!(registry_msg)),
            (2, "market", market, json!(market_msg)),
        ] {
            let path = c.dir.join(format!("{name}.wasm"));
            let wasm = std::fs::read(&path).with_context(|| {
                format!("{}: expected a contract, found none: run ./scripts/build-contracts or give --contracts", path.display())
            })?;
            ensure!(
                wasm.starts_with(b"\0asm"),
                "{}: expected a wasm module, got something else",
                path.display()
            );
            if exports_sudo(&wasm) {
                hooks.push(contract);
            }
            msgs.push(json!({ "store_code": {
                "sender": self.authority,
                "wasm_byte_code": STANDARD.encode(&wasm),
                "instantiate_permission": null,
            } }));
            msgs.push(json!({ "instantiate_contract": {
                "sender": self.authority,
                "admin": self.authority,
                "code_id": code_id.to_string(),
                "label": format!("ember {name}"),
                "msg": msg,
                "funds": [],
            } }));
        }
        // The contracts' ids follow from the order of instantiation, not of storing.
        Ok((msgs, hooks))
    }

    fn check_address(&self, what: &str, address: &str) -> Result<()> {
        match bech32::decode(address) {
            Ok((hrp, bytes)) if hrp.as_str() == self.prefix => {
                ensure!(
                    matches!(bytes.len(), 20 | 32),
                    "{what} {address}: expected 20 or 32 bytes, got {}",
                    bytes.len()
                );
                Ok(())
            }
            Ok((hrp, _)) => bail!(
                "{what} {address}: expected an address that begins with {}1, got {hrp}1: give --prefix {hrp}",
                self.prefix
            ),
            Err(e) => bail!("{what} {address}: expected a bech32 address: {e}"),
        }
    }
}

/// Whether a module exports a function `sudo`: name length, name, kind 0.
fn exports_sudo(wasm: &[u8]) -> bool {
    wasm.windows(6).any(|w| w == b"\x04sudo\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_the_known_ones() {
        // wasmd's and the SDK's, from public chains and their tests.
        assert_eq!(
            contract_address("cosmos", 1, 1).unwrap(),
            "cosmos14hj2tavq8fpesdwxxcu44rty3hh90vhujrvcmstl4zr3txmfvw9s4hmalr"
        );
        assert_eq!(
            module_address("cosmos", "gov").unwrap(),
            "cosmos10d07y265gmmuvt4z0w9aw880jnsr700j6zn9kn"
        );
        assert_eq!(
            module_address("cosmos", "fee_collector").unwrap(),
            "cosmos17xpfvakm2amg962yls6f84z3kell8c5lserqta"
        );
    }
}
