// The part of a validator in the beacon: a pure machine between the ledger, which says what is due, and a worker, which
// walks.
//
//   idle --facts--> walking --reported--> done --facts--> submits again until the ledger shows it
//
// Nothing here is a secret or a promise: what a crash loses is work, and a contribution made twice is the same one. The
// journal holds the newest progress, so that a restart loses seconds of a walk, not all of it.
import type { Bls, Bytes32, Codec, NetworkId, Step } from "@causeway/primitives";
import {
  b32,
  b66,
  bigEndian,
  ContainerType,
  codec,
  concat,
  equal,
  H,
  stay,
  u8,
  u64,
} from "@causeway/primitives";
import type { Delay } from "./contribution.ts";
import { contributionCodec, segmentCodec } from "./contribution.ts";
import { beaconField, decodeElement, encodeElement } from "./field.ts";
import type { Puzzle, Search } from "./seqpow.ts";
import { firstStep, shareDigest, startOf } from "./seqpow.ts";
import type { Walk } from "./sloth.ts";

/** The validator's own; without a key it only watches. */
export type Env = {
  readonly network: NetworkId;
  readonly bls: Bls;
  /** Of the consensus key that the running epoch's committee holds. */
  readonly secretKey?: Uint8Array;
  /** Ledger time after which a message that the ledger does not show is submitted again, ms. */
  readonly resubmitMs: number;
};

/** What the ledger says after a block; times are ledger time in ms (TIM-2). */
export type Facts = {
  readonly now: number;
  readonly epoch: number;
  readonly seed: Bytes32;
  /** The own seat in the epoch's committee, if any. */
  readonly seat?: number;
  readonly stage: /** The window is open; `contributed`: the own contribution is on the ledger. */
    | { readonly kind: "window"; readonly difficulty: number; readonly contributed: boolean }
    /** The delay waits for segment `delay.next`; the own turn to post it begins at `turnAt` (`turnOf`). */
    | { readonly kind: "delay"; readonly delay: Delay; readonly turnAt: number }
    /** The output is there, or there is none in this epoch. */
    | { readonly kind: "closed" };
};

/** What the worker is to walk, from `from`; a new job replaces the one before. */
export type Job = { readonly id: Bytes32; readonly from: Walk } & (
  | { readonly kind: "solve"; readonly puzzle: Puzzle }
  /** To the index `until`. */
  | { readonly kind: "delay"; readonly until: number }
);

export type Event =
  | { readonly kind: "facts"; readonly facts: Facts }
  /** The worker's: how far it is, or that it is done. A delay's end is "solved". */
  | ({ readonly kind: "walked"; readonly id: Bytes32 } & Search);

export type Effect =
  | { readonly kind: "work"; readonly job: Job }
  | { readonly kind: "rest" }
  /** The one record to be read after a restart; it replaces the one before. */
  | { readonly kind: "journal"; readonly record: Uint8Array }
  /** An action's body to be brought to the ledger by this validator. */
  | {
      readonly kind: "submit";
      readonly what: "contribution" | "segment";
      readonly body: Uint8Array;
    };

type Task = { readonly id: Bytes32; readonly epoch: number } & (
  | { readonly kind: "solve"; readonly seat: number; readonly share: Uint8Array }
  | { readonly kind: "delay"; readonly index: number }
);

export type State = {
  readonly env: Env;
  /** What the journal held. */
  readonly saved?: Progress | undefined;
  readonly task?: Task | undefined;
  /** Of the task. */
  readonly progress?: Search;
  /** Ledger time of the newest facts, and of the last submission. */
  readonly now: number;
  readonly submittedAt?: number;
};

type Progress = { id: Uint8Array; status: number; index: number; value: Uint8Array };
const progressCodec: Codec<Progress> = codec(
  "beacon progress",
  new ContainerType({ id: b32, status: u8, index: u64, value: b66 }),
  107,
);
const statuses = ["searching", "solved", "exhausted"] as const;

/** `record` is the journal's newest, if it has one; a record that is none of ours is as good as none. */
export function initial(env: Env, record?: Uint8Array): State {
  const saved = record === undefined ? undefined : progressCodec.parse(record);
  const isOurs = saved !== undefined && "id" in saved;
  return { env, now: 0, ...(isOurs && { saved }) };
}

export function step(state: State, event: Event): Step<State, Effect> {
  switch (event.kind) {
    case "facts":
      return learn({ ...state, now: event.facts.now }, event.facts);
    case "walked":
      return record(state, event);
  }
}

