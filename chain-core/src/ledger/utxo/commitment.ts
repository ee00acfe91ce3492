// The set hash of the unspent outputs (CON-8): LtHash with 1,024 lanes of 16 bits (Lewi, Kim, Maykov, Weis: "Securing
// Update Propagation with Homomorphic Hashing", ePrint 2019/227), over BLAKE3's extendable output as the random oracle.
// Adding an entry adds its 1,024 lanes mod 2^16, removing it subtracts them, in any order: two ledgers of the same
// outputs have the same sum whatever happened to them. MuHash3072 in bigints takes four times
// as long, and a division at the end.
import type { Bytes32 } from "@causeway/primitives";
import { assert, ByteListType, codec, equal, taggedHash, utf8 } from "@causeway/primitives";
import type { Change, State, StateReader, Table } from "../state.ts";
import { modules, single, table } from "../state.ts";
import { ltHash, sumSize } from "./lthash.ts";

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

export function utxoSum(from: Uint8Array = emptySum): UtxoSum {
  const sum = ltHash(from);
  return {
    add: (key, value) => sum.add(entryOf(key, value)),
    remove: (key, value) => sum.remove(entryOf(key, value)),
    bytes: sum.bytes,
  };
}

const entryTag = utf8("causeway/utxo/v1");

/** The key's length comes first, so that none of its bytes can move into the value. */
function entryOf(key: Uint8Array, value: Uint8Array): readonly Uint8Array[] {
  assert(key.length < 256, `a key of ${key.length} bytes`);
  return [entryTag, Uint8Array.of(key.length), key, value];
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
