//! `emberd chain-suggest`: what a wallet such as Keplr must know to show the chain (`ChainInfo` of its
//! `experimentalSuggestChain`).

use crate::{config::Config, engine::handshake::GenesisFile, server::Addr, tx::fees};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;

/// BIP-44 coin type of Cosmos chains, which `emberd keys` and every wallet derive with.
const COIN_TYPE: u32 = 118;
/// What wallets offer beside the least price: the SDK's tools multiply so.
const STEPS: [(&str, f64); 3] = [("low", 1.0), ("average", 2.5), ("high", 4.0)];

/// Options of `chain-suggest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// URL of the RPC, as wallets reach it; by default where the node listens.
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
    /// URL of the REST API, as wallets reach it; by default where the node listens.
    #[arg(long, value_name = "URL")]
    rest: Option<String>,
    /// What wallets call the chain; its id by default.
    #[arg(long)]
    name: Option<String>,
}

/// Print the document, JSON.
///
/// # Errors
/// When there is no chain, or no price that fees are paid at.
pub(super) fn run(home: &Path, args: &Args) -> Result<()> {
    let config = Config::load(home)?;
    let genesis = GenesisFile::load(&home.join("config/genesis.json"))?;
    let document = document(&config, &genesis.json, args)?;
    println!("{}", serde_json::to_string_pretty(&document)?);
    Ok(())
}

fn url(laddr: &str, given: Option<&String>, what: &str) -> Result<String> {
    if let Some(url) = given {
        return Ok(url.clone());
    }
    match laddr.parse::<Addr>() {
        Ok(Addr::Tcp(at)) => Ok(format!("http://{at}")),
        _ => anyhow::bail!("this node serves no {what}: give its URL, --{what} URL"),
    }
}

fn document(config: &Config, genesis: &Value, args: &Args) -> Result<Value> {
    let chain_id = genesis["chain_id"].as_str().context("genesis: chain_id")?;
    let bank = &genesis["app_state"]["bank"];
    let mut prices = Vec::new();
    for price in config
        .minimum_gas_prices
        .split(',')
        .filter(|p| !p.is_empty())
    {
        let parsed: fees::GasPrice = price.trim().parse()?;
        let number = price.trim().trim_end_matches(&parsed.denom);
        let least: f64 = number.parse().context("minimum-gas-prices")?;
        prices.push((parsed.denom, least));
    }
    ensure!(
        !prices.is_empty(),
        "config/app.toml: minimum-gas-prices: expected a price that wallets can offer, such as 0.001utoken, got none"
    );
    let mut denoms: Vec<&str> = prices.iter().map(|(d, _)| d.as_str()).collect();
    let stake = genesis["app_state"]["staking"]["params"]["bond_denom"]
        .as_str()
        .unwrap_or(denoms[0]);
    let supply = bank["supply"].as_array().into_iter().flatten();
    let metadata = bank["denom_metadata"].as_array().into_iter().flatten();
    let others = supply
        .filter_map(|c| c["denom"].as_str())
        .chain(metadata.filter_map(|m| m["base"].as_str()))
        .chain([stake]);
    for denom in others {
        if !denoms.contains(&denom) {
            denoms.push(denom);
        }
    }
    let fees: Vec<_> = prices
        .iter()
        .map(|(denom, least)| {
            let mut currency = currency(bank, denom);
            currency["gasPriceStep"] = STEPS
                .iter()
                .map(|(name, times)| ((*name).to_owned(), json!(least * times)))
                .collect();
            currency
        })
        .collect();
    let prefix = &config.prefix;
    Ok(json!({
        "chainId": chain_id,
        "chainName": args.name.as_deref().unwrap_or(chain_id),
        "rpc": url(&config.rpc_laddr, args.rpc.as_ref(), "rpc")?,
        "rest": url(&config.api_laddr, args.rest.as_ref(), "rest")?,
        "bip44": { "coinType": COIN_TYPE },
        "bech32Config": {
            "bech32PrefixAccAddr": prefix,
            "bech32PrefixAccPub": format!("{prefix}pub"),
            "bech32PrefixValAddr": format!("{prefix}valoper"),
            "bech32PrefixValPub": format!("{prefix}valoperpub"),
            "bech32PrefixConsAddr": format!("{prefix}valcons"),
            "bech32PrefixConsPub": format!("{prefix}valconspub"),
        },
        "currencies": denoms.iter().map(|d| currency(bank, d)).collect::<Vec<_>>(),
        "feeCurrencies": fees,
        "stakeCurrency": currency(bank, stake),
        "features": ["cosmwasm"],
    }))
}

/// How a denom is shown: by the bank's metadata, else as it is.
fn currency(bank: &Value, denom: &str) -> Value {
    let metadata = bank["denom_metadata"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|m| m["base"] == denom);
    let shown = metadata.and_then(|m| {
        let unit = m["denom_units"]
            .as_array()?
            .iter()
            .find(|u| u["denom"] == m["display"])?;
        let name = m["symbol"].as_str().filter(|s| !s.is_empty());
        Some((name.or(m["display"].as_str())?, unit["exponent"].as_u64()?))
    });
    let (name, decimals) = shown.unwrap_or((denom, 0));
    json!({ "coinDenom": name, "coinMinimalDenom": denom, "coinDecimals": decimals })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(rest: Option<&str>) -> Args {
        Args {
            rpc: None,
            rest: rest.map(str::to_owned),
            name: None,
        }
    }

    #[test]
    fn a_wallet_learns_prices_and_how_denoms_are_shown() {
        let config = Config::new("node", "try", "utest");
        let genesis = json!({"chain_id": "try-1", "app_state": {"bank": {
            "supply": [{"denom": "uusdc", "amount": "1"}, {"denom": "utest", "amount": "1"}],
            "denom_metadata": [{"base": "utest", "display": "test", "symbol": "TEST", "denom_units": [
                {"denom": "utest", "exponent": 0}, {"denom": "test", "exponent": 6}]}],
        }}});
        let d = document(&config, &genesis, &args(Some("https://rest.example"))).unwrap();
        let test = json!({"coinDenom": "TEST", "coinMinimalDenom": "utest", "coinDecimals": 6});
        assert_eq!(
            d["currencies"],
            json!([test, {"coinDenom": "uusdc", "coinMinimalDenom": "uusdc", "coinDecimals": 0}])
        );
        assert_eq!(d["stakeCurrency"], test);
        assert_eq!(d["feeCurrencies"][0]["gasPriceStep"]["low"], 0.001);
        assert_eq!(d["bech32Config"]["bech32PrefixValAddr"], "tryvaloper");
        assert_eq!(d["rest"], "https://rest.example");
        assert_eq!(d["rpc"], "http://127.0.0.1:26657");

        let mut silent = config.clone();
        silent.api_laddr = String::new();
        let error = document(&silent, &genesis, &args(None)).unwrap_err();
        assert!(error.to_string().contains("--rest URL"), "{error}");
        silent.minimum_gas_prices = String::new();
        let error = document(&silent, &genesis, &args(Some("x"))).unwrap_err();
        assert!(error.to_string().contains("minimum-gas-prices"), "{error}");
    }
}
