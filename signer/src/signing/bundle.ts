// Plans that are signed together: one conversation with each coordinator, one ROAST session for all their messages.
// Most bundles are of one plan.
import { bundleId } from "@causeway/chain-core/interchain";
import type { Bytes32, NetworkId } from "@causeway/primitives";
import { keyOf, must } from "@causeway/primitives";
import type * as coordinator from "../roast/coordinator.ts";
import type { Input, Job } from "../roast/session.ts";
import type { Request, Ring } from "./request.ts";

/** What an own seat last told one coordinator, to be repeated until all is signed. */
export type Conversation = {
  readonly coordinator: number;
  readonly seat: number;
  readonly kind: number;
  readonly body: Uint8Array;
  /** The session answered by `body`, if it is an answer: its number, and the hash of the opening's bytes. */
  readonly answered: { readonly number: number; readonly opening: Uint8Array } | undefined;
  readonly sentAtMs: number;
  readonly sends: number;
};

export type Coordination = {
  readonly state: coordinator.State;
  /** When it has waited long enough for what is on its way. */
  readonly breathAtMs: number | undefined;
};

export type Bundle = {
  /** {@link bundleId}: ROAST's request. */
  readonly id: Bytes32;
  /** Hex of their ids, ascending: the order of the messages. All are of one key and epoch of its shares. */
  readonly plans: readonly string[];
  readonly keyId: number;
  readonly ring: Ring;
  /** 1..1,000. */
  readonly inputs: readonly Input[];
  readonly sinceMs: number;
  /** By {@link conversationName}. */
  readonly conversations: ReadonlyMap<string, Conversation>;
  /** Own part as a coordinator by own seat, from the first commitment on. */
  readonly roasts: ReadonlyMap<number, Coordination>;
};

export function conversationName(coordinatorSeat: number, seat: number): string {
  return `${coordinatorSeat}/${seat}`;
}

/** `requests` in order of their ids, of one key and epoch. */
export function bundleOf(
  network: NetworkId,
  requests: readonly [Request, ...Request[]],
  sinceMs: number,
): Bundle {
  const [first, ...more] = requests;
  const { plan, ring } = first;
  return {
    id: bundleId(network, [first.id, ...more.map(({ id }) => id)]),
    plans: requests.map(({ id }) => keyOf(id)),
    keyId: plan.keyId,
    ring,
    inputs: requests.flatMap(({ inputs }) => inputs),
    sinceMs,
    conversations: new Map(),
    roasts: new Map(),
  };
}

/** The ROAST job about these plans with one coordinator's seat. */
export function jobOf(network: NetworkId, bundle: Bundle, coordinatorSeat: number): Job {
  const { id, keyId, ring, inputs } = bundle;
  const { group, attempt } = ring;
  return { network, group, inputs, keyId, attempt, request: id, coordinator: coordinatorSeat };
}

/** How long a coordinator has before the next one is told too, ms. */
export const roundMs = 1_500;

/**
 * Rounds for which a seat goes on with a coordinator, for which a coordinator waits for seats, and for which several
 * plans are tried together before each is signed alone.
 */
export const keepRounds = { seat: 8, coordinator: 12, together: 4 } as const;

/** Whether its plans are to be signed by it: one plan always, several for their first rounds. */
export function isCurrent({ plans, sinceMs }: Bundle, nowMs: number): boolean {
  return plans.length === 1 || nowMs < sinceMs + keepRounds.together * roundMs;
}

function roundOf({ sinceMs }: Bundle, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - sinceMs) / roundMs));
}

/** The seat, of n, that an id picks to be first. */
export function firstSeat(id: Bytes32, n: number): number {
  return (must(id[0], "first byte") * 256 + must(id[1], "second byte")) % n;
}

/** The coordinator of a round: seats take turns from one that the bundle's id picks. */
export function coordinatorOf(bundle: Bundle, nowMs: number): number {
  const { n } = bundle.ring.group;
  return (firstSeat(bundle.id, n) + roundOf(bundle, nowMs)) % n;
}

/** How many rounds ago the turn of `seat` was; one whose turn has not come is as if it had just been. */
export function roundsSince(bundle: Bundle, seat: number, nowMs: number): number {
  const { n } = bundle.ring.group;
  const round = roundOf(bundle, nowMs);
  const since = (((firstSeat(bundle.id, n) + round - seat) % n) + n) % n;
  return since > round ? 0 : since;
}
