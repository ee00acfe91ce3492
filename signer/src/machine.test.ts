// Four signers, a real ledger, and what may go wrong between them.
import { keys } from "@causeway/chain-core/interchain";
import { expect, test } from "vitest";
import { world } from "./testing.ts";

const isActive = (w: ReturnType<typeof world>, keyId: number): boolean =>
  keys.get(w.ledger, keyId)?.active === true;

test("four signers generate both keys on the ledger and sign their canaries", () => {
  const w = world();
  const done = w.runUntil(() => isActive(w, 1) && isActive(w, 2), 30_000);
  expect(done).toBe(true);
});
