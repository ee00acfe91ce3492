// Every record of the interchain module. They are provable to light clients (CON-8), so that signers,
// relays and portals read them by these tables too. Amounts of an asset in its smallest unit, times in
// ledger ms, txids in internal order, an outpoint is txid || vout big-endian (36 bytes).
import type { Codec } from "@causeway/primitives";
import {
  ByteListType,
  b32,
  b64,
  bigEndian,
  bool,
  ContainerType,
  codec,
  concat,
  ListCompositeType,
  u8,
  u16,
  u32,
  u64,
  u128,
  u256,
} from "@causeway/primitives";
import type { Destination } from "../codec/action.ts";
import { destinationType } from "../codec/action.ts";
import type { Table } from "../ledger/state.ts";
import { byBytes, byNumber, modules, single, table } from "../ledger/state.ts";
import type { ForeignEvent } from "./statement.ts";
import { foreignEventType } from "./statement.ts";

const valueSizeMax = 1024 * 1024;

export function outpoint(txid: Uint8Array, vout: number): Uint8Array {
  return concat(txid, bigEndian(vout, 4));
}
const b36: ByteListType = new ByteListType(36);

// ---------------------------------------------------------------- assets

/** ACC-1 for one asset: coins + deficit = supply + exported + pending + reserve. */
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
      unswept: u128,
      halted: bool,
    }),
    256,
  ),
);

// ---------------------------------------------------------------- Bitcoin headers (WIT-4)

/** `work` is the chain's total up to and with this header. */
export type HeaderRecord = { header: Uint8Array; height: number; work: bigint };
const headerRecordCodec: Codec<HeaderRecord> = codec(
  "bitcoin header record",
  new ContainerType({ header: new ByteListType(80), height: u32, work: u256 }),
  256,
);
/** By block hash, internal order. */
export const bitcoinHeaders: Table<Uint8Array, HeaderRecord> = table(
  modules.interchain,
  2,
  byBytes,
  headerRecordCodec,
);
/** By height: the hash on the best chain. */
export const bitcoinBest: Table<number, { hash: Uint8Array }> = table(
  modules.interchain,
  3,
  byNumber,
  codec("best hash", new ContainerType({ hash: b32 }), 32),
);
export type Tip = { hash: Uint8Array; height: number };
/** By chain. */
export const bitcoinTips: Table<Uint8Array, Tip> = table(
  modules.interchain,
  4,
  byBytes,
  codec("bitcoin tip", new ContainerType({ hash: b32, height: u32 }), 64),
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
  /** Its share of the fee, 0 until planned. */
  fee: bigint;
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
      createdAt: u64,
      updatedAt: u64,
    }),
    1024,
  ),
);

/** What the ring is to sign. */
export const planKinds = { sweep: 1, withdrawal: 2, evmBatch: 3, canary: 4 } as const;
export const planStatus = { planned: 1, signed: 2, final: 3, dead: 4 } as const;

/** An input of a Bitcoin plan with what its sighash needs (BIP341) and the tweak of its output key. */
export type PlanInput = {
  txid: Uint8Array;
  vout: number;
  amount: bigint;
  script: Uint8Array;
  /** Merkle root of the output's script tree, the tweak of K (BTC-1). */
  merkleRoot: Uint8Array;
};

/**
 * A message set for the ring, by id = H("plan", kind, subject). It is deterministic: signers rebuild every
 * message from the other fields and from the final ledger, and compare (DESIGN 4, 5).
 */
export type Plan = {
  kind: number;
  keyId: number;
  chain: Uint8Array;
  asset: Uint8Array;
  /** Bitcoin: the unsigned transaction. EVM: the batch's bytes. Canary: the key's group point. */
  subject: Uint8Array;
  inputs: PlanInput[];
  withdrawals: Uint8Array[];
  /** BTC-3: the lineage's name and the attempt in it from 0; EVM: nonce in `nonce`. */
  anchor: Uint8Array;
  attempt: number;
  nonce: number;
  fee: bigint;
  /** Foreign txid of the unsigned Bitcoin transaction, else the digest that is signed. */
  txid: Uint8Array;
  status: number;
  signatures: Uint8Array[];
  plannedAt: number;
  updatedAt: number;
};
export const plans: Table<Uint8Array, Plan> = table(
  modules.interchain,
  9,
  byBytes,
  codec(
    "plan",
    new ContainerType({
      kind: u8,
      keyId: u32,
      chain: b32,
      asset: b32,
      subject: new ByteListType(65_536),
      inputs: new ListCompositeType(
        new ContainerType({
          txid: b32,
          vout: u32,
          amount: u128,
          script: new ByteListType(64),
          merkleRoot: b32,
        }),
        256,
      ),
      withdrawals: new ListCompositeType(b32, 256),
      anchor: b36,
      attempt: u16,
      nonce: u64,
      fee: u128,
      txid: b32,
      status: u8,
      signatures: new ListCompositeType(b64, 256),
      plannedAt: u64,
      updatedAt: u64,
    }),
    valueSizeMax,
  ),
);

/** BTC-3: by the anchor's outpoint. `plans` are its attempts in order. */
export type Lineage = {
  anchor: Uint8Array;
  keyId: number;
  kind: number;
  plans: Uint8Array[];
  ended: boolean;
};
export const lineages: Table<Uint8Array, Lineage> = table(
  modules.interchain,
  10,
  byBytes,
  codec(
    "lineage",
    new ContainerType({
      anchor: b36,
      keyId: u32,
      kind: u8,
      plans: new ListCompositeType(b32, 64),
      ended: bool,
    }),
    8192,
  ),
);
/** The plan whose Bitcoin transaction has this txid, so that a settlement finds it. */
export const plansByTxid: Table<Uint8Array, { plan: Uint8Array }> = table(
  modules.interchain,
  11,
  byBytes,
  codec("plan by txid", new ContainerType({ plan: b32 }), 32),
);

/** ETH-1, ETH-3: by chain. `stated` once the committee stated the contract; batch nonces start at 1. */
export type EvmState = { stated: boolean; codeHash: Uint8Array; keyId: number; nextNonce: number };
export const evmStates: Table<Uint8Array, EvmState> = table(
  modules.interchain,
  12,
  byBytes,
  codec(
    "evm state",
    new ContainerType({ stated: bool, codeHash: b32, keyId: u32, nextNonce: u64 }),
    128,
  ),
);
/** By chain || nonce: the plan of that batch. */
export const batches: Table<{ chain: Uint8Array; nonce: number }, { plan: Uint8Array }> = table(
  modules.interchain,
  13,
  ({ chain, nonce }) => concat(chain, bigEndian(nonce, 8)),
  codec("batch", new ContainerType({ plan: b32 }), 32),
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
