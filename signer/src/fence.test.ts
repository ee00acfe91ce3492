// A disk that came back from the past, and a second process of one seat (DESIGN 10, rule 5).
import {
  listNames,
  lists,
  planStatus,
  plans,
  roles,
  sequences,
} from "@causeway/chain-core/interchain";
import { isRejected, keyOf, must } from "@causeway/primitives";
import fc from "fast-check";
import { expect, test } from "vitest";
import { nextSequence, useSequence } from "../../chain-core/src/ledger/envelope.ts";
import { memoryState } from "../../chain-core/src/ledger/memory-state.ts";
import * as fence from "./fence.ts";
import type { JournalRecord } from "./journal.ts";
import { decodeRecord, encodeRecord } from "./journal.ts";
import type { State } from "./machine.ts";
import { summaryOf } from "./machine.ts";
import { commitCodec, shareCodec } from "./roast/message.ts";
import type { Signer, World } from "./testing.ts";
import { addBatchPlan, genesis, world } from "./testing.ts";
import { messageKinds, open } from "./wire.ts";

const seat = 1;
const signerOf = (w: World): Signer => must(w.signers[seat], "signer");
const isSigned = (w: World, id: Uint8Array): boolean =>
  plans.get(w.ledger, id)?.status === planStatus.signed;

function active(): World {
  const w = world();
  const ready = (): boolean => w.signers.every(({ shares }) => shares.size === 2);
  expect(w.runUntil(ready, 30_000)).toBe(true);
  w.run(3_000);
  return w;
}

type Image = readonly Uint8Array[];
const image = (w: World): Image => [...signerOf(w).journal];

function restore(w: World, disk: Image): void {
  signerOf(w).journal.splice(0, Number.POSITIVE_INFINITY, ...disk);
  w.restart(seat);
}

/** The seat brings an envelope to the ledger: the signature of a batch that only it coordinates. */
function liveOn(w: World): void {
  w.tamper = (_, event) => {
    if (event.kind !== "message" || event.from === seat) return event;
    const envelope = open(event.from, event.bytes);
    const isOpen = !isRejected(envelope) && envelope.kind === messageKinds.open;
    return isOpen ? { kind: "woke" } : event;
  };
  const before = kindsOf(w).filter((kind) => kind === "sent").length;
  const id = addBatchPlan(w, 1);
  expect(w.runUntil(() => isSigned(w, id), 20_000)).toBe(true);
  close(w, id);
  w.run(1_100);
  w.tamper = (_, event) => event;
  expect(kindsOf(w).filter((kind) => kind === "sent").length).toBeGreaterThan(before);
}

const recordsOf = (w: World) =>
  w.performed.flatMap(({ seat: of, effect }) =>
    of === seat && effect.kind === "journal" ? [decodeRecord(effect.record)] : [],
  );
const kindsOf = (w: World): string[] => recordsOf(w).map(({ kind }) => kind);

function close(w: World, id: Uint8Array): void {
  w.write((state) => {
    plans.delete(state, id);
    lists.put(state, listNames.plans, { ids: [] });
  });
}

/** Over everything that ever left this seat, whichever process it was: one message a slot, one use of a nonce. */
function expectOnce(w: World): void {
  const messages = new Map<string, string>();
  const used = new Map<string, string>();
  for (const { seat: of, effect } of w.performed) {
    if (of !== seat || effect.kind !== "journal") continue;
    const record = decodeRecord(effect.record);
    if (record.kind !== "release") continue;
    for (const { slot, message } of record.release.slots) {
      expect(messages.get(keyOf(slot)) ?? keyOf(message)).toBe(keyOf(message));
      messages.set(keyOf(slot), keyOf(message));
    }
    const { commitment, sid } = record.release;
    expect(used.get(keyOf(commitment)) ?? keyOf(sid)).toBe(keyOf(sid));
    used.set(keyOf(commitment), keyOf(sid));
  }
  const boots = recordsOf(w).flatMap((one) => (one.kind === "boot" ? [one.number] : []));
  expect(boots).toEqual([...new Set(boots)].sort((a, b) => a - b));
  expectFreshNonces(w);
}

/** A nonce that was committed in one process is in no commitment of another. */
function expectFreshNonces(w: World): void {
  const boots = new Map<string, number>();
  for (const { seat: of, effect } of w.performed) {
    if (of !== seat || effect.kind !== "send") continue;
    const envelope = open(seat, effect.bytes);
    if (isRejected(envelope)) continue;
    const isCommit = envelope.kind === messageKinds.commit;
    if (!isCommit && envelope.kind !== messageKinds.share) continue;
    const { boot, nonces } = (isCommit ? commitCodec : shareCodec).decode(envelope.body);
    for (const nonce of nonces) {
      expect(boots.get(keyOf(nonce)) ?? boot).toBe(boot);
      boots.set(keyOf(nonce), boot);
    }
  }
}

