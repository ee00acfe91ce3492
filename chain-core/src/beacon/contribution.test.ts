import type { NetworkId } from "@causeway/primitives";
import { isRejected, keyOf, sha256, toHex, utf8 } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { createBls } from "../adapters/bls.ts";
import type { Claim, Contribution, Delay, PostedSegment } from "./contribution.ts";
import { claimId, contributionCodec, judge, segmentCodec, turnOf } from "./contribution.ts";
import { beaconField, encodeElement } from "./field.ts";
import { firstStep, search, shareDigest, startOf } from "./seqpow.ts";
import { advance } from "./sloth.ts";

const network = sha256(utf8("network")) as Uint8Array as NetworkId;
const round = { network, epoch: 4, seed: sha256(utf8("seed")) };
const bls = createBls();
const secretOf = (name: string): Uint8Array => sha256(utf8(name)).fill(0, 0, 1);
const secret = secretOf("mine");
const terms = { consensusKey: bls.publicKey(secret), difficulty: 4_096 };
const share = bls.sign(secret, shareDigest(network, 4, round.seed));
const puzzle = {
  field: beaconField,
  network,
  start: startOf(network, round.seed, share),
  difficulty: 4_096,
};
const { walk, status } = search(puzzle, firstStep(puzzle), 1_000);
const contribution: Contribution = {
  epoch: 4,
  seat: 2,
  share,
  solution: encodeElement(beaconField, walk.value),
  steps: walk.index,
};

function claimOf(change: Partial<Contribution>): Claim {
  return { kind: "contribution", round, terms, contribution: { ...contribution, ...change } };
}
function codeOf(claim: Claim): string {
  const verdict = judge(bls, claim);
  return isRejected(verdict) ? verdict.code : "true";
}

describe("contributions (BCN-2)", () => {
  test("the true one is accepted, from its bytes", () => {
    expect(status).toBe("solved");
    const bytes = contributionCodec.encode(contribution);
    expect(bytes).toHaveLength(176);
    const parsed = contributionCodec.parse(bytes);
    expect(isRejected(parsed)).toBe(false);
    expect(codeOf(claimOf(parsed as Contribution))).toBe("true");
  });

  test("late, foreign, forged and non-canonical ones are refused", () => {
    const plusP = (walk.value + beaconField.p).toString(16).padStart(132, "0");
    expect(codeOf(claimOf({ epoch: 3 }))).toBe("wrong-epoch");
    expect(codeOf(claimOf({ solution: Buffer.from(plusP, "hex") }))).toBe("bad-element");
    const other = bls.sign(secretOf("another's"), shareDigest(network, 4, round.seed));
    expect(codeOf(claimOf({ share: other }))).toBe("bad-share");
    const otherEpoch = bls.sign(secret, shareDigest(network, 5, round.seed));
    expect(codeOf(claimOf({ share: otherEpoch }))).toBe("bad-share");
    const wrongSign = encodeElement(beaconField, beaconField.p - walk.value);
    expect(codeOf(claimOf({ solution: wrongSign }))).toBe("no-solution");
    expect(codeOf(claimOf({ steps: walk.index + 1 }))).toBe("bad-steps");
    const next = search(puzzle, walk, 1_000).walk;
    const second = { steps: next.index, solution: encodeElement(beaconField, next.value) };
    expect(codeOf(claimOf(second))).toBe("not-first");
  });

  test("claims have one id each", () => {
    const claims: Claim[] = [
      claimOf({}),
      claimOf({ seat: 3 }),
      { ...claimOf({}), round: { ...round, epoch: 5 } } as Claim,
      { ...claimOf({}), terms: { ...terms, difficulty: 4_352 } } as Claim,
    ];
    expect(new Set(claims.map((claim) => keyOf(claimId(claim)))).size).toBe(claims.length);
    expect(claimId(claimOf({}))).toEqual(claimId(claimOf({ steps: walk.index })));
  });
});

describe("segments (BCN-3)", () => {
  const delay: Delay = { steps: 200, next: 3, end: 12_345n };
  const end = advance(beaconField, { index: 600, value: delay.end }, 200).value;
  const posted: PostedSegment = { epoch: 4, index: 3, end: encodeElement(beaconField, end) };
  const claim = (change: Partial<PostedSegment>, of: Partial<Delay> = {}): Claim => ({
    kind: "segment",
    round,
    delay: { ...delay, ...of },
    posted: { ...posted, ...change },
  });

  test("the next one is accepted, from its bytes", () => {
    const bytes = segmentCodec.encode(posted);
    expect(bytes).toHaveLength(78);
    expect(toHex(bytes).slice(0, 24)).toBe("040000000000000003000000");
    expect(codeOf(claim(segmentCodec.decode(bytes)))).toBe("true");
  });

  test("another's, one off by a step, and a walk without the addition are refused", () => {
    expect(codeOf(claim({ epoch: 5 }))).toBe("wrong-epoch");
    expect(codeOf(claim({ index: 2 }))).toBe("wrong-segment");
    expect(codeOf(claim({ end: new Uint8Array(66).fill(255) }))).toBe("bad-element");
    expect(codeOf(claim({}, { steps: 201 }))).toBe("wrong-walk");
    const short = advance(beaconField, { index: 600, value: delay.end }, 199).value;
    expect(codeOf(claim({ end: encodeElement(beaconField, short) }))).toBe("wrong-walk");
    expect(claimId(claim({}))).not.toEqual(claimId(claim({}, { steps: 201 })));
    expect(claimId(claim({}))).not.toEqual(claimId(claim({}, { end: 12_346n })));
  });

  test("turns go through the order, one further with each segment", () => {
    const order = [2, 0, 1];
    const turns = [0, 1, 2].map((segment) => [2, 0, 1].map((seat) => turnOf(order, segment, seat)));
    expect(turns).toEqual([
      [0, 1, 2],
      [2, 0, 1],
      [1, 2, 0],
    ]);
    expect(turnOf(order, 7, 5)).toBe(Number.POSITIVE_INFINITY);
    expect(turnOf([], 7, 5)).toBe(Number.POSITIVE_INFINITY);
  });
});
