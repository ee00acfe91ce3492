// BIP340 by its own vectors, on the primitives that the whole house signs and verifies with.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromHex, toHex } from "@causeway/primitives";
import { publicPoint, signSchnorr, verifySchnorr, xOnly } from "@causeway/primitives/secp256k1";
import { describe, expect, test } from "vitest";
import { countCases, familyFolder } from "./families.ts";

const file = join(familyFolder("bip340") ?? "none", "test-vectors.csv");
const present = existsSync(file);

// index,secret key,public key,aux_rand,message,signature,verification result,comment
const rows = present
  ? readFileSync(file, "utf8")
      .trim()
      .split(/\r?\n/)
      .slice(1)
      .map((line) => line.split(","))
  : [];
const field = (row: readonly string[], index: number): string => row[index] ?? "";
const bytes = (row: readonly string[], index: number): Uint8Array => fromHex(field(row, index));

countCases("bip340", rows.length);

describe.skipIf(!present)("BIP340", () => {
  test.each(rows)("vector %s verifies as stated", (...row) => {
    expect(verifySchnorr(bytes(row, 2), bytes(row, 4), bytes(row, 5))).toBe(
      field(row, 6) === "TRUE",
    );
  });

  test.each(rows.filter((row) => field(row, 1) !== ""))("vector %s signs as stated", (...row) => {
    const secret = bytes(row, 1);
    expect(toHex(xOnly(publicPoint(secret)))).toBe(field(row, 2).toLowerCase());
    expect(toHex(signSchnorr(secret, bytes(row, 4), bytes(row, 3)))).toBe(
      field(row, 5).toLowerCase(),
    );
  });

  test("a signature, key or message with one bit changed verifies no more", () => {
    const row = rows[1] ?? [];
    const parts = [bytes(row, 2), bytes(row, 4), bytes(row, 5)] as const;
    expect(verifySchnorr(...parts)).toBe(true);
    for (const changed of [0, 1, 2]) {
      const [key, message, signature] = parts.map((part, index) =>
        index === changed ? part.map((byte, i) => (i === 31 ? byte ^ 1 : byte)) : part,
      ) as [Uint8Array, Uint8Array, Uint8Array];
      expect(verifySchnorr(key, message, signature)).toBe(false);
    }
  });
});