/** Shares of this seat that were let go for a plan. */
const releasesOf = (w: World, plan: Uint8Array): number =>
  recordsOf(w).filter(
    (record) => record.kind === "release" && keyOf(record.release.plan) === keyOf(plan),
  ).length;

test("killed before any effect, with last week's disk brought back: no second message in a slot", () => {
  const w = active();
  const lastWeek = image(w);
  liveOn(w);
  const matters = new Set(["journal", "send", "submit"]);
  const deaths = new Set<string>();
  // Not every session has a place for this seat.
  for (let at = 0; at < 4 || (at < 40 && !deaths.has("journal")); at++) {
    const nonce = 20 + at;
    const first = addBatchPlan(w, nonce, 100_000n);
    let seen = 0;
    w.dies = (of, { kind }) => {
      if (of !== seat || !matters.has(kind) || seen++ !== at % 4) return false;
      deaths.add(kind);
      return true;
    };
    w.run(1_400);
    w.dies = () => false;
    close(w, first);
    // A ledger that went wrong: another batch under the same nonce.
    const second = addBatchPlan(w, nonce, 200_000n);
    restore(w, lastWeek);
    w.run(4_000);
    expect(summaryOf(signerOf(w).state)).toMatchObject({ fence: "open", barred: 1 });
    expect(releasesOf(w, second)).toBe(0);
    close(w, second);
    w.run(600);
  }
  // Before the guard's write, and after it.
  expect([...deaths]).toEqual(expect.arrayContaining(["journal", "send"]));
  expectOnce(w);
});

test("with an old disk the seat signs what is planned from now on, after the next start too", () => {
  const w = active();
  const old = image(w);
  liveOn(w);
  restore(w, old);
  w.run(2_000);
  const next = addBatchPlan(w, 9);
  expect(w.runUntil(() => releasesOf(w, next) > 0, 5_000)).toBe(true);
  w.restart(seat);
  w.run(2_000);
  expect(summaryOf(signerOf(w).state)).toMatchObject({ fence: "open", barred: 0 });
});

test("a bar outlives restarts: the slot stays barred although the ledger proves nothing new", () => {
  const w = active();
  const old = image(w);
  liveOn(w);
  // All others are away, so that the plan stays open.
  for (const [of, other] of w.signers.entries()) if (of !== seat) other.isUp = false;
  const id = addBatchPlan(w, 9);
  w.run(600);
  restore(w, old);
  w.run(2_000);
  w.restart(seat);
  for (const of of w.signers.keys()) if (of !== seat) w.restart(of);
  expect(w.runUntil(() => isSigned(w, id), 10_000)).toBe(true);
  expect(releasesOf(w, id)).toBe(0);
});

test("a crash of the whole ring bars nothing: what was open is signed", () => {
  const w = active();
  for (const of of w.signers.keys()) must(w.signers[of], "signer").isUp = false;
  const id = addBatchPlan(w, 9);
  w.run(1_000);
  for (const of of w.signers.keys()) w.restart(of);
  expect(w.runUntil(() => isSigned(w, id), 10_000)).toBe(true);
  expect(w.signers.map(({ state }) => summaryOf(state).barred)).toEqual([0, 0, 0, 0]);
});

test("a journal out of a backup bars what is open, whatever the ledger shows", () => {
  const w = active();
  signerOf(w).isUp = false;
  const id = addBatchPlan(w, 9);
  restore(w, [...image(w), encodeRecord({ kind: "restored" })]);
  expect(w.runUntil(() => isSigned(w, id), 10_000)).toBe(true);
  expect(releasesOf(w, id)).toBe(0);
});

test("a process ends as soon as the ledger shows an envelope of another process of its seat", () => {
  const w = active();
  const copied = image(w);
  const before: State = signerOf(w).state;
  w.restart(seat);
  liveOn(w);
  // The one that slept through it wakes up.
  restore(w, copied);
  signerOf(w).state = before;
  const count = recordsOf(w).length;
  expect(w.runUntil(() => !signerOf(w).isUp, 5_000)).toBe(true);
  expect(w.performed.at(-1)?.effect).toMatchObject({ kind: "end", code: "second-copy" });
  expect(recordsOf(w).slice(count)).toEqual([]);
  expectOnce(w);
});

