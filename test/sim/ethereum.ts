// The simulated Ethereum: blocks, receipts, `finalized`, reorganisations above it, and the gateway contract as a
// small model (ETH-1 to ETH-3): each batch runs once, by the ring's BIP340 signature; tokens are minted and burnt.
import type { Bytes32, Rejected } from "@causeway/primitives";
import {
  bigEndian,
  bytes32,
  concat,
  equal,
  fromBigEndian,
  isRejected,
  keyOf,
  must,
  rejected,
  sha256,
  toHex,
  utf8,
} from "@causeway/primitives";
import { verifySchnorr } from "@causeway/primitives/secp256k1";
import type { Destination } from "../../chain-core/src/codec/action.ts";
import {
  addressWord,
  bytesTail,
  eventTopic,
  uintWord,
} from "../../chain-core/src/interchain/ethereum/abi.ts";
import type { Batch, Item, NewKey } from "../../chain-core/src/interchain/ethereum/batch.ts";
import {
  batchDigest,
  itemKinds,
  itemSize,
} from "../../chain-core/src/interchain/ethereum/batch.ts";
import type { RawLog } from "../../chain-core/src/interchain/ethereum/events.ts";
import { topics } from "../../chain-core/src/interchain/ethereum/events.ts";
import type { BlockRef, EvmReceipt } from "../../chain-core/src/interchain/watch/facts.ts";
import type { EvmChain, Genesis } from "../../chain-core/src/ledger/genesis.ts";

/** A transaction to the gateway. `from` has 20 bytes. */
export type EvmTransaction = {
  readonly txid: Bytes32;
  readonly from: Uint8Array;
  readonly call: Call;
};
export type Call =
  | { readonly kind: "deploy"; readonly first: NewKey }
  /** Calldata as a relay sends it. */
  | { readonly kind: "execute"; readonly data: Uint8Array }
  | {
      readonly kind: "burn";
      readonly token: Uint8Array;
      readonly amount: bigint;
      readonly destination: Destination;
      readonly maxFee: bigint;
    };

/** What the contract and its tokens hold; copied before every block. */
type Storage = {
  readonly key: NewKey | undefined;
  readonly used: ReadonlySet<number>;
  /** token || holder in hex to the balance. */
  readonly balances: ReadonlyMap<string, bigint>;
};

export type EvmBlock = {
  readonly hash: Bytes32;
  readonly height: number;
  readonly transactions: readonly EvmTransaction[];
  readonly receipts: ReadonlyMap<string, EvmReceipt>;
  readonly before: Storage;
};

/** A batch that ran: what the checkers compare with the ledger. */
export type Execution = { readonly batch: Batch; readonly digest: Bytes32 };

export type Ethereum = {
  readonly genesis: Genesis;
  readonly chain: EvmChain;
  readonly blocks: EvmBlock[];
  pending: EvmTransaction[];
  storage: Storage;
  /** Every batch in a block now on the chain, by block hash (hex). */
  readonly executions: Map<string, Execution[]>;
  /** Height of the block that created the contract. */
  deployedAt: number;
  salt: number;
};

/** Blocks from the head to `finalized`. */
export const finalLag = 2;

export function createEthereum(genesis: Genesis): Ethereum {
  const chain = must(genesis.evm[0], "EVM chain");
  const storage: Storage = { key: undefined, used: new Set(), balances: new Map() };
  const ethereum: Ethereum = {
    genesis,
    chain,
    blocks: [],
    pending: [],
    storage,
    executions: new Map(),
    deployedAt: Number.POSITIVE_INFINITY,
    salt: 0,
  };
  for (let i = 0; i <= finalLag; i++) mineBlock(ethereum);
  return ethereum;
}

export function head(ethereum: Ethereum): EvmBlock {
  return must(ethereum.blocks.at(-1), "head");
}

export function finalized(ethereum: Ethereum): BlockRef {
  const { hash, height } = must(ethereum.blocks.at(-1 - finalLag), "finalized block");
  return { hash, height };
}

export function blockAt(ethereum: Ethereum, height: number): EvmBlock | undefined {
  return ethereum.blocks[height];
}

/** True while another block would change something that somebody waits for. */
export function isBusy(ethereum: Ethereum): boolean {
  if (ethereum.pending.length > 0) return true;
  return ethereum.blocks.slice(-finalLag).some(({ transactions }) => transactions.length > 0);
}

