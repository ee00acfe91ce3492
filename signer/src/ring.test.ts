// Rings of validators with several seats, that are registered later, and that hand their shares on (RNG-1, RNG-2).
import type { Seat, State } from "@causeway/chain-core/interchain";
import {
  accountings,
  activeKeys,
  assetId,
  ceremonies,
  currentKeys,
  heartbeats,
  keys,
  kinds,
  listNames,
  lists,
  planStatus,
  plans,
  purposes,
  validators as records,
  transactionCodec,
} from "@causeway/chain-core/interchain";
import { equal, isZero, must, zero32 } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { expect, test } from "vitest";
import { thresholdOf } from "../../chain-core/src/beacon/elect.ts";
import { enter } from "../../chain-core/src/ledger/epoch/validators.ts";
import { putParameters } from "../../chain-core/src/ledger/parameters.ts";
import { beginCeremony } from "../../chain-core/src/ledger/ring/ceremony.ts";
import { testGenesis, validatorSecret } from "../../chain-core/src/ledger/testing.ts";
import * as ceremony from "./ceremony/machine.ts";
import { decodeRecord } from "./journal.ts";
import { summaryOf } from "./machine.ts";
import { shareCodec } from "./roast/message.ts";
import type { World } from "./testing.ts";
import { addBatchPlan, genesis, world } from "./testing.ts";
import { turnOf } from "./turn.ts";
import { messageKinds, open } from "./wire.ts";

/** Five validators with the keys of the genesis' four: the last one registers later. */
const validators = testGenesis(5).validators;

/** Seats of these validators, by number. */
function seatsOf(numbers: readonly number[]): Seat[] {
  return numbers.map((number) => {
    const { owner, hostKey } = must(validators[number], "validator");
    return { validator: owner, hostKey };
  });
}

/** The ring of the genesis with other seats. */
function ringOf(numbers: readonly number[]): (state: State) => void {
  const seats = seatsOf(numbers);
  return (state) => {
    for (const keyId of [1, 2]) {
      const ceremony = must(ceremonies.get(state, keyId), "ceremony");
      ceremonies.put(state, keyId, { ...ceremony, seats, threshold: thresholdOf(seats.length) });
    }
  };
}

function reshare(w: World, keyId: number, numbers: readonly number[]): void {
  w.write((state) => {
    const { chain, attempt } = must(keys.get(state, keyId), "key");
    const of = { keyId, purpose: purposes.reshare, term: 1, chain, attempt: attempt + 1 };
    beginCeremony({ state, time: w.nowMs, height: 1 }, of, seatsOf(numbers));
  });
}

function register(w: World, number: number): void {
  const { owner, stake: _, ...of } = must(validators[number], "validator");
  const profile = { name: new Uint8Array(0), site: new Uint8Array(0), commission: 0 };
  w.write((state) => enter(state, owner, { keys: of, profile, epoch: 0 }));
}

const isActive = (w: World): boolean =>
  [1, 2].every((keyId) => keys.get(w.ledger, keyId)?.active === true);
const attemptOf = (w: World, keyId: number): number | undefined =>
  keys.get(w.ledger, keyId)?.attempt;
const isSigned = (w: World, id: Uint8Array): boolean =>
  plans.get(w.ledger, id)?.status === planStatus.signed;
const heldBy = (w: World, number: number): string[] =>
  [...must(w.signers[number], "signer").shares.keys()].sort();
const codesOf = (w: World, number: number): unknown[] =>
  must(w.signers[number], "signer").logs.map(({ fields }) => fields.code);

/** RNG-2: each share that left was of the epoch in use at that time, and its release names the same. */
function expectEpochs(w: World): void {
  const released = new Map<string, number>();
  for (const { seat: number, effect } of w.performed) {
    if (effect.kind === "journal") {
      const record = decodeRecord(effect.record);
      if (record?.kind !== "release") continue;
      const { sid, attempt, seat } = record.release;
      released.set(`${number}/${seat}/${Buffer.from(sid).toString("hex")}`, attempt);
    }
    if (effect.kind !== "send") continue;
    const envelope = open(number, effect.bytes);
    if ("code" in envelope || envelope.kind !== messageKinds.share) continue;
    const { sid, attempt, seat } = shareCodec.decode(envelope.body);
    const name = `${number}/${seat}/${Buffer.from(sid).toString("hex")}`;
    expect(released.get(name)).toBe(attempt);
  }
}

