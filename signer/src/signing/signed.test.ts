// What seats do once a plan is signed and the ledger does not know it yet.
import {
  kinds,
  planStatus,
  plans,
  ringSignatureCodec,
  transactionCodec,
} from "@causeway/chain-core/interchain";
import { must } from "@causeway/primitives";
import { expect, test } from "vitest";
import { decodeRecord } from "../journal.ts";
import { commitCodec } from "../roast/message.ts";
import type { World } from "../testing.ts";
import { addBatchPlan, world } from "../testing.ts";
import { messageKinds, open, seal } from "../wire.ts";

function withPlan(): { w: World; plan: Uint8Array; isSigned: () => boolean } {
  const w = world();
  w.run(8_000);
  w.performed.length = 0;
  const plan = addBatchPlan(w, 1);
  const isSigned = () => plans.get(w.ledger, plan)?.status === planStatus.signed;
  return { w, plan, isSigned };
}

/** Coordinators that were committed to over the wires, and how often a share was let go. */
function work(w: World): { coordinators: Set<number>; releases: number } {
  const coordinators = new Set<number>();
  let releases = 0;
  for (const { seat, effect } of w.performed)
    if (effect.kind === "journal" && decodeRecord(effect.record).kind === "release") releases += 1;
    else if (effect.kind === "send") {
      const envelope = open(seat, effect.bytes);
      if ("code" in envelope || envelope.kind !== messageKinds.commit) continue;
      coordinators.add(commitCodec.decode(envelope.body).coordinator);
    }
  return { coordinators, releases };
}

test("nobody begins again while the signature is on its way to the ledger", () => {
  const { w, isSigned } = withPlan();
  w.run(1_100);
  // The block that would have it does not come.
  w.isHalted = true;
  w.run(12_000);
  const { coordinators, releases } = work(w);
  expect([coordinators.size, releases]).toEqual([1, 3]);
  w.isHalted = false;
  expect(w.runUntil(isSigned, 3_000)).toBe(true);
});

test("the others bring the signature if the coordinator dies with it", () => {
  const { w, isSigned } = withPlan();
  let dead: number | undefined;
  w.dies = (seat, effect) => {
    if (dead !== undefined || effect.kind !== "submit") return false;
    const { actions } = transactionCodec.decode(effect.transaction);
    if (!actions.some(({ kind }) => kind === kinds.signature)) return false;
    dead = seat;
    return true;
  };
  expect(w.runUntil(isSigned, 12_000)).toBe(true);
  expect(dead).toBeDefined();
  expect(work(w).releases).toBe(3);
});

test("a signature that is none stops nobody, and is refused with a code", () => {
  const { w, plan, isSigned } = withPlan();
  const knows = () => w.signers.every(({ state }) => state.signing.requests.size > 0);
  expect(w.runUntil(knows, 3_000)).toBe(true);
  const body = ringSignatureCodec.encode({ plan, signatures: [new Uint8Array(64).fill(1)] });
  for (const to of [0, 1, 2])
    w.later(0, to, { kind: "message", from: 3, bytes: seal(messageKinds.signed, 3, body) });
  expect(w.runUntil(isSigned, 3_000)).toBe(true);
  const codes = must(w.signers[0], "signer").logs.map(({ fields }) => fields.code);
  expect(codes).toContain("bad-signature");
});
