// A dApp on the generated clients and CosmJS: a provider and a tenant, from registration to history.
// Usage: node build/dapp.js RPC_URL MNEMONIC_FILE MARKET PREFIX NATIVE_DENOM
import "reflect-metadata";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";
import { SigningCosmWasmClient, type ExecuteResult } from "@cosmjs/cosmwasm-stargate";
import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import { GasPrice, coins, type Event } from "@cosmjs/stargate";
import { connectComet } from "@cosmjs/tendermint-rpc";
import * as x509 from "@peculiar/x509";
import { MarketClient, MarketQueryClient } from "./generated/Market.client";
import { MarketMsgComposer } from "./generated/Market.message-composer";
import type { PricingMode, ResourceSpec } from "./generated/Market.types";
import { RegistryClient, RegistryQueryClient } from "./generated/Registry.client";
import type { Device } from "./generated/Registry.types";

function argument(n: number, name: string): string {
  const value = process.argv[n + 2];
  if (value === undefined) throw new Error(`expected RPC_URL MNEMONIC_FILE MARKET PREFIX NATIVE_DENOM, got no ${name}`);
  return value;
}

const url = argument(0, "RPC_URL");
const mnemonic = readFileSync(argument(1, "MNEMONIC_FILE"), "utf8").trim();
const marketAddress = argument(2, "MARKET");
const prefix = argument(3, "PREFIX");
const denom = argument(4, "NATIVE_DENOM");

let passed = 0;
async function check(name: string, f: () => Promise<void>): Promise<void> {
  await f();
  passed += 1;
  console.log(`ok ${name}`);
}

interface Account {
  address: string;
  chain: SigningCosmWasmClient;
}

async function account(wallet: DirectSecp256k1HdWallet): Promise<Account> {
  const [first] = await wallet.getAccounts();
  if (first === undefined) throw new Error("expected a wallet with an account, got an empty one");
  const gasPrice = GasPrice.fromString(`0.025${denom}`);
  const chain = await SigningCosmWasmClient.connectWithSigner(url, wallet, { gasPrice, broadcastPollIntervalMs: 200 });
  return { address: first.address, chain };
}

/** The values of an attribute, in the events of one type. */
function values(result: { events: readonly Event[] }, type: string, key: string): string[] {
  const attributes = result.events.filter((e) => e.type === type).flatMap((e) => e.attributes);
  return attributes.filter((a) => a.key === key).map((a) => a.value);
}

function only(result: ExecuteResult, type: string, key: string): number {
  const found = values(result, type, key);
  assert.equal(found.length, 1, `${type}.${key}: ${found}`);
  return Number(found[0]);
}

/** Every entry of a list, page by page. */
async function walk<T, K>(
  page: (startAfter: K | undefined) => Promise<{ entries: T[]; next?: K | null }>,
  limit: number,
): Promise<T[]> {
  const all: T[] = [];
  let startAfter: K | undefined;
  do {
    const { entries, next } = await page(startAfter);
    assert.ok(entries.length <= limit);
    all.push(...entries);
    startAfter = next ?? undefined;
  } while (startAfter !== undefined);
  return all;
}

