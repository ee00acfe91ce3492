// The validator's sign of life (RNG-2): whoever may be drawn into a ring shows that its signer is there, half as often
// again as the ledger asks for.
import type { Action, Params, StateReader } from "@causeway/chain-core/interchain";
import { heartbeatCodec, heartbeats, kinds, terms } from "@causeway/chain-core/interchain";

export type Beating = {
  readonly owner: Uint8Array;
  readonly params: Pick<Params, "ringTermEpochs" | "ringHeartbeatMs">;
  /** Newest ledger time known, ms. */
  readonly ledgerMs: number;
};

/** Records that tell. */
export function heartbeatKeys(
  owner: Uint8Array,
  params: Pick<Params, "ringTermEpochs">,
): Uint8Array[] {
  return params.ringTermEpochs === 0 ? [] : [terms.key("only"), heartbeats.key(owner)];
}

/** The heart-beat that is due by this view, and a name for it. */
export function heartbeatDue(
  view: StateReader,
  of: Beating,
): { readonly key: string; readonly action: Action } | undefined {
  const term = terms.get(view, "only")?.term;
  if (of.params.ringTermEpochs === 0 || term === undefined || !isDue(view, of)) return undefined;
  const body = heartbeatCodec.encode({ term });
  return { key: `heartbeat/${term}`, action: { kind: kinds.heartbeat, body } };
}

/** The ledger takes none that is younger than half of the time it counts for. */
function isDue(view: StateReader, { owner, params, ledgerMs }: Beating): boolean {
  const at = heartbeats.get(view, owner)?.at;
  return at === undefined || ledgerMs - at >= params.ringHeartbeatMs / 2;
}

/** True when the ledger has it, or would not take it any more. */
export function isHeartbeatDone(view: StateReader, of: Beating, body: Uint8Array): boolean {
  const { term } = heartbeatCodec.decode(body);
  return terms.get(view, "only")?.term !== term || !isDue(view, of);
}
