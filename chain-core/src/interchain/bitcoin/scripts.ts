// The ring's Bitcoin scripts (BTC-1): deposit v1 and vault v1, both Taproot outputs whose internal key is the
// ring's untweaked key. A deposit address is a pure function of public values: anybody can compute it.
import type { Bytes32, Codec, Rejected } from "@causeway/primitives";
import {
  assert,
  b32,
  bytes32,
  ContainerType,
  codec,
  compare,
  concat,
  H,
  keyOf,
  rejected,
  sha256,
  taggedHash,
  u128,
} from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import { isPoint, isXOnly, xOnly } from "@causeway/primitives/secp256k1";
import type { Destination } from "../../codec/action.ts";
import { destinationType } from "../../codec/action.ts";
import type { Genesis } from "../../ledger/genesis.ts";
import { outputKey, taprootTweak } from "../../ring/tweak.ts";
import { formatBitcoinAddress } from "./address.ts";
import { push, pushNumber, withSize } from "./bytes.ts";

/** Blocks until a deposit's owner can take it back: half a year (BTC-1). */
export const reclaimDelay = 26_280;
/** Blocks until the guardians can move a vault coin: a year (BTC-1). */
export const vaultDelay = 52_560;
export const depositVersion = 1;

const [checkSig, checkSigVerify, checkSigAdd] = [0xac, 0xad, 0xba];
const [numEqualVerify, checkSequenceVerify, opReturn, opOne] = [0x9d, 0xb2, 0x6a, 0x51];
const leafVersion = 0xc0;

/** What a deposit address stands for. `refund` is the x-only key of the reclaim leaf. */
export type DepositTerms = {
  readonly version: number;
  /** The ring's threshold point, 33 bytes of any parity; K is its x. */
  readonly keyPoint: Point;
  readonly destination: Destination;
  /** Most that the transfer may cost, in sats. */
  readonly maxFee: bigint;
  readonly refund: Uint8Array;
};

/** A Taproot output of the ring; `merkleRoot` is the tweak of K under which its key path is signed. */
export type RingScript = {
  /** scriptPubKey, 34 bytes. */
  readonly script: Uint8Array;
  readonly merkleRoot: Bytes32;
  readonly address: string;
};
/** With what a reclaim needs besides: leaf A and its control block; leaf B is the commitment to the terms. */
export type DepositScript = RingScript & {
  readonly leafA: Uint8Array;
  readonly leafB: Uint8Array;
  readonly controlBlock: Uint8Array;
};
/** With what a recovery by the guardians needs besides. */
export type VaultScript = RingScript & {
  readonly leaf: Uint8Array;
  readonly controlBlock: Uint8Array;
};

export type BadTerms = Rejected<
  /** Only version 1 exists. */
  | "bad-version"
  /** `refund` is not the x of a point: nobody could ever reclaim. */
  | "bad-refund-key"
>;

/** The part of the genesis that scripts depend on. */
export type ScriptGenesis = Pick<Genesis, "networkId" | "guardians" | "bitcoin">;

type Terms = { destination: Destination; maxFee: bigint; refund: Uint8Array };
const termsCodec: Codec<Terms> = codec(
  "deposit terms",
  new ContainerType({ destination: destinationType, maxFee: u128, refund: b32 }),
  256,
);

/** H('deposit/v1', destination, maxFee, refund): what leaf B commits to. */
function termsHash(genesis: Pick<Genesis, "networkId">, terms: Terms): Bytes32 {
  const { destination, maxFee, refund } = terms;
  return H("deposit", genesis.networkId, termsCodec.encode({ destination, maxFee, refund }));
}

/** `and_v(v:pk(refund),older(26280))`. */
export function reclaimLeaf(refund: Uint8Array): Uint8Array {
  const delay = pushNumber(reclaimDelay);
  return concat(push(refund), Uint8Array.of(checkSigVerify), delay, op(checkSequenceVerify));
}

