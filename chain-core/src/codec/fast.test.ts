// The hand-written parsers against the generic codec: what they take, it takes with the same value.
import type { NetworkId } from "@causeway/primitives";
import {
  ByteListType,
  b32,
  ContainerType,
  codec,
  concat,
  isRejected,
  ListCompositeType,
  sha256,
  u8,
  u64,
} from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Create, Spend } from "./action.ts";
import {
  actionBodySizeMax,
  actionsMax,
  actionType,
  createCodec,
  inputsMax,
  outputCodec,
  outputIdType,
  outputsMax,
  outputType,
  spendCodec,
} from "./action.ts";
import { parseByteLists, parseCreate, parseOutput, parseSpend, parseTransaction } from "./fast.ts";
import type { Transaction } from "./transaction.ts";
import {
  transactionCodec,
  transactionId,
  transactionIdIn,
  transactionSizeMax,
  witnessSizeMax,
} from "./transaction.ts";

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const transaction: fc.Arbitrary<Transaction> = fc.record({
  envelope: fc.array(
    fc.record({ validator: bytes32, role: fc.nat(255), sequence: fc.maxSafeNat() }),
    { maxLength: 1 },
  ),
  expires: fc.maxSafeNat(),
  actions: fc.array(fc.record({ kind: fc.nat(65_535), body: fc.uint8Array({ maxLength: 60 }) }), {
    maxLength: 5,
  }),
  witnesses: fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 5 }),
});
const spend = fc.record({
  inputs: fc.array(fc.record({ txid: bytes32, index: fc.nat(0xffff_ffff) }), { maxLength: 64 }),
});
const output = fc.record({
  asset: bytes32,
  amount: fc.oneof(fc.bigInt(0n, (1n << 128n) - 1n), fc.bigInt(0n, 1n << 65n)),
  lock: bytes32,
});
const create = fc.record({ outputs: fc.array(output, { maxLength: 64 }) });

const generic = codec<Transaction>(
  "transaction",
  new ContainerType({
    envelope: new ListCompositeType(
      new ContainerType({ validator: b32, role: u8, sequence: u64 }),
      1,
    ),
    expires: u64,
    actions: new ListCompositeType(actionType, actionsMax),
    witnesses: new ListCompositeType(new ByteListType(witnessSizeMax), 64),
  }),
  transactionSizeMax,
);
const genericSpend = codec<Spend>(
  "spend",
  new ContainerType({ inputs: new ListCompositeType(outputIdType, inputsMax) }),
  actionBodySizeMax,
);
const genericCreate = codec<Create>(
  "create",
  new ContainerType({ outputs: new ListCompositeType(outputType, outputsMax) }),
  actionBodySizeMax,
);
const limits = {
  sizeMax: transactionSizeMax,
  actionsMax,
  bodySizeMax: actionBodySizeMax,
  witnessesMax: 64,
  witnessSizeMax,
};

/** Bytes with some of them changed, cut or added: offsets are often hit, since they come first. */
const damage = fc.record({
  edits: fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }),
  cut: fc.nat(8),
  tail: fc.uint8Array({ maxLength: 4 }),
});
type Damage = { edits: [number, number][]; cut: number; tail: Uint8Array };

function damaged(bytes: Uint8Array, { edits, cut, tail }: Damage): Uint8Array {
  const out = concat(bytes.subarray(0, Math.max(0, bytes.length - cut)), tail);
  for (const [at, value] of edits) if (out.length > 0) out[at % out.length] = value;
  return out;
}

function agree<T extends object>(
  fast: (bytes: Uint8Array) => T | undefined,
  slow: { parse: (bytes: Uint8Array) => T | { kind: "rejected" } },
  bytes: Uint8Array,
): void {
  const expected = slow.parse(bytes);
  const of = isRejected(expected) ? undefined : expected;
  expect(fast(bytes)).toEqual(of);
  // As it comes from a socket or a database.
  expect(fast(Buffer.from(concat(Uint8Array.of(9), bytes)).subarray(1))).toEqual(of);
}

