// The proof of one row of an older chain's balances, as `causeway genesis prove-line` writes it.
import type { Bytes32 } from "@causeway/primitives";
import { amountMax, Failure, isRejected, parseHex } from "@causeway/primitives";
import { parseLock } from "../ledger/assets.ts";
import { pathMax } from "../ledger/migration/merkle.ts";
import { readSmall } from "./govern-files.ts";

export type RowProof = {
  readonly lock: Bytes32;
  readonly amount: bigint;
  readonly index: number;
  readonly path: Bytes32[];
};

/** Throws Failure "bad-file". */
export function objectIn(path: string, sizeMax?: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(readSmall(path, sizeMax)).toString());
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
  }
  throw new Failure("bad-file", `${path} is no JSON object`);
}

/** Throws Failure "bad-file" with a sentence; whether it proves anything is another question. */
export function readProof(file: string): RowProof {
  const { address, amount, index, path } = objectIn(file);
  const lock = parseLock(address);
  const isShaped =
    typeof amount === "string" &&
    /^\d{1,39}$/.test(amount) &&
    BigInt(amount) <= amountMax &&
    typeof index === "number" &&
    Number.isSafeInteger(index) &&
    index >= 0 &&
    index < 2 ** 32 &&
    Array.isArray(path) &&
    path.length <= pathMax;
  const steps = isShaped ? path.map((hash) => parseHex(hash, { size: 32 })) : [];
  if (isRejected(lock) || !isShaped || steps.some(isRejected))
    throw new Failure("bad-file", `${file} is no proof of a row`);
  return { lock, amount: BigInt(amount), index, path: steps as Bytes32[] };
}
