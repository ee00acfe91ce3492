import { isRejected, toHex, zero32 } from "@causeway/primitives";
import { expect, test } from "vitest";
import { standings } from "../ledger/epoch/votes.ts";
import { delegations } from "../ledger/staking/delegation.ts";
import { exits } from "../ledger/staking/unbonding.ts";
import { testLock } from "../ledger/testing.ts";
import type { Persist } from "./subscriptions.ts";
import { feed } from "./subscriptions.ts";

test("who follows stake hears of delegations and exits, not of votes", () => {
  const heard: unknown[] = [];
  const { subscribe, onBlock } = feed(false);
  const end = subscribe({ topic: { topic: "stake" } }, (note) => heard.push(note));
  if (isRejected(end)) throw new Error(end.message);
  const [validator, delegator] = [testLock("alice"), testLock("bob")];
  const delegation = delegations.key({ validator, delegator });
  const exit = exits.key({ validator, epoch: 3, delegator });
  const value = Uint8Array.of(7);
  const block = {
    height: 9,
    id: zero32,
    time: 1,
    receipts: [],
    puts: [
      { key: delegation, value },
      { key: standings.key(validator), value },
      { key: exit, value: undefined },
    ],
  } as unknown as Persist;
  onBlock(block, []);
  expect(heard).toEqual([
    { topic: "stake", height: 9, key: toHex(delegation), value: toHex(value) },
    { topic: "stake", height: 9, key: toHex(exit), value: null },
  ]);
  end();
  onBlock(block, []);
  expect(heard).toHaveLength(2);
});
