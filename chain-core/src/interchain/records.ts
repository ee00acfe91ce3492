import {
  ByteListType,
  b32,
  bigEndian,
  bool,
  ContainerType,
  codec,
  concat,
  ListCompositeType,
  u8,
  u32,
  u64,
  u128,
} from "@causeway/primitives";
import type { Destination } from "../codec/action.ts";
import { destinationType } from "../codec/action.ts";
import type { Table } from "../ledger/state.ts";
import { byBytes, modules, single, table } from "../ledger/state.ts";
import type { ForeignEvent } from "./statement.ts";
import { foreignEventType } from "./statement.ts";

export * from "./header-records.ts";
export * from "./plan-records.ts";

const valueSizeMax = 1024 * 1024;

export function outpoint(txid: Uint8Array, vout: number): Uint8Array {
  return concat(txid, bigEndian(vout, 4));
}
const b36: ByteListType = new ByteListType(36);

// ---------------------------------------------------------------- assets

/** ACC-1 for one asset: coins + deficit = supply + exported + pending + reserve + rewards. */
export type Accounting = {
  /** Foreign coins that back the asset. */
  coins: bigint;
  /** Backing that a reorganisation took and the reserve did not cover; above 0 the asset is halted (WIT-4). */
  deficit: bigint;
  /** Unspent on our ledger. */
  supply: bigint;
  /** On another chain as a wrapped token, and not returned. */
  exported: bigint;
  /** Burnt on the ledger (or returned from a chain, or forwarded) and not yet settled. */
  pending: bigint;
  /** The account that fees enter and miners' fees leave. */
  reserve: bigint;
  /** What the ring's seats earned of fees and have not claimed (ACC-2). */
  rewards: bigint;
  /** Credited value whose sweep is not final (BTC-2), a part of coins. */
  unswept: bigint;
  halted: boolean;
};
export const accountings: Table<Uint8Array, Accounting> = table(
  modules.interchain,
  1,
  byBytes,
  codec(
    "accounting",
    new ContainerType({
      coins: u128,
      deficit: u128,
      supply: u128,
      exported: u128,
      pending: u128,
      reserve: u128,
      rewards: u128,
      unswept: u128,
      halted: bool,
    }),
    256,
  ),
);

// ---------------------------------------------------------------- what came in

/** Life of an inbound event; every one ends in one of the last four (WIT, DESIGN 3.5). */
export const inboundStatus = {
  /** Stated; the header chain does not make it deep enough yet, or its block left the best chain. */
  waiting: 1,
  /** Deep enough; credited when its sweep is final (BTC-2), or when a limit allows; see `reason`. */
  held: 2,
  /** Credited: minted, forwarded to `withdrawal`, or returned to its sender. */
  minted: 3,
  forwarded: 4,
  refunded: 5,
  /** Never credited; the user takes the coins back by the reclaim leaf; see `reason`. */
  reclaim: 6,
} as const;

/** Why an inbound event is held, refunded or left to reclaim; 0 for none. */
export const inboundReasons = {
  belowMinimum: 1,
  aboveCap: 2,
  feeAboveMaximum: 3,
  badDestination: 4,
  loanLimit: 5,
  oldKey: 6,
  halted: 7,
  nearReclaim: 8,
  /** The owner took the coins back by the reclaim leaf. */
  reclaimed: 9,
  /** Too many withdrawals wait for the chain that it goes to. */
  queueFull: 10,
  /** What comes in from its chain is paused (GOV-2). */
  paused: 11,
  /** More than slow mode lets through at once (GOV-2). */
  slow: 12,
  /** The ring holds as much as its bonds answer for (RNG-7). */
  bondLimit: 13,
  /** The address is past its last day of credit (RNG-2). */
  keyExpired: 14,
} as const;

/**
 * One inbound event, by event id. The stated forms are kept by block hash, because only a *credit* uses up
 * the id (WIT-4): `candidates` are the blocks it was stated in.
 */
export type Inbound = {
  chain: Uint8Array;
  asset: Uint8Array;
  amount: bigint;
  destination: Destination;
  maxFee: bigint;
  /** Bitcoin: x-only reclaim key. EVM: ledger lock of the sender. */
  refund: Uint8Array;
  keyId: number;
  txid: Uint8Array;
  index: number;
  /** Bitcoin: paid by a block's first transaction, so 100 blocks deeper than others (WIT-5). */
  coinbase: boolean;
  candidates: { blockHash: Uint8Array; height: number }[];
  status: number;
  reason: number;
  /** What reached the destination, and what went to the reserve. */
  credited: bigint;
  fee: bigint;
  statedAt: number;
  updatedAt: number;
  /** The withdrawal that a forward opened, else zero. */
  withdrawal: Uint8Array;
};
export const inbounds: Table<Uint8Array, Inbound> = table(
  modules.interchain,
  5,
  byBytes,
  codec(
    "inbound",
    new ContainerType({
      chain: b32,
      asset: b32,
      amount: u128,
      destination: destinationType,
      maxFee: u128,
      refund: b32,
      keyId: u32,
      txid: b32,
      index: u32,
      coinbase: bool,
      candidates: new ListCompositeType(new ContainerType({ blockHash: b32, height: u32 }), 32),
      status: u8,
      reason: u8,
      credited: u128,
      fee: u128,
      statedAt: u64,
      updatedAt: u64,
      withdrawal: b32,
    }),
    4096,
  ),
);

