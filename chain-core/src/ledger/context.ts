// What every rule of a block sees.
import { keyOf } from "@causeway/primitives";
import type { Claim, Verdict } from "../beacon/contribution.ts";
import { claimId, judge } from "../beacon/contribution.ts";
import type { Committee } from "../codec/block.ts";
import type { LedgerEnv, Verdicts } from "./env.ts";
import { committeeAt, epochOf } from "./epoch/epochs.ts";
import { baseFeeOf } from "./fees/base-fee.ts";
import { withRegistry } from "./governance/registry.ts";
import { versionOf } from "./governance/version.ts";
import { readParameters } from "./parameters.ts";
import type { BlockContext } from "./rule.ts";
import type { State } from "./state.ts";

/** `at` are height and time (ms) of the block that is applied, built or expected next. */
export function blockContext(
  { genesis, bls, verdicts }: LedgerEnv,
  state: State,
  at: { readonly height: number; readonly time: number },
): BlockContext {
  const params = readParameters(state, genesis.params);
  return {
    genesis: withRegistry(state, genesis),
    params,
    version: versionOf(state),
    baseFee: baseFeeOf(state, params),
    bls,
    state,
    height: at.height,
    time: at.time,
    judged: (claim) => judged(verdicts, claim, () => judge(bls, claim)),
    committee: (epoch) => statementCommittee(state, epoch, at.time),
  };
}

function judged(known: Verdicts | undefined, claim: Claim, find: () => Verdict): Verdict {
  const id = keyOf(claimId(claim));
  const before = known?.get(id);
  if (before !== undefined) return before;
  const verdict = find();
  known?.set(id, verdict);
  return verdict;
}

/** The named epoch's committee while it serves and, after its end, for WIT-2's ten minutes. */
function statementCommittee(state: State, epoch: number, time: number): Committee | undefined {
  const { number, startedAt } = epochOf(state);
  const isServing = epoch === number || (epoch === number - 1 && time <= startedAt + graceMs);
  return isServing ? committeeAt(state, epoch) : undefined;
}

const graceMs = 10 * 60_000;
