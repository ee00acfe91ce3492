// Plans of one block are signed in one session; what is wrong with one of them stops none of the others.
import {
  listNames,
  lists,
  planStatus,
  plans,
  ringSignatureCodec,
  withdrawals,
} from "@causeway/chain-core/interchain";
import { bigEndian, bytes32, equal, keyOf, must, zero32 } from "@causeway/primitives";
import { expect, test } from "vitest";
import { slotNames } from "../guard.ts";
import type { Release } from "../journal.ts";
import { decodeRecord, encodeRecord } from "../journal.ts";
import { commitCodec, messagesMax } from "../roast/message.ts";
import type { World } from "../testing.ts";
import { addBatchPlan, world } from "../testing.ts";
import { messageKinds, open } from "../wire.ts";
import { keepRounds, roundMs } from "./bundle.ts";
import { partsOf } from "./draw-up.ts";
import type { Request } from "./request.ts";

function active(): World {
  const w = world();
  w.run(8_000);
  w.performed.length = 0;
  return w;
}

const isSigned = (w: World, ...ids: readonly Uint8Array[]): boolean =>
  ids.every((id) => plans.get(w.ledger, id)?.status === planStatus.signed);

/** With the seat that let it go. */
function releases(w: World): (Release & { readonly by: number })[] {
  return w.performed.flatMap(({ seat, effect }) => {
    if (effect.kind !== "journal") return [];
    const record = decodeRecord(effect.record);
    return record.kind === "release" ? [{ ...record.release, by: seat }] : [];
  });
}

const ofPlan = (w: World, id: Uint8Array): Release[] =>
  releases(w).filter(({ plan }) => equal(plan, id));
const sessionsOf = (w: World): number => new Set(releases(w).map(({ sid }) => keyOf(sid))).size;

/** How many messages each commitment that was sent is over. */
function committed(w: World): number[] {
  return w.performed.flatMap(({ seat, effect }) => {
    if (effect.kind !== "send") return [];
    const envelope = open(seat, effect.bytes);
    if ("code" in envelope || envelope.kind !== messageKinds.commit) return [];
    return [commitCodec.decode(envelope.body).nonces.length];
  });
}

const codes = (w: World, seat: number): unknown[] =>
  must(w.signers[seat], "signer").logs.map(({ fields }) => fields.code);

/** The seat starts again, and knows that this plan's slot may have been signed for something else. */
function bar(w: World, seat: number, id: Uint8Array): void {
  const plan = must(plans.get(w.ledger, id), "plan");
  const slots = slotNames(plan, 1).map((slot) => ({ slot, message: zero32 }));
  must(w.signers[seat], "signer").journal.push(encodeRecord({ kind: "bar", slots }));
  w.restart(seat);
}

test("what one block plans for a key is signed in one session, each slot journaled", () => {
  const w = active();
  const ids = [1, 2, 3].map((nonce) => addBatchPlan(w, nonce));
  expect(w.runUntil(() => isSigned(w, ...ids), 3_000)).toBe(true);
  expect(sessionsOf(w)).toBe(1);
  expect(new Set(committed(w))).toEqual(new Set([3]));
  for (const id of ids) expect(ofPlan(w, id).map(({ slots }) => slots.length)).toEqual([1, 1, 1]);
  expect(releases(w).length).toBe(9);
});

test("a plan of a later block waits for nobody, and nobody for it", () => {
  const w = active();
  const first = [1, 2].map((nonce) => addBatchPlan(w, nonce));
  w.run(600);
  const later = addBatchPlan(w, 3);
  expect(w.runUntil(() => isSigned(w, ...first, later), 3_000)).toBe(true);
  expect(sessionsOf(w)).toBe(2);
  expect(new Set(committed(w))).toEqual(new Set([2, 1]));
});

test("what the ledger should not have planned is refused with its code, the others are signed together", () => {
  const w = active();
  const right = [1, 2].map((nonce) => addBatchPlan(w, nonce));
  const wrong = addBatchPlan(w, 3, 100_000n, { to: new Uint8Array(20).fill(9) });
  expect(w.runUntil(() => isSigned(w, ...right), 3_000)).toBe(true);
  w.run(10_000);
  expect(isSigned(w, wrong)).toBe(false);
  expect(sessionsOf(w)).toBe(1);
  for (const seat of w.signers.keys()) expect(codes(w, seat)).toContain("wrong-item");
});

test("a seat that cannot take one of two holds up neither", () => {
  const w = active();
  const ids = [1, 2].map((nonce) => addBatchPlan(w, nonce));
  const [barred] = ids;
  bar(w, 0, must(barred, "plan"));
  expect(w.runUntil(() => isSigned(w, ...ids), 10_000)).toBe(true);
  expect(releases(w).filter(({ by }) => by === 0)).toEqual([]);
});

