// Follows the final ledger by its proofs (CON-6, CON-8), forward only, through the own node that it does not
// believe: every header needs its certificate, every record its proof.
//
//   idle --new height--> reading: asks for what is wanted and not read yet, until nothing is missing --> a view
//
// Who was away for epochs does not know the newest committee: it asks for the ends of epochs on the way there.
//
// A record with a false or missing proof is refused with its code and left out: what rests on it is not signed.
// Without a proof of what governs the network (parameters, registry, pauses: RNG-6), of the open plans and of the own
// envelopes there is no view at all, because there an absent record means something.
import type { Committee, Genesis, Header, StateReader } from "@causeway/chain-core/interchain";
import { headerCodec, plans } from "@causeway/chain-core/interchain";
import type { Bls, Rejected, Step } from "@causeway/primitives";
import { equal, isRejected, keyOf, toHex, unreachable } from "@causeway/primitives";
import type { Trust as TrustRecord } from "../journal.ts";
import type { Turn } from "../turn.ts";
import type { Finality, ProvedRecord } from "../world.ts";
import type { Trusted } from "./trust.ts";
import { advance, badProof, raised, startOf } from "./trust.ts";
import type { Interest } from "./wanted.ts";
import { lasting, needed, wanted } from "./wanted.ts";

export type Context = { readonly genesis: Genesis; readonly bls: Bls };

/** Proven records by the hex of their keys; undefined: proven absent. */
type Records = ReadonlyMap<string, Uint8Array | undefined>;

type Reading = {
  readonly records: Records;
  /** Keys whose record came without a good proof: not asked again in this reading. */
  readonly refused: ReadonlySet<string>;
  readonly asked: readonly Uint8Array[];
  readonly askedAtMs: number;
  /** Time of the oldest header that a record of this reading is proven by, and its epoch. */
  readonly headerMs?: number;
  readonly epoch?: number;
};

export type State = {
  readonly trusted: Trusted;
  /** What an earlier process trusted; nothing is believed below it, nor before `trusted` has come there (CON-6). */
  readonly point?: Header;
  /** The newest header was decided by a committee that is not known here. */
  readonly isLost: boolean;
  /** Height of the newest block remembered in the journal. */
  readonly remembered: number;
  /** Highest height that the own node has named. */
  readonly named: number;
  readonly phase: "idle" | Reading;
  /** The last whole reading, and what the next one takes over of it ({@link lasting}). */
  readonly records: Records;
  readonly lasting: Records;
  readonly readHeight: number;
  /** After a failure, not before; failures in a row make it later. */
  readonly retryAtMs: number;
  readonly failures: number;
};

export type Event =
  | { readonly kind: "height"; readonly height: number }
  | {
      readonly kind: "proved";
      readonly header: Uint8Array;
      readonly certificate: Uint8Array;
      readonly committee: Uint8Array | undefined;
      readonly records: readonly ProvedRecord[];
      readonly ends?: readonly Finality[];
    }
  | { readonly kind: "failed"; readonly code: string }
  | { readonly kind: "woke" };

/** A proven view of the ledger, complete for what was wanted. */
export type Viewed = {
  readonly view: StateReader;
  readonly height: number;
  /**
   * Of the oldest header that proves a record here (RNG-6), but for keys that rest ({@link lasting}). While an answer
   * is on its way the chain goes on: a slow or hostile node must not pass what the ledger said a minute ago for what
   * the newest block says.
   */
  readonly headerMs: number;
  /** Of that header. */
  readonly epoch: number;
  readonly committee: Committee;
};

export type Effect =
  | { readonly kind: "prove"; readonly keys: readonly Uint8Array[]; readonly endsFrom?: number }
  | { readonly kind: "viewed"; readonly viewed: Viewed }
  | { readonly kind: "stopped"; readonly reason: Rejected }
  /** To be remembered across restarts. */
  | { readonly kind: "trust"; readonly trust: TrustRecord }
  | { readonly kind: "wake"; readonly atMs: number }
  | {
      readonly kind: "log";
      readonly level: "warn";
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };

/** SEAMS, method `prove`. */
const keysMax = 256;
const retryMs = { first: 250, most: 4_000 } as const;
/** An answer that never comes is given up after this. */
const answerMsMax = 15_000;
/** Blocks between two records of the trusted point: a restart may fall back so far, never further (CON-6). */
const rememberEvery = 50;

