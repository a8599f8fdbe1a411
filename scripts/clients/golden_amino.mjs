// Writes what CosmJS signs in SIGN_MODE_LEGACY_AMINO_JSON, message by message, as golden files for the chain's tests:
// node golden_amino.mjs > ../../abci-app/tests/data/amino_cosmjs.json
// Messages that CosmJS has no amino form of have `sign_bytes` null; golden_amino.go fills in the SDK's for all.
import { makeSignDoc, serializeSignDoc } from "@cosmjs/amino";
import { createWasmAminoConverters, wasmTypes } from "@cosmjs/cosmwasm";
import { fromUtf8, toBase64, toUtf8 } from "@cosmjs/encoding";
import { Registry } from "@cosmjs/proto-signing";
import { AminoTypes, createDefaultAminoConverters, defaultRegistryTypes } from "@cosmjs/stargate";

import { GenericAuthorization } from "cosmjs-types/cosmos/authz/v1beta1/authz";
import { MsgExec, MsgGrant, MsgRevoke } from "cosmjs-types/cosmos/authz/v1beta1/tx";
import { SendAuthorization } from "cosmjs-types/cosmos/bank/v1beta1/authz";
import { MsgSend } from "cosmjs-types/cosmos/bank/v1beta1/tx";
import { PubKey } from "cosmjs-types/cosmos/crypto/ed25519/keys";
import { AllowedMsgAllowance, BasicAllowance, PeriodicAllowance } from "cosmjs-types/cosmos/feegrant/v1beta1/feegrant";
import { MsgGrantAllowance, MsgRevokeAllowance } from "cosmjs-types/cosmos/feegrant/v1beta1/tx";
import { MsgSubmitProposal, MsgVote as MsgVoteV1 } from "cosmjs-types/cosmos/gov/v1/tx";
import { MsgUnjail } from "cosmjs-types/cosmos/slashing/v1beta1/tx";
import { StakeAuthorization } from "cosmjs-types/cosmos/staking/v1beta1/authz";
import { MsgCreateValidator } from "cosmjs-types/cosmos/staking/v1beta1/tx";
import { MsgCreatePeriodicVestingAccount } from "cosmjs-types/cosmos/vesting/v1beta1/tx";

const types = new AminoTypes({ ...createDefaultAminoConverters(), ...createWasmAminoConverters() });
const more = [MsgExec, MsgGrant, MsgRevoke, MsgGrantAllowance, MsgRevokeAllowance, MsgSubmitProposal, MsgVoteV1, MsgUnjail, MsgCreateValidator, MsgCreatePeriodicVestingAccount];
const registry = new Registry([...defaultRegistryTypes, ...wasmTypes, ...more.map((t) => [t.typeUrl, t])]);
const pack = (type, value) => ({ typeUrl: type.typeUrl, value: type.encode(type.fromPartial(value)).finish() });
const at = (seconds, nanos = 0) => ({ seconds: BigInt(seconds), nanos });

const a = "ember1qyqszqgpqyqszqgpqyqszqgpqyqszqgpjnp7du";
const b = "ember1qgpqyqszqgpqyqszqgpqyqszqgpqyqszrh8mx2";
const v = "embervaloper1qyqszqgpqyqszqgpqyqszqgpqyqszqgpxxyzzy";
const coin = (amount, denom = "uember") => ({ denom, amount });

