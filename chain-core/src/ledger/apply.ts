// A block in thirty lines: from the state before it to the writes that it makes. A rejected or throwing block
// gets a nil prevote (CON-5); once final, the same call on the same state gives the same writes on every node.
import type { Bytes32, Put, Rejected } from "@causeway/primitives";
import { equal, isRejected, rejected, toHex } from "@causeway/primitives";
import type { Block } from "../codec/block.ts";
import { transactionsRoot, votesRoot } from "../codec/block.ts";
import type { Room } from "./block-limits.ts";
import { emptyRoom, roomAfter } from "./block-limits.ts";
import { blockContext } from "./context.ts";
import { endBlock } from "./end-block.ts";
import type { LedgerEnv } from "./env.ts";
import { executeTransaction } from "./execute.ts";
import { overlay } from "./overlay.ts";
import type { BlockContext } from "./rule.ts";
import type { StateReader } from "./state.ts";
import { modules } from "./state.ts";
import type { Tree } from "./tree.ts";
import { root, update } from "./tree.ts";
import { utxoCommitment } from "./utxo/commitment.ts";
import { burnFees } from "./utxo/outputs.ts";

/** FMT-7. The only version so far; a block of another is rejected. */
export const protocolVersion = 1;

export type Receipt = { readonly id: Bytes32; readonly bytes: Uint8Array };

export type Applied = {
  /** Every record that differs after the block. */
  readonly puts: Put[];
  /** After this block: what the next header's state root is the root of. */
  readonly tree: Tree;
  /** A record of the interchain or ring module differs (CON-1). */
  readonly changed: boolean;
  /** A ceremony window waits for blocks (RNG-4). */
  readonly hurried: boolean;
  readonly receipts: Receipt[];
};

export type ApplyCode =
  /** The header's version, UTXO commitment or a root is wrong. */
  | "bad-header"
  /** Too large, or too much of it paid (CON-7). */
  | "block-full"
  /** Besides, with its own code and position: an invalid transaction. */
  | "bad-transaction";

/**
 * `reader` and `tree` are the state after the parent. Checks all of the header but what consensus owns: parent,
 * height, time, proposer, committees.
 */
export function applyBlock(
  env: LedgerEnv,
  reader: StateReader,
  tree: Tree,
  block: Block,
): Applied | Rejected {
  const bad = checkHeader(env, reader, tree, block);
  if (bad !== undefined) return bad;
  const state = overlay(reader);
  const context = blockContext(env, state, block.header);
  const run = runTransactions(env, context, block.transactions);
  if (isRejected(run)) return run;
  burnFees(state, run.fees);
  const { hurried } = endBlock(context, run.room.free);
  const puts = differences(reader, state.changes().values());
  return {
    puts,
    tree: update(tree, puts),
    changed: puts.some(({ key }) => key[0] === modules.interchain || key[0] === modules.ring),
    hurried,
    receipts: run.receipts,
  };
}

function checkHeader(
  { genesis }: LedgerEnv,
  reader: StateReader,
  tree: Tree,
  block: Block,
): Rejected<ApplyCode> | undefined {
  const { header, transactions } = block;
  if (header.version !== protocolVersion)
    return rejected("bad-header", `protocol version ${header.version}`);
  if (!equal(header.utxoCommitment, utxoCommitment(reader)))
    return rejected("bad-header", "the UTXO commitment is not that of the outputs");
  if (!equal(header.votesRoot, votesRoot(genesis.networkId, block)))
    return rejected("bad-header", "the votes root is not that of the votes");
  if (!equal(header.stateRoot, root(tree)))
    return rejected(
      "bad-header",
      `state root ${toHex(header.stateRoot)}, here ${toHex(root(tree))}`,
    );
  if (!equal(header.transactionsRoot, transactionsRoot(genesis.networkId, transactions)))
    return rejected("bad-header", "the transactions root is not that of the transactions");
  return undefined;
}

type Run = { readonly receipts: Receipt[]; readonly fees: bigint; readonly room: Room };

function runTransactions(
  env: LedgerEnv,
  context: BlockContext,
  transactions: readonly Uint8Array[],
): Run | Rejected {
  const receipts: Receipt[] = [];
  let fees = 0n;
  let room = emptyRoom;
  for (const [position, bytes] of transactions.entries()) {
    const executed = executeTransaction(env, context, bytes);
    if (isRejected(executed))
      return { ...executed, message: `transaction ${position}: ${executed.message}` };
    const after = roomAfter(room, bytes, executed.isFeeFree);
    if (after === undefined)
      return rejected<ApplyCode>("block-full", `transaction ${position} does not fit`);
    room = after;
    fees += executed.fee;
    receipts.push({ id: executed.id, bytes });
  }
  return { receipts, fees, room };
}

/** Without the writes that change nothing: a proposer would go on making blocks for them (CON-1). */
function differences(reader: StateReader, changes: Iterable<Put>): Put[] {
  const puts: Put[] = [];
  for (const put of changes) {
    const before = reader.get(put.key);
    const isSame =
      before === undefined || put.value === undefined
        ? before === put.value
        : equal(before, put.value);
    if (!isSame) puts.push(put);
  }
  return puts;
}
