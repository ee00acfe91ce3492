// How much fits into a block (FMT-9), in bytes and in the weight of paid transactions (ACC-2), and the fifth of it that fee-free actions have for themselves (CON-7).
// Paid transactions take at most four fifths, so that no price shuts out statements and ceremonies; the room
// that they leave is free for envelopes too.
import { blockSizeMax, headerCodec, votesSizeMax } from "../codec/block.ts";

/** FMT-9's list of a block. */
export const blockTransactionsMax = 16_384;

/** Container and list offsets: the list's own, and one for each transaction. */
const offsetSize = 4;
/** Bytes of a block that are left for transactions, each with {@link sizeInBlock}. */
export const transactionsSizeMax: number =
  blockSizeMax - headerCodec.sizeMax - votesSizeMax - 3 * offsetSize;
/** The reserved fifth. */
export const reservedSize: number = Math.floor(transactionsSizeMax / 5);
export const paidSizeMax: number = transactionsSizeMax - reservedSize;

export function sizeInBlock(bytes: Uint8Array): number {
  return bytes.length + offsetSize;
}

/** Running total of a block; `paid` and `free` in bytes as they count in the block, `weight` of what is paid. */
export type Room = {
  readonly count: number;
  readonly paid: number;
  readonly free: number;
  readonly weight: number;
};
export const emptyRoom: Room = { count: 0, paid: 0, free: 0, weight: 0 };

/** One transaction of a block; what an envelope weighs is bounded by its bytes alone. */
export type Placed = {
  readonly bytes: Uint8Array;
  readonly weight: number;
  readonly isFeeFree: boolean;
};

/** The total with one more transaction, or undefined when it does not fit. */
export function roomAfter(
  room: Room,
  { bytes, weight, isFeeFree }: Placed,
  weightMax: number,
): Room | undefined {
  const size = sizeInBlock(bytes);
  const next: Room = {
    count: room.count + 1,
    paid: room.paid + (isFeeFree ? 0 : size),
    free: room.free + (isFeeFree ? size : 0),
    weight: room.weight + (isFeeFree ? 0 : weight),
  };
  const fits =
    next.count <= blockTransactionsMax &&
    next.paid <= paidSizeMax &&
    next.weight <= weightMax &&
    next.paid + next.free <= transactionsSizeMax;
  return fits ? next : undefined;
}