export function submit(ethereum: Ethereum, from: Uint8Array, call: Call, nonce: number): Bytes32 {
  const txid = sha256(concat(utf8(`${call.kind} ${nonce}`), from));
  ethereum.pending.push({ txid, from, call });
  return txid;
}

export function mineBlock(ethereum: Ethereum): EvmBlock {
  const height = ethereum.blocks.length;
  const transactions = ethereum.pending;
  ethereum.pending = [];
  ethereum.salt += 1;
  const parent = ethereum.blocks.at(-1)?.hash ?? new Uint8Array(32);
  const hash = sha256(
    concat(parent, bigEndian(ethereum.salt, 4), ...transactions.map((t) => t.txid)),
  );
  const receipts = new Map<string, EvmReceipt>();
  const before = ethereum.storage;
  for (const transaction of transactions) {
    const result = run(ethereum, transaction, hash);
    const base = { blockHash: hash, height, gasUsed: 90_000, gasPrice: 1_000_000_000n };
    receipts.set(keyOf(transaction.txid), {
      ...base,
      succeeded: !isRejected(result),
      logs: isRejected(result) ? [] : result,
    });
  }
  const block = { hash, height, transactions, receipts, before };
  ethereum.blocks.push(block);
  return block;
}

/** Drops the newest block, which is not final; its transactions are mined again, in the opposite order. */
export function reorganise(ethereum: Ethereum): void {
  const block = must(ethereum.blocks.pop(), "head");
  ethereum.storage = block.before;
  ethereum.executions.delete(keyOf(block.hash));
  ethereum.pending = [...[...block.transactions].reverse(), ...ethereum.pending];
}

/** The receipt on the chain as it is now. */
export function receiptOf(ethereum: Ethereum, txid: Uint8Array): EvmReceipt | undefined {
  const name = keyOf(txid);
  for (let i = ethereum.blocks.length - 1; i >= 0; i--) {
    const receipt = ethereum.blocks[i]?.receipts.get(name);
    if (receipt !== undefined) return receipt;
  }
  return undefined;
}

/** Transactions that logged at the gateway in these blocks, in order. */
export function logsIn(ethereum: Ethereum, from: number, to: number): Bytes32[] {
  const found: Bytes32[] = [];
  for (let height = from; height <= to; height++)
    for (const { txid } of ethereum.blocks[height]?.transactions ?? [])
      if ((receiptOf(ethereum, txid)?.logs.length ?? 0) > 0) found.push(txid);
  return found;
}

export function balanceOf(ethereum: Ethereum, token: Uint8Array, holder: Uint8Array): bigint {
  return ethereum.storage.balances.get(keyOf(concat(token, holder))) ?? 0n;
}

/** Sum over all holders. */
export function supplyOf(ethereum: Ethereum, token: Uint8Array): bigint {
  const prefix = keyOf(token);
  let sum = 0n;
  for (const [name, balance] of ethereum.storage.balances)
    if (name.startsWith(prefix)) sum += balance;
  return sum;
}

// ------------------------------------------------------------------------------------- the contract

/** The logs of a transaction, or why it reverts. */
function run(
  ethereum: Ethereum,
  { from, call }: EvmTransaction,
  block: Uint8Array,
): RawLog[] | Rejected {
  switch (call.kind) {
    case "deploy":
      if (ethereum.storage.key !== undefined) return rejected("deployed", "deployed before");
      ethereum.storage = { ...ethereum.storage, key: call.first };
      ethereum.deployedAt = ethereum.blocks.length;
      return [log(ethereum.chain.gateway, [topics.keySet, uintWord(0)], keyWords(call.first))];
    case "execute":
      return execute(ethereum, from, call.data, block);
    case "burn":
      return burn(ethereum, from, call);
  }
}

function keyWords({ keyId, key }: NewKey): Uint8Array {
  return concat(uintWord(keyId), key);
}

function log(address: Uint8Array, topicList: readonly Uint8Array[], data: Uint8Array): RawLog {
  return {
    address: `0x${toHex(address)}`,
    topics: topicList.map((topic) => `0x${toHex(topic)}`),
    data: `0x${toHex(data)}`,
  };
}

const transferTopic = eventTopic("Transfer(address,address,uint256)");
const nobody = new Uint8Array(20);

