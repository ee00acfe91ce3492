// A canary begins with the seats that have confirmed; the others join while it is being signed (RNG-3).
import { ceremonies, ceremonyStages, keys } from "@causeway/chain-core/interchain";
import { must } from "@causeway/primitives";
import { expect, test } from "vitest";
import type { World } from "../testing.ts";
import { world } from "../testing.ts";
import { messageKinds, open } from "../wire.ts";
import { roundMs } from "./bundle.ts";

const keyIds = [1, 2];
const stageOf = (w: World, keyId: number): number | undefined =>
  ceremonies.get(w.ledger, keyId)?.stage;
const active = (w: World): number[] =>
  keyIds.filter((keyId) => keys.get(w.ledger, keyId)?.active === true);

/** Seat 1 commits and says no more; the node of seat 2 answers nothing from the end of the deals until it is `back`. */
function withSilentAndLate(): { readonly w: World; readonly back: () => void } {
  const w = world();
  let isLate = true;
  w.tamper = (seat, event) => {
    if (event.kind === "message" && event.from === 1) {
      const envelope = open(event.from, event.bytes);
      return "code" in envelope || envelope.kind !== messageKinds.commit ? { kind: "woke" } : event;
    }
    const isDealing = keyIds.some((keyId) => stageOf(w, keyId) === ceremonyStages.deal);
    if (seat !== 2 || !isLate || isDealing || event.kind !== "proved") return event;
    return { kind: "failed", id: event.id, code: "unreachable" };
  };
  const back = (): void => {
    isLate = false;
  };
  return { w, back };
}

/** How many seats each of a signer's coordinators, one a canary, knows to hold a share. */
function known(w: World, number: number): number[] {
  const { bundles } = must(w.signers[number], "signer").state.signing;
  return [...bundles.values()].flatMap(({ roasts }) =>
    [...roasts.values()].map(({ state }) => state.job.group.shares.size),
  );
}

test("a seat that confirms after the first commitment came takes the place of one that withholds its share", () => {
  const { w, back } = withSilentAndLate();
  const areAtCanary = (): boolean =>
    keyIds.every((keyId) => stageOf(w, keyId) === ceremonyStages.canary);
  expect(w.runUntil(areAtCanary, 30_000)).toBe(true);
  // Every seat's turn as a coordinator has come, with three of the four known.
  w.run(5 * roundMs);
  expect([0, 3].map((number) => known(w, number))).toEqual([
    [3, 3],
    [3, 3],
  ]);
  expect(active(w)).toEqual([]);
  back();
  expect(w.runUntil(() => active(w).length === 2, 30_000)).toBe(true);
  expect(keyIds.map((keyId) => keys.get(w.ledger, keyId)?.attempt)).toEqual([0, 0]);
});
