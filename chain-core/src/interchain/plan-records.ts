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
} from "@causeway/primitives";
import type { Table } from "../ledger/state.ts";
import { byBytes, modules, table } from "../ledger/state.ts";

const valueSizeMax = 1024 * 1024;
const b36: ByteListType = new ByteListType(36);

/** What the ring is to sign. */
export const planKinds = {
  sweep: 1,
  withdrawal: 2,
  evmBatch: 3,
  canary: 4,
  /** Vault coins of an older key to the current vault (RNG-2). */
  handover: 5,
  /** Moves the contract to the next key (ETH-1). */
  evmSetKey: 6,
} as const;

/** A Bitcoin transaction, as an attempt of a lineage (BTC-3). */
export function isBitcoinPlan({ kind }: { readonly kind: number }): boolean {
  const { sweep, withdrawal, handover } = planKinds;
  return kind === sweep || kind === withdrawal || kind === handover;
}

/** A message of the one sequence of nonces of an EVM contract (ETH-1). */
export function isEvmPlan({ kind }: { readonly kind: number }): boolean {
  return kind === planKinds.evmBatch || kind === planKinds.evmSetKey;
}

/**
 * Leaves the money with the ring: a loan's sweep, a hand-over, a contract's next key. No halt and no pause stops these
 * (GOV-2): coins would stay where an owner can reclaim them, or with a ring that is to be released.
 */
export function isUnstoppable({ kind }: { readonly kind: number }): boolean {
  const { sweep, handover, evmSetKey } = planKinds;
  return kind === sweep || kind === handover || kind === evmSetKey;
}
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
  /** Bitcoin: the unsigned transaction. EVM: the batch, or the change of key. Canary: the key's group point. */
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
/** The plan whose Bitcoin transaction has this txid, or EVM message this digest, so that what ran finds it. */
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
/** By chain || nonce: the plan of that message, the one of the contract's newest key where several keys signed it. */
export const batches: Table<{ chain: Uint8Array; nonce: number }, { plan: Uint8Array }> = table(
  modules.interchain,
  13,
  ({ chain, nonce }) => concat(chain, bigEndian(nonce, 8)),
  codec("batch", new ContainerType({ plan: b32 }), 32),
);
