// Bitcoin's header rules (WIT-4): proof of work, difficulty and time of regtest, testnet4 (BIP94) and mainnet,
// from a checkpoint on. Pure: the caller says what came before. Hashes in internal order, times in seconds.
import type { Bytes32, Rejected } from "@causeway/primitives";
import {
  assert,
  equal,
  fromBigEndian,
  must,
  rejected,
  reversed,
  sha256d,
} from "@causeway/primitives";
import type { BitcoinChain } from "../../ledger/genesis.ts";
import type { BitcoinNetwork } from "./address.ts";

export const headerSize = 80;
/** Blocks of one difficulty period. */
const periodBlocks = 2016;
const periodSeconds = 14 * 24 * 3600;
const spacingSeconds = 600;
/** Blocks whose median time the next one must exceed. */
const medianBlocks = 11;
const futureSecondsMax = 2 * 3600;
/** BIP94. */
const timewarpSeconds = 600;

const powLimitBits: Readonly<Record<BitcoinNetwork, number>> = {
  regtest: 0x207fffff,
  testnet4: 0x1d00ffff,
  mainnet: 0x1d00ffff,
};

/** The fields of 80 header bytes. */
export type BlockHeader = {
  readonly bytes: Uint8Array;
  readonly hash: Bytes32;
  readonly version: number;
  readonly parent: Uint8Array;
  readonly merkleRoot: Uint8Array;
  readonly time: number;
  readonly bits: number;
};

/** A header in its chain; `work` is the total up to and with it, from the checkpoint's 0. */
export type ChainHeader = BlockHeader & { readonly height: number; readonly work: bigint };

