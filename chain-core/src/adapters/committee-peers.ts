// Whom to tell first: the nodes of those who decide the next block.
import { peerIdOfKey } from "@causeway/primitives/adapters/p2p";
import { committeeAt, epochOf } from "../ledger/epoch/epochs.ts";
import { validators } from "../ledger/epoch/validators.ts";
import type { StateReader } from "../ledger/state.ts";

/**
 * Answers whether `connected` peers, and the node `self`, are the nodes of more than two thirds of the running
 * committee's seats: what these know, whoever proposes next knows, but for less than a third of them.
 */
export function committeeReach(
  state: StateReader,
  self: string,
): (connected: readonly string[]) => boolean {
  let known: { readonly epoch: number; readonly peers: ReadonlySet<string> } | undefined;
  return (connected) => {
    const epoch = epochOf(state).number;
    if (known?.epoch !== epoch) known = { epoch, peers: peersOf(state, epoch) };
    const { peers } = known;
    const reached = [self, ...connected].filter((peer) => peers.has(peer)).length;
    return 3 * reached > 2 * peers.size;
  };
}

function peersOf(state: StateReader, epoch: number): ReadonlySet<string> {
  return new Set(peerKeysOf(state, epoch).map(peerIdOfKey));
}

function peerKeysOf(state: StateReader, epoch: number): Uint8Array[] {
  const { members } = committeeAt(state, epoch) ?? { members: [] };
  return members.flatMap(({ validator }) => validators.get(state, validator)?.nodePeerKey ?? []);
}

/** Calls `tell` with the peer keys of the running and the next committee's nodes, now and after each change of epoch. */
export function followCommittee(
  state: StateReader,
  tell: (keys: readonly Uint8Array[]) => void,
): { readonly onBlock: () => void } {
  let told: number | undefined;
  const onBlock = (): void => {
    const { number } = epochOf(state);
    if (number === told) return;
    told = number;
    tell([...peerKeysOf(state, number), ...peerKeysOf(state, number + 1)]);
  };
  onBlock();
  return { onBlock };
}
