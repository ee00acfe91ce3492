// Bitcoin Core's JSON-RPC, read only: what the watcher, the relay and the signer need to see (WIT-3). Hashes are
// in internal order here and reversed on the wire.
import type { Bytes32, Transport } from "@causeway/primitives";
import { bytes32, equal, RpcError, reversed, toHex } from "@causeway/primitives";
import type { BitcoinReader, BlockRef } from "../interchain/watch/facts.ts";
import { checkedTransport, wrongChain } from "./checked.ts";
import { bad, field, hash32, hexBytes, integer } from "./json.ts";

/** A block of 4 million weight units has at most as many bytes; hex doubles them. */
const blockSizeMax = 4_000_000;
const blockReplyMax: number = 2 * blockSizeMax + 4_096;
const heightMax = 0x7fffffff;
const headerReplyMax = 65_536;
/** Calls under way at once while headers are read. */
const parallel = 16;

/** Core's numbers (building-blocks 7). */
const notFound = -5;
const outOfRange = -8;
/** "Block not available (pruned data)" comes as a miscellaneous error. */
const pruned = -1;

export type BitcoinNode = BitcoinReader & {
  /** Up to `count` headers of the best chain from `from` on, 80 bytes each; fewer at the tip. */
  readonly headers: (from: number, count: number) => Promise<Uint8Array[]>;
  /** The tip with what the node says about its own sync. */
  readonly progress: () => Promise<{ readonly tip: BlockRef; readonly behind: number }>;
};

/**
 * `chain`: hash of block 0 in internal order (FMT-8), compared at the first call and after every outage: else
 * Failure "wrong-chain".
 */
export function bitcoinNode(transport: Transport, chain: Uint8Array): BitcoinNode {
  const call = checkedTransport(transport, async (unchecked) => {
    const first = fromDisplay(await unchecked("getblockhash", [0]), "hash of block 0");
    if (!equal(first, chain)) throw wrongChain(display(chain), display(first));
  });
  const blockHashAt = async (height: number): Promise<Bytes32 | undefined> => {
    // Core refuses what is no 32-bit integer; an event may claim any height.
    if (height > heightMax) return undefined;
    const hash = await unless([outOfRange], call("getblockhash", [height]));
    return hash === undefined ? undefined : fromDisplay(hash, "block hash");
  };
  const header = async (hash: Uint8Array): Promise<Uint8Array | undefined> => {
    const answer = unless([notFound], call("getblockheader", [display(hash), false]));
    const bytes = await answer;
    if (bytes === undefined) return undefined;
    const parsed = hexBytes(bytes, "block header", 80);
    if (parsed.length !== 80) throw bad("block header of 80 bytes");
    return parsed;
  };
  const progress: BitcoinNode["progress"] = async () => {
    const info = await call("getblockchaininfo", [], { sizeMax: headerReplyMax });
    const height = integer(field(info, "blocks"), "height");
    const hash = fromDisplay(field(info, "bestblockhash"), "best block");
    const behind = Math.max(0, integer(field(info, "headers"), "header count") - height);
    return { tip: { hash, height }, behind };
  };
  return {
    tip: async () => (await progress()).tip,
    progress,
    blockHashAt,
    header,
    block: async (hash) => {
      const answer = call("getblock", [display(hash), 0], { sizeMax: blockReplyMax });
      const bytes = await unless([notFound, pruned], answer);
      return bytes === undefined ? undefined : hexBytes(bytes, "block", blockSizeMax);
    },
    headers: async (from, count) => {
      const { tip } = await progress();
      const to = Math.min(tip.height, from + count - 1);
      const found: Uint8Array[] = [];
      for (let start = from; start <= to; start += parallel) {
        const heights = Array.from(
          { length: Math.min(parallel, to - start + 1) },
          (_, i) => start + i,
        );
        const batch = await Promise.all(
          heights.map(async (height) => {
            const hash = await blockHashAt(height);
            return hash === undefined ? undefined : header(hash);
          }),
        );
        for (const one of batch) {
          // The chain became shorter meanwhile: what links so far is enough.
          if (one === undefined) return found;
          found.push(one);
        }
      }
      return found;
    },
  };
}

/** Undefined when the node answers with one of these errors. */
async function unless<T>(codes: readonly number[], answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RpcError && codes.includes(error.rpcCode)) return undefined;
    throw error;
  }
}

function fromDisplay(value: unknown, what: string): Bytes32 {
  return bytes32(reversed(hash32(value, what)));
}

function display(hash: Uint8Array): string {
  return toHex(reversed(hash));
}