export function initial(context: Context): State {
  return {
    trusted: startOf(context.genesis),
    isLost: false,
    remembered: 0,
    named: 0,
    phase: "idle",
    records: new Map(),
    lasting: new Map(),
    readHeight: 0,
    retryAtMs: 0,
    failures: 0,
  };
}

export function step(
  context: Context,
  state: State,
  event: Event,
  interest: Interest,
  turn: Turn,
): Step<State, Effect> {
  switch (event.kind) {
    case "height":
      return begin(
        context,
        { ...state, named: Math.max(state.named, event.height) },
        interest,
        turn,
      );
    case "proved":
      return proved(context, state, event, interest, turn);
    case "failed": {
      const [next, effects] = failed(state, turn);
      if (state.phase === "idle" || event.code !== "bad-response") return [next, effects];
      return [next, [...refusals(state.phase, noProof), ...effects]];
    }
    case "woke":
      return begin(context, state, interest, turn);
    default:
      return unreachable(event);
  }
}

/** Takes up the point that an earlier process trusted. */
export function restored(context: Context, state: State, record: TrustRecord): State {
  const point = headerCodec.decode(record.header);
  const trusted = raised(context.genesis, state.trusted, point);
  return { ...state, trusted, point, remembered: point.height };
}

/** Proven records as a reader for the tables. */
export function viewOf(records: Records): StateReader {
  return { get: (key) => records.get(keyOf(key)) };
}

function failed(state: State, turn: Turn): Step<State, Effect> {
  const failures = state.failures + 1;
  const delayMs = Math.min(retryMs.most, retryMs.first * 2 ** Math.min(failures - 1, 8));
  const retryAtMs = turn.nowMs + delayMs;
  return [{ ...state, phase: "idle", retryAtMs, failures }, [{ kind: "wake", atMs: retryAtMs }]];
}

/** Starts a reading if there is a height that has not been read. */
function begin(
  context: Context,
  state: State,
  interest: Interest,
  turn: Turn,
): Step<State, Effect> {
  if (state.phase !== "idle" && turn.nowMs - state.phase.askedAtMs < answerMsMax)
    return [state, []];
  if (state.named <= state.readHeight) return [state, []];
  if (state.retryAtMs > turn.nowMs) return [state, [{ kind: "wake", atMs: state.retryAtMs }]];
  const keys = wanted(context.genesis, viewOf(state.records), interest)
    .filter((key) => !state.lasting.has(keyOf(key)))
    .slice(0, keysMax);
  const phase: Reading = {
    records: state.lasting,
    refused: new Set(),
    asked: keys,
    askedAtMs: turn.nowMs,
  };
  const endsFrom = state.isLost ? { endsFrom: state.trusted.height + 1 } : {};
  return [{ ...state, phase }, [{ kind: "prove", keys, ...endsFrom }]];
}

/** As far as the ends of epochs lead, then to the newest header; or how far, and why not further. */
function advanced(
  { genesis, bls }: Context,
  state: State,
  event: Event & { kind: "proved" },
): { readonly trusted: Trusted; readonly bad: Rejected | undefined } {
  const { point } = state;
  let { trusted } = state;
  let { height } = trusted;
  for (const finality of [...(event.ends ?? []), event]) {
    const next = advance(genesis, bls, trusted, finality);
    if (isRejected(next)) return { trusted, bad: next };
    // Another history: on the way to the trusted point its committee is met.
    if (point !== undefined && trusted.height < point.height && next.height >= point.height)
      return { trusted, bad: behind };
    trusted = point === undefined ? next : raised(genesis, next, point);
    height = next.height;
  }
  const isBelow = point !== undefined && height < point.height;
  return { trusted, bad: isBelow ? behind : undefined };
}

const behind = {
  kind: "rejected",
  code: "unknown-committee",
  message: "the own node does not lead to what was trusted before",
} as const;

