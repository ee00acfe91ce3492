// RPC methods about transactions, the mempool and addresses.
import type { Rejected } from "@causeway/primitives";
import { isRejected, parseHex, toHex } from "@causeway/primitives";
import * as chains from "./chain.ts";
import * as mempool from "./mempool.ts";
import type { Method } from "./method.ts";
import * as arg from "./method.ts";
import { RpcError } from "./method.ts";
import type { Node } from "./node.ts";
import * as nodes from "./node.ts";
import * as policy from "./policy.ts";
import {
  classify,
  fromAddress,
  isUnspendable,
  toAddress,
  toAsm,
  toDescriptor,
  witnessProgram,
} from "./script.ts";
import * as shapes from "./shapes.ts";
import type { Tx } from "./tx.ts";
import * as txs from "./tx.ts";

/** Core's default ceiling of a submitted transaction's rate, satoshi per 1,000 vB: 0.1 coins. */
const feeRateMaxDefault = 10_000_000n;
const decodeFailed = "TX decode failed. Make sure the tx has at least one input.";
const missingInputs = "bad-txns-inputs-missingorspent";

const txidParam = { name: "txid", type: "string" } as const;
const hexParam = { name: "hexstring", type: "string" } as const;

/** The ceiling of fees for a transaction in satoshi, or undefined where the caller set none (0). */
function feeMax(value: unknown, vsize: number): bigint | undefined {
  const rate = value === undefined ? feeRateMaxDefault : arg.parseAmount(value);
  if (rate >= 100_000_000n)
    throw new RpcError(-8, "Fee rates larger than or equal to 1BTC/kvB are not accepted");
  return rate === 0n ? undefined : policy.feeAt(rate, vsize);
}

function sendRawTransaction(node: Node, [hex, rate, burn]: readonly unknown[]): string {
  const tx = arg.parseRawTx(hex, decodeFailed);
  const burnMax = burn === undefined ? 0n : arg.parseAmount(burn);
  const max = feeMax(rate, tx.vsize);
  if (tx.body.outs.some((out) => isUnspendable(out.script) && out.value > burnMax))
    throw new RpcError(
      -25,
      "Unspendable output exceeds maximum configured by user (maxburnamount)",
    );
  if (chains.hasCoinsOf(node.chain, tx))
    throw new RpcError(-27, "Transaction outputs already in utxo set");
  if (node.pool.entries.has(tx.txid)) return tx.txid;
  const { relayFeeRate } = node.options;
  const result = policy.evaluate(node.chain, node.pool, tx, { relayFeeRate });
  if (result.kind === "rejected")
    throw new RpcError(result.code === missingInputs ? -25 : -26, result.message);
  if (max !== undefined && result.fee > max)
    throw new RpcError(-25, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)");
  policy.commit(node.chain, node.pool, tx, result, nodes.now(node));
  return tx.txid;
}

function refusalShape(result: Rejected): shapes.Json {
  if (result.code === missingInputs) return { allowed: false, "reject-reason": "missing-inputs" };
  return { allowed: false, "reject-reason": result.code, "reject-details": result.message };
}

function testMempoolAccept(node: Node, [list, rate]: readonly unknown[]): shapes.Json[] {
  const raws = list as unknown[];
  if (raws.length < 1 || raws.length > 25)
    throw new RpcError(-8, "Array must contain between 1 and 25 transactions.");
  const parsed = raws.map((raw) =>
    arg.parseRawTx(
      raw,
      `TX decode failed: ${String(raw)} Make sure the tx has at least one input.`,
    ),
  );
  // Later transactions see earlier ones; the mempool itself stays as it is.
  const pool = parsed.length === 1 ? node.pool : mempool.copyPool(node.pool);
  return parsed.map((tx) => {
    const ids = { txid: tx.txid, wtxid: tx.wtxid };
    const { relayFeeRate } = node.options;
    const result = policy.evaluate(node.chain, pool, tx, { relayFeeRate });
    if (result.kind === "rejected") return { ...ids, ...refusalShape(result) };
    const max = feeMax(rate, tx.vsize);
    if (max !== undefined && result.fee > max)
      return { ...ids, allowed: false, "reject-reason": "max-fee-exceeded" };
    if (parsed.length > 1) policy.commit(node.chain, pool, tx, result, nodes.now(node));
    const fees = {
      base: shapes.coins(result.fee),
      "effective-feerate": shapes.coins((result.fee * 1000n) / BigInt(tx.vsize)),
      "effective-includes": [tx.wtxid],
    };
    return { ...ids, allowed: true, vsize: tx.vsize, fees };
  });
}

