// RPC methods about the chain, mining and the node itself.
import { concat, isRejected, parseHex, toHex } from "@causeway/primitives";
import * as block from "./block.ts";
import * as chains from "./chain.ts";
import type { Method } from "./method.ts";
import * as arg from "./method.ts";
import { RpcError } from "./method.ts";
import type { Node } from "./node.ts";
import * as nodes from "./node.ts";
import { fromAddress, toDescriptor, withChecksum } from "./script.ts";
import * as shapes from "./shapes.ts";
import type { Tx } from "./tx.ts";

const version = 310000;
const protocolVersion = 70016;
const blocksMax = 10_000;

const hashParam = { name: "blockhash", type: "string" } as const;

/** 80 bytes and the number of transactions, as chain queries answer with verbose off. */
function headerHex(entry: chains.Entry): string {
  return toHex(block.encodeHeader(entry.block.header));
}

function chainInfo(node: Node): shapes.Json {
  const { chain } = node;
  const top = chains.tip(chain);
  const heights = [...chain.leaves].filter((leaf) => !leaf.failed).map((leaf) => leaf.height);
  const size = chain.active.reduce((sum, entry) => sum + entry.block.raw.length + 8, 0);
  return {
    chain: "regtest",
    blocks: top.height,
    headers: Math.max(top.height, ...heights),
    bestblockhash: top.block.hash,
    ...shapes.targetShape,
    difficulty: shapes.difficulty,
    time: top.block.header.time,
    mediantime: top.medianTime,
    verificationprogress: 1,
    initialblockdownload: top.height === 0,
    chainwork: top.work.toString(16).padStart(64, "0"),
    size_on_disk: size,
    pruned: false,
    warnings: [],
  };
}

function networkInfo(node: Node): shapes.Json {
  const network = (name: string, reachable: boolean): shapes.Json => ({
    name,
    limited: !reachable,
    reachable,
    proxy: "",
    proxy_randomize_credentials: false,
  });
  const relayfee = shapes.coins(node.options.relayFeeRate);
  return {
    version,
    subversion: "/causeway-regtest:31.0.0/",
    protocolversion: protocolVersion,
    localservices: "0000000000000409",
    localservicesnames: ["NETWORK", "WITNESS", "NETWORK_LIMITED"],
    localrelay: true,
    timeoffset: 0,
    networkactive: true,
    connections: 0,
    connections_in: 0,
    connections_out: 0,
    networks: [
      network("ipv4", true),
      network("ipv6", true),
      ...["onion", "i2p", "cjdns"].map((name) => network(name, false)),
    ],
    relayfee,
    incrementalfee: relayfee,
    localaddresses: [],
    warnings: [],
  };
}

function miningInfo(node: Node): shapes.Json {
  const { height } = chains.tip(node.chain);
  const target = { ...shapes.targetShape, difficulty: shapes.difficulty };
  return {
    blocks: height,
    ...target,
    networkhashps: 0,
    pooledtx: node.pool.entries.size,
    blockmintxfee: shapes.coins(1n),
    chain: "regtest",
    next: { height: height + 1, ...target },
    warnings: [],
  };
}

function chainTips(node: Node): shapes.Json[] {
  const { chain } = node;
  const top = chains.tip(chain);
  const tips = [...new Set([top, ...chain.leaves])].sort((a, b) => b.height - a.height);
  return tips.map((tip) => {
    let fork = tip;
    while (!chains.isActive(chain, fork) && fork.parent !== undefined) fork = fork.parent;
    const valid = tip.undo === undefined ? "valid-headers" : "valid-fork";
    const status = tip === top ? "active" : tip.failed ? "invalid" : valid;
    return {
      height: tip.height,
      hash: tip.block.hash,
      branchlen: tip.height - fork.height,
      status,
    };
  });
}

function blockHash(node: Node, [height]: readonly unknown[]): string {
  const entry = node.chain.active[arg.parseInteger(height, -1)];
  if (entry === undefined) throw new RpcError(-8, "Block height out of range");
  return entry.block.hash;
}

function getBlock(node: Node, [hash, verbosity]: readonly unknown[]): unknown {
  const entry = arg.findEntry(node, arg.parseHash(hash, "blockhash"));
  const level = arg.parseVerbosity(verbosity, 1);
  return level <= 0
    ? toHex(entry.block.raw)
    : shapes.blockShape(node.chain, entry, Math.min(level, 3));
}

function getHeader(node: Node, [hash, verbose]: readonly unknown[]): unknown {
  const entry = arg.findEntry(node, arg.parseHash(hash, "hash"));
  return verbose === false ? headerHex(entry) : shapes.headerShape(node.chain, entry);
}

function generateToAddress(node: Node, [count, address]: readonly unknown[]): string[] {
  const wanted = arg.parseInteger(count, 0);
  const script = arg.parseAddress(address, "Error: Invalid address");
  if (wanted > blocksMax) throw new RpcError(-8, `at most ${blocksMax} blocks a call`);
  const hashes: string[] = [];
  for (let i = 0; i < wanted; i++) {
    const mined = nodes.mine(node, script);
    // As when the same block was invalidated before: mine to another address.
    if (isRejected(mined)) throw new RpcError(-32603, "ProcessNewBlock, block not accepted");
    hashes.push(mined.entry.block.hash);
  }
  return hashes;
}

