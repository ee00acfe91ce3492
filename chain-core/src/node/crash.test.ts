// kill -9 at every write of the vote journal (CON-1): the world asserts at each message that nobody signs what
// excludes what it signed before, and at each final block that there is one history.
import { seeded } from "@causeway/primitives";
import { expect, it } from "vitest";
import type { Options, Peer, World } from "./testing-world.ts";
import { world } from "./testing-world.ts";

/** Some heights take several rounds: messages get lost until then, ms. */
const healAt = 12_000;
const until = 20_000;

function live(options: Options): World {
  const w = world({ loss: 0.1, delayMs: 100, healAt, restartMs: 700, ...options });
  for (let t = 200; t <= healAt; t += 400) {
    w.submit(w.peer(`v${(t / 200) % 4}`));
    w.run(t);
  }
  return w;
}

/** How often a faultless run writes until the network has healed. */
function writesOf(seed: number): number {
  let writes = 0;
  const count = (): undefined => {
    writes += 1;
  };
  live({ seed, crashAt: count });
  return writes;
}

function expectLife(w: World, what: string): void {
  w.run(until);
  const before = Math.min(...w.peers.map(w.height));
  w.submit(w.peer("v0"));
  w.run(until + 6_000);
  const heights = w.peers.map(w.height);
  expect(Math.min(...heights), `${what}: ${heights}`).toBeGreaterThan(before);
  expect(w.bans, what).toEqual([]);
}

for (const fate of ["before", "after"] as const)
  it(`a node that dies right ${fate} any journal write contradicts nobody, and the network goes on`, () => {
    let crashes = 0;
    const seed = 1;
    const writes = writesOf(seed);
    expect(writes).toBeGreaterThan(60);
    for (let at = 1; at <= writes; at++) {
      let written = 0;
      const crashAt = (): typeof fate | undefined => {
        written += 1;
        if (written !== at) return undefined;
        crashes += 1;
        return fate;
      };
      expectLife(live({ seed, crashAt }), `write ${at}`);
    }
    expect(crashes).toBeGreaterThan(60);
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
    expectLife(live({ seed, crashAt }), `seed ${seed}`);
  }
}, 120_000);