/** Where a transaction is: its block if any, and what it spends if the block's undo data tell. */
function locate(
  node: Node,
  txid: string,
  hash: string | undefined,
): { readonly tx: Tx; readonly entry?: chains.Entry; readonly index?: number } {
  const genesis = node.chain.active[0]?.block.txs[0]?.txid;
  if (txid === genesis)
    throw new RpcError(
      -5,
      "The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved",
    );
  const pooled = node.pool.entries.get(txid);
  if (hash === undefined && pooled !== undefined) return { tx: pooled.tx };
  const entry = node.chain.entries.get(hash ?? node.chain.txIndex.get(txid) ?? "");
  if (hash !== undefined && entry === undefined) throw new RpcError(-5, "Block hash not found");
  const index = entry?.block.txs.findIndex((tx) => tx.txid === txid) ?? -1;
  const tx = entry?.block.txs[index];
  if (entry !== undefined && tx !== undefined) return { tx, entry, index };
  const where =
    hash === undefined
      ? "No such mempool or blockchain transaction"
      : "No such transaction found in the provided block";
  throw new RpcError(-5, `${where}. Use gettransaction for wallet transactions.`);
}

function getRawTransaction(node: Node, [id, level, block]: readonly unknown[]): unknown {
  const txid = arg.parseHash(id, "parameter 1");
  const hash = block === undefined ? undefined : arg.parseHash(block, "parameter 3");
  const verbosity = arg.parseVerbosity(level, 0);
  const { tx, entry, index } = locate(node, txid, hash);
  if (verbosity <= 0) return toHex(tx.raw);
  const spent = verbosity > 1 ? entry?.undo?.[index ?? -1] : undefined;
  const shape = shapes.txShape(tx, spent, true);
  if (entry === undefined) return shape;
  const active = chains.isActive(node.chain, entry);
  const { time } = entry.block.header;
  return {
    ...(hash === undefined ? {} : { in_active_chain: active }),
    ...shape,
    blockhash: entry.block.hash,
    ...(active
      ? { confirmations: shapes.confirmations(node.chain, entry), time, blocktime: time }
      : { confirmations: 0 }),
  };
}

function getTxOut(node: Node, [id, n, include]: readonly unknown[]): unknown {
  const txid = arg.parseHash(id, "txid");
  const index = arg.parseInteger(n, 0);
  const withPool = include !== false;
  const top = chains.tip(node.chain);
  if (withPool && node.pool.spends.has(txs.outpoint(txid, index))) return null;
  const coin = withPool
    ? policy.findCoin(node.chain, node.pool, txid, index)
    : node.chain.coins.get(txs.outpoint(txid, index));
  if (coin === undefined) return null;
  return {
    bestblock: top.block.hash,
    confirmations: coin.height > top.height ? 0 : top.height - coin.height + 1,
    value: shapes.coins(coin.value),
    scriptPubKey: shapes.scriptShape(coin.script),
    coinbase: coin.coinbase,
  };
}

function rawMempool(node: Node, [verbose, sequence]: readonly unknown[]): unknown {
  const entries = [...node.pool.entries];
  if (verbose === true) {
    if (sequence === true)
      throw new RpcError(-8, "Verbose results cannot contain mempool sequence values.");
    return Object.fromEntries(
      entries.map(([id, entry]) => [id, shapes.poolEntryShape(node.pool, entry)]),
    );
  }
  const txids = entries.map(([id]) => id);
  return sequence === true ? { txids, mempool_sequence: node.pool.sequence } : txids;
}

function mempoolEntry(node: Node, [id]: readonly unknown[]): unknown {
  const entry = node.pool.entries.get(arg.parseHash(id, "txid"));
  if (entry === undefined) throw new RpcError(-5, "Transaction not in mempool");
  return shapes.poolEntryShape(node.pool, entry);
}

function mempoolInfo(node: Node): shapes.Json {
  const entries = [...node.pool.entries.values()];
  const relay = shapes.coins(node.options.relayFeeRate);
  return {
    loaded: true,
    size: entries.length,
    bytes: entries.reduce((sum, entry) => sum + entry.tx.vsize, 0),
    usage: entries.reduce((sum, entry) => sum + entry.tx.raw.length, 0),
    total_fee: shapes.coins(entries.reduce((sum, entry) => sum + entry.fee, 0n)),
    maxmempool: 300000000,
    mempoolminfee: relay,
    minrelaytxfee: relay,
    incrementalrelayfee: relay,
    unbroadcastcount: entries.length,
    permitbaremultisig: true,
    maxdatacarriersize: 100000,
    limitclustercount: 64,
    limitclustersize: 101000,
    optimal: true,
  };
}

function estimateSmartFee(_node: Node, [target, mode]: readonly unknown[]): shapes.Json {
  const blocks = arg.parseInteger(target, 0);
  if (blocks < 1 || blocks > 1008)
    throw new RpcError(-8, "Invalid conf_target, must be between 1 and 1008");
  const modes = ["unset", "economical", "conservative", undefined];
  if (!modes.includes(typeof mode === "string" ? mode.toLowerCase() : undefined))
    throw new RpcError(
      -8,
      'Invalid estimate_mode parameter, must be one of: "unset", "economical", "conservative"',
    );
  return { errors: ["Insufficient data or no feerate found"], blocks: 0 };
}

