// What survives when a whole network loses its power: disks and foreign chains. Key generation costs a third of a seed,
// and the first deposit another; so one faultless run of them in each process is kept, and nine seeds of ten start from
// its disks; the tenth generates its keys under its own faults.
import type { Put } from "@causeway/primitives";
import type { Tree } from "../../chain-core/src/ledger/tree.ts";
import type { Coin } from "../../chain-core/src/wallet/index.ts";
import type { BlsTable } from "../seeds/bls.ts";
import type { Bitcoin } from "./bitcoin.ts";
import type { Checks } from "./checkers/checks.ts";
import type { Ethereum } from "./ethereum.ts";
import type { NodeDisk, SignerProcess, World } from "./model.ts";

export type Snapshot = {
  readonly atMs: number;
  readonly disks: readonly {
    readonly node: NodeDisk;
    readonly signer: SignerProcess["disk"];
  }[];
  /** By digest of the records: so that they need not be hashed again. */
  readonly trees: ReadonlyMap<string, Tree>;
  readonly bitcoin: Bitcoin;
  readonly ethereum: Ethereum;
  readonly checks: Checks;
  readonly table: BlsTable;
  readonly draws: number;
  readonly ticket: number;
  /** Outputs of BBTC that the Bobs have. */
  readonly coins: readonly Coin[];
};

/** The world is not run on after this. */
export function takeSnapshot(world: World, table: BlsTable, coins: readonly Coin[]): Snapshot {
  const { operators, bitcoin, ethereum, checks, draws, ticket, queue } = world;
  return {
    atMs: queue.now,
    disks: operators.map(({ node, signer }) => ({ node: node.disk, signer: signer.disk })),
    trees: new Map(operators.map(({ node }) => [node.disk.digest, node.tree])),
    bitcoin,
    ethereum,
    checks,
    table,
    draws,
    ticket,
    coins,
  };
}

const journalKept = 12;

export function copyNodeDisk(disk: NodeDisk): NodeDisk {
  return {
    ...disk,
    records: new Map<string, Required<Put>>(disk.records),
    blocks: [...disk.blocks],
    // As the node itself does now and then: what lies below the newest heights guards nothing any more.
    journal: disk.journal.slice(-journalKept),
    undo: [...disk.undo],
  };
}

export function copySignerDisk(disk: SignerProcess["disk"]): SignerProcess["disk"] {
  return { journal: [...disk.journal], shares: new Map(disk.shares) };
}

export function copyEthereum(ethereum: Ethereum): Ethereum {
  return {
    ...ethereum,
    blocks: [...ethereum.blocks],
    pending: [...ethereum.pending],
    executions: new Map(ethereum.executions),
  };
}

export function copyChecks(checks: Checks): Checks {
  return {
    ...checks,
    heights: [...checks.heights],
    sums: new Map(checks.sums),
    inbounds: new Map(checks.inbounds),
    withdrawals: new Map(checks.withdrawals),
    plans: new Map(checks.plans),
    planned: new Set(checks.planned),
    locks: new Map([...checks.locks].map(([lock, got]) => [lock, { ...got }])),
    payees: new Map(checks.payees),
    ringScripts: new Set(checks.ringScripts),
    seats: checks.seats.map(({ releases, commitments, slots, nonces, seatAt, said }) => ({
      releases: new Map(releases),
      commitments: new Map(commitments),
      slots: new Map(slots),
      nonces: new Map(nonces),
      seatAt: new Map(seatAt),
      said: new Map(said),
    })),
  };
}
