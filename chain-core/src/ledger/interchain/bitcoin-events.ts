// Stated Bitcoin deposits (WIT-4): counted only for a block on the ledger's own best chain, with proof of
// inclusion and an output that pays to the address of the stated terms. Stored at any depth.
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, must, rejected, toHex } from "@causeway/primitives";
import { vaultsOf } from "../../interchain/policy.ts";
import type { Inbound } from "../../interchain/records.ts";
import { inboundStatus, inbounds, listNames } from "../../interchain/records.ts";
import type { BitcoinDeposit, ForeignEvent } from "../../interchain/statement.ts";
import { bitcoinDepositCodec, eventKinds } from "../../interchain/statement.ts";
import type { JudgeCode } from "../../interchain/watch/judge.ts";
import { checkDeposit } from "../../interchain/watch/judge.ts";
import type { ActionContext } from "../rule.ts";
import { append, assetFrom, listOf, listSizeMax } from "./accounting.ts";
import { readTerms } from "./credit-bitcoin.ts";
import type { EventRules, Identified } from "./event-rules.ts";
import { bestBlock } from "./header-chain.ts";

export type BitcoinEventCode =
  | JudgeCode
  /** Not on the ledger's best chain: not yet, or no longer. */
  | "unknown-block"
  /** The block is at another height. */
  | "wrong-height"
  /** No asset of the registry comes from Bitcoin. */
  | "unknown-token"
  /** Too many deposits are open; later. */
  | "busy";

const noToken = new Uint8Array(20);
/** As many blocks as one deposit is remembered in. */
const candidatesMax = 32;

export const bitcoinEvents: EventRules = {
  isKnown: ({ state }, _, { id, event }) =>
    inbounds
      .get(state, id)
      ?.candidates.some(({ blockHash }) => equal(blockHash, event.blockHash)) ?? false,
  check: checkEvent,
  store: storeEvent,
};

function checkEvent(
  context: ActionContext,
  chain: Uint8Array,
  { id, event }: Identified,
): Rejected<BitcoinEventCode> | undefined {
  const { genesis, state } = context;
  if (event.kind !== eventKinds.bitcoinDeposit)
    return rejected("bad-event", `event kind ${event.kind} on Bitcoin`);
  const deposit = bitcoinDepositCodec.parse(event.body);
  if (isRejected(deposit)) return rejected("bad-event", deposit.message);
  if (assetFrom(genesis, chain, noToken) === undefined)
    return rejected("unknown-token", "no asset comes from Bitcoin");
  const block = bestBlock(state, event.blockHash);
  if (block === undefined)
    return rejected("unknown-block", `block ${toHex(event.blockHash)} is not on the best chain`);
  if (block.height !== event.height)
    return rejected("wrong-height", `the block's height is ${block.height}`);
  const isNew = inbounds.get(state, id) === undefined;
  if (isNew && isFull(context)) return rejected("busy", "too many deposits are open");
  return checkDeposit(genesis, state, block.header, { ...event, deposit });
}

/** What waits becomes a coin, so both count together. One statement may add 256 past the limit. */
function isFull({ state }: ActionContext): boolean {
  const open = [listNames.waiting, listNames.coins].map((name) => listOf(state, name).length);
  return open.reduce((sum, size) => sum + size, 0) >= listSizeMax;
}

function storeEvent(context: ActionContext, chain: Uint8Array, { id, event }: Identified): void {
  const { state } = context;
  const { blockHash, height } = event;
  const before = inbounds.get(state, id);
  if (before === undefined) {
    const deposit = bitcoinDepositCodec.decode(event.body);
    storeNew(context, id, newInbound(context, chain, event, deposit));
    return;
  }
  // The block that it was in before has left the best chain, or this one would not be on it.
  const others = before.candidates.slice(-(candidatesMax - 1));
  inbounds.put(state, id, { ...before, candidates: [...others, { blockHash, height }] });
}

/** What can never be credited ends at once: dust must not fill the list of what waits. */
function storeNew(block: ActionContext, id: Uint8Array, inbound: Inbound): void {
  const { genesis, state } = block;
  const { registry } = must(assetFrom(genesis, inbound.chain, noToken), "asset of Bitcoin");
  const ringScripts = vaultsOf(genesis, state).map(({ script }) => script);
  const terms = readTerms({ block, inbound, registry, ringScripts });
  const { reclaim } = inboundStatus;
  const isHopeless = terms.kind === "reclaim";
  const { reason } = isHopeless ? terms : inbound;
  inbounds.put(state, id, isHopeless ? { ...inbound, status: reclaim, reason } : inbound);
  if (!isHopeless) append(state, listNames.waiting, id);
}

function newInbound(
  { genesis, time }: ActionContext,
  chain: Uint8Array,
  event: ForeignEvent,
  deposit: BitcoinDeposit,
): Inbound {
  const { txid, index, blockHash, height } = event;
  const { amount, destination, maxFee, refund, keyId, position } = deposit;
  return {
    chain,
    asset: must(assetFrom(genesis, chain, noToken), "asset of Bitcoin").id,
    amount,
    destination,
    maxFee,
    refund,
    keyId,
    txid,
    index,
    // A block's first transaction is its coinbase.
    coinbase: position === 0,
    candidates: [{ blockHash, height }],
    status: inboundStatus.waiting,
    reason: 0,
    credited: 0n,
    fee: 0n,
    statedAt: time,
    updatedAt: time,
    withdrawal: new Uint8Array(32),
  };
}
