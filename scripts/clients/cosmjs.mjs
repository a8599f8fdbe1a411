// CosmJS, unchanged, against a chain: connect, query, send, execute and query contracts, search, and the errors
// that wallets rely on. Usage: node cosmjs.mjs RPC_URL MNEMONIC_FILE RECIPIENT MARKET PREFIX NATIVE_DENOM
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { SigningCosmWasmClient } from "@cosmjs/cosmwasm";
import { Secp256k1HdWallet, createMultisigThresholdPubkey, pubkeyToAddress } from "@cosmjs/amino";
import { DirectSecp256k1HdWallet, encodePubkey } from "@cosmjs/proto-signing";
import { GasPrice, SigningStargateClient, coins } from "@cosmjs/stargate";
import { GenericAuthorization } from "cosmjs-types/cosmos/authz/v1beta1/authz";
import { MsgExec, MsgGrant } from "cosmjs-types/cosmos/authz/v1beta1/tx";
import { MsgSend } from "cosmjs-types/cosmos/bank/v1beta1/tx";
import { CompactBitArray, MultiSignature } from "cosmjs-types/cosmos/crypto/multisig/v1beta1/multisig";
import { BasicAllowance } from "cosmjs-types/cosmos/feegrant/v1beta1/feegrant";
import { MsgGrantAllowance } from "cosmjs-types/cosmos/feegrant/v1beta1/tx";
import { SignMode } from "cosmjs-types/cosmos/tx/signing/v1beta1/signing";
import { AuthInfo, TxRaw } from "cosmjs-types/cosmos/tx/v1beta1/tx";

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

const gasPrice = GasPrice.fromString(`0.025${denom}`);
await check("amino: a wallet that knows no other mode, as Ledger's, sends and executes", async () => {
  const amino = await Secp256k1HdWallet.fromMnemonic(readFileSync(mnemonicFile, "utf8").trim(), { prefix });
  const signer = await SigningCosmWasmClient.connectWithSigner(url, amino, { gasPrice });
  const sent = await signer.sendTokens(address, recipient, coins(5, denom), "auto", 'a "memo" <of> Ledger\'s & mine, été');
  assert.equal(sent.code, 0, sent.rawLog);
  const msg = {
    create_order: {
      resources: { units: 1, gpu: { model: null, min_vram_mib: 0, profile: "portable1", region: null, min_bond: "0" } },
      pricing: { reverse_auction: { closes_at: Math.floor(Date.now() / 1000) + 600 } },
      ceiling: { denom, rate: "1000000000" },
      max_duration_secs: 60,
    },
  };
  const done = await signer.execute(address, market, msg, "auto", "", coins(1_000_000, denom));
  assert.ok(done.events.some((e) => e.type === "wasm-order_created"));
  signer.disconnect();
});
await check("multisig: two of three send together, one alone does not", async () => {
  const wallets = await Promise.all([0, 1, 2].map(() => Secp256k1HdWallet.generate(12, { prefix })));
  const members = await Promise.all(wallets.map(async (w) => (await w.getAccounts())[0]));
  const keys = members.map((m) => ({ type: "tendermint/PubKeySecp256k1", value: Buffer.from(m.pubkey).toString("base64") }));
  const key = createMultisigThresholdPubkey(keys, 2, true);
  const shared = pubkeyToAddress(key, prefix);
  await client.sendTokens(address, shared, coins(100_000, denom), "auto");
  const { accountNumber } = await client.getAccount(shared);
  const chainId = await client.getChainId();
  const send = { typeUrl: MsgSend.typeUrl, value: { fromAddress: shared, toAddress: recipient, amount: coins(77, denom) } };
  const fee = { amount: coins(6000, denom), gas: "240000" };
  // CosmJS 0.38's makeMultisignedTxBytes fails in its own fromBech32 with the @scure/base that npm gives it: by hand.
  const sign = async (sequence, who) => {
    const signatures = [];
    let bodyBytes;
    for (const i of who) {
      const offline = await SigningStargateClient.offline(wallets[i]);
      const raw = await offline.sign(members[i].address, [send], fee, "together", { accountNumber, sequence, chainId });
      signatures.push(raw.signatures[0]);
      bodyBytes = raw.bodyBytes;
    }
    const bitarray = CompactBitArray.fromPartial({ extraBitsStored: 3, elems: new Uint8Array([who.reduce((bits, i) => bits | (0x80 >> i), 0)]) });
    const modeInfos = who.map(() => ({ single: { mode: SignMode.SIGN_MODE_LEGACY_AMINO_JSON } }));
    const auth = AuthInfo.fromPartial({
      signerInfos: [{ publicKey: encodePubkey(key), modeInfo: { multi: { bitarray, modeInfos } }, sequence: BigInt(sequence) }],
      fee: { amount: fee.amount, gasLimit: BigInt(fee.gas) },
    });
    const multi = MultiSignature.encode({ signatures }).finish();
    return TxRaw.encode({ bodyBytes, authInfoBytes: AuthInfo.encode(auth).finish(), signatures: [multi] }).finish();
  };
  await assert.rejects(client.broadcastTx(await sign(0, [1])), /signature verification failed/);
  for (const [sequence, who] of [[0, [0, 2]], [1, [1, 2]]]) {
    const result = await client.broadcastTx(await sign(sequence, who));
    assert.equal(result.code, 0, result.rawLog);
  }
  assert.equal((await client.getAccount(shared)).pubkey.type, "tendermint/PubKeyMultisigThreshold");
});
await check("feegrant and authz: another pays the fee, another sends in one's name", async () => {
  const wallet = await Secp256k1HdWallet.generate(12, { prefix });
  const [friend] = await wallet.getAccounts();
  const grants = [
    { typeUrl: MsgGrantAllowance.typeUrl, value: { granter: address, grantee: friend.address,
      allowance: { typeUrl: BasicAllowance.typeUrl, value: BasicAllowance.encode({ spendLimit: coins(20_000, denom) }).finish() } } },
    { typeUrl: MsgGrant.typeUrl, value: { granter: address, grantee: friend.address, grant: {
      authorization: { typeUrl: GenericAuthorization.typeUrl, value: GenericAuthorization.encode({ msg: MsgSend.typeUrl }).finish() },
      expiration: { seconds: BigInt(Math.floor(Date.now() / 1000) + 3600), nanos: 0 } } } },
  ];
  client.registry.register(MsgGrant.typeUrl, MsgGrant);
  client.registry.register(MsgGrantAllowance.typeUrl, MsgGrantAllowance);
  const granted = await client.signAndBroadcast(address, grants, "auto");
  assert.equal(granted.code, 0, granted.rawLog);
  const signer = await SigningStargateClient.connectWithSigner(url, await DirectSecp256k1HdWallet.fromMnemonic(wallet.mnemonic, { prefix }));
  signer.registry.register(MsgExec.typeUrl, MsgExec);
  const send = MsgSend.encode({ fromAddress: address, toAddress: recipient, amount: coins(33, denom) }).finish();
  const exec = { typeUrl: MsgExec.typeUrl, value: { grantee: friend.address, msgs: [{ typeUrl: MsgSend.typeUrl, value: send }] } };
  const before = BigInt((await client.getBalance(recipient, denom)).amount);
  const done = await signer.signAndBroadcast(friend.address, [exec], { amount: coins(8000, denom), gas: "300000", granter: address });
  assert.equal(done.code, 0, done.rawLog);
  assert.equal(BigInt((await client.getBalance(recipient, denom)).amount) - before, 33n);
  signer.disconnect();
});

client.disconnect();
console.log(`${passed} passed, 0 failed`);
