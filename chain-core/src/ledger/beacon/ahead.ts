// What of a transaction takes long to judge (BCN-2, BCN-3): a node judges it in a thread when it arrives, so that no
// vote waits for it.
import { isRejected, keyOf, rejected } from "@causeway/primitives";
import type { Claim } from "../../beacon/contribution.ts";
import { claimId } from "../../beacon/contribution.ts";
import { kinds } from "../../codec/action.ts";
import { isInEnvelope } from "../../codec/fast.ts";
import { blockContext } from "../context.ts";
import type { LedgerEnv } from "../env.ts";
import { attemptTransaction } from "../execute.ts";
import { overlay } from "../overlay.ts";
import { parseTransaction } from "../parsed.ts";
import type { StateReader } from "../state.ts";

const slowKinds: readonly number[] = [kinds.contribution, kinds.segment];

/**
 * The claim on which it hangs whether `bytes` are valid in the block of `at` (height, ledger time in ms); undefined where
 * there is none or its verdict is known. All cheaper checks come first: only a validator can make a node judge.
 */
export function openClaim(
  env: LedgerEnv,
  reader: StateReader,
  at: { readonly height: number; readonly time: number },
  bytes: Uint8Array,
): Claim | undefined {
  if (!isInEnvelope(bytes)) return undefined;
  const parsed = parseTransaction(env, bytes);
  if (isRejected(parsed) || !parsed.tx.actions.some(({ kind }) => slowKinds.includes(kind)))
    return undefined;
  let open: Claim | undefined;
  const judged = (claim: Claim) => {
    const known = env.verdicts?.get(keyOf(claimId(claim)));
    if (known !== undefined) return known;
    open = claim;
    return rejected("not-judged", "its walk is not verified yet");
  };
  const context = { ...blockContext(env, overlay(reader), at), judged };
  attemptTransaction(env, context, bytes);
  return open;
}
