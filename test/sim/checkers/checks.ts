// The invariants (DESIGN 8), looked at after every event that could break one. This file keeps what the checkers
// remember, and compares the nodes with each other.
import type { Bytes32 } from "@causeway/primitives";
import { keyOf } from "@causeway/primitives";
import type { Inbound, Plan, Withdrawal } from "../../../chain-core/src/interchain/records.ts";
import type { Effect } from "../../../chain-core/src/node/machine.ts";
import type { Effect as SignerEffect } from "../../../signer/src/machine.ts";
import { violated } from "../../seeds/violation.ts";
import type { Operator, World } from "../model.ts";
import { checkBlock } from "./block.ts";
import { checkSignerEffect } from "./signing.ts";

/** What a final block was on the first node that had it. */
type Height = {
  readonly id: string;
  readonly root: string;
  readonly digest: string;
  readonly seat: number;
};

export type Checks = {
  readonly heights: Height[];
  /** Sums of unspent outputs, by asset (hex), kept from the outputs that blocks add and remove. */
  readonly sums: Map<string, bigint>;
  /** Newest final form, by id (hex). */
  readonly inbounds: Map<string, Inbound>;
  readonly withdrawals: Map<string, Withdrawal>;
  readonly plans: Map<string, Plan>;
  /** Foreign txids (Bitcoin) and digests (EVM, canary) of every plan that was ever final, hex. */
  readonly planned: Set<string>;
  /** Locks that one deposit alone pays to: how many outputs they got, and how much. */
  readonly locks: Map<string, { count: number; sum: bigint }>;
  /** Scripts and addresses (hex) that one withdrawal alone pays to. */
  readonly payees: Map<string, Payee>;
  /** Scripts of the ring (hex). */
  readonly ringScripts: Set<string>;
  readonly seats: SeatChecks[];
  credits: number;
  settlements: number;
  blocks: number;
  /** Of the beacon. */
  outputs: number;
};

export type Payee = {
  readonly amount: bigint;
  readonly maxFee: bigint;
  readonly chain: "bitcoin" | "ethereum";
};

export type Released = { readonly plan: Bytes32; readonly messages: readonly string[] };

/** What one operator has let out. */
export type SeatChecks = {
  /** By session id (hex) and seat, of releases on its disk: plans in order, and their messages (hex). */
  readonly releases: Map<string, readonly Released[]>;
  /** Commitment (hex) to the one session it may serve. */
  readonly commitments: Map<string, string>;
  /** Slot (hex) to the one message it may be signed for. */
  readonly slots: Map<string, string>;
  /** Public nonce (hex) to what it was offered for. */
  readonly nonces: Map<string, string>;
  /** Its seat in the committee, by height; none: -1. */
  readonly seatAt: Map<number, number>;
  /** Votes and proposals of its node: what was said at each place. */
  readonly said: Map<string, string>;
};

export function createChecks(operators: number): Checks {
  return {
    heights: [],
    sums: new Map(),
    inbounds: new Map(),
    withdrawals: new Map(),
    plans: new Map(),
    planned: new Set(),
    locks: new Map(),
    payees: new Map(),
    ringScripts: new Set(),
    seats: Array.from({ length: operators }, () => ({
      releases: new Map(),
      commitments: new Map(),
      slots: new Map(),
      nonces: new Map(),
      seatAt: new Map(),
      said: new Map(),
    })),
    credits: 0,
    settlements: 0,
    blocks: 0,
    outputs: 0,
  };
}

/** A lock that one deposit alone pays to. */
export function watchLock(checks: Checks, lock: Bytes32): void {
  checks.locks.set(keyOf(lock), { count: 0, sum: 0n });
}

type Persist = Effect & { kind: "persist" };

/** Called after a node wrote a block: no two nodes differ, and the first one shows what the block did. */
export function blockPersisted(world: World, { node, seat }: Operator, effect: Persist): void {
  const { checks } = world;
  const { height } = effect;
  const own: Height = {
    id: keyOf(effect.id),
    root: keyOf(effect.root),
    digest: node.disk.digest,
    seat,
  };
  const first = checks.heights[height];
  if (first === undefined) {
    checks.heights[height] = own;
    checks.blocks = Math.max(checks.blocks, height);
    checkBlock(world, node.disk, effect);
    return;
  }
  if (first.id !== own.id)
    violated("one block a height", `nodes ${first.seat} and ${seat} differ at ${height}`);
  if (first.root !== own.root || first.digest !== own.digest)
    violated("one state a height", `nodes ${first.seat} and ${seat} differ at ${height}`);
}

export function signerPerformed(world: World, operator: Operator, effect: SignerEffect): void {
  checkSignerEffect(world, operator, effect);
}
