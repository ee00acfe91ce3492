// within: binds a transaction to a range of heights. Deadlines are in ledger time (TIM-2), by every transaction's
// `expires`; this is for those who order by height, as two parties do that agreed on a block.
import { rejected } from "@causeway/primitives";
import type { Within } from "../../codec/action.ts";
import { kinds, withinCodec } from "../../codec/action.ts";
import type { Rule } from "../rule.ts";

export type WithinCode =
  /** No height is in it. */
  "empty-range" | "too-early" | "too-late";

export const withinRule: Rule<Within> = {
  kind: kinds.within,
  codec: withinCodec,
  carriers: "user",
  balance: () => [],
  validate: ({ height }, { from, to }) => {
    if (from > to) return rejected<WithinCode>("empty-range", `no height from ${from} to ${to}`);
    if (height < from)
      return rejected<WithinCode>("too-early", `valid from block ${from}, this is ${height}`);
    return height > to
      ? rejected<WithinCode>("too-late", `valid to block ${to}, this is ${height}`)
      : undefined;
  },
  apply: () => {},
  describe: (_, { from, to }) => `Only in blocks ${from} to ${to}`,
};
