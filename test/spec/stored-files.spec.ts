// Every kind of file that a process reads back, damaged and made up: it gives what was written or a typed refusal,
// and throws nothing else. The bytes inside are decoders.spec.ts's. FUZZ_RUNS as there; files whose key costs scrypt
// take a tenth of it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodePuts, encodePuts } from "../../chain-core/src/adapters/node-records.ts";
import { openSnapshot, writeSnapshot } from "../../chain-core/src/adapters/snapshot-files.ts";
import { openWallet, saveWallet } from "../../chain-core/src/adapters/wallet-file.ts";
import { nodeConfig, nodeKeyFields } from "../../chain-core/src/config.ts";
import { parseGenesis } from "../../chain-core/src/ledger/genesis-file.ts";
import { testBls, testGenesis } from "../../chain-core/src/ledger/testing.ts";
import type { Book } from "../../chain-core/src/peers/book.ts";
import { encodeBook, readBook } from "../../chain-core/src/peers/book.ts";
import { openTopicLog } from "../../primitives/src/adapters/bus-log.ts";
import { readConfig } from "../../primitives/src/adapters/config.ts";
import { openJournal } from "../../primitives/src/adapters/journal.ts";
import { readKeyFile } from "../../primitives/src/adapters/key-file.ts";
import { scryptCosts } from "../../primitives/src/adapters/sealed.ts";
import { bytes32 } from "../../primitives/src/bytes.ts";
import { Failure, isRejected } from "../../primitives/src/failure.ts";
import { seeded } from "../../primitives/src/random.ts";
import { shareVault } from "../../signer/src/adapters/share-vault.ts";

const runs = Number(process.env.FUZZ_RUNS ?? 150);
const { networkId } = testGenesis(1);
const random = seeded(7);
const entropy = (size: number): Uint8Array => random.bytes(size);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stored-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Change = (bytes: Uint8Array) => Uint8Array;

const place = fc.nat();
const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(
    ([at, bit]): Change =>
      (bytes) => {
        const out = Uint8Array.from(bytes);
        const index = at % Math.max(1, out.length);
        if (out.length > 0) out[index] = (out[index] ?? 0) ^ (1 << bit);
        return out;
      },
  ),
  place.map(
    (at): Change =>
      (bytes) =>
        bytes.slice(0, at % Math.max(1, bytes.length)),
  ),
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 40 })).map(
    ([at, noise]): Change =>
      (bytes) => {
        const out = Uint8Array.from(bytes);
        const index = at % Math.max(1, out.length);
        out.set(noise.subarray(0, out.length - index), index);
        return out;
      },
  ),
  fc.uint8Array({ maxLength: 40 }).map(
    (more): Change =>
      (bytes) =>
        Uint8Array.from([...bytes, ...more]),
  ),
  fc.uint8Array({ maxLength: 200 }).map(
    (noise): Change =>
      () =>
        noise,
  ),
  fc.json({ maxDepth: 2 }).map(
    (json): Change =>
      () =>
        utf8(json),
  ),
  fc.constantFrom("null", "[]", "{}", "1", '"x"').map(
    (json): Change =>
      () =>
        utf8(json),
  ),
);

