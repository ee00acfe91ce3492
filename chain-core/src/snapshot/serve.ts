// What a node answers to those who join: a pace per peer, for a question of few bytes costs a chunk of 256 KiB.
import type { SyncMessage } from "./message.ts";

/** Questions that a peer may ask at once; one more becomes free every {@link paceMs}. */
export const burst = 64;
/** At most 25 MiB a second for one peer. */
const paceMs = 10;

/** By peer: questions left, and when they were counted (own clock, ms). Peers that left are to be forgotten. */
export type Paces = Map<string, { left: number; countedAt: number }>;

/** False when the peer asks faster than it is served; the question is dropped then. */
export function mayAsk(paces: Paces, peer: string, at: number): boolean {
  const pace = paces.get(peer) ?? { left: burst, countedAt: at };
  paces.set(peer, pace);
  // A clock that went back frees nothing.
  const freed = Math.max(0, Math.floor((at - pace.countedAt) / paceMs));
  pace.left = Math.min(burst, pace.left + freed);
  pace.countedAt =
    pace.left === burst || at < pace.countedAt ? at : pace.countedAt + freed * paceMs;
  if (pace.left === 0) return false;
  pace.left -= 1;
  return true;
}

/** Messages that are questions. */
export type Question = Extract<
  SyncMessage,
  { kind: "headersRequest" | "offersRequest" | "chunkRequest" | "addressesRequest" }
>;

export function isQuestion(message: SyncMessage): message is Question {
  return message.kind.endsWith("Request");
}
