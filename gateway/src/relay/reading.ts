// Reads of ledger records as generators: whoever drives one fetches the values, over RPC or from a state in memory.
import type { Table } from "@causeway/chain-core/interchain";

type Values = readonly (Uint8Array | undefined)[];

/** Yields keys, is sent their values in the same order (undefined for an absent record). */
export type Reading<Result> = Generator<readonly Uint8Array[], Result, Values>;

/** One record for each key of a table. */
export function* read<K, V>(table: Table<K, V>, of: readonly K[]): Reading<(V | undefined)[]> {
  if (of.length === 0) return [];
  const values = yield of.map((key) => table.key(key));
  return of.map((_, i) => {
    const bytes = values[i];
    return bytes === undefined ? undefined : table.codec.decode(bytes);
  });
}
