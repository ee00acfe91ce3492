// The input verifier: P2WPKH (BIP143), P2TR key path (BIP341) and, on the script path, the reclaim
// leaf of a deposit (BTC-1) alone. Every other way to spend is refused, also inside blocks.
// Messages are Core's script errors where Core has one.
import { bytes32, equal, fromBigEndian, taggedHash, toHex } from "@causeway/primitives";
import * as secp from "@causeway/primitives/secp256k1";
import type { Transaction } from "bitcoinjs-lib";
import { script as bitcoinScript, crypto } from "bitcoinjs-lib";
import addon from "secp256k1/bindings.js";
import { classify, scriptNumber } from "./script.ts";
import type { Coin } from "./tx.ts";

const leafVersion = 0xc0;
const schnorrHashTypes = [0x00, 0x01, 0x02, 0x03, 0x81, 0x82, 0x83];

/**
 * Verifies input `index` of `tx`; `coins` are what all of its inputs spend, in order.
 * Undefined when valid, else the sentence that says why not.
 */
export function verifyInput(
  tx: Transaction,
  index: number,
  coins: readonly Coin[],
): string | undefined {
  const input = tx.ins[index];
  const coin = coins[index];
  if (input === undefined || coin === undefined) return "no such input";
  const type = classify(coin.script);
  if (type !== "witness_v0_keyhash" && type !== "witness_v1_taproot")
    return `spending of ${type} outputs is not supported by this node`;
  if (input.script.length > 0) return "Witness requires empty scriptSig";
  if (type === "witness_v0_keyhash") return verifyKeyHash(tx, index, coin);
  return verifyTaproot(tx, index, coins);
}

function verifyKeyHash(tx: Transaction, index: number, coin: Coin): string | undefined {
  const [signature, key, ...rest] = tx.ins[index]?.witness ?? [];
  if (signature === undefined || key === undefined || rest.length > 0)
    return "Witness program hash mismatch";
  const program = coin.script.subarray(2);
  if (!equal(crypto.hash160(key), program)) return "Script failed an OP_EQUALVERIFY operation";
  if (key.length !== 33) return "Using non-compressed keys in segwit";
  const decoded = decodeDer(signature);
  if (decoded === undefined) return "Non-canonical DER signature";
  if (fromBigEndian(decoded.signature.subarray(32)) > secp.order / 2n)
    return "Non-canonical signature: S value is unnecessarily high";
  const scriptCode = Uint8Array.of(0x76, 0xa9, 20, ...program, 0x88, 0xac);
  const digest = tx.hashForWitnessV0(index, scriptCode, coin.value, decoded.hashType);
  if (!secp.isPoint(key) || !addon.ecdsaVerify(decoded.signature, digest, key))
    return "Signature must be zero for failed CHECK(MULTI)SIG operation";
  return undefined;
}

/** BIP66's strict encoding with a hash type after it; `signature` is r || s. */
function decodeDer(
  bytes: Uint8Array,
): { readonly signature: Uint8Array; readonly hashType: number } | undefined {
  try {
    return bitcoinScript.signature.decode(bytes);
  } catch {
    return undefined;
  }
}

function verifyTaproot(tx: Transaction, index: number, coins: readonly Coin[]): string | undefined {
  const stack = tx.ins[index]?.witness ?? [];
  const output = coins[index]?.script.subarray(2) ?? new Uint8Array();
  const last = stack[stack.length - 1];
  if (last === undefined) return "Witness program was passed an empty witness";
  if (stack.length > 1 && last[0] === 0x50) return "annexes are not supported by this node";
  if (stack.length === 1) return verifySchnorr(tx, index, coins, output, last);
  const script = stack[stack.length - 2] as Uint8Array;
  if (last.length < 33 || last.length > 33 + 128 * 32 || last.length % 32 !== 1)
    return "Invalid Taproot control block size";
  const leaf = leafHash((last[0] as number) & 0xfe, script);
  if (!commitsTo(output, last, leaf)) return "Witness program hash mismatch";
  if (((last[0] as number) & 0xfe) !== leafVersion) return "unknown Taproot leaf version";
  return verifyReclaim(tx, index, coins, script, stack.slice(0, -2), leaf);
}

/** BIP341's TapLeaf hash. */
function leafHash(version: number, script: Uint8Array): Uint8Array {
  const size =
    script.length < 0xfd
      ? Uint8Array.of(script.length)
      : Uint8Array.of(0xfd, script.length & 0xff, script.length >> 8);
  return taggedHash("TapLeaf", Uint8Array.of(version), size, script);
}

