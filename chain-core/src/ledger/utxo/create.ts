// create: makes outputs under any lock. Of a hash nobody but its owner knows whether it can be opened; a wallet
// takes a `cw1` lock from its owner as it takes an address.
import { rejected, toHex } from "@causeway/primitives";
import type { Create } from "../../codec/action.ts";
import { createCodec, kinds } from "../../codec/action.ts";
import { isLock } from "../assets.ts";
import type { Rule } from "../rule.ts";
import { addOutput } from "./outputs.ts";

export type CreateCode =
  /** No output. */
  | "empty-create"
  /** An output of nothing. */
  | "zero-amount"
  /** The zero lock. */
  | "unsupported-lock";

export const createRule: Rule<Create> = {
  kind: kinds.create,
  codec: createCodec,
  carriers: "user",
  balance: (_, { outputs }) => outputs.map(({ asset, amount }) => [asset, -amount]),
  validate: (_, { outputs }) => {
    if (outputs.length === 0) return rejected<CreateCode>("empty-create", "no output to create");
    for (const { amount, lock } of outputs) {
      if (amount === 0n) return rejected<CreateCode>("zero-amount", "an output of amount 0");
      if (!isLock(lock))
        return rejected<CreateCode>("unsupported-lock", `nobody can open lock ${toHex(lock)}`);
    }
    return undefined;
  },
  apply: ({ state, txid, firstOutput = 0 }, { outputs }) => {
    // A transaction spends something that no other can, so that its id never comes again.
    for (const [i, output] of outputs.entries())
      addOutput(state, { txid, index: firstOutput + i }, output, true);
  },
};
