// The records of the ledger's own chain of Bitcoin headers (WIT-4). Hashes in internal order.
import type { Codec } from "@causeway/primitives";
import { ByteListType, b32, ContainerType, codec, u32, u256 } from "@causeway/primitives";
import type { Table } from "../ledger/state.ts";
import { byBytes, byNumber, modules, table } from "../ledger/state.ts";

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
