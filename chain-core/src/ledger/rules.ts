// The table of everything that an action can be: one line for each kind.
import { attestRule } from "./interchain/attest.ts";
import { burnRule } from "./interchain/burn.ts";
import { headersRule } from "./interchain/headers.ts";
import { settleRule } from "./interchain/settle.ts";
import { signatureRule } from "./interchain/signature.ts";
import { complaintRule } from "./ring/complaint.ts";
import { confirmRule } from "./ring/confirm.ts";
import { dealRule } from "./ring/deal.ts";
import type { Rule } from "./rule.ts";
import { createRule } from "./utxo/create.ts";
import { spendRule } from "./utxo/spend.ts";

/** A rule whose body's type only its own codec knows. */
// biome-ignore lint/suspicious/noExplicitAny: each rule's body goes from its codec to its own functions only.
export type AnyRule = Rule<any>;

const rules: readonly AnyRule[] = [
  spendRule,
  createRule,
  burnRule,
  headersRule,
  attestRule,
  settleRule,
  signatureRule,
  dealRule,
  complaintRule,
  confirmRule,
];

const byKind: ReadonlyMap<number, AnyRule> = new Map(rules.map((rule) => [rule.kind, rule]));

/** The rule of an action kind, or undefined for a number that means nothing in this version. */
export function ruleOf(kind: number): AnyRule | undefined {
  return byKind.get(kind);
}
