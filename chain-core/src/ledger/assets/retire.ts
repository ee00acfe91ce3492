// retire: takes units of a user's asset out of circulation, by whoever holds them. Wrapped assets leave by burn, BTM
// as fees.
import { rejected } from "@causeway/primitives";
import type { Retire } from "../../codec/action.ts";
import { kinds, retireCodec } from "../../codec/action.ts";
import { formatAsset } from "../assets.ts";
import type { Rule } from "../rule.ts";
import { circulating, issuedAssets } from "./issued.ts";

export type RetireCode =
  | "zero-amount"
  /** No user ever issued it: BTM, a wrapped asset, or nothing. */
  | "not-issued"
  /** More than there is. */
  | "above-supply";

export const retireRule: Rule<Retire> = {
  kind: kinds.retire,
  codec: retireCodec,
  carriers: "user",
  balance: (_, { asset, amount }) => [[asset, -amount]],
  validate: ({ state }, { asset, amount }) => {
    if (amount === 0n) return rejected<RetireCode>("zero-amount", "a retirement of nothing");
    if (issuedAssets.get(state, asset) === undefined)
      return rejected<RetireCode>("not-issued", "no user has issued this asset");
    const supply = circulating(state, asset);
    return amount > supply
      ? rejected<RetireCode>("above-supply", `${amount} units of ${supply}`)
      : undefined;
  },
  apply: ({ state }, { asset, amount }) => {
    const record = issuedAssets.get(state, asset);
    if (record !== undefined)
      issuedAssets.put(state, asset, { ...record, retired: record.retired + amount });
  },
  describe: (genesis, { asset, amount }) =>
    `Retire ${formatAsset(genesis, asset, amount)} for ever`,
};