test("validators with several seats deal, confirm and sign with each of them (RNG-1)", () => {
  const w = world({ setUp: ringOf([0, 0, 0, 1, 1, 2, 3]) });
  must(w.signers[3], "signer").isUp = false;
  expect(w.runUntil(() => isActive(w), 60_000)).toBe(true);
  const { shares, threshold } = must(keys.get(w.ledger, 1), "key");
  expect(threshold).toBe(5);
  expect(shares.map(isZero)).toEqual([false, false, false, false, false, false, true]);
  expect(new Set(shares.map(String)).size).toBe(7);
  expect(heldBy(w, 0).filter((name) => name.startsWith("key-1-"))).toEqual([
    "key-1-0-seat-0.share",
    "key-1-0-seat-1.share",
    "key-1-0-seat-2.share",
  ]);
  const first = addBatchPlan(w, 1);
  expect(w.runUntil(() => isSigned(w, first), 10_000)).toBe(true);
  // Two of its three shares are lost, and come back from the ledger's deals (RNG-5).
  const lost = must(w.signers[0], "signer");
  for (const seat of [0, 2]) lost.shares.delete(`key-2-0-seat-${seat}.share`);
  w.restart(0);
  w.write((state) => lists.put(state, listNames.plans, { ids: [] }));
  const second = addBatchPlan(w, 2);
  expect(w.runUntil(() => isSigned(w, second), 10_000)).toBe(true);
  expect(heldBy(w, 0).length).toBe(6);
  expectEpochs(w);
});

test("a validator that registers later waits, is heard from then on, and gets its shares by resharing", () => {
  const w = world({ signers: 5 });
  expect(w.runUntil(() => isActive(w), 60_000)).toBe(true);
  const late = must(w.signers[4], "signer");
  expect(summaryOf(late.state)).toMatchObject({
    validator: undefined,
    trouble: { code: "not-registered" },
  });
  expect(w.performed.some(({ seat, effect }) => seat === 4 && effect.kind === "send")).toBe(false);
  register(w, 4);
  w.run(2_000);
  expect(summaryOf(late.state)).toMatchObject({ validator: 4, trouble: undefined });
  // Nothing of the ring or the committee is its own yet: nobody listens to it.
  expect(w.signers.slice(0, 4).some(({ peers }) => peers.has(4))).toBe(false);
  const { groupPoint } = must(keys.get(w.ledger, 2), "key");
  reshare(w, 2, [1, 2, 3, 4]);
  expect(w.runUntil(() => attemptOf(w, 2) === 1, 60_000)).toBe(true);
  w.run(1_500);
  expect(w.signers.slice(1, 4).every(({ peers }) => peers.has(4))).toBe(true);
  expect(must(keys.get(w.ledger, 2), "key").groupPoint).toEqual(groupPoint);
  expect(heldBy(w, 4)).toEqual(["key-2-1-seat-3.share"]);
  // The old shares go, everywhere; those of the other key stay.
  expect(heldBy(w, 0)).toEqual(["key-1-0-seat-0.share"]);
  expect(heldBy(w, 1)).toEqual(["key-1-0-seat-1.share", "key-2-1-seat-0.share"]);
  must(w.signers[1], "signer").isUp = false;
  const id = addBatchPlan(w, 1);
  expect(w.runUntil(() => isSigned(w, id), 10_000)).toBe(true);
  expectEpochs(w);
  // A share of a key that was reshared is opened again, too (RNG-5).
  late.shares.clear();
  w.restart(4);
  w.run(2_000);
  expect(heldBy(w, 4)).toEqual(["key-2-1-seat-3.share"]);
});

