import { isRejected, must, sha256, toHex } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatLock } from "../assets.ts";
import { testLock } from "../testing.ts";
import type { ImportOptions, Snapshot } from "./import.ts";
import { importBalances } from "./import.ts";
import type { Row } from "./merkle.ts";
import { growTree, leafHash, verifyRow } from "./merkle.ts";
import { seenLocks } from "./seen.ts";

const rowOf = (i: number): Row => ({ lock: testLock(`holder ${i}`), amount: BigInt(i + 1) });
const csv = ({ lock, amount }: Row): string => `${formatLock(lock)},${amount}`;
const json = ({ lock, amount }: Row): string =>
  JSON.stringify({ address: formatLock(lock), amount: String(amount) });
const rows = (count: number): Row[] => Array.from({ length: count }, (_, i) => rowOf(i));

function load(
  text: string,
  options: Partial<ImportOptions> = {},
  size: number = 7,
): ReturnType<ReturnType<typeof importBalances>["end"]> {
  const of = importBalances({ format: "csv", seed: 1, ...options });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size)
    if (!of.push(bytes.subarray(at, at + size))) break;
  return of.end();
}
function good(...given: Parameters<typeof load>): Snapshot {
  const loaded = load(...given);
  if (isRejected(loaded)) throw new Error(loaded.message);
  return loaded;
}
const why = (...given: Parameters<typeof load>): string => {
  const loaded = load(...given);
  return isRejected(loaded) ? loaded.message : "";
};

/** RFC 9162, 2.1.1, as it is written there. */
function plainRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return must(leaves[0], "leaf");
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  const [left, right] = [plainRoot(leaves.slice(0, k)), plainRoot(leaves.slice(k))];
  return sha256(Buffer.concat([Uint8Array.of(1), left, right]));
}

describe("a snapshot of balances", () => {
  test("has one root and total, whatever its format, its line ends and the pieces it comes in", () => {
    const all = rows(9);
    const expected = plainRoot(all.map(leafHash));
    const texts: readonly (readonly [string, "csv" | "jsonl"])[] = [
      [all.map(csv).join("\n"), "csv"],
      [`address,amount\r\n${all.map(csv).join("\r\n")}\r\n`, "csv"],
      [`${all.map(json).join("\n")}\n`, "jsonl"],
    ];
    for (const [text, format] of texts)
      for (const size of [1, 7, 10_000]) {
        const { root, count, total } = good(text, { format, expected: 45n }, size);
        expect([toHex(root), count, total]).toEqual([toHex(expected), 9, 45n]);
      }
  });

  test("is refused with the number of each line that is wrong", () => {
    const [a, b, c] = rows(3).map(csv) as [string, string, string];
    expect(why(`${a}\n${b}\n${c}\n${b}\n`)).toBe(`line 4: ${b.slice(0, 42)} is in line 2 already`);
    expect(why(`address,amount\n${a}\n${b}\n${a}`)).toContain("line 4: ");
    expect(why(`address,amount\n${a}\n${b}\n${a}`)).toContain("is in line 2 already");
    const wrong = ["", "x", "a,b,c", `${a},`, a.replace(",1", ",0"), a.replace(",1", ",1.5")];
    wrong.push(a.replace(",1", ",-1"), a.replace(",1", ", 1"), `0x00${a.slice(4, 42)}AA,1`);
    wrong.push(
      `0x${"0".repeat(39)}g,1`,
      `0x${"0".repeat(40)},1`,
      a.replace(",1", ",01"),
      json(rowOf(0)),
    );
    for (const [i, line] of wrong.entries())
      expect([i, why(`${b}\n${line}\n${c}`)]).toEqual([i, expect.stringContaining("line 2: ")]);
    expect(why(`${b}\n${"9".repeat(300)}\n${c}`)).toBe("line 2: over 256 bytes");
    expect(why("9".repeat(300))).toBe("line 1: over 256 bytes");
    for (const line of ["{}", "[]", "1", '{"address":"x","amount":1}', '{"address":"x"}', "{"])
      expect(why(line, { format: "jsonl" })).toContain("line 1: ");
    expect(why(`${a}\n${b}`, { expected: 4n })).toContain("add up to 3 units, not to 4");
    expect(why(Array.from({ length: 50 }, () => "x").join("\n")).split("\n")).toHaveLength(20);
    expect(why(`x\n${a}\n${a}`)).toContain("line 3: ");
    expect(why(`x\n${a}\n${a}`)).toContain("is in line 2 already");
  });

  test("proves each of its rows, and no other (RFC 9162)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (count, at, other) => {
        const all = rows(count);
        const ours = must(all[at % count], "row");
        const { root, proof } = good(all.map(csv).join("\n"), { wanted: ours.lock });
        expect(toHex(root)).toBe(toHex(plainRoot(all.map(leafHash))));
        const { row, index, path } = must(proof, "proof");
        expect([row, index]).toEqual([ours, at % count]);
        const place = { index, count, path };
        expect(verifyRow(row, place, root)).toBe(true);
        expect(verifyRow({ ...row, amount: row.amount + 1n }, place, root)).toBe(false);
        expect(verifyRow({ ...row, lock: testLock("stranger") }, place, root)).toBe(false);
        const elsewhere = { ...place, index: other % (2 * count) };
        expect(verifyRow(row, elsewhere, root)).toBe(elsewhere.index === index);
        expect(verifyRow(row, { ...place, path: path.slice(1) }, root)).toBe(count === 1);
        expect(verifyRow(row, { ...place, path: [...path, root] }, root)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test("of nothing is the empty tree", () => {
    expect(good("").count).toBe(0);
    expect(toHex(growTree().end().root)).toBe(toHex(sha256(new Uint8Array(0))));
  });
});

test("seen locks are found again among many, across the growth of its table", () => {
  for (const seed of [0, 0xdeadbeef]) {
    const seen = seenLocks(seed);
    const lock = (i: number): Uint8Array => {
      const bytes = new Uint8Array(32);
      new DataView(bytes.buffer).setUint32(28, i);
      return bytes;
    };
    const fresh = Array.from({ length: 150_000 }, (_, i) => seen.add(lock(i)));
    expect(fresh.every((before) => before === undefined)).toBe(true);
    for (const i of [0, 1, 65_535, 65_536, 149_999]) expect(seen.add(lock(i))).toBe(i);
  }
});
