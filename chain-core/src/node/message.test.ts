import { isRejected } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "./message.ts";
import { encodeMessage, messageSizeMax, parseMessage, replySizeMax } from "./message.ts";

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const height = fc.integer({ min: 0, max: 2 ** 40 });
const small = fc.integer({ min: 0, max: 1_000 });

const vote = fc.record({
  kind: fc.constantFrom(1, 2),
  height,
  round: small,
  block: bytes(32),
  polRound: small,
  seat: small,
  signature: bytes(96),
});
const view = fc.record({
  round: small,
  proposal: fc.boolean(),
  prevotes: bytes(1),
  precommits: bytes(1),
});
const blob = fc.uint8Array({ maxLength: 200 });
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant("proposal" as const),
    proposal: fc.record({
      height,
      round: small,
      polRound: small,
      block: blob,
      signature: bytes(96),
    }),
  }),
  fc.record({ kind: fc.constant("votes" as const), votes: fc.array(vote, { maxLength: 5 }) }),
  fc.record({
    kind: fc.constant("status" as const),
    status: fc.record({
      height,
      lowest: height,
      round: small,
      views: fc.array(view, { maxLength: 8 }),
    }),
  }),
  fc.record({ kind: fc.constant("blocksRequest" as const), from: height, count: small }),
  fc.record({
    kind: fc.constant("blocksReply" as const),
    from: height,
    blocks: fc.array(fc.record({ block: blob, certificate: blob }), { maxLength: 5 }),
  }),
  fc.record({
    kind: fc.constant("transactions" as const),
    transactions: fc.array(blob, { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant("requests" as const), requests: fc.array(blob, { maxLength: 5 }) }),
  fc.record({
    kind: fc.constant("compact" as const),
    compact: fc.record({
      height,
      round: small,
      polRound: small,
      head: blob,
      hashes: blob,
      fresh: fc.array(blob, { maxLength: 5 }),
      signature: bytes(96),
    }),
  }),
  fc.record({
    kind: fc.constant("wanted" as const),
    wanted: fc.record({ block: bytes(32), bitmap: blob }),
  }),
  fc.record({
    kind: fc.constant("parts" as const),
    parts: fc.record({ block: bytes(32), transactions: fc.array(blob, { maxLength: 5 }) }),
  }),
);

describe("messages between nodes", () => {
  it("come back as they were", () => {
    fc.assert(
      fc.property(message, (of) => {
        expect(parseMessage(encodeMessage(of))).toEqual(of);
      }),
    );
  });

  it("are refused, never thrown about, when truncated, extended or of an unknown kind", () => {
    fc.assert(
      fc.property(message, fc.nat(), (of, cut) => {
        const encoded = encodeMessage(of);
        const truncated = parseMessage(encoded.subarray(0, cut % encoded.length));
        if (!isRejected(truncated))
          expect(encodeMessage(truncated).length).toBeLessThan(encoded.length);
        expect(isRejected(parseMessage(Uint8Array.of(99, ...encoded)))).toBe(true);
        expect(isRejected(parseMessage(new Uint8Array(0)))).toBe(true);
      }),
    );
  });

  it("are bounded", () => {
    expect(messageSizeMax).toBeGreaterThan(replySizeMax);
    expect(messageSizeMax).toBeLessThan(5 * 1024 * 1024);
    const large = new Uint8Array(messageSizeMax + 1).fill(5, 0, 1);
    expect(isRejected(parseMessage(large))).toBe(true);
  });
});
