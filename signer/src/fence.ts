// Whether this journal is the newest that the seat ever had (DESIGN 10, rule 5). A restored disk, or a copy of the folder
// that ran elsewhere, has forgotten what was signed since. The ledger has not: it keeps which of the seat's envelopes
// were used (CON-7), and the journal which of them it sent. A number that the journal does not know was another's.
//
//   undecided --a view of a header since the start--> open, every slot of an open plan barred if the journal is older
//   open --a number that is not our own--> ended: another process has this seat
//
// Until it is open nothing is signed, and no envelope leaves.
import type { Plan, StateReader } from "@causeway/chain-core/interchain";
import { listNames, lists, plans, roles, sequences } from "@causeway/chain-core/interchain";
import { zero32 } from "@causeway/primitives";
import { slotNames } from "./guard.ts";
import type { JournalRecord, SlotUse } from "./journal.ts";
import { sentSpan, slotsMax } from "./journal.ts";

export type State = {
  /** Own clock when the process started, ms. */
  readonly startedMs: number;
  /** Up to this number nothing is to be found out any more, whoever used it. */
  readonly known: number;
  /** The newest numbers that this journal's processes have used. */
  readonly own: ReadonlySet<number>;
  /** The journal came from a backup: older, whatever the ledger shows. */
  readonly isRestored: boolean;
  readonly phase: "undecided" | "open" | "ended";
  /** Slots barred by this process. */
  readonly barred: number;
};

export const initial: State = {
  startedMs: 0,
  known: 0,
  own: new Set(),
  isRestored: false,
  phase: "undecided",
  barred: 0,
};

/** How many of the newest numbers the ledger's record tells apart (CON-7). */
const window = 128;

/** By the journal's records, oldest first. */
export function started(records: readonly JournalRecord[], nowMs: number): State {
  const newest = (kind: JournalRecord["kind"]): number =>
    records.findLastIndex((record) => record.kind === kind);
  const sent = records.flatMap((record) => (record.kind === "sent" ? [record.sequence] : []));
  const last = records[newest("known")];
  const known = last?.kind === "known" ? last.sequence : 0;
  const isRestored = newest("restored") > newest("known");
  return { ...initial, startedMs: nowMs, known, own: new Set(sent), isRestored };
}

/** An envelope with this number leaves. True when the journal must know of it before. */
export function sends(state: State, sequence: number): readonly [State, boolean] {
  const own = new Set([...state.own].filter((one) => one > sequence - sentSpan)).add(sequence);
  return [{ ...state, own }, !state.own.has(sequence)];
}

export type Decision =
  /** The view is older than this process: what was signed before the start may not be in it. */
  | { readonly kind: "wait" }
  | { readonly kind: "open" }
  /** The journal is older than the ledger: these slots, of plans open now, are never signed. */
  | { readonly kind: "bar"; readonly slots: readonly SlotUse[]; readonly sequence: number }
  | { readonly kind: "end" };

export type Look = {
  readonly view: StateReader;
  readonly headerMs: number;
  /** Own validator. */
  readonly owner: Uint8Array;
};

/** Of the record that says which of a validator's envelopes were used. The view that is decided by must have it. */
export function sentKey(owner: Uint8Array): Uint8Array {
  return sequences.key({ validator: owner, role: roles.signer });
}

export function decide(state: State, { view, headerMs, owner }: Look): Decision {
  if (state.phase === "ended") return { kind: "end" };
  const used = sequences.get(view, { validator: owner, role: roles.signer });
  const isOlder = used !== undefined && hasStranger(state, used);
  if (state.phase === "open") return isOlder ? { kind: "end" } : { kind: "open" };
  // A dead process cannot have signed what was planned after this one began.
  if (headerMs < state.startedMs) return { kind: "wait" };
  if (!isOlder && !state.isRestored) return { kind: "open" };
  const slots = openSlots(view);
  if (slots === undefined) return { kind: "wait" };
  return { kind: "bar", slots, sequence: used?.highest ?? 0 };
}

export function decided(state: State, decision: Decision): State {
  switch (decision.kind) {
    case "wait":
      return state;
    case "open":
      return state.phase === "open" ? state : { ...state, phase: "open" };
    case "bar": {
      const barred = decision.slots.length;
      return { ...state, known: decision.sequence, isRestored: false, phase: "open", barred };
    }
    case "end":
      return { ...state, phase: "ended" };
  }
}

/** What the journal must have before anything is signed after a `bar`. */
export function recordsOf({ slots, sequence }: Decision & { kind: "bar" }): JournalRecord[] {
  const records: JournalRecord[] = [];
  for (let i = 0; i < slots.length; i += slotsMax)
    records.push({ kind: "bar", slots: slots.slice(i, i + slotsMax) });
  // The last, because it says that what it proves is dealt with.
  return [...records, { kind: "known", sequence }];
}

export const barMessage = "the journal is older than the ledger: what is open now is not signed";
export const endMessage =
  "another process signs for this validator: stop one of the two, then start this one again";

/** Among the numbers that the ledger tells apart, above `known`: one that was used, and not by this journal's processes. */
export function hasStranger(
  { known, own }: Pick<State, "known" | "own">,
  used: { readonly highest: number; readonly window: bigint },
): boolean {
  for (let age = 0; age < window && used.highest - age > known; age++)
    if (((used.window >> BigInt(age)) & 1n) === 1n && !own.has(used.highest - age)) return true;
  return false;
}

/** Every slot that a plan which is not over may take; undefined while one of the plans is not proven. */
function openSlots(view: StateReader): SlotUse[] | undefined {
  const open: Plan[] = [];
  for (const id of lists.get(view, listNames.plans)?.ids ?? []) {
    const plan = plans.get(view, id);
    if (plan === undefined) return undefined;
    open.push(plan);
  }
  // No plan has the message of zeros: a barred slot is taken for good.
  return open.flatMap((plan) =>
    slotNames(plan, Math.max(1, plan.inputs.length)).map((slot) => ({ slot, message: zero32 })),
  );
}
