// One open plan as the signing machine keeps it: what it signs, who may sign, and the conversations about it.
import type { Genesis, Key, Plan, StateReader } from "@causeway/chain-core/interchain";
import { planKinds, planMessages, taprootTweak } from "@causeway/chain-core/interchain";
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { isRejected, isZero, must, rejected } from "@causeway/primitives";
import { ceremonyUnderWay, ownersOfSeats, readKey } from "../follow/rings.ts";
import type { Roster } from "../follow/roster.ts";
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
  /** Number of each seat's validator; -1 while it is not known. */
  readonly validators: readonly number[];
  /** By seat: what its answers are signed with, 33 bytes. */
  readonly hostKeys: readonly Uint8Array[];
  /** Own seats, ascending. */
  readonly own: readonly number[];
  /** Epoch of its shares (RNG-2). */
  readonly attempt: number;
};

/** What an own seat last told one coordinator, to be repeated until the plan is signed. */
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

export type Request = {
  readonly id: Bytes32;
  readonly plan: Plan;
  readonly ring: Ring;
  readonly inputs: readonly Input[];
  readonly slots: readonly SlotUse[];
  readonly verdict: Verdict;
  readonly seenAtMs: number;
  /** By {@link conversationName}. */
  readonly conversations: ReadonlyMap<string, Conversation>;
  /** Own part as a coordinator by own seat, from the first commitment on. */
  readonly roasts: ReadonlyMap<number, Coordination>;
  /** ringSignatureCodec bytes, once they are known; when this seat brings them to the ledger, if another has not. */
  readonly signed:
    | { readonly body: Uint8Array; readonly bringAtMs: number | undefined }
    | undefined;
  /** Codes that were logged. */
  readonly logged: ReadonlySet<string>;
};

export function conversationName(coordinatorSeat: number, seat: number): string {
  return `${coordinatorSeat}/${seat}`;
}

export type RingCode =
  /** The ledger has no such key, or not enough of its seats have confirmed. */
  "no-key";

/** The ring of a plan's key: from its ceremony for the canary, else from the key's record. */
export function ringOf(
  { number, roster }: { readonly number: number; readonly roster: Pick<Roster, "numbers"> },
  view: StateReader,
  plan: Plan,
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
  const validators = ownersOfSeats(key).map((owner) => roster.numbers.get(owner) ?? -1);
  const own = validators.flatMap((one, seat) => (one === number ? [seat] : []));
  const group: Group = { n, t: key.threshold, thresholdPoint: groupPoint, shares };
  const hostKeys = key.seats.map(({ hostKey }) => hostKey);
  return { key, ring: { group, validators, hostKeys, own, attempt: key.attempt } };
}

function keyOfPlan(view: StateReader, plan: Plan): Key | undefined {
  if (plan.kind !== planKinds.canary) return readKey(view, plan.keyId);
  const ceremony = ceremonyUnderWay(view, plan.keyId);
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

/** Rounds for which a seat goes on with a coordinator, and for which a coordinator waits for seats. */
export const keepRounds = { seat: 8, coordinator: 12 } as const;

function roundOf({ seenAtMs }: Request, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - seenAtMs) / roundMs));
}

function firstOf({ id }: Request): number {
  return must(id[0], "first byte") * 256 + must(id[1], "second byte");
}

/** The coordinator of a round: seats take turns from one that the plan's id picks. */
export function coordinatorOf(request: Request, nowMs: number): number {
  return (firstOf(request) + roundOf(request, nowMs)) % request.ring.group.n;
}

/** How many rounds ago the turn of `seat` was; one whose turn has not come is as if it had just been. */
export function roundsSince(request: Request, seat: number, nowMs: number): number {
  const { n } = request.ring.group;
  const round = roundOf(request, nowMs);
  const since = (((firstOf(request) + round - seat) % n) + n) % n;
  return since > round ? 0 : since;
}
