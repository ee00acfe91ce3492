import { taprootTweak } from "@causeway/chain-core/ring";
import type { Random, Rejected } from "@causeway/primitives";
import { bytes32, isRejected, keyOf, must, seeded, sha256, utf8 } from "@causeway/primitives";
import { scalarBytes } from "@causeway/primitives/secp256k1";
import { schnorr } from "@noble/curves/secp256k1.js";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TestRing } from "../frost/testing.ts";
import { generateRing } from "../frost/testing.ts";
import * as roast from "./coordinator.ts";
import type { Commit, SessionOpen, Share } from "./message.ts";
import { commitCodec, messagesMax, sessionOpenCodec, shareCodec } from "./message.ts";
import type { NoncePool } from "./participant.ts";
import {
  checkOpen,
  dropNonces,
  emptyPool,
  heldPerCoordinatorMax,
  makeCommit,
  makeShare,
  takeNonces,
} from "./participant.ts";
import type { Job } from "./session.ts";
import { openBatch } from "./session.ts";

function accepted<T>(value: T): Exclude<T, Rejected> {
  if (isRejected(value)) throw new Error(`${value.code}: ${value.message}`);
  return value as Exclude<T, Rejected>;
}

const rings = new Map(
  [
    [3, 4],
    [7, 10],
  ].map(([t = 0, n = 0]) => [n, generateRing(n, t, seeded(n))]),
);
const ringOf = (n: number): TestRing => must(rings.get(n), "ring");

/** One untweaked message and two under different tweaks: a canary and two inputs. */
function jobOf(ring: TestRing): Job {
  const message = (text: string) => sha256(utf8(text));
  const { thresholdPoint } = ring.group;
  return {
    network: ring.params.network,
    keyId: 1,
    attempt: 0,
    request: bytes32(new Uint8Array(32).fill(7)),
    coordinator: 2,
    group: ring.group,
    inputs: [
      { message: message("a"), tweaks: [] },
      { message: message("b"), tweaks: [taprootTweak(thresholdPoint)] },
      { message: message("c"), tweaks: [taprootTweak(thresholdPoint, message("root"))] },
    ],
  };
}

type Behaviour = "honest" | "silent" | "bad-share" | "bad-next" | "short";