/** What a reader gave, or the code with which it refused; anything else that it throws fails the test. */
async function outcome(read: () => unknown): Promise<unknown> {
  try {
    const value = await read();
    return isRejected(value) ? value.code : value;
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

type File = {
  readonly name: string;
  /** The true bytes. */
  readonly bytes: () => Uint8Array | Promise<Uint8Array>;
  readonly read: (bytes: Uint8Array) => unknown;
  /** Who authenticates or sums the bytes gives what was written or refuses; by default any typed answer is right. */
  readonly isExact?: true;
  readonly share?: number;
};

const pathOf = (name: string): string => join(folder, name);
const put = (name: string, bytes: Uint8Array): string => {
  writeFileSync(pathOf(name), bytes, { mode: 0o600 });
  return pathOf(name);
};
async function readBack(name: string): Promise<Uint8Array> {
  const { readFile } = await import("node:fs/promises");
  return Uint8Array.from(await readFile(pathOf(name)));
}
const emptyBook = (): Book => ({ entries: new Map() }) as unknown as Book;
const snapshotOf = { epoch: 1, height: 5, block: bytes32(new Uint8Array(32)) };
const vault = (at: string): ReturnType<typeof shareVault> =>
  shareVault({
    folder: at,
    passphrase: "pass",
    network: networkId,
    logN: scryptCosts.logNMin,
    entropy,
  });

async function* records(): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
  for (let i = 0; i < 50; i++) yield [Uint8Array.of(1, i), random.bytes(40)] as const;
}

const files: readonly File[] = [
  {
    name: "key file of a node",
    bytes: () => utf8(JSON.stringify({ consensus: "11".repeat(32), peer: "22".repeat(32) })),
    read: (bytes) => readKeyFile(put("keys.json", bytes), nodeKeyFields),
  },
  {
    name: "configuration",
    bytes: () => utf8("CAUSEWAY_P2P_PORT=1\nCAUSEWAY_DATA=here\n"),
    read: (bytes) => readConfig(nodeConfig, new TextDecoder().decode(bytes), {}),
  },
  {
    name: "proofs of the genesis",
    bytes: () => utf8("{}"),
    read: (bytes) => parseGenesis(utf8("{}"), bytes, testBls),
  },
  {
    name: "vote journal",
    bytes: async () => {
      rmSync(pathOf("true.journal"), { force: true });
      const journal = openJournal(pathOf("true.journal"), { create: true });
      for (let i = 0; i < 5; i++) journal.append(random.bytes(20 + i));
      journal.close();
      return readBack("true.journal");
    },
    read: (bytes) => {
      const journal = openJournal(put("votes.journal", bytes), { create: false });
      try {
        return [...journal.read()].length;
      } finally {
        journal.close();
      }
    },
  },
  {
    name: "records of the bus",
    bytes: () => utf8("a record"),
    read: (bytes) => {
      const journal = { read: () => [bytes], append() {}, rewrite() {}, close() {} };
      return openTopicLog(journal, "hints", silent).cursor("relay");
    },
  },
  {
    name: "address book",
    bytes: () => encodeBook(networkId, emptyBook()),
    read: (bytes) => readBook(networkId, emptyBook(), bytes),
    isExact: true,
  },
  {
    name: "what undoes a block",
    bytes: () => encodePuts([{ key: Uint8Array.of(1) }, { key: utf8("k"), value: utf8("v") }]),
    read: (bytes) => decodePuts(bytes).length,
  },
  ...(["index", "chunks"] as const).map(
    (part): File => ({
      name: `${part} of a snapshot`,
      bytes: async () => {
        await writeSnapshot(networkId, pathOf("snapshot"), snapshotOf, records(), () => false);
        return readBack(`snapshot/${part}`);
      },
      read: async (bytes) => {
        put(`snapshot/${part}`, bytes);
        const files = await openSnapshot(networkId, pathOf("snapshot"));
        try {
          return await files?.read(0);
        } finally {
          await files?.close();
        }
      },
      isExact: true,
    }),
  ),
  {
    name: "wallet",
    bytes: () => {
      rmSync(pathOf("true.wallet"), { force: true });
      saveWallet(pathOf("true.wallet"), "pass", "some words", entropy, scryptCosts.logNMin);
      return readBack("true.wallet");
    },
    read: (bytes) => openWallet(put("wallet", bytes), "pass"),
    isExact: true,
    share: 0.1,
  },
  {
    name: "share of a key",
    bytes: () => {
      vault(pathOf("shares")).save(
        { keyId: 1, attempt: 0, seat: 0, share: new Uint8Array(32).fill(5) },
        new Uint8Array(32),
      );
      return readBack("shares/key-1-0-seat-0.share");
    },
    read: (bytes) => {
      mkdirSync(pathOf("damaged"), { recursive: true });
      put("damaged/key-1-0-seat-0.share", bytes);
      return vault(pathOf("damaged")).load();
    },
    isExact: true,
    share: 0.1,
  },
];

describe("files that are read back", () => {
  test.each(files.map((file) => [file.name, file] as const))("%s", async (_, file) => {
    const bytes = await file.bytes();
    const whole = await outcome(() => file.read(bytes));
    const examples: [Change][] = [[() => new Uint8Array(0)], [() => utf8("null")]];
    const property = fc.asyncProperty(changes, async (change) => {
      const damaged = change(bytes);
      const value = await outcome(() => file.read(damaged));
      if (file.isExact === true && typeof value !== "string" && value !== undefined)
        expect(value).toEqual(whole);
    });
    await fc.assert(property, { numRuns: Math.ceil(runs * (file.share ?? 1)), seed: 4, examples });
  });
});
