// What governs the network now (GOV-1, GOV-2), for whoever reads the ledger from outside: signers from proven records,
// portals, relays and wallets from those of a node.
import { equal } from "@causeway/primitives";
import type { Genesis } from "../genesis.ts";
import { parameters, readParameters } from "../parameters.ts";
import type { StateReader } from "../state.ts";
import { registry, withRegistry } from "./registry.ts";
import { restrictions } from "./restrictions.ts";

/** Records that say it. One of them may be absent; a view that has not read them does not know what is in force. */
export const governingKeys: readonly Uint8Array[] = [
  parameters.key("only"),
  registry.key("only"),
  restrictions.key("only"),
];

/** By genesis with its registry: the same object while nothing changes, for what is derived from it once. */
const newest = new WeakMap<Genesis, Genesis>();

/** `genesis`, as its file says, with the parameters in force and every asset that the committee added. */
export function inForce(state: StateReader, genesis: Genesis): Genesis {
  const known = withRegistry(state, genesis);
  const params = readParameters(state, genesis.params);
  const before = newest.get(known);
  if (before?.params === params) return before;
  const now = params === known.params ? known : { ...known, params };
  newest.set(known, now);
  return now;
}

/** The same of what was read: `values` are those of {@link governingKeys}, in order. Throws for bytes that no ledger has. */
export function inForceBy(values: readonly (Uint8Array | undefined)[], genesis: Genesis): Genesis {
  const get = (key: Uint8Array): Uint8Array | undefined =>
    values[governingKeys.findIndex((one) => equal(one, key))];
  return inForce({ get }, genesis);
}
