// One open plan as the signing machine keeps it: what it signs, and who may sign.
import type { Genesis, Key, Plan, StateReader } from "@causeway/chain-core/interchain";
import { planKinds, planMessages, taprootTweak } from "@causeway/chain-core/interchain";
import type { Bytes32, Rejected } from "@causeway/primitives";
import { isRejected, isZero, rejected } from "@causeway/primitives";
import { ceremonyUnderWay, ownersOfSeats, readKey } from "../follow/rings.ts";
import type { Roster } from "../follow/roster.ts";
import type { Group } from "../frost/signers.ts";
import { slotsOf } from "../guard.ts";
import type { SlotUse } from "../journal.ts";
import type { Verdict } from "../policy/approve.ts";
import { messagesMax } from "../roast/message.ts";
import type { Input } from "../roast/session.ts";

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

export type Request = {
  readonly id: Bytes32;
  readonly plan: Plan;
  readonly ring: Ring;
  readonly inputs: readonly Input[];
  readonly slots: readonly SlotUse[];
  readonly verdict: Verdict;
  /** It was in a bundle: what is left of that one is signed alone. */
  readonly wasBundled: boolean;
  /** ringSignatureCodec bytes, once they are known; when this seat brings them to the ledger, if another has not. */
  readonly signed:
    | { readonly body: Uint8Array; readonly bringAtMs: number | undefined }
    | undefined;
  /** Codes that were logged. */
  readonly logged: ReadonlySet<string>;
};

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
