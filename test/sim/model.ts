// What the parts of a simulated world know of each other.
import type { Bls, Put, Random, Rejected } from "@causeway/primitives";
import type * as beacon from "../../chain-core/src/beacon/machine.ts";
import type { Duty } from "../../chain-core/src/client/beacon-api.ts";
import type { Genesis } from "../../chain-core/src/ledger/genesis.ts";
import type { Tree } from "../../chain-core/src/ledger/tree.ts";
import type * as node from "../../chain-core/src/node/machine.ts";
import type { FinalBlock } from "../../chain-core/src/node/port.ts";
import type { Coin } from "../../chain-core/src/wallet/index.ts";
import type * as relay from "../../gateway/src/relay/machine.ts";
import type { LedgerView } from "../../gateway/src/relay/view.ts";
import type * as signer from "../../signer/src/machine.ts";
import type { Queue } from "../seeds/queue.ts";
import type { Trace } from "../seeds/trace.ts";
import type { Bitcoin, Entry } from "./bitcoin.ts";
import type { Checks } from "./checkers/checks.ts";
import type { Ethereum } from "./ethereum.ts";
import type { FaultCounts, FaultPlan } from "./faults.ts";
import type { Deployed } from "./genesis.ts";
import type { Ledger } from "./ledger.ts";
import type { Network } from "./network.ts";

/** A process: what is in memory dies with it, what is on its disk does not. */
export type Process = {
  isUp: boolean;
  /** Grows with each start: what was ordered by an earlier one is dropped. */
  boot: number;
  /** Set: the process dies in its next step with effects, after so many of them. */
  diesAfter: number | undefined;
};

export type NodeDisk = {
  readonly records: Map<string, Required<Put>>;
  readonly blocks: FinalBlock[];
  journal: Uint8Array[];
  root: Uint8Array | undefined;
  time: number;
  /** A cheap set hash over all records. */
  digest: string;
  /** How far the beacon's walk is: its machine's record. */
  progress: Uint8Array | undefined;
  /** What the newest block overwrote: `prove` shows the state before it (SEAMS). */
  undo: Put[];
};

export type NodeProcess = Process & {
  readonly disk: NodeDisk;
  state: node.State | undefined;
  beacon: { state: beacon.State; duty: Duty | undefined } | undefined;
  wakeAt: number;
  /** After the newest block, and before it. */
  tree: Tree;
  treeBefore: Tree | undefined;
  /** Answers to `submit`, by ticket. */
  readonly tickets: Map<number, (result: { readonly id: Uint8Array } | Rejected) => void>;
};

export type SignerProcess = Process & {
  readonly disk: {
    readonly journal: Uint8Array[];
    /** By the file's name. */
    readonly shares: Map<string, signer.StoredShare>;
  };
  readonly context: signer.Context;
  state: signer.State | undefined;
  wakeAt: number;
};

export type RelayProcess = Process & {
  readonly context: relay.Context;
  state: relay.State | undefined;
  wakeAt: number;
  /** Requests of the own node that were handed over. */
  cursor: number;
  isReading: boolean;
  /** The newest reading of the ledger, and what it was of. */
  seen: { readonly name: string; readonly view: LedgerView } | undefined;
};

export type Operator = {
  readonly seat: number;
  readonly node: NodeProcess;
  readonly signer: SignerProcess;
  readonly relay: RelayProcess;
  /** Own clock minus simulated time, ms. */
  readonly skewMs: number;
  /** Its signer never sends a byte, its node never votes. */
  readonly isSilent: boolean;
  /** What its own foreign nodes show. */
  bitcoinTip: Entry;
  ethereumHeight: number;
  bitcoinDown: boolean;
  ethereumDown: boolean;
};

/** What a part tells the others, without knowing them. */
export type Wires = {
  /** The operator's node wrote a block. */
  readonly heightFinal: (operator: Operator) => void;
  /** A block is final on the first node; its transactions. */
  readonly blockFinal: (transactions: readonly Uint8Array[]) => void;
  /** What its validator owes the beacon is another now. */
  readonly dutyChanged: (operator: Operator) => void;
  /** A deposit request reached it. */
  readonly requestsCame: (operator: Operator) => void;
  /** Its own foreign nodes show something new. */
  readonly bitcoinSeen: (operator: Operator) => void;
  readonly ethereumSeen: (operator: Operator) => void;
};

/** Several worlds share nothing but what is pure. */
export type World = {
  readonly seed: number;
  readonly startMs: number;
  readonly random: Random;
  readonly queue: Queue;
  readonly trace: Trace;
  readonly plan: FaultPlan;
  readonly faults: FaultCounts;
  readonly network: Network;
  readonly genesis: Genesis;
  readonly deployed: Deployed;
  readonly bls: Bls;
  readonly ledger: Ledger;
  readonly bitcoin: Bitcoin;
  readonly ethereum: Ethereum;
  readonly operators: Operator[];
  readonly checks: Checks;
  readonly wires: Wires;
  /** Trees that are known, by digest of the records. */
  readonly trees: Map<string, Tree>;
  /** Outputs of BBTC that the Bobs have from the start. */
  readonly coins: readonly Coin[];
  draws: number;
  ticket: number;
};
