// One seed: some members Byzantine, everything else against the ring, then healing, and everything that was started must
// come to its end: both keys active, every honest seat confirmed, every request signed.
import {
  activeKeys,
  ceremonies,
  ceremonyStages,
  currentKeys,
  keys,
  openCeremonies,
  planKinds,
  planStatus,
  plans,
  reshares,
} from "@causeway/chain-core/interchain";
import { keyOf, must, seeded } from "@causeway/primitives";
import { heardSeats } from "../../chain-core/src/ledger/ring/ceremony.ts";
import { smallSkew } from "../seeds/plan.ts";
import { after, next } from "../seeds/queue.ts";
import { note, traceHash } from "../seeds/trace.ts";
import { failureOf, violated } from "../seeds/violation.ts";
import { disturb } from "./adversary.ts";
import { complainOfHonest } from "./ceremonies.ts";
import { checkLedger, checkShares } from "./checks.ts";
import type { Head } from "./ledger.ts";
import type { Byzantine, Operator, World } from "./model.ts";
import { isByzantine, isHonest, operatorsOf } from "./model.ts";
import { ledgerOf, transmit } from "./network.ts";
import { start, startSecond, stopSeconds, tellHeight } from "./operator.ts";
import { planOf } from "./plan.ts";
import { ask, askBitcoin, replaceOne } from "./requests.ts";
import type { Counts, MemberStrategy, Strategy } from "./strategies.ts";
import { beginTerm, isCeremonyOpen } from "./terms.ts";
import { createWorld, startMs } from "./world.ts";

export type Result = {
  readonly seed: number;
  /** Undefined: every rule held. */
  readonly failure?: string;
  readonly hash: string;
  readonly size: number;
  readonly drawn: readonly Strategy[];
  readonly counts: Counts;
  /** The Byzantine members: what each plays, and whether somebody can prove it. */
  readonly members: readonly {
    readonly plays: readonly MemberStrategy[];
    readonly blamed: boolean;
  }[];
  readonly signed: number;
  /** Sessions over several plans. */
  readonly together: number;
  /** Attempts of ceremonies after the first that came to confirmations. */
  readonly laterAttempts: number;
  /** Simulated ms from healing to the goal. */
  readonly healedMs: number;
  readonly tookMs: number;
};

/** Time after healing in which everything must end, ms. */
const patienceMs = 120_000;

export function runSeed(seed: number, first?: Strategy, print?: (line: string) => void): Result {
  const plan = planOf(seeded(seed * 8 + 1), first);
  const world = createWorld(seed, plan, print);
  let failure: string | undefined;
  let healedMs = 0;
  try {
    healedMs = run(world);
  } catch (error) {
    failure = failureOf(error);
  }
  const { trace, counts, queue, requests, epochs, blamed } = world;
  return {
    seed,
    ...(failure !== undefined && { failure }),
    hash: traceHash(trace),
    size: plan.size,
    drawn: plan.drawn,
    counts,
    members: [...plan.byzantine].map(([index, plays]) => ({ plays, blamed: blamed.has(index) })),
    signed: [...requests.values()].filter(({ signedAtMs }) => signedAtMs !== undefined).length,
    together: togetherOf(world),
    laterAttempts: [...epochs.values()].filter(({ attempt }) => attempt > 0).length,
    healedMs,
    tookMs: queue.now - startMs,
  };
}

function togetherOf({ operators }: World): number {
  const released = operators.flatMap(({ said }) => [...said.released.values()]);
  const several = released.filter(({ plans }) => plans.size > 1);
  return new Set(several.map(({ sid }) => sid)).size;
}

/** Gives the simulated ms from healing to the goal. */
function run(world: World): number {
  const { queue, plan, operators } = world;
  for (const { atMs, operator, ms } of plan.skews)
    after(queue, atMs, "", () => {
      if (atMs > 0 && !world.healed) world.counts["clock skew"] += 1;
      if (!world.healed) must(operators[operator], "operator").skewMs = ms;
    });
  for (const operator of operators) after(queue, 0, "", () => start(world, operator));
  const { secondCopy } = plan;
  if (secondCopy !== undefined)
    after(queue, secondCopy.atMs, "", () =>
      startSecond(world, must(operators[secondCopy.operator], "operator")),
    );
  makeBlocks(world);
  const asked = useIt(world);
  const termsLeft = rotate(world);
  for (const operator of operators) if (isByzantine(operator)) disturbOn(world, operator);
  let healedAt: number | undefined;
  after(queue, plan.healAfterMs, "", () => {
    heal(world);
    healedAt = queue.now;
  });
  for (let item = next(queue); item !== undefined; item = next(queue)) {
    item.run();
    if (healedAt === undefined) continue;
    const missing = missingOf(world, asked(), termsLeft());
    if (missing === undefined) break;
    if (queue.now > healedAt + patienceMs) violated("everything ends", missing);
  }
  checkShares(world);
  return queue.now - must(healedAt, "healing");
}

