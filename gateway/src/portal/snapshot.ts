// Reads of many ledger records by plain functions of a state: what a function misses is fetched, and it runs again.
import type { StateReader } from "@causeway/chain-core/interchain";
import { Failure, keyOf } from "@causeway/primitives";
import type { Ledger } from "../ports.ts";

/** Each pass fetches what the one before could not know to ask for. */
const passesMax = 64;

/**
 * The result of `work` on the newest state. It must be pure, and answer something for a record that is absent: it
 * sees all that it has not asked for yet as absent. Throws Failure as the node's records do.
 */
export async function readState<Result>(
  ledger: Pick<Ledger, "records">,
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
    const result = work({ get });
    if (missing.size === 0) return result;
    const values = await ledger.records([...missing.values()]);
    for (const [i, name] of [...missing.keys()].entries()) known.set(name, values[i]);
  }
  throw new Failure("busy", "the ledger changes too fast to be read");
}