/** Fields of exactly 80 bytes; asserts the size. */
export function parseHeader(bytes: Uint8Array): BlockHeader {
  assert(bytes.length === headerSize, `a header of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerSize);
  return {
    bytes,
    hash: sha256d(bytes),
    version: view.getInt32(0, true),
    parent: bytes.subarray(4, 36),
    merkleRoot: bytes.subarray(36, 68),
    time: view.getUint32(68, true),
    bits: view.getUint32(72, true),
  };
}

/** A compact target; undefined for what Bitcoin refuses: negative, zero or above 2^256. */
export function targetOf(bits: number): bigint | undefined {
  const size = bits >>> 24;
  const mantissa = bits & 0x7fffff;
  if (mantissa === 0 || (bits & 0x800000) !== 0) return undefined;
  const target =
    size <= 3
      ? BigInt(mantissa) >> BigInt(8 * (3 - size))
      : BigInt(mantissa) << BigInt(8 * (size - 3));
  return target === 0n || target >> 256n !== 0n ? undefined : target;
}

/** Compact form of a target, rounded down as Bitcoin rounds. */
export function bitsOf(target: bigint): number {
  let size = Math.ceil(target.toString(16).length / 2);
  let mantissa = Number(
    size <= 3 ? target << BigInt(8 * (3 - size)) : target >> BigInt(8 * (size - 3)),
  );
  if (mantissa >= 0x800000) {
    mantissa >>= 8;
    size += 1;
  }
  return size * 0x1000000 + mantissa;
}

/** Expected hashes to find a block of this target. */
export function workOf(bits: number): bigint {
  const target = must(targetOf(bits), "target");
  return (1n << 256n) / (target + 1n);
}

/** True when the hash is at or below the header's own target, and that within the network's limit. */
export function hasProofOfWork(network: BitcoinNetwork, header: BlockHeader): boolean {
  const target = targetOf(header.bits);
  const limit = must(targetOf(powLimitBits[network]), "limit");
  if (target === undefined || target > limit) return false;
  return fromBigEndian(reversed(header.hash)) <= target;
}

export type HeaderCode =
  /** Does not follow the header that it was checked against. */
  | "unknown-parent"
  | "bad-version"
  /** Not the difficulty that the rules ask for. */
  | "bad-difficulty"
  | "bad-work"
  /** Not after the median of the last 11, or the timewarp that BIP94 forbids. */
  | "time-too-old"
  /** More than two hours after ledger time; may become valid. */
  | "time-too-new";

/** What a header is checked against. `at` gives the ancestor of the next header at a height, down to the checkpoint. */
export type Ancestry = {
  readonly chain: Pick<BitcoinChain, "network" | "checkpoint">;
  readonly tip: ChainHeader;
  readonly at: (height: number) => ChainHeader | undefined;
  /** Ledger time in seconds. */
  readonly now: number;
};

/** The header as the child of `ancestry.tip`, or why it cannot be. */
export function extendChain(
  ancestry: Ancestry,
  header: BlockHeader,
): ChainHeader | Rejected<HeaderCode> {
  const { chain, tip, now } = ancestry;
  const height = tip.height + 1;
  if (!equal(header.parent, tip.hash))
    return rejected("unknown-parent", `header ${height} does not follow the one before`);
  // BIP34, 65 and 66 are active on every network from the checkpoint on.
  if (header.version < 4) return rejected("bad-version", `block version ${header.version}`);
  const bits = requiredBits(ancestry, header.time);
  if (header.bits !== bits)
    return rejected("bad-difficulty", `bits ${header.bits.toString(16)}, not ${bits.toString(16)}`);
  if (!hasProofOfWork(chain.network, header))
    return rejected("bad-work", `header ${height} has no proof of work`);
  const median = medianTime(ancestry);
  if (median !== undefined && header.time <= median)
    return rejected("time-too-old", `time ${header.time} is not after ${median}`);
  const isPeriodStart = height % periodBlocks === 0;
  if (chain.network === "testnet4" && isPeriodStart && header.time < tip.time - timewarpSeconds)
    return rejected("time-too-old", `time ${header.time} warps back from ${tip.time}`);
  if (header.time > now + futureSecondsMax)
    return rejected("time-too-new", `time ${header.time} is over two hours after ${now}`);
  return { ...header, height, work: tip.work + workOf(header.bits) };
}

/** Median of the last 11 times; undefined where the checkpoint hides some of them (then it is not checked). */
function medianTime({ tip, at, chain }: Ancestry): number | undefined {
  const first = Math.max(0, tip.height - medianBlocks + 1);
  if (first < chain.checkpoint.height) return undefined;
  const times: number[] = [];
  for (let height = first; height <= tip.height; height++)
    times.push(must(at(height), "ancestor").time);
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
}

/** The difficulty that the child of `ancestry.tip` must have; `time` is the child's, which testnet4 looks at. */
export function requiredBits(ancestry: Ancestry, time: number): number {
  const { chain, tip } = ancestry;
  const limit = powLimitBits[chain.network];
  if (chain.network === "regtest") return limit;
  if ((tip.height + 1) % periodBlocks === 0) return retarget(ancestry);
  if (chain.network === "mainnet") return tip.bits;
  // testnet4: a block 20 minutes late may have the least difficulty; every other has that of the period,
  // which its first block always shows.
  if (time > tip.time + 2 * spacingSeconds) return limit;
  return periodFirst(ancestry).bits;
}

/** First header of the tip's period; the checkpoint stands in for one before it. */
function periodFirst({ tip, at, chain }: Ancestry): {
  readonly time: number;
  readonly bits: number;
} {
  const height = tip.height - (tip.height % periodBlocks);
  const { checkpoint } = chain;
  if (height >= checkpoint.height) return must(at(height), "first of the period");
  return { time: checkpoint.periodStart, bits: must(at(checkpoint.height), "checkpoint").bits };
}

function retarget(ancestry: Ancestry): number {
  const { chain, tip } = ancestry;
  const first = periodFirst(ancestry);
  const limit = must(targetOf(powLimitBits[chain.network]), "limit");
  const seconds = Math.min(Math.max(tip.time - first.time, periodSeconds / 4), periodSeconds * 4);
  // BIP94 starts from the period's first block, which no late block has made easy.
  const base = must(targetOf(chain.network === "testnet4" ? first.bits : tip.bits), "target");
  const target = (base * BigInt(seconds)) / BigInt(periodSeconds);
  return bitsOf(target > limit ? limit : target);
}

/** Why the checkpoint of a genesis cannot carry the rules. */
export type BadCheckpoint = Rejected<"bad-checkpoint">;

/** The checkpoint as the first header of the ledger's chain. */
export function checkpointHeader(
  chain: Pick<BitcoinChain, "network" | "checkpoint">,
): ChainHeader | BadCheckpoint {
  const { height, header } = chain.checkpoint;
  if (header.length !== headerSize)
    return rejected("bad-checkpoint", `the checkpoint's header has ${header.length} bytes`);
  const parsed = parseHeader(header);
  if (!hasProofOfWork(chain.network, parsed))
    return rejected("bad-checkpoint", "the checkpoint has no proof of work");
  // In the middle of a period of testnet4 its true difficulty would be unknown.
  if (chain.network === "testnet4" && height % periodBlocks !== 0)
    return rejected("bad-checkpoint", `height ${height} does not start a difficulty period`);
  return { ...parsed, height, work: 0n };
}
