// Transcripts of real ceremonies, judged by somebody who has the genesis alone, and every way to spoil one.
import { isRejected, must, toHex } from "@causeway/primitives";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { Committee, Header } from "../codec/block.ts";
import {
  blockId,
  certificateCodec,
  committeeCodec,
  committeeId,
  headerCodec,
  voteDigest,
  voteKinds,
} from "../codec/block.ts";
import { certificateOf } from "../consensus/certificate.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { complaints } from "../ledger/ring/complaint-records.ts";
import type { RingWorld } from "../ledger/ring/testing.ts";
import {
  blocks,
  ceremony,
  complaintOf,
  endOfBlock,
  finish,
  ringWorld,
  sendCanary,
  sendComplaint,
  sendConfirm,
  sendDeal,
  turnEpoch,
} from "../ledger/ring/testing.ts";
import { testBls, testGenesis, validatorSecret } from "../ledger/testing.ts";
import { emptyTree, prove, recordProofCodec, root, update } from "../ledger/tree.ts";
import { trustGenesis } from "../light.ts";
import { complaintCodec } from "../ring/index.ts";
import { keys, terms } from "../ring/records.ts";
import type { RingTranscript, TranscriptSource } from "./ring-transcript.ts";
import { parseTranscript, readTranscript, writeTranscript } from "./ring-transcript.ts";
import { verifyTranscript } from "./ring-verify.ts";
import type { FinalityResult } from "./types.ts";

const size = 4;
const genesis = testGenesis(size);
const { networkId: network } = genesis;

function finality(of: Genesis, header: Header, next: Committee): FinalityResult {
  const { networkId, validators } = of;
  const content = {
    kind: voteKinds.precommit,
    height: header.height,
    round: 0,
    block: blockId(networkId, header),
    polRound: 0,
  };
  const digest = voteDigest(networkId, content);
  const votes = validators.slice(1).map((_, seat) => ({
    ...content,
    seat,
    signature: testBls.sign(validatorSecret(seat, "consensusKey"), digest),
  }));
  return {
    header: headerCodec.encode(header),
    certificate: certificateCodec.encode(certificateOf(testBls, validators.length, votes)),
    committee: committeeCodec.encode(next),
  };
}

/** A node whose ledger has ended two epochs, and a third after what it proves. */
function source({ genesis: of, state }: RingWorld): TranscriptSource {
  const start = trustGenesis(of);
  const tree = update(emptyTree, state.entries());
  const committeeOf = (epoch: number): Committee => ({ ...start.committee, epoch });
  const at = (height: number, epoch: number): FinalityResult => {
    const header = {
      ...start.header,
      height,
      time: of.time + height * 1_000,
      stateRoot: root(tree),
      committee: committeeId(of.networkId, committeeOf(epoch)),
      nextCommittee: committeeId(of.networkId, committeeOf(epoch + 1)),
    };
    return finality(of, header, committeeOf(epoch + 1));
  };
  const heightOf = (header: Uint8Array): number => headerCodec.decode(header).height;
  const ends = [at(10, 0), at(20, 1), at(40, 2)];
  return {
    heightOf,
    prove: async (wanted) => ({
      ...at(30, 2),
      records: wanted.map((key) => ({
        key,
        value: state.get(key),
        proof: recordProofCodec.encode(prove(tree, key)),
      })),
    }),
    ends: async (from) => ({ ends: ends.filter(({ header }) => heightOf(header) >= from) }),
  };
}

/** Key 1 of a ring in which a dealer cheated and was told on. */
async function withCheat(): Promise<{ world: RingWorld; transcript: RingTranscript }> {
  const world = ringWorld(genesis);
  endOfBlock(world);
  const codes = [0, 1, 2, 3].map((seat) =>
    sendDeal(world, 1, seat, seat === 2 ? { wrongFor: 0 } : {}),
  );
  endOfBlock(world);
  codes.push(sendComplaint(world, 1, { seat: 0, dealer: 2 }));
  endOfBlock(world);
  for (const seat of [0, 1, 3]) codes.push(sendConfirm(world, 1, seat));
  // The cheat says nothing more, and is waited for (RNG-4).
  blocks(world, 13);
  codes.push(sendCanary(world, 1, [0, 1, 3]));
  expect(
    codes.every((code) => code === "ok"),
    codes.join(" "),
  ).toBe(true);
  endOfBlock(world);
  expect(keys.get(world.state, 1)?.active, String(ceremony(world, 1).stage)).toBe(true);
  return { world, transcript: await readTranscript(source(world), network, 1) };
}