/** Blocks half a second apart while there is work, else at the heartbeat (CON-1). */
function makeBlocks(world: World): void {
  const { queue, ledger } = world;
  const { blockIntervalMs, heartbeatMs } = ledger.genesis.params;
  let lastMs = queue.now;
  const tick = (): void => {
    if (ledger.isBusy() || queue.now - lastMs >= heartbeatMs) {
      lastMs = queue.now;
      const head = ledger.block(queue.now);
      note(world.trace, queue.now, `block ${head.height}`);
      checkLedger(world);
      askBetweenEpochs(world);
      for (const operator of [...world.operators, ...world.seconds])
        tellBlock(world, operator, head);
    }
    after(queue, blockIntervalMs, "", tick);
  };
  after(queue, blockIntervalMs, "", tick);
}

/** The operator's node gets a block. */
function tellBlock(world: World, operator: Operator, head: Head): void {
  const slowMs = world.healed ? undefined : world.plan.slowNodes.get(operator.index);
  if (slowMs !== undefined) world.counts["slow node"] += 1;
  const arrive = (): void => {
    if (operator.head !== undefined && operator.head.height >= head.height) return;
    operator.head = head;
    if (isByzantine(operator)) complainOfHonest(world, operator);
    tellHeight(world, operator);
  };
  after(world.queue, slowMs ?? 0, "", () =>
    transmit(world, ledgerOf(world), operator.index, arrive),
  );
}

/** Requests now and then, once there are keys; gives how many are still to come. */
function useIt(world: World): () => number {
  const { plan, queue, random } = world;
  let left = plan.requests;
  const one = (): void => {
    if (left > 0 && ask(world)) {
      left -= 1;
      if (plan.wrongLedger && random.users.chance(0.7))
        after(queue, random.users.below(2_500), "", () => {
          if (replaceOne(world)) world.counts["wrong ledger"] += 1;
        });
    }
    if (left > 0) after(queue, 200 + random.users.below(2_000), "", one);
  };
  after(queue, 500, "", one);
  return () => left;
}

/** New terms, once there are keys; gives how many are still to come. */
function rotate(world: World): () => number {
  const { plan, queue, random, ledger } = world;
  const left = [...plan.rings];
  const one = (): void => {
    const [ring] = left;
    if (ring === undefined) return;
    const isHasty = plan.hastyTerms && world.terms > 0;
    const [bitcoin, evm] = [ledger.genesis.bitcoin, ...ledger.genesis.evm].map(({ chain }) =>
      currentKeys.get(ledger.state(), chain),
    );
    if (bitcoin !== undefined && evm !== undefined && (isHasty || !isCeremonyOpen(world))) {
      left.shift();
      beginTerm(world, ring);
    }
    after(queue, 500 + random.users.below(4_000), "", one);
  };
  after(queue, 1_000, "", one);
  return () => left.length;
}

/** A request right before the shares of its key change: what is under way meets the new epoch. */
function askBetweenEpochs(world: World): void {
  const state = world.ledger.state();
  for (const keyId of openCeremonies.get(state, "only")?.keyIds ?? []) {
    const reshare = reshares.get(state, keyId);
    if (reshare?.stage !== ceremonyStages.canary || !world.random.users.chance(0.6)) continue;
    after(world.queue, world.random.users.below(1_000), "", () => askBitcoin(world, keyId));
  }
}

function disturbOn(world: World, operator: Byzantine): void {
  const { random } = operator.adversary;
  const again = (): void => {
    disturb(world, operator);
    after(world.queue, 100 + random.below(600), "", again);
  };
  after(world.queue, 200, "", again);
}

/** From here on the Byzantine members are alone. */
function heal(world: World): void {
  world.healed = true;
  stopSeconds(world);
  note(world.trace, world.queue.now, "healed");
  for (const operator of world.operators) {
    operator.skewMs = smallSkew(world.random.network);
    operator.head = world.ledger.head() ?? operator.head;
    if (operator.state === undefined) start(world, operator);
    else tellHeight(world, operator);
  }
}

/** What is not at its end; undefined: everything is. */
function missingOf(world: World, toAsk: number, toRotate: number): string | undefined {
  const state = world.ledger.state();
  if (toRotate > 0) return `${toRotate} terms have not begun`;
  const open = openCeremonies.get(state, "only")?.keyIds ?? [];
  if (open.length > 0) return `ceremonies of keys ${open.join()} are open`;
  for (const keyId of activeKeys.get(state, "only")?.keyIds ?? []) {
    const key = must(keys.get(state, keyId), "key");
    const heard = heardSeats(must(ceremonies.get(state, keyId), "ceremony of a key"));
    for (const [seat, index] of operatorsOf(world, key).entries())
      if (!heard.has(seat) && isHonest(must(world.operators[index], "operator")))
        return `seat ${seat}, ${index}'s, has neither confirmed key ${keyId} nor complained`;
  }
  if (toAsk > 0) return `${toAsk} requests are not made`;
  for (const { id, plan, signedAtMs, isReplaced } of world.requests.values()) {
    // A newer term gives up the ceremony that a canary was for.
    const isGivenUp =
      plan.kind === planKinds.canary && plans.get(state, id)?.status === planStatus.dead;
    if (signedAtMs === undefined && !isReplaced && !isGivenUp)
      return `request ${keyOf(id).slice(0, 6)} is not signed`;
  }
  return undefined;
}
