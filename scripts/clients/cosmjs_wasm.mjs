// A contract's life through CosmJS's SigningCosmWasmClient, unchanged: upload, instantiate (twice, one at a known
// address), execute one and several, migrate, hand over, clear the admin, and what the chain remembers of it.
// Usage: node cosmjs_wasm.mjs RPC_URL MNEMONIC_FILE OTHER_ADDRESS WASM_FILE PREFIX NATIVE_DENOM
// WASM_FILE is the registry contract.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { SigningCosmWasmClient } from "@cosmjs/cosmwasm";
import { fromBech32, fromHex, toBech32, toUtf8 } from "@cosmjs/encoding";
import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import { GasPrice, coins } from "@cosmjs/stargate";

const [url, mnemonicFile, other, wasmFile, prefix, denom] = process.argv.slice(2);
const wallet = await DirectSecp256k1HdWallet.fromMnemonic(readFileSync(mnemonicFile, "utf8").trim(), { prefix });
const [{ address }] = await wallet.getAccounts();
const client = await SigningCosmWasmClient.connectWithSigner(url, wallet, { gasPrice: GasPrice.fromString(`0.025${denom}`) });
const wasm = readFileSync(wasmFile);
const checksum = createHash("sha256").update(wasm).digest("hex");

// As wasmd's BuildContractAddressPredictable says; CosmJS's own function trips over its bech32 library.
function predictable(creator, salt) {
  const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
  const sized = (bytes) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    return Buffer.concat([length, bytes]);
  };
  const key = [toUtf8("wasm\0"), sized(fromHex(checksum)), sized(fromBech32(creator, 120).data), sized(salt), sized(toUtf8(""))];
  return toBech32(prefix, sha256(sha256(toUtf8("module")), ...key), 90);
}

let passed = 0;
async function check(name, f) {
  await f();
  passed += 1;
  console.log(`ok ${name}`);
}

const setup = { authority: address, bond_denom: denom, unbonding_secs: 60, min_bond: "1" };
let code;
let contract;

await check("upload: the code's id, checksum and size, and the code back", async () => {
  const result = await client.upload(address, wasm, "auto", "from CosmJS");
  assert.equal(result.checksum, checksum);
  assert.equal(result.originalSize, wasm.length);
  assert.ok(result.compressedSize < result.originalSize);
  code = result.codeId;
  const details = await client.getCodeDetails(code);
  assert.deepEqual([details.checksum, details.creator], [checksum, address]);
  assert.deepEqual(Buffer.from(details.data), wasm);
});
await check("upload: what is no wasm is refused", async () => {
  await assert.rejects(client.upload(address, toUtf8("not wasm at all"), "auto"), /wasm/i);
});
await check("instantiate: with an admin, funds refused by the contract change nothing", async () => {
  const before = await client.getBalance(address, denom);
  await assert.rejects(client.instantiate(address, code, setup, "paid", { amount: coins(20000, denom), gas: "800000" }, { funds: coins(5, denom) }));
  assert.equal(BigInt(before.amount) - BigInt((await client.getBalance(address, denom)).amount), 20000n, "the fee and nothing else");
  const result = await client.instantiate(address, code, setup, "a registry", "auto", { admin: address });
  contract = result.contractAddress;
  const info = await client.getContract(contract);
  assert.deepEqual([info.codeId, info.creator, info.admin, info.label], [code, address, address, "a registry"]);
  assert.deepEqual([...(await client.getContracts(code))], [contract]);
});
await check("instantiate2: the address is known before", async () => {
  const salt = toUtf8("salt");
  const known = predictable(address, salt);
  const result = await client.instantiate2(address, code, salt, setup, "known", "auto");
  assert.equal(result.contractAddress, known);
});
await check("execute: one message, then several in one transaction, all or nothing", async () => {
  const bad = { contractAddress: contract, msg: { no_such_message: {} } };
  const good = { contractAddress: contract, msg: { update_config: { seen_secs: 7200 } } };
  await assert.rejects(client.execute(address, contract, bad.msg, "auto"), /no_such_message/);
  await assert.rejects(client.executeMultiple(address, [good, bad], "auto"), /no_such_message/);
  assert.notEqual((await client.queryContractSmart(contract, { config: {} })).seen_secs, 7200);
  const result = await client.executeMultiple(address, [good, good], "auto");
  assert.equal(result.events.filter((e) => e.type === "execute").length, 2);
  assert.equal((await client.queryContractSmart(contract, { config: {} })).seen_secs, 7200);
});
await check("raw state, and its absence", async () => {
  const raw = await client.queryContractRaw(contract, toUtf8("contract_info"));
  assert.match(Buffer.from(raw).toString(), /registry/);
  assert.equal((await client.queryContractRaw(contract, toUtf8("nothing"))).length, 0);
});
await check("migrate: only the admin; history keeps both", async () => {
  const { codeId: next } = await client.upload(address, wasm, "auto");
  assert.notEqual(next, code);
  await client.migrate(address, contract, next, {}, "auto");
  assert.equal((await client.getContract(contract)).codeId, next);
  const history = await client.getContractCodeHistory(contract);
  assert.deepEqual(history.map((h) => [h.operation, h.codeId]), [["Init", code], ["Migrate", next]]);
});
await check("the admin hands over and is then refused; nobody is admin after clearing", async () => {
  const second = (await client.instantiate(address, code, setup, "another", "auto", { admin: address })).contractAddress;
  await client.updateAdmin(address, contract, other, "auto");
  assert.equal((await client.getContract(contract)).admin, other);
  await assert.rejects(client.migrate(address, contract, code, {}, "auto"), /unauthorized|can not migrate/);
  await client.clearAdmin(address, second, "auto");
  assert.equal((await client.getContract(second)).admin, undefined);
});
await check("search: by contract address", async () => {
  const txs = await client.searchTx([{ key: "execute._contract_address", value: contract }]);
  assert.ok(txs.length >= 1);
  assert.ok((await client.getContractsByCreator(address)).includes(contract));
});

client.disconnect();
console.log(`${passed} passed, 0 failed`);
