// Hand-written parsers of the bytes that every transfer is made of: ten times as fast as the generic ones. Each
// gives the value only for bytes that are the canonical encoding of it (FMT-2), and undefined for all others, which
// the generic codec then judges and words. Property tests hold the two together.
import type { Create, Output, Spend } from "./action.ts";
import type { Envelope, Transaction } from "./transaction.ts";

/** Fixed part of a transaction: offset of the envelope, expires, offsets of actions and witnesses. */
const headSize = 20;
/** The same without the witnesses' offset. */
const unsignedHeadSize = 16;
const envelopeSize = 41;
const outputIdSize = 36;
export const outputSize = 80;

/** Limits of FMT-9. */
export type TransactionLimits = {
  readonly sizeMax: number;
  readonly actionsMax: number;
  readonly bodySizeMax: number;
  readonly witnessesMax: number;
  readonly witnessSizeMax: number;
};

export function parseTransaction(
  from: Uint8Array,
  limits: TransactionLimits,
): Transaction | undefined {
  if (from.length < headSize || from.length > limits.sizeMax) return undefined;
  const bytes = plain(from);
  const actionsAt = u32At(bytes, 12);
  const witnessesAt = u32At(bytes, 16);
  if (u32At(bytes, 0) !== headSize) return undefined;
  if (actionsAt < headSize || witnessesAt < actionsAt || bytes.length < witnessesAt)
    return undefined;
  const expires = u64At(bytes, 4);
  const envelope = envelopeIn(bytes, actionsAt);
  const actions = partsOf(bytes, actionsAt, witnessesAt, limits.actionsMax, actionIn);
  const witnesses = partsOf(bytes, witnessesAt, bytes.length, limits.witnessesMax, (start, end) =>
    end - start <= limits.witnessSizeMax ? bytes.subarray(start, end) : undefined,
  );
  if (expires === undefined || envelope === undefined) return undefined;
  if (actions === undefined || witnesses === undefined) return undefined;
  return { envelope, expires, actions, witnesses };

  function actionIn(start: number, end: number): { kind: number; body: Uint8Array } | undefined {
    const size = end - start - 6;
    if (size < 0 || size > limits.bodySizeMax || u32At(bytes, start + 2) !== 6) return undefined;
    return { kind: u16At(bytes, start), body: bytes.subarray(start + 6, end) };
  }
}

/** Whether a transaction is in an envelope, without parsing it; of other bytes it says nothing. */
export function isInEnvelope(bytes: Uint8Array): boolean {
  return bytes.length >= headSize && u32At(bytes, 12) > headSize;
}

/**
 * The encoding without witnesses, of which the id is the hash (FMT-4), cut out of a transaction's canonical bytes
 * in two parts.
 */
export function unsignedParts(bytes: Uint8Array): readonly [head: Uint8Array, rest: Uint8Array] {
  const head = new Uint8Array(unsignedHeadSize);
  head.set(bytes.subarray(0, unsignedHeadSize));
  const view = new DataView(head.buffer);
  view.setUint32(0, unsignedHeadSize, true);
  view.setUint32(12, u32At(bytes, 12) - (headSize - unsignedHeadSize), true);
  return [head, bytes.subarray(headSize, u32At(bytes, 16))];
}

function envelopeIn(bytes: Uint8Array, end: number): Envelope[] | undefined {
  if (end === headSize) return [];
  if (end !== headSize + envelopeSize) return undefined;
  const sequence = u64At(bytes, headSize + 33);
  if (sequence === undefined) return undefined;
  const validator = bytes.slice(headSize, headSize + 32);
  return [{ validator, role: bytes[headSize + 32] as number, sequence }];
}

/** A container with one field, a list of at most `countMax` byte lists of at most `sizeMax` bytes. */
export function parseByteLists(
  from: Uint8Array,
  countMax: number,
  sizeMax: number,
): Uint8Array[] | undefined {
  const bytes = plain(from);
  if (bytes.length < 4 || u32At(bytes, 0) !== 4) return undefined;
  return partsOf(bytes, 4, bytes.length, countMax, (start, end) =>
    end - start <= sizeMax ? bytes.slice(start, end) : undefined,
  );
}

