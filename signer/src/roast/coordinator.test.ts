import { keyOf, must, seeded, sha256 } from "@causeway/primitives";
import { scalarBytes } from "@causeway/primitives/secp256k1";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TestRing } from "../frost/testing.ts";
import { generateRing } from "../frost/testing.ts";
import * as roast from "./coordinator.ts";
import type { Commit, SessionOpen, Share } from "./message.ts";
import { commitCodec, messagesMax, sessionOpenCodec, shareCodec } from "./message.ts";
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
import { openBatch, sessionsMax } from "./session.ts";
import type { Behaviour, Lie } from "./testing.ts";
import { accepted, assertSigned, chaos, faults, jobOf, lies, worstCase } from "./testing.ts";

const rings = new Map(
  [
    [3, 4],
    [7, 10],
  ].map(([t = 0, n = 0]) => [n, generateRing(n, t, seeded(n))]),
);
const unproved = new Uint8Array(64);
const ringOf = (n: number): TestRing => must(rings.get(n), "ring");

describe("ROAST", () => {
  test.each<[number, Behaviour]>([
    [4, "silent"],
    [4, "bad-share"],
    [10, "silent"],
    [10, "bad-share"],
    [10, "short"],
    [10, "bad-nonce"],
  ])("of %i seats ends within n - t + 1 sessions against n - t that are %s", (n, behaviour) => {
    const ring = ringOf(n);
    const { t } = ring.group;
    const cheaters = [...Array(n - t).keys()];
    const outcome = worstCase(ring, cheaters, behaviour, seeded(99));
    assertSigned(jobOf(ring, 0), must(outcome.signatures, "signatures"));
    const sessions = must(outcome.sessions.get(0), "sessions");
    const malicious = [...outcome.malicious].sort();
    // A cheater whose shares are right spoils no session.
    if (behaviour === "bad-nonce") expect(sessions).toBe(1);
    else expect(sessions).toBe(n - t + 1);
    expect(malicious).toEqual(behaviour === "bad-share" || behaviour === "short" ? cheaters : []);
  });

  test("opens one session when all are honest", () => {
    for (const n of [4, 10])
      expect(worstCase(ringOf(n), [], "honest", seeded(1)).sessions).toEqual(new Map([[0, 1]]));
  });

  test("ends whatever n - t seats do as signers and coordinators, and flags only them", () => {
    const property = fc.property(
      fc.constantFrom(4, 10),
      fc.integer(),
      fc.array(fc.constantFrom(...faults), { maxLength: 3 }),
      fc.array(fc.constantFrom(...lies), { maxLength: 3 }),
      fc.boolean(),
      (n, seed, kinds, told, isLate) => {
        const ring = ringOf(n);
        const { t } = ring.group;
        const random = seeded(seed);
        const signers = new Map<number, Behaviour>();
        const coordinators = new Map<number, Lie>();
        for (const [i, kind] of kinds.slice(0, n - t).entries()) signers.set(i, kind);
        for (const [i, lie] of told.slice(0, n - t).entries()) coordinators.set(i, lie);
        if (isLate) signers.set(n - 1, "late");
        const outcome = chaos(ring, { signers, coordinators, restarts: 0 }, random, 0);
        const by = must(outcome.by, "a coordinator that finished");
        assertSigned(jobOf(ring, by), must(outcome.signatures, "signatures"));
        for (const [seat, sessions] of outcome.sessions)
          if (!coordinators.has(seat)) expect(sessions).toBeLessThanOrEqual(n - t + 1);
        for (const seat of outcome.malicious) expect(faults).toContain(signers.get(seat));
      },
    );
    void fc.assert(property, { numRuns: 60 });
  });

  test("follows signers that restart: each restart costs at most one session more", () => {
    for (let seed = 0; seed < 10; seed++) {
      const ring = ringOf(4);
      const nobody = { signers: new Map(), coordinators: new Map(), restarts: 3 };
      const outcome = chaos(ring, nobody, seeded(seed), 0);
      assertSigned(jobOf(ring, 0), must(outcome.signatures, "signatures"));
      for (const sessions of outcome.sessions.values()) expect(sessions).toBeLessThanOrEqual(2 + 3);
      expect(outcome.malicious.size).toBe(0);
    }
  });
});

