// What a proposer puts into its block: from candidates in the order of their wishes, those that are valid one
// after the other and fit. Envelopes fill the reserved fifth first, then users their part, then the rest (CON-7).
import { isRejected } from "@causeway/primitives";
import type { Room } from "./block-limits.ts";
import { emptyRoom, reservedSize, roomAfter } from "./block-limits.ts";
import { blockContext } from "./context.ts";
import type { LedgerEnv } from "./env.ts";
import { attemptTransaction } from "./execute.ts";
import { commit, overlay } from "./overlay.ts";
import { parseTransaction } from "./parsed.ts";
import type { BlockContext } from "./rule.ts";
import type { StateReader } from "./state.ts";

/** `at` are height and time (ms) of the block; the result is valid in it in this order. Leaves the rest out. */
export function buildTransactions(
  env: LedgerEnv,
  reader: StateReader,
  at: { readonly height: number; readonly time: number },
  candidates: readonly Uint8Array[],
): Uint8Array[] {
  const state = overlay(reader);
  const context = blockContext(env, state, at);
  const envelopes: Uint8Array[] = [];
  const paid: Uint8Array[] = [];
  for (const bytes of candidates) {
    const parsed = parseTransaction(env, bytes);
    if (!isRejected(parsed)) (parsed.tx.envelope.length > 0 ? envelopes : paid).push(bytes);
  }
  const chosen: Uint8Array[] = [];
  let room = emptyRoom;
  const take = (from: readonly Uint8Array[], freeMax: number): Uint8Array[] =>
    from.filter((bytes) => {
      const after = tryOne(env, context, room, bytes, freeMax);
      if (after === undefined) return true;
      room = after;
      chosen.push(bytes);
      return false;
    });
  const waiting = take(envelopes, reservedSize);
  take(paid, reservedSize);
  take(waiting, Number.POSITIVE_INFINITY);
  return chosen;
}

/** The room after `bytes` when it fits and is valid; only then its effect is in the context's state. */
function tryOne(
  env: LedgerEnv,
  context: BlockContext,
  room: Room,
  bytes: Uint8Array,
  freeMax: number,
): Room | undefined {
  const { weightMax } = context.params;
  // Cheap, before it is executed: at least its bytes must fit.
  const least = { bytes, weight: 0, isFeeFree: true };
  if (roomAfter(room, least, weightMax) === undefined) return undefined;
  const attempt = attemptGuarded(env, context, bytes);
  if (attempt === undefined || isRejected(attempt)) return undefined;
  const { weight, isFeeFree, state } = attempt;
  const after = roomAfter(room, { bytes, weight, isFeeFree }, weightMax);
  if (after === undefined || (isFeeFree && after.free > freeMax)) return undefined;
  commit(state, context.state);
  return after;
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
