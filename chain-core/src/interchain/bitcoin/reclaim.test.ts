// A deposit taken back by its owner's key alone (BTC-1).
import type { NetworkId } from "@causeway/primitives";
import { concat, isRejected, must, sha256, taggedHash, toHex, utf8 } from "@causeway/primitives";
import {
  multiplyBase,
  parseScalar,
  publicPoint,
  signSchnorr,
  sum,
  verifySchnorr,
  xOnly,
} from "@causeway/primitives/secp256k1";
import { Transaction } from "bitcoinjs-lib";
import { describe, expect, test } from "vitest";
import { buildReclaim, reclaimableFrom } from "./reclaim.ts";
import { depositScript, leafHash, reclaimDelay } from "./scripts.ts";

const secret = sha256(utf8("owner"));
const refund = xOnly(publicPoint(secret));
const genesis: Parameters<typeof buildReclaim>[0] = {
  networkId: sha256(utf8("network")) as Uint8Array as NetworkId,
  guardians: { keys: [publicPoint(sha256(utf8("guardian")))], threshold: 1 },
  bitcoin: { network: "regtest" } as never,
};
const keyPoint = publicPoint(sha256(utf8("ring")));
const destination = { chain: new Uint8Array(32), payload: new Uint8Array(32) };
const terms = { version: 1, keyPoint, destination, maxFee: 0n, refund };
const coin = { txid: sha256(utf8("txid")), vout: 3, amount: 50_000n };
const payTo = concat(Uint8Array.of(0x51, 32), xOnly(publicPoint(sha256(utf8("home")))));

describe("A reclaim", () => {
  const reclaim = buildReclaim(genesis, { terms, coin, payTo, feeRate: 2_000 });
  if (isRejected(reclaim)) throw new Error(reclaim.message);
  const signature = signSchnorr(secret, reclaim.sighash, new Uint8Array(32));
  const full = Transaction.fromBuffer(Buffer.from(reclaim.finish(signature)));
  const deposit = depositScript(genesis, terms);
  if (isRejected(deposit)) throw new Error(deposit.message);

  test("takes 138 vB, waits half a year by its sequence, and pays what the fee leaves", () => {
    expect(full.virtualSize()).toBe(138);
    expect(full.ins[0]?.sequence).toBe(reclaimDelay);
    expect(full.outs[0]?.value).toBe(50_000n - 276n);
    expect(reclaimableFrom(100)).toBe(100 + 26_279);
  });

  test("is signed by the owner's key over the leaf, as bitcoinjs-lib hashes it", () => {
    const leaf = Buffer.from(leafHash(deposit.leafA));
    const hash = full.hashForWitnessV1(0, [deposit.script], [coin.amount], 0, leaf);
    expect(toHex(hash)).toBe(toHex(reclaim.sighash));
    expect(verifySchnorr(refund, reclaim.sighash, signature)).toBe(true);
  });

  test("shows a control block that leads from leaf A to the output's key (BIP341)", () => {
    const control = must(full.ins[0]?.witness[2], "control block");
    const a = leafHash(deposit.leafA);
    const b = control.slice(33);
    const [low, high] = toHex(a) < toHex(b) ? [a, b] : [b, a];
    const root = taggedHash("TapBranch", low, high);
    const tweak = taggedHash("TapTweak", control.slice(1, 33), root);
    const internal = concat(Uint8Array.of(2), control.slice(1, 33));
    const output = sum([internal, multiplyBase(must(parseScalar(tweak), "scalar"))]);
    expect(toHex(must(output, "output").slice(1))).toBe(toHex(deposit.script.slice(2)));
    expect(must(control[0], "parity") & 1).toBe(must(output, "output")[0] === 2 ? 0 : 1);
  });

  test("of a coin that does not pay its fee, or to nowhere, is refused", () => {
    const dust = { terms, coin: { ...coin, amount: 600n }, payTo, feeRate: 2_000 };
    expect(buildReclaim(genesis, dust)).toMatchObject({ code: "dust" });
    const nowhere = { terms, coin, payTo: Uint8Array.of(0x6a), feeRate: 2_000 };
    expect(buildReclaim(genesis, nowhere)).toMatchObject({ code: "unpayable-address" });
  });
});
