// issue: brings new units of a user's asset into its transaction. The body carries the whole definition, so that a
// signer sees it and needs no state; the first issue is the one that registers it.
import { formatAmount, rejected, toHex } from "@causeway/primitives";
import type { Issue } from "../../codec/action.ts";
import { issueCodec, kinds } from "../../codec/action.ts";
import { formatLock } from "../assets.ts";
import type { Rule } from "../rule.ts";
import type { DefinitionCode } from "./issued.ts";
import {
  asciiOf,
  capOf,
  checkDefinition,
  circulating,
  issuedAssetGrowth,
  issuedAssetId,
  issuedAssets,
} from "./issued.ts";

export type IssueCode =
  | DefinitionCode
  | "zero-amount"
  /** Issued before, and not to be issued again. */
  | "not-reissuable"
  /** More would circulate than the cap allows, or more than 2^128 - 1 would ever be issued. */
  | "above-cap";

export const issueRule: Rule<Issue> = {
  kind: kinds.issue,
  codec: issueCodec,
  carriers: "user",
  growth: issuedAssetGrowth,
  signers: ({ definition }) => [definition.issuer],
  balance: ({ genesis }, { definition, amount }) => [
    [issuedAssetId(genesis.networkId, definition), amount],
  ],
  validate: ({ genesis, state }, { definition, amount }) => {
    const bad = checkDefinition(genesis, definition);
    if (bad !== undefined) return bad;
    if (amount === 0n) return rejected<IssueCode>("zero-amount", "an issue of nothing");
    const id = issuedAssetId(genesis.networkId, definition);
    const before = issuedAssets.get(state, id);
    if (before !== undefined && !definition.isReissuable)
      return rejected<IssueCode>("not-reissuable", "the asset was issued, once and for all");
    const cap = capOf(definition);
    const total = (before?.issued ?? 0n) + amount;
    if (circulating(state, id) + amount > cap || total > capOf({ ...definition, cap: 0n }))
      return rejected<IssueCode>("above-cap", `${amount} units more exceed the cap of ${cap}`);
    return undefined;
  },
  apply: ({ genesis, state }, { definition, amount }) => {
    const id = issuedAssetId(genesis.networkId, definition);
    const before = issuedAssets.get(state, id) ?? { definition, issued: 0n, retired: 0n };
    issuedAssets.put(state, id, { ...before, issued: before.issued + amount });
  },
  describe: (genesis, { definition, amount }) => {
    const { symbol, name, decimals, issuer, cap, isReissuable } = definition;
    const id = toHex(issuedAssetId(genesis.networkId, definition));
    const units = formatAmount(amount, decimals);
    const most = cap === 0n ? "no cap" : `a cap of ${formatAmount(cap, decimals)}`;
    const again = isReissuable ? "more may follow" : "never again";
    return (
      `Issue ${units} ${asciiOf(symbol)} "${asciiOf(name)}" (${amount} units of 0x${id}) ` +
      `by ${formatLock(issuer)}, with ${most}, ${again}`
    );
  },
};