test("a request that is under way when its key is reshared begins anew with the new shares", () => {
  const w = world();
  expect(w.runUntil(() => isActive(w), 60_000)).toBe(true);
  // No share of the old epoch arrives: the request waits for the new one, with every coordinator.
  const isOld = (bytes: Uint8Array, from: number): boolean => {
    const envelope = open(from, bytes);
    if ("code" in envelope || envelope.kind !== messageKinds.share) return false;
    return shareCodec.decode(envelope.body).attempt === 0;
  };
  w.tamper = (_, event) => {
    const isHeld = event.kind === "message" && isOld(event.bytes, event.from);
    return isHeld ? { kind: "woke" } : event;
  };
  const id = addBatchPlan(w, 1);
  w.run(4_600);
  reshare(w, 2, [0, 1, 2, 3]);
  expect(w.runUntil(() => attemptOf(w, 2) === 1, 60_000)).toBe(true);
  expect(isSigned(w, id)).toBe(false);
  // An epoch has ended, in which the books of a plan made by hand did not balance.
  const asset = must(assetId(genesis, "BBTC"), "asset");
  w.write((state) => {
    accountings.put(state, asset, {
      ...must(accountings.get(state, asset), "account"),
      halted: false,
    });
  });
  expect(w.runUntil(() => isSigned(w, id), 3_000)).toBe(true);
  expectEpochs(w);
});

test("a resharing survives a process that dies before any of its effects", () => {
  const w = world();
  expect(w.runUntil(() => isActive(w), 60_000)).toBe(true);
  w.run(2_000);
  const matters = new Set(["journal", "save-share", "erase-share", "submit"]);
  let died = true;
  let at = 0;
  for (; died; at++) {
    const attempt = must(attemptOf(w, 2), "attempt") + 1;
    let seen = 0;
    died = false;
    w.dies = (seat, { kind }) => {
      if (died || seat !== 1 || !matters.has(kind) || seen++ !== at) return false;
      died = true;
      return true;
    };
    reshare(w, 2, at % 2 === 0 ? [1, 2, 3, 0] : [0, 1, 2, 3]);
    // Long enough for the others to go on without it, or to wait for it.
    w.run(1_500);
    if (died) w.restart(1);
    expect(w.runUntil(() => attemptOf(w, 2) === attempt, 60_000)).toBe(true);
    w.run(2_500);
    if (!must(w.signers[1], "signer").isUp) w.restart(1);
    w.run(2_500);
    const seat = must(keys.get(w.ledger, 2), "key").seats.findIndex(({ validator }) =>
      equal(validator, must(validators[1], "validator").owner),
    );
    expect(heldBy(w, 1)).toEqual(["key-1-0-seat-1.share", `key-2-${attempt}-seat-${seat}.share`]);
  }
  expect(at).toBeGreaterThan(5);
  expectEpochs(w);
}, 60_000);

test("a confirmation is brought again, the same, for as long as the ledger does not have it", () => {
  const w = world();
  const away = must(w.signers[3], "signer");
  away.isUp = false;
  expect(w.runUntil(() => isActive(w), 60_000)).toBe(true);
  const { owner } = must(validators[3], "validator");
  const self = { ...away.context, owner };
  let state = ceremony.initial;
  const look = (): readonly ceremony.Effect[] => {
    const turn = turnOf(genesis.networkId, w.nowMs, zero32);
    const [next, effects] = ceremony.step(self, state, { kind: "viewed", view: w.ledger }, turn);
    state = next;
    return effects;
  };
  const acts = look().filter(({ kind }) => kind === "act");
  expect(acts.length).toBe(2);
  // Nothing is made or saved anew, and what is on its way is the outbox's to know.
  expect(look()).toEqual(acts);
});

