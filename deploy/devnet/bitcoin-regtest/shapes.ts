// The JSON of Bitcoin Core's replies: transactions, blocks, mempool entries, amounts.
import { toHex } from "@causeway/primitives";
import * as block from "./block.ts";
import type { Chain, Entry } from "./chain.ts";
import * as chains from "./chain.ts";
import type { Pool, PoolEntry } from "./mempool.ts";
import * as mempool from "./mempool.ts";
import { classify, toAddress, toAsm, toDescriptor } from "./script.ts";
import type { Coin, Tx } from "./tx.ts";
import * as txs from "./tx.ts";

export type Json = Readonly<Record<string, unknown>>;

/** Satoshi as a JSON number of coins with eight decimals, as Core writes it: never a float of ours. */
export function coins(value: bigint): unknown {
  const raw = JSON as unknown as { readonly rawJSON: (text: string) => unknown };
  return raw.rawJSON(txs.decimal(value));
}

export function scriptShape(script: Uint8Array): Json {
  const address = toAddress(script);
  return {
    asm: toAsm(script),
    desc: toDescriptor(script),
    hex: toHex(script),
    ...(address === undefined ? {} : { address }),
    type: classify(script),
  };
}

/** A transaction; with `spent` (its coins, in order) also the fee and, if asked, each `prevout`. */
export function txShape(tx: Tx, spent?: readonly Coin[], prevouts: boolean = false): Json {
  const { body } = tx;
  const known = spent !== undefined && spent.length === body.ins.length && !body.isCoinbase();
  const vin = body.ins.map((input, index) => {
    const coin = known ? spent[index] : undefined;
    const witness = input.witness.map(toHex);
    const head = body.isCoinbase()
      ? { coinbase: toHex(input.script) }
      : {
          txid: txs.display(input.hash),
          vout: input.index,
          scriptSig: { asm: toAsm(input.script), hex: toHex(input.script) },
        };
    return {
      ...head,
      ...(witness.length > 0 ? { txinwitness: witness } : {}),
      ...(coin !== undefined && prevouts ? { prevout: prevoutShape(coin) } : {}),
      sequence: input.sequence,
    };
  });
  const paid = body.outs.reduce((sum, out) => sum + out.value, 0n);
  const fee = known ? spent.reduce((sum, coin) => sum + coin.value, -paid) : undefined;
  return {
    txid: tx.txid,
    hash: tx.wtxid,
    version: body.version,
    size: tx.raw.length,
    vsize: tx.vsize,
    weight: tx.weight,
    locktime: body.locktime,
    vin,
    vout: body.outs.map(({ value, script }, n) => ({
      value: coins(value),
      n,
      scriptPubKey: scriptShape(script),
    })),
    ...(fee === undefined ? {} : { fee: coins(fee) }),
    hex: toHex(tx.raw),
  };
}

function prevoutShape(coin: Coin): Json {
  return {
    generated: coin.coinbase,
    height: coin.height,
    value: coins(coin.value),
    scriptPubKey: scriptShape(coin.script),
  };
}

/** Difficulty, bits and target of every regtest block. */
export const targetShape: Json = {
  bits: block.regtestBits.toString(16),
  target: block.regtestTarget.toString(16).padStart(64, "0"),
};
export const difficulty = 4.656542373906925e-10;

/** Depth of a block in the active chain: 1 for the tip, -1 off it. */
export function confirmations(chain: Chain, entry: Entry): number {
  return chains.isActive(chain, entry) ? chains.tip(chain).height - entry.height + 1 : -1;
}

export function headerShape(chain: Chain, entry: Entry): Json {
  const { header, hash, txs: list } = entry.block;
  const next = chains.isActive(chain, entry) ? chain.active[entry.height + 1] : undefined;
  return {
    hash,
    confirmations: confirmations(chain, entry),
    height: entry.height,
    version: header.version,
    versionHex: header.version.toString(16).padStart(8, "0"),
    merkleroot: txs.display(header.merkleRoot),
    time: header.time,
    mediantime: entry.medianTime,
    nonce: header.nonce,
    ...targetShape,
    difficulty,
    chainwork: entry.work.toString(16).padStart(64, "0"),
    nTx: list.length,
    ...(entry.parent === undefined ? {} : { previousblockhash: entry.parent.block.hash }),
    ...(next === undefined ? {} : { nextblockhash: next.block.hash }),
  };
}

/** `getblock` with verbosity 1, 2 or 3. */
export function blockShape(chain: Chain, entry: Entry, verbosity: number): Json {
  const { txs: list, raw } = entry.block;
  const witnessSize = list.reduce((sum, tx) => sum + tx.raw.length - tx.strippedSize, 0);
  const coinbase = list[0]?.body;
  const input = coinbase?.ins[0];
  const [witness] = input?.witness ?? [];
  return {
    ...headerShape(chain, entry),
    strippedsize: raw.length - witnessSize,
    size: raw.length,
    weight: raw.length * 4 - witnessSize * 3,
    coinbase_tx: {
      version: coinbase?.version,
      locktime: coinbase?.locktime,
      sequence: input?.sequence,
      coinbase: toHex(input?.script ?? new Uint8Array()),
      ...(witness === undefined ? {} : { witness: toHex(witness) }),
    },
    tx: list.map((tx, index) =>
      verbosity === 1 ? tx.txid : txShape(tx, entry.undo?.[index], verbosity > 2),
    ),
  };
}

function poolFees(fee: bigint, ancestor: bigint, descendant: bigint, chunk: bigint): Json {
  return {
    base: coins(fee),
    modified: coins(fee),
    ancestor: coins(ancestor),
    descendant: coins(descendant),
    chunk: coins(chunk),
  };
}

/** `getmempoolentry`. */
export function poolEntryShape(pool: Pool, entry: PoolEntry): Json {
  const id = entry.tx.txid;
  const total = (ids: ReadonlySet<string>): { count: number; size: number; fee: bigint } => {
    const members = [...ids].flatMap((member) => pool.entries.get(member) ?? []);
    return {
      count: members.length,
      size: members.reduce((sum, member) => sum + member.tx.vsize, 0),
      fee: members.reduce((sum, member) => sum + member.fee, 0n),
    };
  };
  const above = total(mempool.ancestors(pool, [id]));
  const below = total(mempool.descendants(pool, [id]));
  const chunk = mempool
    .linearise(pool, mempool.cluster(pool, [id]))
    .find((candidate) => candidate.entries.includes(entry));
  return {
    vsize: entry.tx.vsize,
    weight: entry.tx.weight,
    time: entry.time,
    height: entry.height,
    descendantcount: below.count,
    descendantsize: below.size,
    ancestorcount: above.count,
    ancestorsize: above.size,
    wtxid: entry.tx.wtxid,
    chunkweight: chunk?.weight ?? entry.tx.weight,
    fees: poolFees(entry.fee, above.fee, below.fee, chunk?.fee ?? entry.fee),
    depends: [...entry.parents],
    spentby: [...entry.children],
    unbroadcast: true,
  };
}
