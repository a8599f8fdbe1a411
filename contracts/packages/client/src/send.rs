//! From messages to a block in one call.

use crate::{
    coin::{Coin, GasPrice},
    error::Error,
    key::Key,
    rpc::{Client, TxOutcome},
    signer::{SignData, sign},
};
use cosmos_sdk_proto::Any;
use std::time::Duration;
use tokio::time::sleep;

/// How a transaction is paid and waited for.
#[derive(Debug, Clone)]
pub struct TxOptions {
    /// What a unit of gas is paid with.
    pub gas_price: GasPrice,
    /// Gas limit in percent of what the simulation used.
    pub gas_percent: u64,
    /// A public text.
    pub memo: String,
    /// How long to wait for a block.
    pub timeout: Duration,
}

impl TxOptions {
    /// The usual: 140 % of the simulated gas, no memo, 30 seconds.
    pub fn new(gas_price: GasPrice) -> Self {
        Self {
            gas_price,
            gas_percent: 140,
            memo: String::new(),
            timeout: Duration::from_secs(30),
        }
    }
}

/// How often a transaction is signed anew because another one of the same account was faster.
const SEQUENCE_TRIES: u32 = 8;

impl Client {
    /// Simulates, signs, sends and waits for the block. When another transaction of the account took the sequence, it
    /// signs again with the new one: such a transaction was refused before it did anything.
    ///
    /// # Errors
    /// What the chain said, or that it could not be reached, or that no block came in time.
    pub async fn send(
        &self,
        key: &Key,
        msgs: Vec<Any>,
        opts: &TxOptions,
    ) -> Result<TxOutcome, Error> {
        let mut tries = 0;
        loop {
            match self.send_once(key, msgs.clone(), opts).await {
                Err(e) if e.is_sequence_mismatch() && tries < SEQUENCE_TRIES => {
                    tries += 1;
                    sleep(Duration::from_millis(50) * tries).await;
                }
                done => return done,
            }
        }
    }

    async fn send_once(
        &self,
        key: &Key,
        msgs: Vec<Any>,
        opts: &TxOptions,
    ) -> Result<TxOutcome, Error> {
        let chain_id = self.chain_id().await?.to_owned();
        let Some(account) = self.account(&key.address).await? else {
            return Err(Error::Rejected {
                codespace: "sdk".into(),
                code: 9,
                log: format!(
                    "account {} is not on chain {chain_id}; send it some {} first",
                    key.address, opts.gas_price.denom
                ),
            });
        };
        let mut data = SignData {
            fee: Coin {
                amount: 0,
                denom: opts.gas_price.denom.clone(),
            },
            gas: 0,
            memo: opts.memo.clone(),
            chain_id,
            account_number: account.number,
            sequence: account.sequence,
        };
        let used = self.simulate(sign(key, msgs.clone(), &data)).await?;
        data.gas = used.saturating_mul(opts.gas_percent) / 100;
        data.fee = opts.gas_price.fee(data.gas)?;
        let hash = self.broadcast(&sign(key, msgs, &data)).await?;
        self.wait_tx(&hash, opts.timeout).await
    }
}
