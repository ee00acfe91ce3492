// The node's own records in its database, as bytes.
import type { Codec, Put } from "@causeway/primitives";
import {
  b32,
  bigEndian,
  ContainerType,
  codec,
  concat,
  fromBigEndian,
  u32,
  u64,
} from "@causeway/primitives";

/**
 * The newest final block: `root` is of the provable state after it, `utxoCommitment` of all other records. LevelDB loses records in silence; what was lost shows here (building-blocks 4).
 */
export type Head = { height: number; id: Uint8Array; root: Uint8Array; utxoCommitment: Uint8Array };
export const headCodec: Codec<Head> = codec(
  "head",
  new ContainerType({ height: u64, id: b32, root: b32, utxoCommitment: b32 }),
  256,
);

/** Position in its block. */
export type Place = { height: number; position: number };
export const placeCodec: Codec<Place> = codec(
  "place",
  new ContainerType({ height: u64, position: u32 }),
  16,
);

/** Puts as bytes: length and key, then 0 for a deletion, or length plus one and value; u32 each. */
export function encodePuts(puts: readonly Put[]): Uint8Array {
  const parts = puts.flatMap(({ key, value }) => [
    bigEndian(key.length, 4),
    key,
    bigEndian(value === undefined ? 0 : value.length + 1, 4),
    value ?? new Uint8Array(0),
  ]);
  return concat(...parts);
}

export function decodePuts(bytes: Uint8Array): Put[] {
  const puts: Put[] = [];
  let at = 0;
  const take = (size: number): Uint8Array => {
    at += size;
    return bytes.slice(at - size, at);
  };
  const number = (): number => Number(fromBigEndian(take(4)));
  while (at < bytes.length) {
    const key = take(number());
    const size = number();
    puts.push(size === 0 ? { key } : { key, value: take(size - 1) });
  }
  return puts;
}
