// spend: takes unspent outputs into its transaction. Whether their owners agree is the transaction's question
// (witness.ts), since one signature covers all of it (FMT-6).
import { keyOf, rejected } from "@causeway/primitives";
import type { OutputId, Spend } from "../../codec/action.ts";
import { kinds, spendCodec } from "../../codec/action.ts";
import type { Rule } from "../rule.ts";
import { outputs } from "./outputs.ts";

export type SpendCode =
  /** No input. */
  | "empty-spend"
  /** Never existed, or is spent. */
  | "missing-output"
  /** One output twice. */
  | "repeated-input";

/** "txid:index" in hex, for messages and maps. */
export function formatOutputId({ txid, index }: OutputId): string {
  return `${keyOf(txid)}:${index}`;
}

export const spendRule: Rule<Spend> = {
  kind: kinds.spend,
  codec: spendCodec,
  carriers: "user",
  balance: ({ state }, { inputs }) =>
    inputs
      .map((id) => outputs.get(state, id))
      .filter((output) => output !== undefined)
      .map(({ asset, amount }) => [asset, amount]),
  validate: ({ state }, { inputs }) => {
    if (inputs.length === 0) return rejected<SpendCode>("empty-spend", "a spend without inputs");
    const seen = new Set<string>();
    for (const id of inputs) {
      const name = formatOutputId(id);
      if (seen.has(name))
        return rejected<SpendCode>("repeated-input", `output ${name} is spent twice`);
      seen.add(name);
      if (outputs.get(state, id) === undefined)
        return rejected<SpendCode>("missing-output", `output ${name} is unknown or spent`);
    }
    return undefined;
  },
  apply: ({ state }, { inputs }) => {
    for (const id of inputs) outputs.delete(state, id);
  },
};
