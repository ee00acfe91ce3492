// One seed: some nodes Byzantine, everything else against them, then healing, and every honest node must go on.
import type { NetworkId } from "@causeway/primitives";
import { bigEndian, seeded, sha256 } from "@causeway/primitives";
import type { Genesis } from "../../chain-core/src/ledger/genesis.ts";
import { memoryState } from "../../chain-core/src/ledger/memory-state.ts";
import { testBls as realBls } from "../../chain-core/src/ledger/testing.ts";
import { testTransaction } from "../../chain-core/src/node/testing.ts";
import { rememberingBls, tableBls } from "../sim/bls.ts";
import { after, createQueue, next } from "../sim/queue.ts";
import { createTrace, note, traceHash } from "../sim/trace.ts";
import { coalition, flood } from "./adversary.ts";
import { checkEvidence, checkStates } from "./checks.ts";
import { bftLedger, bftParams, secretOf } from "./ledger.ts";
import type { Adversary, Coalition, Peer, World } from "./model.ts";
import { heightOf, isHonest, violated } from "./model.ts";
import type { Ports } from "./node.ts";
import { send, start, submit } from "./node.ts";
import type { Plan } from "./plan.ts";
import { planOf, smallSkew } from "./plan.ts";
import type { Counts, SeatStrategy, Strategy } from "./strategies.ts";
import { noCounts } from "./strategies.ts";

export type Result = {
  readonly seed: number;
  /** Undefined: every rule held. */
  readonly failure?: string;
  readonly hash: string;
  readonly drawn: readonly Strategy[];
  readonly counts: Counts;
  /** The Byzantine seats: what each plays, and whether some honest node has evidence against it. */
  readonly seats: readonly {
    readonly plays: readonly SeatStrategy[];
    readonly convicted: boolean;
  }[];
  readonly heights: number;
  /** Simulated ms until every honest node was far enough past the height of healing. */
  readonly healedMs: number;
  readonly tookMs: number;
};

const startMs = 1_800_000_000_000;
const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
/** Heights that every honest node must decide after healing, and the time that it has, ms. */
const progress = 4;
const patienceMs = 240_000;

export function runSeed(seed: number, first?: Strategy, print?: (line: string) => void): Result {
  const plan = planOf(seed, seeded(seed * 4 + 1), first);
  const world = createWorld(seed, plan, print);
  const ports: Ports = { world, ledger: bftLedger(network, plan, world.bls) };
  populate(ports, seed);
  let failure: string | undefined;
  let healedMs = 0;
  try {
    healedMs = run(ports);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    failure = error.name === "Violation" ? error.message : (error.stack ?? error.message);
  }
  const { trace, counts, history, queue } = world;
  return {
    seed,
    ...(failure !== undefined && { failure }),
    hash: traceHash(trace),
    drawn: plan.drawn,
    counts,
    seats: [...plan.byzantine].map(([peer, plays]) => ({
      plays,
      convicted: world.convicted.has(peer),
    })),
    heights: history.size,
    healedMs,
    tookMs: queue.now - startMs,
  };
}

function createWorld(seed: number, plan: Plan, print?: (line: string) => void): World {
  const genesis = {
    networkId: network,
    time: startMs,
    params: bftParams,
    bitcoin: { chain: sha256(new Uint8Array(2)) },
  } as unknown as Genesis;
  const queue = createQueue(startMs);
  const trace = createTrace(startMs, print);
  return {
    plan,
    network,
    genesis,
    bls: plan.realBls ? rememberingBls(realBls) : tableBls(),
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
}

function populate(ports: Ports, seed: number): void {
  const { world } = ports;
  const shared = coalition();
  for (let index = 0; index < world.plan.peers; index++)
    world.peers.push(createPeer(ports, index, shared, seed));
}

function createPeer(ports: Ports, index: number, shared: Coalition, seed: number): Peer {
  const { world } = ports;
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
      if (from !== undefined) send(ports, from, to, bytes, heldMs, as);
    },
  };
  return {
    index,
    name: `n${index}`,
    secret,
    disk: { store: memoryState(), blocks: [], journal: [] },
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

/** Gives the simulated ms from healing to the goal. */
function run(ports: Ports): number {
  const { world } = ports;
  const { queue, plan, peers } = world;
  for (const { atMs, peer, ms } of plan.skews)
    after(queue, atMs, "", () => {
      const one = peers[peer];
      if (one === undefined || world.healed) return;
      if (atMs > 0) world.counts["clock skew"] += 1;
      one.skewMs = ms;
    });
  for (const peer of peers) after(queue, 0, "", () => start(ports, peer));
  useIt(ports);
  for (const { adversary } of peers)
    if (adversary?.strategies.includes("message flood") === true) floodOn(world, adversary);
  let goal: number | undefined;
  let healedAt = 0;
  after(queue, plan.healAfterMs, "", () => {
    goal = heal(ports) + progress;
    healedAt = queue.now;
  });
  for (let item = next(queue); item !== undefined; item = next(queue)) {
    item.run();
    if (goal === undefined) continue;
    if (isThere(world, goal)) break;
    if (queue.now > healedAt + patienceMs) stuck(world, goal);
  }
  for (const peer of peers) checkEvidence(world, peer);
  checkStates(world);
  return queue.now - healedAt;
}

function isThere({ peers }: World, goal: number): boolean {
  return peers.every((peer) => !isHonest(peer) || heightOf(peer) >= goal);
}

function stuck({ peers }: World, goal: number): never {
  const heights = peers.map((peer) => `${peer.name}${isHonest(peer) ? "" : "*"} ${heightOf(peer)}`);
  return violated(
    "progress after healing",
    `height ${goal} is not reached by all: ${heights.join()}`,
  );
}

/** The newest height at the time. */
function heal(ports: Ports): number {
  const { world } = ports;
  world.healed = true;
  note(world.trace, world.queue.now, "healed");
  for (const peer of world.peers) {
    peer.skewMs = smallSkew(world.random.network);
    if (peer.state === undefined) start(ports, peer);
  }
  return Math.max(...world.peers.filter(isHonest).map(heightOf));
}

/** Transactions now and then, at times two that exclude each other. */
function useIt(ports: Ports): void {
  const { world } = ports;
  const random = world.random.users;
  let serial = 0;
  const one = (): void => {
    if (!random.chance(0.2)) serial += 1;
    const peer = random.pick(world.peers);
    const expires = world.queue.now + 300_000 + random.below(2);
    if (isHonest(peer))
      submit(ports, peer, testTransaction({ spends: sha256(bigEndian(serial, 8)), expires }));
    after(world.queue, 100 + random.below(1_500), "", one);
  };
  after(world.queue, 100, "", one);
}

function floodOn(world: World, adversary: Adversary): void {
  const burst = (): void => {
    flood(adversary);
    after(world.queue, 50 + adversary.random.below(300), "", burst);
  };
  after(world.queue, 200, "", burst);
}
