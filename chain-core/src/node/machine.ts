// The node as one pure machine: it composes the round machine, the mempool, block sync and gossip.
//
//   message, gossip, submit, woke -> step -> journal < send,  persist < everything of the next height
export type { Effect, Event, PeerId, Topic } from "./event.ts";
export type {
  Applied,
  BlockTime,
  Checked,
  Context,
  FinalBlock,
  LedgerPort,
  Stored,
} from "./port.ts";
