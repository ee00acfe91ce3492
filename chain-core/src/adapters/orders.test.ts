import type { Put } from "@causeway/primitives";
import { expect, it } from "vitest";
import { epochs } from "../ledger/epoch/epochs.ts";
import type { Effect } from "../node/machine.ts";
import { ordersOf } from "./orders.ts";

const block = (height: number, ...puts: Put[]): Effect =>
  ({ kind: "persist", height, puts }) as unknown as Effect;
const send: Effect = { kind: "send", bytes: new Uint8Array(1) };

it("takes successive blocks together, and nothing else out of its order", () => {
  const end = block(3, { key: epochs.key("only"), value: new Uint8Array(1) });
  const orders = ordersOf([send, block(1), block(2), end, block(4), send, block(5), send]);
  const shown = orders.map((order) =>
    order.kind === "persistAll" ? order.blocks.map(({ height }) => height) : order.kind,
  );
  expect(shown).toEqual(["send", [1, 2, 3], [4], "send", [5], "send"]);
});