/** Lists of ids, by name: what a loop of the ledger must visit. */
export const lists: Table<string, { ids: Uint8Array[] }> = table(
  modules.interchain,
  6,
  (name) => new TextEncoder().encode(name),
  codec(
    "id list",
    new ContainerType({ ids: new ListCompositeType(new ByteListType(36), 16_384) }),
    valueSizeMax,
  ),
);
/**
 * waiting: inbound ids not yet credited or ended. coins: outpoints of coins not final-spent. queue:<chain
 * hex>: withdrawal ids in order. plans: ids of plans not yet final, in order (what signers and relays visit).
 */
export const listNames = {
  waiting: "waiting",
  coins: "coins",
  plans: "plans",
  queue: (chainHex: string): string => `queue:${chainHex}`,
} as const;

// ---------------------------------------------------------------- coins

export const coinKinds = { deposit: 1, vault: 2 } as const;
export const coinStatus = {
  /** Its block is on the ledger's best chain (depth is read from there). */
  live: 1,
  /** Its block left the best chain (WIT-4). */
  missing: 2,
  /** A planned attempt spends it; bound until the lineage ends (BTC-3). */
  bound: 3,
  /** A final transaction spent it. */
  spent: 4,
} as const;

/** A Bitcoin output that the ring can spend, by outpoint. `origin`: the inbound id, or the plan that made it. */
export type Coin = {
  txid: Uint8Array;
  vout: number;
  amount: bigint;
  keyId: number;
  kind: number;
  status: number;
  /** Counted in Accounting.coins. */
  counted: boolean;
  blockHash: Uint8Array;
  height: number;
  origin: Uint8Array;
  /** The lineage that binds it, as its anchor's outpoint; empty when free. */
  lineage: Uint8Array;
};
export const coins: Table<Uint8Array, Coin> = table(
  modules.interchain,
  7,
  byBytes,
  codec(
    "coin",
    new ContainerType({
      txid: b32,
      vout: u32,
      amount: u128,
      keyId: u32,
      kind: u8,
      status: u8,
      counted: bool,
      blockHash: b32,
      height: u32,
      origin: b32,
      lineage: b36,
    }),
    512,
  ),
);

// ---------------------------------------------------------------- what goes out

export const withdrawalStatus = {
  queued: 1,
  planned: 2,
  signed: 3,
  settled: 4,
  /** Impossible to pay; the value went back to `refund`. */
  refunded: 5,
} as const;

/** What is to be known of a withdrawal besides its status; 0 for none. */
export const withdrawalReasons = {
  /** Its item of the batch failed and waits at the contract: anybody can execute the claim (ETH-2). */
  claim: 1,
  /** The contract that it goes to holds as much as the ring's bonds answer for (RNG-7). */
  bondLimit: 2,
} as const;

/** Burnt value on its way to another chain, by withdrawal id = H("withdrawal", source). */
export type Withdrawal = {
  /** Transaction id of the burn, or the inbound event's id. */
  source: Uint8Array;
  asset: Uint8Array;
  amount: bigint;
  destination: Destination;
  maxFee: bigint;
  refund: Uint8Array;
  status: number;
  reason: number;
  /** The plan that pays it, else zero. */
  plan: Uint8Array;
  /** All that it costs, 0 until planned; `ringFee` of that is the seats' when it is settled, and pending until then. */
  fee: bigint;
  ringFee: bigint;
  createdAt: number;
  updatedAt: number;
};
export const withdrawals: Table<Uint8Array, Withdrawal> = table(
  modules.interchain,
  8,
  byBytes,
  codec(
    "withdrawal",
    new ContainerType({
      source: b32,
      asset: b32,
      amount: u128,
      destination: destinationType,
      maxFee: u128,
      refund: b32,
      status: u8,
      reason: u8,
      plan: b32,
      fee: u128,
      ringFee: u128,
      createdAt: u64,
      updatedAt: u64,
    }),
    1024,
  ),
);

/** Stated inbound events in full, by event id || block hash (WIT-4), dropped when credited. */
export const stated: Table<{ id: Uint8Array; blockHash: Uint8Array }, ForeignEvent> = table(
  modules.interchain,
  14,
  ({ id, blockHash }) => concat(id, blockHash),
  codec("stated event", foreignEventType, valueSizeMax),
);

/** Set by every action that changes something here, so that the end of a quiet block has nothing to do (CON-1). */
export const agenda: Table<"only", { due: boolean }> = table(
  modules.interchain,
  15,
  single,
  codec("agenda", new ContainerType({ due: bool }), 8),
);
