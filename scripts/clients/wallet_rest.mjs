// What a wallet like Keplr does over REST, with no protobuf of its own beyond CosmJS: suggest the chain, show balances,
// estimate, sign, broadcast, wait, look back. Usage:
//   node wallet_rest.mjs CHAIN_SUGGEST_FILE MNEMONIC_FILE RECIPIENT MARKET
// CHAIN_SUGGEST_FILE is what `emberd chain-suggest` printed; nothing else is known of the chain.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fromBase64, fromBech32, toBase64, toUtf8 } from "@cosmjs/encoding";
import { DirectSecp256k1HdWallet, Registry, encodePubkey, makeAuthInfoBytes, makeSignDoc } from "@cosmjs/proto-signing";
import { defaultRegistryTypes } from "@cosmjs/stargate";
import { TxRaw } from "cosmjs-types/cosmos/tx/v1beta1/tx";
import { MsgExecuteContract } from "cosmjs-types/cosmwasm/wasm/v1/tx";

const [suggestFile, mnemonicFile, recipient, market] = process.argv.slice(2);
const chain = JSON.parse(readFileSync(suggestFile, "utf8"));
const prefix = chain.bech32Config.bech32PrefixAccAddr;
const fee = chain.feeCurrencies[0];
const denom = fee.coinMinimalDenom;
const wallet = await DirectSecp256k1HdWallet.fromMnemonic(readFileSync(mnemonicFile, "utf8").trim(), { prefix });
const [me] = await wallet.getAccounts();
const registry = new Registry([...defaultRegistryTypes, ["/cosmwasm.wasm.v1.MsgExecuteContract", MsgExecuteContract]]);

let passed = 0;
async function check(name, f) {
  await f();
  passed += 1;
  console.log(`ok ${name}`);
}

