// What an operator's own foreign nodes say, as types (WIT-3): the reads that adapters offer, and the facts of
// one event that a signer judges by. A fact is data: gathered first, judged by pure code afterwards.
import type { Bytes32 } from "@causeway/primitives";
import type { Artifact, BadCode, GatewayCode } from "../ethereum/contract.ts";
import { keyCall, parseGatewayCode, templateHash } from "../ethereum/contract.ts";
import type { RawLog } from "../ethereum/events.ts";
import type { ForeignEvent } from "../statement.ts";
import { eventKinds } from "../statement.ts";

/** A block by hash (Bitcoin: internal order) and height. */
export type BlockRef = { readonly hash: Bytes32; readonly height: number };

/** Reads of a Bitcoin node (chain-core/foreign implements them); each throws Failure when the node does. */
export type BitcoinReader = {
  /** Tip of the node's best chain. */
  readonly tip: () => Promise<BlockRef>;
  /** Hash at a height of the best chain; undefined above the tip. */
  readonly blockHashAt: (height: number) => Promise<Bytes32 | undefined>;
  /** 80 bytes, of any block that the node knows. */
  readonly header: (hash: Uint8Array) => Promise<Uint8Array | undefined>;
  /** The whole block as serialized, with witnesses; undefined if pruned or unknown. */
  readonly block: (hash: Uint8Array) => Promise<Uint8Array | undefined>;
};

/** A receipt in a block; `logs` in the order of the receipt, whose positions are event indices (FMT-5). */
export type EvmReceipt = {
  readonly blockHash: Bytes32;
  readonly height: number;
  /** False for a reverted transaction. */
  readonly succeeded: boolean;
  readonly logs: readonly RawLog[];
  readonly gasUsed: number;
  /** Wei. */
  readonly gasPrice: bigint;
};

/** Reads of an EVM node (chain-core/foreign implements them); each throws Failure when the node does. */
export type EvmReader = {
  readonly chainId: () => Promise<bigint>;
  /** The `finalized` block. */
  readonly finalized: () => Promise<BlockRef>;
  readonly blockHashAt: (height: number) => Promise<Bytes32 | undefined>;
  /** Logs of one contract in blocks from..to, both included, with where they are. */
  readonly logs: (
    contract: Uint8Array,
    from: number,
    to: number,
  ) => Promise<readonly { readonly txid: Bytes32; readonly height: number }[]>;
  readonly receipt: (txid: Uint8Array) => Promise<EvmReceipt | undefined>;
  /** eth_getCode at a block. */
  readonly code: (address: Uint8Array, block: Uint8Array) => Promise<Uint8Array>;
  /** eth_call at a block. */
  readonly call: (address: Uint8Array, data: Uint8Array, block: Uint8Array) => Promise<Uint8Array>;
};

/** Of a Bitcoin event: the block of the own best chain at the event's height, absent above the tip. */
export type BitcoinFacts = {
  readonly kind: "bitcoin";
  readonly tip: BlockRef;
  readonly block?: { readonly hash: Bytes32; readonly header: Uint8Array };
};

/** What stands at the gateway's address: its code, read by the artifact of this hash, and the answer to key(). */
export type ContractFacts = {
  readonly code: GatewayCode | BadCode;
  readonly templateHash: Bytes32;
  readonly key: Uint8Array;
};

/** Of an EVM event: what stands at its height and what its transaction did there. */
export type EvmFacts = {
  readonly kind: "evm";
  /** The chain that was read (FMT-8). */
  readonly chain: Bytes32;
  readonly finalized: BlockRef;
  /** Own hash at the event's height, absent above the own head. */
  readonly blockHash?: Bytes32;
  /** Absent when the node knows none; never read for evmContract. */
  readonly receipt?: EvmReceipt;
  /** Read at the event's block, for evmContract alone. */
  readonly contract?: ContractFacts;
};

export type Facts = BitcoinFacts | EvmFacts;

/** Reads what judging a Bitcoin event needs. */
export async function bitcoinFacts(
  reader: BitcoinReader,
  event: ForeignEvent,
): Promise<BitcoinFacts> {
  const tip = await reader.tip();
  const hash = await reader.blockHashAt(event.height);
  const header = hash === undefined ? undefined : await reader.header(hash);
  if (hash === undefined || header === undefined) return { kind: "bitcoin", tip };
  return { kind: "bitcoin", tip, block: { hash, header } };
}

/** The gateway on one chain: its address in the genesis (20 bytes) and what it was compiled to. */
export type GatewayPlace = {
  readonly chain: Bytes32;
  readonly address: Uint8Array;
  readonly artifact: Artifact;
};

/** Reads what judging an EVM event needs. */
export async function evmFacts(
  reader: EvmReader,
  gateway: GatewayPlace,
  event: ForeignEvent,
): Promise<EvmFacts> {
  const finalized = await reader.finalized();
  const blockHash = await reader.blockHashAt(event.height);
  const { chain } = gateway;
  const facts = { kind: "evm" as const, chain, finalized, ...(blockHash && { blockHash }) };
  if (event.kind !== eventKinds.evmContract) {
    const receipt = await reader.receipt(event.txid);
    return { ...facts, ...(receipt && { receipt }) };
  }
  if (blockHash === undefined || event.height > finalized.height) return facts;
  return { ...facts, contract: await contractFacts(reader, gateway, blockHash) };
}

/** Code and key of the gateway at a block. */
async function contractFacts(
  reader: EvmReader,
  { address, artifact }: GatewayPlace,
  block: Uint8Array,
): Promise<ContractFacts> {
  const code = parseGatewayCode(artifact, await reader.code(address, block));
  const key = "kind" in code ? new Uint8Array(0) : await reader.call(address, keyCall, block);
  return { code, templateHash: templateHash(artifact), key };
}
