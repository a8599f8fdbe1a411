// CosmJS, unchanged, against a chain: connect, query, send, execute and query contracts, search, and the errors
// that wallets rely on. Usage: node cosmjs.mjs RPC_URL MNEMONIC_FILE RECIPIENT MARKET PREFIX NATIVE_DENOM
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { SigningCosmWasmClient } from "@cosmjs/cosmwasm";
import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import { GasPrice, coins } from "@cosmjs/stargate";

const [url, mnemonicFile, recipient, market, prefix, denom] = process.argv.slice(2);
const wallet = await DirectSecp256k1HdWallet.fromMnemonic(readFileSync(mnemonicFile, "utf8").trim(), { prefix });
const [{ address }] = await wallet.getAccounts();
const client = await SigningCosmWasmClient.connectWithSigner(url, wallet, { gasPrice: GasPrice.fromString(`0.025${denom}`) });

let passed = 0;
async function check(name, f) {
  await f();
  passed += 1;
  console.log(`ok ${name}`);
}

await check("status: chain id and height", async () => {
  assert.match(await client.getChainId(), /^[a-z-]+-\d+$/);
  assert.ok((await client.getHeight()) > 0);
});
await check("block: header of the latest height", async () => {
  const block = await client.getBlock();
  assert.equal(block.header.chainId, await client.getChainId());
});
await check("bank: send moves exactly the amount", async () => {
  const before = BigInt((await client.getBalance(recipient, denom)).amount);
  const result = await client.sendTokens(address, recipient, coins(12345, denom), "auto", "from CosmJS");
  assert.equal(result.code, 0);
  assert.equal(BigInt((await client.getBalance(recipient, denom)).amount) - before, 12345n);
  const found = await client.getTx(result.transactionHash);
  assert.equal(found.hash, result.transactionHash);
  const events = found.events.map((e) => e.type);
  for (const kind of ["tx", "coin_spent", "coin_received", "transfer", "message"]) assert.ok(events.includes(kind), kind);
});
await check("bank: too much is refused with the SDK's words", async () => {
  const result = await client.sendTokens(address, recipient, coins("900000000000000000", denom), { amount: coins(5000, denom), gas: "200000" });
  assert.equal(result.code, 5);
  assert.match(result.rawLog ?? "", /insufficient funds/);
});
await check("auth: an unknown account is null, not an error", async () => {
  const other = await DirectSecp256k1HdWallet.generate(12, { prefix });
  assert.equal(await client.getAccount((await other.getAccounts())[0].address), null);
});
await check("wasm: codes, contract info and a smart query", async () => {
  assert.ok((await client.getCodes()).length >= 2);
  const info = await client.getContract(market);
  assert.equal(info.address, market);
  const config = await client.queryContractSmart(market, { config: {} });
  assert.ok(config.fees.some((f) => f.denom === denom));
});
await check("wasm: execute an order, read its events and data back", async () => {
  const msg = {
    create_order: {
      resources: { units: 1, gpu: { model: null, min_vram_mib: 0, profile: "portable1", region: null, min_bond: "0" } },
      pricing: { reverse_auction: { closes_at: Math.floor(Date.now() / 1000) + 600 } },
      ceiling: { denom, rate: "1000000000" },
      max_duration_secs: 60,
    },
  };
  const result = await client.execute(address, market, msg, "auto", "", coins(1_000_000, denom));
  const created = result.events.find((e) => e.type === "wasm-order_created");
  const id = Number(created.attributes.find((a) => a.key === "order_id").value);
  const order = await client.queryContractSmart(market, { order: { order_id: id } });
  assert.equal(order.tenant, address);
  const closed = await client.execute(address, market, { close_order: { order_id: id } }, "auto");
  assert.ok(closed.transactionHash);
});
await check("wasm: a contract's refusal arrives as text", async () => {
  await assert.rejects(client.queryContractSmart(market, { order: { order_id: 999999 } }), /Query failed with \(\d+\)/);
});
await check("search: by event attribute", async () => {
  const txs = await client.searchTx([{ key: "message.sender", value: address }]);
  assert.ok(txs.length >= 3);
});

client.disconnect();
console.log(`${passed} passed, 0 failed`);
