// The table of everything that an action can be: one line for each kind.

import { issueRule } from "./assets/issue.ts";
import { retireRule } from "./assets/retire.ts";
import { contributionRule, segmentRule } from "./beacon/rules.ts";
import { evidenceRule } from "./epoch/evidence.ts";
import { guardRule } from "./governance/guard.ts";
import { setParameterRule } from "./governance/set-parameter.ts";
import { upgradeRule } from "./governance/upgrade.ts";
import { attestRule } from "./interchain/attest.ts";
import { burnRule } from "./interchain/burn.ts";
import { headersRule } from "./interchain/headers.ts";
import { settleRule } from "./interchain/settle.ts";
import { signatureRule } from "./interchain/signature.ts";
import { migrateRule } from "./migration/migrate.ts";
import { badShareRule } from "./ring/bad-share.ts";
import { complaintRule } from "./ring/complaint.ts";
import { confirmRule } from "./ring/confirm.ts";
import { dealRule } from "./ring/deal.ts";
import { heartbeatRule } from "./ring/heartbeat.ts";
import type { Rule } from "./rule.ts";
import { claimRule, withdrawRule } from "./staking/payout-rules.ts";
import { registerRule } from "./staking/register.ts";
import { delegateRule, redelegateRule, undelegateRule } from "./staking/stake-rules.ts";
import { exitRule, unjailRule, updateRule } from "./staking/validator-rules.ts";
import { createRule } from "./utxo/create.ts";
import { memoRule } from "./utxo/memo.ts";
import { spendRule } from "./utxo/spend.ts";
import { withinRule } from "./utxo/within.ts";

/** A rule whose body's type only its own codec knows. */
// biome-ignore lint/suspicious/noExplicitAny: each rule's body goes from its codec to its own functions only.
export type AnyRule = Rule<any>;

export const rules: readonly AnyRule[] = [
  spendRule,
  createRule,
  issueRule,
  retireRule,
  burnRule,
  memoRule,
  withinRule,
  headersRule,
  attestRule,
  settleRule,
  signatureRule,
  dealRule,
  complaintRule,
  confirmRule,
  heartbeatRule,
  badShareRule,
  evidenceRule,
  registerRule,
  updateRule,
  exitRule,
  unjailRule,
  delegateRule,
  undelegateRule,
  redelegateRule,
  withdrawRule,
  claimRule,
  migrateRule,
  contributionRule,
  segmentRule,
  setParameterRule,
  upgradeRule,
  guardRule,
];

const byKind: ReadonlyMap<number, AnyRule> = new Map(rules.map((rule) => [rule.kind, rule]));

/** The rule of an action kind in any version, for the words of a transaction; a kind is never renumbered (FMT-2). */
export function ruleOf(kind: number): AnyRule | undefined {
  return byKind.get(kind);
}
