// The Ethereum watcher: a pure machine over what one's own node says about the gateway contract at `finalized`
// (WIT-3, ETH-3). Events are named by the position of their log within its own receipt (FMT-5), never by the
// node's log index, which is block-wide.
//
//   finalized -> read-logs -> logs -> read-receipt -> receipt -> an event to state
//
// The state is a private resource that a step changes in place; it is deterministic and belongs to one owner.
import type { Bytes32, Step } from "@causeway/primitives";
import { bytes32, equal, isRejected, keyOf } from "@causeway/primitives";
import type { EvmChain, Genesis } from "../../ledger/genesis.ts";
import type { KeySet } from "../ethereum/events.ts";
import { parseLog } from "../ethereum/events.ts";
import type { ForeignEvent } from "../statement.ts";
import { eventId } from "../statement.ts";
import type { Found } from "./bitcoin-scan.ts";
import type { BlockRef, EvmReceipt } from "./facts.ts";
import { bodyOf } from "./judge.ts";

/** Blocks asked for at once. */
const blocksPerRead = 2_000;
/** A contract is stated at a block that every node still has the state of: at most so many blocks old. */
export const contractAgeMax = 64;

export type State = {
  readonly genesis: Genesis;
  readonly chain: EvmChain;
  finalized: BlockRef | undefined;
  /** Everything up to here has been read. */
  scanned: number;
  reading: "logs" | "receipt" | undefined;
  /** Transactions of the range under way whose receipts are still to be read, and the range's end. */
  readonly pending: Bytes32[];
  pendingEnd: number;
  /** By event id (hex), until forgotten. */
  readonly found: Map<string, Found>;
  /** The key that the contract took last, since its deployment; absent before it. */
  keySet: KeySet | undefined;
  /** A finalized block at or after {@link keySet} at which the contract can be stated (ETH-3). */
  contractAt: BlockRef | undefined;
};

export type Event =
  | { readonly kind: "finalized"; readonly block: BlockRef }
  /** Answer to read-logs: the transactions that logged anything at the gateway, in order. */
  | { readonly kind: "logs"; readonly to: number; readonly txids: readonly Bytes32[] }
  | { readonly kind: "receipt"; readonly txid: Uint8Array; readonly receipt?: EvmReceipt }
  /** The read failed; it is asked again at the next finalized block. */
  | { readonly kind: "read-failed" }
  /** The ledger has these (event ids): nothing more to propose. */
  | { readonly kind: "forget"; readonly ids: readonly Uint8Array[] };

export type Effect =
  | { readonly kind: "read-logs"; readonly from: number; readonly to: number }
  | { readonly kind: "read-receipt"; readonly txid: Bytes32 };

/** `from`: the first height to read, at or below the contract's deployment. */
export function initial(genesis: Genesis, chain: EvmChain, from: number): State {
  return {
    genesis,
    chain,
    finalized: undefined,
    scanned: from - 1,
    reading: undefined,
    pending: [],
    pendingEnd: from - 1,
    found: new Map(),
    keySet: undefined,
    contractAt: undefined,
  };
}

export function step(state: State, event: Event): Step<State, Effect> {
  switch (event.kind) {
    case "finalized":
      state.finalized = event.block;
      if (
        event.block.height >
        (state.contractAt?.height ?? Number.POSITIVE_INFINITY) + contractAgeMax
      )
        state.contractAt = event.block;
      return next(state);
    case "logs":
      state.reading = undefined;
      for (const txid of event.txids)
        if (!state.pending.some((one) => equal(one, txid))) state.pending.push(txid);
      state.pendingEnd = event.to;
      return next(state);
    case "receipt":
      state.reading = undefined;
      return received(state, event.txid, event.receipt);
    case "read-failed":
      state.reading = undefined;
      return [state, []];
    case "forget":
      for (const id of event.ids) state.found.delete(keyOf(id));
      return [state, []];
  }
}

function next(state: State): Step<State, Effect> {
  if (state.reading !== undefined) return [state, []];
  const [txid] = state.pending;
  if (txid !== undefined) {
    state.reading = "receipt";
    return [state, [{ kind: "read-receipt", txid }]];
  }
  state.scanned = state.pendingEnd;
  if (state.finalized === undefined || state.scanned >= state.finalized.height) return [state, []];
  const from = state.scanned + 1;
  const to = Math.min(state.finalized.height, state.scanned + blocksPerRead);
  state.reading = "logs";
  return [state, [{ kind: "read-logs", from, to }]];
}

/** A receipt that is away (a lagging node) stays the first to be read, at the next finalized block. */
function received(
  state: State,
  txid: Uint8Array,
  receipt: EvmReceipt | undefined,
): Step<State, Effect> {
  const [first] = state.pending;
  if (first === undefined || !equal(first, txid)) return next(state);
  if (receipt === undefined) return [state, []];
  state.pending.shift();
  if (receipt.succeeded) take(state, first, receipt);
  return next(state);
}

/** The events of the gateway in a receipt, each at the position of its log in it (FMT-5), and its key. */
function take(state: State, txid: Bytes32, receipt: EvmReceipt): void {
  const { networkId } = state.genesis;
  const { chain, gateway } = state.chain;
  for (const [index, raw] of receipt.logs.entries()) {
    const log = parseLog(raw);
    if (isRejected(log) || !equal(log.contract, gateway)) continue;
    if (log.kind === "key-set") {
      state.keySet = log;
      state.contractAt = state.finalized;
    }
    const { blockHash, height } = receipt;
    const stated = bodyOf(log, receipt);
    if (stated === undefined) continue;
    const event: ForeignEvent = { ...stated, txid: bytes32(txid), index, blockHash, height };
    const id = eventId(networkId, chain, gateway, txid, index);
    state.found.set(keyOf(id), { id, event });
  }
}

/** Events found and not forgotten, in the order of the chain. */
export function found(state: State): Found[] {
  return [...state.found.values()].sort(
    (a, b) => a.event.height - b.event.height || a.event.index - b.event.index,
  );
}
