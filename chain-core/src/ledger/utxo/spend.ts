// spend: takes unspent outputs into its transaction. Whether their owners agree is the transaction's question
// (witness.ts), since one signature covers all of it (FMT-6), and so is whether they are there (execute.ts).
import { rejected, toHex } from "@causeway/primitives";
import type { OutputId, Spend } from "../../codec/action.ts";
import { kinds, spendCodec } from "../../codec/action.ts";
import type { Rule } from "../rule.ts";
import { outputs } from "./outputs.ts";

export type SpendCode =
  /** No input. */
  "empty-spend";

/** "txid:index" in hex, for messages. */
export function formatOutputId({ txid, index }: OutputId): string {
  return `${toHex(txid)}:${index}`;
}

export const spendRule: Rule<Spend> = {
  kind: kinds.spend,
  codec: spendCodec,
  carriers: "user",
  // What it takes in is read once for the whole transaction, with its owners (execute.ts).
  balance: () => [],
  validate: (_, { inputs }) =>
    inputs.length === 0 ? rejected<SpendCode>("empty-spend", "a spend without inputs") : undefined,
  apply: ({ state }, { inputs }) => {
    for (const id of inputs) outputs.delete(state, id);
  },
};
