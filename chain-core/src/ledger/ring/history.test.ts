// Random lives of rings: elections with and without outputs, ceremonies that overlap terms, silent seats, dealers that
// cheat, complainers that lie, validators that go and come back. After every event the records agree with each other,
// have changed only as the arrows of ceremony.ts say, and nobody honest has paid.
import { compare, equal, isRejected, keyOf, must } from "@causeway/primitives";
import { ecdhPoint, publicPoint, scalarBytes } from "@causeway/primitives/secp256k1";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kinds } from "../../codec/action.ts";
import type { Complaint } from "../../ring/index.ts";
import {
  ceremonyContext,
  complaintCodec,
  countedSeats,
  dealCodec,
  decryptShare,
  evaluateCommitments,
  shareFits,
} from "../../ring/index.ts";
import type { Ceremony, Key } from "../../ring/records.ts";
import {
  activeKeys,
  ceremonies,
  ceremonyOf,
  ceremonyStages,
  currentKeys,
  deals,
  keys,
  nextKeys,
  oldRings,
  openCeremonies,
  paramsOf,
  purposes,
  reshares,
  rings,
  terms,
} from "../../ring/records.ts";
import { causes, slashesOf } from "../staking/punish.ts";
import type { Table } from "../state.ts";
import { testGenesis, validatorSecret } from "../testing.ts";
import { acceptedSeats, dealOf, seatsNeeded } from "./ceremony.ts";
import type { RingWorld } from "./testing.ts";
import {
  beat,
  blocks,
  ceremony,
  complaintOf,
  confirmation,
  contextOf,
  dealerPlaces,
  endOfBlock,
  ringWorld,
  seatPlaces,
  send,
  sendCanary,
  sendDeal,
  setStatus,
  shareOf,
  turnEpoch,
} from "./testing.ts";

const size = 5;
const genesis = testGenesis(size, {
  ...{ ringSeats: 4, ringTermEpochs: 2, ringRetireTerms: 1, ringCooldownEpochs: 1 },
  ...{ epochMs: 30_000, ringHeartbeatMs: 20_000, unbondingMs: 60_000, seats: size },
});
const owners = genesis.validators.map(({ owner }) => owner);

/** A number that chooses among whatever there is. */
const pick = fc.nat(1_000);
/** By place; most often everybody does its part. */
const silent = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat(31) },
);
const isSilent = fc.nat(3).map((one) => one === 0);
const event = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ kind: fc.constant("part"), which: pick, silent }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("window") }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("turn"), isSilent }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("status"), which: pick, to: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("beats"), silent }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("lie"), which: pick, seat: pick, dealer: pick }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("late"), which: pick, silent }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("replay"), which: pick, seat: pick }) },
);
type Event = {
  kind: string;
  which?: number;
  silent?: number;
  isSilent?: boolean;
  to?: number;
  seat?: number;
  dealer?: number;
};

/** `hostile`: who deals wrong, or lies when asked to. */
type Life = { readonly world: RingWorld; readonly hostile: ReadonlySet<number>; done: Set<string> };

/** The ceremony that an event is about. */
function chosen({ world }: Life, which = 0): Ceremony | undefined {
  const open = openCeremonies.get(world.state, "only")?.keyIds ?? [];
  const keyId = open[which % Math.max(1, open.length)];
  return keyId === undefined ? undefined : ceremonyOf(world.state, keyId);
}

/** Sends, and sees that what is refused changes nothing. */
function tell(life: Life, place: number, kind: number, body: Uint8Array): string {
  const before = life.world.state.entries();
  const copy = new Map([...before].map(({ key, value }) => [keyOf(key), value]));
  const code = send(life.world, place, kind, body);
  if (code !== "ok") {
    const after = [...life.world.state.entries()];
    expect(after.length).toBe(copy.size);
    for (const { key, value } of after) expect(value).toBe(copy.get(keyOf(key)));
  }
  life.done.add(`${kind}:${code}`);
  return code;
}