function move(ethereum: Ethereum, token: Uint8Array, holder: Uint8Array, by: bigint): void {
  const name = keyOf(concat(token, holder));
  const balances = new Map(ethereum.storage.balances);
  balances.set(name, (balances.get(name) ?? 0n) + by);
  ethereum.storage = { ...ethereum.storage, balances };
}

function burn(
  ethereum: Ethereum,
  from: Uint8Array,
  call: Call & { kind: "burn" },
): RawLog[] | Rejected {
  const { token, amount, destination, maxFee } = call;
  if (amount <= 0n || balanceOf(ethereum, token, from) < amount)
    return rejected("balance", "burns more than it holds");
  move(ethereum, token, from, -amount);
  const data = concat(
    uintWord(amount),
    destination.chain,
    uintWord(4 * 32),
    uintWord(maxFee),
    bytesTail(destination.payload),
  );
  const own = [topics.burned, addressWord(token), addressWord(from)];
  return [
    log(token, [transferTopic, addressWord(from), addressWord(nobody)], uintWord(amount)),
    log(ethereum.chain.gateway, own, data),
  ];
}

function execute(
  ethereum: Ethereum,
  from: Uint8Array,
  data: Uint8Array,
  block: Uint8Array,
): RawLog[] | Rejected {
  const { storage, genesis, chain } = ethereum;
  const { key } = storage;
  if (key === undefined) return rejected("no-code", "nothing stands at the address");
  const word = (i: number): Uint8Array => data.subarray(4 + 32 * i, 36 + 32 * i);
  const number = (i: number): number => Number(fromBigEndian(word(i)));
  const [px, rx, ry, s] = [word(1), word(2), word(3), word(4)];
  if (!equal(px, key.key) || (must(ry[31], "last byte") & 1) === 1)
    return rejected("bad-key", "not the ring's key");
  const size = number(10);
  const items = parseItems(data.slice(4 + 32 * 11, 4 + 32 * 11 + size));
  const fields = { keyId: number(5), nonce: number(6), stipend: number(7), overhead: number(8) };
  const batch: Batch = { ...fields, items };
  if (batch.keyId !== key.keyId || storage.used.has(batch.nonce))
    return rejected("bad-nonce", `nonce ${batch.nonce}`);
  const domain = { network: genesis.networkId, chainId: chain.chainId, contract: chain.gateway };
  const digest = batchDigest(domain, batch);
  if (!verifySchnorr(px, digest, concat(rx, s))) return rejected("bad-signature", "BIP340");
  ethereum.storage = { ...storage, used: new Set(storage.used).add(batch.nonce) };
  const logs: RawLog[] = [];
  let failed = 0n;
  for (const [i, { kind, token, to, amount }] of items.entries()) {
    if (kind !== itemKinds.mint) {
      failed |= 1n << BigInt(i);
      continue;
    }
    move(ethereum, token, to, amount);
    logs.push(log(token, [transferTopic, addressWord(nobody), addressWord(to)], uintWord(amount)));
  }
  const name = keyOf(block);
  ethereum.executions.set(name, [...(ethereum.executions.get(name) ?? []), { batch, digest }]);
  const own = [topics.executed, uintWord(batch.nonce), addressWord(from)];
  logs.push(log(chain.gateway, own, concat(digest, uintWord(failed))));
  return logs;
}

function parseItems(bytes: Uint8Array): Item[] {
  const items: Item[] = [];
  for (let i = 0; i + itemSize <= bytes.length; i += itemSize) {
    const item = bytes.subarray(i, i + itemSize);
    items.push({
      kind: must(item[0], "kind"),
      token: item.slice(1, 21),
      to: item.slice(21, 41),
      amount: fromBigEndian(item.subarray(41)),
    });
  }
  return items;
}

/** Every batch that ran on the chain as it is now, up to a height. */
export function executionsOf(
  { blocks, executions }: Ethereum,
  height: number = blocks.length,
): Execution[] {
  return blocks.slice(0, height + 1).flatMap(({ hash }) => executions.get(keyOf(hash)) ?? []);
}

/** The answer to key() at a block. */
export function keyAnswer(ethereum: Ethereum): Uint8Array {
  const { key } = ethereum.storage;
  return key === undefined ? new Uint8Array(0) : keyWords({ ...key, key: bytes32(key.key) });
}
