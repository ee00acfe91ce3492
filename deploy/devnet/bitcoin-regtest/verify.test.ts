// The input verifier: every supported way to spend, and one bit off each of them.
import { concat, sha256, utf8 } from "@causeway/primitives";
import * as secp from "@causeway/primitives/secp256k1";
import { expect, test } from "vitest";
import type { Owner } from "./testing.ts";
import { keyHash, keyPath, pay, reclaimer, reclaimLeaf } from "./testing.ts";
import { parseReclaim, verifyInput } from "./verify.ts";

const key = secp.xOnly(secp.publicPoint(sha256(utf8("carol"))));
type Tamper = (witness: Uint8Array[]) => Uint8Array[];

function check(owner: Owner, tamper?: Tamper, sequence = 10, version = 2): string | undefined {
  const spend = { txid: "11".repeat(32), vout: 1, value: 5000n, owner };
  const outs = [{ script: keyHash("x").script, value: 4000n }];
  const tx = pay({ spends: [spend], outs, sequence, version }, tamper);
  const coin = { value: spend.value, script: owner.script, height: 1, coinbase: false };
  return verifyInput(tx.body, 0, [coin]);
}

function flipBit(item: number): Tamper {
  return (witness) => {
    const bytes = Uint8Array.from(witness[item] ?? []);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    return witness.with(item, bytes);
  };
}

test("true signatures of all three kinds verify", () => {
  expect(check(keyHash("a"))).toBeUndefined();
  expect(check(keyPath("a"))).toBeUndefined();
  expect(check(reclaimer("carol", 10))).toBeUndefined();
  expect(check(reclaimer("carol", 26280), undefined, 26280)).toBeUndefined();
});

test("one flipped bit in any part of a witness is refused", () => {
  expect(check(keyHash("a"), flipBit(0))).toBeDefined();
  expect(check(keyHash("a"), flipBit(1))).toBe("Script failed an OP_EQUALVERIFY operation");
  expect(check(keyPath("a"), flipBit(0))).toBe("Invalid Schnorr signature");
  expect(check(reclaimer("carol", 10), flipBit(0))).toBe("Invalid Schnorr signature");
  for (const item of [1, 2])
    expect(check(reclaimer("carol", 10), flipBit(item))).toBe("Witness program hash mismatch");
});

test("the amount is signed: a coin of another value is refused", () => {
  for (const owner of [keyHash("a"), keyPath("a"), reclaimer("carol", 10)]) {
    const spend = { txid: "11".repeat(32), vout: 1, value: 5000n, owner };
    const outs = [{ script: keyHash("x").script, value: 4000n }];
    const tx = pay({ spends: [spend], outs, sequence: 10, version: 2 });
    const coin = { value: 5001n, script: owner.script, height: 1, coinbase: false };
    expect(verifyInput(tx.body, 0, [coin])).toBeDefined();
  }
});

test("witnesses of the wrong shape are refused", () => {
  expect(check(keyPath("a"), () => [])).toBe("Witness program was passed an empty witness");
  expect(check(keyPath("a"), ([s]) => [concat(s as Uint8Array, Uint8Array.of(0))])).toBe(
    "Invalid Schnorr signature hash type",
  );
  expect(check(keyPath("a"), ([s]) => [(s as Uint8Array).slice(1)])).toBe(
    "Invalid Schnorr signature size",
  );
  expect(
    check(reclaimer("carol", 10), ([, leaf, control]) => [leaf, control] as Uint8Array[]),
  ).toBe("Operation not valid with the current stack size");
  expect(check(reclaimer("carol", 10), (w) => [new Uint8Array(1), ...w])).toBe(
    "Stack size must be exactly one after execution",
  );
});

test("the relative lock of the reclaim leaf is enforced (BIP112)", () => {
  const late = "Locktime requirement not satisfied";
  expect(check(reclaimer("carol", 10), undefined, 9)).toBe(late);
  expect(check(reclaimer("carol", 10), undefined, 11)).toBeUndefined();
  expect(check(reclaimer("carol", 10), undefined, 0x40000a)).toBe(late);
  expect(check(reclaimer("carol", 10), undefined, 0xfffffffd)).toBe(late);
  expect(check(reclaimer("carol", 10), undefined, 10, 1)).toBe(late);
});

test("leaves other than the reclaim are refused although they are committed to", () => {
  const plain = concat(Uint8Array.of(32), key, Uint8Array.of(0xac));
  const dropped = concat(Uint8Array.of(32), key, Uint8Array.of(0xad, 0x51));
  for (const leaf of [plain, dropped, Uint8Array.of(0x51)])
    expect(check(reclaimer("carol", 10, leaf))).toContain("no leaf but the reclaim");
});

test("a delay that is not a minimal positive script number is no reclaim leaf", () => {
  for (const delay of [1, 16, 17, 127, 128, 26280, 52560, 65535])
    expect(parseReclaim(reclaimLeaf(key, delay))).toEqual({ key, delay });
  const leaf = (...push: number[]): Uint8Array =>
    concat(Uint8Array.of(32), key, Uint8Array.of(0xad, ...push, 0xb2));
  for (const push of [[], [0], [0x4f], [1, 5], [2, 20, 0], [1, 0x81], [4, 1, 1, 1, 1], [3, 1, 1]])
    expect(parseReclaim(leaf(...push))).toBeUndefined();
});

test("other output types are refused", () => {
  const owner = keyHash("a");
  const script = concat(Uint8Array.of(0, 32), new Uint8Array(32));
  expect(check({ ...owner, script })).toContain("witness_v0_scripthash");
});
