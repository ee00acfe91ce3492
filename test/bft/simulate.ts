// One seed: some nodes Byzantine, everything else against them, then healing, and every honest node must go on.
import { seeded } from "@causeway/primitives";
import { smallSkew } from "../seeds/plan.ts";
import { after, next } from "../seeds/queue.ts";
import { note, traceHash } from "../seeds/trace.ts";
import { failureOf, violated } from "../seeds/violation.ts";
import { flood } from "./adversary.ts";
import { checkEvidence, checkStates } from "./checks.ts";
import type { Adversary, World } from "./model.ts";
import { heightOf, isHonest } from "./model.ts";
import { start, submit } from "./node.ts";
import { planOf } from "./plan.ts";
import type { Counts, SeatStrategy, Strategy } from "./strategies.ts";
import { createWorld, startMs } from "./world.ts";

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

/** Heights that every honest node must decide after healing, and the time that it has, ms. */
const progress = 4;
const patienceMs = 240_000;

export function runSeed(seed: number, first?: Strategy, print?: (line: string) => void): Result {
  const plan = planOf(seed, seeded(seed * 4 + 1), first);
  const world = createWorld(seed, plan, print);
  let failure: string | undefined;
  let healedMs = 0;
  try {
    healedMs = run(world);
  } catch (error) {
    failure = failureOf(error);
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

/** Gives the simulated ms from healing to the goal. */
function run(world: World): number {
  const { queue, plan, peers } = world;
  for (const { atMs, peer, ms } of plan.skews)
    after(queue, atMs, "", () => {
      const one = peers[peer];
      if (one === undefined || world.healed) return;
      if (atMs > 0) world.counts["clock skew"] += 1;
      one.skewMs = ms;
    });
  for (const peer of peers) after(queue, 0, "", () => start(world, peer));
  useIt(world);
  for (const { adversary } of peers)
    if (adversary?.strategies.includes("message flood") === true) floodOn(world, adversary);
  let goal: number | undefined;
  let healedAt = 0;
  after(queue, plan.healAfterMs, "", () => {
    goal = heal(world) + progress;
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
function heal(world: World): number {
  world.healed = true;
  note(world.trace, world.queue.now, "healed");
  for (const peer of world.peers) {
    peer.skewMs = smallSkew(world.random.network);
    if (peer.state === undefined) start(world, peer);
  }
  return Math.max(...world.peers.filter(isHonest).map(heightOf));
}

/** Transactions now and then; each comes to several nodes, and often again. */
function useIt(world: World): void {
  const random = world.random.users;
  let serial = 0;
  let bytes = world.chain.transaction(serial, world.queue.now);
  const one = (): void => {
    if (random.chance(0.5)) {
      serial += 1;
      bytes = world.chain.transaction(serial, world.queue.now);
    }
    const peer = random.pick(world.peers);
    if (isHonest(peer)) submit(world, peer, bytes);
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
