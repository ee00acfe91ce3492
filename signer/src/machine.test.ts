// Four signers, a real ledger, and what may go wrong between them.
import type { Plan } from "@causeway/chain-core/interchain";
import {
  keys,
  kinds,
  listNames,
  lists,
  planStatus,
  plans,
  transactionCodec,
} from "@causeway/chain-core/interchain";
import { equal, isZero, keyOf, must, toHex, zero32 } from "@causeway/primitives";
import { expect, test } from "vitest";
import { decodeRecord } from "./journal.ts";
import { summaryOf } from "./machine.ts";
import { shareCodec } from "./roast/message.ts";
import type { Signer, World } from "./testing.ts";
import { addBatchPlan, genesis, world } from "./testing.ts";
import { messageKinds, open, seal } from "./wire.ts";

const isActive = (w: World, keyId: number): boolean => keys.get(w.ledger, keyId)?.active === true;
const areActive = (w: World): boolean => isActive(w, 1) && isActive(w, 2);

function active(): World {
  const w = world();
  expect(w.runUntil(() => areActive(w), 30_000)).toBe(true);
  return w;
}

const planOf = (w: World, id: Uint8Array): Plan => must(plans.get(w.ledger, id), "plan");
const isSigned = (w: World, id: Uint8Array): boolean => planOf(w, id).status === planStatus.signed;

/** Codes that each seat logged with a message. */
function codes(w: World, message: string): (string | undefined)[][] {
  return w.signers.map(({ logs }) =>
    logs.filter((line) => line.message === message).map(({ fields }) => fields.code as string),
  );
}

/** DESIGN 10, rules 3 and 5: one message a slot, and every share that left was journaled before. */
function expectGuarded(w: World): void {
  for (const [seat, { journal }] of w.signers.entries()) {
    const slots = new Map<string, string>();
    const commitments = new Set<string>();
    for (const bytes of journal) {
      const record = decodeRecord(bytes);
      if (record?.kind !== "release") continue;
      const { slots: uses, commitment } = record.release;
      expect(commitments.has(keyOf(commitment))).toBe(false);
      commitments.add(keyOf(commitment));
      for (const { slot, message } of uses) {
        const before = slots.get(keyOf(slot));
        expect(before ?? keyOf(message)).toBe(keyOf(message));
        slots.set(keyOf(slot), keyOf(message));
      }
    }
    const released = new Set<string>();
    for (const one of w.performed.filter((performed) => performed.seat === seat)) {
      if (one.effect.kind === "journal") {
        const record = decodeRecord(one.effect.record);
        if (record?.kind === "release") released.add(keyOf(record.release.sid));
      }
      if (one.effect.kind !== "send") continue;
      const envelope = open(seat, one.effect.bytes);
      if ("code" in envelope || envelope.kind !== messageKinds.share) continue;
      expect(released.has(keyOf(shareCodec.decode(envelope.body).sid))).toBe(true);
    }
  }
}

test("four signers generate both keys on the ledger and sign their canaries", () => {
  const w = active();
  for (const keyId of [1, 2])
    expect(must(keys.get(w.ledger, keyId), "key").shares.some(isZero)).toBe(false);
  expect(w.signers.every(({ shares }) => shares.size === 2)).toBe(true);
  expectGuarded(w);
});

test.each([0, 1, 2, 3])("a silent signer %i holds up neither keys nor signatures", (silent) => {
  const w = world();
  must(w.signers[silent], "signer").isUp = false;
  expect(w.runUntil(() => areActive(w), 60_000)).toBe(true);
  const id = addBatchPlan(w, 1);
  expect(w.runUntil(() => isSigned(w, id), 10_000)).toBe(true);
  expectGuarded(w);
});

test("a signer that was away through the key generation opens its share later and confirms", () => {
  const w = world();
  w.dies = (seat, effect) =>
    seat === 2 && effect.kind === "submit" && actionOf(effect.transaction) === kinds.confirm;
  expect(w.runUntil(() => areActive(w), 60_000)).toBe(true);
  w.dies = () => false;
  w.restart(2);
  const confirmed = (keyId: number): boolean =>
    !isZero(must(keys.get(w.ledger, keyId)?.shares[2], "share"));
  expect(w.runUntil(() => confirmed(1) && confirmed(2), 10_000)).toBe(true);
});

function actionOf(transaction: Uint8Array): number | undefined {
  return transactionCodec.decode(transaction).actions[0]?.kind;
}

test("a lost share is opened again from the deals on the ledger, and signs (RNG-5)", () => {
  const w = active();
  for (const [seat, signer] of w.signers.entries()) {
    signer.shares.clear();
    w.restart(seat);
  }
  const id = addBatchPlan(w, 1);
  expect(w.runUntil(() => isSigned(w, id), 10_000)).toBe(true);
  expect(w.signers.every(({ shares }) => shares.size === 2)).toBe(true);
});

test("a plan is signed within a second of the header that proves it", () => {
  const w = active();
  w.run(2_000);
  const from = w.nowMs;
  const id = addBatchPlan(w, 1);
  expect(w.runUntil(() => isSigned(w, id), 5_000)).toBe(true);
  // At most half a second to the block, half to the next whose root proves the plan, half to the signature's.
  expect(w.nowMs - from).toBeLessThanOrEqual(1_600);
});

function hasReleased({ journal }: Signer, plan: Uint8Array): boolean {
  return journal
    .map(decodeRecord)
    .some((one) => one.kind === "release" && equal(one.release.plan, plan));
}

