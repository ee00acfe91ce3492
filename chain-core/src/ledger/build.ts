// What a proposer puts into its block: from candidates in the order of their wishes, those that are valid one
// after the other and fit. Envelopes fill the reserved fifth first, then users their part, then the rest (CON-7).
import type { Rejected } from "@causeway/primitives";
import { isRejected, rejected } from "@causeway/primitives";
import type { BlockVotes, Header } from "../codec/block.ts";
import type { Applied, ApplyCode, Receipt, Run } from "./apply.ts";
import { finishBlock, proposerLock } from "./apply.ts";
import type { Room } from "./block-limits.ts";
import { emptyRoom, reservedSize, roomAfter } from "./block-limits.ts";
import { blockContext } from "./context.ts";
import type { LedgerEnv } from "./env.ts";
import { applyVotes } from "./epoch/votes.ts";
import type { Executed } from "./execute.ts";
import { attemptTransaction } from "./execute.ts";
import { addShares, noShares } from "./fees/settle.ts";
import { overlay } from "./overlay.ts";
import { parseTransaction } from "./parsed.ts";
import type { BlockContext } from "./rule.ts";
import type { StateReader } from "./state.ts";
import type { Tree } from "./tree.ts";

/** What is known of a block before its transactions are chosen. */
export type Draft = BlockVotes & Pick<Header, "height" | "time" | "parent" | "proposer">;

/** `applied` is what applying the block gives, once its header says the same as the draft. */
export type Built = {
  readonly transactions: readonly Uint8Array[];
  readonly applied: Applied;
};

/** `reader` and `tree` are the state after the parent. Rejected where the draft's votes are not valid. */
export function buildBlock(
  env: LedgerEnv,
  reader: StateReader,
  tree: Tree,
  draft: Draft,
  candidates: readonly Uint8Array[],
): Built | Rejected {
  const proposer = proposerLock(reader, draft);
  if (proposer === undefined)
    return rejected<ApplyCode>("bad-header", `no seat ${draft.proposer} proposes`);
  const state = overlay(reader);
  const context = { ...blockContext(env, state, draft), state };
  const unproven = applyVotes(context, { ...draft, header: draft });
  if (unproven !== undefined) return unproven;
  const run = chooseTransactions(env, context, candidates);
  const transactions = run.receipts.map(({ bytes }) => bytes);
  return { transactions, applied: finishBlock(context, tree, proposer, run) };
}

/** Writes their effects to the context's state. Leaves out what is not valid or does not fit. */
function chooseTransactions(
  env: LedgerEnv,
  context: BlockContext,
  candidates: readonly Uint8Array[],
): Run {
  const envelopes: Uint8Array[] = [];
  const paid: Uint8Array[] = [];
  for (const bytes of candidates) {
    const parsed = parseTransaction(env, bytes);
    if (!isRejected(parsed)) (parsed.tx.envelope.length > 0 ? envelopes : paid).push(bytes);
  }
  const receipts: Receipt[] = [];
  let shares = noShares;
  let room = emptyRoom;
  const take = (from: readonly Uint8Array[], freeMax: number): Uint8Array[] =>
    from.filter((bytes) => {
      const taken = tryOne(env, context, room, bytes, freeMax);
      if (taken === undefined) return true;
      room = taken.room;
      shares = addShares(shares, taken.shares);
      receipts.push({ id: taken.id, bytes });
      return false;
    });
  const waiting = take(envelopes, reservedSize);
  take(paid, reservedSize);
  take(waiting, Number.POSITIVE_INFINITY);
  return { receipts, shares, room };
}

type Taken = Pick<Executed, "id" | "shares"> & { readonly room: Room };

/** With the room after `bytes` when it fits and is valid; only then its effect is in the context's state. */
function tryOne(
  env: LedgerEnv,
  context: BlockContext,
  room: Room,
  bytes: Uint8Array,
  freeMax: number,
): Taken | undefined {
  const { weightMax } = context.params;
  // Cheap, before it is executed: at least its bytes must fit.
  const least = { bytes, weight: 0, isFeeFree: true };
  if (roomAfter(room, least, weightMax) === undefined) return undefined;
  const attempt = attemptGuarded(env, context, bytes);
  if (attempt === undefined || isRejected(attempt)) return undefined;
  const { id, shares, weight, isFeeFree, write } = attempt;
  const after = roomAfter(room, { bytes, weight, isFeeFree }, weightMax);
  if (after === undefined || (isFeeFree && after.free > freeMax)) return undefined;
  write();
  return { id, shares, room: after };
}

/** A transaction that breaks an assertion must cost its own place, not that of all the others (CON-5). */
function attemptGuarded(
  env: LedgerEnv,
  context: BlockContext,
  bytes: Uint8Array,
): ReturnType<typeof attemptTransaction> | undefined {
  try {
    return attemptTransaction(env, context, bytes);
  } catch {
    return undefined;
  }
}
