// Evidence of wrong shares: who signed wrong is guilty, and nothing that a coordinator can do makes an honest seat so.
import type { Accused, BadShare } from "@causeway/chain-core/ring";
import {
  badShareCodec,
  badShareSizeMax,
  hashAnswer,
  hashItems,
  judgeBadShare,
  messagesMax,
  showItem,
  taprootTweak,
} from "@causeway/chain-core/ring";
import { concat, equal, isRejected, must, seeded, sha256 } from "@causeway/primitives";
import { negate, publicPoint, scalarBytes, signSchnorr } from "@causeway/primitives/secp256k1";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aggregateNonces } from "../frost/signing.ts";
import { generateRing } from "../frost/testing.ts";
import { prove, showAnswer } from "./evidence.ts";
import type { Commit, SessionOpen, Share } from "./message.ts";
import { hashCommit } from "./message.ts";
import { checkOpen, emptyPool, makeCommit, makeShare, takeNonces } from "./participant.ts";
import type { Evidence } from "./report.ts";
import type { Job } from "./session.ts";
import { accepted, jobOf } from "./testing.ts";

const ring = generateRing(4, 3, seeded(4));
const random = seeded(5);
const seats = [0, 1, 3];

/** An honest session of three seats, and all that was said in it. */
function play(job: Job, change: (open: SessionOpen) => SessionOpen = (open) => open) {
  const { keyId, attempt, request, coordinator, network } = job;
  const made = seats.map((seat) => {
    const share = must(ring.shares[seat], "share");
    return accepted(makeCommit(emptyPool, job, seat, 1, share, random.bytes(32)));
  });
  const nonces = job.inputs.map((_, i) => {
    const parts = made.map(({ commit }) => ({
      seat: commit.seat,
      nonce: must(commit.nonces[i], "nonce"),
    }));
    return accepted(aggregateNonces(parts));
  });
  const signers = made.map(({ commit }) => ({
    seat: commit.seat,
    commitment: hashCommit(network, commit),
  }));
  const open = change({ keyId, attempt, request, coordinator, number: 0, signers, nonces });
  const listed = made.filter(({ hash }) =>
    open.signers.some(({ commitment }) => equal(commitment, hash)),
  );
  const answers = listed.map(({ commit, hash, pool }): { commit: Commit; share: Share } => {
    const { seat } = commit;
    const checked = accepted(checkOpen(job, seat, open, undefined));
    const taken = accepted(takeNonces(pool, hash));
    const secret = must(ring.shares[seat], "share");
    const host = { secret: must(ring.hostSecrets[seat], "host"), aux: random.bytes(32) };
    return { commit, share: makeShare(checked, seat, secret, taken.nonces, commit, host) };
  });
  return { job, open, answers };
}
type Played = ReturnType<typeof play>;

function hostKeyOf(seat: number): Uint8Array {
  return must(ring.params.hostKeys[seat], "host key");
}

function accusedOf(job: Job, seat: number): Accused {
  const share = must(job.group.shares.get(seat), "share");
  const { network, group } = job;
  return { network, groupPoint: group.thresholdPoint, hostKey: hostKeyOf(seat), share };
}

/** An honest seat's answer, number `index`, shown as evidence against it. */
function shown({ job, open, answers }: Played, place: number, index: number): BadShare {
  const { commit, share } = must(answers[place], "answer");
  return accepted(showAnswer(job, { code: "bad-share", index, open, commit, share }));
}

/** As the seat itself would. */
function sign(job: Job, share: Share): Share {
  const { seat, sid, shares } = share;
  const point = must(job.group.shares.get(seat), "share");
  const answer = hashAnswer(job.network, { seat, share: point, sid, shares: hashItems(shares) });
  const secret = must(ring.hostSecrets[seat], "host");
  return { ...share, proof: signSchnorr(secret, answer, new Uint8Array(32)) };
}

const job = jobOf(ring, 2, 5);
const honest = play(job);