/** A signer as the guard would drive it: it repeats its last message until it hears more. */
class Signer {
  readonly seat: number;
  last: roast.Event;
  boot = 1;
  #pool: NoncePool = emptyPool;
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
    this.boot += 1;
    this.last = this.#committed();
  }

  answer(open: SessionOpen, behaviour: Behaviour): roast.Event | undefined {
    if (behaviour === "silent") return undefined;
    const checked = accepted(checkOpen(this.#job, this.seat, open));
    const taken = takeNonces(this.#pool, checked.commitment);
    if (isRejected(taken)) return this.last;
    this.#pool = taken.pool;
    const secret = must(this.#ring.shares[this.seat], "share");
    const share = makeShare(checked, this.seat, secret, taken.nonces, this.#fresh());
    this.last = { kind: "answered", seat: this.seat, share: spoil(share, behaviour) };
    return this.last;
  }
}

function spoil(share: Share, behaviour: Behaviour): Share {
  if (behaviour === "bad-share")
    return { ...share, shares: share.shares.map((one, i) => (i === 1 ? scalarBytes(5n) : one)) };
  if (behaviour === "bad-next")
    return { ...share, nonces: share.nonces.map(() => new Uint8Array(66)) };
  if (behaviour === "short") return { ...share, shares: share.shares.slice(1) };
  return share;
}

type Outcome = { sessions: number; malicious: number[]; signatures: readonly Uint8Array[] };

function expectSigned(job: Job, ring: TestRing, signatures: readonly Uint8Array[]): void {
  expect(signatures.length).toBe(job.inputs.length);
  const nonce = new Uint8Array(66);
  const open = openBatch(job, {
    keyId: job.keyId,
    attempt: job.attempt,
    request: job.request,
    coordinator: job.coordinator,
    number: 0,
    signers: [...Array(ring.group.t).keys()].map((seat) => ({ seat, commitment: nonce.slice(34) })),
    nonces: job.inputs.map(() => nonce),
  });
  for (const [i, { key, message }] of accepted(open).sessions.entries())
    expect(schnorr.verify(must(signatures[i], "signature"), message, key)).toBe(true);
}

/**
 * The worst adaptive adversary: in every session it lets all answer, but for one cheater, the last, that spoils it
 * (ROAST, section 4). The cheaters are always the first to be ready.
 */
function worstCase(ring: TestRing, cheaters: readonly number[], behaviour: Behaviour): Outcome {
  const job = jobOf(ring);
  const random = seeded(99);
  const signers = [...ring.shares.keys()].map((seat) => new Signer(ring, job, seat, random));
  const spent = new Set<number>();
  const outcome: Outcome = { sessions: 0, malicious: [], signatures: [] };
  let state = roast.initial(job);
  const order = [...signers].sort(
    (a, b) => Number(cheaters.includes(b.seat)) - Number(cheaters.includes(a.seat)),
  );
  const queue = order.map(({ last }) => last);
  for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
    const [next, effects] = roast.step(state, event);
    state = next;
    for (const effect of effects) {
      if (effect.kind === "malicious") outcome.malicious.push(effect.seat);
      if (effect.kind === "done") outcome.signatures = effect.signatures;
      if (effect.kind !== "open") continue;
      outcome.sessions += 1;
      const spoiler = effect.recipients.find((seat) => cheaters.includes(seat) && !spent.has(seat));
      if (spoiler !== undefined) spent.add(spoiler);
      for (const seat of effect.recipients) {
        const how = seat === spoiler ? behaviour : "honest";
        const answer = must(signers[seat], "signer").answer(effect.open, how);
        if (answer === undefined) continue;
        // Cheaters that play along answer at once, to be ready for the next session too.
        if (cheaters.includes(seat)) queue.unshift(answer);
        else queue.push(answer);
      }
    }
  }
  return outcome;
}

describe("ROAST", () => {
  test.each<[number, Behaviour]>([
    [4, "silent"],
    [4, "bad-share"],
    [10, "silent"],
    [10, "bad-share"],
    [10, "short"],
    [10, "bad-next"],
  ])("of %i seats ends within n - t + 1 sessions against n - t that are %s", (n, behaviour) => {
    const ring = ringOf(n);
    const { t } = ring.group;
    const cheaters = [...Array(n - t).keys()];
    const outcome = worstCase(ring, cheaters, behaviour);
    expectSigned(jobOf(ring), ring, outcome.signatures);
    // A cheater whose shares are right spoils no session: it only names itself.
    if (behaviour === "bad-next") expect(outcome.sessions).toBeLessThanOrEqual(n - t + 1);
    else expect(outcome.sessions).toBe(n - t + 1);
    if (behaviour === "silent") expect(outcome.malicious).toEqual([]);
    else for (const seat of outcome.malicious) expect(cheaters).toContain(seat);
    if (behaviour === "bad-share" || behaviour === "short")
      expect([...outcome.malicious].sort()).toEqual(cheaters);
  });

  test("ends under loss, duplication, reordering and any n - t cheaters, and flags only them", () => {
    const behaviours = fc.constantFrom<Behaviour>("silent", "bad-share", "bad-next", "short");
    const property = fc.property(
      fc.constantFrom(4, 10),
      fc.integer(),
      fc.array(behaviours, { minLength: 3, maxLength: 3 }),
      (n, seed, kinds) => {
        const ring = ringOf(n);
        const random = seeded(seed);
        const cheaters = new Map<number, Behaviour>();
        for (const kind of kinds.slice(0, n - ring.group.t)) cheaters.set(random.below(n), kind);
        const outcome = runChaos(ring, cheaters, random, 0);
        expectSigned(jobOf(ring), ring, outcome.signatures);
        expect(outcome.sessions).toBeLessThanOrEqual(n - ring.group.t + 1);
        for (const seat of outcome.malicious) expect(cheaters.has(seat)).toBe(true);
      },
    );
    void fc.assert(property, { numRuns: 25 });
  });

  test("follows signers that restart: each restart costs at most one session more", () => {
    for (let seed = 0; seed < 10; seed++) {
      const ring = ringOf(4);
      const outcome = runChaos(ring, new Map(), seeded(seed), 3);
      expectSigned(jobOf(ring), ring, outcome.signatures);
      expect(outcome.sessions).toBeLessThanOrEqual(2 + 3);
      expect(outcome.malicious).toEqual([]);
    }
  });
});

/** Random delivery with loss and duplication; when nothing is in flight every live signer repeats itself. */
function runChaos(
  ring: TestRing,
  cheaters: ReadonlyMap<number, Behaviour>,
  random: Random,
  restarts: number,
): Outcome {
  const job = jobOf(ring);
  const signers = [...ring.shares.keys()].map((seat) => new Signer(ring, job, seat, random));
  const outcome: Outcome = { sessions: 0, malicious: [], signatures: [] };
  const opened = new Set<string>();
  let state = roast.initial(job);
  let flight: (roast.Event | { kind: "opening"; seat: number; open: SessionOpen })[] = [];
  let left = restarts;
  for (let tick = 0; tick < 20_000 && state.phase !== "done"; tick++) {
    if (flight.length === 0) flight = signers.map(({ last }) => last);
    const index = random.below(flight.length);
    const message = must(flight[index], "message in flight");
    if (!random.chance(0.1)) flight.splice(index, 1);
    if (random.chance(0.2)) continue;
    if (left > 0 && random.chance(0.1)) {
      left -= 1;
      must(signers[random.below(signers.length)], "signer").restart();
    }
    if (message.kind === "opening") {
      const how = cheaters.get(message.seat) ?? "honest";
      const answer = must(signers[message.seat], "signer").answer(message.open, how);
      if (answer !== undefined) flight.push(answer);
      continue;
    }
    const [next, effects] = roast.step(state, message);
    state = next;
    for (const effect of effects) {
      if (effect.kind === "malicious") outcome.malicious.push(effect.seat);
      if (effect.kind === "done") outcome.signatures = effect.signatures;
      if (effect.kind !== "open") continue;
      opened.add(keyOf(effect.sid));
      for (const seat of effect.recipients)
        flight.push({ kind: "opening", seat, open: effect.open });
    }
  }
  outcome.sessions = opened.size;
  return outcome;
}

describe("a coordinator", () => {
  const ring = ringOf(4);
  const job = jobOf(ring);
  const commitOf = (seat: number, boot: number = 1): Commit => {
    const share = must(ring.shares[seat], "share");
    const entropy = new Uint8Array(32).fill(seat + 16 * boot);
    return accepted(makeCommit(emptyPool, job, seat, boot, share, entropy)).commit;
  };
  const committed = (seat: number, commit: Commit): roast.Event => ({
    kind: "committed",
    seat,
    commit,
  });
  const start = roast.initial(job);

  test("ignores a stranger, another's commitment and another conversation", () => {
    const commit = commitOf(1);
    for (const event of [
      committed(9, { ...commit, seat: 9 }),
      committed(0, commit),
      committed(1, { ...commit, keyId: 2 }),
      committed(1, { ...commit, attempt: 1 }),
      committed(1, { ...commit, coordinator: 0 }),
      committed(1, { ...commit, request: new Uint8Array(32) }),
    ])
      expect(roast.step(start, event)).toEqual([start, []]);
  });

  test("names a seat whose nonces are malformed, and hears it no more", () => {
    const commit = { ...commitOf(1), nonces: [new Uint8Array(66)] };
    const [state, effects] = roast.step(start, committed(1, commit));
    expect(effects).toEqual([
      { kind: "malicious", seat: 1, evidence: { code: "bad-nonce", commit } },
    ]);
    expect(roast.step(state, committed(1, commitOf(1, 2)))).toEqual([state, []]);
  });

  test("takes a repeated commitment once and a restarted signer's in its place, three times", () => {
    let [state] = roast.step(start, committed(1, commitOf(1)));
    expect(roast.step(state, committed(1, commitOf(1)))).toEqual([state, []]);
    for (const boot of [2, 3, 4]) {
      [state] = roast.step(state, committed(1, commitOf(1, boot)));
      expect(state).toMatchObject({ phase: "collecting" });
      if (state.phase === "collecting") expect(state.ready.get(1)?.commit.boot).toBe(boot);
    }
    expect(roast.step(state, committed(1, commitOf(1, 5)))).toEqual([state, []]);
    expect(roast.step(state, committed(1, commitOf(1, 2)))).toEqual([state, []]);
  });

  test("ignores an answer that names another boot or session", () => {
    let state: roast.State = start;
    let effects: readonly roast.Effect[] = [];
    for (const seat of [0, 1, 3])
      [state, effects] = roast.step(state, committed(seat, commitOf(seat)));
    const opening = must(effects[0], "opening");
    if (opening.kind !== "open") throw new Error("no opening");
    const commit = commitOf(1);
    const shares = job.inputs.map(() => scalarBytes(5n));
    const share: Share = { ...commit, sid: opening.sid, shares };
    const answered = (one: Share): roast.Event => ({ kind: "answered", seat: 1, share: one });
    expect(roast.step(state, answered({ ...share, boot: 9 }))).toEqual([state, []]);
    expect(roast.step(state, answered({ ...share, sid: job.request }))).toEqual([state, []]);
    const [, [first]] = roast.step(state, answered(share));
    expect(first).toMatchObject({
      kind: "malicious",
      seat: 1,
      evidence: { code: "bad-share", index: 0, open: opening.open, commit, share },
    });
  });

  test("sends its opening again to a pending seat that repeats itself", () => {
    let state: roast.State = start;
    let effects: readonly roast.Effect[] = [];
    for (const seat of [0, 1, 3])
      [state, effects] = roast.step(state, committed(seat, commitOf(seat)));
    const first = must(effects[0], "opening");
    expect(first).toMatchObject({ kind: "open", recipients: [0, 1, 3] });
    const [, again] = roast.step(state, committed(3, commitOf(3)));
    expect(again).toEqual([{ ...first, recipients: [3] }]);
  });
});

describe("a signer", () => {
  const ring = ringOf(4);
  const job = jobOf(ring);
  const made = [0, 1, 3].map((seat) => {
    const share = must(ring.shares[seat], "share");
    return accepted(makeCommit(emptyPool, job, seat, 1, share, sha256(Uint8Array.of(seat))));
  });
  const own = must(made[0], "own commitment");
  let state = roast.initial(job);
  let open: SessionOpen | undefined;
  for (const { commit } of made) {
    const [next, effects] = roast.step(state, { kind: "committed", seat: commit.seat, commit });
    state = next;
    for (const effect of effects) if (effect.kind === "open") open = effect.open;
  }
  const opening = must(open, "opening");

  test("takes the nonces of a commitment once", () => {
    const taken = accepted(takeNonces(own.pool, own.hash));
    expect(taken.nonces.secrets.length).toBe(job.inputs.length);
    expect(takeNonces(taken.pool, own.hash)).toMatchObject({ code: "unknown-nonce" });
    const checked = accepted(checkOpen(job, 0, opening));
    const next = { ...own.commit, boot: 1 };
    makeShare(checked, 0, must(ring.shares[0], "share"), taken.nonces, next);
    expect(taken.nonces.secrets.every((secret) => secret.every((byte) => byte === 0))).toBe(true);
    expect(() =>
      makeShare(checked, 0, must(ring.shares[0], "share"), taken.nonces, next),
    ).toThrow();
  });

  test.each<[string, string, Partial<SessionOpen>]>([
    ["another key", "wrong-conversation", { keyId: 9 }],
    ["another epoch of its shares", "wrong-conversation", { attempt: 1 }],
    ["another request", "wrong-conversation", { request: new Uint8Array(32) }],
    ["a nonce too few", "bad-length", { nonces: opening.nonces.slice(1) }],
    ["a malformed nonce", "bad-nonce", { nonces: opening.nonces.map((n) => n.map(() => 5)) }],
    ["too few signers", "bad-count", { signers: opening.signers.slice(0, 2) }],
    ["signers out of order", "bad-order", { signers: [...opening.signers].reverse() }],
    [
      "a signer twice",
      "duplicate-seat",
      { signers: [...opening.signers.slice(0, 1), ...opening.signers] },
    ],
    ["other signers", "not-a-signer", { signers: opening.signers.slice(1) }],
  ])("refuses an opening with %s", (_, code, change) => {
    expect(checkOpen(job, 0, { ...opening, ...change })).toMatchObject({ code });
  });

  test("is in another session when message, tweak, signer or nonce differ", () => {
    const other = { ...job, inputs: [...job.inputs].reverse() };
    const renumbered = { ...opening, number: 1 };
    const sids = [
      accepted(openBatch(job, opening)),
      accepted(openBatch(other, opening)),
      accepted(openBatch(job, renumbered)),
    ].map(({ sid }) => keyOf(sid));
    expect(new Set(sids).size).toBe(3);
  });

  test("holds a bounded number of commitments for a coordinator, and drops them on demand", () => {
    const share = must(ring.shares[0], "share");
    let pool = emptyPool;
    for (let i = 0; i < heldPerCoordinatorMax; i++)
      pool = accepted(makeCommit(pool, job, 0, 1, share, sha256(Uint8Array.of(i)))).pool;
    const more = (one: Job) => makeCommit(pool, one, 0, 1, share, new Uint8Array(32));
    expect(more(job)).toMatchObject({ code: "pool-full" });
    expect(more({ ...job, coordinator: 3 })).not.toHaveProperty("code");
    const secrets = [...pool.values()].flatMap((held) => held.secrets);
    const kept = dropNonces(pool, ({ coordinator }) => coordinator === job.coordinator);
    expect(kept.size).toBe(0);
    expect(secrets.every((secret) => secret.every((byte) => byte === 0))).toBe(true);
  });

  test("speaks in bounded bytes that survive their codecs, and refuses hostile ones", () => {
    expect(commitCodec.parse(commitCodec.encode(own.commit))).toEqual(own.commit);
    expect(sessionOpenCodec.parse(sessionOpenCodec.encode(opening))).toEqual(opening);
    const many = Array.from({ length: messagesMax }, () => new Uint8Array(66));
    const shares = many.map(() => new Uint8Array(32));
    const { nonces: _, ...rest } = own.commit;
    const largest: Share = { ...rest, sid: new Uint8Array(32), shares, nonces: many };
    expect(shareCodec.encode(largest).length).toBe(shareCodec.sizeMax);
    const { keyId, attempt, request, coordinator } = opening;
    const signers = Array.from({ length: 150 }, (_, seat) => ({ seat, commitment: own.hash }));
    const widest = { keyId, attempt, request, coordinator, number: 0, signers, nonces: many };
    expect(sessionOpenCodec.encode(widest).length).toBe(sessionOpenCodec.sizeMax);
    expect(commitCodec.encode({ ...own.commit, nonces: many }).length).toBe(commitCodec.sizeMax);
    // A boot of 2^53, which a number cannot hold safely: encode would assert on it later.
    const bytes = commitCodec.encode(own.commit);
    bytes.set([0, 0, 0, 0, 0, 0, 0x20, 0], 44);
    expect(commitCodec.parse(bytes)).toMatchObject({ code: "bad-bytes" });
    expect(shareCodec.parse(new Uint8Array(shareCodec.sizeMax + 1))).toMatchObject({
      code: "bad-bytes",
    });
  });
});
