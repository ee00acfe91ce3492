// Bitcoin transactions as bytes: parsing what others made, bounded; writing ours (BTC-4); what is signed
// (BIP341); sizes. Ids and hashes in internal order.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { assert, concat, must, rejected, sha256, sha256d, taggedHash } from "@causeway/primitives";
import { compactSize, littleEndian, reader, withSize } from "./bytes.ts";

export type BitcoinInput = {
  readonly txid: Uint8Array;
  readonly vout: number;
  readonly script: Uint8Array;
  readonly sequence: number;
};
export type BitcoinOutput = { readonly amount: bigint; readonly script: Uint8Array };

export type BitcoinTransaction = {
  readonly version: number;
  readonly inputs: readonly BitcoinInput[];
  readonly outputs: readonly BitcoinOutput[];
  readonly lockTime: number;
};

export type BadTransaction = Rejected<"bad-transaction">;

/** BTC-4: version (TRUC) and sequence of every transaction that the ledger writes; lock time 0. */
export const ownVersion = 3;
export const ownSequence = 0xffff_fffd;

/** A transaction at `start` of `bytes`, with or without witness, and where it ends. */
export function parseTransactionAt(
  bytes: Uint8Array,
  start: number,
): { readonly transaction: BitcoinTransaction; readonly end: number } | BadTransaction {
  const from = reader(bytes, start);
  const version = from.uint(4);
  let hasWitness = false;
  // BIP144: a marker of zero inputs, and flag 1.
  if (bytes[start + 4] === 0 && bytes[start + 5] === 1) {
    hasWitness = true;
    from.take(2);
  }
  const inputs = list(from.count(41), () => ({
    txid: from.take(32),
    vout: from.uint(4),
    script: from.take(from.count(1)),
    sequence: from.uint(4),
  }));
  const outputs = list(from.count(9), () => ({
    amount: from.int64(),
    script: from.take(from.count(1)),
  }));
  if (hasWitness)
    for (let i = 0; i < inputs.length && !from.isFailed(); i++)
      for (let items = from.count(1); items > 0; items--) from.take(from.count(1));
  const lockTime = from.uint(4);
  if (from.isFailed() || inputs.length === 0)
    return rejected("bad-transaction", "the bytes are no Bitcoin transaction");
  return { transaction: { version, inputs, outputs, lockTime }, end: from.offset() };
}

function list<T>(count: number, item: () => T): T[] {
  const items: T[] = [];
  for (let i = 0; i < count; i++) items.push(item());
  return items;
}

/** Exactly one transaction. The caller has bounded the size. */
export function parseTransaction(bytes: Uint8Array): BitcoinTransaction | BadTransaction {
  const parsed = parseTransactionAt(bytes, 0);
  if ("kind" in parsed) return parsed;
  if (parsed.end !== bytes.length)
    return rejected("bad-transaction", "bytes follow the transaction");
  return parsed.transaction;
}

function encodeInput({ txid, vout, script, sequence }: BitcoinInput): Uint8Array {
  return concat(txid, littleEndian(vout, 4), withSize(script), littleEndian(sequence, 4));
}

function encodeOutput({ amount, script }: BitcoinOutput): Uint8Array {
  return concat(littleEndian(amount, 8), withSize(script));
}

/** Bytes with a witness stack for each input, or stripped where none is given. */
export function encodeTransaction(
  transaction: BitcoinTransaction,
  witnesses?: readonly (readonly Uint8Array[])[],
): Uint8Array {
  const { version, inputs, outputs, lockTime } = transaction;
  const body = concat(
    compactSize(inputs.length),
    ...inputs.map(encodeInput),
    compactSize(outputs.length),
    ...outputs.map(encodeOutput),
  );
  const [head, tail] = [littleEndian(version, 4), littleEndian(lockTime, 4)];
  if (witnesses === undefined) return concat(head, body, tail);
  assert(witnesses.length === inputs.length, "one witness stack for each input");
  const stacks = witnesses.map((items) =>
    concat(compactSize(items.length), ...items.map(withSize)),
  );
  return concat(head, Uint8Array.of(0, 1), body, ...stacks, tail);
}

/** Without witness, as it is hashed for the id. */
export function strip(transaction: BitcoinTransaction): Uint8Array {
  return encodeTransaction(transaction);
}

export function transactionHash(transaction: BitcoinTransaction): Bytes32 {
  return sha256d(strip(transaction));
}

/** BTC-4: an unsigned transaction of ours. */
export function ownTransaction(
  inputs: readonly { readonly txid: Uint8Array; readonly vout: number }[],
  outputs: readonly BitcoinOutput[],
): BitcoinTransaction {
  const empty = new Uint8Array(0);
  return {
    version: ownVersion,
    inputs: inputs.map(({ txid, vout }) => ({ txid, vout, script: empty, sequence: ownSequence })),
    outputs,
    lockTime: 0,
  };
}

/** Unsigned bytes and a 64-byte signature for each input (key path, SIGHASH_DEFAULT) as sent to the network. */
export function signedTransaction(
  unsigned: Uint8Array,
  signatures: readonly Uint8Array[],
): Uint8Array {
  const transaction = parseTransaction(unsigned);
  assert(!("kind" in transaction), "an unsigned transaction of ours does not parse");
  return encodeTransaction(
    transaction,
    signatures.map((signature) => [signature]),
  );
}