async function rest(path, body) {
  const init = body ? { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {};
  const response = await fetch(chain.rest + path, { ...init, signal: AbortSignal.timeout(20_000) });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function ok(path, body) {
  const answer = await rest(path, body);
  assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function account() {
  const { account } = await ok(`/cosmos/auth/v1beta1/accounts/${me.address}`);
  assert.equal(account["@type"], "/cosmos.auth.v1beta1.BaseAccount");
  return { number: Number(account.account_number), sequence: BigInt(account.sequence) };
}

// Signs, broadcasts and waits, as a wallet does: by polling the transaction.
async function send(messages, gas) {
  const { number, sequence } = await account();
  const body = registry.encode({ typeUrl: "/cosmos.tx.v1beta1.TxBody", value: { messages, memo: "wallet" } });
  const key = encodePubkey({ type: "tendermint/PubKeySecp256k1", value: toBase64(me.pubkey) });
  const price = [{ denom, amount: String(Math.ceil(gas * fee.gasPriceStep.average)) }];
  const auth = makeAuthInfoBytes([{ pubkey: key, sequence }], price, gas, undefined, undefined);
  const { signature, signed } = await wallet.signDirect(me.address, makeSignDoc(body, auth, chain.chainId, number));
  const raw = TxRaw.encode({ bodyBytes: signed.bodyBytes, authInfoBytes: signed.authInfoBytes, signatures: [fromBase64(signature.signature)] }).finish();
  const { tx_response: sent } = await ok("/cosmos/tx/v1beta1/txs", { tx_bytes: toBase64(raw), mode: "BROADCAST_MODE_SYNC" });
  assert.equal(sent.code, 0, sent.raw_log);
  for (let tries = 0; tries < 200; tries += 1) {
    const found = await rest(`/cosmos/tx/v1beta1/txs/${sent.txhash}`);
    if (found.status === 200) return { ...found.body, raw };
    assert.equal(found.status, 404, JSON.stringify(found.body));
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${sent.txhash} was not included`);
}

const transfer = {
  typeUrl: "/cosmos.bank.v1beta1.MsgSend",
  value: { fromAddress: me.address, toAddress: recipient, amount: [{ denom, amount: "4321" }] },
};
let transferred;

await check("the suggestion names what the chain is", async () => {
  assert.equal(fromBech32(me.address, 120).prefix, prefix);
  const { default_node_info: node } = await ok("/cosmos/base/tendermint/v1beta1/node_info");
  assert.equal(node.network, chain.chainId);
  const { minimum_gas_price: least } = await ok("/cosmos/base/node/v1beta1/config");
  assert.equal(Number.parseFloat(least), fee.gasPriceStep.low);
  assert.ok(least.endsWith(denom));
});
await check("balances, by page and by denom", async () => {
  const { balances, pagination } = await ok(`/cosmos/bank/v1beta1/balances/${me.address}?pagination.limit=1000`);
  assert.ok(balances.some((c) => c.denom === denom));
  assert.equal(pagination.next_key, null);
  const { balance } = await ok(`/cosmos/bank/v1beta1/balances/${me.address}/by_denom?denom=${denom}`);
  assert.equal(balance.denom, denom);
});
await check("a transfer is estimated, signed, broadcast and found", async () => {
  const before = BigInt((await ok(`/cosmos/bank/v1beta1/balances/${recipient}/by_denom?denom=${denom}`)).balance.amount);
  transferred = await send([transfer], 120_000);
  assert.equal(transferred.tx_response.code, 0, transferred.tx_response.raw_log);
  assert.equal(transferred.tx.body.messages[0]["@type"], transfer.typeUrl);
  assert.equal(transferred.tx_response.tx["@type"], "/cosmos.tx.v1beta1.Tx");
  assert.match(transferred.tx_response.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const after = BigInt((await ok(`/cosmos/bank/v1beta1/balances/${recipient}/by_denom?denom=${denom}`)).balance.amount);
  assert.equal(after - before, 4321n);
});
await check("what was printed encodes back to what was signed", async () => {
  const { tx_bytes: encoded } = await ok("/cosmos/tx/v1beta1/encode", { tx: transferred.tx });
  assert.equal(encoded, toBase64(transferred.raw));
  const { tx } = await ok("/cosmos/tx/v1beta1/decode", { tx_bytes: encoded });
  assert.deepEqual(tx, transferred.tx);
});
await check("a contract's message is simulated from JSON, and executed", async () => {
  const msg = { settle: { lease_id: 999999 } };
  const { sequence } = await account();
  const tx = {
    body: { messages: [{ "@type": "/cosmwasm.wasm.v1.MsgExecuteContract", sender: me.address, contract: market, msg, funds: [] }], memo: "" },
    auth_info: {
      signer_infos: [{ public_key: { "@type": "/cosmos.crypto.secp256k1.PubKey", key: toBase64(me.pubkey) }, mode_info: { single: { mode: "SIGN_MODE_DIRECT" } }, sequence: sequence.toString() }],
      fee: { amount: [], gas_limit: "0", payer: "", granter: "" },
    },
    signatures: [""],
  };
  const refused = await rest("/cosmos/tx/v1beta1/simulate", { tx });
  assert.notEqual(refused.status, 200);
  assert.match(refused.body.message, /lease/);
  tx.body.messages[0].msg = {
    create_order: {
      resources: { units: 1, gpu: { model: null, min_vram_mib: 0, profile: "portable1", region: null, min_bond: "0" } },
      pricing: { reverse_auction: { closes_at: Math.floor(Date.now() / 1000) + 600 } },
      ceiling: { denom, rate: "1000" },
      max_duration_secs: 60,
    },
  };
  tx.body.messages[0].funds = [{ denom, amount: "1000000" }];
  const simulated = await ok("/cosmos/tx/v1beta1/simulate", { tx });
  const gas = Math.ceil(Number(simulated.gas_info.gas_used) * 1.3);
  const value = MsgExecuteContract.fromPartial({ sender: me.address, contract: market, msg: toUtf8(JSON.stringify(tx.body.messages[0].msg)), funds: [{ denom, amount: "1000000" }] });
  const done = await send([{ typeUrl: "/cosmwasm.wasm.v1.MsgExecuteContract", value }], gas);
  assert.equal(done.tx_response.code, 0, done.tx_response.raw_log);
  assert.deepEqual(done.tx.body.messages[0].msg, tx.body.messages[0].msg);
});
await check("blocks: the latest, one by height, one with its transactions", async () => {
  const latest = await ok("/cosmos/base/tendermint/v1beta1/blocks/latest");
  assert.equal(latest.block.header.chain_id, chain.chainId);
  assert.equal(fromBech32(latest.sdk_block.header.proposer_address, 120).prefix, chain.bech32Config.bech32PrefixConsAddr);
  const height = transferred.tx_response.height;
  const block = await ok(`/cosmos/base/tendermint/v1beta1/blocks/${height}`);
  assert.ok(block.block.data.txs.includes(toBase64(transferred.raw)));
  const whole = await ok(`/cosmos/tx/v1beta1/txs/block/${height}?pagination.limit=10`);
  assert.deepEqual(whole.block_id, block.block_id);
  assert.ok(whole.txs.some((t) => JSON.stringify(t) === JSON.stringify(transferred.tx)));
  for (const wrong of ["0", "99999999"]) assert.notEqual((await rest(`/cosmos/tx/v1beta1/txs/block/${wrong}`)).status, 200);
});
await check("validators of now and of a height", async () => {
  const now = await ok("/cosmos/base/tendermint/v1beta1/validatorsets/latest");
  assert.equal(now.pagination.total, String(now.validators.length));
  assert.equal(now.validators[0].pub_key["@type"], "/cosmos.crypto.ed25519.PubKey");
  assert.equal(fromBech32(now.validators[0].address, 120).prefix, chain.bech32Config.bech32PrefixConsAddr);
  const then = await ok(`/cosmos/base/tendermint/v1beta1/validatorsets/${transferred.tx_response.height}`);
  assert.deepEqual(then.validators.map((v) => v.address), now.validators.map((v) => v.address));
});
await check("history: what I sent, newest first", async () => {
  const query = encodeURIComponent(`message.sender='${me.address}'`);
  const found = await ok(`/cosmos/tx/v1beta1/txs?query=${query}&order_by=ORDER_BY_DESC&limit=2`);
  assert.equal(found.txs.length, 2);
  assert.ok(Number(found.tx_responses[0].height) >= Number(found.tx_responses[1].height));
  assert.ok(Number(found.total) >= 2);
});
await check("a query of the past answers of then, and says of when", async () => {
  const height = String(Number(transferred.tx_response.height) - 1);
  const path = `/cosmos/bank/v1beta1/balances/${me.address}/by_denom?denom=${denom}`;
  const past = await fetch(chain.rest + path, { headers: { "x-cosmos-block-height": height } });
  assert.equal(past.headers.get("grpc-metadata-x-cosmos-block-height"), height);
  const [then, now] = [(await past.json()).balance.amount, (await ok(path)).balance.amount];
  assert.ok(BigInt(then) > BigInt(now));
});
await check("a browser may ask, and what is not there is told apart", async () => {
  const asked = await fetch(`${chain.rest}/cosmos/tx/v1beta1/txs`, { method: "OPTIONS" });
  assert.equal(asked.headers.get("access-control-allow-origin"), "*");
  const absent = await rest("/ibc/core/client/v1/client_states");
  assert.deepEqual([absent.status, absent.body.code], [501, 12]);
  const nobody = await rest(`/cosmos/tx/v1beta1/txs/${"0".repeat(64)}`);
  assert.deepEqual([nobody.status, nobody.body.code], [404, 5]);
});

console.log(`${passed} passed, 0 failed`);
