// Every decoder that bytes from outside or from a disk reach, fuzzed: whatever comes, it answers with a value or a
// typed rejection, throws nothing, and what it accepts is canonical (FMT-2). The decoders are found, not listed: each
// exported codec and table of every package. FUZZ_RUNS is the number of inputs for each (nightly: 100,000).
import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  BooleanType,
  ByteListType,
  ByteVectorType,
  ContainerType,
  ListBasicType,
  ListCompositeType,
  UintBigintType,
  UintNumberType,
} from "@chainsafe/ssz";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRecord } from "../../chain-core/src/consensus/journal.ts";
import { parseBlock } from "../../chain-core/src/interchain/bitcoin/inclusion.ts";
import { parseTransaction } from "../../chain-core/src/interchain/bitcoin/transaction.ts";
import { parseBatch } from "../../chain-core/src/interchain/messages.ts";
import { parseLock } from "../../chain-core/src/ledger/assets.ts";
import { parseGenesis } from "../../chain-core/src/ledger/genesis-file.ts";
import { testBls } from "../../chain-core/src/ledger/testing.ts";
import { parseMessage } from "../../chain-core/src/node/message.ts";
import { parseAddress } from "../../chain-core/src/peers/address.ts";
import { parseChunk } from "../../chain-core/src/snapshot/chunks.ts";
import { parseSync } from "../../chain-core/src/snapshot/message.ts";
import type { Codec } from "../../primitives/src/codec.ts";

const runs = Number(process.env.FUZZ_RUNS ?? 150);
const root = resolve(import.meta.dirname, "../..");
const files = globSync("{primitives,chain-core,signer,gateway}/src/**/*.ts", { cwd: root }).filter(
  (file) => !/\.test\.ts$|testing|\.d\.ts$|main\.ts$|cli\.ts$|worker|verify-thread/.test(file),
);

type Found = { readonly name: string; readonly codec: Codec<unknown> };

const isCodec = (value: unknown): value is Codec<unknown> =>
  typeof value === "object" && value !== null && "parse" in value && "sizeMax" in value;

async function findCodecs(): Promise<Found[]> {
  const found = new Map<unknown, Found>();
  for (const file of files) {
    const exports = (await import(join(root, file))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exports)) {
      const inner = (value as { codec?: unknown } | null | undefined)?.codec;
      const codec = isCodec(value) ? value : isCodec(inner) ? inner : undefined;
      if (codec !== undefined) found.set(codec, { name: `${file}: ${name}`, codec });
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const bytesOf = (limit: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ maxLength: Math.min(limit, 64) });

/** Values of an SSZ type, small ones mostly. */
function valuesOf(type: unknown): fc.Arbitrary<unknown> {
  if (type instanceof BooleanType) return fc.boolean();
  if (type instanceof UintNumberType)
    return type.byteLength >= 8 ? fc.maxSafeNat() : fc.nat(2 ** (8 * type.byteLength) - 1);
  if (type instanceof UintBigintType) return fc.bigInt(0n, 2n ** 128n - 1n);
  if (type instanceof ByteVectorType)
    return fc.uint8Array({ minLength: type.lengthBytes, maxLength: type.lengthBytes });
  if (type instanceof ByteListType) return bytesOf(type.limitBytes);
  if (type instanceof ListBasicType || type instanceof ListCompositeType)
    return fc.array(valuesOf(type.elementType), { maxLength: Math.min(4, type.limit) });
  if (type instanceof ContainerType)
    return fc.record(
      Object.fromEntries(
        Object.entries(type.fields as Record<string, unknown>).map(([k, of]) => [k, valuesOf(of)]),
      ),
    );
  throw new Error(`no values of ${String(type)}`);
}

type Change =
  | { readonly kind: "flip"; readonly at: number; readonly bit: number }
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "add"; readonly bytes: Uint8Array }
  | { readonly kind: "set"; readonly at: number; readonly bytes: Uint8Array };

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("add" as const), bytes: bytesOf(16) }),
  fc.record({
    kind: fc.constant("set" as const),
    at: fc.nat(),
    bytes: fc.oneof(bytesOf(8), fc.constant(new Uint8Array(4).fill(0xff))),
  }),
);

