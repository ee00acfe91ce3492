// ROAST (Ruffing and others, CCS 2022, ePrint 2022/550): whoever stalls or cheats, t honest seats finish, after at
// most n - t + 1 sessions, because a seat is pending in one session at a time and so can hold up only one.
//
//   committed -> ready --(t seats ready)--> open, all of them pending --answered--> unchecked --(right)--> ready again
//                                               '--(t answers)--> done        '--(wrong)--> malicious, for ever
//
// A pure machine, one for each conversation (key, epoch, request, coordinator). It has no time-outs: silence is
// never proof. It is untrusted for safety and may run on several seats at once, each conversation with its own nonces.
// Messages may be lost, repeated and late: a signer repeats its last message until it hears more, and a repeated
// one of a pending seat is answered by its session again. A signer that restarts has lost its nonces; it commits
// anew with a larger boot number and leaves its session dead, `restartsMax` times: each costs one more session.
//
// Answers are checked late: all t of a session at once by their signature, or each when its seat is needed for
// another session. One is opened beside a live one only after a breath, in which the last honest answers come: an
// optimisation of CPU, without which a second session would be opened for nothing whenever all are honest.

import type { Step } from "@causeway/primitives";
import { assert, isRejected, keyOf, must, stay } from "@causeway/primitives";
import { verifySchnorr } from "@causeway/primitives/secp256k1";
import { aggregate, aggregateNonces, verifyPartial } from "../frost/signing.ts";
import type { Commit, SessionOpen, Share } from "./message.ts";
import { hashCommit } from "./message.ts";
import type { Effect, Event, Evidence } from "./report.ts";
import type { Batch, Job } from "./session.ts";
import { assertJob, openBatch, restartsMax, sameConversation } from "./session.ts";

export type { Effect, Event, Evidence } from "./report.ts";

type Running = {
  readonly batch: Batch;
  /** Of the seats whose answer has not been found right. */
  readonly commits: ReadonlyMap<number, Commit>;
  /** By seat, one partial signature a message. */
  readonly answers: ReadonlyMap<number, readonly Uint8Array[]>;
};

export type State =
  | {
      readonly phase: "collecting";
      readonly job: Job;
      /** Newest boot of each seat heard, and how many times it changed. */
      readonly boots: ReadonlyMap<number, { readonly boot: number; readonly restarts: number }>;
      /** By seat, the longest ready first. */
      readonly ready: ReadonlyMap<number, Commit>;
      /** The session, by the key of its id, that each pending seat owes an answer. */
      readonly pending: ReadonlyMap<number, string>;
      /** Answers that nobody has checked yet, by seat. */
      readonly unchecked: ReadonlyMap<number, Share>;
      readonly malicious: ReadonlySet<number>;
      readonly sessions: ReadonlyMap<string, Running>;
      /** An order to wait is out. */
      readonly isWaiting: boolean;
    }
  | { readonly phase: "done"; readonly job: Job; readonly signatures: readonly Uint8Array[] };

type Collecting = State & { readonly phase: "collecting" };

export function initial(job: Job): State {
  assertJob(job);
  return {
    phase: "collecting",
    job,
    boots: new Map(),
    ready: new Map(),
    pending: new Map(),
    unchecked: new Map(),
    malicious: new Set(),
    sessions: new Map(),
    isWaiting: false,
  };
}

export function step(state: State, event: Event): Step<State, Effect> {
  if (state.phase === "done") return stay(state);
  if (event.kind === "waited") return settle({ ...state, isWaiting: false });
  const { seat } = event;
  const { job } = state;
  if (state.malicious.has(seat) || !job.group.shares.has(seat)) return stay(state);
  const message = event.kind === "committed" ? event.commit : event.share;
  if (message.seat !== seat || !sameConversation(job, message)) return stay(state);
  return event.kind === "committed"
    ? onCommit(state, seat, event.commit)
    : onShare(state, seat, event.share);
}

function onCommit(state: Collecting, seat: number, commit: Commit): Step<State, Effect> {
  const { job } = state;
  const known = state.boots.get(seat);
  if (known !== undefined && commit.boot <= known.boot)
    return commit.boot === known.boot ? [state, openAgain(state, seat)] : stay(state);
  const restarts = known === undefined ? 0 : known.restarts + 1;
  if (restarts > restartsMax) return stay(state);
  const boots = new Map(state.boots).set(seat, { boot: commit.boot, restarts });
  // What it answered before it restarted may still count.
  const [before, marked] = state.unchecked.has(seat)
    ? check(state, seat, indicesOf(job))
    : [state, []];
  if (before.malicious.has(seat)) return consider(before, marked);
  return consider(...admit({ ...before, boots }, seat, commit));
}

