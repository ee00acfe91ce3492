// What refused envelopes cost their sender (CON-7). The ledger charges valid ones to the sender's quota of the epoch;
// an invalid one never enters a block, so each node charges those that a registered key really signed by itself: whoever
// sends rubbish is soon looked at no more until the next epoch. The same rubbish again costs nothing.
// A ledger of charges is a resource with one owner, updated in place.

export type Charges = {
  epoch: number;
  /** Weight by sender. */
  readonly spent: Map<string, number>;
  /** What was charged in this epoch, by transaction id. Bounded. */
  readonly known: Set<string>;
};

/** Two roles of every validator that can be registered, and more. */
const sendersMax = 10_000;
const knownMax = 65_536;

export function charges(): Charges {
  return { epoch: 0, spent: new Map(), known: new Set() };
}

function turn(state: Charges, epoch: number): void {
  if (state.epoch === epoch) return;
  state.epoch = epoch;
  state.spent.clear();
  state.known.clear();
}

/**
 * Charges a refused envelope to `sender`, whose signature was checked; `id` and `sender` are keys of any kind. False
 * when it was charged before.
 */
export function charge(
  state: Charges,
  epoch: number,
  refused: { readonly sender: string; readonly id: string; readonly weight: number },
): boolean {
  turn(state, epoch);
  const { sender, id, weight } = refused;
  if (state.known.has(id)) return false;
  if (state.known.size >= knownMax) state.known.clear();
  state.known.add(id);
  // Only registered senders get here; the bound holds whatever a caller does.
  if (state.spent.size >= sendersMax && !state.spent.has(sender)) return true;
  state.spent.set(sender, (state.spent.get(sender) ?? 0) + weight);
  return true;
}

/** Whether refused envelopes have used up the sender's `quota` of the epoch: what it sends is not looked at. */
export function isExhausted(state: Charges, epoch: number, sender: string, quota: number): boolean {
  turn(state, epoch);
  return (state.spent.get(sender) ?? 0) >= quota;
}
