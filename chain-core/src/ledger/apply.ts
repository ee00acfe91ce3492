// A block in thirty lines: from the state before it to the writes that it makes. A rejected or throwing block
// gets a nil prevote (CON-5); once final, the same call on the same state gives the same writes on every node.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { equal, isRejected, rejected, toHex } from "@causeway/primitives";
import type { Block, Header } from "../codec/block.ts";
import { transactionsRoot, votesRoot } from "../codec/block.ts";
import { verifyAhead } from "./ahead.ts";
import type { Room } from "./block-limits.ts";
import { emptyRoom, roomAfter } from "./block-limits.ts";
import { blockContext } from "./context.ts";
import { endBlock } from "./end-block.ts";
import type { LedgerEnv } from "./env.ts";
import { committeeOfHeight } from "./epoch/epochs.ts";
import { applyVotes } from "./epoch/votes.ts";
import { executeTransaction } from "./execute.ts";
import type { Shares } from "./fees/settle.ts";
import { addShares, noShares, settleFees } from "./fees/settle.ts";
import { restrictions } from "./governance/restrictions.ts";
import { upgradeNeeded, versionOf } from "./governance/version.ts";
import type { Overlay } from "./overlay.ts";
import { overlay } from "./overlay.ts";
import type { BlockContext } from "./rule.ts";
import type { Change, StateReader } from "./state.ts";
import { modules } from "./state.ts";
import type { Tree } from "./tree.ts";
import { root, update } from "./tree.ts";
import { moveUtxoSum, utxoCommitment } from "./utxo/commitment.ts";

export type Receipt = { readonly id: Bytes32; readonly bytes: Uint8Array };

export type Applied = {
  /** Every record that differs after the block. */
  readonly puts: Change[];
  /** After this block: what the next header's state root is the root of. */
  readonly tree: Tree;
  /** A record that signers wait for differs: of the interchain or ring module, or a pause (CON-1). */
  readonly changed: boolean;
  /** A ceremony window waits for blocks (RNG-4). */
  readonly hurried: boolean;
  readonly receipts: Receipt[];
};

export type ApplyCode =
  /** The header's version, UTXO commitment or a root is wrong. */
  | "bad-header"
  /** This node does not know the version that the block follows (GOV-1). */
  | "upgrade-needed"
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
  const proposer = proposerLock(reader, block.header);
  if (proposer === undefined)
    return rejected<ApplyCode>("bad-header", `no seat ${block.header.proposer} proposes`);
  const state = overlay(reader);
  const context = blockContext(env, state, block.header);
  const unproven = applyVotes(context, block);
  if (unproven !== undefined) return unproven;
  verifyAhead(env, state, block.transactions);
  const run = runTransactions(env, context, block.transactions);
  return isRejected(run) ? run : finishBlock({ ...context, state }, tree, proposer, run);
}

/** What comes after the last transaction of a block that `proposer` (an owner's lock) proposed. */
export function finishBlock(
  context: BlockContext & { readonly state: Overlay },
  tree: Tree,
  proposer: Uint8Array,
  run: Run,
): Applied {
  const { state } = context;
  settleFees(context, run.shares, proposer, run.room.weight);
  const { hurried } = endBlock(context, run.room.free);
  moveUtxoSum(state, state.differences());
  const puts = state.differences();
  return {
    puts,
    tree: update(tree, puts),
    changed: puts.some(({ key }) => isAwaited(key)),
    hurried,
    receipts: run.receipts,
  };
}

function checkHeader(
  { genesis, protocol }: LedgerEnv,
  reader: StateReader,
  tree: Tree,
  block: Block,
): Rejected<ApplyCode> | undefined {
  const { header, transactions } = block;
  const version = versionOf(reader);
  const old = upgradeNeeded(version, protocol.supported);
  if (old !== undefined) return old;
  if (header.version !== version)
    return rejected("bad-header", `protocol version ${header.version}, not ${version}`);
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

/** Whom the block's tips go to (ACC-2). */
export function proposerLock(
  reader: StateReader,
  { height, proposer }: Pick<Header, "height" | "proposer">,
): Uint8Array | undefined {
  return committeeOfHeight(reader, height)?.members[proposer]?.validator;
}

/** Of the transactions of a block. */
const pauses = restrictions.key("only");

/** The next block makes it provable, and comes at once: until then a signer may still release what a pause forbids. */
function isAwaited(key: Uint8Array): boolean {
  return key[0] === modules.interchain || key[0] === modules.ring || equal(key, pauses);
}

export type Run = { readonly receipts: Receipt[]; readonly shares: Shares; readonly room: Room };

function runTransactions(
  env: LedgerEnv,
  context: BlockContext,
  transactions: readonly Uint8Array[],
): Run | Rejected {
  const receipts: Receipt[] = [];
  let shares = noShares;
  let room = emptyRoom;
  for (const [position, bytes] of transactions.entries()) {
    const executed = executeTransaction(env, context, bytes);
    if (isRejected(executed))
      return { ...executed, message: `transaction ${position}: ${executed.message}` };
    const { weight, isFeeFree } = executed;
    const after = roomAfter(room, { bytes, weight, isFeeFree }, context.params.weightMax);
    if (after === undefined)
      return rejected<ApplyCode>("block-full", `transaction ${position} does not fit`);
    room = after;
    shares = addShares(shares, executed.shares);
    receipts.push({ id: executed.id, bytes });
  }
  return { receipts, shares, room };
}
