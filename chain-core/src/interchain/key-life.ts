// How long a key of the ring is needed (RNG-2): its last day of credit, and when nothing hangs on it any more. Pure, over
// the ledger's records: the ledger, signers and portals ask the same functions.
import { equal } from "@causeway/primitives";
import type { StateReader } from "../ledger/state.ts";
import { currentKeys, keys, rings } from "../ring/records.ts";
import type { Coin, Inbound } from "./records.ts";
import {
  bitcoinBest,
  coinKinds,
  coinStatus,
  coins,
  inboundStatus,
  inbounds,
  listNames,
  lists,
  outpoint,
} from "./records.ts";

/**
 * RNG-2: ledger time (ms) up to which a deposit to an address of the key has to be stated to be credited; undefined while
 * no end is set, as in a network whose ring serves for ever, and for a key that was never active.
 */
export function lastCreditOf(view: StateReader, keyId: number): number | undefined {
  const key = keys.get(view, keyId);
  const until = key && rings.get(view, key.term)?.creditUntil;
  return until === undefined || until === 0 ? undefined : until;
}

/** A deposit to the key that is stated at `time` can never be credited: its last day is over, or it is retired. */
export function isExpired(view: StateReader, keyId: number, time: number): boolean {
  const last = lastCreditOf(view, keyId);
  return (last !== undefined && time > last) || keys.get(view, keyId)?.active !== true;
}

/**
 * True when no money of the network hangs on this key any more: its chain has a newer one (ETH-1: the contract holds it),
 * no coin of its vault and no credited deposit to it is unspent, and none can be credited yet.
 */
export function isHandedOver(view: StateReader, keyId: number): boolean {
  const key = keys.get(view, keyId);
  const current = key && currentKeys.get(view, key.chain);
  if (current === undefined || current.keyId <= keyId) return false;
  const idsOf = (name: string): Uint8Array[] => lists.get(view, name)?.ids ?? [];
  const holdsCoins = idsOf(listNames.coins).some((name) => {
    const coin = coins.get(view, name);
    return coin?.keyId === keyId && isNeeded(coin);
  });
  if (holdsCoins) return false;
  return !idsOf(listNames.waiting).some((id) => {
    const inbound = inbounds.get(view, id);
    return inbound?.keyId === keyId && isComing(view, inbound);
  });
}

/** What strangers paid to an old address, and what its owner is to take back, keeps nobody. */
function isNeeded({ kind, counted, lineage }: Coin): boolean {
  return kind === coinKinds.vault || counted || lineage.length > 0;
}

/** Neither credited nor swept yet, in a block of the best chain. */
function isComing(view: StateReader, { status, candidates, txid, index }: Inbound): boolean {
  if (status !== inboundStatus.waiting && status !== inboundStatus.held) return false;
  if (coins.get(view, outpoint(txid, index))?.status === coinStatus.spent) return false;
  return candidates.some(({ blockHash, height }) => {
    const best = bitcoinBest.get(view, height)?.hash;
    return best !== undefined && equal(best, blockHash);
  });
}
