// The ways to name a transfer: an event's or withdrawal's id, a ledger transaction, a Bitcoin outpoint or
// transaction as explorers show it, an Ethereum transaction with the position of the log in its receipt.
import type { ForeignEvent, Genesis, StateReader } from "@causeway/chain-core/interchain";
import {
  actionsMax,
  bitcoinWatch,
  ethereumWatch,
  eventId,
  plans,
  plansByTxid,
  withdrawalId,
} from "@causeway/chain-core/interchain";
import type { Rejected } from "@causeway/primitives";
import { bytes32, equal, fromHex, rejected, reversed } from "@causeway/primitives";
import type { State } from "../relay/machine.ts";

export type TransferId =
  | { readonly kind: "id"; readonly id: Uint8Array }
  /** txid in internal order. */
  | { readonly kind: "outpoint"; readonly txid: Uint8Array; readonly vout: number }
  | { readonly kind: "log"; readonly txid: Uint8Array; readonly index: number | undefined };

/** An event that the own relay sees. Bitcoin: confirmations on the own node; EVM: blocks up to `finalized`. */
export type Sighting = {
  readonly id: Uint8Array;
  readonly chain: Uint8Array;
  readonly blockHash: Uint8Array;
  readonly height: number;
  readonly confirmations: number;
};

/** Positions that are tried where an Ethereum transaction is named without one. */
const logsTried = 32;

/** `text` as it stands in the path. */
export function parseTransferId(text: string): TransferId | Rejected<"bad-id"> {
  const plain = text.replaceAll("%3A", ":").replaceAll("%3a", ":");
  const match = /^(0x)?([0-9a-fA-F]{64})(?::(\d{1,9}))?$/.exec(plain);
  if (match?.[2] === undefined)
    return rejected(
      "bad-id",
      "a transfer is named by 64 hex digits, <bitcoin txid>:<vout> or 0x<ethereum transaction>:<log>",
    );
  const bytes = fromHex(match[2].toLowerCase());
  const index = match[3] === undefined ? undefined : Number(match[3]);
  if (match[1] !== undefined) return { kind: "log", txid: bytes, index };
  if (index !== undefined) return { kind: "outpoint", txid: reversed(bytes), vout: index };
  return { kind: "id", id: bytes };
}

/** Event ids that it can mean, likeliest first. */
export function eventIdsOf(
  { networkId, bitcoin, evm }: Genesis,
  wanted: TransferId,
  sighting: Sighting | undefined,
): Uint8Array[] {
  if (wanted.kind === "outpoint")
    return [eventId(networkId, bitcoin.chain, undefined, wanted.txid, wanted.vout)];
  if (wanted.kind === "id") return [wanted.id, ...(sighting === undefined ? [] : [sighting.id])];
  const { txid, index } = wanted;
  const indices = index === undefined ? Array.from({ length: logsTried }, (_, i) => i) : [index];
  return evm.flatMap(({ chain, gateway }) =>
    indices.map((position) => eventId(networkId, chain, gateway, txid, position)),
  );
}

/** Withdrawal ids that it can mean: itself, those of a ledger transaction's burns, those that a payment pays. */
export function withdrawalIdsOf(
  { networkId }: Genesis,
  state: StateReader,
  wanted: TransferId,
): Uint8Array[] {
  const txid = wanted.kind === "id" ? reversed(wanted.id) : wanted.txid;
  const paying = plansByTxid.get(state, txid)?.plan;
  const paid = (paying && plans.get(state, paying)?.withdrawals) ?? [];
  if (wanted.kind !== "id") return wanted.kind === "outpoint" ? paid : [];
  const positions = Array.from({ length: actionsMax }, (_, position) => position);
  const burnt = positions.map((position) => withdrawalId(networkId, wanted.id, position));
  return [wanted.id, ...burnt, ...paid];
}

/** What the own watchers see of it. */
export function sightingOf(relay: State, wanted: TransferId): Sighting | undefined {
  const tip = bitcoinWatch.tipOf(relay.bitcoin).height;
  const { chain } = relay.bitcoin.genesis.bitcoin;
  for (const { id, event } of bitcoinWatch.deposits(relay.bitcoin))
    if (isMeant(wanted, id, event, reversed(event.txid)))
      return { id, chain, ...placeOf(event, tip) };
  for (const watcher of relay.ethereum)
    for (const { id, event } of ethereumWatch.found(watcher))
      if (isMeant(wanted, id, event, event.txid)) {
        const finalized = watcher.finalized?.height ?? event.height;
        return { id, chain: watcher.chain.chain, ...placeOf(event, finalized) };
      }
  return undefined;
}

function placeOf(
  { blockHash, height }: ForeignEvent,
  tip: number,
): Pick<Sighting, "blockHash" | "height" | "confirmations"> {
  return { blockHash: bytes32(blockHash), height, confirmations: tip - height + 1 };
}

/** `shown`: the transaction's id as its chain's explorers show it. */
function isMeant(
  wanted: TransferId,
  id: Uint8Array,
  { txid, index }: ForeignEvent,
  shown: Uint8Array,
): boolean {
  switch (wanted.kind) {
    case "id":
      return equal(id, wanted.id) || equal(shown, wanted.id);
    case "outpoint":
      return equal(txid, wanted.txid) && index === wanted.vout;
    case "log":
      return equal(txid, wanted.txid) && index === (wanted.index ?? index);
  }
}