function changed(bytes: Uint8Array, by: Change): Uint8Array {
  const out = Uint8Array.from(bytes);
  const at = "at" in by ? by.at % Math.max(1, out.length) : 0;
  if (by.kind === "cut") return out.slice(0, at);
  if (by.kind === "add") return Uint8Array.from([...out, ...by.bytes]);
  if (by.kind === "flip" && out.length > 0) out[at] = (out[at] ?? 0) ^ (1 << by.bit);
  if (by.kind === "set") out.set(by.bytes.subarray(0, out.length - at), at);
  return out;
}

/** Encodings of true values, changed a little or not at all, and plain noise. */
function inputsOf({ codec }: Found): fc.Arbitrary<Uint8Array> {
  const sound = valuesOf(codec.type).map((value) => encoded(codec, value));
  return fc.oneof(
    { weight: 1, arbitrary: sound },
    { weight: 3, arbitrary: fc.tuple(sound, change).map(([bytes, by]) => changed(bytes, by)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  );
}

function encoded(codec: Codec<unknown>, value: unknown): Uint8Array {
  try {
    return codec.encode(value);
  } catch {
    // Larger than the codec allows: parse must refuse it, and says so of nothing too.
    return new Uint8Array(0);
  }
}

const isRejection = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  (value as { kind?: unknown }).kind === "rejected" &&
  typeof (value as { code?: unknown }).code === "string";

const codecs = await findCodecs();

describe(`${codecs.length} codecs, ${runs} inputs each`, () => {
  test("there are many, and none was forgotten by the search", () => {
    expect(codecs.length).toBeGreaterThan(60);
  });

  test.each(codecs.map((found) => [found.name, found] as const))("%s", (_, found) => {
    const { codec } = found;
    const property = fc.property(inputsOf(found), (bytes) => {
      const value = codec.parse(bytes);
      if (isRejection(value)) return;
      expect(codec.encode(value)).toEqual(bytes);
    });
    fc.assert(property, { numRuns: runs, seed: 1 });
  });

  test.each(codecs.map((found) => [found.name, found] as const))(
    "%s takes its own true values",
    (_, { codec }) => {
      const property = fc.property(valuesOf(codec.type), (value) => {
        let bytes: Uint8Array;
        try {
          bytes = codec.encode(value);
        } catch {
          return;
        }
        expect(isRejection(codec.parse(bytes))).toBe(false);
      });
      fc.assert(property, { numRuns: Math.min(runs, 50), seed: 2 });
    },
  );

  test("what is longer than a codec's bound is refused unread", () => {
    for (const { codec, name } of codecs.filter((found) => found.codec.sizeMax < 4_000_000))
      expect(isRejection(codec.parse(new Uint8Array(codec.sizeMax + 1))), name).toBe(true);
  });
});

describe("parsers that are no codecs", () => {
  const noise = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 12 }));
  const tagged = fc.tuple(fc.nat(16), noise).map(([tag, rest]) => Uint8Array.from([tag, ...rest]));
  const parsers: Record<string, (bytes: Uint8Array) => unknown> = {
    "node message": parseMessage,
    "sync message": parseSync,
    "snapshot chunk": parseChunk,
    "peer address": parseAddress,
    "vote journal record": parseRecord,
    batch: parseBatch,
    "bitcoin transaction": parseTransaction,
    "bitcoin block": parseBlock,
    "genesis body": (bytes) => parseGenesis(bytes, new Uint8Array(0), testBls),
    lock: (bytes) => parseLock(new TextDecoder().decode(bytes)),
    "lock of cw1": (bytes) => parseLock(`cw1${new TextDecoder().decode(bytes)}`),
  };
  test.each(Object.entries(parsers))("%s", (_, parse) => {
    fc.assert(
      fc.property(fc.oneof(noise, tagged), (bytes) => {
        parse(bytes);
      }),
      { numRuns: 4 * runs, seed: 3 },
    );
  });
});