describe("the hand-written parsers", () => {
  it("take exactly the canonical bytes of a transaction", () => {
    fc.assert(
      fc.property(transaction, fc.option(damage), (tx, how) => {
        const bytes = generic.encode(tx);
        const tried = how === null ? bytes : damaged(bytes, how);
        agree((of) => parseTransaction(of, limits), generic, tried);
      }),
      { numRuns: 2_000 },
    );
  });

  it("take exactly the canonical bytes of spends and creates", () => {
    fc.assert(
      fc.property(spend, create, fc.option(damage), (spent, created, how) => {
        const hurt = (bytes: Uint8Array): Uint8Array =>
          how === null ? bytes : damaged(bytes, how);
        agree((of) => parseSpend(of, inputsMax), genericSpend, hurt(genericSpend.encode(spent)));
        agree(
          (of) => parseCreate(of, outputsMax),
          genericCreate,
          hurt(genericCreate.encode(created)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("take exactly the canonical bytes of a list of byte lists", () => {
    const lists = codec<{ list: Uint8Array[] }>(
      "lists",
      new ContainerType({ list: new ListCompositeType(new ByteListType(40), 6) }),
      9_999,
    );
    const wide = codec<{ list: Uint8Array[] }>(
      "wide",
      new ContainerType({ list: new ListCompositeType(new ByteListType(50), 9) }),
      9_999,
    );
    const parse = (bytes: Uint8Array): { list: Uint8Array[] } | undefined => {
      const list = parseByteLists(bytes, 6, 40);
      return list && { list };
    };
    const list = fc.array(fc.uint8Array({ maxLength: 42 }), { maxLength: 7 });
    fc.assert(
      fc.property(list, fc.option(damage), (of, how) => {
        const bytes = wide.encode({ list: of });
        agree(parse, lists, how === null ? bytes : damaged(bytes, how));
      }),
      { numRuns: 2_000 },
    );
  });

  it("keep the limits", () => {
    const many = { inputs: new Array(65).fill({ txid: new Uint8Array(32), index: 0 }) };
    const wide = codec(
      "wide",
      new ContainerType({ inputs: new ListCompositeType(outputIdType, 99) }),
      9_999,
    );
    expect(spendCodec.parse(wide.encode(many))).toMatchObject({ code: "bad-bytes" });
    const long = {
      envelope: [],
      expires: 1,
      actions: [],
      witnesses: [new Uint8Array(witnessSizeMax + 1)],
    };
    const loose = codec<Transaction>(
      "loose",
      new ContainerType({
        envelope: new ListCompositeType(
          new ContainerType({ validator: b32, role: u8, sequence: u64 }),
          1,
        ),
        expires: u64,
        actions: new ListCompositeType(actionType, actionsMax),
        witnesses: new ListCompositeType(new ByteListType(9_999), 64),
      }),
      transactionSizeMax,
    );
    expect(transactionCodec.parse(loose.encode(long))).toMatchObject({ code: "bad-bytes" });
    expect(createCodec.parse(new Uint8Array(3))).toMatchObject({ code: "bad-bytes" });
  });

  it("give the id of a transaction out of its bytes (FMT-4)", () => {
    const network = sha256(Uint8Array.of(1)) as Uint8Array as NetworkId;
    fc.assert(
      fc.property(transaction, (tx) => {
        const bytes = transactionCodec.encode(tx);
        expect(transactionIdIn(network, bytes)).toEqual(transactionId(network, tx));
      }),
    );
  });

  it("store an output in the codec's bytes", () => {
    const slow = codec("output", outputType, 80);
    fc.assert(
      fc.property(output, (of) => {
        expect(outputCodec.encode(of)).toEqual(slow.encode(of));
        expect(outputCodec.decode(slow.encode(of))).toEqual(of);
      }),
    );
    expect(parseOutput(new Uint8Array(79))).toBeUndefined();
    expect(() =>
      outputCodec.encode({
        asset: new Uint8Array(32),
        amount: 1n << 128n,
        lock: new Uint8Array(32),
      }),
    ).toThrow();
  });
});
