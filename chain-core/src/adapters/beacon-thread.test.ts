import { readdirSync, readFileSync } from "node:fs";
import type { NetworkId } from "@causeway/primitives";
import { sha256, utf8 } from "@causeway/primitives";
import { afterEach, beforeEach, expect, test } from "vitest";
import { advance, beaconField, encodeElement, firstStep, search } from "../beacon/index.ts";
import type { Event, Job } from "../beacon/machine.ts";
import type { BeaconThread } from "./beacon-thread.ts";
import { startBeacon } from "./beacon-thread.ts";

const network = sha256(utf8("network")) as Uint8Array as NetworkId;
const seed = sha256(utf8("seed"));
const round = { network, epoch: 4, seed };
const start = { index: 500, value: 12_345n };
const puzzle = { field: beaconField, network, start: seed, difficulty: 1_024 };
const solve: Job = { kind: "solve", id: seed, puzzle, from: firstStep(puzzle) };
const endless: Job = { kind: "delay", id: network as never, from: start, until: 2 ** 40 };

let events: Event[];
let thread: BeaconThread;
let reported: () => void;
beforeEach(() => {
  events = [];
  thread = startBeacon((event) => {
    events.push(event);
    reported();
  });
});
afterEach(() => thread.stop());

/** The next event that the worker reports. */
function next(): Promise<Event> {
  return Promise.race([
    thread.died,
    new Promise<Event>((resolve) => {
      reported = () => resolve(events.at(-1) as Event);
    }),
  ]);
}

test("solves a puzzle and walks a segment, as the pure functions do", async () => {
  const solved = next();
  thread.work(solve);
  const expected = search(puzzle, firstStep(puzzle), 10_000);
  expect(await solved).toEqual({ kind: "walked", id: seed, ...expected });
  const walked = next();
  thread.work({ kind: "delay", id: seed, from: start, until: 1_100 });
  const walk = advance(beaconField, start, 600);
  expect(await walked).toEqual({ kind: "walked", id: seed, status: "solved", walk });
  expect(events).toHaveLength(2);
});

test("judges while it walks, and takes the next job over the one it has", async () => {
  thread.work(endless);
  const delay = { steps: 100, next: 5, end: start.value };
  const value = advance(beaconField, start, 100).value;
  const posted = { epoch: 4, index: 5, end: encodeElement(beaconField, value) };
  const claim = { kind: "segment", round, delay, posted } as const;
  expect(thread.verdictOf(claim)).toBeUndefined();
  expect(await thread.judge(claim)).toBe(true);
  expect(thread.verdictOf({ ...claim })).toBe(true);
  expect(await thread.judge(claim)).toBe(true);
  const late = { ...claim, posted: { ...posted, epoch: 3 } };
  expect(await thread.judge(late)).toMatchObject({ code: "wrong-epoch" });
  const solved = next();
  thread.work(solve);
  expect(await solved).toMatchObject({ id: seed, status: "solved" });
});

test("a judgement that the end of the thread cuts off fails", async () => {
  const claim = {
    kind: "segment",
    round,
    delay: { steps: 5_000_000, next: 0, end: 1n },
    posted: { epoch: 4, index: 0, end: encodeElement(beaconField, 2n) },
  } as const;
  const cut = expect(thread.judge(claim)).rejects.toMatchObject({ code: "beacon-stopped" });
  await thread.stop();
  await cut;
});

test.runIf(process.platform === "linux")("walks at a lower priority than the votes", async () => {
  thread.work(endless);
  await thread.judge({
    kind: "segment",
    round,
    delay: { steps: 1, next: 0, end: 1n },
    posted: { epoch: 4, index: 0, end: encodeElement(beaconField, 2n) },
  });
  // Field 19 of stat is the nice value; the thread's name may hold spaces, so count from its bracket.
  const nices = readdirSync("/proc/self/task").map((task) => {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, "utf8");
    return [task, Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16])] as const;
  });
  const own = nices.find(([task]) => task === String(process.pid))?.[1] ?? 0;
  expect(nices.filter(([, nice]) => nice === 19 && nice > own)).toHaveLength(1);
});