test("a process that dies before any of its effects never signs two messages in one slot", () => {
  const w = active();
  const matters = new Set(["journal", "send", "submit"]);
  let died = true;
  for (let at = 0; died; at++) {
    const nonce = at + 1;
    const first = addBatchPlan(w, nonce, 100_000n);
    let seen = 0;
    w.dies = (seat, { kind }) => seat === 1 && matters.has(kind) && seen++ === at;
    w.run(1_400);
    w.dies = () => false;
    died = !must(w.signers[1], "signer").isUp;
    // A ledger that went wrong: another batch under the same nonce.
    w.write((state) => {
      plans.delete(state, first);
      lists.put(state, listNames.plans, { ids: [] });
    });
    const second = addBatchPlan(w, nonce, 200_000n);
    expect(keyOf(second)).not.toBe(keyOf(first));
    w.restart(1);
    w.run(2_500);
    // The others are too few for another message once two of four have taken the slot.
    if (w.signers.filter((signer) => hasReleased(signer, first)).length > 1)
      expect(isSigned(w, second)).toBe(false);
    if (!died) expect(at).toBeGreaterThanOrEqual(4);
    w.write((state) => lists.put(state, listNames.plans, { ids: [] }));
  }
  expectGuarded(w);
});

test("a slot that was signed refuses another message for ever, also after a restart", () => {
  const w = active();
  const first = addBatchPlan(w, 1, 100_000n);
  expect(w.runUntil(() => isSigned(w, first), 5_000)).toBe(true);
  const second = addBatchPlan(w, 1, 200_000n);
  for (const seat of w.signers.keys()) w.restart(seat);
  w.run(10_000);
  expect(isSigned(w, second)).toBe(false);
  expect(codes(w, "share withheld").flat()).toContain("slot-taken");
  expectGuarded(w);
});

test.each(["bad-proof", "missing-proof"])(
  "a plan that the own node serves with a false proof, or none, is refused: %s",
  (code) => {
    const w = active();
    const prefix = toHex(plans.key(new Uint8Array(0)));
    w.tamper = (seat, event) => {
      if (seat !== 3 || event.kind !== "proved") return event;
      const records = event.records.map((record) => {
        if (!toHex(record.key).startsWith(prefix) || record.value === undefined) return record;
        if (code === "missing-proof") return { ...record, proof: new Uint8Array(0) };
        return { ...record, value: record.value.with(0, (record.value[0] ?? 0) ^ 1) };
      });
      return { ...event, records };
    };
    const before = must(w.signers[3], "signer").journal.length;
    const id = addBatchPlan(w, 1);
    expect(w.runUntil(() => isSigned(w, id), 5_000)).toBe(true);
    const refused = must(w.signers[3], "signer").logs.filter(
      ({ message, fields }) => message === "plan refused" && fields.plan === toHex(id),
    );
    expect(refused.map(({ fields }) => fields.code)).toContain(code);
    const journaled = must(w.signers[3], "signer").journal.slice(before).map(decodeRecord);
    expect(journaled.filter((record) => record?.kind === "release")).toEqual([]);
  },
);

test("a header without the quorum's certificate is refused, and nothing is signed on it", () => {
  const w = active();
  w.tamper = (seat, event) =>
    seat === 0 && event.kind === "proved"
      ? { ...event, certificate: event.certificate.with(-1, (event.certificate.at(-1) ?? 0) ^ 1) }
      : event;
  const id = addBatchPlan(w, 1);
  expect(w.runUntil(() => isSigned(w, id), 5_000)).toBe(true);
  const refused = [...codes(w, "plan refused"), ...codes(w, "proof refused")].flat();
  expect(refused).toContain("no-quorum");
});

test("no share leaves on finality that is too old, and it leaves when blocks come again (RNG-6)", () => {
  const w = active();
  const id = addBatchPlan(w, 1);
  // The plan is proven, but its signing begins only after the chain has stood still.
  w.tamper = (_, event) => (event.kind === "message" ? { kind: "woke" } : event);
  w.run(1_200);
  w.isHalted = true;
  w.run(genesis.params.finalityAgeMaxMs);
  w.tamper = (_, event) => event;
  w.run(10_000);
  expect(codes(w, "share withheld").flat()).toContain("stale-finality");
  expect(isSigned(w, id)).toBe(false);
  w.isHalted = false;
  expect(w.runUntil(() => isSigned(w, id), 10_000)).toBe(true);
});

test("a batch that pays somebody to whom nothing is owed is refused by every signer", () => {
  const w = active();
  const id = addBatchPlan(w, 1, 100_000n, { to: new Uint8Array(20).fill(9) });
  w.run(5_000);
  expect(isSigned(w, id)).toBe(false);
  for (const of of codes(w, "plan refused")) expect(of).toContain("wrong-item");
});

test("random and foreign bytes of a peer change nothing and are refused with a code", () => {
  const w = active();
  const noise = [new Uint8Array(0), new Uint8Array(300).fill(255), zero32];
  for (const bytes of noise) w.later(1, 0, { kind: "message", from: 1, bytes });
  for (let kind = 1; kind <= 6; kind++) {
    const bytes = seal(kind, 1, zero32);
    w.later(1, 0, { kind: "message", from: 1, bytes });
    w.later(1, 0, { kind: "message", from: 2, bytes });
  }
  w.run(100);
  const mine = codes(w, "message refused")[0] ?? [];
  expect(mine.filter((code) => code === "bad-bytes").length).toBeGreaterThanOrEqual(6);
  expect(mine.filter((code) => code === "wrong-sender").length).toBe(6);
  const { refused } = summaryOf(must(w.signers[0], "signer").state);
  expect(refused).toMatchObject({ "wrong-sender": 6 });
  expect(refused["bad-bytes"]).toBeGreaterThanOrEqual(6);
  const id = addBatchPlan(w, 1);
  expect(w.runUntil(() => isSigned(w, id), 5_000)).toBe(true);
});
