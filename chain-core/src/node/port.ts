// What the node machine needs from outside: the ledger as functions, the state as a reader, the final
// blocks as a reader. The composition binds the real ones; tests and the simulator bind what they like.
import type { Bls, Bytes32, Put, Rejected } from "@causeway/primitives";
import type { Claim, Verdict } from "../beacon/contribution.ts";
import type { Block, Certificate, Committee, Header } from "../codec/block.ts";
import type { Transaction } from "../codec/transaction.ts";
import type { Draft } from "../ledger/build.ts";
import type { RefusedEnvelope } from "../ledger/check.ts";
import type { OpenVotes } from "../ledger/epoch/votes.ts";
import type { Genesis, Params } from "../ledger/genesis.ts";
import type { UpgradeNeeded } from "../ledger/governance/version.ts";
import type { Change, StateReader } from "../ledger/state.ts";
import type { Tree } from "../ledger/tree.ts";

/** What one block does to the state (SEAMS, `ledger/apply.ts`). */
export type Applied = {
  readonly puts: readonly Change[];
  /** After this block. */
  readonly tree: Tree;
  /** Interchain or ring state changed: the next block comes at once (CON-1). */
  readonly changed: boolean;
  /** An open ceremony window waits for blocks (RNG-4): the next block comes at once. */
  readonly hurried: boolean;
  /** One per transaction, in order. */
  readonly receipts: readonly { readonly id: Uint8Array; readonly bytes: Uint8Array }[];
};

/**
 * A transaction that could enter a block now. `fee` in BTM units, 0 in an envelope (CON-7); `owner`: the lock of the
 * first output that it spends.
 */
export type Checked = {
  readonly id: Uint8Array;
  readonly tx: Transaction;
  readonly weight: number;
  readonly fee: bigint;
  readonly owner?: Uint8Array;
};

/** Height and time (ms) of the block that a transaction would be in. */
export type BlockTime = { readonly height: number; readonly time: number };

/** What the next block's header must say besides what is in the block, and by which rules it is decided. */
export type Frame = {
  /** Protocol version of the next block (FMT-7). */
  readonly version: number;
  /** This code does not have the rules of that version: the node stops here (GOV-1). */
  readonly stop?: UpgradeNeeded;
  /** The parameters in force (GOV-1). */
  readonly params: Params;
  readonly epoch: number;
  /** Ledger time in ms: the first block of at least this time is the epoch's last (CON-3). */
  readonly epochEndsAt: number;
  /** Who decides the next block, and who decides in the epoch after. */
  readonly committee: Committee;
  readonly nextCommittee: Committee;
  /** Seats of `committee` whose votes do not count: tombstoned validators (CON-3). */
  readonly barred: readonly number[];
  readonly utxoCommitment: Bytes32;
};

/** The transactions of a new block; `applied` is what `apply` would give for it, where that is known already. */
export type Built = { readonly transactions: readonly Uint8Array[]; readonly applied?: Applied };

export type LedgerPort = {
  /** Of the block that comes after this state. */
  readonly frame: (reader: StateReader) => Frame;
  /** CON-4: what the next block may add as late votes, besides those that its certificate leaves out. */
  readonly openVotes: (reader: StateReader) => readonly OpenVotes[];
  /** The state before block 1. */
  readonly genesis: () => { readonly puts: readonly Put[]; readonly tree: Tree };
  readonly root: (tree: Tree) => Bytes32;
  /**
   * Everything of a block but parent, height, time, proposer and committees of its header. May throw on a proposed block (CON-5: then it is
   * not voted for), never on a final one. `tree` is the one after the parent.
   */
  readonly apply: (reader: StateReader, tree: Tree, block: Block) => Applied | Rejected;
  /** The candidates that are valid in this order after the draft's votes, within the block's limits. */
  readonly build: (
    reader: StateReader,
    tree: Tree,
    draft: Draft,
    candidates: readonly Uint8Array[],
  ) => Built;
  /** `parents`: waiting transactions on which this one builds, in order; they take effect before it is judged. */
  readonly check: (
    reader: StateReader,
    block: BlockTime,
    bytes: Uint8Array,
    parents?: readonly Uint8Array[],
  ) => Checked | Rejected;
  /** CON-7: who signed the envelope in `bytes`, which `check` refused; undefined: nobody who is registered. */
  readonly refused?: (reader: StateReader, bytes: Uint8Array) => RefusedEnvelope | undefined;
  /** These are checked next, in this order: other threads may begin at their end. Changes no answer. */
  readonly expect?: (reader: StateReader, transactions: readonly Uint8Array[]) => void;
  /** What in `bytes` takes long to judge and is not judged yet (BCN); once `learn` has its verdict, `check` is quick. */
  readonly openClaim?: (
    reader: StateReader,
    block: BlockTime,
    bytes: Uint8Array,
  ) => Claim | undefined;
  readonly learn?: (claim: Claim, verdict: Verdict) => void;
};

/** A final block as stored and as served to peers: canonical bytes of both. */
export type FinalBlock = { readonly block: Uint8Array; readonly certificate: Uint8Array };

/** Everything that does not change while the node runs. */
export type Context = {
  readonly genesis: Genesis;
  readonly bls: Bls;
  /** BLS secret of the consensus key, 32 bytes; absent: the node follows and does not vote. */
  readonly secretKey?: Uint8Array;
  readonly ledger: LedgerPort;
  /** The state after the newest persisted block. */
  readonly store: StateReader;
  /** A persisted final block, or undefined (never for a height from 1 to the newest, unless pruned). */
  readonly blocks: (height: number) => FinalBlock | undefined;
  /** The lowest height that `blocks` has; absent: 1. */
  readonly lowest?: () => number;
  /** CON-8: what the last header of `epoch` should commit to, once this node knows it. */
  readonly snapshotRoot?: (epoch: number) => Bytes32 | undefined;
};

/** What the composition reads from disk at start. */
export type Stored = {
  /** The newest persisted block; absent: only the genesis state is there. */
  readonly tip?: { readonly header: Header; readonly certificate: Certificate };
  /** Over the provable records of the stored state. */
  readonly tree: Tree;
  /** `root` of the newest `persist`: a store that lost or changed a record does not start. */
  readonly root?: Uint8Array;
  /** Every record of the vote journal, oldest first. */
  readonly journal: Iterable<Uint8Array>;
};
