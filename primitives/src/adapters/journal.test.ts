// What must survive: every record that append returned for, through any torn tail; and what must never be
// passed over: a rotten record in the middle.
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Failure } from "../failure.ts";
import { journalCompliance } from "../testing.ts";
import { openJournal } from "./journal.ts";

let folder = "";
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const fresh = (): string => join(folder, `${files++}.journal`);
const record = (i: number): Uint8Array => new Uint8Array(10 + i).fill(i + 1);

function written(count: number): string {
  const path = fresh();
  const journal = openJournal(path, { create: true });
  for (let i = 0; i < count; i++) journal.append(record(i));
  journal.close();
  return path;
}

function contents(path: string): number[] {
  const journal = openJournal(path, { create: false });
  const first = [...journal.read()].map((bytes) => (bytes[0] ?? 0) - 1);
  journal.append(record(99));
  expect([...journal.read()].length).toBe(first.length + 1);
  journal.close();
  return first;
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
  return "none";
}

for (const { name, run } of journalCompliance(() => {
  const path = fresh();
  let create = true;
  return () => {
    const opened = openJournal(path, { create });
    create = false;
    return opened;
  };
}))
  test(`journal file: ${name}`, run);

test("a file cut at any byte keeps every whole record before the cut", () => {
  const whole = readFileSync(written(3));
  const ends = [16, 16 + 21 + 10, 16 + 2 * 21 + 21, 16 + 3 * 21 + 33];
  expect(whole.length).toBe(ends[3]);
  for (let size = 16; size <= whole.length; size++) {
    const path = fresh();
    writeFileSync(path, whole.subarray(0, size));
    expect(contents(path).length, `cut at ${size}`).toBe(
      ends.filter((end) => end <= size).length - 1,
    );
  }
});

test("a tail that grew to zeros before its bytes arrived is cut", () => {
  const whole = readFileSync(written(3));
  const end = 16 + 2 * 21 + 21;
  for (let size = 16 + 21 + 10; size < end; size++) {
    const path = fresh();
    writeFileSync(path, Buffer.concat([whole.subarray(0, size), Buffer.alloc(end - size)]));
    expect(contents(path), `zeros after ${size}`).toEqual([0]);
  }
});

test("a flipped bit in any byte of any record, the last one too, refuses to open", () => {
  const whole = readFileSync(written(3));
  for (let at = 16; at < whole.length; at++) {
    const rotten = Uint8Array.from(whole);
    rotten[at] = (rotten[at] ?? 0) ^ 0x10;
    const path = fresh();
    writeFileSync(path, rotten);
    expect(
      codeOf(() => openJournal(path, { create: false })),
      `byte ${at}`,
    ).toBe("journal-broken");
  }
});

test("a file that is no journal, or none at all, refuses to open", () => {
  const path = fresh();
  writeFileSync(path, "hello, world. hello, world");
  expect(codeOf(() => openJournal(path, { create: true }))).toBe("journal-broken");
  truncateSync(path, 3);
  expect(codeOf(() => openJournal(path, { create: true }))).toBe("journal-broken");
  expect(codeOf(() => openJournal(fresh(), { create: false }))).toBe("missing");
});

test("a second opener is refused while the first lives, and served after it closed or died", () => {
  const path = fresh();
  const one = openJournal(path, { create: true });
  expect(codeOf(() => openJournal(path, { create: false }))).toBe("locked");
  one.close();
  openJournal(path, { create: false }).close();
  writeFileSync(`${path}.lock`, "1 12345\n"); // process 1 lives but started at another time
  openJournal(path, { create: false }).close();
  writeFileSync(
    `${path}.lock`,
    readFileSync("/proc/1/stat", "utf8").replace(/^1 .*\) (\S+ ){19}(\S+).*\n?/, "1 $2\n"),
  );
  expect(codeOf(() => openJournal(path, { create: false }))).toBe("locked");
});

test("sequence numbers go on over a rewrite and the file is private", () => {
  const path = written(3);
  const journal = openJournal(path, { create: false });
  journal.rewrite([record(7)]);
  journal.append(record(8));
  journal.close();
  expect(readFileSync(path).readBigUInt64LE(8)).toBe(4n);
  expect(contents(path)).toEqual([7, 8]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