function onShare(state: Collecting, seat: number, share: Share): Step<State, Effect> {
  const key = keyOf(share.sid);
  const session = state.sessions.get(key);
  if (session === undefined) return stay(state);
  if (state.pending.get(seat) !== key)
    return session.answers.has(seat) ? [state, openAgain(state, seat)] : stay(state);
  if (share.boot !== must(session.commits.get(seat), "commitment of a pending seat").boot)
    return stay(state);
  const answers = new Map(session.answers).set(seat, share.shares);
  const next: Collecting = {
    ...state,
    pending: without(state.pending, seat),
    unchecked: new Map(state.unchecked).set(seat, share),
    sessions: new Map(state.sessions).set(key, { ...session, answers }),
  };
  if (share.shares.length !== state.job.inputs.length) return consider(...check(next, seat, [0]));
  return answers.size === session.batch.open.signers.length
    ? finish(next, key)
    : consider(next, []);
}

/** The opening that a pending seat owes an answer to, for this seat alone. */
function openAgain(state: Collecting, seat: number): readonly Effect[] {
  const key = state.pending.get(seat);
  if (key === undefined) return [];
  const { batch } = must(state.sessions.get(key), "session of a pending seat");
  return [{ kind: "open", sid: batch.sid, open: batch.open, recipients: [seat] }];
}

// ---------------------------------------------------------------- seats

type Seated = readonly [Collecting, readonly Effect[]];

/** The seat is ready with `commit`, in place of whatever it was. Whether its nonces are points shows when they are summed. */
function admit(state: Collecting, seat: number, commit: Commit): Seated {
  if (commit.nonces.length !== state.job.inputs.length)
    return mark(state, seat, { code: "bad-nonce", commit });
  const idle = leave(state, seat);
  return [{ ...idle, ready: new Map(idle.ready).set(seat, commit) }, []];
}

function mark(state: Collecting, seat: number, evidence: Evidence): Seated {
  const malicious = new Set(state.malicious).add(seat);
  const idle = leave(state, seat);
  return [
    { ...idle, ready: without(idle.ready, seat), malicious },
    [{ kind: "malicious", seat, evidence }],
  ];
}

/** The seat is neither pending nor unchecked any more. */
function leave(state: Collecting, seat: number): Collecting {
  const { pending, unchecked } = state;
  return { ...state, pending: without(pending, seat), unchecked: without(unchecked, seat) };
}

/**
 * Looks at an unchecked answer, of the messages at `indices`: wrong, and the seat is out, its session dead; right in
 * every message, and the seat is ready with its next commitment.
 */
function check(state: Collecting, seat: number, indices: readonly number[]): Seated {
  const share = must(state.unchecked.get(seat), "unchecked answer");
  const key = keyOf(share.sid);
  const session = must(state.sessions.get(key), "session of an answer");
  const commit = must(session.commits.get(seat), "commitment of an unchecked answer");
  const index = indices.find((i) => isWrong(session, commit, share, i));
  const change = (part: Partial<Running>): Collecting => ({
    ...state,
    sessions: new Map(state.sessions).set(key, { ...session, ...part }),
  });
  if (index !== undefined) {
    const { open } = session.batch;
    const evidence: Evidence = { code: "bad-share", index, open, commit, share };
    return mark(change({ answers: without(session.answers, seat) }), seat, evidence);
  }
  if (indices.length < session.batch.sessions.length) return [state, []];
  const { keyId, attempt, request, coordinator, boot, nonces } = share;
  const next = { keyId, attempt, request, coordinator, seat, boot, nonces };
  return admit(change({ commits: without(session.commits, seat) }), seat, next);
}

function indicesOf({ inputs }: Job): readonly number[] {
  return [...inputs.keys()];
}

/** A wrong number of partial signatures is wrong at any of them. */
function isWrong({ batch }: Running, commit: Commit, share: Share, index: number): boolean {
  const { seat, shares } = share;
  const partial = shares[index];
  if (partial === undefined || shares.length !== batch.sessions.length) return true;
  const session = must(batch.sessions[index], "session");
  return !verifyPartial(session, seat, must(commit.nonces[index], "nonce"), partial);
}

function without<V>(map: ReadonlyMap<number, V>, seat: number): ReadonlyMap<number, V> {
  if (!map.has(seat)) return map;
  const next = new Map(map);
  next.delete(seat);
  return next;
}

// ---------------------------------------------------------------- sessions

