// May this signer sign this plan now (DESIGN 10, rule 3)? The ledger decided; this reads the final ledger again
// and refuses what no honest ledger plans. "not yet" is no refusal: it may become an approval (BTC-3).
import type { Committee, Genesis, Key, Plan, StateReader } from "@causeway/chain-core/interchain";
import {
  canarySubject,
  directions,
  isPaused,
  isUnstoppable,
  keys,
  planId,
  planKinds,
  planStatus,
} from "@causeway/chain-core/interchain";
import type { Bytes32, Rejected } from "@causeway/primitives";
import { equal, rejected, toHex } from "@causeway/primitives";
import type { BitcoinCode } from "./bitcoin.ts";
import { judgeBitcoinPlan } from "./bitcoin.ts";
import type { EvmCode } from "./evm.ts";
import { judgeEvmPlan } from "./evm.ts";
import type { NotYet } from "./not-yet.ts";
import { isHalted, notYet } from "./not-yet.ts";

/** The newest final state that this signer has proof of. */
export type Ledger = {
  readonly view: StateReader;
  /** Time in the newest final header, ms (RNG-6). */
  readonly headerMs: number;
  readonly height: number;
  readonly committee: Committee;
};

export type ApproveCode =
  /** No such kind of plan, or its id is not that of its subject. */
  | "bad-plan"
  /** The canary of another point than the ceremony's. */
  | "wrong-canary"
  | BitcoinCode
  | EvmCode;

export type Verdict = { readonly kind: "approved" } | NotYet | Rejected<ApproveCode>;

export const approved: Verdict = { kind: "approved" };

/** `key` is that of the plan (ringOf). `nowMs` is the own clock: asked again at the release of each share. */
export function approve(
  genesis: Genesis,
  ledger: Ledger,
  id: Bytes32,
  plan: Plan,
  key: Key,
  nowMs: number,
): Verdict {
  const ageMs = nowMs - ledger.headerMs;
  if (ageMs > genesis.params.finalityAgeMaxMs)
    return notYet("stale-finality", `the newest final header is ${ageMs} ms old`);
  if (plan.status !== planStatus.planned)
    return notYet("not-planned", `the plan has status ${plan.status}`);
  if (!equal(planId(genesis.networkId, plan.kind, plan.subject), id))
    return rejected("bad-plan", "the plan has the id of another subject");
  if (plan.kind === planKinds.canary) {
    if (equal(plan.subject, canarySubject(key))) return approved;
    return rejected("wrong-canary", `the canary of another point than key ${plan.keyId}'s`);
  }
  if (keys.get(ledger.view, plan.keyId)?.active !== true)
    return notYet("key-inactive", `key ${plan.keyId} is not active`);
  if (!isUnstoppable(plan) && isHalted(ledger.view, plan.asset))
    return notYet("asset-halted", "the asset of the plan is halted");
  if (plan.withdrawals.length > 0 && isOutPaused(ledger, plan))
    return notYet("paused", `payments to chain ${toHex(plan.chain)} are paused`);
  switch (plan.kind) {
    case planKinds.sweep:
    case planKinds.withdrawal:
    case planKinds.handover:
      return judgeBitcoinPlan(genesis, ledger.view, id, plan, key) ?? approved;
    case planKinds.evmBatch:
    case planKinds.evmSetKey:
      return judgeEvmPlan(genesis, ledger.view, id, plan) ?? approved;
    default:
      return rejected("bad-plan", `no plan of kind ${plan.kind}`);
  }
}

/** RNG-6, by the ledger's own time. A plan that pays nobody, as one to the own vault, is never held back (GOV-2). */
function isOutPaused({ view, headerMs }: Ledger, { chain }: Plan): boolean {
  return isPaused(view, { chain, direction: directions.out }, headerMs);
}
