// A whole simulated network: operators, foreign chains, users, faults; and the loop that runs it to its end.
import type { Bls } from "@causeway/primitives";
import { must, seeded } from "@causeway/primitives";
import { xOnly } from "@causeway/primitives/secp256k1";
import { createBls } from "../../chain-core/src/adapters/bls.ts";
import type { Genesis } from "../../chain-core/src/ledger/genesis.ts";
import { best, createBitcoin } from "./bitcoin.ts";
import { tableBls } from "./bls.ts";
import { bitcoinBlock, ethereumBlock, scheduleFaults, startPart } from "./chaos.ts";
import { startSums } from "./checkers/block.ts";
import { createChecks } from "./checkers/checks.ts";
import { checkEnd } from "./checkers/end.ts";
import { createEthereum, head, submit } from "./ethereum.ts";
import type { FaultCounts } from "./faults.ts";
import { noFaults, planFaults } from "./faults.ts";
import {
  addressNamed,
  deployedCode,
  operatorCount,
  operatorSecret,
  simGenesis,
  startMs,
} from "./genesis.ts";
import { createLedger } from "./ledger.ts";
import type { Operator, World } from "./model.ts";
import { Violation, violated } from "./model.ts";
import { createNetwork } from "./network.ts";
import { createNode } from "./node-process.ts";
import { after, createQueue, next } from "./queue.ts";
import {
  createRelay,
  relayBitcoinTip,
  relayFinalized,
  relayHeight,
  relayRequests,
} from "./relay-process.ts";
import { createSigner, signerForeignBlock, signerHeight } from "./signer-process.ts";
import { createTrace, note, traceHash } from "./trace.ts";
import type { Deposit, DepositKind, Story } from "./users.ts";
import { ringKey, story, userNames } from "./users.ts";

const storiesMax = 3;
/** After healing everything that users began must be over within this time, ms. */
const livenessMs = 10 * 60_000;
const happeningsMax = 3_000_000;
const userTickMs = 500;
const ethereumBlockMs = 1_000;

export type Result = {
  readonly seed: number;
  readonly failure: string | undefined;
  readonly hash: string;
  readonly faults: FaultCounts;
  readonly credits: number;
  readonly settlements: number;
  readonly blocks: number;
  /** Simulated ms from the start to the end. */
  readonly tookMs: number;
};

/** A genesis for each kind of BLS: everything derived from it is shared by the seeds of a process. */
const known = new Map<boolean, { genesis: Genesis; deployed: ReturnType<typeof deployedCode> }>();

function genesisFor(
  isReal: boolean,
  bls: Bls,
): { genesis: Genesis; deployed: ReturnType<typeof deployedCode> } {
  const before = known.get(isReal);
  if (before !== undefined) return before;
  const genesis = simGenesis(bls, {}, userNames(storiesMax));
  const made = { genesis, deployed: deployedCode(genesis) };
  known.set(isReal, made);
  return made;
}

function createWorld(seed: number, print?: (line: string) => void): World {
  const random = seeded(seed);
  const queue = createQueue(startMs);
  const faults = noFaults();
  const isReal = seed % 50 === 0;
  const bls = isReal ? createBls() : tableBls();
  const { genesis, deployed } = genesisFor(isReal, bls);
  const plan = planFaults(seed, seeded(seed ^ 0x51ab_0c3d), operatorCount);
  const bitcoin = createBitcoin(seeded(seed ^ 0x2b9e_11f5), () => queue.now);
  const world: World = {
    seed,
    random,
    queue,
    trace: createTrace(startMs, print),
    plan,
    faults,
    network: createNetwork(queue, seeded(seed ^ 0x77f3_9d01), plan, faults),
    genesis,
    deployed,
    bls,
    ledger: createLedger(genesis, bls, seed % 10 !== 0),
    bitcoin,
    ethereum: createEthereum(genesis),
    operators: [],
    checks: createChecks(operatorCount),
    wires: {
      heightFinal: (operator) => {
        signerHeight(world, operator);
        relayHeight(world, operator);
      },
      requestsCame: (operator) => relayRequests(world, operator),
      bitcoinSeen: (operator) => {
        relayBitcoinTip(world, operator);
        signerForeignBlock(world, operator, genesis.bitcoin.chain);
      },
      ethereumSeen: (operator) => {
        relayFinalized(world, operator);
        signerForeignBlock(world, operator, world.ethereum.chain.chain);
      },
    },
    draws: 0,
    ticket: 0,
  };
  for (let seat = 0; seat < operatorCount; seat++)
    world.operators.push(createOperator(world, seat));
  return world;
}