describe("a wrong share", () => {
  test.each([0, 1, 2, 4])("of message %i that the seat signed proves it guilty", (index) => {
    const { commit, share } = must(honest.answers[1], "answer");
    for (const scalar of [scalarBytes(5n), new Uint8Array(32).fill(255)]) {
      const wrong = sign(job, { ...share, shares: share.shares.with(index, scalar) });
      const seen: Evidence = { code: "bad-share", index, open: honest.open, commit, share: wrong };
      const evidence = accepted(prove(job, hostKeyOf(1), seen));
      const read = accepted(badShareCodec.parse(badShareCodec.encode(evidence)));
      expect(judgeBadShare(accusedOf(job, 1), read)).toBe("signer-guilty");
      // Another message's share of the same answer is right.
      const other = { ...read, index: index === 0 ? 1 : 0 };
      expect(judgeBadShare(accusedOf(job, 1), other)).toMatchObject({ kind: "rejected" });
    }
  });

  test("that nobody signed, or that is no answer, proves nothing", () => {
    const { commit, share } = must(honest.answers[1], "answer");
    const { open } = honest;
    const wrong = { ...share, shares: share.shares.with(0, scalarBytes(5n)) };
    const codeOf = (evidence: Evidence) => prove(job, hostKeyOf(1), evidence);
    const seen = { code: "bad-share", index: 0, open, commit } as const;
    expect(codeOf({ ...seen, share: wrong })).toMatchObject({ code: "bad-proof" });
    const zero = { ...wrong, proof: new Uint8Array(64) };
    expect(codeOf({ ...seen, share: zero })).toMatchObject({ code: "bad-proof" });
    const short = sign(job, { ...share, shares: share.shares.slice(1) });
    expect(codeOf({ ...seen, share: short })).toMatchObject({ code: "bad-length" });
    expect(codeOf({ code: "bad-nonce", commit })).toMatchObject({ code: "bad-nonce" });
    expect(codeOf({ ...seen, share })).toMatchObject({ code: "right-share" });
  });

  test("in 1,000 messages is shown in at most 16 kB", () => {
    const large = jobOf(ring, 2, messagesMax);
    const played = play(large);
    const evidence = shown(played, 0, messagesMax - 1);
    expect(judgeBadShare(accusedOf(large, 0), evidence)).toMatchObject({ code: "right-share" });
    const signers = Array.from({ length: 150 }, (_, seat) => ({
      seat,
      commitment: sha256(sha256(Uint8Array.of(seat))),
    }));
    const tweak = { tweak: new Uint8Array(32), xOnly: true };
    const widest = {
      ...evidence,
      signers,
      ...shownWide(played),
      index: 0,
      tweaks: Array(4).fill(tweak),
    };
    expect(badShareCodec.encode(widest).length).toBeLessThanOrEqual(badShareSizeMax);
    const more = { ...widest, tweaks: Array(5).fill(tweak) };
    expect(badShareCodec.parse(badShareCodec.encode(more))).toMatchObject({ code: "bad-bytes" });
  });
});

/** Item 0, whose chunk is full. */
function shownWide(played: Played): Pick<BadShare, "inputs" | "nonces" | "shares"> {
  const { inputs, nonces, shares } = shown(played, 0, 0);
  return { inputs, nonces, shares };
}