const cases = [
  ["send", [["/cosmos.bank.v1beta1.MsgSend", { fromAddress: a, toAddress: b, amount: [coin("5"), coin("7", "uusdc")] }]]],
  ["send nothing", [["/cosmos.bank.v1beta1.MsgSend", { fromAddress: a, toAddress: b, amount: [] }]]],
  ["multi send", [["/cosmos.bank.v1beta1.MsgMultiSend", { inputs: [{ address: a, coins: [coin("9")] }], outputs: [{ address: b, coins: [coin("9")] }] }]]],
  ["execute", [["/cosmwasm.wasm.v1.MsgExecuteContract", { sender: a, contract: b, msg: toUtf8('{"z":{"b":1,"a":"<&>"},"a":[1.5,true,null,"é"]}'), funds: [coin("1")] }]]],
  ["execute without funds", [["/cosmwasm.wasm.v1.MsgExecuteContract", { sender: a, contract: b, msg: toUtf8('{"settle":{"order_id":"7"}}'), funds: [] }]]],
  ["store code", [["/cosmwasm.wasm.v1.MsgStoreCode", { sender: a, wasmByteCode: new Uint8Array([0, 97, 115, 109, 255]) }]]],
  ["store code for some", [["/cosmwasm.wasm.v1.MsgStoreCode", { sender: a, wasmByteCode: new Uint8Array([1]), instantiatePermission: { permission: 4, address: "", addresses: [a, b] } }]]],
  ["instantiate", [["/cosmwasm.wasm.v1.MsgInstantiateContract", { sender: a, admin: b, codeId: 12n, label: "my <label>", msg: toUtf8("{}"), funds: [] }]]],
  ["instantiate without admin", [["/cosmwasm.wasm.v1.MsgInstantiateContract", { sender: a, admin: "", codeId: 1n, label: "x", msg: toUtf8('{"a":1}'), funds: [coin("3")] }]]],
  ["instantiate2", [["/cosmwasm.wasm.v1.MsgInstantiateContract2", { sender: a, admin: b, codeId: 12n, label: "l", msg: toUtf8("{}"), funds: [], salt: new Uint8Array([1, 2, 3]), fixMsg: false }]]],
  ["migrate", [["/cosmwasm.wasm.v1.MsgMigrateContract", { sender: a, contract: b, codeId: 3n, msg: toUtf8('{"to":{}}') }]]],
  ["update admin", [["/cosmwasm.wasm.v1.MsgUpdateAdmin", { sender: a, newAdmin: a, contract: b }]]],
  ["clear admin", [["/cosmwasm.wasm.v1.MsgClearAdmin", { sender: a, contract: b }]]],
  ["delegate", [["/cosmos.staking.v1beta1.MsgDelegate", { delegatorAddress: a, validatorAddress: v, amount: coin("1000") }]]],
  ["undelegate", [["/cosmos.staking.v1beta1.MsgUndelegate", { delegatorAddress: a, validatorAddress: v, amount: coin("1000") }]]],
  ["redelegate", [["/cosmos.staking.v1beta1.MsgBeginRedelegate", { delegatorAddress: a, validatorSrcAddress: v, validatorDstAddress: v, amount: coin("1") }]]],
  ["cancel unbonding", [["/cosmos.staking.v1beta1.MsgCancelUnbondingDelegation", { delegatorAddress: a, validatorAddress: v, amount: coin("1"), creationHeight: 77n }]]],
  ["edit validator", [["/cosmos.staking.v1beta1.MsgEditValidator", { description: { moniker: "m", identity: "", website: "w", securityContact: "", details: "d & d" }, validatorAddress: v, commissionRate: "100000000000000000", minSelfDelegation: "1" }]]],
  ["withdraw reward", [["/cosmos.distribution.v1beta1.MsgWithdrawDelegatorReward", { delegatorAddress: a, validatorAddress: v }]]],
  ["withdraw commission", [["/cosmos.distribution.v1beta1.MsgWithdrawValidatorCommission", { validatorAddress: v }]]],
  ["withdraw address", [["/cosmos.distribution.v1beta1.MsgSetWithdrawAddress", { delegatorAddress: a, withdrawAddress: b }]]],
  ["fund the pool", [["/cosmos.distribution.v1beta1.MsgFundCommunityPool", { amount: [coin("5")], depositor: a }]]],
  ["vote", [["/cosmos.gov.v1beta1.MsgVote", { proposalId: 5n, voter: a, option: 1 }]]],
  ["weighted vote", [["/cosmos.gov.v1beta1.MsgVoteWeighted", { proposalId: 5n, voter: a, options: [{ option: 1, weight: "700000000000000000" }, { option: 4, weight: "300000000000000000" }] }]]],
  ["deposit", [["/cosmos.gov.v1beta1.MsgDeposit", { proposalId: 5n, depositor: a, amount: [coin("5")] }]]],
  ["vesting account", [["/cosmos.vesting.v1beta1.MsgCreateVestingAccount", { fromAddress: a, toAddress: b, amount: [coin("5")], endTime: 1900000000n, delayed: false }]]],
  ["vesting account, delayed", [["/cosmos.vesting.v1beta1.MsgCreateVestingAccount", { fromAddress: a, toAddress: b, amount: [coin("5")], endTime: 1900000000n, delayed: true }]]],
  ["two messages, memo and timeout", [
    ["/cosmos.bank.v1beta1.MsgSend", { fromAddress: a, toAddress: b, amount: [coin("5")] }],
    ["/cosmwasm.wasm.v1.MsgClearAdmin", { sender: a, contract: b }],
  ], { memo: 'a "memo" <b> & \\ \n\t é 日本', timeoutHeight: 123n }],
  ["fee granter and payer", [["/cosmos.bank.v1beta1.MsgSend", { fromAddress: a, toAddress: b, amount: [coin("5")] }]], { fee: { amount: [], gas: "9", granter: a, payer: b } }],
  ["slashing unjail", [[MsgUnjail.typeUrl, { validatorAddr: v }]]],
  ["create validator", [[MsgCreateValidator.typeUrl, MsgCreateValidator.fromPartial({ description: { moniker: "m" }, commission: { rate: "100000000000000000", maxRate: "1000000000000000000", maxChangeRate: "0" }, minSelfDelegation: "1", delegatorAddress: a, validatorAddress: v, pubkey: pack(PubKey, { key: new Uint8Array(32).fill(3) }), value: coin("9") })]]],
  ["grant generic", [[MsgGrant.typeUrl, { granter: a, grantee: b, grant: { authorization: pack(GenericAuthorization, { msg: "/cosmos.bank.v1beta1.MsgSend" }), expiration: at(1900000000, 120000000) } }]]],
  ["grant send", [[MsgGrant.typeUrl, { granter: a, grantee: b, grant: { authorization: pack(SendAuthorization, { spendLimit: [coin("5")], allowList: [b] }) } }]]],
  ["grant stake", [[MsgGrant.typeUrl, { granter: a, grantee: b, grant: { authorization: pack(StakeAuthorization, { maxTokens: coin("5"), allowList: { address: [v] }, authorizationType: 1 }) } }]]],
  ["exec", [[MsgExec.typeUrl, { grantee: a, msgs: [pack(MsgSend, { fromAddress: b, toAddress: a, amount: [coin("1")] }), pack(MsgExec, { grantee: b, msgs: [] })] }]]],
  ["revoke", [[MsgRevoke.typeUrl, { granter: a, grantee: b, msgTypeUrl: "/cosmos.bank.v1beta1.MsgSend" }]]],
  ["basic allowance", [[MsgGrantAllowance.typeUrl, { granter: a, grantee: b, allowance: pack(BasicAllowance, { spendLimit: [coin("5")], expiration: at(1900000000) }) }]]],
  ["boundless allowance", [[MsgGrantAllowance.typeUrl, { granter: a, grantee: b, allowance: pack(BasicAllowance, {}) }]]],
  ["periodic allowance", [[MsgGrantAllowance.typeUrl, { granter: a, grantee: b, allowance: pack(PeriodicAllowance, { basic: { spendLimit: [] }, period: { seconds: 3600n, nanos: 5 }, periodSpendLimit: [coin("5")], periodCanSpend: [], periodReset: at(1900000000) }) }]]],
  ["allowance of messages", [[MsgGrantAllowance.typeUrl, { granter: a, grantee: b, allowance: pack(AllowedMsgAllowance, { allowance: pack(BasicAllowance, {}), allowedMessages: ["/cosmos.bank.v1beta1.MsgSend"] }) }]]],
  ["revoke allowance", [[MsgRevokeAllowance.typeUrl, { granter: a, grantee: b }]]],
  ["submit proposal", [[MsgSubmitProposal.typeUrl, MsgSubmitProposal.fromPartial({ messages: [pack(MsgSend, { fromAddress: b, toAddress: a, amount: [] })], initialDeposit: [coin("5")], proposer: a, metadata: "m", title: "t", summary: "<s>" })]]],
  ["vote, v1", [[MsgVoteV1.typeUrl, { proposalId: 5n, voter: a, option: 1, metadata: "" }]]],
  ["periodic vesting account", [[MsgCreatePeriodicVestingAccount.typeUrl, { fromAddress: a, toAddress: b, startTime: 1n, vestingPeriods: [{ length: 5n, amount: [coin("5")] }] }]]],
  ["numbers of JSON", [["/cosmwasm.wasm.v1.MsgExecuteContract", { sender: a, contract: b, msg: toUtf8('{"a":12345678901234567890,"b":1e-7,"c":1.50}'), funds: [] }]]],
];

const out = [];
for (const [name, messages, more = {}] of cases) {
  const encoded = messages.map(([typeUrl, value]) => ({ typeUrl, value }));
  const body = registry.encode({
    typeUrl: "/cosmos.tx.v1beta1.TxBody",
    value: { messages: encoded, memo: more.memo, timeoutHeight: more.timeoutHeight },
  });
  const fee = more.fee ?? { amount: [coin("5000")], gas: "200000" };
  let signBytes = null;
  try {
    const msgs = encoded.map((m) => types.toAmino(m));
    signBytes = fromUtf8(serializeSignDoc(makeSignDoc(msgs, fee, "ember-1", more.memo ?? "", 7, 42, more.timeoutHeight)));
  } catch (e) {
    if (!/does not exist in the Amino message type register/.test(e.message)) throw e;
  }
  out.push({ name, body: toBase64(body), fee, sign_bytes: signBytes });
}
console.log(JSON.stringify(out, null, 1));
