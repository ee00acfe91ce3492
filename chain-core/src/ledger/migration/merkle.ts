// The Merkle tree over a snapshot of balances, in the order of its rows: that of RFC 9162 (Certificate Transparency),
// so that anybody can check a row with any implementation of it. The root grows with the rows; nothing is kept of them.
//
//   leaf = SHA-256(0x00 || lock of 32 bytes || amount, 16 bytes big-endian)      node = SHA-256(0x01 || left || right)
import type { Bytes32 } from "@causeway/primitives";
import { bigEndian, concat, equal, sha256 } from "@causeway/primitives";

export type Row = { readonly lock: Uint8Array; readonly amount: bigint };

/** The path of a row has at most so many hashes. */
export const pathMax = 32;
export const rowsMax: number = 2 ** 31;

export function leafHash({ lock, amount }: Row): Bytes32 {
  return sha256(concat(Uint8Array.of(0), lock, bigEndian(amount, 16)));
}

/** What is hashed, for a hash that is made ten million times. */
const node = new Uint8Array(65);

function nodeHash(left: Uint8Array, right: Uint8Array): Bytes32 {
  node[0] = 1;
  node.set(left, 1);
  node.set(right, 33);
  return sha256(node);
}

/** A whole subtree of a power of two of leaves; `isOurs` where the row that is proved is in it. */
type Subtree = { readonly hash: Bytes32; readonly size: number; readonly isOurs: boolean };

export type Growing = {
  /** Adds the next row; `isOurs` for the one that the path is to prove, once. */
  readonly add: (row: Row, isOurs?: boolean) => void;
  /** After the last row: the root, and the path of our row, from its leaf up. Of no rows: SHA-256 of nothing. */
  readonly end: () => { readonly root: Bytes32; readonly path: readonly Bytes32[] };
};

export function growTree(): Growing {
  const path: Bytes32[] = [];
  const join = (left: Subtree, right: Subtree): Subtree => {
    if (left.isOurs) path.push(right.hash);
    if (right.isOurs) path.push(left.hash);
    return {
      hash: nodeHash(left.hash, right.hash),
      size: left.size + right.size,
      isOurs: left.isOurs || right.isOurs,
    };
  };
  /** The largest first, each at least twice as large as the next. */
  const trees: Subtree[] = [];
  return {
    add: (row, isOurs = false) => {
      let tree: Subtree = { hash: leafHash(row), size: 1, isOurs };
      for (;;) {
        const last = trees.at(-1);
        if (last === undefined || last.size !== tree.size) break;
        trees.pop();
        tree = join(last, tree);
      }
      trees.push(tree);
    },
    end: () => {
      let tree = trees.pop();
      if (tree === undefined) return { root: sha256(new Uint8Array(0)), path };
      for (let next = trees.pop(); next !== undefined; next = trees.pop()) tree = join(next, tree);
      return { root: tree.hash, path };
    },
  };
}

/** That `row` is number `index`, from 0 on, of the `count` rows under `root` (RFC 9162, 2.1.3.2). */
export function verifyRow(
  row: Row,
  at: { readonly index: number; readonly count: number; readonly path: readonly Uint8Array[] },
  root: Uint8Array,
): boolean {
  if (at.index < 0 || at.index >= at.count || at.path.length > pathMax) return false;
  let place = at.index;
  let last = at.count - 1;
  let hash = leafHash(row);
  for (const other of at.path) {
    if (last === 0) return false;
    const isRight = place % 2 === 1;
    if (isRight || place === last) {
      hash = nodeHash(other, hash);
      while (place % 2 === 0 && place !== 0) {
        place = Math.floor(place / 2);
        last = Math.floor(last / 2);
      }
    } else hash = nodeHash(hash, other);
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equal(hash, root);
}