/** A list of parts of any size: their offsets, then the parts without gaps. */
function partsOf<Part>(
  bytes: Uint8Array,
  from: number,
  to: number,
  countMax: number,
  partIn: (start: number, end: number) => Part | undefined,
): Part[] | undefined {
  if (from === to) return [];
  if (to - from < 4) return undefined;
  const first = u32At(bytes, from);
  const count = first / 4;
  if (!Number.isInteger(count) || count < 1 || count > countMax) return undefined;
  const parts: Part[] = [];
  let start = from + first;
  if (start > to) return undefined;
  for (let i = 1; i <= count; i++) {
    const end = i === count ? to : from + u32At(bytes, from + 4 * i);
    if (end < start || end > to) return undefined;
    const part = partIn(start, end);
    if (part === undefined) return undefined;
    parts.push(part);
    start = end;
  }
  return parts;
}

export function parseSpend(from: Uint8Array, inputsMax: number): Spend | undefined {
  const bytes = plain(from);
  const count = countOf(bytes, outputIdSize, inputsMax);
  if (count === undefined) return undefined;
  const inputs: Spend["inputs"] = [];
  for (let i = 0; i < count; i++) {
    const at = 4 + i * outputIdSize;
    inputs.push({ txid: bytes.slice(at, at + 32), index: u32At(bytes, at + 32) });
  }
  return { inputs };
}

export function parseCreate(from: Uint8Array, outputsMax: number): Create | undefined {
  const bytes = plain(from);
  const count = countOf(bytes, outputSize, outputsMax);
  if (count === undefined) return undefined;
  const outputs: Output[] = [];
  for (let i = 0; i < count; i++) outputs.push(outputAt(bytes, 4 + i * outputSize));
  return { outputs };
}

/** Elements of one size behind the one offset of their list. */
function countOf(bytes: Uint8Array, size: number, countMax: number): number | undefined {
  if (bytes.length < 4 || u32At(bytes, 0) !== 4) return undefined;
  const count = (bytes.length - 4) / size;
  return Number.isInteger(count) && count <= countMax ? count : undefined;
}

/** The output in {@link outputSize} bytes. */
export function parseOutput(bytes: Uint8Array): Output | undefined {
  return bytes.length === outputSize ? outputAt(plain(bytes), 0) : undefined;
}

export function encodeOutput({ asset, amount, lock }: Output): Uint8Array {
  const bytes = new Uint8Array(outputSize);
  const view = new DataView(bytes.buffer);
  bytes.set(asset);
  // Bigints in halves cost four times as much as a number.
  if (amount <= Number.MAX_SAFE_INTEGER) {
    const exact = Number(amount);
    view.setUint32(32, exact >>> 0, true);
    view.setUint32(36, Math.floor(exact / 0x1_0000_0000), true);
  } else {
    view.setBigUint64(32, BigInt.asUintN(64, amount), true);
    view.setBigUint64(40, amount >> 64n, true);
  }
  bytes.set(lock, 48);
  return bytes;
}

function outputAt(bytes: Uint8Array, at: number): Output {
  return {
    asset: bytes.slice(at, at + 32),
    amount: amountAt(bytes, at + 32),
    lock: bytes.slice(at + 48, at + 80),
  };
}

/** 16 bytes; bigints only where a number is not exact. */
function amountAt(bytes: Uint8Array, at: number): bigint {
  const exact = u64At(bytes, at);
  const high = u64At(bytes, at + 8);
  if (exact !== undefined && high === 0) return BigInt(exact);
  const [a, b, c, d] = [0, 4, 8, 12].map((offset) => BigInt(u32At(bytes, at + offset)));
  return ((d as bigint) << 96n) | ((c as bigint) << 64n) | ((b as bigint) << 32n) | (a as bigint);
}

/** A Buffer's `slice` would share its memory. */
function plain(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function u16At(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function u32At(bytes: Uint8Array, at: number): number {
  return (u16At(bytes, at) | (u16At(bytes, at + 2) << 16)) >>> 0;
}

/** Undefined above 2^53 - 1. */
function u64At(bytes: Uint8Array, at: number): number | undefined {
  const high = u32At(bytes, at + 4);
  return high < 0x20_0000 ? high * 0x1_0000_0000 + u32At(bytes, at) : undefined;
}
