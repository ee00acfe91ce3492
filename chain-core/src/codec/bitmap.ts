// Sets of seats as bitmaps; the bitmap is the only source of a key list (building-blocks 3).
import type { Rejected } from "@causeway/primitives";
import { rejected } from "@causeway/primitives";

/** The bitmap of `seats` in a committee of `size`: exactly ceil(size / 8) bytes. */
export function bitmapOf(seats: Iterable<number>, size: number): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(size / 8));
  for (const seat of seats) bitmap[seat >> 3] = (bitmap[seat >> 3] ?? 0) | (1 << (seat & 7));
  return bitmap;
}

/** The seats of a bitmap in ascending order; rejected unless it has the one right length and no stray bit. */
export function seatsOf(bitmap: Uint8Array, size: number): number[] | Rejected<"bad-bitmap"> {
  if (bitmap.length !== Math.ceil(size / 8))
    return rejected("bad-bitmap", `a bitmap of ${size} seats has ${Math.ceil(size / 8)} bytes`);
  const seats: number[] = [];
  for (let seat = 0; seat < bitmap.length * 8; seat++) {
    if (((bitmap[seat >> 3] ?? 0) & (1 << (seat & 7))) === 0) continue;
    if (seat >= size) return rejected("bad-bitmap", `bit ${seat} of ${size} seats`);
    seats.push(seat);
  }
  return seats;
}
