// That a transaction is in a Bitcoin block (WIT-4). Each sibling in a branch is given as the *single* SHA-256
// whose hash is the node: a mined 64-byte transaction can then not serve as an inner node above a transaction
// that does not exist, because its first half would have to be the hash of something.
import type { Bytes32, Rejected } from "@causeway/primitives";
import {
  assert,
  bytes32,
  concat,
  equal,
  must,
  rejected,
  sha256,
  sha256d,
} from "@causeway/primitives";
import type { Inclusion } from "../statement.ts";
import { reader } from "./bytes.ts";
import type { BadTransaction, BitcoinTransaction } from "./transaction.ts";
import { parseTransaction, parseTransactionAt, strip } from "./transaction.ts";

export type InclusionCode =
  /** The transaction's bytes do not parse, carry a witness, or are 64. */
  | "bad-transaction"
  /** The branch does not lead to the block's root. */
  | "bad-inclusion";

/** The transaction that `proof` shows to be in the block of `header` (80 bytes), with its txid. */
export function verifyInclusion(
  header: Uint8Array,
  proof: Inclusion,
): { readonly transaction: BitcoinTransaction; readonly txid: Bytes32 } | Rejected<InclusionCode> {
  const { transaction: bytes, position, branch } = proof;
  if (bytes.length === 64)
    return rejected("bad-transaction", "a transaction of 64 bytes could be an inner node");
  if (position >= 2 ** branch.length)
    return rejected("bad-inclusion", `position ${position} in a tree of depth ${branch.length}`);
  const transaction = parseTransaction(bytes);
  if ("kind" in transaction) return transaction;
  if (!equal(strip(transaction), bytes))
    return rejected("bad-transaction", "the transaction is not without witness");
  const txid = sha256d(bytes);
  let node: Bytes32 = txid;
  let rest = position;
  for (const half of branch) {
    const sibling = sha256(half);
    node = rest % 2 === 1 ? sha256d(concat(sibling, node)) : sha256d(concat(node, sibling));
    rest = Math.floor(rest / 2);
  }
  if (!equal(node, header.subarray(36, 68)))
    return rejected("bad-inclusion", "the branch does not lead to the block's Merkle root");
  return { transaction, txid };
}

/** A block as a node serves it: its header and every transaction, parsed and without witness. */
export type ParsedBlock = {
  readonly header: Uint8Array;
  readonly hash: Bytes32;
  readonly transactions: readonly BitcoinTransaction[];
  readonly stripped: readonly Uint8Array[];
};

/** Largest serialized block, bytes. */
const blockBytesMax = 4_000_000;

/** Parses a block from an own node; its Merkle root must be that of its transactions. */
export function parseBlock(bytes: Uint8Array): ParsedBlock | BadTransaction {
  if (bytes.length < 81 || bytes.length > blockBytesMax)
    return rejected("bad-transaction", `${bytes.length} bytes are no Bitcoin block`);
  const from = reader(bytes, 80);
  const count = from.count(60);
  const transactions: BitcoinTransaction[] = [];
  let at = from.offset();
  for (let i = 0; i < count; i++) {
    const parsed = parseTransactionAt(bytes, at);
    if ("kind" in parsed) return parsed;
    transactions.push(parsed.transaction);
    at = parsed.end;
  }
  if (at !== bytes.length || count === 0)
    return rejected("bad-transaction", "the block does not end where its transactions do");
  const header = bytes.slice(0, 80);
  const stripped = transactions.map(strip);
  const root = merkleRoot(stripped);
  if (!equal(root, header.subarray(36, 68)))
    return rejected("bad-transaction", "the block's Merkle root is not that of its transactions");
  return { header, hash: sha256d(header), transactions, stripped };
}

/** The tree level by level as single hashes: SHA-256 of an entry is the node. */
function halves(stripped: readonly Uint8Array[]): Bytes32[][] {
  let level = stripped.map(sha256);
  const levels = [level];
  while (level.length > 1) {
    const below = level.map(sha256);
    level = [];
    for (let i = 0; i < below.length; i += 2) {
      const left = must(below[i], "left node");
      // Bitcoin pairs the last node of an odd level with itself.
      level.push(sha256(concat(left, below[i + 1] ?? left)));
    }
    levels.push(level);
  }
  return levels;
}

/** Merkle root of a block's stripped transactions. */
export function merkleRoot(stripped: readonly Uint8Array[]): Bytes32 {
  return sha256(must(halves(stripped).at(-1)?.[0], "a transaction"));
}

/** The proof for the transaction at `position` of a block, from all its stripped transactions. */
export function proveInclusion(stripped: readonly Uint8Array[], position: number): Inclusion {
  assert(position < stripped.length, `no transaction ${position} of ${stripped.length}`);
  const branch: Bytes32[] = [];
  let at = position;
  for (const level of halves(stripped).slice(0, -1)) {
    const sibling = level[at ^ 1] ?? level[at];
    branch.push(bytes32(must(sibling, "sibling")));
    at = Math.floor(at / 2);
  }
  return { transaction: must(stripped[position], "transaction"), position, branch };
}
