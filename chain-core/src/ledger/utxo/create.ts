// create: makes outputs. In version 1 only to keys: value under a lock that nobody can open yet would be lost.
import { rejected, toHex } from "@causeway/primitives";
import type { Create } from "../../codec/action.ts";
import { createCodec, kinds } from "../../codec/action.ts";
import { isKeyLock } from "../assets.ts";
import type { Rule } from "../rule.ts";
import { addOutput } from "./outputs.ts";

export type CreateCode =
  /** No output. */
  | "empty-create"
  /** An output of nothing. */
  | "zero-amount"
  /** Not the lock of a key, or of the zero address. */
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
      if (!isKeyLock(lock))
        return rejected<CreateCode>("unsupported-lock", `nobody can open lock ${toHex(lock)}`);
    }
    return undefined;
  },
  apply: ({ state, txid, firstOutput = 0 }, { outputs }) => {
    for (const [i, output] of outputs.entries())
      addOutput(state, { txid, index: firstOutput + i }, output);
  },
};