function dealAll({ world, hostile, done }: Life, of: Ceremony, silent: number): void {
  const { shares } = oldRings.get(world.state, of) ?? { shares: undefined };
  for (const [seat, place] of dealerPlaces(world, of.keyId).entries()) {
    const has = shares === undefined || !equal(must(shares[seat], "share"), new Uint8Array(33));
    if (((silent >> place) & 1) === 1 || !has || of.dealt.includes(seat)) continue;
    const wrongFor = (seat + 1) % of.seats.length;
    const code = sendDeal(world, of.keyId, seat, hostile.has(place) ? { wrongFor } : {});
    expect(code).toBe("ok");
    done.add("dealt");
  }
}

/** An honest receiver: complains of each share that does not fit, and confirms if all do. */
function receiveAll(life: Life, of: Ceremony, silent: number): void {
  const { world } = life;
  const { keyId } = of;
  const params = paramsOf(world, of);
  const context = ceremonyContext(params);
  const counted = countedSeats(params, acceptedSeats(of));
  // One liar has told on the other, and the block that begins the next attempt has not ended.
  if (counted === undefined) return;
  for (const [seat, place] of seatPlaces(world, keyId).entries()) {
    if (((silent >> place) & 1) === 1) continue;
    let complains = false;
    for (const dealer of counted) {
      const deal = must(dealOf(world.state, of, dealer), "deal");
      const sharedPoint = ecdhPoint(deal.ephemeral, validatorSecret(place, "hostKey"));
      const share = decryptShare(context, params, deal, seat, sharedPoint);
      if (shareFits(share, evaluateCommitments(deal.commitments, seat))) continue;
      complains = true;
      if (life.hostile.has(place)) continue;
      const body = complaintCodec.encode(complaintOf(world, keyId, { seat, dealer }));
      const code = tell(life, place, kinds.complaint, body);
      expect(["ok", "no-such-deal", "known-wrong"]).toContain(code);
    }
    if (complains || of.confirmed.some((one) => one.seat === seat)) continue;
    const body = confirmation(world, keyId, seat, of);
    // Not where this block's complaints have voided a deal.
    expect(["ok", "wrong-stage", "wrong-share"]).toContain(tell(life, place, kinds.confirm, body));
  }
}

function part(life: Life, which: number, silent: number): void {
  const { world } = life;
  const of = chosen(life, which);
  if (of === undefined) return;
  if (of.stage === ceremonyStages.deal) dealAll(life, of, silent);
  else if (of.stage === ceremonyStages.confirm) receiveAll(life, of, silent);
  else {
    const seats = of.confirmed.map(({ seat }) => seat).slice(0, of.threshold);
    if (sendCanary(world, of.keyId, seats) === "ok") life.done.add(`active ${of.purpose}`);
  }
  endOfBlock(world);
}

/** Who was not heard in time is heard now: while the canary is signed, and when the shares are in use. */
function hearLate(life: Life, which: number, silent: number): void {
  const { canary, active } = ceremonyStages;
  const made = all(life.world, ceremonies, 0)
    .map(({ keyId }) => ceremony(life.world, keyId))
    .filter(({ stage }) => stage === canary || stage === active);
  const of = made[which % Math.max(1, made.length)];
  if (of !== undefined) receiveAll(life, of, silent);
  endOfBlock(life.world);
}

function lie(life: Life, of: Ceremony, { seat = 0, dealer = 0 }: Event): void {
  const { world, hostile } = life;
  const liars = [...seatPlaces(world, of.keyId).entries()].filter(([, place]) =>
    hostile.has(place),
  );
  const accepted = acceptedSeats(of);
  const [at, place] = liars[seat % Math.max(1, liars.length)] ?? [];
  const accused = accepted[dealer % Math.max(1, accepted.length)];
  if (at === undefined || place === undefined || accused === undefined) return;
  const made = complaintOf(world, of.keyId, { seat: at, dealer: accused });
  if (tell(life, place, kinds.complaint, complaintCodec.encode(made)) === "ok")
    life.done.add("lie");
  // In another's name, of another attempt, or of a point that is not proved it says nothing about anybody.
  const other = (at + 1) % of.seats.length;
  const forged: Complaint[] = [
    { ...made, seat: other },
    { ...made, attempt: made.attempt + 1 },
    { ...made, sharedPoint: publicPoint(scalarBytes(5n)) },
  ];
  for (const one of forged)
    expect(tell(life, place, kinds.complaint, complaintCodec.encode(one))).toMatch(
      /^(wrong-|bad-|known-lie|no-such-deal)/,
    );
}

