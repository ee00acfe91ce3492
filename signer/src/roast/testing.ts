// ROAST under an adversary, for tests: the real coordinators and signers of one request, a network that loses,
// repeats and reorders, members that crash, cheat, come late, and coordinators that lie. Every run ends in a check of
// what must hold whatever they do.
import { taprootTweak } from "@causeway/chain-core/ring";
import type { Random, Rejected } from "@causeway/primitives";
import { assert, bytes32, isRejected, keyOf, must, sha256, utf8 } from "@causeway/primitives";
import { scalarBytes, verifySchnorr } from "@causeway/primitives/secp256k1";
import type { TestRing } from "../frost/testing.ts";
import * as roast from "./coordinator.ts";
import type { Commit, SessionOpen, Share } from "./message.ts";
import type { NoncePool } from "./participant.ts";
import { checkOpen, emptyPool, makeCommit, makeShare, takeNonces } from "./participant.ts";
import type { Job } from "./session.ts";
import { openBatch } from "./session.ts";

/**
 * As a signer. "late" answers only when nothing else is on its way; "absent" is never there; "silent" commits and
 * stops; "bad-share" is wrong in one message, "bad-nonce" in its next commitment, "short" in the number of
 * messages; "fickle" is silent, wrong or honest as it likes.
 */
export type Behaviour =
  | "honest"
  | "late"
  | "absent"
  | "silent"
  | "bad-share"
  | "bad-nonce"
  | "short"
  | "fickle";

/**
 * As a coordinator. "equivocates" shows each seat another list; "wrong-sum" a sum of nonces that is none;
 * "wrong-list" a list with a commitment swapped; "renumbers" opens what it wants under one number;
 * "other-request" names another request, key or epoch.
 */
export type Lie =
  | "none"
  | "silent"
  | "equivocates"
  | "wrong-sum"
  | "wrong-list"
  | "renumbers"
  | "other-request";

export const faults: readonly Behaviour[] = [
  "absent",
  "silent",
  "bad-share",
  "bad-nonce",
  "short",
  "fickle",
];
export const lies: readonly Lie[] = [
  "silent",
  "equivocates",
  "wrong-sum",
  "wrong-list",
  "renumbers",
  "other-request",
];

export function accepted<T>(value: T): Exclude<T, Rejected> {
  if (isRejected(value)) throw new Error(`${value.code}: ${value.message}`);
  return value as Exclude<T, Rejected>;
}

/** One untweaked message, then some under different tweaks: a canary and inputs. */
export function jobOf(ring: TestRing, coordinator: number, messages: number = 3): Job {
  const { thresholdPoint } = ring.group;
  const tweaks = [
    [],
    [taprootTweak(thresholdPoint)],
    [taprootTweak(thresholdPoint, sha256(utf8("root")))],
  ];
  return {
    network: ring.params.network,
    keyId: 1,
    attempt: 0,
    request: bytes32(new Uint8Array(32).fill(7)),
    coordinator,
    group: ring.group,
    inputs: Array.from({ length: messages }, (_, i) => ({
      message: sha256(utf8(`message ${i}`)),
      tweaks: must(tweaks[i % 3], "tweaks"),
    })),
  };
}

/** A signer in one conversation: it repeats its last message until it hears more. */
export class TestSigner {
  readonly seat: number;
  last: roast.Event;
  boot = 1;
  /** By the hash of each commitment: the sessions that its nonces signed in. */
  readonly used: Map<string, Set<string>> = new Map();
  #pool: NoncePool = emptyPool;
  #answered: number | undefined;
  readonly #ring: TestRing;
  readonly #job: Job;
  readonly #random: Random;

  constructor(ring: TestRing, job: Job, seat: number, random: Random) {
    this.seat = seat;
    this.#ring = ring;
    this.#job = job;
    this.#random = random;
    this.last = this.#committed();
  }

  #committed(): roast.Event {
    return { kind: "committed", seat: this.seat, commit: this.#fresh() };
  }