let cheated: Awaited<ReturnType<typeof withCheat>>;
beforeAll(async () => {
  cheated = await withCheat();
});

const codeOf = (text: string): string => {
  const parsed = parseTranscript(text);
  if (isRejected(parsed)) return parsed.code;
  const verdict = verifyTranscript(genesis, testBls, parsed);
  return isRejected(verdict) ? verdict.code : "ok";
};

describe("a transcript", () => {
  test("shows a stranger who dealt, who cheated, the key and every public share", () => {
    const { world, transcript } = cheated;
    const verdict = verifyTranscript(genesis, testBls, transcript);
    if (isRejected(verdict)) throw new Error(verdict.message);
    const key = must(keys.get(world.state, 1), "key");
    expect(verdict).toMatchObject({ qualified: [0, 1, 3], height: 30 });
    expect(verdict).toMatchObject({ guilty: [2], voided: [2] });
    expect(verdict.groupPoint).toEqual(key.groupPoint);
    for (const [seat, { share, confirmed }] of verdict.seats.entries())
      if (confirmed) expect(toHex(share)).toBe(toHex(must(key.shares[seat], "share")));
    expect(verdict.seats.map(({ confirmed }) => confirmed)).toEqual([true, true, false, true]);
  });

  test("comes back from its file as it was", () => {
    const text = writeTranscript(cheated.transcript);
    expect(codeOf(text)).toBe("ok");
    expect(codeOf(text.replace("\n", ""))).toBe("bad-file");
    expect(codeOf(`${text} `)).toBe("bad-file");
  });

  test("with a flipped bit anywhere is refused", () => {
    const bytes = Buffer.from(writeTranscript(cheated.transcript));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const spoiled = Buffer.from(bytes);
        spoiled[at] = (spoiled[at] ?? 0) ^ (1 << bit);
        expect(codeOf(spoiled.toString("latin1"))).not.toBe("ok");
      }),
      { numRuns: 400 },
    );
  });

  test("with a flipped bit in any field is refused, whatever field it is", () => {
    const flip = (bytes: Uint8Array, at: number, bit: number): Uint8Array =>
      bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit));
    const { transcript } = cheated;
    const { records, ends, newest } = transcript;
    const spots = [
      ...records.flatMap((one, i) =>
        (["value", "proof"] as const).map((name) => ({
          bytes: one[name],
          put: (bytes: Uint8Array): RingTranscript => ({
            ...transcript,
            records: records.with(i, { ...one, [name]: bytes }),
          }),
        })),
      ),
      ...(["header", "certificate", "committee"] as const).flatMap((name) => [
        ...ends.map((one, i) => ({
          bytes: one[name],
          put: (bytes: Uint8Array): RingTranscript => ({
            ...transcript,
            ends: ends.with(i, { ...one, [name]: bytes }),
          }),
        })),
        {
          bytes: newest[name],
          put: (bytes: Uint8Array): RingTranscript => ({
            ...transcript,
            newest: { ...newest, [name]: bytes },
          }),
        },
      ]),
    ].filter(({ bytes }) => bytes.length > 0);
    fc.assert(
      fc.property(fc.nat(spots.length - 1), fc.nat(), fc.nat(7), (which, place, bit) => {
        const { bytes, put } = must(spots[which], "spot");
        const spoiled = put(flip(bytes, place % bytes.length, bit));
        expect(isRejected(verifyTranscript(genesis, testBls, spoiled))).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  test("of another network, without a record, an end or with one too many is refused by name", () => {
    const { transcript } = cheated;
    const { records } = transcript;
    const verdict = (change: Partial<RingTranscript>) =>
      verifyTranscript(genesis, testBls, { ...transcript, ...change });
    expect(verdict({ network: new Uint8Array(32) })).toMatchObject({ code: "wrong-network" });
    expect(verdict({ keyId: 2 })).toMatchObject({ code: "bad-proof", message: /record 0/ });
    expect(verdict({ records: records.slice(0, -1) })).toMatchObject({ code: "missing-record" });
    const last = must(records.at(-1), "record");
    expect(verdict({ records: [...records, last] })).toMatchObject({ code: "extra-record" });
    expect(verdict({ ends: [] })).toMatchObject({ code: "unknown-committee" });
    const swapped = records.with(3, must(records[4], "record")).with(4, must(records[3], "record"));
    expect(verdict({ records: swapped })).toMatchObject({ code: "bad-proof" });
    const other = testGenesis(size + 1);
    expect(verifyTranscript(other, testBls, transcript)).toMatchObject({ code: "wrong-network" });
  });
});

test("what a quorum wrote against the rules is found although it is proven", async () => {
  const spoil = async (change: (key: NonNullable<ReturnType<typeof keys.get>>) => object) => {
    const { world } = await withCheat();
    const key = must(keys.get(world.state, 1), "key");
    keys.put(world.state, 1, { ...key, ...change(key) });
    return verifyTranscript(genesis, testBls, await readTranscript(source(world), network, 1));
  };
  const stranger = must(genesis.validators[0], "validator").hostKey;
  expect(await spoil(() => ({ groupPoint: stranger }))).toMatchObject({ code: "wrong-key" });
  expect(await spoil(({ canary }) => ({ canary: canary.with(0, 1) }))).toMatchObject({
    code: "bad-canary",
  });
  expect(await spoil(({ shares }) => ({ shares: shares.with(1, stranger) }))).toMatchObject({
    code: "wrong-share",
    message: /seat 1/,
  });
  expect(await spoil(({ threshold }) => ({ threshold: threshold - 1 }))).toMatchObject({
    code: "wrong-key",
  });
  // Seat 1 got a right share: its complaint would have voided nothing.
  const { world } = await withCheat();
  const lie = complaintCodec.encode(complaintOf(world, 1, { seat: 1, dealer: 2 }));
  complaints.put(world.state, { keyId: 1, attempt: 0, dealer: 2 }, { complaint: lie });
  const transcript = await readTranscript(source(world), network, 1);
  expect(verifyTranscript(genesis, testBls, transcript)).toMatchObject({ code: "false-complaint" });
});

test("a dealer that was convicted too late stays qualified, and is shown guilty by its complaint", async () => {
  const world = ringWorld(genesis);
  endOfBlock(world);
  for (const seat of [0, 1, 2, 3]) sendDeal(world, 1, seat, seat === 2 ? { wrongFor: 0 } : {});
  endOfBlock(world);
  for (const seat of [1, 2, 3]) expect(sendConfirm(world, 1, seat)).toBe("ok");
  blocks(world, 13);
  expect(sendCanary(world, 1, [1, 2, 3])).toBe("ok");
  expect(sendComplaint(world, 1, { seat: 0, dealer: 2 })).toBe("ok");
  endOfBlock(world);
  const transcript = await readTranscript(source(world), network, 1);
  const convicted = { qualified: [0, 1, 2, 3], guilty: [2], voided: [] };
  expect(verifyTranscript(genesis, testBls, transcript)).toMatchObject(convicted);
  const lie = complaintCodec.encode(complaintOf(world, 1, { seat: 1, dealer: 2 }));
  complaints.put(world.state, { keyId: 1, attempt: 0, dealer: 2 }, { complaint: lie });
  const framed = await readTranscript(source(world), network, 1);
  expect(verifyTranscript(genesis, testBls, framed)).toMatchObject({ code: "false-complaint" });
});

test("a ledger with no such key, or a ceremony that goes on, has no transcript that passes", async () => {
  const world = ringWorld(genesis);
  endOfBlock(world);
  await expect(readTranscript(source(world), network, 77)).rejects.toThrow("no key 77");
  const open = await readTranscript(source(world), network, 1);
  expect(verifyTranscript(genesis, testBls, open)).toMatchObject({ code: "no-key" });
  finish(world, 1);
  endOfBlock(world);
  const done = await readTranscript(source(world), network, 1);
  expect(isRejected(verifyTranscript(genesis, testBls, done))).toBe(false);
});

test("a resharing is judged by the ring that dealt, and keeps the key", async () => {
  const terming = {
    ringSeats: 4,
    ringTermEpochs: 4,
    ringRetireTerms: 2,
    epochMs: 10_000,
    seats: 6,
    ringHeartbeatMs: 60_000,
    unbondingMs: 20_000,
  };
  const of = testGenesis(6, terming);
  const world = ringWorld(of);
  endOfBlock(world);
  for (const keyId of [1, 2]) finish(world, keyId);
  const before = must(keys.get(world.state, 1), "key");
  while (must(terms.get(world.state, "only"), "terms").term < 1) turnEpoch(world);
  finish(world, 1);
  const transcript = await readTranscript(source(world), of.networkId, 1);
  const verdict = verifyTranscript(of, testBls, transcript);
  if (isRejected(verdict)) throw new Error(verdict.message);
  expect(verdict).toMatchObject({ isReshared: true, attempt: 1, groupPoint: before.groupPoint });
  expect(verdict.qualified.length).toBe(before.threshold);
  const records = transcript.records.toSpliced(2, 1);
  expect(verifyTranscript(of, testBls, { ...transcript, records })).toMatchObject({
    code: "bad-proof",
  });
});
