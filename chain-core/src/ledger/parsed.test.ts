import { isRejected } from "@causeway/primitives";
import { expect, test } from "vitest";
import { kinds } from "../codec/action.ts";
import { transactionCodec } from "../codec/transaction.ts";
import type { Parsed } from "./parsed.ts";
import { parseTransaction } from "./parsed.ts";
import { recentMap } from "./recent.ts";
import { testGenesis } from "./testing.ts";

test("a transaction is parsed once, a large one each time: thousands of them would be gigabytes", () => {
  const env = { genesis: testGenesis(1), parsed: recentMap<Parsed>(16) };
  const isKept = (size: number): boolean => {
    const actions = [{ kind: kinds.create, body: new Uint8Array(size) }];
    const bytes = transactionCodec.encode({ envelope: [], actions, expires: 1, witnesses: [] });
    const [first, second] = [parseTransaction(env, bytes), parseTransaction(env, bytes)];
    return !isRejected(first) && first === second;
  };
  expect([100, 15_000, 17_000, 250_000].map(isKept)).toEqual([true, true, false, false]);
});
