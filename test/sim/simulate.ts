// Runs a seed: the world is set in motion, every happening is followed by the checkers, and the end comes when all
// users' stories are told and everything has healed.
import "./remember.ts";
import { must, seeded } from "@causeway/primitives";
import { xOnly } from "@causeway/primitives/secp256k1";
import { createBls } from "../../chain-core/src/adapters/bls.ts";
import type { Genesis } from "../../chain-core/src/ledger/genesis.ts";
import type { Coin } from "../../chain-core/src/wallet/index.ts";
import type { BlsTable } from "../seeds/bls.ts";
import { rememberingBls, tableBls } from "../seeds/bls.ts";
import { after, next } from "../seeds/queue.ts";
import { note, traceHash } from "../seeds/trace.ts";
import { failureOf, violated } from "../seeds/violation.ts";
import { bitcoinBlock, ethereumBlock, scheduleFaults, startPart } from "./chaos.ts";
import { startSums } from "./checkers/block.ts";
import { checkEnd } from "./checkers/end.ts";
import { submit } from "./ethereum.ts";
import type { FaultCounts } from "./faults.ts";
import { calm, noFaults, planFaults } from "./faults.ts";
import type { Deployed } from "./genesis.ts";
import {
  addressNamed,
  beaconParams,
  deployedCode,
  operatorCount,
  simGenesis,
  simParams,
} from "./genesis.ts";
import type { World } from "./model.ts";
import type { Snapshot } from "./snapshot.ts";
import { takeSnapshot } from "./snapshot.ts";
import type { Deposit, Story } from "./users.ts";
import { depositOnly, fund, ringKey, roundTrip, userNames, withdrawalOnly } from "./users.ts";
import { createWorld } from "./world.ts";

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
  /** Of the beacon. */
  readonly outputs: number;
  /** Simulated ms from the start to the end. */
  readonly tookMs: number;
};

type Network = { readonly genesis: Genesis; readonly deployed: Deployed };

/** Everything derived from a genesis is shared by the seeds of a process. */
const networks = new Map<string, Network>();
const afterKeys = new Map<bigint, Snapshot>();
let afterFunds: Snapshot | undefined;

/** `loanLimit` is BTC-2's E. */
function networkOf(kind: "table" | "real", loanLimit: bigint, hasBeacon: boolean): Network {
  const name = `${kind} ${loanLimit} ${hasBeacon}`;
  const before = networks.get(name);
  if (before !== undefined) return before;
  const bls = kind === "real" ? createBls() : tableBls();
  const params = { loanLimit, ...(hasBeacon && beaconParams) };
  const genesis = simGenesis(bls, params, userNames);
  const made = { genesis, deployed: deployedCode(genesis) };
  networks.set(name, made);
  return made;
}

/** The network after a faultless key generation, simulated once in a process for each E. */
function keysSnapshot(loanLimit: bigint): Snapshot {
  const before = afterKeys.get(loanLimit);
  if (before !== undefined) return before;
  const table: BlsTable = new Map();
  const world = calmWorld(table, loanLimit, undefined);
  const { genesis } = world;
  const chains = [genesis.bitcoin.chain, ...genesis.evm.map(({ chain }) => chain)];
  startAll(world);
  runUntil(world, () => chains.every((chain) => ringKey(world, chain) !== undefined));
  const made = takeSnapshot(world, table, []);
  afterKeys.set(loanLimit, made);
  return made;
}

/** And after a faultless deposit: the vault has coins, the contract stands, Bobs have something to send. */
function fundsSnapshot(): Snapshot {
  if (afterFunds !== undefined) return afterFunds;
  const { loanLimit } = simParams;
  const from = keysSnapshot(loanLimit);
  const table: BlsTable = new Map(from.table);
  const world = calmWorld(table, loanLimit, from);
  const coins: Coin[] = [];
  startAll(world);
  const stories = setInMotion(world, (deposits) => [fund(world, deposits, coins)]);
  runUntil(world, () => stories.size === 0);
  world.checks.credits = 0;
  world.checks.settlements = 0;
  afterFunds = takeSnapshot(world, table, coins);
  return afterFunds;
}

function calmWorld(table: BlsTable, loanLimit: bigint, from: Snapshot | undefined): World {
  return createWorld({
    seed: 0,
    plan: calm(operatorCount),
    ...networkOf("table", loanLimit, false),
    bls: tableBls(table),
    shares: true,
    from,
    print: undefined,
  });
}

/**
 * Of ten seeds one starts from nothing, three after a key generation, one of them with little or nothing lent before the
 * sweep (E), and six with coins in the vault. The one from nothing has short epochs, whose beacon orders proposers. Those divisible by 20 compute everything on each node, by 50 use real BLS.
 */
