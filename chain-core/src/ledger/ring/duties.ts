// What follows from the running ring for the keys (RNG-2), looked at as every epoch begins: each chain has a key of the
// ring's own, or a ceremony for one; each older Bitcoin key is held by the ring, or a ceremony deals it to it; what
// nobody needs any more is retired.
import { equal, must } from "@causeway/primitives";
import { lastCreditOf } from "../../interchain/key-life.ts";
import type { Ceremony, Key, Ring } from "../../ring/records.ts";
import {
  activeKeys,
  ceremonies,
  ceremonyOf,
  ceremonyStages,
  currentKeys,
  keys,
  nextKeys,
  openCeremonies,
  purposes,
  reshares,
  terms,
} from "../../ring/records.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { beginAttempt, beginCeremony, closeCeremony, forgetAttempt } from "./ceremony.ts";
import { seatsOf } from "./redraw.ts";

/** What terms need of the rest of the ledger. */
export type DutyPorts = {
  /** Nobody is to sign the canary of this attempt any more. */
  readonly dropCanary: (block: BlockContext, ceremony: Ceremony) => void;
  /** Coins of the key are not spent, or plans of it are open. */
  readonly isInUse: (state: StateReader, keyId: number) => boolean;
};

export function beginDuties(block: BlockContext, ring: Ring, ports: DutyPorts): void {
  const { genesis, state } = block;
  for (const { chain } of [genesis.bitcoin, ...genesis.evm]) beginKey(block, chain, ring, ports);
  for (const key of keysInUse(state)) {
    const isBitcoin = equal(key.chain, genesis.bitcoin.chain);
    if (isBitcoin && key.heldBy < ring.term) beginReshare(block, key, ring, ports);
  }
}

function keysInUse(state: StateReader): Key[] {
  const { keyIds } = activeKeys.get(state, "only") ?? { keyIds: [] };
  return keyIds.map((keyId) => must(keys.get(state, keyId), `key ${keyId}`));
}

/** A key of the ring's own for the chain, unless there is one, or one waits for the contract to take it. */
function beginKey(block: BlockContext, chain: Uint8Array, ring: Ring, ports: DutyPorts): void {
  const { state } = block;
  const open = (openCeremonies.get(state, "only")?.keyIds ?? [])
    .map((keyId) => must(ceremonyOf(state, keyId), `ceremony of key ${keyId}`))
    .find((one) => one.purpose === purposes.generate && equal(one.chain, chain));
  if (open !== undefined) {
    restart(block, open, ring, ports);
    return;
  }
  if (nextKeys.get(state, chain) !== undefined) return;
  const current = currentKeys.get(state, chain);
  if (current !== undefined && keys.get(state, current.keyId)?.term === ring.term) return;
  const known = must(terms.get(state, "only"), "terms");
  const keyId = known.nextKeyId;
  terms.put(state, "only", { ...known, nextKeyId: keyId + 1 });
  const of = { keyId, purpose: purposes.generate, term: ring.term, chain, attempt: 0 };
  beginCeremony(block, of, seatsOf(state, ring.seats));
}

function beginReshare(block: BlockContext, key: Key, ring: Ring, ports: DutyPorts): void {
  const { keyId, chain } = key;
  const open = reshares.get(block.state, keyId);
  if (open !== undefined) {
    restart(block, open, ring, ports);
    return;
  }
  const attempt = key.attempt + 1;
  const of = { keyId, purpose: purposes.reshare, term: ring.term, chain, attempt };
  beginCeremony(block, of, seatsOf(block.state, ring.seats));
}

/** A ceremony of an older ring is given up, and begins anew for this one: until it is active nothing depends on it. */
function restart(block: BlockContext, ceremony: Ceremony, ring: Ring, ports: DutyPorts): void {
  if (ceremony.term === ring.term) return;
  giveUp(block, ceremony, ports);
  const { term, threshold } = ring;
  const seats = seatsOf(block.state, ring.seats);
  beginAttempt(block, { ...ceremony, term, threshold, seats });
}

function giveUp(block: BlockContext, ceremony: Ceremony, { dropCanary }: DutyPorts): void {
  if (ceremony.stage === ceremonyStages.canary) dropCanary(block, ceremony);
}

/**
 * RNG-2, RNG-5: a Bitcoin key after the last day of its addresses, as soon as nothing is left to spend with it; another
 * chain's when its contract holds a newer one.
 */
export function retireKeys(block: BlockContext, ports: DutyPorts): void {
  const { state, genesis } = block;
  for (const key of keysInUse(state)) {
    const { keyId, chain } = key;
    const isWanted = [currentKeys, nextKeys].some((of) => of.get(state, chain)?.keyId === keyId);
    if (isWanted || ports.isInUse(state, keyId)) continue;
    const last = equal(chain, genesis.bitcoin.chain) ? lastCreditOf(state, keyId) : 0;
    if (last !== undefined && block.time > last) retire(block, key, ports);
  }
}

function retire(block: BlockContext, key: Key, ports: DutyPorts): void {
  const { state } = block;
  const { keyId } = key;
  const open = reshares.get(state, keyId);
  if (open !== undefined) {
    giveUp(block, open, ports);
    forgetAttempt(state, open);
    reshares.delete(state, keyId);
    closeCeremony(state, keyId);
  }
  const ceremony = must(ceremonies.get(state, keyId), "ceremony of the key");
  forgetAttempt(state, ceremony);
  ceremonies.put(state, keyId, { ...ceremony, stage: ceremonyStages.retired });
  keys.put(state, keyId, { ...key, active: false });
  const left = keysInUse(state).flatMap((one) => (one.keyId === keyId ? [] : [one.keyId]));
  activeKeys.put(state, "only", { keyIds: left });
}
