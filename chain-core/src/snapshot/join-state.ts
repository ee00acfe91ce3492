// What a node that joins by a snapshot knows, and what it orders (ADR 0010). The state is a resource with one owner,
// updated in place.
import type { Bls, Bytes32, NetworkId, Put, Rejected } from "@causeway/primitives";
import type { Header } from "../codec/block.ts";
import type { Trusted } from "../light.ts";
import type { Manifest } from "./chunks.ts";
import type { Finality, SyncMessage } from "./message.ts";

/** A block that an operator confirmed from a second source (CON-6). */
export type Checkpoint = { readonly height: number; readonly id: Uint8Array };

export type JoinConfig = {
  readonly network: NetworkId;
  readonly bls: Bls;
  /** Height 0, or where an earlier run of this node stood. */
  readonly start: Trusted;
  readonly checkpoint?: Checkpoint;
  /** CON-6: what is older than this needs a checkpoint, ms. */
  readonly trustMsMax: number;
  /** A snapshot at or below this height is of no use. */
  readonly above: number;
  /** What an earlier run loaded. */
  readonly loaded?: Loaded;
};

/** First and last key of a chunk. */
export type Edges = { readonly first: Uint8Array; readonly last: Uint8Array };
export type Loaded = { readonly manifest: Manifest; readonly chunks: ReadonlyMap<number, Edges> };

/** `at`: own clock, ms. */
export type JoinEvent =
  | { readonly kind: "connected" | "disconnected"; readonly at: number; readonly peer: string }
  | {
      readonly kind: "message";
      readonly at: number;
      readonly from: string;
      readonly bytes: Uint8Array;
    }
  /** The chunk ordered by `store` is durable. */
  | { readonly kind: "stored"; readonly at: number; readonly index: number }
  | { readonly kind: "woke"; readonly at: number };

export type JoinEffect =
  | { readonly kind: "send"; readonly to: string; readonly message: SyncMessage }
  | { readonly kind: "ban"; readonly peer: string; readonly reason: string }
  /** Load this snapshot from now on; what was loaded of another is thrown away. */
  | { readonly kind: "begin"; readonly manifest: Manifest }
  | {
      readonly kind: "store";
      readonly index: number;
      readonly edges: Edges;
      readonly entries: readonly Required<Put>[];
    }
  | { readonly kind: "wake"; readonly at: number }
  /** Nothing comes after it. */
  | { readonly kind: "end"; readonly result: Joined | Rejected<JoinCode> };

/** All chunks are stored; the state's roots are to be compared with `after`, the header of the next block. */
export type Joined = {
  readonly kind: "joined";
  readonly manifest: Manifest;
  readonly after: Header;
  /** Ends of epochs up to the snapshot's block, which is the last. */
  readonly ends: readonly { readonly height: number; readonly finality: Finality }[];
};

export type JoinCode =
  /** No peer offers what a final header committed to, or nobody answers. */
  | "no-snapshot"
  /** The start is too old to be believed without a second source (CON-6). */
  | "checkpoint-needed"
  /** The network has another block at the checkpoint's height, or the peers do not have it. */
  | "checkpoint-mismatch"
  /** A quorum follows rules that this program does not have (GOV-1). */
  | "upgrade-needed";

export type JoinPeer = {
  /** Serves no end of an epoch beyond the trusted height. */
  exhausted: boolean;
  /** Whether it answered what it offers, and roots by hex. */
  answered: boolean;
  readonly offers: Map<string, Manifest>;
  /** Not asked before, own clock, ms. */
  restUntil: number;
  inFlight: number;
};

/** An end of an epoch on the way from the start. */
export type End = { readonly trusted: Trusted; readonly finality: Finality };

/** A question to one peer; one at a time but for chunks. */
export type Asked = { readonly peer: string; readonly from: number; readonly deadline: number };

export type Target = {
  readonly root: Bytes32;
  readonly manifest: Manifest;
  /** The snapshot's block. */
  readonly end: End;
};

export type JoinState = {
  readonly config: JoinConfig;
  phase: "headers" | "offers" | "after" | "chunks" | "ended";
  trusted: Trusted;
  /** From where on everything is believed: the start, or the checkpoint once it was met (CON-6). */
  since: Trusted;
  /** The checkpoint was met, or there is none. */
  confirmed: boolean;
  seekingCheckpoint: boolean;
  readonly ends: End[];
  readonly peers: Map<string, JoinPeer>;
  asked?: Asked | undefined;
  /** The phase gives up, or goes on with what it has, at this time of the own clock, ms. */
  until: number;
  target?: Target | undefined;
  after?: Header | undefined;
  readonly have: Map<number, Edges>;
  /** By index: from whom, until when (own clock, ms). */
  readonly waiting: Map<number, { readonly peer: string; readonly deadline: number }>;
  /** Ordered to be stored, not durable yet. */
  readonly storing: Set<number>;
};

export function end(
  state: JoinState,
  out: JoinEffect[],
  result: Extract<JoinEffect, { kind: "end" }>["result"],
): void {
  state.phase = "ended";
  out.push({ kind: "end", result });
}
