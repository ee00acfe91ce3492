// What a node's RPC may read from the machine between two steps. Nothing here changes the state.
import { equal } from "@causeway/primitives";
import type { Certificate, Committee, Header } from "../codec/block.ts";
import type { Evidence } from "../consensus/vote-set.ts";
import * as sync from "../sync/sync.ts";
import type { State } from "./state.ts";

export type Summary = {
  readonly height: number;
  /** Id of the newest final block. */
  readonly id: Uint8Array;
  /** Its ledger time, ms. */
  readonly time: number;
  /** The own seat, if this node votes. */
  readonly seat?: number;
  readonly peers: number;
  /** Some peer claims that more than the next block is final. */
  readonly syncing: boolean;
  /** "stalled": no block for three heartbeats of the own clock. */
  readonly health: "ok" | "syncing" | "stalled";
  /** Waiting transactions. */
  readonly pending: number;
};

/** `at`: own clock, ms. */
export function summary(state: State, at: number): Summary {
  const { tip, signer, peers, pool, frame } = state;
  const syncing = sync.claimed(state.sync) > tip.height + 1;
  const isStalled = at - tip.time > 3 * frame.params.heartbeatMs;
  return {
    height: tip.height,
    id: tip.id,
    time: tip.time,
    ...(signer && { seat: signer.seat }),
    peers: peers.size,
    syncing,
    health: syncing ? "syncing" : isStalled ? "stalled" : "ok",
    pending: pool.entries.size,
  };
}

/** The newest final block as a light client wants it; undefined at height 0. */
export function finality(state: State):
  | {
      readonly header: Header;
      readonly certificate: Certificate;
      readonly committee: Committee;
    }
  | undefined {
  const { header, certificate } = state.tip;
  // After an epoch's last block the committee that its header names next is the one that decides now.
  const { voters, frame } = state;
  const isLast = equal(header.nextCommittee, voters.id);
  const committee = isLast ? voters.committee : frame.nextCommittee;
  return certificate && { header, certificate, committee };
}

/** Equivocations seen since the start, the newest 256, of finished heights and of this one. */
export function evidence(state: State): Evidence[] {
  return [...state.evidence, ...state.round.votes.evidence];
}
