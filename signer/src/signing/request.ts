// One open plan as the signing machine keeps it: what it signs, who may sign, and the conversations about it.
import type { Genesis, Key, Plan, StateReader } from "@causeway/chain-core/interchain";
import {
  ceremonyOf,
  keys,
  planKinds,
  planMessages,
  taprootTweak,
} from "@causeway/chain-core/interchain";
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { equal, isRejected, isZero, must, rejected } from "@causeway/primitives";
import type { Group } from "../frost/signers.ts";
import { slotsOf } from "../guard.ts";
import type { SlotUse } from "../journal.ts";
import type { Verdict } from "../policy/approve.ts";
import type * as coordinator from "../roast/coordinator.ts";
import { messagesMax } from "../roast/message.ts";
import type { Input, Job } from "../roast/session.ts";

/** Who holds the key: its public side, and which validator sits where. */
export type Ring = {
  readonly group: Group;
  /** Index in the genesis of each seat's validator. */
  readonly validators: readonly number[];
  /** Own seat, if any. */
  readonly seat: number | undefined;
  /** Epoch of its shares (RNG-2). */
  readonly attempt: number;
};

/** What this signer last told one coordinator, to be repeated until the plan is signed. */
export type Conversation = {
  readonly coordinator: number;
  readonly kind: number;
  readonly body: Uint8Array;
  /** The session answered by `body`, if it is an answer. */
  readonly sid: Uint8Array | undefined;
  readonly sentAtMs: number;
  readonly sends: number;
};

export type Request = {
  readonly id: Bytes32;
  readonly plan: Plan;
  readonly ring: Ring;
  readonly inputs: readonly Input[];
  readonly slots: readonly SlotUse[];
  readonly verdict: Verdict;
  readonly seenAtMs: number;
  /** By the coordinator's seat. */
  readonly conversations: ReadonlyMap<number, Conversation>;
  /** Own part as a coordinator, from the first commitment on. */
  readonly roast: coordinator.State | undefined;
  /** Codes that were logged. */
  readonly logged: ReadonlySet<string>;
};

export type RingCode =
  /** The ledger has no such key, or not enough of its seats have confirmed. */
  "no-key";

/** The ring of a plan's key: from its ceremony for the canary, else from the key's record. */
export function ringOf(
  genesis: Genesis,
  view: StateReader,
  plan: Plan,
  ownSeat: number,
): { readonly ring: Ring; readonly key: Key } | Rejected<RingCode> {
  const key = keyOfPlan(view, plan);
  const groupPoint = key?.groupPoint;
  if (key === undefined || groupPoint === undefined)
    return rejected("no-key", `no key ${plan.keyId} on the ledger`);
  const shares = new Map<number, Uint8Array>();
  for (const [seat, share] of key.shares.entries()) if (!isZero(share)) shares.set(seat, share);
  const n = key.seats.length;
  if (shares.size < key.threshold)
    return rejected("no-key", `${shares.size} of ${n} seats hold key ${plan.keyId}`);
  const validators = key.seats.map(({ validator }) =>
    genesis.validators.findIndex(({ owner }) => equal(owner, validator)),
  );
  const seat = validators.indexOf(ownSeat);
  const group: Group = { n, t: key.threshold, thresholdPoint: groupPoint, shares };
  return {
    key,
    ring: { group, validators, seat: seat < 0 ? undefined : seat, attempt: key.attempt },
  };
}

function keyOfPlan(view: StateReader, plan: Plan): Key | undefined {
  if (plan.kind !== planKinds.canary) return keys.get(view, plan.keyId);
  const ceremony = ceremonyOf(view, plan.keyId);
  const groupPoint = ceremony?.commitments[0];
  if (ceremony === undefined || groupPoint === undefined) return undefined;
  const shares = ceremony.seats.map(
    (_, seat) => ceremony.confirmed.find((one) => one.seat === seat)?.share ?? new Uint8Array(33),
  );
  const { keyId, attempt, term, chain, threshold, seats } = ceremony;
  const canary = new Uint8Array(64);
  return {
    keyId,
    attempt,
    term,
    heldBy: term,
    chain,
    groupPoint,
    threshold,
    seats,
    shares,
    active: false,
    canary,
    activatedAt: 0,
  };
}

/** What the plan's messages are, rebuilt from its fields and the key (DESIGN 4), with the slots they take. */
export function messagesOf(
  genesis: Genesis,
  plan: Plan,
  key: Key,
): { readonly inputs: readonly Input[]; readonly slots: readonly SlotUse[] } | Rejected {
  const messages = planMessages(genesis, plan, key);
  if (isRejected(messages)) return messages;
  if (messages.length === 0 || messages.length > messagesMax)
    return rejected("bad-plan", `${messages.length} messages in one plan`);
  const inputs = messages.map(({ message, tweak }) => ({
    message,
    tweaks: tweak === undefined ? [] : [taprootTweak(key.groupPoint, tweak)],
  }));
  const slots = slotsOf(
    plan,
    messages.map(({ message }) => message),
  );
  return { inputs, slots };
}

/** The ROAST job about this request with one coordinator's seat. */
export function jobOf(network: NetworkId, request: Request, coordinatorSeat: number): Job {
  const { id, plan, ring, inputs } = request;
  const { group, attempt } = ring;
  const about = { keyId: plan.keyId, attempt, request: id, coordinator: coordinatorSeat };
  return { network, group, inputs, ...about };
}

/** How long a coordinator has before the next one is told too, ms. */
export const roundMs = 1_500;

/** The coordinator of a round: seats take turns from one that the plan's id picks. */
export function coordinatorOf(request: Request, nowMs: number): number {
  const { n } = request.ring.group;
  const round = Math.max(0, Math.floor((nowMs - request.seenAtMs) / roundMs));
  const first = must(request.id[0], "first byte") * 256 + must(request.id[1], "second byte");
  return (first + round) % n;
}
