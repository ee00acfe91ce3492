// Random lives of the bridge: whatever comes in, leaves, reorganises and settles in whatever order, the accounts
// stay exact, nothing is credited or paid twice, and nothing throws (ACC-1, BTC-2, BTC-3, CON-5).

import type { Random } from "@causeway/primitives";
import { keyOf, must, seeded } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseHeader } from "../../interchain/bitcoin/headers.ts";
import {
  agenda,
  inboundStatus,
  inbounds,
  listNames,
  planStatus,
  plans,
  withdrawalStatus,
  withdrawals,
} from "../../interchain/records.ts";
import type { ForeignEvent } from "../../interchain/statement.ts";
import { eventIdOf } from "../../interchain/statement.ts";
import { testLock } from "../testing.ts";
import { outputs } from "../utxo/outputs.ts";
import { isBalanced, listOf } from "./accounting.ts";
import { burnRule } from "./burn.ts";
import { heldCoins } from "./coins.ts";
import { interchainEndBlock } from "./end-block.ts";
import { bitcoinTip } from "./header-chain.ts";
import type { Block, Deposit, World } from "./testing.ts";
import {
  account,
  act,
  attest,
  bring,
  contextOf,
  createWorld,
  deposit,
  endBlock,
  included,
  mine,
  settle,
  sign,
} from "./testing.ts";
import { evmOf, executedEvent, stateContract, transferEvent } from "./testing-evm.ts";
import { p2wpkh } from "./testing-funded.ts";

/** What one life remembers outside the ledger. */
type Life = {
  readonly world: World;
  readonly random: Random;
  /** Deposits not in a block of the present chain. */
  readonly waiting: Deposit[];
  readonly made: Deposit[];
  /** Ring transactions not in a block of the present chain. */
  readonly pool: Map<string, Uint8Array>;
  readonly seen: Map<string, Uint8Array>;
  /** Blocks of the present chain, from height 1. */
  chain: Block[];
  executed: number;
};

function amountOf(random: Random): bigint {
  return random.pick([5_000n, 20_000n, 1_000_000n, 40_000_000n, 300_000_000n, 2_000_000_000n]);
}

function pay(life: Life): void {
  const { world, random } = life;
  const { networkId } = world.genesis;
  const destination = random.pick([
    { chain: networkId, payload: testLock("alice") },
    { chain: networkId, payload: new Uint8Array(32) },
    { chain: evmOf(world).chain, payload: new Uint8Array(20).fill(1 + random.below(9)) },
  ]);
  const maxFee = random.pick([100n, 400n, 5_000n]);
  const one = deposit(world, { amount: amountOf(random), destination, maxFee });
  life.made.push(one);
  life.waiting.push(one);
}

function mineOne(life: Life): void {
  const { world, waiting, pool } = life;
  const transactions = [...waiting.map(({ transaction }) => transaction), ...pool.values()];
  waiting.length = 0;
  pool.clear();
  const parent = life.chain.at(-1);
  life.chain.push(mine(world, transactions, parent ?? genesisBlock(world)));
}

function genesisBlock(world: World): Block {
  const header = world.genesis.bitcoin.checkpoint.header;
  return { header, hash: parseHeader(header).hash, height: 0, transactions: [] };
}

/** Takes blocks off the chain; what was in them waits again, in the order of before. */
function reorganise(life: Life, depth: number): void {
  const gone = life.chain.splice(Math.max(0, life.chain.length - depth));
  const lost = new Set(gone.flatMap(({ transactions }) => transactions.map(keyOf)));
  for (const one of life.made) if (lost.has(keyOf(one.transaction))) life.waiting.push(one);
  for (const [name, transaction] of life.seen) if (lost.has(name)) life.pool.set(name, transaction);
  for (let i = 0; i <= gone.length; i++) {
    if (i === gone.length && life.random.chance(0.5)) mineOne(life);
    else life.chain.push(mine(life.world, [], life.chain.at(-1) ?? genesisBlock(life.world)));
  }
}

function bringHeaders(life: Life): void {
  const from = Math.max(0, life.chain.length - 40);
  bring(life.world, ...life.chain.slice(from));
}

