// What the signer's machine hears from the world and what it orders of it. The worker's runtime performs the
// orders with real adapters, the simulator with simulated ones; neither is known here.

import type { Facts, ForeignEvent, Genesis } from "@causeway/chain-core/interchain";
import type { Bls } from "@causeway/primitives";

/** What does not change while the process lives. The secrets never leave the thread that runs the machine. */
export type Context = {
  readonly genesis: Genesis;
  readonly bls: Bls;
  /** Own index in `genesis.validators`, and so in the ring; the committee's seats may be others (CON-2). */
  readonly seat: number;
  /** BLS secret of the attest key (STK-1), 32 bytes. */
  readonly attestSecret: Uint8Array;
  /** secp256k1 secret of the host key (RNG-5), 32 bytes: shares are encrypted to it, envelopes signed by it. */
  readonly hostSecret: Uint8Array;
};

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
      readonly shares: readonly { readonly keyId: number; readonly share: Uint8Array }[];
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
  /** From the signer of seat `from`, authenticated by its libp2p identity (genesis signerPeerKey). */
  | { readonly kind: "message"; readonly from: number; readonly bytes: Uint8Array }
  /** hintCodec bytes from the own relay (WIT-3). */
  | { readonly kind: "hint"; readonly bytes: Uint8Array }
  /** The time of a `wake` has come; early, late and repeated ones are harmless. */
  | { readonly kind: "woke" };

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
  /** Ask the own node for the next sequence of (own validator, role signer). */
  | { readonly kind: "sequence"; readonly id: number }
  /** Hand transactionCodec bytes to the own node. */
  | { readonly kind: "submit"; readonly id: number; readonly transaction: Uint8Array }
  /** To the signer of another seat; lost when it is not connected. */
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
  /** Store a key share, encrypted (share-file.ts), in place of an older one of the key. */
  | {
      readonly kind: "save-share";
      readonly keyId: number;
      /** 32 bytes, secret. */
      readonly share: Uint8Array;
      /** H over the public package, bound into the file. */
      readonly packageHash: Uint8Array;
    }
  /** Deliver `woke` at this time; of several the earliest counts. */
  | { readonly kind: "wake"; readonly atMs: number }
  /** One log line; never a secret. Refusals carry `code` and the plan or event that they are about. */
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
    };
