// Fees of users' transactions (ACC-2): BTM that a transaction takes in and does not pay out. All of it is the
// base fee and is burnt; a tip to the proposer will be the part above the minimum.
import type { Params } from "./genesis.ts";

/** Least fee of a transaction of `size` bytes, in BTM units; above 0 for any transaction. */
export function feeMin(params: Pick<Params, "feePerByte">, size: number): bigint {
  return BigInt(size) * params.feePerByte;
}
