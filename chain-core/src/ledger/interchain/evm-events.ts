// Stated events of an EVM chain at `finalized` (ETH-3): value that came in or back, batches that ran, and the
// contract itself, without which no batch is planned.
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, must, rejected, toHex, zero32 } from "@causeway/primitives";
import type { Inbound } from "../../interchain/records.ts";
import {
  batches,
  evmStates,
  inboundStatus,
  inbounds,
  listNames,
  planStatus,
  plans,
} from "../../interchain/records.ts";
import type { EvmContract, EvmTransfer, ForeignEvent } from "../../interchain/statement.ts";
import {
  eventKinds,
  evmContractCodec,
  evmExecutedCodec,
  evmTransferCodec,
} from "../../interchain/statement.ts";
import type { JudgeCode } from "../../interchain/watch/judge.ts";
import { checkContractKey } from "../../interchain/watch/judge.ts";
import { currentKeys } from "../../ring/records.ts";
import { lockOfAddress } from "../assets.ts";
import type { EvmChain } from "../genesis.ts";
import { noteContract } from "../ring/liability.ts";
import type { ActionContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { append, assetAs, assetFrom, listOf, listSizeMax } from "./accounting.ts";
import type { EventRules, Identified } from "./event-rules.ts";
import { moveContractKey } from "./set-key.ts";
import { settleEvm } from "./settle-evm.ts";

export type EvmEventCode =
  | JudgeCode
  /** The gateway's events name a token that the genesis does not. */
  | "unknown-token"
  /** A batch ran, but what stands at the gateway's address is not known to be the gateway (ETH-3). */
  | "not-stated"
  | "busy";

/** Transfers of a halted asset cost little and wait for long: half of the list stays for deposits of bitcoins. */
const waitingMax: number = listSizeMax / 2;

export const evmEvents: EventRules = {
  isKnown: ({ state }, chain, { id, event }) => {
    switch (event.kind) {
      case eventKinds.evmExecuted:
        return isSettled(state, chain, event);
      case eventKinds.evmContract: {
        const stated = evmContractCodec.parse(event.body);
        const before = evmStates.get(state, chain);
        return !isRejected(stated) && before?.stated === true && before.keyId === stated.keyId;
      }
      default:
        return inbounds.get(state, id) !== undefined;
    }
  },
  check: checkEvent,
  store: storeEvent,
};

/** True when the batch of this nonce has been executed, or when none was ever planned and that is known. */
function isSettled(state: StateReader, chain: Uint8Array, event: ForeignEvent): boolean {
  const executed = evmExecutedCodec.parse(event.body);
  if (isRejected(executed)) return false;
  const batch = batches.get(state, { chain, nonce: executed.nonce });
  if (batch === undefined) return false;
  const plan = plans.get(state, batch.plan);
  return plan === undefined || plan.status === planStatus.final;
}

function gatewayOf({ genesis }: ActionContext, chain: Uint8Array): EvmChain {
  return must(
    genesis.evm.find((one) => equal(one.chain, chain)),
    "chain of the genesis",
  );
}

function checkEvent(
  context: ActionContext,
  chain: Uint8Array,
  { event }: Identified,
): Rejected<EvmEventCode> | undefined {
  switch (event.kind) {
    case eventKinds.evmDeposited:
    case eventKinds.evmBurned:
      return checkTransfer(context, chain, event);
    case eventKinds.evmExecuted:
      return checkExecuted(context, chain, event);
    case eventKinds.evmContract:
      return checkContract(context, chain, event);
    default:
      return rejected("bad-event", `event kind ${event.kind} on an EVM chain`);
  }
}

function checkTransfer(
  context: ActionContext,
  chain: Uint8Array,
  event: ForeignEvent,
): Rejected<EvmEventCode> | undefined {
  const transfer = evmTransferCodec.parse(event.body);
  if (isRejected(transfer)) return rejected("bad-event", transfer.message);
  if (!equal(transfer.contract, gatewayOf(context, chain).gateway))
    return rejected("wrong-contract", `${toHex(transfer.contract)} is not the gateway`);
  if (transfer.amount === 0n) return rejected("bad-event", "a transfer of nothing");
  const { genesis, state } = context;
  const find = event.kind === eventKinds.evmDeposited ? assetFrom : assetAs;
  if (find(genesis, chain, transfer.token) === undefined)
    return rejected("unknown-token", `token ${toHex(transfer.token)} is no asset of the registry`);
  return listOf(state, listNames.waiting).length >= waitingMax
    ? rejected("busy", "too many deposits are open")
    : undefined;
}

function checkExecuted(
  context: ActionContext,
  chain: Uint8Array,
  event: ForeignEvent,
): Rejected<EvmEventCode> | undefined {
  const executed = evmExecutedCodec.parse(event.body);
  if (isRejected(executed)) return rejected("bad-event", executed.message);
  if (!equal(executed.contract, gatewayOf(context, chain).gateway))
    return rejected("wrong-contract", `${toHex(executed.contract)} is not the gateway`);
  return evmStates.get(context.state, chain)?.stated === true
    ? undefined
    : rejected("not-stated", "the contract itself is not stated yet");
}

function checkContract(
  context: ActionContext,
  chain: Uint8Array,
  event: ForeignEvent,
): Rejected<EvmEventCode> | undefined {
  const { genesis, state } = context;
  const stated = evmContractCodec.parse(event.body);
  if (isRejected(stated)) return rejected("bad-event", stated.message);
  const evm = gatewayOf(context, chain);
  if (!equal(stated.contract, evm.gateway))
    return rejected("wrong-contract", `${toHex(stated.contract)} is not the gateway`);
  if (!equal(stated.network, genesis.networkId))
    return rejected("wrong-network", "the contract is of another network");
  return checkContractKey(state, evm, stated);
}

function storeEvent(context: ActionContext, chain: Uint8Array, one: Identified): void {
  const { event } = one;
  switch (event.kind) {
    case eventKinds.evmDeposited:
    case eventKinds.evmBurned:
      storeTransfer(context, chain, one, evmTransferCodec.decode(event.body));
      break;
    case eventKinds.evmExecuted:
      settleEvm(context, chain, evmExecutedCodec.decode(event.body), event.height);
      break;
    case eventKinds.evmContract:
      storeContract(context, chain, evmContractCodec.decode(event.body));
      noteContract(context.state, evmContractCodec.decode(event.body).keyId, event.height);
      break;
  }
}

function storeTransfer(
  { genesis, state, time }: ActionContext,
  chain: Uint8Array,
  { id, event }: Identified,
  transfer: EvmTransfer,
): void {
  const find = event.kind === eventKinds.evmDeposited ? assetFrom : assetAs;
  const { amount, destination, maxFee, from, token } = transfer;
  const { txid, index, blockHash, height } = event;
  const inbound: Inbound = {
    chain,
    asset: must(find(genesis, chain, token), "asset of a checked event").id,
    amount,
    destination,
    maxFee,
    refund: lockOfAddress(from),
    keyId: 0,
    txid,
    index,
    coinbase: false,
    candidates: [{ blockHash, height }],
    status: inboundStatus.waiting,
    reason: 0,
    credited: 0n,
    fee: 0n,
    statedAt: time,
    updatedAt: time,
    withdrawal: zero32,
  };
  inbounds.put(state, id, inbound);
  append(state, listNames.waiting, id);
}

function storeContract(
  context: ActionContext,
  chain: Uint8Array,
  { codeHash, keyId }: EvmContract,
): void {
  const { state } = context;
  const nextNonce = evmStates.get(state, chain)?.nextNonce ?? 1;
  evmStates.put(state, chain, { stated: true, codeHash, keyId, nextNonce });
  if (currentKeys.get(state, chain)?.keyId !== keyId) moveContractKey(context, chain, keyId);
}