/** `and_v(v:multi_a(m,guardians...),older(52560))`, guardians in the genesis' order. */
export function vaultLeaf(guardians: Genesis["guardians"]): Uint8Array {
  const keys = guardians.keys.map((key, i) =>
    concat(push(xOnly(key)), op(i === 0 ? checkSig : checkSigAdd)),
  );
  const threshold = concat(pushNumber(guardians.threshold), op(numEqualVerify));
  return concat(...keys, threshold, pushNumber(vaultDelay), op(checkSequenceVerify));
}

function op(code: number): Uint8Array {
  return Uint8Array.of(code);
}

/** BIP341's hash of a leaf. */
export function leafHash(script: Uint8Array): Bytes32 {
  return taggedHash("TapLeaf", op(leafVersion), withSize(script));
}

function branchHash(a: Uint8Array, b: Uint8Array): Bytes32 {
  return compare(a, b) < 0 ? taggedHash("TapBranch", a, b) : taggedHash("TapBranch", b, a);
}

/** The Taproot output of `keyPoint` with this script tree, and the start of its control blocks. */
function taproot(
  genesis: ScriptGenesis,
  keyPoint: Point,
  merkleRoot: Bytes32,
): RingScript & { readonly controlStart: Uint8Array } {
  const output = outputKey(keyPoint, [taprootTweak(keyPoint, merkleRoot)]);
  assert(!("kind" in output), "the ring's key is no point");
  const script = concat(op(opOne), push(output.key));
  const address = formatBitcoinAddress(genesis.bitcoin.network, script);
  assert(address !== undefined, "a Taproot output has an address");
  const controlStart = concat(op(leafVersion | output.parity), xOnly(keyPoint));
  return { script, merkleRoot, address, controlStart };
}

/** Deposit v1 of these terms. 12 us when known, else about 150 us. */
export function depositScript(
  genesis: ScriptGenesis,
  terms: DepositTerms,
): DepositScript | BadTerms {
  const { version, keyPoint, refund } = terms;
  if (version !== depositVersion)
    return rejected("bad-version", `no deposit address of version ${version}`);
  const commitment = termsHash(genesis, terms);
  const name = keyOf(sha256(concat(keyPoint, commitment)));
  const cache = depositCache(genesis);
  const known = cache.get(name);
  if (known !== undefined) return known;
  if (!isXOnly(refund)) return rejected("bad-refund-key", "the reclaim key is no x of a point");
  assert(isPoint(keyPoint), "the ring's key is no point");
  const leafA = reclaimLeaf(refund);
  const leafB = concat(op(opReturn), push(commitment));
  const [hashA, hashB] = [leafHash(leafA), leafHash(leafB)];
  const { controlStart, ...output } = taproot(genesis, keyPoint, branchHash(hashA, hashB));
  const made = { ...output, leafA, leafB, controlBlock: concat(controlStart, hashB) };
  if (cache.size >= cacheSizeMax) cache.clear();
  cache.set(name, made);
  return made;
}

/** Vault v1 of a key and the genesis' guardians. */
export function vaultScript(genesis: ScriptGenesis, keyPoint: Point): VaultScript {
  const cache = vaultCache(genesis);
  const name = keyOf(keyPoint);
  const known = cache.get(name);
  if (known !== undefined) return known;
  const leaf = vaultLeaf(genesis.guardians);
  const merkleRoot = bytes32(leafHash(leaf));
  const { controlStart, ...output } = taproot(genesis, keyPoint, merkleRoot);
  const made = { ...output, leaf, controlBlock: controlStart };
  cache.set(name, made);
  return made;
}

/** Derived scripts of a genesis object; they save time and nothing else. About 600 bytes each. */
const cacheSizeMax = 20_000;
const depositCaches = new WeakMap<ScriptGenesis, Map<string, DepositScript>>();
const vaultCaches = new WeakMap<ScriptGenesis, Map<string, VaultScript>>();

function depositCache(genesis: ScriptGenesis): Map<string, DepositScript> {
  const cache = depositCaches.get(genesis) ?? new Map<string, DepositScript>();
  depositCaches.set(genesis, cache);
  return cache;
}

function vaultCache(genesis: ScriptGenesis): Map<string, VaultScript> {
  const cache = vaultCaches.get(genesis) ?? new Map<string, VaultScript>();
  vaultCaches.set(genesis, cache);
  return cache;
}