test("when too few take one of two, the other is signed alone", () => {
  const w = active();
  const [barred, free] = [addBatchPlan(w, 1), addBatchPlan(w, 2)];
  for (const seat of [0, 1]) bar(w, seat, barred);
  const togetherMs = keepRounds.together * roundMs;
  expect(w.runUntil(() => isSigned(w, free), togetherMs + 3_000)).toBe(true);
  w.run(10_000);
  expect(isSigned(w, barred)).toBe(false);
  for (const seat of [0, 1]) expect(codes(w, seat)).toContain("slot-taken");
  expect(new Set(ofPlan(w, barred).map(({ seat }) => seat))).toEqual(new Set([2, 3]));
});

test("what is signed or gone meanwhile leaves the others to sign", () => {
  const w = active();
  const [gone, stays] = [addBatchPlan(w, 1), addBatchPlan(w, 2)];
  for (const seat of [0, 1]) must(w.signers[seat], "signer").isUp = false;
  w.run(2_000);
  expect(new Set(committed(w))).toEqual(new Set([2]));
  w.write((state) => {
    plans.delete(state, gone);
    lists.put(state, listNames.plans, { ids: [stays] });
  });
  for (const seat of [0, 1]) w.restart(seat);
  expect(w.runUntil(() => isSigned(w, stays), 6_000)).toBe(true);
  expect(ofPlan(w, gone)).toEqual([]);
});

test("what is held back in the middle holds back nothing else, and is signed when it may be", () => {
  const w = active();
  const [held, free] = [addBatchPlan(w, 1), addBatchPlan(w, 2)];
  for (const seat of [0, 1]) must(w.signers[seat], "signer").isUp = false;
  w.run(2_000);
  expect(new Set(committed(w))).toEqual(new Set([2]));
  const [id = zero32] = must(plans.get(w.ledger, held), "plan").withdrawals;
  const withdrawal = must(withdrawals.get(w.ledger, id), "withdrawal");
  w.write((state) => withdrawals.delete(state, id));
  w.run(1_100);
  for (const seat of [0, 1]) w.restart(seat);
  expect(w.runUntil(() => isSigned(w, free), 3_000)).toBe(true);
  w.run(3_000);
  expect(ofPlan(w, held)).toEqual([]);
  for (const seat of w.signers.keys()) expect(codes(w, seat)).toContain("record-missing");
  w.write((state) => withdrawals.put(state, id, withdrawal));
  expect(w.runUntil(() => isSigned(w, held), 3_000)).toBe(true);
});

test("a coordinator that dies between two signatures leaves the others to sign what it did not tell", () => {
  const w = active();
  const ids = [1, 2].map((nonce) => addBatchPlan(w, nonce));
  const told = new Set<string>();
  w.dies = (seat, effect) => {
    if (effect.kind !== "send" && effect.kind !== "submit") return false;
    const envelope = effect.kind === "send" ? open(seat, effect.bytes) : undefined;
    if (envelope === undefined || "code" in envelope) return false;
    if (envelope.kind !== messageKinds.signed) return false;
    told.add(keyOf(ringSignatureCodec.decode(envelope.body).plan));
    return told.size === 2;
  };
  expect(w.runUntil(() => told.size === 2, 5_000)).toBe(true);
  w.dies = () => false;
  expect(w.runUntil(() => isSigned(w, ...ids), 12_000)).toBe(true);
});

test("a seat that dies at any write or word of a session signs one message a slot, and all is signed", () => {
  const w = active();
  const seat = 1;
  let died = true;
  for (let at = 0; died; at++) {
    const ids = [2 * at, 2 * at + 1].map((nonce) => addBatchPlan(w, 1 + nonce));
    let seen = 0;
    w.dies = (of, { kind }) => of === seat && ["journal", "send"].includes(kind) && seen++ === at;
    w.run(1_400);
    w.dies = () => false;
    died = !must(w.signers[seat], "signer").isUp;
    w.restart(seat);
    expect(w.runUntil(() => isSigned(w, ...ids), 12_000)).toBe(true);
    w.run(600);
    if (!died) expect(at).toBeGreaterThan(2);
  }
  const messages = new Map<string, string>();
  const sessions = new Map<string, string>();
  for (const { by, slots, commitment, sid } of releases(w)) {
    expect(sessions.get(keyOf(commitment)) ?? keyOf(sid)).toBe(keyOf(sid));
    sessions.set(keyOf(commitment), keyOf(sid));
    for (const { slot, message } of slots) {
      const place = `${by}/${keyOf(slot)}`;
      expect(messages.get(place) ?? keyOf(message)).toBe(keyOf(message));
      messages.set(place, keyOf(message));
    }
  }
});

test("a session signs 1,000 messages at most, in the order of the plans' ids, whatever order they came in", () => {
  const request = (id: number, count: number): Request => {
    const inputs = Array.from({ length: count }, () => ({ message: zero32, tweaks: [] }));
    return { id: bytes32(bigEndian(id, 32)), inputs } as unknown as Request;
  };
  const requests = [request(3, 600), request(1, 400), request(4, messagesMax), request(2, 600)];
  const parts = partsOf(requests).map((part) => part.map(({ id }) => id[31]));
  expect(parts).toEqual([[1, 2], [3], [4]]);
  expect(partsOf(requests.toReversed())).toEqual(partsOf(requests));
});