/** Yesterday's deal, in today's attempt and in its own. */
function replay(life: Life, of: Ceremony, seat: number): void {
  const { world } = life;
  const places = dealerPlaces(world, of.keyId);
  const at = seat % places.length;
  const known = deals.get(world.state, { keyId: of.keyId, attempt: of.attempt, seat: at });
  const place = must(places[at], "dealer");
  if (known === undefined) return;
  const code = tell(life, place, kinds.deal, known.deal);
  expect(code).toMatch(/^(already-dealt|wrong-stage)$/);
  const deal = dealCodec.decode(known.deal);
  const moved = dealCodec.encode({ ...deal, attempt: deal.attempt + 1 });
  expect(tell(life, place, kinds.deal, moved)).toBe("wrong-ceremony");
}

function run(life: Life, of: Event): void {
  const { world } = life;
  const target = chosen(life, of.which);
  switch (of.kind) {
    case "part":
      part(life, of.which ?? 0, of.silent ?? 0);
      return;
    case "window":
      blocks(world, 3 * size + 2);
      return;
    case "turn":
      turnEpoch(world, of.isSilent);
      return;
    case "status": {
      const owner = must(owners[(of.which ?? 0) % size], "owner");
      const to = must((["active", "jailed", "exited"] as const)[of.to ?? 0], "status");
      setStatus(world, owner, to);
      return;
    }
    case "beats":
      for (let place = 0; place < size; place++)
        if ((((of.silent ?? 0) >> place) & 1) === 0) beat(world, place);
      return;
    case "late":
      hearLate(life, of.which ?? 0, of.silent ?? 0);
      return;
    case "lie":
      if (target?.stage === ceremonyStages.confirm) lie(life, target, of);
      return;
    default:
      if (target !== undefined) replay(life, target, of.seat ?? 0);
  }
}

function all<K, V>({ state }: RingWorld, of: Table<K, V>, any: K): V[] {
  const prefix = of.key(any);
  return [...state.entries()]
    .filter(({ key }) => key[0] === prefix[0] && key[1] === prefix[1])
    .toSorted((a, b) => compare(a.key, b.key))
    .map(({ value }) => of.codec.decode(value));
}

/** The records of one moment say the same. */
function checkRecords(world: RingWorld): void {
  const { state } = world;
  const open = openCeremonies.get(state, "only")?.keyIds ?? [];
  const active = activeKeys.get(state, "only")?.keyIds ?? [];
  const under = [...all(world, ceremonies, 0), ...all(world, reshares, 0)];
  const going = under.filter(({ stage }) => stage < ceremonyStages.active);
  expect(going.map(({ keyId }) => keyId).sort((a, b) => a - b)).toEqual(open);
  expect(all(world, keys, 0).flatMap((key) => (key.active ? [key.keyId] : []))).toEqual(active);
  for (const { keyId } of all(world, reshares, 0)) expect(active).toContain(keyId);
  for (const { chain } of [genesis.bitcoin, ...genesis.evm])
    for (const of of [currentKeys, nextKeys]) {
      const keyId = of.get(state, chain)?.keyId;
      if (keyId !== undefined) expect(active).toContain(keyId);
    }
  const { term } = must(terms.get(state, "only"), "terms");
  for (const one of going) expect(one.term).toBe(term);
  // RNG-5: of every deal and old ring there is a ceremony that needs it.
  const kept = under.filter(({ stage }) => stage !== ceremonyStages.retired);
  const counted = kept.reduce((sum, { dealt }) => sum + dealt.length, 0);
  expect(all(world, deals, { keyId: 0, attempt: 0, seat: 0 })).toHaveLength(counted);
  const reshared = kept.filter(({ purpose }) => purpose === purposes.reshare);
  expect(all(world, oldRings, { keyId: 0, attempt: 0 })).toHaveLength(reshared.length);
  for (const keyId of active) checkKey(world, must(keys.get(state, keyId), "key"));
}