function learn(state: State, facts: Facts): Step<State, Effect> {
  const due = dueNow(state.env, facts);
  if (due === undefined) {
    if (state.task === undefined) return stay(state);
    return [{ env: state.env, now: state.now }, [{ kind: "rest" }]];
  }
  if (state.task !== undefined && equal(state.task.id, due.id))
    return submitAgain(state, state.task);
  return begin(state, due);
}

/** What the ledger waits for from this validator; `id` names everything that the walk depends on. */
type Due = {
  readonly id: Bytes32;
  readonly epoch: number;
  readonly seed: Bytes32;
  readonly seat: number;
  readonly secretKey: Uint8Array;
  readonly stage: Exclude<Facts["stage"], { readonly kind: "closed" }>;
};

function dueNow({ network, secretKey }: Env, facts: Facts): Due | undefined {
  const { now, epoch, seed, seat, stage } = facts;
  if (seat === undefined || secretKey === undefined || stage.kind === "closed") return undefined;
  const due = { epoch, seed, seat, secretKey, stage };
  const head = [bigEndian(epoch, 8), seed, bigEndian(seat, 2)];
  if (stage.kind === "window") {
    if (stage.contributed) return undefined;
    const difficulty = bigEndian(stage.difficulty, 4);
    return { ...due, id: H("beacon-solve", network, concat(...head, difficulty)) };
  }
  if (now < stage.turnAt) return undefined;
  const { next, steps, end } = stage.delay;
  const terms = [bigEndian(next, 4), bigEndian(steps, 4), encodeElement(beaconField, end)];
  return { ...due, id: H("beacon-walk", network, concat(...head, ...terms)) };
}

function begin({ env, now, saved }: State, due: Due): Step<State, Effect> {
  const [task, job] = taskOf(env, due);
  const progress = restored(saved, due.id) ?? { status: "searching", walk: job.from };
  const next: State = { env, now, task, progress };
  if (progress.status !== "searching") return submitAgain(next, task);
  return [next, [{ kind: "work", job: { ...job, from: progress.walk } }]];
}

function taskOf({ network, bls }: Env, due: Due): readonly [Task, Job] {
  const { id, epoch, seed, seat, secretKey, stage } = due;
  if (stage.kind === "delay") {
    const { next, steps, end } = stage.delay;
    const from = { index: next * steps, value: end };
    const job = { id, kind: "delay", from, until: from.index + steps } as const;
    return [{ id, kind: "delay", epoch, index: next }, job];
  }
  const share = bls.sign(secretKey, shareDigest(network, epoch, seed));
  const start = startOf(network, seed, share);
  const puzzle: Puzzle = { field: beaconField, network, start, difficulty: stage.difficulty };
  const task = { id, kind: "solve", epoch, seat, share } as const;
  return [task, { id, kind: "solve", puzzle, from: firstStep(puzzle) }];
}

function restored(saved: Progress | undefined, id: Bytes32): Search | undefined {
  const status = statuses[saved?.status ?? statuses.length];
  if (saved === undefined || status === undefined || !equal(saved.id, id)) return undefined;
  const value = decodeElement(beaconField, saved.value);
  return value === undefined ? undefined : { status, walk: { index: saved.index, value } };
}

function record(
  state: State,
  { id, status, walk }: Event & { kind: "walked" },
): Step<State, Effect> {
  const { task, progress } = state;
  // Of a job that was replaced, or a report twice.
  if (task === undefined || !equal(task.id, id) || progress?.status !== "searching")
    return stay(state);
  const bytes = progressCodec.encode({
    id,
    status: statuses.indexOf(status),
    index: walk.index,
    value: encodeElement(beaconField, walk.value),
  });
  const [next, effects] = submitAgain({ ...state, progress: { status, walk } }, task);
  return [next, [{ kind: "journal", record: bytes }, ...effects]];
}

/** What is solved goes to the ledger at once, and again while the ledger does not show it. */
function submitAgain(state: State, task: Task): Step<State, Effect> {
  const { env, progress, now, submittedAt } = state;
  if (progress?.status !== "solved") return stay(state);
  if (submittedAt !== undefined && now < submittedAt + env.resubmitMs) return stay(state);
  return [{ ...state, submittedAt: now }, [submission(task, progress.walk)]];
}

function submission(task: Task, { index, value }: Walk): Effect {
  const end = encodeElement(beaconField, value);
  const { epoch } = task;
  if (task.kind === "delay") {
    const body = segmentCodec.encode({ epoch, index: task.index, end });
    return { kind: "submit", what: "segment", body };
  }
  const { seat, share } = task;
  const body = contributionCodec.encode({ epoch, seat, share, solution: end, steps: index });
  return { kind: "submit", what: "contribution", body };
}
