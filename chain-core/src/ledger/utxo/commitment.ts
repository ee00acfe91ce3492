// The set hash of the unspent outputs (CON-8): LtHash with 1,024 lanes of 16 bits (Lewi, Kim, Maykov, Weis: "Securing
// Update Propagation with Homomorphic Hashing", ePrint 2019/227), over BLAKE3's extendable output as the random oracle.
// Adding an entry adds its 1,024 lanes mod 2^16, removing it subtracts them, in any order: two ledgers of the same
// outputs have the same sum whatever happened to them. Measured: 5 us an entry; MuHash3072 in bigints takes 6, and a
// division at the end.
import type { Bytes32 } from "@causeway/primitives";
import {
  assert,
  ByteListType,
  blake3Size,
  blake3Wide,
  codec,
  equal,
  taggedHash,
  utf8,
} from "@causeway/primitives";
import type { Change, State, StateReader, Table } from "../state.ts";
import { modules, single, table } from "../state.ts";

/** Bytes of the sum, lanes little-endian. */
export const sumSize: number = blake3Size;

/** The sum over all other records of the module. */
export const utxoSums: Table<"only", Uint8Array> = table(
  modules.utxo,
  2,
  single,
  codec("utxo sum", new ByteListType(sumSize), sumSize),
);
const sumKey = utxoSums.key("only");

/** A sum in the making; starts at that of the empty set. */
export type UtxoSum = {
  readonly add: (key: Uint8Array, value: Uint8Array) => void;
  readonly remove: (key: Uint8Array, value: Uint8Array) => void;
  readonly bytes: () => Uint8Array;
};

export function utxoSum(from: Uint8Array = new Uint8Array(sumSize)): UtxoSum {
  assert(from.length === sumSize, `a sum of ${from.length} bytes`);
  const bytes = Uint8Array.from(from);
  const lanes = lanesOf(bytes);
  return {
    add: (key, value) => {
      const added = lanesOf(entryHash(key, value));
      for (let i = 0; i < added.length; i++) lanes[i] = (lanes[i] as number) + (added[i] as number);
    },
    remove: (key, value) => {
      const gone = lanesOf(entryHash(key, value));
      for (let i = 0; i < gone.length; i++) lanes[i] = (lanes[i] as number) - (gone[i] as number);
    },
    bytes: () => bytes.slice(),
  };
}

assert(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1, "a big-endian machine");

function lanesOf(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
}

const entryTag = utf8("causeway/utxo/v1");

/** The key's length comes first, so that none of its bytes can move into the value. */
function entryHash(key: Uint8Array, value: Uint8Array): Uint8Array {
  assert(key.length < 256, `a key of ${key.length} bytes`);
  return blake3Wide(entryTag, Uint8Array.of(key.length), key, value);
}

/** True for a record that the sum is over. */
export function isSummed(key: Uint8Array): boolean {
  return key[0] === modules.utxo && !equal(key, sumKey);
}

/** What {@link utxoCommitment} is of a sum. */
export function commitmentOf(sum: Uint8Array): Bytes32 {
  return taggedHash("causeway/utxo-commitment/v1", sum);
}

/** Of the outputs in this state. */
export function utxoCommitment(state: StateReader): Bytes32 {
  return commitmentOf(utxoSums.get(state, "only") ?? emptySum);
}

const emptySum = new Uint8Array(sumSize);

/** Writes the sum after `changes`, each with what was there before. */
export function moveUtxoSum(state: State, changes: readonly Change[]): void {
  const own = changes.filter(({ key }) => isSummed(key));
  if (own.length === 0) return;
  const sum = utxoSum(utxoSums.get(state, "only") ?? emptySum);
  for (const { key, value, before } of own) {
    if (before !== undefined) sum.remove(key, before);
    if (value !== undefined) sum.add(key, value);
  }
  utxoSums.put(state, "only", sum.bytes());
}