function worldOf(seed: number, print: ((line: string) => void) | undefined): World {
  const isReal = seed % 50 === 0;
  const loanLimit = loanLimitOf(seed);
  const from = startOf(seed, loanLimit);
  return createWorld({
    seed,
    plan: planFaults(seed, seeded(seed ^ 0x51ab_0c3d), operatorCount),
    ...networkOf(isReal ? "real" : "table", loanLimit, from === undefined),
    bls: isReal ? rememberingBls(createBls()) : tableBls(new Map(from?.table)),
    shares: seed % 20 !== 0,
    from,
    print,
  });
}

/** Everything; or nothing, or less than most deposits. */
function loanLimitOf(seed: number): bigint {
  if (seed % 10 !== 5) return simParams.loanLimit;
  return seed % 20 === 5 ? 0n : 2_000_000n;
}

function startOf(seed: number, loanLimit: bigint): Snapshot | undefined {
  if (seed % 10 === 0) return undefined;
  return seed % 5 <= 1 ? keysSnapshot(loanLimit) : fundsSnapshot();
}

/** Runs a seed to its end: every story told, or a violation. There are no strategies here to be the first. */
export function runSeed(seed: number, _first?: string, print?: (line: string) => void): Result {
  let world: World | undefined;
  let failure: string | undefined;
  try {
    world = worldOf(seed, print);
    run(world);
  } catch (error) {
    failure = failureOf(error);
  }
  return {
    seed,
    failure,
    hash: world === undefined ? "" : traceHash(world.trace),
    faults: world?.faults ?? noFaults(),
    credits: world?.checks.credits ?? 0,
    settlements: world?.checks.settlements ?? 0,
    blocks: world?.checks.blocks ?? 0,
    outputs: world?.checks.outputs ?? 0,
    tookMs: world === undefined ? 0 : world.queue.now - world.startMs,
  };
}

function run(world: World): void {
  scheduleFaults(world);
  startAll(world);
  const stories = setInMotion(world, (deposits) => storiesOf(world, deposits));
  runUntil(
    world,
    () => stories.size === 0 && world.network.healed,
    () => `${stories.size} stories are not over`,
  );
  checkEnd(world);
}

function startAll(world: World): void {
  if (world.checks.blocks === 0) startSums(world, world.ledger.port.genesis().puts);
  for (const operator of world.operators)
    for (const part of ["node", "signer", "relay"] as const)
      after(world.queue, world.random.below(500), `start ${part} ${operator.seat}`, () =>
        startPart(world, operator, part),
      );
}

function runUntil(world: World, isOver: () => boolean, text?: () => string): void {
  const { queue, trace, plan } = world;
  const deadline = world.startMs + plan.healAfterMs + livenessMs;
  for (let count = 0; !isOver(); count++) {
    const happening = must(next(queue), "something that happens");
    note(trace, happening.at, happening.label);
    happening.run();
    if (happening.at > deadline || count > happeningsMax)
      violated("liveness", `${text?.() ?? "not over"} ${livenessMs} ms after healing`);
  }
}

/** What goes on by itself: blocks, users. Gives the stories that are not over. */
function setInMotion(world: World, tell: (deposits: Deposit[]) => Story[]): Set<Story> {
  const { random, plan } = world;
  const deposits: Deposit[] = [];
  const stories = new Set(tell(deposits));
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

/** At least one deposit and one withdrawal, to Bitcoin or to Ethereum and back. */
function storiesOf(world: World, deposits: Deposit[]): Story[] {
  const { random, coins } = world;
  const others = ["ledger", "forward-to-ethereum", "too-small"] as const;
  const isMore = random.chance(0.25);
  const toEthereum = random.chance(0.35);
  if (coins.length === 0) {
    const first = roundTrip(world, 0, toEthereum ? "ledger-and-ethereum" : "ledger", deposits);
    return isMore ? [first, roundTrip(world, 1, random.pick(others), deposits)] : [first];
  }
  const stories = [depositOnly(world, 0, "ledger", deposits)];
  for (const [i, coin] of coins.entries())
    if (i === 0 || (isMore && i === 1)) stories.push(withdrawalOnly(world, i, coin, toEthereum));
  if (isMore) stories.push(depositOnly(world, 1, random.pick(others), deposits));
  return stories;
}

function every(world: World, ms: () => number, label: string, run: () => void): void {
  after(world.queue, ms(), label, () => {
    run();
    every(world, ms, label, run);
  });
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
