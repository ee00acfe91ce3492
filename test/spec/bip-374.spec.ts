// BIP-374 (proofs of equal discrete logarithms) by its own vectors, on the proof that complaints carry.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { proveDleq, verifyDleq } from "@causeway/chain-core/ring";
import { fromHex, toHex } from "@causeway/primitives";
import { ecdhPoint } from "@causeway/primitives/secp256k1";
import { describe, expect, test } from "vitest";
import { countCases, familyFolder } from "./families.ts";

const file = join(familyFolder("bip374") ?? "none", "test_vectors_generate_proof.csv");
const present = existsSync(file);

// index,point_G,scalar_a,point_B,auxrand_r,message,result_proof,comment
const rows = present
  ? readFileSync(file, "utf8")
      .trim()
      .split(/\r?\n/)
      .slice(1)
      .map((line) => {
        const [index = "", G = "", a = "", B = "", aux = "", message = "", proof = "", name = ""] =
          line.split(",");
        return { index, G, a, B, aux, message, proof, name };
      })
  : [];
const valid = rows.filter(({ proof }) => proof !== "INVALID");

countCases("bip374", rows.length);

describe.skipIf(!present)("BIP-374", () => {
  test.each(valid)("vector $index: $name", ({ G, a, B, aux, message, proof }) => {
    const [base, secret, other, extra] = [G, a, B, message].map(fromHex) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const made = proveDleq(secret, other, fromHex(aux), extra, base);
    expect(toHex(made)).toBe(proof);
    const A = ecdhPoint(base, secret);
    const C = ecdhPoint(other, secret);
    expect(verifyDleq(A, other, C, made, extra, base)).toBe(true);
    expect(verifyDleq(A, other, A, made, extra, base)).toBe(false);
    expect(verifyDleq(A, other, C, made, Uint8Array.of(1), base)).toBe(false);
    for (let i = 0; i < 64; i += 9) {
      const wrong = made.map((byte, k) => (k === i ? byte ^ 1 : byte));
      expect(verifyDleq(A, other, C, wrong, extra, base)).toBe(false);
    }
  });

  test.each(rows.filter(({ proof }) => proof === "INVALID"))("vector $index: $name", (row) => {
    const { G, a, B, aux, message } = row;
    const other = B === "INFINITY" ? new Uint8Array(33) : fromHex(B);
    const prove = () => proveDleq(fromHex(a), other, fromHex(aux), fromHex(message), fromHex(G));
    expect(prove).toThrow();
  });
});