function eventsOf(life: Life): ForeignEvent[] {
  return life.chain
    .slice(-12)
    .flatMap((block) =>
      life.made
        .filter(({ transaction }) => block.transactions.includes(transaction))
        .map(({ event }) => event(block)),
    );
}

function signPlans(life: Life): void {
  const { world } = life;
  for (const id of listOf(world.state, listNames.plans)) {
    const plan = must(plans.get(world.state, id), "plan");
    if (plan.status === planStatus.planned && life.random.chance(0.8)) sign(world, id);
    const signed = plans.get(world.state, id);
    if (signed?.status !== planStatus.signed || signed.inputs.length === 0) continue;
    const name = keyOf(signed.subject);
    if (life.seen.has(name)) continue;
    life.seen.set(name, signed.subject);
    life.pool.set(name, signed.subject);
  }
}

function settlePlans(life: Life): void {
  for (const block of life.chain.slice(-12))
    for (const transaction of block.transactions)
      if (life.seen.has(keyOf(transaction))) {
        const own = must(
          block.transactions.find((one) => one === transaction),
          "transaction",
        );
        expect(included(block, own).position).toBeGreaterThan(0);
        settle(life.world, block, own);
      }
}

function leave(life: Life): void {
  const { world, random } = life;
  const { supply } = account(world);
  const amount = random.pick([20_000n, 1_000_000n, supply / 2n, supply]);
  if (amount > supply || amount === 0n) return;
  const { bitcoin } = world.genesis;
  const destination = random.chance(0.6)
    ? { chain: bitcoin.chain, payload: p2wpkh }
    : { chain: evmOf(world).chain, payload: new Uint8Array(20).fill(6) };
  const refund = testLock("bob");
  act(world, burnRule, { asset: world.bbtc, amount, destination, maxFee: 5_000n, refund });
}

function evm(life: Life): void {
  const { world, random } = life;
  const { chain } = evmOf(world);
  stateContract(world);
  const open = listOf(world.state, listNames.plans)
    .map((id) => must(plans.get(world.state, id), "plan"))
    .filter(({ nonce }) => nonce > 0);
  for (const { nonce } of open) {
    if (nonce > life.executed + 1) continue;
    life.executed = Math.max(life.executed, nonce);
    attest(world, [executedEvent(world, nonce, random.chance(0.2) ? 1n : 0n)], { chain });
  }
  const { exported } = account(world);
  if (exported < 40_000n || random.chance(0.5)) return;
  const { networkId, bitcoin } = world.genesis;
  const destination = random.pick([
    { chain: networkId, payload: testLock("carol") },
    { chain: bitcoin.chain, payload: p2wpkh },
    { chain: bitcoin.chain, payload: Uint8Array.of(9) },
  ]);
  attest(world, [transferEvent(world, { amount: exported / 2n, destination })], { chain });
}

const moves = [
  pay,
  mineOne,
  mineOne,
  (life: Life) => reorganise(life, 1 + life.random.below(4)),
  bringHeaders,
  bringHeaders,
  (life: Life) => attest(life.world, eventsOf(life)),
  (life: Life) => attest(life.world, eventsOf(life)),
  signPlans,
  settlePlans,
  leave,
  evm,
] as const;

/** The asset's outputs on the ledger, by walking all of them. */
function supplyOf(world: World): bigint {
  let sum = 0n;
  const prefix = outputs.key({ txid: new Uint8Array(32), index: 0 }).subarray(0, 2);
  for (const { key, value } of world.state.entries()) {
    if (key[0] !== prefix[0] || key[1] !== prefix[1]) continue;
    const output = outputs.codec.decode(value);
    if (keyOf(output.asset) === keyOf(world.bbtc)) sum += output.amount;
  }
  return sum;
}

function check(life: Life, burnt: bigint): void {
  const { world } = life;
  const state = account(world);
  expect(isBalanced(state)).toBe(true);
  expect(state.halted).toBe(false);
  expect(state.supply).toBe(supplyOf(world) - burnt);
  const counted = heldCoins(world.state).filter(({ coin }) => coin.counted);
  const total = counted.reduce((sum, { coin }) => sum + coin.amount, 0n);
  expect(state.coins).toBe(total);
  expect(state.unswept).toBeLessThanOrEqual(world.genesis.params.loanLimit);
}