function validateAddress(_node: Node, [address]: readonly unknown[]): shapes.Json {
  const text = String(address);
  const script = fromAddress(text);
  if (script === undefined) return { isvalid: false, error_locations: [], error: whyInvalid(text) };
  const witness = witnessProgram(script);
  const type = classify(script);
  return {
    isvalid: true,
    address: toAddress(script),
    scriptPubKey: toHex(script),
    isscript: !["pubkeyhash", "witness_v0_keyhash"].includes(type),
    iswitness: witness !== undefined,
    ...(witness === undefined
      ? {}
      : { witness_version: witness.version, witness_program: toHex(witness.program) }),
  };
}

function whyInvalid(text: string): string {
  if (text.toLowerCase().startsWith("bcrt1")) return "Invalid Bech32 checksum";
  return /^[1-9A-HJ-NP-Za-km-z]+$/.test(text)
    ? "Invalid checksum or length of Base58 address (P2PKH or P2SH)"
    : "Invalid or unsupported Segwit (Bech32) or Base58 encoding.";
}

function decodeScript(_node: Node, [hex]: readonly unknown[]): shapes.Json {
  const script = parseHex(hex, { sizeMax: 10_000 });
  if (isRejected(script)) throw new RpcError(-8, "argument must be hexadecimal string");
  const address = toAddress(script);
  return {
    asm: toAsm(script),
    desc: toDescriptor(script),
    ...(address === undefined ? {} : { address }),
    type: classify(script),
  };
}

function spendingPrevout(node: Node, [list]: readonly unknown[]): shapes.Json[] {
  return (list as { readonly txid?: unknown; readonly vout?: unknown }[]).map((item) => {
    const txid = arg.parseHash(item?.txid, "txid");
    const vout = arg.parseInteger(item?.vout, 0);
    const spender = node.pool.spends.get(txs.outpoint(txid, vout));
    return { txid, vout, ...(spender === undefined ? {} : { spendingtxid: spender }) };
  });
}

export const txMethods: Readonly<Record<string, Method>> = {
  sendrawtransaction: {
    params: [
      hexParam,
      { name: "maxfeerate", type: "amount", optional: true },
      { name: "maxburnamount", type: "amount", optional: true },
    ],
    about: "Puts a transaction into the mempool; its id.",
    run: sendRawTransaction,
  },
  testmempoolaccept: {
    params: [
      { name: "rawtxs", type: "array" },
      { name: "maxfeerate", type: "amount", optional: true },
    ],
    about: "Says whether transactions would enter the mempool.",
    run: testMempoolAccept,
  },
  getrawtransaction: {
    params: [
      txidParam,
      { name: "verbosity|verbose", type: "any", optional: true },
      { name: "blockhash", type: "string", optional: true },
    ],
    about: "A transaction of the mempool or of a block.",
    run: getRawTransaction,
  },
  decoderawtransaction: {
    params: [hexParam, { name: "iswitness", type: "bool", optional: true }],
    about: "The parts of a raw transaction.",
    run: (_node, [hex]) => {
      const { hex: _, ...shape } = shapes.txShape(arg.parseRawTx(hex, "TX decode failed"));
      return shape;
    },
  },
  decodescript: { params: [hexParam], about: "The parts of a script.", run: decodeScript },
  gettxout: {
    params: [
      txidParam,
      { name: "n", type: "number" },
      { name: "include_mempool", type: "bool", optional: true },
    ],
    about: "An unspent output, or null.",
    run: getTxOut,
  },
  gettxspendingprevout: {
    params: [{ name: "outputs", type: "array" }],
    about: "Which transactions of the mempool spend these outputs.",
    run: spendingPrevout,
  },
  getrawmempool: {
    params: [
      { name: "verbose", type: "bool", optional: true },
      { name: "mempool_sequence", type: "bool", optional: true },
    ],
    about: "The mempool's transactions.",
    run: rawMempool,
  },
  getmempoolentry: { params: [txidParam], about: "One of them.", run: mempoolEntry },
  getmempoolinfo: { params: [], about: "State of the mempool.", run: mempoolInfo },
  estimatesmartfee: {
    params: [
      { name: "conf_target", type: "number" },
      { name: "estimate_mode", type: "string", optional: true },
    ],
    about: "No estimate: regtest has no market.",
    run: estimateSmartFee,
  },
  validateaddress: {
    params: [{ name: "address", type: "string" }],
    about: "Is this an address of regtest?",
    run: validateAddress,
  },
};
