import { bytes32, seeded } from "@causeway/primitives";
import { expect, test } from "vitest";
import { testBls } from "../../../chain-core/src/ledger/testing.ts";
import type { Rehearsal } from "./rehearse.ts";
import { rehearse } from "./rehearse.ts";

const stake = 1_000_000_00000000n;

function play(stakes: readonly bigint[], ringSeats: number): Rehearsal {
  const random = seeded(stakes.length);
  const options = { stakes, ringSeats, messages: 5 };
  return rehearse(
    options,
    testBls,
    () => bytes32(random.bytes(32)),
    () => 0,
    () => undefined,
  );
}

// RNG-1 to RNG-5 by configuration alone: t is ceil(2n/3), and a validator may have several seats.
test.each([
  ["3/4", [stake, stake, stake, stake], 4],
  ["7/10 of 4 validators", [5n * stake, 3n * stake, stake, 2n * stake], 10],
  ["14/21 of 7 validators", Array.from({ length: 7 }, (_, i) => stake * BigInt(1 + i)), 21],
])(
  "a ring of %s plays its whole life",
  (_, stakes, ringSeats) => {
    const { stages, warnings } = play(stakes, ringSeats);
    expect(stages.filter(({ ok }) => !ok)).toEqual([]);
    expect(stages).toHaveLength(8);
    expect(warnings).toEqual({});
  },
  60_000,
);

test("names the stage that fails, and plays no further", () => {
  const { ok, stages } = play([1n, 1n, 1n, 1n], 4);
  expect(ok).toBe(false);
  expect(stages.at(-1)).toMatchObject({ stage: "elect the next ring", ok: false });
});
