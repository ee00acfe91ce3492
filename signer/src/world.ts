// What the signer's machine hears from the world and what it orders of it. The worker's runtime performs the
// orders with real adapters, the simulator with simulated ones; neither is known here.

import type { Facts, ForeignEvent, Genesis } from "@causeway/chain-core/interchain";
import type { Bls } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import type { ShareName } from "./share-file.ts";

/** What does not change while the process lives. The secrets never leave the thread that runs the machine. */
export type Context = {
  readonly genesis: Genesis;
  readonly bls: Bls;
  /** BLS secret of the attest key (STK-1), 32 bytes. */
  readonly attestSecret: Uint8Array;
  /** Host keys (RNG-5), the newest first: shares are encrypted to them, envelopes signed by the registered one. */
  readonly hosts: readonly HostKey[];
  /** Public key of the own libp2p identity: by it the signer finds its validator in the register (STK-1). */
  readonly peerKey: Uint8Array;
};

/** secp256k1: a secret of 32 bytes and its point of 33. */
export type HostKey = { readonly secret: Uint8Array; readonly point: Uint8Array };

export function hostKeysOf(secrets: readonly Uint8Array[]): readonly HostKey[] {
  return secrets.map((secret) => ({ secret, point: publicPoint(secret) }));
}

/** A share of a key, in the clear; 32 bytes. */
export type StoredShare = ShareName & { readonly share: Uint8Array };

/** One step's input. `entropy` are 32 fresh cryptographic random bytes, expanded as far as a step needs. */
export type Input = {
  /** Own clock, ms since the epoch. */
  readonly nowMs: number;
  readonly entropy: Uint8Array;
  readonly event: Event;
};

/** One record of a `proved` answer as it came (SEAMS, method `prove`); an absent value claims absence. */
export type ProvedRecord = {
  readonly key: Uint8Array;
  readonly value?: Uint8Array | undefined;
  /** recordProofCodec bytes. */
  readonly proof: Uint8Array;
};

/** What a node says of a final block, unchecked, in their codecs' bytes; `committee`: the one that the header names as next. */
export type Finality = {
  readonly header: Uint8Array;
  readonly certificate: Uint8Array;
  readonly committee: Uint8Array | undefined;
};

/** Facts in the past. `id` is the number of the order that an event answers. */
export type Event =
  /** First event of a process. `journal`: every durable record, oldest first; `shares`: those saved, decrypted. */
  | {
      readonly kind: "started";
      readonly journal: readonly Uint8Array[];
      readonly shares: readonly StoredShare[];
    }
  /** The own node says that this height is final: look. */
  | { readonly kind: "height"; readonly height: number }
  /** Answer to `prove`, unchecked: header, certificate and committee in their codecs' bytes. */
  | {
      readonly kind: "proved";
      readonly id: number;
      readonly header: Uint8Array;
      readonly certificate: Uint8Array;
      readonly committee: Uint8Array | undefined;
      readonly records: readonly ProvedRecord[];
      /** Last headers of epochs on the way there, ascending, when they were asked for. */
      readonly ends?: readonly Finality[];
    }
  /** Answer to `sequence`. */
  | { readonly kind: "sequence"; readonly id: number; readonly next: number }
  /** Answer to `submit`: in the own node's mempool. */
  | { readonly kind: "submitted"; readonly id: number }
  /** Answer to `submit`: the own node refused it with its rule's code. */
  | {
      readonly kind: "rejected";
      readonly id: number;
      readonly code: string;
      readonly message: string;
    }
  /** Answer to `read`. */
  | { readonly kind: "facts"; readonly id: number; readonly facts: Facts }
  /** Instead of any answer: the world failed (time-out, connection refused); `code` as of the Failure. */
  | { readonly kind: "failed"; readonly id: number; readonly code: string }
  /** The own foreign node of `chain` has a new block (Ethereum: a new finalized one). */
  | { readonly kind: "foreign-block"; readonly chain: Uint8Array }
  /** From the signer of validator `from`, authenticated by its libp2p identity (`peers`). */
  | { readonly kind: "message"; readonly from: number; readonly bytes: Uint8Array }
  /** hintCodec bytes from the own relay (WIT-3). */
  | { readonly kind: "hint"; readonly bytes: Uint8Array }
  /** The time of a `wake` has come; early, late and repeated ones are harmless. */
  | { readonly kind: "woke" };

/** A validator's number in the register, and its signer's libp2p identity. */
export type Peer = { readonly number: number; readonly peerKey: Uint8Array };

/** Orders, performed in order: `journal` and `save-share` are durable before anything after them is done. */
export type Effect =
  /** Ask the own node for these records (at most 256) with proofs; answered by `proved` or `failed`. */
  | {
      readonly kind: "prove";
      readonly id: number;
      readonly keys: readonly Uint8Array[];
      /** With the last headers of epochs from this height on. */
      readonly endsFrom?: number;
    }
  /** Ask the own node for the next sequence of (validator, role signer); `validator` is the owner's lock. */
  | { readonly kind: "sequence"; readonly id: number; readonly validator: Uint8Array }
  /** Hand transactionCodec bytes to the own node. */
  | { readonly kind: "submit"; readonly id: number; readonly transaction: Uint8Array }
  /**
   * Whom to hear and to be heard by from now on, by number and libp2p identity, and nobody else. Ordered when it changes.
   */
  | { readonly kind: "peers"; readonly peers: readonly Peer[] }
  /** To the signer of another validator; lost when it is not connected. */
  | { readonly kind: "send"; readonly to: number; readonly bytes: Uint8Array }
  /** Read from the own foreign nodes what judging `event` needs; answered by `facts` or `failed`. */
  | {
      readonly kind: "read";
      readonly id: number;
      readonly chain: Uint8Array;
      readonly event: ForeignEvent;
    }
  | { readonly kind: "journal"; readonly record: Uint8Array }
  /** This process must end at once, and say why; nothing is ordered after it. */
  | { readonly kind: "end"; readonly code: "second-copy"; readonly message: string }
  /**
   * Store a key share, encrypted (share-file.ts), in place of an older one of the same name. `packageHash`: H over the
   * public package, bound into the file.
   */
  | ({ readonly kind: "save-share"; readonly packageHash: Uint8Array } & StoredShare)
  /** A share that nobody needs any more: its file is overwritten and removed. */
  | ({ readonly kind: "erase-share" } & ShareName)
  /** A host key that nothing in use was dealt to (RNG-5): it leaves the key file. `point` names it. */
  | { readonly kind: "erase-host"; readonly point: Uint8Array }
  /** Deliver `woke` at this time; of several the earliest counts. */
  | { readonly kind: "wake"; readonly atMs: number }
  /** One log line; never a secret. Refusals carry `code` and the plan or event that they are about. */
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
    };
