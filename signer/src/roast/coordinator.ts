// ROAST (Ruffing and others, CCS 2022, ePrint 2022/550): whoever stalls or cheats, t honest seats finish, after at
// most n - t + 1 sessions, because a seat is pending in one session at a time and so can hold up only one.
//
//   committed -> ready --(t seats ready)--> open, all of them pending --answered--> ready again with a next nonce
//                                               '--(t answers)--> done        '--(wrong)--> malicious, for ever
//
// A pure machine, one for each conversation (key, request, coordinator). It has no time-outs: silence is never
// proof. It is untrusted for safety and may run on several seats at once, each conversation with its own nonces.
// Messages may be lost, repeated and late: a signer repeats its last message until it hears more, and a repeated
// one of a pending seat is answered by its session again. A signer that restarts has lost its nonces; it commits
// anew with a larger boot number and leaves its session dead, `restartsMax` times: each costs one more session.

import type { Bytes32, Step } from "@causeway/primitives";
import { assert, isRejected, keyOf, must, stay } from "@causeway/primitives";
import { verifySchnorr } from "@causeway/primitives/secp256k1";
import { aggregate, aggregateNonces, isPublicNonce, verifyPartial } from "../frost/signing.ts";
import type { Commit, SessionOpen, Share } from "./message.ts";
import { hashCommit } from "./message.ts";
import type { Batch, Job } from "./session.ts";
import { assertJob, openBatch, sameConversation } from "./session.ts";

/** Restarts of one signer's process that a conversation follows. */
export const restartsMax = 3;

/** Sender's fault, provable to anyone who has the signed envelopes of these messages. */
export type Evidence =
  /** Not one well-formed nonce a message in `commit`. */
  | { readonly code: "bad-nonce"; readonly commit: Commit }
  /** Not one partial signature a message, or number `index` is wrong, for `commit` in the session `open`. */
  | {
      readonly code: "bad-share";
      readonly index: number;
      readonly open: SessionOpen;
      readonly commit: Commit;
      readonly share: Share;
    };

type Committed = { readonly commit: Commit; readonly hash: Bytes32 };

type Running = {
  readonly batch: Batch;
  readonly commits: ReadonlyMap<number, Commit>;
  /** By seat, one partial signature a message. */
  readonly shares: ReadonlyMap<number, readonly Uint8Array[]>;
};

export type State =
  | {
      readonly phase: "collecting";
      readonly job: Job;
      /** Newest boot of each seat heard, and how many times it changed. */
      readonly boots: ReadonlyMap<number, { readonly boot: number; readonly restarts: number }>;
      readonly ready: ReadonlyMap<number, Committed>;
      /** The session, by the key of its id, that each pending seat owes an answer. */
      readonly pending: ReadonlyMap<number, string>;
      readonly malicious: ReadonlySet<number>;
      readonly sessions: ReadonlyMap<string, Running>;
    }
  | { readonly phase: "done"; readonly job: Job; readonly signatures: readonly Uint8Array[] };

type Collecting = State & { readonly phase: "collecting" };

/** `seat` has been authenticated as the sender. */
export type Event =
  | { readonly kind: "committed"; readonly seat: number; readonly commit: Commit }
  | { readonly kind: "answered"; readonly seat: number; readonly share: Share };

export type Effect =
  /** Send the opening to these seats; again for one that seems to have lost it. */
  | {
      readonly kind: "open";
      readonly sid: Bytes32;
      readonly open: SessionOpen;
      readonly recipients: readonly number[];
    }
  /** One BIP340 signature of 64 bytes a message, verified. */
  | { readonly kind: "done"; readonly signatures: readonly Uint8Array[] }
  /** The sender of this step's event cheated; whatever else it sends here is ignored. */
  | { readonly kind: "malicious"; readonly seat: number; readonly evidence: Evidence };

export function initial(job: Job): State {
  assertJob(job);
  return {
    phase: "collecting",
    job,
    boots: new Map(),
    ready: new Map(),
    pending: new Map(),
    malicious: new Set(),
    sessions: new Map(),
  };
}

export function step(state: State, event: Event): Step<State, Effect> {
  if (state.phase === "done") return stay(state);
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
  const known = state.boots.get(seat);
  if (known !== undefined && commit.boot <= known.boot)
    return commit.boot === known.boot ? [state, openAgain(state, seat)] : stay(state);
  const restarts = known === undefined ? 0 : known.restarts + 1;
  if (restarts > restartsMax) return stay(state);
  const boots = new Map(state.boots).set(seat, { boot: commit.boot, restarts });
  return admit({ ...state, boots }, seat, commit);
}

/** The opening that a pending seat owes an answer to, for this seat alone. */
function openAgain(state: Collecting, seat: number): readonly Effect[] {
  const key = state.pending.get(seat);
  if (key === undefined) return [];
  const { batch } = must(state.sessions.get(key), "session of a pending seat");
  return [{ kind: "open", sid: batch.sid, open: batch.open, recipients: [seat] }];
}

