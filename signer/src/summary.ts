// What an operator wants to know of a signer: part of its health file.
import type { State } from "./state.ts";
import type { Effect } from "./world.ts";

/** What an operator wants to know of it; no secret. */
export type Summary = {
  /** Newest final height that was proven, and the time in its header, ms. */
  readonly height: number;
  readonly headerMs: number;
  /** Own number in the register; undefined: not registered yet, so that it waits. */
  readonly validator: number | undefined;
  /** Why it has stopped, or cannot work. */
  readonly trouble: { readonly code: string; readonly message: string } | undefined;
  /** Key ids of which a share is held. */
  readonly shares: readonly number[];
  /** Plans that wait for signatures, events that are looked at, actions on their way to the ledger. */
  readonly plans: number;
  readonly events: number;
  readonly actions: number;
  /** Refusals since the start, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Whether the journal is known to be this seat's newest: nothing is signed before. */
  readonly fence: State["fence"]["phase"];
  /** Slots that are not signed because the journal was older than the ledger at the start. */
  readonly barred: number;
};

export function summaryOf(state: State): Summary {
  const { header, height } = state.follow.trusted;
  return {
    height,
    headerMs: header.time,
    validator: state.roster.own?.number,
    trouble: troubleOf(state),
    shares: [...new Set([...state.ceremony.shares.values()].map(({ keyId }) => keyId))],
    plans: state.signing.requests.size,
    events: state.witness.items.size,
    actions: state.outbox.entries.length,
    refused: Object.fromEntries(state.refused),
    fence: state.fence.phase,
    barred: state.fence.barred,
  };
}

function troubleOf({ stopped, roster }: State): Summary["trouble"] {
  if (stopped !== undefined) return { code: stopped.code, message: stopped.message };
  if (roster.own !== undefined) return undefined;
  return { code: "not-registered", message: "the register has no validator with these keys yet" };
}

/** Codes counted at most. They are our own words; the one that peers choose is not counted. */
const codesMax = 256;
const peersWord = "a signer refused our list";

/** With the refusals among these effects: log lines with a code, of what is wrong. */
export function countRefusals(
  before: ReadonlyMap<string, number>,
  effects: readonly Effect[],
): ReadonlyMap<string, number> {
  let counts: Map<string, number> | undefined;
  for (const effect of effects) {
    if (effect.kind !== "log" || effect.level === "info" || effect.message === peersWord) continue;
    const { code } = effect.fields;
    if (typeof code !== "string") continue;
    counts ??= new Map(before);
    if (counts.has(code) || counts.size < codesMax) counts.set(code, 1 + (counts.get(code) ?? 0));
  }
  return counts ?? before;
}
