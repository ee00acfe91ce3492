// An Ethereum node's JSON-RPC, read only, at `finalized` (WIT-3). Plain JSON-RPC: ethers would cost 30 MB in each
// process and never checks the chain id again (building-blocks 2, 6).
import type { Bytes32, Transport } from "@causeway/primitives";
import { keyOf, toHex } from "@causeway/primitives";
import type { RawLog } from "../interchain/ethereum/events.ts";
import type { BlockRef, EvmReader, EvmReceipt } from "../interchain/watch/facts.ts";
import { checkedTransport, wrongChain } from "./checked.ts";
import { bad, field, hash32, hexBytes, quantity, smallQuantity } from "./json.ts";

/** EIP-170 allows 24,576 bytes of code; devnets may lift it. */
const codeSizeMax = 131_072;
const callSizeMax = 65_536;
/** Of one log and of the logs of a receipt or range. */
const logDataMax = 65_536;
const logsMax = 10_000;

export type EthereumNode = EvmReader & {
  /** Head and finalized: how far the node lags its own head. */
  readonly progress: () => Promise<{ readonly finalized: BlockRef; readonly head: number }>;
};

/** `chainId` is compared at the first call and after every outage: else Failure "wrong-chain". */
export function ethereumNode(transport: Transport, chainId: bigint): EthereumNode {
  const call = checkedTransport(transport, async (unchecked) => {
    const got = quantity(await unchecked("eth_chainId", []), "chain id");
    if (got !== chainId) throw wrongChain(String(chainId), String(got));
  });
  const finalized = async (): Promise<BlockRef> => {
    const block = await call("eth_getBlockByNumber", ["finalized", false]);
    if (block === null) throw bad("finalized block yet");
    return blockRef(block);
  };
  return {
    chainId: async () => quantity(await call("eth_chainId", []), "chain id"),
    finalized,
    progress: async () => ({
      finalized: await finalized(),
      head: smallQuantity(await call("eth_blockNumber", []), "block number"),
    }),
    blockHashAt: async (height) => {
      const block = await call("eth_getBlockByNumber", [hexNumber(height), false]);
      if (block === null) return undefined;
      const { hash, height: got } = blockRef(block);
      if (got !== height) throw bad(`block ${height}`);
      return hash;
    },
    logs: async (contract, from, to) => {
      const filter = { address: hex(contract), fromBlock: hexNumber(from), toBlock: hexNumber(to) };
      return transactionsOf(await call("eth_getLogs", [filter]), from, to);
    },
    receipt: async (txid) => {
      const receipt = await call("eth_getTransactionReceipt", [hex(txid)]);
      return receipt === null ? undefined : parseReceipt(receipt, txid);
    },
    code: async (address, block) =>
      hexBytes(await call("eth_getCode", [hex(address), at(block)]), "code", codeSizeMax),
    call: async (address, data, block) => {
      const request = { to: hex(address), data: hex(data) };
      return hexBytes(await call("eth_call", [request, at(block)]), "call result", callSizeMax);
    },
  };
}

/** EIP-1898, and only while the block is canonical. */
function at(block: Uint8Array): unknown {
  return { blockHash: hex(block), requireCanonical: true };
}

function hex(bytes: Uint8Array): string {
  return `0x${toHex(bytes)}`;
}

function hexNumber(value: number): string {
  return `0x${value.toString(16)}`;
}

function blockRef(block: unknown): BlockRef {
  return {
    hash: hash32(field(block, "hash"), "block hash"),
    height: smallQuantity(field(block, "number"), "block number"),
  };
}

type Place = { readonly txid: Bytes32; readonly height: number };

/** Each transaction once, in the order of the chain. */
function transactionsOf(logs: unknown, from: number, to: number): Place[] {
  if (!Array.isArray(logs) || logs.length > logsMax) throw bad(`list of at most ${logsMax} logs`);
  const found = new Map<string, Place & { readonly position: number }>();
  for (const log of logs) {
    if (field(log, "removed") === true) continue;
    const txid = hash32(field(log, "transactionHash"), "transaction hash");
    const height = smallQuantity(field(log, "blockNumber"), "block number");
    const position = smallQuantity(field(log, "transactionIndex"), "transaction index");
    if (height < from || height > to) throw bad("logs of the range that was asked for");
    found.set(keyOf(txid), { txid, height, position });
  }
  const ordered = [...found.values()].sort(
    (a, b) => a.height - b.height || a.position - b.position,
  );
  return ordered.map(({ txid, height }) => ({ txid, height }));
}

/** Logs in the order of the receipt: by the node's block-wide index, of which only the order counts (FMT-5). */
function parseReceipt(receipt: unknown, txid: Uint8Array): EvmReceipt {
  const of = hash32(field(receipt, "transactionHash"), "transaction hash");
  if (keyOf(of) !== keyOf(txid)) throw bad("receipt of the transaction that was asked for");
  const logs = field(receipt, "logs");
  if (!Array.isArray(logs) || logs.length > logsMax) throw bad("list of logs");
  const indexed = logs.map((log) => ({
    log: rawLog(log),
    index: smallQuantity(field(log, "logIndex"), "log index"),
  }));
  indexed.sort((a, b) => a.index - b.index);
  return {
    blockHash: hash32(field(receipt, "blockHash"), "block hash"),
    height: smallQuantity(field(receipt, "blockNumber"), "block number"),
    succeeded: quantity(field(receipt, "status"), "status") === 1n,
    logs: indexed.map(({ log }) => log),
    gasUsed: smallQuantity(field(receipt, "gasUsed"), "gas used"),
    gasPrice: quantity(field(receipt, "effectiveGasPrice"), "gas price"),
  };
}

function rawLog(log: unknown): RawLog {
  const topics = field(log, "topics");
  if (!Array.isArray(topics) || topics.length > 4) throw bad("list of topics");
  return {
    address: hex(hexBytes(field(log, "address"), "address", 20)),
    topics: topics.map((topic) => hex(hash32(topic, "topic"))),
    data: hex(hexBytes(field(log, "data"), "log data", logDataMax)),
  };
}