test("each validator in service gives a sign of life, half as often as it counts for (RNG-2)", () => {
  const w = world({
    signers: 5,
    setUp: (state) => putParameters(state, { ...genesis.params, ringTermEpochs: 1_000 }),
  });
  const at = (number: number): number | undefined =>
    heartbeats.get(w.ledger, must(validators[number], "validator").owner)?.at;
  const isLive = (number: number): boolean => at(number) !== undefined;
  expect(w.runUntil(() => [0, 1, 2, 3].every(isLive), 5_000)).toBe(true);
  register(w, 4);
  expect(w.runUntil(() => isLive(4), 5_000)).toBe(true);
  const beats = (): number =>
    w.performed.filter(
      ({ seat, effect }) =>
        seat === 1 &&
        effect.kind === "submit" &&
        transactionCodec.decode(effect.transaction).actions[0]?.kind === kinds.heartbeat,
    ).length;
  const before = beats();
  const from = w.nowMs;
  w.run(6 * genesis.params.ringHeartbeatMs);
  expect(beats() - before).toBeGreaterThanOrEqual(10);
  expect(beats() - before).toBeLessThanOrEqual(12);
  expect(w.nowMs - must(at(1), "heart-beat")).toBeLessThan(genesis.params.ringHeartbeatMs);
  expect(w.nowMs).toBeGreaterThan(from);
  expect(codesOf(w, 1)).not.toContain("too-early");
});

test("what is known of retired and resting keys is not read again with every block", () => {
  const w = world();
  expect(w.runUntil(() => isActive(w), 60_000)).toBe(true);
  w.write((state) => {
    // The current Bitcoin key is number 12 now: 3 to 11 are older ones, of which every other one is retired.
    const key = must(keys.get(state, 1), "key");
    for (let keyId = 3; keyId <= 12; keyId++)
      keys.put(state, keyId, { ...key, keyId, active: keyId % 2 === 0 });
    currentKeys.put(state, key.chain, { keyId: 12 });
    activeKeys.put(state, "only", { keyIds: [1, 2, 4, 6, 8, 10, 12] });
  });
  w.run(2_000);
  const from = w.performed.length;
  w.run(64 * 500);
  const asked = (keyId: number): number =>
    w.performed
      .slice(from)
      .filter(
        ({ seat, effect }) =>
          seat === 0 &&
          effect.kind === "prove" &&
          effect.keys.some((one) => equal(one, keys.key(keyId))),
      ).length;
  expect(asked(12)).toBeGreaterThanOrEqual(60);
  for (const keyId of [4, 6, 8, 10]) expect(asked(keyId)).toBeLessThanOrEqual(3);
  for (const keyId of [4, 6, 8, 10]) expect(asked(keyId)).toBeGreaterThanOrEqual(1);
  for (const keyId of [3, 5, 7, 9, 11]) expect(asked(keyId)).toBe(0);
});

test("a header of a version that this program does not know stops the signer (GOV-1)", () => {
  const w = world();
  expect(w.runUntil(() => isActive(w), 60_000)).toBe(true);
  w.upgrade(2);
  const id = addBatchPlan(w, 1);
  w.run(5_000);
  expect(isSigned(w, id)).toBe(false);
  for (const { state } of w.signers)
    expect(summaryOf(state).trouble).toMatchObject({ code: "upgrade-needed" });
  expect(codesOf(w, 0)).toContain("upgrade-needed");
  w.upgrade(1);
  w.run(5_000);
  expect(isSigned(w, id)).toBe(false);
});

test("an older host key opens what was dealt to it, and is erased when nothing in use was (RNG-5)", () => {
  const older = validatorSecret(0, "hostKey");
  const newest = validatorSecret(9, "hostKey");
  const w = world({
    hosts: (number) =>
      number === 0 ? [newest, Uint8Array.from(older)] : [validatorSecret(number, "hostKey")],
    setUp: (state) => {
      const { owner } = must(validators[0], "validator");
      const record = must(records.get(state, owner), "record");
      records.put(state, owner, { ...record, hostKey: publicPoint(newest) });
    },
  });
  expect(w.runUntil(() => isActive(w), 60_000)).toBe(true);
  const { erased } = must(w.signers[0], "signer");
  w.run(2_000);
  expect(erased).toEqual([]);
  for (const keyId of [1, 2]) {
    reshare(w, keyId, [1, 2, 3, 1]);
    expect(w.runUntil(() => attemptOf(w, keyId) === 1, 60_000)).toBe(true);
  }
  w.run(2_000);
  expect(erased).toEqual([publicPoint(older)]);
});