describe("an honest seat", () => {
  const evidence = shown(honest, 1, 1);
  const accused = accusedOf(job, 1);
  const judged = (change: Partial<BadShare>, of: Accused = accused) =>
    judgeBadShare(of, { ...evidence, ...change });

  test("is right in every message of every session that it answers, whatever the coordinator chose", () => {
    const lie = fc.constantFrom<(open: SessionOpen) => SessionOpen>(
      (open) => open,
      // Sums that nobody's nonces have, infinite ones too.
      (open) => ({ ...open, nonces: open.nonces.map(() => new Uint8Array(66)) }),
      (open) => ({
        ...open,
        nonces: open.nonces.map((nonce) => concat(nonce.subarray(0, 33), new Uint8Array(33))),
      }),
      (open) => ({
        ...open,
        nonces: open.nonces.map((nonce) =>
          concat(negate(nonce.subarray(0, 33)), nonce.subarray(33)),
        ),
      }),
      (open) => ({ ...open, number: 1 }),
      // Another's commitment.
      (open) => ({
        ...open,
        signers: open.signers.map((one) =>
          one.seat === 3 ? { ...one, commitment: open.request } : one,
        ),
      }),
    );
    void fc.assert(
      fc.property(
        lie,
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 1 }),
        (change, index, place) => {
          const played = play(job, change);
          const { seat } = must(played.answers[place], "answer").commit;
          const against = shown(played, place, index);
          expect(judgeBadShare(accusedOf(job, seat), against)).toMatchObject({
            code: "right-share",
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  test("is not framed by another list, commitment, number or request", () => {
    expect(judged({})).toMatchObject({ code: "right-share" });
    const { signers } = evidence;
    const swapped = signers.map((one) =>
      one.seat === 0 ? { ...one, commitment: job.request } : one,
    );
    const wider = [
      ...signers.slice(0, 2),
      { seat: 2, commitment: job.request },
      ...signers.slice(2),
    ];
    for (const change of [{ signers: swapped }, { signers: wider }, { number: 1 }])
      expect(judged(change)).toMatchObject({ code: "bad-proof" });
    const unlike = [
      { request: new Uint8Array(32) },
      { coordinator: 0 },
      { boot: 2 },
      { keyId: 2 },
      { attempt: 1 },
    ];
    for (const change of unlike) expect(judged(change)).toMatchObject({ code: "wrong-commitment" });
    for (const list of [
      [...signers].reverse(),
      signers.filter(({ seat }) => seat !== 1),
      [...signers, must(signers[2], "signer")],
    ])
      expect(judged({ signers: list })).toMatchObject({ code: "not-a-signer" });
  });

  test("is not framed by another message, key, tweak or sum of nonces", () => {
    for (const at of [0, 70, 100]) {
      const chunk = Uint8Array.from(evidence.inputs.chunk);
      chunk[130 + at] = must(chunk[130 + at], "byte") ^ 1;
      expect(judged({ inputs: { ...evidence.inputs, chunk } })).toMatchObject({
        code: "not-shown",
      });
      const hashes = [sha256(chunk)];
      expect(judged({ inputs: { chunk, hashes } })).toMatchObject({ code: "bad-proof" });
    }
    const { groupPoint } = accused;
    const others = [
      [],
      [taprootTweak(groupPoint, sha256(random.bytes(3)))],
      [...evidence.tweaks, ...evidence.tweaks],
    ];
    for (const tweaks of others) expect(judged({ tweaks })).toMatchObject({ code: "wrong-tweak" });
    const bad = [{ tweak: new Uint8Array(32).fill(255), xOnly: true }];
    expect(judged({ tweaks: bad })).toMatchObject({ code: "bad-tweak" });
    // More steps to the same key change nothing.
    const more = [...evidence.tweaks, { tweak: new Uint8Array(32), xOnly: true }];
    expect(judged({ tweaks: more })).toMatchObject({ code: "right-share" });
  });

  test("is not framed by nonces or shares that it did not give", () => {
    const { nonces, shares } = must(honest.answers[0], "another's answer").share;
    expect(judged({ nonces: showItem(nonces, 1) })).toMatchObject({ code: "wrong-commitment" });
    expect(judged({ shares: showItem(shares, 1) })).toMatchObject({ code: "bad-proof" });
    const own = must(honest.answers[1], "answer").share;
    const reordered = showItem([...own.shares].reverse(), 1);
    expect(judged({ shares: reordered })).toMatchObject({ code: "bad-proof" });
    expect(judged({ shares: { ...evidence.shares, hashes: [] } })).toMatchObject({
      code: "not-shown",
    });
    expect(judged({ index: 5 })).toMatchObject({ code: "not-shown" });
    expect(judged({ index: 65_535 })).toMatchObject({ code: "not-shown" });
  });

  test("is not framed by its answer to another session, as another seat, or under another share, key or network", () => {
    const later = play(job, (open) => ({ ...open, number: 1 }));
    const { share } = must(later.answers[1], "answer");
    expect(judged({ shares: showItem(share.shares, 1), proof: share.proof })).toMatchObject({
      code: "bad-proof",
    });
    expect(judged({ seat: 3 }, accusedOf(job, 3))).toMatchObject({ code: "wrong-commitment" });
    const other = publicPoint(scalarBytes(9n));
    expect(judged({}, { ...accused, share: other })).toMatchObject({ code: "bad-proof" });
    expect(judged({}, { ...accused, hostKey: hostKeyOf(0) })).toMatchObject({ code: "bad-proof" });
    expect(judged({}, { ...accused, groupPoint: other })).toMatchObject({ code: "wrong-tweak" });
    const network = sha256(random.bytes(4)) as unknown as Accused["network"];
    expect(judged({}, { ...accused, network })).toMatchObject({ code: "wrong-commitment" });
  });

  test("is not framed by any change of any byte", () => {
    const bytes = badShareCodec.encode(evidence);
    void fc.assert(
      fc.property(
        fc.integer({ min: 0, max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, flip) => {
          const changed = Uint8Array.from(bytes);
          changed[at] = must(changed[at], "byte") ^ flip;
          const read = badShareCodec.parse(changed);
          if (!isRejected(read)) expect(judgeBadShare(accused, read)).not.toBe("signer-guilty");
        },
      ),
      { numRuns: 300 },
    );
  });
});
