import type { NetworkId } from "@causeway/primitives";
import { fromHex, isPublicHost, isRejected, must, seeded, sha256 } from "@causeway/primitives";
import { describe, expect, it } from "vitest";
import { addressSize, encodeAddress, groupOf, parseAddress } from "./address.ts";
import type { Book } from "./book.ts";
import {
  dialled,
  dueAt,
  encodeBook,
  entriesMax,
  learn,
  perGroupMax,
  perHostMax,
  perSourceMax,
  readBook,
  sample,
} from "./book.ts";
import { addressOf, hostOf, keyOf } from "./testing.ts";

const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
const other = sha256(new Uint8Array(2)) as unknown as NetworkId;
const itself = { by: "itself" } as const;
const heard = { by: "other", group: "v4:0101" } as const;
const bookOf = (more: Partial<Book> = {}): Book => ({
  self: keyOf(0),
  oneMachine: false,
  entries: new Map(),
  ...more,
});

describe("an address", () => {
  it("is 51 bytes, and nothing else is one", () => {
    const bytes = encodeAddress(addressOf(1));
    expect(bytes.length).toBe(addressSize);
    expect(parseAddress(bytes)).toEqual(addressOf(1));
    const noPort = bytes.slice();
    noPort.fill(0, -2);
    const noKey = bytes.slice();
    noKey[0] = 4;
    for (const bad of [noPort, noKey, bytes.subarray(1), new Uint8Array(0), new Uint8Array(160)])
      expect(isRejected(parseAddress(bad))).toBe(true);
  });

  it("is of the Internet or not", () => {
    for (const host of [
      [8, 8, 8, 8],
      [100, 128, 0, 1],
      [172, 32, 0, 1],
      [192, 167, 0, 1],
      [223, 1, 1, 1],
    ])
      expect([host, isPublicHost(hostOf(...host))]).toEqual([host, true]);
    for (const host of [
      [0, 1, 1, 1],
      [10, 0, 0, 1],
      [100, 64, 0, 1],
      [100, 127, 0, 1],
      [127, 0, 0, 1],
      [169, 254, 1, 1],
      [172, 31, 0, 1],
      [192, 168, 1, 1],
      [198, 19, 0, 1],
      [224, 0, 0, 1],
      [255, 255, 255, 255],
    ])
      expect([host, isPublicHost(hostOf(...host))]).toEqual([host, false]);
    expect(isPublicHost(fromHex("26064700".padEnd(32, "0")))).toBe(true);
    for (const host of ["20010db8", "fe80", "fc00", "00", "ff02"])
      expect(isPublicHost(fromHex(host.padEnd(32, "0")))).toBe(false);
    expect(groupOf(hostOf(1, 2, 3, 4))).toBe(groupOf(hostOf(1, 2, 200, 4)));
    expect(groupOf(hostOf(1, 2, 3, 4))).not.toBe(groupOf(hostOf(1, 3, 3, 4)));
  });
});

describe("the address book", () => {
  it("takes neither itself nor what is not of the Internet, unless all is one machine", () => {
    const home = addressOf(1, hostOf(127, 0, 0, 1));
    expect(learn(bookOf(), addressOf(0), itself)).toBe(false);
    expect(learn(bookOf(), home, itself)).toBe(false);
    expect(learn(bookOf({ oneMachine: true }), home, itself)).toBe(true);
  });

  it("gives one host, one range and one teller no more than a corner", () => {
    const byHost = bookOf();
    for (let i = 1; i <= 100; i++) learn(byHost, addressOf(i, hostOf(9, 9, 9, 9)), itself);
    expect(byHost.entries.size).toBe(perHostMax);
    const byGroup = bookOf();
    for (let i = 1; i <= 100; i++) learn(byGroup, addressOf(i, hostOf(9, 9, 9, i)), itself);
    expect(byGroup.entries.size).toBe(perGroupMax);
    const bySource = bookOf();
    for (let i = 1; i <= 200; i++) learn(bySource, addressOf(i), heard);
    expect(bySource.entries.size).toBe(perSourceMax);
  });

  it("is bounded, and keeps who works when a flood comes", () => {
    const book = bookOf({ oneMachine: true });
    for (let i = 1; i <= 10; i++) {
      learn(book, addressOf(i), itself);
      dialled(book, keyOf(i), true, 1_000);
    }
    for (let i = 11; i <= 5_000; i++) learn(book, addressOf(i), heard);
    expect(book.entries.size).toBe(entriesMax);
    for (let i = 1; i <= 10; i++) expect(book.entries.has(keyOf(i))).toBe(true);
  });

  it("does not let others move who works", () => {
    const book = bookOf();
    learn(book, addressOf(1), itself);
    dialled(book, keyOf(1), true, 1_000);
    const elsewhere = addressOf(1, hostOf(66, 66, 66, 66));
    expect(learn(book, elsewhere, heard)).toBe(false);
    dialled(book, keyOf(1), false, 2_000);
    expect(learn(book, elsewhere, heard)).toBe(true);
    expect(sample(book, 10, seeded(1))).toEqual([]);
    expect(learn(book, addressOf(1), itself)).toBe(true);
    expect(sample(book, 10, seeded(1))).toEqual([addressOf(1)]);
  });

  it("dials less and less often, and forgets who was never there", () => {
    const book = bookOf();
    learn(book, addressOf(1), heard);
    learn(book, addressOf(2), heard);
    dialled(book, keyOf(2), true, 1);
    const waits: number[] = [];
    for (let at = 1, i = 0; i < 6; i++) {
      dialled(book, keyOf(1), false, 8 * 24 * 3_600_000 + at);
      dialled(book, keyOf(2), false, at);
      const entry = must(book.entries.get(keyOf(2)), "entry");
      waits.push((dueAt(entry) - at) / 5_000);
      at = dueAt(entry);
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 64]);
    expect([...book.entries.keys()]).toEqual([keyOf(2)]);
  });

  it("tells no hearsay", () => {
    const book = bookOf();
    learn(book, addressOf(1), heard);
    learn(book, addressOf(2), itself);
    learn(book, addressOf(3), heard);
    dialled(book, keyOf(3), true, 5);
    const told = sample(book, 10, seeded(1)).map(({ key }) => key);
    expect(told.sort()).toEqual([keyOf(2), keyOf(3)].sort());
    expect(sample(book, 1, seeded(1)).length).toBe(1);
  });

  it("is read as it was written; damaged bytes are refused, whichever", () => {
    const book = bookOf();
    for (let i = 1; i <= 40; i++) learn(book, addressOf(i), itself);
    dialled(book, keyOf(7), true, 5_000);
    const bytes = encodeBook(network, book);
    const again = bookOf();
    expect(readBook(network, again, bytes)).toBeUndefined();
    expect(encodeBook(network, again)).toEqual(bytes);
    expect(again.entries.get(keyOf(7))?.reachedAt).toBe(5_000);
    const empty = bookOf();
    expect(readBook(other, empty, bytes)).toMatchObject({ code: "bad-book" });
    for (let i = 0; i < bytes.length; i += 7) {
      const bad = bytes.slice();
      bad[i] = (bad[i] ?? 0) ^ 1;
      expect(readBook(network, empty, bad)).toMatchObject({ code: "bad-book" });
      expect(readBook(network, empty, bytes.subarray(0, i))).toMatchObject({ code: "bad-book" });
    }
    expect(empty.entries.size).toBe(0);
  });
});
