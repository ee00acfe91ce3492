// The world of a seed as it is made: queue, randomness, ledger and nodes.
import { seeded } from "@causeway/primitives";
import { memoryState } from "../../chain-core/src/ledger/memory-state.ts";
import { testBls as realBls } from "../../chain-core/src/ledger/testing.ts";
import { rememberingBls, tableBls } from "../seeds/bls.ts";
import { createQueue } from "../seeds/queue.ts";
import { createTrace } from "../seeds/trace.ts";
import { coalition } from "./adversary.ts";
import { realChain, secretOf, tinyChain } from "./ledger.ts";
import type { Adversary, Coalition, Peer, World } from "./model.ts";
import { send } from "./node.ts";
import type { Plan } from "./plan.ts";
import { noCounts } from "./strategies.ts";

export const startMs = 1_800_000_000_000;

/** With all its nodes, none of them started. */
export function createWorld(seed: number, plan: Plan, print?: (line: string) => void): World {
  const queue = createQueue(startMs);
  const trace = createTrace(startMs, print);
  const bls = plan.realBls ? rememberingBls(realBls) : tableBls();
  const world: World = {
    plan,
    chain: plan.realLedger ? realChain(plan, bls) : tinyChain(plan, bls, startMs),
    bls,
    queue,
    startMs,
    trace,
    counts: noCounts(),
    peers: [],
    random: {
      network: seeded(seed * 4 + 2),
      crash: seeded(seed * 4 + 3),
      users: seeded(seed * 4),
    },
    history: new Map(),
    convicted: new Map(),
    isolated: new Map(),
    print: print && ((line) => print(`${String(queue.now - startMs).padStart(10)} ${line}`)),
    healed: false,
  };
  populate(world, seed);
  return world;
}

function populate(world: World, seed: number): void {
  const shared = coalition();
  for (let index = 0; index < world.plan.peers; index++)
    world.peers.push(createPeer(world, index, shared, seed));
}

function createPeer(world: World, index: number, shared: Coalition, seed: number): Peer {
  const strategies = world.plan.byzantine.get(index);
  const secret = secretOf(index);
  const adversary: Adversary | undefined = strategies && {
    index,
    strategies,
    secret,
    random: seeded(seed * 64 + index),
    coalition: shared,
    world,
    said: new Set(),
    wire: (to, bytes, heldMs, as) => {
      const from = world.peers[index];
      if (from !== undefined) send(world, from, to, bytes, heldMs, as);
    },
  };
  return {
    index,
    name: `n${index}`,
    secret,
    disk: { store: memoryState(world.chain.port.genesis().puts), blocks: [], journal: [] },
    state: undefined,
    boot: 0,
    wakes: 0,
    skewMs: 0,
    adversary,
    journaled: new Set(),
    votes: new Map(),
    proposals: new Map(),
  };
}