  #fresh(): Commit {
    const share = must(this.#ring.shares[this.seat], "share");
    const entropy = this.#random.bytes(32);
    const made = accepted(makeCommit(this.#pool, this.#job, this.seat, this.boot, share, entropy));
    this.#pool = made.pool;
    return made.commit;
  }

  /** The process died: nonces are gone. */
  restart(): void {
    this.#pool = emptyPool;
    this.#answered = undefined;
    this.boot += 1;
    this.last = this.#committed();
  }

  /** What it says to an opening; its last word where it has been answered, nothing where it is refused. */
  answer(open: SessionOpen, behaviour: Behaviour): roast.Event | undefined {
    if (behaviour === "silent" || behaviour === "absent") return undefined;
    const checked = checkOpen(this.#job, this.seat, open, this.#answered);
    if (isRejected(checked)) return checked.code === "old-session" ? this.last : undefined;
    const taken = takeNonces(this.#pool, checked.commitment);
    if (isRejected(taken)) return undefined;
    this.#pool = taken.pool;
    this.#answered = open.number;
    const key = keyOf(checked.commitment);
    this.used.set(key, (this.used.get(key) ?? new Set()).add(keyOf(checked.batch.sid)));
    const secret = must(this.#ring.shares[this.seat], "share");
    const hostSecret = must(this.#ring.hostSecrets[this.seat], "host secret");
    const host = { secret: hostSecret, aux: this.#random.bytes(32) };
    const share = makeShare(checked, this.seat, secret, taken.nonces, this.#fresh(), host);
    this.last = { kind: "answered", seat: this.seat, share: spoil(share, behaviour) };
    return this.last;
  }
}

function spoil(share: Share, behaviour: Behaviour): Share {
  const { shares, nonces } = share;
  const index = Math.min(1, shares.length - 1);
  if (behaviour === "bad-share")
    return { ...share, shares: shares.map((one, i) => (i === index ? scalarBytes(5n) : one)) };
  if (behaviour === "bad-nonce") return { ...share, nonces: nonces.map(() => new Uint8Array(66)) };
  if (behaviour === "short") return { ...share, shares: shares.slice(1) };
  return share;
}

export type Outcome = {
  /** Sessions of each coordinator. */
  readonly sessions: ReadonlyMap<number, number>;
  readonly malicious: ReadonlySet<number>;
  readonly signatures: readonly Uint8Array[] | undefined;
  /** The coordinator that finished. */
  readonly by: number | undefined;
};

export function assertSigned(job: Job, signatures: readonly Uint8Array[]): void {
  assert(signatures.length === job.inputs.length, "not one signature a message");
  const nonce = new Uint8Array(66);
  const { keyId, attempt, request, coordinator, group } = job;
  const signers = [...group.shares.keys()].slice(0, group.t);
  const open = openBatch(job, {
    ...{ keyId, attempt, request, coordinator, number: 0 },
    signers: signers.map((seat) => ({ seat, commitment: nonce.slice(34) })),
    nonces: job.inputs.map(() => nonce),
  });
  for (const [i, { key, message }] of accepted(open).sessions.entries())
    assert(verifySchnorr(key, message, must(signatures[i], "signature")), "a wrong signature");
}

/**
 * The worst adaptive adversary: its members are the first to be ready, and in each session all answer but one of them,
 * which spoils it (ROAST, section 4).
 */
export function worstCase(
  ring: TestRing,
  cheaters: readonly number[],
  behaviour: Behaviour,
  random: Random,
  messages: number = 3,
): Outcome {
  const job = jobOf(ring, 0, messages);
  const signers = [...ring.shares.keys()].map((seat) => new TestSigner(ring, job, seat, random));
  const isCheater = new Set(cheaters);
  const spent = new Set<number>();
  const malicious = new Set<number>();
  let sessions = 0;
  let signatures: readonly Uint8Array[] | undefined;
  let state = roast.initial(job);
  const [hostile, honest] = [true, false].map((of) =>
    signers.filter(({ seat }) => isCheater.has(seat) === of),
  );
  const queue = [...(hostile ?? []), ...(honest ?? [])].map(({ last }) => last);
  let isWaiting = false;
  while (state.phase !== "done") {
    const event: roast.Event | undefined =
      queue.shift() ?? (isWaiting ? { kind: "waited" } : undefined);
    if (event === undefined) break;
    if (event.kind === "waited") isWaiting = false;
    const [next, effects] = roast.step(state, event);
    state = next;
    for (const effect of effects) {
      if (effect.kind === "malicious") malicious.add(effect.seat);
      if (effect.kind === "done") signatures = effect.signatures;
      if (effect.kind === "wait") isWaiting = true;
      if (effect.kind !== "open") continue;
      sessions += 1;
      const spoiler = effect.recipients.find((seat) => isCheater.has(seat) && !spent.has(seat));
      if (spoiler !== undefined) spent.add(spoiler);
      for (const seat of effect.recipients) {
        const how = seat === spoiler ? behaviour : "honest";
        const answer = must(signers[seat], "signer").answer(effect.open, how);
        if (answer === undefined) continue;
        // Cheaters that play along answer at once, to be ready for the next session too.
        if (isCheater.has(seat)) queue.unshift(answer);
        else queue.push(answer);
      }
    }
  }
  return { sessions: new Map([[0, sessions]]), malicious, signatures, by: 0 };
}

/** By seat; a seat that is in neither is honest. */
export type Adversary = {
  readonly signers: ReadonlyMap<number, Behaviour>;
  readonly coordinators: ReadonlyMap<number, Lie>;
  /** Restarts of honest signers. */
  readonly restarts: number;
};

type Flight = {
  readonly coordinator: number;
  readonly message:
    | roast.Event
    | { readonly kind: "opening"; readonly seat: number; readonly open: SessionOpen };
};

type Conversation = {
  readonly signers: Map<number, TestSigner>;
  state: roast.State;
  sessions: number;
};

/**
 * Random delivery with loss and repetition. Whenever nothing is on its way, everybody repeats itself and one more
 * seat has its turn as coordinator, from `first` on.
 */
export function chaos(
  ring: TestRing,
  adversary: Adversary,
  random: Random,
  first: number,
  messages: number = 3,
): Outcome {
  const run = new Chaos(ring, adversary, random, messages);
  for (let turn = 0; run.by === undefined && turn < 400; turn++) {
    run.begin((first + turn) % ring.group.n);
    run.drain();
  }
  return run.outcome();
}

class Chaos {
  by: number | undefined;
  #signatures: readonly Uint8Array[] | undefined;
  #flight: Flight[] = [];
  #restarts: number;
  readonly #malicious = new Set<number>();
  readonly #conversations = new Map<number, Conversation>();
  readonly #ring: TestRing;
  readonly #adversary: Adversary;
  readonly #random: Random;
  readonly #messages: number;

  constructor(ring: TestRing, adversary: Adversary, random: Random, messages: number) {
    this.#ring = ring;
    this.#adversary = adversary;
    this.#random = random;
    this.#messages = messages;
    this.#restarts = adversary.restarts;
  }

  outcome(): Outcome {
    const sessions = new Map([...this.#conversations].map(([seat, one]) => [seat, one.sessions]));
    for (const { signers } of this.#conversations.values())
      for (const { used } of signers.values())
        for (const sids of used.values()) assert(sids.size === 1, "a nonce signed twice");
    return { sessions, malicious: this.#malicious, signatures: this.#signatures, by: this.by };
  }

  #behaviour(seat: number): Behaviour {
    const behaviour = this.#adversary.signers.get(seat) ?? "honest";
    return behaviour === "fickle"
      ? this.#random.pick(["honest", "silent", "bad-share"])
      : behaviour;
  }

  /** The seat's turn: whoever is there commits to it. Everybody else repeats itself. */
  begin(coordinator: number): void {
    if (!this.#conversations.has(coordinator)) {
      const job = jobOf(this.#ring, coordinator, this.#messages);
      const signers = new Map<number, TestSigner>();
      for (const seat of this.#ring.shares.keys())
        if (this.#adversary.signers.get(seat) !== "absent")
          signers.set(seat, new TestSigner(this.#ring, job, seat, this.#random));
      this.#conversations.set(coordinator, { signers, state: roast.initial(job), sessions: 0 });
    }
    for (const [seat, { signers }] of this.#conversations)
      for (const { last } of signers.values())
        this.#flight.push({ coordinator: seat, message: last });
  }

  drain(): void {
    for (let i = 0; i < 20_000 && this.#flight.length > 0 && this.by === undefined; i++) {
      const { length } = this.#flight;
      const index = this.#random.below(length);
      const flight = must(this.#flight[index], "message in flight");
      if (!this.#random.chance(0.1)) {
        this.#flight[index] = must(this.#flight[length - 1], "last");
        this.#flight.pop();
      }
      if (flight.message.kind !== "waited" && this.#random.chance(0.2)) continue;
      if (this.#isHeldBack(flight)) continue;
      this.#restartOne(flight.coordinator);
      if (flight.message.kind === "opening") this.#sign(flight.coordinator, flight.message);
      else this.#coordinate(flight.coordinator, flight.message);
    }
  }

  /** A late seat's word comes when everybody else's has. */
  #isHeldBack(flight: Flight): boolean {
    const { message } = flight;
    const isLate = "seat" in message && this.#adversary.signers.get(message.seat) === "late";
    if (!isLate || this.#flight.length < this.#ring.group.n || this.#random.chance(0.2))
      return false;
    this.#flight.push(flight);
    return true;
  }

  #restartOne(coordinator: number): void {
    if (this.#restarts === 0 || !this.#random.chance(0.1)) return;
    this.#restarts -= 1;
    const seat = this.#random.below(this.#ring.group.n);
    this.#conversations.get(coordinator)?.signers.get(seat)?.restart();
  }

  #sign(coordinator: number, { seat, open }: { seat: number; open: SessionOpen }): void {
    const signer = this.#conversations.get(coordinator)?.signers.get(seat);
    const message = signer?.answer(open, this.#behaviour(seat));
    if (message !== undefined) this.#flight.push({ coordinator, message });
  }

  #coordinate(coordinator: number, event: roast.Event): void {
    const conversation = must(this.#conversations.get(coordinator), "conversation");
    const [next, effects] = roast.step(conversation.state, event);
    conversation.state = next;
    const lie = this.#adversary.coordinators.get(coordinator) ?? "none";
    for (const effect of effects) {
      if (effect.kind === "wait") this.#flight.push({ coordinator, message: { kind: "waited" } });
      if (effect.kind === "malicious" && lie === "none") this.#malicious.add(effect.seat);
      if (effect.kind === "done") {
        this.by = coordinator;
        this.#signatures = effect.signatures;
      }
      if (effect.kind !== "open") continue;
      if (effect.recipients.length > 1) conversation.sessions += 1;
      for (const seat of effect.recipients) {
        const open = this.#told(effect.open, lie);
        if (open !== undefined)
          this.#flight.push({ coordinator, message: { kind: "opening", seat, open } });
      }
    }
  }

  /** What a coordinator shows one seat of its opening. */
  #told(open: SessionOpen, lie: Lie): SessionOpen | undefined {
    const bytes = this.#random.bytes(32);
    const [first] = open.nonces;
    const strangers = open.signers.map(({ seat }) => ({ seat, commitment: bytes }));
    const swapped = open.signers.with(0, { ...must(open.signers[0], "signer"), commitment: bytes });
    switch (lie) {
      case "none":
        return open;
      case "silent":
        return undefined;
      case "equivocates":
        return { ...open, signers: swapped };
      case "wrong-sum":
        return { ...open, nonces: open.nonces.map(() => must(first, "nonce")) };
      case "wrong-list":
        return { ...open, signers: this.#random.chance(0.5) ? strangers : open.signers.slice(1) };
      case "renumbers":
        return { ...open, number: this.#random.pick([0, 1, 60_000]) };
      case "other-request":
        return this.#random.pick([
          { ...open, request: bytes },
          { ...open, keyId: 2 },
          { ...open, attempt: 1 },
        ]);
    }
  }
}
