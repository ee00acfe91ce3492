// Reads of many ledger records by plain functions of a state: what a function misses is fetched, and it runs again.
import { Failure, keyOf } from "@causeway/primitives";
import type { StateReader } from "../ledger/state.ts";

/** Each pass fetches what the one before could not know to ask for. */
const passesMax = 64;

export type RecordSource = {
  /** Newest values in the order of the keys. */
  readonly records: (keys: readonly Uint8Array[]) => Promise<readonly (Uint8Array | undefined)[]>;
};

/**
 * The result of `work` on the newest state. It must be pure; it sees all that it has not asked for yet as absent, and
 * what it throws for that does not count. Throws Failure as the node's records do.
 */
export async function readState<Result>(
  source: RecordSource,
  work: (state: StateReader) => Result,
): Promise<Result> {
  const known = new Map<string, Uint8Array | undefined>();
  for (let pass = 0; pass < passesMax; pass++) {
    const missing = new Map<string, Uint8Array>();
    const get = (key: Uint8Array): Uint8Array | undefined => {
      const name = keyOf(key);
      if (!known.has(name)) missing.set(name, key);
      return known.get(name);
    };
    try {
      const result = work({ get });
      if (missing.size === 0) return result;
    } catch (error) {
      if (missing.size === 0) throw error;
    }
    const values = await source.records([...missing.values()]);
    for (const [i, name] of [...missing.keys()].entries()) known.set(name, values[i]);
  }
  throw new Failure("busy", "the ledger changes too fast to be read");
}