function proved(
  context: Context,
  state: State,
  event: Event & { kind: "proved" },
  interest: Interest,
  turn: Turn,
): Step<State, Effect> {
  const { phase } = state;
  if (phase === "idle") return [state, []];
  const { trusted, bad } = advanced(context, state, event);
  const isLost = bad?.code === "unknown-committee";
  if (bad !== undefined) {
    const [next, effects] = failed({ ...state, trusted, isLost }, turn);
    // A quorum goes on by rules that this program does not have (GOV-1).
    const end: Effect[] = bad.code === "upgrade-needed" ? [{ kind: "stopped", reason: bad }] : [];
    return [next, [...refusals(phase, bad), ...effects, ...end]];
  }
  const effects: Effect[] = [];
  const remembers = trusted.height >= state.remembered + rememberEvery;
  if (remembers) {
    const header = headerCodec.encode(trusted.header);
    effects.push({ kind: "trust", trust: { height: trusted.height, header } });
  }
  const remembered = remembers ? trusted.height : state.remembered;
  const records = new Map(phase.records);
  const refused = new Set(phase.refused);
  const answers = new Map(event.records.map((record) => [keyOf(record.key), record]));
  for (const key of phase.asked) {
    const name = keyOf(key);
    const answer = answers.get(name);
    const bad = answer === undefined ? noProof : badProof(trusted, answer);
    if (bad === undefined) records.set(name, sameBytes(state.records.get(name), answer?.value));
    else {
      refused.add(name);
      effects.push(refusal(key, bad));
    }
  }
  const headerMs = phase.headerMs ?? trusted.header.time;
  const epoch = phase.epoch ?? trusted.committee.epoch;
  const askedAtMs = turn.nowMs;
  const reading: Reading = { records, refused, asked: [], askedAtMs, headerMs, epoch };
  const [next, more] = goOn(
    context,
    { ...state, trusted, isLost, remembered, phase: reading },
    reading,
    interest,
    turn,
  );
  return [next, [...effects, ...more]];
}

/** The older object where nothing changed, so that what was derived from it is found again (rings.ts). */
function sameBytes(
  before: Uint8Array | undefined,
  now: Uint8Array | undefined,
): Uint8Array | undefined {
  return before !== undefined && now !== undefined && equal(before, now) ? before : now;
}

const noProof = {
  kind: "rejected",
  code: "missing-proof",
  message: "the own node gave no proof",
} as const;

/** The certificate is wrong: every plan asked for is refused with that code, or the answer as a whole. */
function refusals(reading: Reading, bad: Rejected): Effect[] {
  const about = reading.asked.filter((key) => planIn(key) !== undefined);
  return about.length === 0 ? [refusal(undefined, bad)] : about.map((key) => refusal(key, bad));
}

function refusal(key: Uint8Array | undefined, bad: Rejected): Effect {
  const plan = key === undefined ? undefined : planIn(key);
  const { code, message: reason } = bad;
  if (plan !== undefined)
    return { kind: "log", level: "warn", message: "plan refused", fields: { code, plan, reason } };
  const fields = { code, reason, ...(key === undefined ? {} : { record: toHex(key) }) };
  return { kind: "log", level: "warn", message: "proof refused", fields };
}

const planPrefix = plans.key(new Uint8Array(0));

/** The hex id of the plan whose record this is the key of. */
function planIn(key: Uint8Array): string | undefined {
  const isPlan = equal(key.subarray(0, planPrefix.length), planPrefix);
  return isPlan ? toHex(key.subarray(planPrefix.length)) : undefined;
}

/** Asks for what the records name and is not read, or closes the reading with a view. */
function goOn(
  context: Context,
  state: State,
  reading: Reading,
  interest: Interest,
  turn: Turn,
): Step<State, Effect> {
  const { records, refused } = reading;
  if (needed(interest).some((key) => refused.has(keyOf(key)))) return failed(state, turn);
  const view = viewOf(records);
  const missing = wanted(context.genesis, view, interest).filter(
    (key) => !records.has(keyOf(key)) && !refused.has(keyOf(key)),
  );
  if (missing.length > 0) {
    const asked = missing.slice(0, keysMax);
    return [{ ...state, phase: { ...reading, asked } }, [{ kind: "prove", keys: asked }]];
  }
  const { height, header, committee } = state.trusted;
  const headerMs = reading.headerMs ?? header.time;
  const epoch = reading.epoch ?? committee.epoch;
  const viewed: Viewed = { view, height, headerMs, epoch, committee };
  const kept = lasting(context.genesis, view, height).map((key) => keyOf(key));
  const taken = new Map(kept.map((name) => [name, records.get(name)]));
  const read = { records, lasting: taken, readHeight: height };
  const idle: State = { ...state, ...read, phase: "idle", failures: 0 };
  const [next, effects] = begin(context, idle, interest, turn);
  return [next, [{ kind: "viewed", viewed }, ...effects]];
}