/** Transactions by id out of the mempool, or raw. */
function chooseTxs(node: Node, list: unknown): Tx[] {
  return (list as unknown[]).map((item) => {
    const pooled = node.pool.entries.get(String(item));
    if (pooled !== undefined) return pooled.tx;
    const text = String(item);
    if (text.length === 64) throw new RpcError(-5, `Transaction ${text} not in mempool.`);
    return arg.parseRawTx(
      item,
      `Transaction decode failed for ${text}. Make sure the tx has at least one input.`,
    );
  });
}

function generateBlock(node: Node, [output, list, submit]: readonly unknown[]): shapes.Json {
  const script = arg.parseAddress(
    String(output).replace(/^addr\((.*)\)(#.*)?$/, "$1"),
    "Error: Invalid address or descriptor",
  );
  if (submit === false) throw new RpcError(-8, "submit=false is not supported by this node");
  const mined = nodes.mine(node, script, chooseTxs(node, list));
  if (isRejected(mined)) throw new RpcError(-25, `TestBlockValidity failed: ${mined.message}`);
  return { hash: mined.entry.block.hash };
}

function submitBlock(node: Node, [hex]: readonly unknown[]): string | undefined {
  const raw = parseHex(hex, { sizeMax: block.blockWeightMax });
  if (isRejected(raw) || block.parseBlock(raw) === undefined)
    throw new RpcError(-22, "Block decode failed");
  const refused = nodes.submitBlock(node, raw);
  if (refused === undefined) return undefined;
  const parsed = block.parseBlock(raw);
  const known = node.chain.entries.get(parsed?.hash ?? "");
  return refused.code === "duplicate" && known?.failed ? "duplicate-invalid" : refused.code;
}

function scan(node: Node, [action, objects]: readonly unknown[]): unknown {
  if (action === "status") return null;
  if (action === "abort") return false;
  if (action !== "start") throw new RpcError(-8, `Invalid action '${String(action)}'`);
  const wanted = new Map<string, string>();
  for (const item of (objects ?? []) as unknown[]) {
    const text = String(typeof item === "object" ? (item as { desc?: unknown })?.desc : item);
    const [, kind, body = ""] = /^(addr|raw)\(([^)]*)\)(?:#.*)?$/.exec(text) ?? [];
    const script = kind === "addr" ? fromAddress(body) : parseHex(body, { sizeMax: 10_000 });
    if (kind === undefined || script === undefined || isRejected(script))
      throw new RpcError(-5, `'${text}' is not a descriptor that this node knows (addr, raw)`);
    wanted.set(toHex(script), kind === "raw" ? withChecksum(text) : toDescriptor(script));
  }
  let total = 0n;
  const unspents: shapes.Json[] = [];
  const found = [...node.chain.coins].filter(([, coin]) => wanted.has(toHex(coin.script)));
  for (const [key, coin] of found.sort(byStoredKey)) {
    const desc = wanted.get(toHex(coin.script));
    const [txid = "", vout = "0"] = key.split(":");
    const entry = node.chain.active[coin.height] as chains.Entry;
    total += coin.value;
    unspents.push({
      txid,
      vout: Number(vout),
      scriptPubKey: toHex(coin.script),
      desc,
      amount: shapes.coins(coin.value),
      coinbase: coin.coinbase,
      height: coin.height,
      blockhash: entry.block.hash,
      confirmations: shapes.confirmations(node.chain, entry),
    });
  }
  const top = chains.tip(node.chain);
  return {
    success: true,
    txouts: node.chain.coins.size,
    height: top.height,
    bestblock: top.block.hash,
    unspents,
    total_amount: shapes.coins(total),
  };
}

/** Core reads its database in the order of ids in wire order. */
function byStoredKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  const wire = (key: string): string => key.slice(0, 64).match(/../g)?.reverse().join("") ?? "";
  return wire(a) < wire(b) ? -1 : wire(a) > wire(b) ? 1 : Number(a.slice(65)) - Number(b.slice(65));
}

function findProven(node: Node, txids: readonly string[], hash: unknown): chains.Entry {
  if (hash !== undefined) return arg.findEntry(node, arg.parseHash(hash, "blockhash"));
  for (const txid of txids) {
    const entry = node.chain.entries.get(node.chain.txIndex.get(txid) ?? "");
    if (entry !== undefined) return entry;
  }
  throw new RpcError(-5, "Transaction not yet in block");
}

function txOutProof(node: Node, [ids, hash]: readonly unknown[]): string {
  const txids = (ids as unknown[]).map((id) => arg.parseHash(id, "txid"));
  if (txids.length === 0) throw new RpcError(-8, "Parameter 'txids' cannot be empty");
  const repeated = txids.find((id, index) => txids.indexOf(id) !== index);
  if (repeated !== undefined)
    throw new RpcError(-8, `Invalid parameter, duplicated txid: ${repeated}`);
  const entry = findProven(node, txids, hash);
  const matches = entry.block.txs.map((tx) => txids.includes(tx.txid));
  if (matches.filter(Boolean).length !== txids.length)
    throw new RpcError(-5, "Not all transactions found in specified or retrieved block");
  return toHex(block.merkleProof(entry.block, matches));
}

function verifyTxOutProof(node: Node, [proof]: readonly unknown[]): readonly string[] {
  const raw = parseHex(proof, { sizeMax: block.blockWeightMax });
  if (isRejected(raw)) throw new RpcError(-8, "proof must be hexadecimal string");
  // A fresh buffer, since the reader looks at the bytes through a view.
  const shown = block.readMerkleProof(concat(raw));
  if (shown === undefined) return [];
  const entry = node.chain.entries.get(shown.block);
  if (entry === undefined || !chains.isActive(node.chain, entry))
    throw new RpcError(-5, "Block not found in chain");
  return entry.block.txs.length === shown.count ? shown.txids : [];
}

function setMockTime(node: Node, [time]: readonly unknown[]): void {
  const seconds = arg.parseInteger(time, 0);
  if (seconds < 0) throw new RpcError(-8, "Mocktime must be in the range [0, 2147483647]");
  node.mockTime = seconds === 0 ? undefined : seconds;
}

const none = { params: [] } as const;

export const chainMethods: Readonly<Record<string, Method>> = {
  getblockchaininfo: { ...none, about: "State of the chain.", run: chainInfo },
  getnetworkinfo: { ...none, about: "State of the (absent) network.", run: networkInfo },
  getmininginfo: { ...none, about: "What a miner would want to know.", run: miningInfo },
  getchaintips: { ...none, about: "Every leaf of the tree of blocks.", run: chainTips },
  getpeerinfo: { ...none, about: "This node has no peers.", run: () => [] },
  getconnectioncount: { ...none, about: "This node has no peers.", run: () => 0 },
  getindexinfo: {
    params: [{ name: "index_name", type: "string", optional: true }],
    about: "The transaction index is always on.",
    run: (node) => ({
      txindex: { synced: true, best_block_height: chains.tip(node.chain).height },
    }),
  },
  getblockcount: {
    ...none,
    about: "Height of the most-work valid chain; the genesis block has height 0.",
    run: (node) => chains.tip(node.chain).height,
  },
  getbestblockhash: {
    ...none,
    about: "Hash of the tip.",
    run: (node) => chains.tip(node.chain).block.hash,
  },
  getblockhash: {
    params: [{ name: "height", type: "number" }],
    about: "Hash of the active block at a height.",
    run: blockHash,
  },
  getblockheader: {
    params: [hashParam, { name: "verbose", type: "bool", optional: true }],
    about: "A block's header.",
    run: getHeader,
  },
  getblock: {
    params: [hashParam, { name: "verbosity|verbose", type: "any", optional: true }],
    about: "A block: 0 hex, 1 with ids, 2 with transactions, 3 with what they spend.",
    run: getBlock,
  },
  generatetoaddress: {
    params: [
      { name: "nblocks", type: "number" },
      { name: "address", type: "string" },
      { name: "maxtries", type: "number", optional: true },
    ],
    about: "Mines blocks at once.",
    run: generateToAddress,
  },
  generateblock: {
    params: [
      { name: "output", type: "string" },
      { name: "transactions", type: "array" },
      { name: "submit", type: "bool", optional: true },
    ],
    about: "Mines one block with exactly these transactions.",
    run: generateBlock,
  },
  submitblock: {
    params: [
      { name: "hexdata", type: "string" },
      { name: "dummy", type: "string", optional: true },
    ],
    about: "Adds a block; null when it is valid, else why not.",
    run: submitBlock,
  },
  invalidateblock: {
    params: [hashParam],
    about: "Treats a block as invalid from now on.",
    run: (node, [hash]) => {
      const entry = arg.findEntry(node, arg.parseHash(hash, "blockhash"));
      if (entry.height === 0) throw new RpcError(-8, "the genesis block stays");
      nodes.invalidate(node, entry);
    },
  },
  reconsiderblock: {
    params: [hashParam],
    about: "Takes back invalidateblock.",
    run: (node, [hash]) =>
      nodes.reconsider(node, arg.findEntry(node, arg.parseHash(hash, "blockhash"))),
  },
  scantxoutset: {
    params: [
      { name: "action", type: "string" },
      { name: "scanobjects", type: "array", optional: true },
    ],
    about: "Unspent outputs of addr(...) and raw(...) descriptors.",
    run: scan,
  },
  gettxoutproof: {
    params: [
      { name: "txids", type: "array" },
      { name: "blockhash", type: "string", optional: true },
    ],
    about: "A Merkle proof that transactions are in a block.",
    run: txOutProof,
  },
  verifytxoutproof: {
    params: [{ name: "proof", type: "string" }],
    about: "The transactions that a proof shows to be in the active chain.",
    run: verifyTxOutProof,
  },
  setmocktime: {
    params: [{ name: "timestamp", type: "number" }],
    about: "Sets the node's clock, in Unix seconds; 0 gives it back.",
    run: setMockTime,
  },
};