function createOperator(world: World, seat: number): Operator {
  const { genesis, bls, plan, faults, deployed } = world;
  const skewMs = plan.skewMs[seat] ?? 0;
  if (skewMs !== 0) faults["clock-skew"] += 1;
  const isSilent = plan.silent === seat;
  if (isSilent) faults["silent-operator"] += 1;
  return {
    seat,
    node: createNode(),
    signer: createSigner({
      genesis,
      bls,
      seat,
      attestSecret: operatorSecret(seat, "attest"),
      hostSecret: operatorSecret(seat, "host"),
    }),
    relay: createRelay({
      genesis,
      seat,
      relaySecret: operatorSecret(seat, "relay"),
      codeHashes: [deployed.codeHash],
    }),
    skewMs,
    isSilent,
    bitcoinTip: best(world.bitcoin),
    ethereumHeight: head(world.ethereum).height,
    bitcoinDown: false,
    ethereumDown: false,
  };
}

function every(world: World, ms: () => number, label: string, run: () => void): void {
  after(world.queue, ms(), label, () => {
    run();
    every(world, ms, label, run);
  });
}

/** What goes on by itself: blocks, users. Gives the stories that are not over. */
function setInMotion(world: World): Set<Story> {
  const { random, plan } = world;
  const deposits: Deposit[] = [];
  const stories = new Set<Story>();
  for (const [i, kind] of kindsOf(world).entries()) stories.add(story(world, i, kind, deposits));
  every(
    world,
    () => userTickMs,
    "users",
    () => {
      for (const one of stories) if (one.next().done === true) stories.delete(one);
      deployOnce(world);
    },
  );
  const reorganisations = [...plan.reorganisations];
  every(
    world,
    () => 1_500 + random.below(4_000),
    "bitcoin block",
    () => bitcoinBlock(world, deposits, reorganisations),
  );
  const pending = { count: plan.ethereumReorganisations };
  every(
    world,
    () => ethereumBlockMs,
    "ethereum block",
    () => ethereumBlock(world, pending),
  );
  return stories;
}

function kindsOf({ random }: World): DepositKind[] {
  const kinds: DepositKind[] = [random.chance(0.4) ? "ledger-and-ethereum" : "ledger"];
  if (random.chance(0.3))
    kinds.push(
      random.pick(["ledger", "ledger-and-ethereum", "forward-to-ethereum", "too-small"] as const),
    );
  return kinds;
}

/** The operators' deployer creates the gateway as soon as the ring has a key for it. */
function deployOnce(world: World): void {
  const { ethereum } = world;
  if (ethereum.storage.key !== undefined || ethereum.pending.length > 0) return;
  const key = ringKey(world, ethereum.chain.chain);
  if (key === undefined) return;
  const first = { keyId: key.keyId, key: xOnly(key.groupPoint) };
  submit(ethereum, addressNamed("deployer"), { kind: "deploy", first }, 0);
}

/** Runs a seed to its end: every story told, or a violation. */
export function runSeed(seed: number, print?: (line: string) => void): Result {
  const world = createWorld(seed, print);
  let failure: string | undefined;
  try {
    run(world);
  } catch (error) {
    failure =
      error instanceof Violation
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
  }
  const { checks, trace, faults, queue } = world;
  return {
    seed,
    failure,
    hash: traceHash(trace),
    faults,
    credits: checks.credits,
    settlements: checks.settlements,
    blocks: checks.blocks,
    tookMs: queue.now - startMs,
  };
}

function run(world: World): void {
  const { queue, trace, plan } = world;
  startSums(world, world.ledger.port.genesis().puts);
  scheduleFaults(world);
  for (const operator of world.operators)
    for (const part of ["node", "signer", "relay"] as const)
      after(queue, world.random.below(500), `start ${part} ${operator.seat}`, () =>
        startPart(world, operator, part),
      );
  const stories = setInMotion(world);
  const deadline = startMs + plan.healAfterMs + livenessMs;
  for (let count = 0; stories.size > 0 || !world.network.healed; count++) {
    const happening = must(next(queue), "something that happens");
    note(trace, happening.at, happening.label);
    happening.run();
    if (happening.at > deadline || count > happeningsMax)
      violated("liveness", `${stories.size} stories are not over ${livenessMs} ms after healing`);
  }
  checkEnd(world);
}