test("nothing leaves before the ledger has shown that the journal is the newest", () => {
  const w = active();
  const old = image(w);
  liveOn(w);
  restore(w, old);
  // What the node shows is from before the start, as one that lags behind or lies would.
  w.isHalted = true;
  const at = w.performed.length;
  const id = addBatchPlan(w, 9);
  w.run(20_000);
  const since = w.performed.slice(at).filter((one) => one.seat === seat);
  expect(since.filter(({ effect }) => effect.kind === "submit")).toEqual([]);
  expect(releasesOf(w, id)).toBe(0);
});

test("a node that hides which envelopes were used gets nothing signed by an old disk", () => {
  const w = active();
  const old = image(w);
  liveOn(w);
  const owner = must(genesis.validators[seat], "validator").owner;
  const hidden = keyOf(sequences.key({ validator: owner, role: roles.signer }));
  w.tamper = (of, event) => {
    if (of !== seat || event.kind !== "proved") return event;
    const records = event.records.map((one) =>
      keyOf(one.key) === hidden ? { key: one.key, proof: one.proof } : one,
    );
    return { ...event, records };
  };
  const id = addBatchPlan(w, 9);
  restore(w, old);
  expect(w.runUntil(() => isSigned(w, id), 10_000)).toBe(true);
  expect(summaryOf(signerOf(w).state).fence).toBe("undecided");
  expect(releasesOf(w, id)).toBe(0);
});

test("own numbers, known ones and holes are no stranger's; any other is", () => {
  const records = [10, 11, 13].map((sequence) => ({ kind: "sent", sequence }) as const);
  const base = fence.started([{ kind: "known", sequence: 9 }, ...records], 0);
  const [own, isNew] = fence.sends(base, 14);
  const used = (numbers: readonly number[]) => {
    const highest = Math.max(...numbers);
    const bits = numbers.reduce((sum, one) => sum | (1n << BigInt(highest - one)), 0n);
    return { highest, window: bits };
  };
  expect(isNew).toBe(true);
  expect(fence.sends(own, 14)[1]).toBe(false);
  expect(fence.hasStranger(own, used([5, 8, 9, 10, 13, 14]))).toBe(false);
  expect(fence.hasStranger(own, used([10, 12, 13]))).toBe(true);
  expect(fence.hasStranger(own, used([15]))).toBe(true);
  expect(fence.hasStranger(base, used([14]))).toBe(true);
});

test("whatever is copied, brought back and started again: no process opens unbarred over a number of another's", () => {
  type Disk = readonly JournalRecord[];
  type Process = { disk: Disk; readonly knows: Set<number>; state: fence.State };
  const owner = must(genesis.validators[seat], "validator").owner;
  const step = fc.record({
    what: fc.constantFrom("send", "look", "image", "restart", "bring back" as const),
    which: fc.nat(9),
  });
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 80 }), (steps) => {
      const ledger = memoryState();
      /** Numbers that the ledger took, by whoever sent them. */
      const used: number[] = [];
      const begin = (disk: Disk, knows: ReadonlySet<number>): Process => ({
        disk,
        knows: new Set(knows),
        state: fence.started(disk, 0),
      });
      const processes = [begin([], new Set())];
      const images: { readonly disk: Disk; readonly knows: ReadonlySet<number> }[] = [];
      for (const { what, which } of steps) {
        const process = must(processes[which % processes.length], "process");
        if (what === "image") images.push({ disk: process.disk, knows: new Set(process.knows) });
        if (what === "restart") process.state = fence.started(process.disk, 0);
        const image = images[which % Math.max(1, images.length)];
        if (what === "bring back" && image !== undefined && processes.length < 4)
          processes.push(begin(image.disk, image.knows));
        const { phase } = process.state;
        if (what === "send" && phase === "open") {
          const sequence = nextSequence(ledger, { validator: owner, role: roles.signer });
          const [state, isNew] = fence.sends(process.state, sequence);
          process.state = state;
          if (isNew) process.disk = [...process.disk, { kind: "sent", sequence }];
          process.knows.add(sequence);
          used.push(sequence);
          useSequence(ledger, { validator: owner, role: roles.signer, sequence });
        }
        if (what !== "look") continue;
        const isOlder = used.some((one) => !process.knows.has(one));
        const decision = fence.decide(process.state, { view: ledger, headerMs: 1, owner });
        const expected =
          phase === "undecided" ? (isOlder ? "bar" : "open") : isOlder ? "end" : "open";
        expect(decision.kind).toBe(phase === "ended" ? "end" : expected);
        process.state = fence.decided(process.state, decision);
        seen.add(decision.kind);
        if (decision.kind !== "bar") continue;
        process.disk = [...process.disk, ...fence.recordsOf(decision)];
        for (const one of used) process.knows.add(one);
      }
    }),
    { numRuns: 500 },
  );
  expect([...seen].sort()).toEqual(["bar", "end", "open"]);
});