// ------------------------------------------------------------------------------------------ BIP341

/** What an input spends; its script is the scriptPubKey. */
export type Spent = { readonly amount: bigint; readonly script: Uint8Array };

/** Hash types; `default` signs like all, with 64-byte signatures. */
const sighashTypes = {
  default: 0,
  all: 1,
  none: 2,
  single: 3,
  anyoneCanPay: 0x80,
} as const;

/** BIP341's message for input `index`; `leafHash` for a spend by script path. No annex. */
export type SighashOptions = { readonly hashType?: number; readonly leafHash?: Uint8Array };

/** The parts that all inputs share, hashed once. */
function sharedParts(
  transaction: BitcoinTransaction,
  spent: readonly Spent[],
): Record<string, Bytes32> {
  const { inputs, outputs } = transaction;
  const hash = (parts: readonly Uint8Array[]): Bytes32 => sha256(concat(...parts));
  return {
    prevouts: hash(inputs.map(({ txid, vout }) => concat(txid, littleEndian(vout, 4)))),
    amounts: hash(spent.map(({ amount }) => littleEndian(amount, 8))),
    scripts: hash(spent.map(({ script }) => withSize(script))),
    sequences: hash(inputs.map(({ sequence }) => littleEndian(sequence, 4))),
    outputs: hash(outputs.map(encodeOutput)),
  };
}

/** BIP341 signature hashes of every input under one hash type; `spent` in the order of the inputs. */
export function sighashes(
  transaction: BitcoinTransaction,
  spent: readonly Spent[],
  options: SighashOptions = {},
): Bytes32[] {
  assert(spent.length === transaction.inputs.length, "one spent output for each input");
  const shared = sharedParts(transaction, spent);
  return spent.map((_, index) => sighashOf(transaction, spent, shared, index, options));
}

/** That of one input; asserts that SIGHASH_SINGLE has its output. */
export function sighash(
  transaction: BitcoinTransaction,
  spent: readonly Spent[],
  index: number,
  options: SighashOptions = {},
): Bytes32 {
  assert(spent.length === transaction.inputs.length, "one spent output for each input");
  return sighashOf(transaction, spent, sharedParts(transaction, spent), index, options);
}

function sighashOf(
  transaction: BitcoinTransaction,
  spent: readonly Spent[],
  shared: Record<string, Bytes32>,
  index: number,
  { hashType = sighashTypes.default, leafHash }: SighashOptions,
): Bytes32 {
  const part = (name: string): Bytes32 => must(shared[name], name);
  const onlyOwn = (hashType & sighashTypes.anyoneCanPay) !== 0;
  const outputKind = hashType & 3;
  const hasAllOutputs = outputKind !== sighashTypes.none && outputKind !== sighashTypes.single;
  const input = must(transaction.inputs[index], "input");
  const coin = must(spent[index], "spent output");
  const parts = [
    Uint8Array.of(0, hashType),
    littleEndian(transaction.version, 4),
    littleEndian(transaction.lockTime, 4),
  ];
  if (!onlyOwn) parts.push(part("prevouts"), part("amounts"), part("scripts"), part("sequences"));
  if (hasAllOutputs) parts.push(part("outputs"));
  parts.push(Uint8Array.of(leafHash === undefined ? 0 : 2));
  if (onlyOwn) {
    parts.push(input.txid, littleEndian(input.vout, 4), littleEndian(coin.amount, 8));
    parts.push(withSize(coin.script), littleEndian(input.sequence, 4));
  } else parts.push(littleEndian(index, 4));
  if (outputKind === sighashTypes.single)
    parts.push(sha256(encodeOutput(must(transaction.outputs[index], "output of SIGHASH_SINGLE"))));
  // BIP342: the leaf, key version 0, and no OP_CODESEPARATOR.
  if (leafHash !== undefined) parts.push(leafHash, Uint8Array.of(0), littleEndian(0xffff_ffff, 4));
  return taggedHash("TapSighash", ...parts);
}

// ------------------------------------------------------------------------------------------- sizes

/** Weight of one key-path input: 41 bytes without witness, and 66 of witness. */
const keyPathInputWeight: number = 41 * 4 + 66;

/** Weight units of an output with a script of `size` bytes below 253. */
export function outputWeight(size: number): number {
  return (9 + size) * 4;
}

/** Virtual size in vB of a transaction that spends `inputs` coins by key path to scripts of these sizes. */
export function keyPathSize(inputs: number, scriptSizes: readonly number[]): number {
  const counts = compactSize(inputs).length + compactSize(scriptSizes.length).length;
  let weight = (8 + counts) * 4 + 2 + inputs * keyPathInputWeight;
  for (const size of scriptSizes) weight += outputWeight(size);
  return Math.ceil(weight / 4);
}

/** Fee in sats of `size` vB at `rate` sat/kvB, rounded up. */
export function feeOf(size: number, rate: number): bigint {
  return (BigInt(size) * BigInt(rate) + 999n) / 1000n;
}