/** Opens a session if t seats may be ready: at once when none is alive, else after a breath. */
function consider(state: Collecting, effects: readonly Effect[]): Step<State, Effect> {
  const { ready, unchecked, pending, job, isWaiting } = state;
  if (ready.size + unchecked.size < job.group.t) return [state, effects];
  if (pending.size > 0)
    return isWaiting
      ? [state, effects]
      : [{ ...state, isWaiting: true }, [...effects, { kind: "wait" }]];
  const [next, more] = settle(state);
  return [next, [...effects, ...more]];
}

/** Checks as many answers as it takes to have t seats ready, and opens a session if there are. */
function settle(state: Collecting): Step<State, Effect> {
  const { t } = state.job.group;
  let next = state;
  const effects: Effect[] = [];
  if (next.ready.size + next.unchecked.size < t) return stay(state);
  for (const seat of state.unchecked.keys()) {
    if (next.ready.size >= t) break;
    const [checked, more] = check(next, seat, indicesOf(state.job));
    next = checked;
    effects.push(...more);
  }
  if (next.ready.size < t) return [next, effects];
  const list = [...next.ready].slice(0, t).sort(([a], [b]) => a - b);
  const sums = summed(next, list);
  if (!("seat" in sums)) {
    const [opened, effect] = open(next, list, sums);
    return [opened, [...effects, effect]];
  }
  const commit = must(next.ready.get(sums.seat), "commitment");
  const [rest, marked] = mark(next, sums.seat, { code: "bad-nonce", commit });
  const [last, more] = settle(rest);
  return [last, [...effects, ...marked, ...more]];
}

/** The sum of nonces of each message, or the seat of one that is malformed. */
function summed(
  { job }: Collecting,
  list: readonly (readonly [number, Commit])[],
): readonly Uint8Array[] | { readonly seat: number } {
  const sums: Uint8Array[] = [];
  for (const i of job.inputs.keys()) {
    const parts = list.map(([seat, commit]) => ({ seat, nonce: must(commit.nonces[i], "nonce") }));
    const sum = aggregateNonces(parts);
    if (isRejected(sum)) return sum;
    sums.push(sum);
  }
  return sums;
}

/** With the t seats that have been ready longest, in their order. */
function open(
  state: Collecting,
  list: readonly (readonly [number, Commit])[],
  nonces: readonly Uint8Array[],
): readonly [Collecting, Effect] {
  const { job } = state;
  const { keyId, attempt, request, coordinator, network } = job;
  const opening: SessionOpen = {
    keyId,
    attempt,
    request,
    coordinator,
    number: state.sessions.size,
    signers: list.map(([seat, commit]) => ({ seat, commitment: hashCommit(network, commit) })),
    nonces,
  };
  const batch = openBatch(job, opening);
  assert(!isRejected(batch), "own opening is refused: the job's key or tweak is wrong");
  const key = keyOf(batch.sid);
  const recipients = list.map(([seat]) => seat);
  const sessions = new Map(state.sessions).set(key, {
    batch,
    commits: new Map(list),
    answers: new Map(),
  });
  const ready = new Map(state.ready);
  const pending = new Map(state.pending);
  for (const seat of recipients) {
    ready.delete(seat);
    pending.set(seat, key);
  }
  const effect: Effect = { kind: "open", sid: batch.sid, open: opening, recipients };
  return [{ ...state, ready, pending, sessions }, effect];
}

/** All have answered: signatures of right answers verify. If one does not, whose answers are wrong in it is out. */
function finish(state: Collecting, key: string): Step<State, Effect> {
  const { batch, answers } = must(state.sessions.get(key), "complete session");
  const signatures: Uint8Array[] = [];
  for (const [i, session] of batch.sessions.entries()) {
    const partials = [...answers].map(([seat, all]) => [seat, must(all[i], "partial")] as const);
    const signature = aggregate(session, new Map(partials));
    if (isRejected(signature) || !verifySchnorr(session.key, session.message, signature))
      return blame(state, key, i);
    signatures.push(signature);
  }
  return [{ phase: "done", job: state.job, signatures }, [{ kind: "done", signatures }]];
}

function blame(state: Collecting, key: string, index: number): Step<State, Effect> {
  let next = state;
  const effects: Effect[] = [];
  for (const [seat, { sid }] of state.unchecked) {
    if (keyOf(sid) !== key) continue;
    const [checked, more] = check(next, seat, [index]);
    next = checked;
    effects.push(...more);
  }
  assert(effects.length > 0, "a signature of right partial signatures does not verify");
  return consider(next, effects);
}