/** A self-signed P-256 certificate of 30 days, base64 DER, as the registry takes it. */
async function certificate(owner: string, now: number): Promise<string> {
  const crypto = webcrypto as Crypto;
  x509.cryptoProvider.set(crypto);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, false, ["sign", "verify"]);
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${owner}`,
    notBefore: new Date(now),
    notAfter: new Date(now + 30 * 86_400_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]),
    ],
  });
  return Buffer.from(cert.rawData).toString("base64");
}

const model = "mesa/lavapipe";
const gpu: ResourceSpec = {
  units: 1,
  gpu: { model, min_vram_mib: 1024, profile: "portable1", region: null, min_bond: "0" },
};
const ceiling = { denom, rate: "1000000000" };

async function main(): Promise<void> {
  const rich = await account(await DirectSecp256k1HdWallet.fromMnemonic(mnemonic, { prefix }));
  // New accounts, so that what they list is what they did here.
  const tenant = await account(await DirectSecp256k1HdWallet.generate(12, { prefix }));
  const provider = await account(await DirectSecp256k1HdWallet.generate(12, { prefix }));
  const market = new MarketQueryClient(tenant.chain, marketAddress);
  const asTenant = new MarketClient(tenant.chain, tenant.address, marketAddress);
  const asProvider = new MarketClient(provider.chain, provider.address, marketAddress);
  const config = await market.config();
  const registry = new RegistryQueryClient(provider.chain, config.registry);
  const atRegistry = new RegistryClient(provider.chain, provider.address, config.registry);
  const blockTime = async () => Date.parse((await tenant.chain.getBlock()).header.time);
  const auction = async (): Promise<PricingMode> => {
    return { reverse_auction: { closes_at: Math.floor((await blockTime()) / 1000) + 3_600 } };
  };
  const bidDeposit = config.fees.find((f) => f.denom === denom)?.bid_deposit ?? "0";
  const bidFunds = bidDeposit === "0" ? [] : coins(bidDeposit, denom);
  const { min_bond: minBond } = await registry.config();

  await check("registry: a provider registers with its bond and a device", async () => {
    for (const [to, amount] of [[tenant, 100_000_000n], [provider, BigInt(minBond) + 100_000_000n]] as const) {
      await rich.chain.sendTokens(rich.address, to.address, coins(`${amount}`, denom), "auto");
    }
    const device: Device = { id: "gpu-0", model, vram_mib: 2048, profile: "portable1", driver: "llvmpipe" };
    const sent = await atRegistry.registerProvider(
      { hostUri: "https://127.0.0.1:8443", devices: [device], attributes: [{ key: "region", value: "eu" }] },
      "auto",
      "",
      coins(minBond, denom),
    );
    assert.deepEqual(values(sent, "wasm-provider", "action"), ["register"]);
    const known = await registry.provider({ address: provider.address });
    assert.ok(known.may_bid && known.live);
    const found = await registry.providers({ model, live: true });
    assert.ok(found.providers.some((p) => p.address === provider.address));
  });
  await check("registry: it publishes a certificate, which stands in the list of those in force", async () => {
    const der = await certificate(provider.address, await blockTime());
    const sent = await atRegistry.publishCertificate({ der });
    const [fingerprint] = values(sent, "wasm-certificate", "fingerprint");
    const list = await registry.certificates({ owner: provider.address, inForce: true });
    assert.deepEqual(list.certificates.map((c) => c.fingerprint), [fingerprint]);
    assert.equal(list.certificates[0]?.der, der);
    assert.equal(list.next ?? null, null);
  });

  let orderId = 0;
  let leaseId = 0;
  let deposited = 2_000_000n;
  await check("market: an order, and its bids as they come over the websocket", async () => {
    const answer = await asTenant.createOrder(
      { resources: gpu, pricing: await auction(), ceiling, maxDurationSecs: 3_600, terms: { notice_hours: 0, relist: false } },
      "auto",
      "",
      coins(`${deposited}`, denom),
    );
    orderId = only(answer, "wasm-order_created", "order_id");
    assert.equal((await market.order({ orderId })).state, "open");

    const socket = await connectComet(url.replace(/^http/, "ws"));
    const watched: number[] = [];
    const query = `tm.event='Tx' AND wasm-bid_placed.order_id='${orderId}'`;
    const both = new Promise<void>((resolve, reject) => {
      socket.subscribeTx(query).addListener({
        next: (tx) => {
          watched.push(...values(tx.result, "wasm-bid_placed", "bid_id").map(Number));
          if (watched.length === 2) resolve();
        },
        error: reject,
        complete: () => reject(new Error("the subscription ended")),
      });
    });
    // The subscription stands once a later request on the same socket is answered.
    await socket.status();
    const placed: number[] = [];
    for (const rate of ["900000000", "800000000"]) {
      placed.push(only(await asProvider.placeBid({ orderId, rate }, "auto", "", bidFunds), "wasm-bid_placed", "bid_id"));
    }
    await both;
    assert.deepEqual(watched, placed);
    socket.disconnect();
    const open = await market.bids({ orderId, state: "open" });
    assert.deepEqual(open.bids.map((b) => [b.id, b.rate]), [[placed[1], "800000000"]], "the second replaced the first");
  });
  await check("market: the tenant accepts the bid and has a lease", async () => {
    const [best] = (await market.bids({ orderId, state: "open" })).bids;
    if (best === undefined) throw new Error("expected an open bid, got none");
    leaseId = only(await asTenant.acceptBid({ bidId: best.id }), "wasm-lease_opened", "lease_id");
    const lease = await market.lease({ leaseId });
    assert.equal(lease.provider, provider.address);
    assert.equal(lease.tenant, tenant.address);
    assert.equal(lease.rate, "800000000");
    assert.equal(lease.state, "active");
  });
  await check("market: a top-up is in the escrow, to the unit", async () => {
    const sent = await asTenant.deposit({ orderId }, "auto", "", coins(500_000, denom));
    const moved = sent.events.filter((e) => e.type === "wasm-escrow");
    const movements = moved.map((e) => Object.fromEntries(e.attributes.map((a) => [a.key, a.value])));
    deposited += 500_000n;
    assert.ok(movements.some((m) => m.action === "deposit" && m.amount === "500000" && m.depositor === tenant.address));
    const e = await market.escrow({ orderId });
    assert.equal(BigInt(e.deposited), deposited);
    assert.equal(BigInt(e.paid) + BigInt(e.fees) + BigInt(e.refunded) + BigInt(e.held), deposited);
  });
  await check("market: somebody else's message is refused with the contract's reason", async () => {
    await assert.rejects(asTenant.withdraw({ leaseId }), /only the lease's provider may do this/);
    await assert.rejects(market.order({ orderId: 999_999 }), /no order 999999/);
  });
  await check("market: the lease ends, the provider is paid and the tenant refunded, nothing is left", async () => {
    const ended = await asTenant.closeLease({ leaseId });
    assert.deepEqual(values(ended, "wasm-lease_closed", "reason"), ["tenant"]);
    const e = await market.escrow({ orderId });
    assert.equal(e.held, "0");
    assert.equal(BigInt(e.paid) + BigInt(e.fees) + BigInt(e.refunded), deposited);
    const { amount } = await provider.chain.getBalance(provider.address, denom);
    assert.ok(BigInt(amount) > 0n);
    const { ok } = await market.invariants({});
    assert.ok(ok);
  });

  const more = 5;
  await check("market: one transaction with several messages, from the message composer", async () => {
    const composer = new MarketMsgComposer(tenant.address, marketAddress);
    const pricing = await auction();
    const order = (model: string | null) =>
      composer.createOrder(
        { resources: { ...gpu, gpu: { ...gpu.gpu, model } }, pricing, ceiling, maxDurationSecs: 60 },
        coins(100_000, denom),
      );
    const messages = Array.from({ length: more }, (_, i) => order(i % 2 === 0 ? model : null));
    const sent = await tenant.chain.signAndBroadcast(tenant.address, messages, "auto");
    assert.equal(sent.code, 0, sent.rawLog);
    const ids = values(sent, "wasm-order_created", "order_id").map(Number);
    assert.equal(ids.length, more);
    await asTenant.closeOrder({ orderId: ids[0] ?? 0 });
  });
  await check("history: orders in both directions, in pages of two", async () => {
    const list = (descending: boolean, model?: string, state?: "open" | "closed") =>
      walk(async (startAfter: number | undefined) => {
        const page = await market.orders({ tenant: tenant.address, startAfter, limit: 2, descending, model, state });
        return { entries: page.orders.map((o) => o.id), next: page.next };
      }, 2);
    const up = await list(false);
    const newest = await list(true);
    assert.equal(up.length, more + 1);
    assert.deepEqual(up, [...up].sort((a, b) => a - b));
    assert.deepEqual(newest, [...up].reverse());
    assert.equal((await list(true, model)).length, 4);
    assert.deepEqual(await list(false, model, "closed"), [up[0], up[1]]);
    assert.equal((await list(false, undefined, "open")).length, more - 1);
  });
  await check("history: a provider's bids and leases, newest first", async () => {
    const mine = await market.bids({ provider: provider.address, descending: true });
    assert.deepEqual(mine.bids.map((b) => b.state), ["won", "withdrawn"]);
    const leases = await market.leases({ provider: provider.address, state: "closed", model, descending: true });
    assert.deepEqual(leases.leases.map((l) => l.id), [leaseId]);
    assert.equal(leases.leases[0]?.close_reason, "tenant");
  });
  await check("history: the transactions of an order, by its events", async () => {
    const txs = await tenant.chain.searchTx([{ key: "wasm-escrow.order_id", value: `${orderId}` }]);
    const actions = txs.flatMap((tx) => values(tx, "wasm-escrow", "action"));
    for (const action of ["deposit", "refund"]) assert.ok(actions.includes(action), action);
  });

  for (const who of [rich, tenant, provider]) who.chain.disconnect();
  console.log(`${passed} passed, 0 failed`);
  // CosmJS 0.38 connects a websocket again after its disconnect(), which would keep this process.
  process.exit(0);
}

main().catch((e: unknown) => {
  console.error(e);
  process.exit(1);
});