/** A key's shares are what its deals make of the seats' host keys, and enough of them are there. */
function checkKey(world: RingWorld, key: Key): void {
  const of = must(ceremonies.get(world.state, key.keyId), "ceremony");
  expect(of).toMatchObject({
    stage: ceremonyStages.active,
    attempt: key.attempt,
    seats: key.seats,
  });
  const has = key.shares.flatMap((share, seat) => (equal(share, new Uint8Array(33)) ? [] : [seat]));
  expect(has.length).toBeGreaterThanOrEqual(seatsNeeded(key.seats.length));
  expect(key.threshold).toBe(Math.ceil((2 * key.seats.length) / 3));
  const seat = must(has[world.height % has.length], "seat");
  expect(publicPoint(scalarBytes(shareOf(world, of, seat)))).toEqual(key.shares[seat]);
}

/** What may differ between two moments. */
function checkArrows(world: RingWorld, before: readonly Key[], stages: readonly Ceremony[]): void {
  for (const key of before) {
    const now = must(keys.get(world.state, key.keyId), "key");
    expect(now.groupPoint).toEqual(key.groupPoint);
    expect(now.attempt).toBeGreaterThanOrEqual(key.attempt);
    expect(now.heldBy).toBeGreaterThanOrEqual(key.heldBy);
    if (!key.active) expect(now).toEqual(key);
    // Until a resharing is active nothing of the key has changed but who joined it.
    if (now.attempt === key.attempt) expect(now.seats).toEqual(key.seats);
  }
  for (const { keyId, attempt, stage, threshold, seats, term } of stages) {
    const now = ceremonyOf(world.state, keyId);
    // A retired key's resharing is given up with it.
    if (now === undefined || now.stage === ceremonyStages.retired) continue;
    expect(now.attempt).toBeGreaterThanOrEqual(attempt);
    if (now.attempt === attempt) expect(now.stage).toBeGreaterThanOrEqual(stage);
    // n and t never change for one ring (RNG-3).
    if (now.term === term)
      expect([now.threshold, now.seats.length]).toEqual([threshold, seats.length]);
  }
}

function checkBlame({ world, hostile }: Life): void {
  for (const [place, owner] of owners.entries()) {
    const paid = slashesOf(world.state, owner).filter(({ cause }) => cause === causes.ring);
    if (!hostile.has(place)) expect(paid).toEqual([]);
    // Once an epoch.
    expect(new Set(paid.map(({ epoch }) => epoch)).size).toBe(paid.length);
  }
}

describe("a random life of rings (RNG-2 to 5)", () => {
  test("keeps its records together, follows its arrows, and never blames the honest", () => {
    const done = new Set<string>();
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(size - 1), { maxLength: 2 }),
        fc.array(event, { minLength: 20, maxLength: 60, size: "max" }),
        (hostile, events) => {
          const life: Life = { world: ringWorld(genesis), hostile: new Set(hostile), done };
          endOfBlock(life.world);
          for (const one of events) {
            const before = all(life.world, keys, 0);
            const stages = [...all(life.world, ceremonies, 0), ...all(life.world, reshares, 0)];
            run(life, one);
            checkRecords(life.world);
            checkArrows(life.world, before, stages);
            checkBlame(life);
          }
          const { term } = must(terms.get(life.world.state, "only"), "terms");
          if (term > 0) done.add("term");
          for (let one = 0; one <= term; one++)
            expect(rings.get(life.world.state, one)?.term).toBe(one);
        },
      ),
      // Its shrinking would take minutes: the seed and the path are enough to repeat it.
      { numRuns: Number(process.env.RING_RUNS ?? 25), endOnFailure: true },
    );
    // A life in which nothing happens shows nothing.
    for (const what of ["dealt", "active 0", "active 1", "term", "lie", `${kinds.complaint}:ok`])
      expect([...done]).toContain(what);
  }, 170_000);

  test("is the same for everybody", () => {
    const end = (): Map<string, Uint8Array> => {
      const life: Life = { world: ringWorld(genesis), hostile: new Set([1]), done: new Set() };
      endOfBlock(life.world);
      for (const one of fc.sample(event, { numRuns: 80, seed: 7 })) run(life, one);
      expect(isRejected(contextOf(life.world))).toBe(false);
      return new Map([...life.world.state.entries()].map(({ key, value }) => [keyOf(key), value]));
    };
    expect(end()).toEqual(end());
  }, 60_000);
});