describe("a coordinator", () => {
  const ring = ringOf(4);
  const job = jobOf(ring, 2);
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

  test("names a seat whose nonces are no points when they are summed, and opens without it", () => {
    let state: roast.State = start;
    let effects: readonly roast.Effect[] = [];
    const bad = { ...commitOf(1), nonces: commitOf(1).nonces.map(() => new Uint8Array(66)) };
    for (const commit of [commitOf(0), bad, commitOf(2)])
      [state, effects] = roast.step(state, committed(commit.seat, commit));
    const evidence = { code: "bad-nonce", commit: bad };
    expect(effects).toEqual([{ kind: "malicious", seat: 1, evidence }]);
    [state, effects] = roast.step(state, committed(3, commitOf(3)));
    expect(effects).toMatchObject([{ kind: "open", recipients: [0, 2, 3] }]);
  });

  test("takes a repeated commitment once and a restarted signer's in its place, three times", () => {
    let [state] = roast.step(start, committed(1, commitOf(1)));
    expect(roast.step(state, committed(1, commitOf(1)))).toEqual([state, []]);
    for (const boot of [2, 3, 4]) {
      [state] = roast.step(state, committed(1, commitOf(1, boot)));
      expect(state).toMatchObject({ phase: "collecting" });
      if (state.phase === "collecting") expect(state.ready.get(1)?.boot).toBe(boot);
    }
    expect(roast.step(state, committed(1, commitOf(1, 5)))).toEqual([state, []]);
    expect(roast.step(state, committed(1, commitOf(1, 2)))).toEqual([state, []]);
  });

  test("ignores an answer that names another boot or session, and proves a wrong one", () => {
    let state: roast.State = start;
    let effects: readonly roast.Effect[] = [];
    for (const seat of [0, 1, 3])
      [state, effects] = roast.step(state, committed(seat, commitOf(seat)));
    const opening = must(effects[0], "opening");
    if (opening.kind !== "open") throw new Error("no opening");
    const commit = commitOf(1);
    const shares = job.inputs.map(() => scalarBytes(5n));
    const share: Share = { ...commit, sid: opening.sid, shares, proof: unproved };
    const answered = (one: Share): roast.Event => ({ kind: "answered", seat: 1, share: one });
    expect(roast.step(state, answered({ ...share, boot: 9 }))).toEqual([state, []]);
    expect(roast.step(state, answered({ ...share, sid: job.request }))).toEqual([state, []]);
    const short = { ...share, shares: shares.slice(1) };
    expect(roast.step(state, answered(short))[1]).toEqual([
      {
        kind: "malicious",
        seat: 1,
        evidence: { code: "bad-share", index: 0, open: opening.open, commit, share: short },
      },
    ]);
    // Each alone may be right; that their signature is wrong shows that one is not, and which.
    for (const seat of [0, 1, 3]) {
      const wrong = { ...share, ...commitOf(seat), shares };
      [state, effects] = roast.step(state, { kind: "answered", seat, share: wrong });
    }
    expect(effects).toMatchObject(
      [0, 1, 3].map((seat) => ({
        kind: "malicious",
        seat,
        evidence: { code: "bad-share", index: 0, open: opening.open, share: { seat } },
      })),
    );
  });

  test("does not forget a wrong answer for a restart", () => {
    let state: roast.State = start;
    let effects: readonly roast.Effect[] = [];
    for (const seat of [0, 1, 3])
      [state, effects] = roast.step(state, committed(seat, commitOf(seat)));
    const opening = must(effects[0], "opening");
    if (opening.kind !== "open") throw new Error("no opening");
    const shares = job.inputs.map(() => scalarBytes(5n));
    const share: Share = { ...commitOf(1), sid: opening.sid, shares, proof: unproved };
    [state, effects] = roast.step(state, { kind: "answered", seat: 1, share });
    expect(effects).toEqual([]);
    [state, effects] = roast.step(state, committed(1, commitOf(1, 2)));
    expect(effects).toMatchObject([{ kind: "malicious", seat: 1, evidence: { share } }]);
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
  const job = jobOf(ring, 2);
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
    const checked = accepted(checkOpen(job, 0, opening, undefined));
    const next = { ...own.commit, boot: 1 };
    const share = must(ring.shares[0], "share");
    makeShare(checked, 0, share, taken.nonces, next, undefined);
    expect(taken.nonces.secrets.every((secret) => secret.every((byte) => byte === 0))).toBe(true);
    expect(() => makeShare(checked, 0, share, taken.nonces, next, undefined)).toThrow();
  });

  test.each<[string, string, Partial<SessionOpen>]>([
    ["another key", "wrong-conversation", { keyId: 9 }],
    ["another epoch of its shares", "wrong-conversation", { attempt: 1 }],
    ["another request", "wrong-conversation", { request: new Uint8Array(32) }],
    ["a nonce too few", "bad-length", { nonces: opening.nonces.slice(1) }],
    ["a malformed nonce", "bad-nonce", { nonces: opening.nonces.map((n) => n.map(() => 5)) }],
    ["more sessions than any coordinator needs", "bad-number", { number: sessionsMax(ring.group) }],
    ["too few signers", "bad-count", { signers: opening.signers.slice(0, 2) }],
    ["signers out of order", "bad-order", { signers: [...opening.signers].reverse() }],
    [
      "a signer twice",
      "duplicate-seat",
      { signers: [...opening.signers.slice(0, 1), ...opening.signers] },
    ],
    ["other signers", "not-a-signer", { signers: opening.signers.slice(1) }],
  ])("refuses an opening with %s", (_, code, change) => {
    expect(checkOpen(job, 0, { ...opening, ...change }, undefined)).toMatchObject({ code });
  });

  test("answers sessions of rising numbers alone", () => {
    expect(checkOpen(job, 0, opening, 0)).toMatchObject({ code: "old-session" });
    expect(checkOpen(job, 0, { ...opening, number: 1 }, 0)).not.toHaveProperty("code");
    expect(checkOpen(job, 0, { ...opening, number: 1 }, 2)).toMatchObject({ code: "old-session" });
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

  test("holds a bounded number of nonces for a coordinator, and drops them on demand", () => {
    const share = must(ring.shares[0], "share");
    let pool = emptyPool;
    const large = jobOf(ring, 2, messagesMax);
    for (let i = 0; i < heldPerCoordinatorMax / messagesMax; i++)
      pool = accepted(makeCommit(pool, large, 0, 1, share, sha256(Uint8Array.of(i)))).pool;
    const more = (one: Job, seat: number) =>
      makeCommit(pool, one, seat, 1, must(ring.shares[seat], "share"), new Uint8Array(32));
    expect(more(job, 0)).toMatchObject({ code: "pool-full" });
    expect(more(job, 1)).not.toHaveProperty("code");
    expect(more({ ...job, coordinator: 3 }, 0)).not.toHaveProperty("code");
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
    const sid = new Uint8Array(32);
    const largest: Share = { ...rest, sid, shares, proof: unproved, nonces: many };
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
