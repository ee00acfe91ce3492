// What happens to a node, and what it orders. Every effect of a step is performed, in order, before the next
// event; `journal` and `persist` are durable before the effect after them (CON-1).
import type { Rejected } from "@causeway/primitives";
import type { Change } from "../ledger/state.ts";

/** The transport's name of a peer, as text; opaque here. */
export type PeerId = string;

/** Gossip topics (SEAMS). A message of `transactions` is a {@link ./message.ts} batch, of `requests` one request. */
export type Topic = "transactions" | "requests";

/** `at` is the node's own clock in ms when the event arrived (TIM-1). */
export type Event =
  /** A whole message on the direct stream of protocol `consensus`. */
  | {
      readonly kind: "message";
      readonly at: number;
      readonly from: PeerId;
      readonly bytes: Uint8Array;
    }
  | {
      readonly kind: "gossip";
      readonly at: number;
      readonly from: PeerId;
      readonly topic: Topic;
      readonly bytes: Uint8Array;
    }
  /** The time ordered by the newest `wake` has come; an early or extra one is harmless. */
  | { readonly kind: "woke"; readonly at: number }
  /** From this node's RPC: one transaction, or one deposit request. `ticket` comes back in `reply`. */
  | {
      readonly kind: "submit";
      readonly at: number;
      readonly ticket: number;
      readonly topic: Topic;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "connected"; readonly at: number; readonly peer: PeerId }
  | { readonly kind: "disconnected"; readonly at: number; readonly peer: PeerId };

export type Effect =
  /** On the direct stream, to one peer, or to every connected one when `to` is absent. May be lost. */
  | { readonly kind: "send"; readonly to?: PeerId; readonly bytes: Uint8Array }
  | { readonly kind: "gossip"; readonly topic: Topic; readonly bytes: Uint8Array }
  /** Append durably; when `fresh`, this record replaces the whole journal atomically (`Journal.rewrite`). */
  | { readonly kind: "journal"; readonly record: Uint8Array; readonly fresh: boolean }
  /** One atomic durable batch: the block is final. */
  | {
      readonly kind: "persist";
      readonly height: number;
      /** Block id. */
      readonly id: Uint8Array;
      /** Ledger time in ms. */
      readonly time: number;
      /** Canonical bytes of block and certificate. */
      readonly block: Uint8Array;
      readonly certificate: Uint8Array;
      readonly puts: readonly Change[];
      /** Of the state after the block: to be compared when the store is opened again (`Stored.root`). */
      readonly root: Uint8Array;
      /** One per transaction, in block order. */
      readonly receipts: readonly { readonly id: Uint8Array; readonly bytes: Uint8Array }[];
    }
  /** Give `woke` at this time of the own clock; replaces the earlier order. */
  | { readonly kind: "wake"; readonly at: number }
  | {
      readonly kind: "reply";
      readonly ticket: number;
      /** `id` of the transaction, or of the request. */
      readonly result: { readonly id: Uint8Array } | Rejected;
    }
  /** The peer served rubbish: hang up, and refuse it until then (own clock, ms). */
  | {
      readonly kind: "ban";
      readonly peer: PeerId;
      readonly until: number;
      readonly reason: string;
    }
  /** This code cannot go on from here (GOV-1): end, and say why. The last effect of the machine's life. */
  | { readonly kind: "halt"; readonly reason: Rejected };
