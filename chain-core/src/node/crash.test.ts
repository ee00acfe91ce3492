// kill -9 at every write of the vote journal (CON-1): the world asserts at each message that nobody signs what
// excludes what it signed before, and at each final block that there is one history.
import { must, seeded } from "@causeway/primitives";
import { expect, it } from "vitest";
import { memoryState } from "../ledger/memory-state.ts";
import { restMs } from "../sync/sync.ts";
import type { Disk, Options, Peer, World } from "./testing-world.ts";
import { world } from "./testing-world.ts";

/** Faults last so long, ms; then the network has as long to show that it lives. */
const healAt = 5_000;

/** Rounds fail for different reasons: messages lost, messages late, one node that is slow. */
const schedules: readonly Options[] = [
  { seed: 1, loss: 0.1, delayMs: 100 },
  { seed: 2, loss: 0.3, delayMs: 50 },
  { seed: 3, loss: 0.05, delayMs: 700 },
  { seed: 4, loss: 0.1, delayMs: 100, slow: "v1", slowMs: 400 },
];

function live(options: Options): World {
  const w = world({ loss: 0.1, delayMs: 100, healAt, restartMs: 700, ...options });
  for (let t = 200; t <= healAt; t += 400) {
    w.submit(w.peer(`v${(t / 200) % 4}`));
    w.run(t);
  }
  return w;
}

/** How often a run without crashes writes until the network has healed. */
function writesOf(schedule: Options): number {
  let writes = 0;
  const count = (): undefined => {
    writes += 1;
  };
  live({ ...schedule, crashAt: count });
  return writes;
}

function expectLife(w: World, what: string, waitMs = 3_000): void {
  w.run(healAt + 3_000);
  const before = Math.min(...w.peers.map(w.height));
  w.submit(w.peer("v0"));
  w.run(healAt + 3_000 + waitMs);
  const heights = w.peers.map(w.height);
  expect(Math.min(...heights), `${what}: ${heights}`).toBeGreaterThan(before);
  expect(w.bans, what).toEqual([]);
}

for (const schedule of schedules)
  it(`a node that dies right before or after any journal write of schedule ${schedule.seed} contradicts nobody, and the network goes on`, () => {
    const writes = writesOf(schedule);
    expect(writes).toBeGreaterThan(15);
    let crashes = 0;
    for (let at = 1; at <= writes; at++)
      for (const fate of ["before", "after"] as const) {
        let written = 0;
        const crashAt = (): typeof fate | undefined => {
          written += 1;
          if (written !== at) return undefined;
          crashes += 1;
          return fate;
        };
        expectLife(live({ ...schedule, crashAt }), `${fate} write ${at}`);
      }
    expect(crashes).toBe(2 * writes);
  }, 120_000);

it("nodes that die again and again at their writes contradict nobody", () => {
  for (let seed = 0; seed < 30; seed++) {
    const random = seeded(seed);
    let crashes = 0;
    const crashAt = (_: Peer): "before" | "after" | undefined => {
      if (crashes >= 12 || !random.chance(0.1)) return undefined;
      crashes += 1;
      return random.chance(0.5) ? "before" : "after";
    };
    // Who dies after the faults takes a question for blocks with it, and rests then.
    expectLife(live({ seed, crashAt }), `seed ${seed}`, 3_000 + restMs);
  }
}, 120_000);

/** What was on the disk at each height, so that a test can take its newest block away. */
function rememberDisk(past: Map<number, Disk>, { disk }: Peer): void {
  const height = disk.tip?.header.height ?? 0;
  if (past.has(height)) return;
  const store = memoryState(disk.store.entries());
  past.set(height, { ...disk, store, blocks: new Map(disk.blocks) });
}

function loseBlock(past: ReadonlyMap<number, Disk>, { disk }: Peer): boolean {
  const before = past.get((disk.tip?.header.height ?? 0) - 1);
  if (before !== undefined)
    Object.assign(disk, { tip: undefined, root: undefined, ...before, journal: disk.journal });
  return before !== undefined;
}

/** Until `v0` has locked itself on a block that nobody has decided yet; then all but v1 die, and v0 loses a block. */
function lostBelowLock(seed: number): { w: World; height: number; id: Uint8Array } | undefined {
  const past = new Map<number, Disk>();
  let lock: { readonly height: number; readonly id: Uint8Array } | undefined;
  const crashAt = (peer: Peer): "after" | undefined => {
    if (peer.name !== "v0" || lock !== undefined) return undefined;
    rememberDisk(past, peer);
    const { height, locked } = must(peer.state, "a node that writes").round;
    if (locked === undefined || !loseBlock(past, peer)) return undefined;
    lock = { height, id: locked.id };
    return "after";
  };
  const w = world({ seed, delayMs: 200, healAt, restartMs: 1e9, crashAt });
  for (let t = 20; t <= healAt && lock === undefined; t += 20) {
    if (t % 400 === 0) w.submit(w.peer("v1"));
    w.run(t);
  }
  const [, v1, ...rest] = w.peers;
  if (lock === undefined || w.height(must(v1, "v1")) >= lock.height) return undefined;
  for (const peer of rest) w.crash(peer);
  return { w, ...lock };
}

it("a node whose store lost its newest block comes to the next height again bound by its lock and votes", () => {
  let found = 0;
  for (let seed = 0; seed < 20; seed++) {
    const lost = lostBelowLock(seed);
    if (lost === undefined) continue;
    const { w, height, id } = lost;
    const v0 = w.peer("v0");
    expect(w.height(v0)).toBe(height - 2);
    w.boot(v0);
    w.run(healAt + 5_000);
    // Votes that were under way decided it after all.
    if (w.height(v0) >= height) continue;
    found += 1;
    expect(w.height(v0), `seed ${seed}`).toBe(height - 1);
    expect(v0.state?.round.locked?.id, `seed ${seed}`).toEqual(id);
    for (const name of ["v2", "v3"]) w.boot(w.peer(name));
    w.run(healAt + 15_000);
    expect(Math.min(...w.peers.map(w.height)), `seed ${seed}`).toBeGreaterThan(height);
  }
  expect(found).toBeGreaterThan(5);
}, 120_000);