/** The seat is ready with `commit`, in place of whatever it was; opens a session when t seats are. */
function admit(state: Collecting, seat: number, commit: Commit): Step<State, Effect> {
  const { job } = state;
  if (commit.nonces.length !== job.inputs.length || !commit.nonces.every(isPublicNonce))
    return mark(state, seat, { code: "bad-nonce", commit });
  const pending = new Map(state.pending);
  pending.delete(seat);
  const ready = new Map(state.ready).set(seat, { commit, hash: hashCommit(job.network, commit) });
  const next = { ...state, ready, pending };
  return ready.size === job.group.t ? open(next) : [next, []];
}

function mark(state: Collecting, seat: number, evidence: Evidence): Step<State, Effect> {
  const ready = new Map(state.ready);
  const pending = new Map(state.pending);
  ready.delete(seat);
  pending.delete(seat);
  const malicious = new Set(state.malicious).add(seat);
  return [{ ...state, ready, pending, malicious }, [{ kind: "malicious", seat, evidence }]];
}

function open(state: Collecting): Step<State, Effect> {
  const { job } = state;
  const list = [...state.ready].sort(([a], [b]) => a - b);
  const nonces = job.inputs.map((_, i) => {
    const parts = list.map(([seat, { commit }]) => ({
      seat,
      nonce: must(commit.nonces[i], "nonce"),
    }));
    const sum = aggregateNonces(parts);
    assert(!isRejected(sum), "an admitted nonce is malformed");
    return sum;
  });
  const { keyId, attempt, request, coordinator } = job;
  const opening: SessionOpen = {
    keyId,
    attempt,
    request,
    coordinator,
    number: state.sessions.size,
    signers: list.map(([seat, { hash }]) => ({ seat, commitment: hash })),
    nonces,
  };
  const batch = openBatch(job, opening);
  assert(!isRejected(batch), "own opening is refused: the job's key or tweak is wrong");
  const key = keyOf(batch.sid);
  const recipients = list.map(([seat]) => seat);
  const commits = new Map(list.map(([seat, { commit }]) => [seat, commit]));
  const sessions = new Map(state.sessions).set(key, { batch, commits, shares: new Map() });
  const pending = new Map(state.pending);
  for (const seat of recipients) pending.set(seat, key);
  const effect: Effect = { kind: "open", sid: batch.sid, open: opening, recipients };
  return [{ ...state, ready: new Map(), pending, sessions }, [effect]];
}

function onShare(state: Collecting, seat: number, share: Share): Step<State, Effect> {
  const key = keyOf(share.sid);
  const session = state.sessions.get(key);
  if (session === undefined) return stay(state);
  if (state.pending.get(seat) !== key)
    return session.shares.has(seat) ? [state, openAgain(state, seat)] : stay(state);
  const commit = must(session.commits.get(seat), "commitment of a pending seat");
  if (share.boot !== commit.boot) return stay(state);
  const index = wrongShare(session, seat, commit, share);
  if (index !== undefined)
    return mark(state, seat, {
      code: "bad-share",
      index,
      open: session.batch.open,
      commit,
      share,
    });
  const shares = new Map(session.shares).set(seat, share.shares);
  if (shares.size === session.commits.size) return finish(state, session.batch, shares);
  const sessions = new Map(state.sessions).set(key, { ...session, shares });
  const { keyId, attempt, request, coordinator, boot, nonces } = share;
  const next = { keyId, attempt, request, coordinator, seat, boot, nonces };
  return admit({ ...state, sessions }, seat, next);
}

/** The index of the first partial signature that is missing, too many or wrong. */
function wrongShare(
  session: Running,
  seat: number,
  commit: Commit,
  share: Share,
): number | undefined {
  const { sessions } = session.batch;
  if (share.shares.length !== sessions.length)
    return Math.min(share.shares.length, sessions.length);
  const index = sessions.findIndex(
    (one, i) =>
      !verifyPartial(
        one,
        seat,
        must(commit.nonces[i], "nonce"),
        must(share.shares[i], "partial signature"),
      ),
  );
  return index < 0 ? undefined : index;
}

function finish(
  state: Collecting,
  batch: Batch,
  shares: ReadonlyMap<number, readonly Uint8Array[]>,
): Step<State, Effect> {
  const signatures = batch.sessions.map((session, i) => {
    const partials = new Map(
      [...shares].map(([seat, list]) => [seat, must(list[i], "partial signature")]),
    );
    const signature = aggregate(session, partials);
    assert(!isRejected(signature), "verified partial signatures do not add up");
    assert(
      verifySchnorr(session.key, session.message, signature),
      "a signature of verified partial signatures does not verify",
    );
    return signature;
  });
  return [{ phase: "done", job: state.job, signatures }, [{ kind: "done", signatures }]];
}