/** Runs everything to its end: no more reorganisations, every plan signed, mined and settled. */
function heal(life: Life): void {
  const { world } = life;
  for (let round = 0; round < 30; round++) {
    mineOne(life);
    bringHeaders(life);
    attest(world, eventsOf(life));
    signPlans(life);
    settlePlans(life);
    evm(life);
    endBlock(world);
  }
  for (let i = 0; i < 3; i++) endBlock(world);
}

describe("A random life of the bridge", () => {
  test("keeps ACC-1 to the unit, the loan within E, and credits and pays once", () => {
    const property = fc.property(
      fc.integer(),
      fc.array(fc.integer({ min: 0, max: moves.length - 1 }), { minLength: 20, maxLength: 60 }),
      fc.constantFrom(0n, 350_000_000n, 1_000_000_000n),
      (seed, steps, loanLimit) => {
        const world = createWorld({ loanLimit });
        const life: Life = {
          world,
          random: seeded(seed),
          waiting: [],
          made: [],
          pool: new Map(),
          seen: new Map(),
          chain: [],
          executed: 0,
        };
        let burnt = 0n;
        for (const step of steps) {
          const before = account(world).supply;
          must(moves[step], "move")(life);
          // The rules alone are under test: nobody spends the outputs that a burn takes.
          if (moves[step] === leave) burnt += before - account(world).supply;
          endBlock(world);
          check(life, burnt);
        }
        heal(life);
        check(life, burnt);
        for (const one of life.made) {
          const block = life.chain.find(({ transactions }) =>
            transactions.includes(one.transaction),
          );
          if (block === undefined) continue;
          const id = eventIdOf(
            world.genesis.networkId,
            world.genesis.bitcoin.chain,
            one.event(block),
          );
          const inbound = id instanceof Uint8Array ? inbounds.get(world.state, id) : undefined;
          if (inbound === undefined || inbound.status !== inboundStatus.waiting) continue;
          const deep = bitcoinTip(world.genesis, world.state).height - block.height > 12;
          const isStated = inbound.candidates.some(
            ({ blockHash }) => keyOf(blockHash) === keyOf(block.hash),
          );
          expect(deep && isStated).toBe(false);
        }
        expect(agenda.get(world.state, "only")?.due ?? false).toBe(false);
      },
    );
    fc.assert(property, { numRuns: 25 });
  });

  test("changes nothing at the end of a quiet block (CON-1)", () => {
    const world = createWorld();
    const made = deposit(world, { amount: 40_000_000n });
    const block = mine(world, [made.transaction]);
    bring(world, block);
    attest(world, [made.event(block)]);
    endBlock(world);
    const before = [...world.state.entries()].map(({ key, value }) => keyOf(key) + keyOf(value));
    interchainEndBlock(contextOf(world));
    const after = [...world.state.entries()].map(({ key, value }) => keyOf(key) + keyOf(value));
    expect(after).toEqual(before);
  });

  test("pays each withdrawal in at most one live plan", () => {
    const world = createWorld();
    const life: Life = {
      world,
      random: seeded(7),
      waiting: [],
      made: [],
      pool: new Map(),
      seen: new Map(),
      chain: [],
      executed: 0,
    };
    const paid = new Map<string, string>();
    for (let i = 0; i < 300; i++) {
      must(moves[life.random.below(moves.length)], "move")(life);
      endBlock(world);
      for (const id of listOf(world.state, listNames.plans)) {
        const plan = must(plans.get(world.state, id), "plan");
        for (const one of plan.withdrawals) {
          const before = paid.get(keyOf(one));
          const dead = before !== undefined && isDead(world, before);
          expect(before === undefined || before === keyOf(id) || dead).toBe(true);
          paid.set(keyOf(one), keyOf(id));
          expect(withdrawals.get(world.state, one)?.status).not.toBe(withdrawalStatus.queued);
        }
      }
    }
    expect(paid.size).toBeGreaterThan(3);
  });
});

function isDead(world: World, id: string): boolean {
  const bytes = Uint8Array.from(id.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return plans.get(world.state, bytes)?.status === planStatus.dead;
}