/** Does output key `output` commit to `leaf` by this control block (BIP341)? */
function commitsTo(output: Uint8Array, control: Uint8Array, leaf: Uint8Array): boolean {
  const internal = control.subarray(1, 33);
  let node = leaf;
  for (let at = 33; at < control.length; at += 32) {
    const sibling = control.subarray(at, at + 32);
    const ordered = toHex(node) < toHex(sibling) ? [node, sibling] : [sibling, node];
    node = taggedHash("TapBranch", ...ordered);
  }
  const tweak = secp.parseScalar(taggedHash("TapTweak", internal, node));
  if (tweak === undefined || !secp.isXOnly(internal)) return false;
  const point = secp.sum([secp.liftX(internal), secp.multiplyBase(tweak)]);
  if (point === undefined) return false;
  return equal(point.subarray(1), output) && (point[0] === 3) === (((control[0] ?? 0) & 1) === 1);
}

/** BTC-1, leaf A: `<key> CHECKSIGVERIFY <delay> CHECKSEQUENCEVERIFY` with a signature on the stack. */
function verifyReclaim(
  tx: Transaction,
  index: number,
  coins: readonly Coin[],
  script: Uint8Array,
  stack: readonly Uint8Array[],
  leaf: Uint8Array,
): string | undefined {
  const parsed = parseReclaim(script);
  if (parsed === undefined) return "this node knows no leaf but the reclaim of a deposit";
  const [signature, ...rest] = stack;
  if (signature === undefined) return "Operation not valid with the current stack size";
  if (rest.length > 0) return "Stack size must be exactly one after execution";
  if (signature.length === 0) return "Script failed an OP_CHECKSIGVERIFY operation";
  const invalid = verifySchnorr(tx, index, coins, parsed.key, signature, leaf);
  if (invalid !== undefined) return invalid;
  const sequence = tx.ins[index]?.sequence ?? 0xffffffff;
  const typeAndDelay = 0x40ffff;
  // BIP112. A delay with the disable flag would be no lock at all; parseReclaim refuses it.
  const comparable = (sequence & 0x400000) === (parsed.delay & 0x400000);
  if (tx.version < 2 || sequence & 0x80000000 || !comparable)
    return "Locktime requirement not satisfied";
  if ((parsed.delay & typeAndDelay) > (sequence & typeAndDelay))
    return "Locktime requirement not satisfied";
  return undefined;
}

/** Key and delay of a reclaim leaf; the delay is a minimal script number in [1, 0x7fffff]. */
export function parseReclaim(
  script: Uint8Array,
): { readonly key: Uint8Array; readonly delay: number } | undefined {
  if (script.length < 36 || script[0] !== 32 || script[33] !== 0xad) return undefined;
  if (script[script.length - 1] !== 0xb2) return undefined;
  const key = bytes32(script.slice(1, 33));
  const push = script.subarray(34, -1);
  const code = push[0] as number;
  if (push.length === 1)
    return code >= 0x51 && code <= 0x60 ? { key, delay: code - 0x50 } : undefined;
  const data = push.subarray(1);
  if (code !== data.length || data.length > 3) return undefined;
  const delay = scriptNumber(data);
  const top = data[data.length - 1] as number;
  const padded = (top & 0x7f) === 0 && !((data[data.length - 2] ?? 0) & 0x80);
  return delay > 16 && !padded ? { key, delay } : undefined;
}

function verifySchnorr(
  tx: Transaction,
  index: number,
  coins: readonly Coin[],
  key: Uint8Array,
  signature: Uint8Array,
  leaf?: Uint8Array,
): string | undefined {
  if (signature.length !== 64 && signature.length !== 65) return "Invalid Schnorr signature size";
  const hashType = signature.length === 64 ? 0 : (signature[64] as number);
  if (signature.length === 65 && hashType === 0) return "Invalid Schnorr signature hash type";
  if (!schnorrHashTypes.includes(hashType)) return "Invalid Schnorr signature hash type";
  if ((hashType & 3) === 3 && index >= tx.outs.length) return "Invalid Schnorr signature hash type";
  const scripts = coins.map((coin) => coin.script);
  const values = coins.map((coin) => coin.value);
  const digest =
    leaf === undefined
      ? tx.hashForWitnessV1(index, scripts, values, hashType)
      : tx.hashForWitnessV1(index, scripts, values, hashType, leaf);
  const valid = secp.verifySchnorr(key, digest, signature.subarray(0, 64));
  return valid ? undefined : "Invalid Schnorr signature";
}
