// For the tests of this folder: keys, scripts and signed transactions of the kinds that the node knows.
import {
  concat,
  equal,
  fromHex,
  reversed,
  sha256,
  taggedHash,
  toHex,
  utf8,
} from "@causeway/primitives";
import * as secp from "@causeway/primitives/secp256k1";
import { script as bitcoinScript, crypto, Transaction } from "bitcoinjs-lib";
import addon from "secp256k1/bindings.js";
import type { Tx } from "./tx.ts";
import { describe as describeTx } from "./tx.ts";

/** How an output can be spent. */
export type Owner = {
  readonly secret: Uint8Array;
  readonly script: Uint8Array;
  /** P2WPKH when undefined; key path without a leaf; else the leaf's script and control block. */
  readonly taproot?: { readonly leaf?: Uint8Array; readonly control?: Uint8Array };
};

export type Spend = {
  readonly txid: string;
  readonly vout: number;
  readonly value: bigint;
  readonly owner: Owner;
};

/** A P2WPKH owner; equal names give equal keys. */
export function keyHash(name: string): Owner {
  const secret = sha256(utf8(name));
  const hash = crypto.hash160(secp.publicPoint(secret));
  return { secret, script: concat(Uint8Array.of(0, 20), hash) };
}

/** A P2TR owner whose output key is the key itself. */
export function keyPath(name: string): Owner {
  const secret = sha256(utf8(name));
  const key = secp.xOnly(secp.publicPoint(secret));
  return { secret, script: concat(Uint8Array.of(0x51, 32), key), taproot: {} };
}

/** BTC-1's leaf A. */
export function reclaimLeaf(key: Uint8Array, delay: number): Uint8Array {
  const number = bitcoinScript.number.encode(delay);
  const push =
    delay <= 16 ? Uint8Array.of(0x50 + delay) : concat(Uint8Array.of(number.length), number);
  return concat(Uint8Array.of(32), key, Uint8Array.of(0xad), push, Uint8Array.of(0xb2));
}

function leafHash(leaf: Uint8Array): Uint8Array {
  return taggedHash("TapLeaf", Uint8Array.of(0xc0, leaf.length), leaf);
}

/** The owner of a deposit's output (BTC-1) who spends it by `leaf`, by default the reclaim leaf. */
export function reclaimer(name: string, delay: number, leaf?: Uint8Array): Owner {
  const secret = sha256(utf8(name));
  const spent = leaf ?? reclaimLeaf(secp.xOnly(secp.publicPoint(secret)), delay);
  const internal = secp.xOnly(secp.publicPoint(sha256(utf8("ring"))));
  const sibling = leafHash(concat(Uint8Array.of(0x6a, 32), new Uint8Array(32).fill(7)));
  const own = leafHash(spent);
  const pair = toHex(own) < toHex(sibling) ? [own, sibling] : [sibling, own];
  const tweak = taggedHash("TapTweak", internal, taggedHash("TapBranch", ...pair));
  const output = secp.sum([secp.liftX(internal), secp.multiplyBase(BigInt(`0x${toHex(tweak)}`))]);
  if (output === undefined) throw new Error("no output key");
  const parity = (output[0] ?? 0) & 1;
  const control = concat(Uint8Array.of(0xc0 | parity), internal, sibling);
  const script = concat(Uint8Array.of(0x51, 32), output.subarray(1));
  return { secret, script, taproot: { leaf: spent, control } };
}

export type Draft = {
  readonly spends: readonly Spend[];
  readonly outs: readonly { readonly script: Uint8Array; readonly value: bigint }[];
  readonly version?: number;
  readonly sequence?: number;
  readonly locktime?: number;
};

/** A signed transaction; `tamper` changes witnesses after signing. */
export function pay(draft: Draft, tamper: (witness: Uint8Array[]) => Uint8Array[] = (w) => w): Tx {
  const tx = new Transaction();
  tx.version = draft.version ?? 3;
  tx.locktime = draft.locktime ?? 0;
  for (const { txid, vout } of draft.spends)
    tx.addInput(reversed(fromHex(txid)), vout, draft.sequence ?? 0xfffffffd);
  for (const { script, value } of draft.outs) tx.addOutput(script, value);
  for (const [index, spend] of draft.spends.entries())
    tx.setWitness(index, tamper(witnessOf(tx, index, spend, draft.spends)));
  return describeTx(tx);
}

function witnessOf(
  tx: Transaction,
  index: number,
  { owner, value }: Spend,
  spends: readonly Spend[],
): Uint8Array[] {
  const { secret, script, taproot } = owner;
  if (taproot === undefined) {
    const code = concat(fromHex("76a914"), script.subarray(2), fromHex("88ac"));
    const digest = tx.hashForWitnessV0(index, code, value, Transaction.SIGHASH_ALL);
    const { signature } = addon.ecdsaSign(digest, secret);
    return [bitcoinScript.signature.encode(signature, 1), secp.publicPoint(secret)];
  }
  const scripts = spends.map((spend) => spend.owner.script);
  const values = spends.map((spend) => spend.value);
  const { leaf, control } = taproot;
  const hash = leaf === undefined ? undefined : leafHash(leaf);
  const digest = tx.hashForWitnessV1(index, scripts, values, 0, hash);
  const signature = secp.signSchnorr(secret, digest, new Uint8Array(32));
  return leaf === undefined || control === undefined ? [signature] : [signature, leaf, control];
}

/** The output of `tx` that pays `owner`, ready to spend. */
export function outputOf(tx: Tx, owner: Owner): Spend {
  const vout = tx.body.outs.findIndex((out) => equal(out.script, owner.script));
  return { txid: tx.txid, vout, value: tx.body.outs[vout]?.value ?? 0n, owner };
}
