// Random lives of stake: whatever holders, validators and offences do in whatever order, every unit of BTM is in one
// account. STAKE_RUNS sets the number of histories.
import { equal, keyOf, must } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blockContext } from "../context.ts";
import type { Economy } from "../economy.ts";
import { economyOf, moveEconomy } from "../economy.ts";
import { ledgerEnv } from "../env.ts";
import { epochOf } from "../epoch/epochs.ts";
import { epochEndBlock } from "../epoch/turn.ts";
import { isTombstoned, tombstone } from "../epoch/validators.ts";
import { standings } from "../epoch/votes.ts";
import { genesisState } from "../genesis-state.ts";
import type { MemoryState } from "../memory-state.ts";
import { memoryState } from "../memory-state.ts";
import { bondOf, forfeit, noteCustody } from "../ring/liability.ts";
import { custodies } from "../ring/liability-records.ts";
import { holdKey } from "../ring/liability-testing.ts";
import type { ActionContext, BlockContext } from "../rule.ts";
import type { AnyRule } from "../rules.ts";
import type { Table } from "../state.ts";
import { testBls, testGenesis, testHash, testLock } from "../testing.ts";
import { outputs } from "../utxo/outputs.ts";
import { peek } from "./delegation.ts";
import { claimRule, withdrawRule } from "./payout-rules.ts";
import { poolOf, pools, potOf } from "./pool.ts";
import { causes, jail, slash, stopRewards } from "./punish.ts";
import { delegateRule, redelegateRule, undelegateRule } from "./stake-rules.ts";
import { exitPools, exits } from "./unbonding.ts";
import { exitRule, unjailRule, updateRule } from "./validator-rules.ts";

const genesis = testGenesis(5, {
  seats: 3,
  standbySeats: 1,
  epochMs: 10_000,
  unbondingMs: 9_000,
  jailMs: 5_000,
  selfStakeMin: 1_000n,
  delegationMin: 1n,
  issuanceMax: 30_000_000_00000000n,
});
const small = {
  ...genesis,
  validators: genesis.validators.map((one, i) => ({
    ...one,
    stake: BigInt(7_777 * (i + 1)) * 10n ** 10n,
  })),
};
const owners = small.validators.map(({ owner }) => owner);
const holders = [...["alice", "bob", "carol"].map(testLock), ...owners.slice(0, 2)];
const everybody = [...new Map([...holders, ...owners].map((lock) => [keyOf(lock), lock])).values()];
const env = ledgerEnv(small, testBls);
const start = genesisState(small);

const zeros = new Uint8Array(32);

/** Every record of a table, of which `key` is any key. */
function all<Key, Value>(state: MemoryState, of: Table<Key, Value>, any: Key): Value[] {
  const prefix = of.key(any);
  return [...state.entries()]
    .filter(({ key }) => key[0] === prefix[0] && key[1] === prefix[1])
    .map(({ value }) => of.codec.decode(value));
}
const sum = (values: readonly bigint[]): bigint => values.reduce((a, b) => a + b, 0n);

/** `held`, `loaded` and `emptied` are the model of RNG-7: who got a share in which epoch, and what holds value. A key that was reshared once is not loaded anew. */
type World = {
  readonly state: MemoryState;
  height: number;
  time: number;
  spent: bigint;
  held: { keyId: number; owner: Uint8Array; epoch: number }[];
  readonly reshared: Set<number>;
  readonly loaded: Set<number>;
  readonly emptied: Map<number, number>;
  readonly forfeited: Set<number>;
};

/** No stake leaves while it answers for a key that holds value, or did within the delay (RNG-7). */
function checkFree(world: World, validator: Uint8Array, epoch: number): void {
  const { held, loaded, emptied, forfeited, time } = world;
  const binding = held.filter(
    ({ keyId, owner, epoch: since }) =>
      equal(owner, validator) &&
      since <= epoch + 1 &&
      !forfeited.has(keyId) &&
      (loaded.has(keyId) || time < (emptied.get(keyId) ?? 0) + genesis.params.unbondingMs),
  );
  expect(binding).toEqual([]);
}

function checkAll({ state, spent, time }: World): void {
  const own: Economy = economyOf(state);
  const coins = sum(all(state, outputs, { txid: zeros, index: 0 }).map((one) => one.amount));
  const { issued, ...elsewhere } = own;
  expect(coins - spent).toBe(issued - sum(Object.values(elsewhere)));
  const lists = all(state, pools, zeros);
  expect(sum(lists.map(({ tokens }) => tokens))).toBe(own.staked);
  for (const { tokens, shares } of lists) {
    expect(tokens <= shares).toBe(true);
    expect(tokens > 0n).toBe(shares > 0n);
  }
  const left = all(state, exitPools, { validator: zeros, epoch: 0 });
  expect(sum(left.map(({ tokens }) => tokens))).toBe(own.unbonding);
  const parts = all(state, exits, { validator: zeros, epoch: 0, delegator: zeros });
  expect(sum(parts.map(({ shares }) => shares))).toBe(sum(left.map(({ shares }) => shares)));
  const { pot, until } = potOf(state);
  expect(pot + sum(lists.map(({ rewards, commission }) => rewards + commission))).toBe(own.rewards);
  for (const validator of owners) {
    const known = poolOf(state, validator);
    const views = everybody.map((delegator) =>
      peek(state, { validator, delegator }, { time: Math.min(time, until), commission: 0 }),
    );
    expect(sum(views.map(({ delegation }) => delegation.shares))).toBe(known.shares);
    // No claim is without cover, even after all that has accrued since the last settlement.
    expect(
      sum(views.map(({ delegation }) => delegation.accrued)) <= must(views[0], "view").pool.rewards,
    ).toBe(true);
  }
}

const actor = fc.nat(holders.length - 1);
const target = fc.nat(owners.length - 1);
const key = fc.integer({ min: 1, max: 3 });
const amount = fc.oneof(fc.constant(0n), fc.bigInt(1n, 6n * 10n ** 14n), fc.constant(1n));
const event = fc.oneof(
  // Stake must be there before anything happens to it, and little of it is free.
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("delegate" as const), actor, target, amount }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("undelegate" as const), actor, target, amount }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("withdraw" as const), actor, target }),
  },
  fc.record({ kind: fc.constant("redelegate" as const), actor, target, to: target, amount }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.constant(30_000) }),
  fc.record({ kind: fc.constant("claim" as const), actor, target, isDelegated: fc.boolean() }),
  fc.record({ kind: fc.constant("update" as const), target, commission: fc.nat(10_000) }),
  fc.record({ kind: fc.constant("exit" as const), target }),
  fc.record({ kind: fc.constant("unjail" as const), target }),
  fc.record({ kind: fc.constant("late" as const), target, votes: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant("jail" as const), target }),
  fc.record({
    kind: fc.constant("slash" as const),
    target,
    bps: fc.integer({ min: 0, max: 9_000 }),
    back: fc.nat(3),
    isLast: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("hold" as const), key, by: fc.array(target, { minLength: 1 }) }),
  fc.record({ kind: fc.constant("load" as const), keys: fc.uniqueArray(key) }),
  fc.record({ kind: fc.constant("theft" as const), key }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 12_000 }) }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 45_000 }) }),
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** Applies it as a transaction of its own; what the rule refuses changes nothing. */
function act(world: World, rule: AnyRule, body: unknown): boolean {
  const { state, height, time } = world;
  const context: ActionContext = {
    ...blockContext(env, state, { height, time }),
    txid: testHash(genesis.networkId, height),
    position: 0,
  };
  if (rule.validate(context, body) !== undefined) return false;
  // What it takes out of the transaction comes from outputs.
  for (const [, value] of rule.balance(context, body)) world.spent -= value;
  rule.apply(context, body);
  return true;
}

/** The first exit that is free, whoever's it is. */
function withdrawAny(world: World): boolean {
  const { number } = epochOf(world.state);
  for (let epoch = 0; epoch <= number; epoch++)
    for (const validator of owners)
      for (const delegator of holders)
        if (act(world, withdrawRule, { delegator, validator, epoch })) {
          checkFree(world, validator, epoch);
          return true;
        }
  return false;
}

const known = ({ held }: World, keyId: number): boolean => held.some((one) => one.keyId === keyId);

const isLoadable = (world: World, keyId: number): boolean =>
  world.loaded.has(keyId) || (known(world, keyId) && !world.reshared.has(keyId));

function hold(world: World, block: BlockContext, keyId: number, by: Uint8Array[]): void {
  holdKey(block, keyId, by);
  if (known(world, keyId)) world.reshared.add(keyId);
  else world.emptied.set(keyId, block.time);
  const { number: epoch } = epochOf(world.state);
  const fresh = by.filter(
    (owner) => !world.held.some((one) => one.keyId === keyId && equal(one.owner, owner)),
  );
  world.held.push(...fresh.map((owner) => ({ keyId, owner, epoch })));
}

function load({ loaded, emptied }: World, block: BlockContext, now: ReadonlySet<number>): void {
  noteCustody(block, now);
  for (const keyId of loaded) if (!now.has(keyId)) emptied.set(keyId, block.time);
  loaded.clear();
  for (const keyId of now) loaded.add(keyId);
}

/** What is forfeited is in the pool, once, and no less than the bond was said to be. */
function steal({ state, forfeited }: World, block: BlockContext, keyId: number): boolean {
  const before = economyOf(state).restitution;
  const bond = bondOf(block, keyId);
  const taken = forfeit(block, keyId);
  expect(economyOf(state).restitution - before).toBe(taken);
  expect(taken >= bond).toBe(true);
  if (forfeited.has(keyId)) expect(taken).toBe(0n);
  if (custodies.get(state, keyId) !== undefined) forfeited.add(keyId);
  expect(bondOf(block, keyId)).toBe(0n);
  return taken > 0n;
}

function run(world: World, of: Event): boolean {
  const { state } = world;
  world.height += 1;
  world.time += 1;
  const context = blockContext(env, state, { height: world.height, time: world.time });
  const at = (list: readonly Uint8Array[], i: number): Uint8Array => must(list[i], "one of them");
  switch (of.kind) {
    case "wait":
      world.time += of.ms;
      epochEndBlock(blockContext(env, state, { height: world.height, time: world.time }));
      return true;
    case "late": {
      const owner = at(owners, of.target);
      const before = standings.get(state, owner) ?? { included: 0, paid: 0, misses: [] };
      standings.put(state, owner, { ...before, included: before.included + of.votes });
      return true;
    }
    case "hold":
      hold(
        world,
        context,
        of.key,
        [...new Set(of.by)].map((i) => at(owners, i)),
      );
      return true;
    case "load":
      load(world, context, new Set(of.keys.filter((one) => isLoadable(world, one))));
      return true;
    case "theft":
      return steal(world, context, of.key);
    case "jail":
      jail(context, at(owners, of.target));
      return true;
    case "slash": {
      const owner = at(owners, of.target);
      const { number } = epochOf(state);
      const taken = slash(context, owner, {
        epoch: Math.max(0, number - of.back),
        cause: causes.doubleSign,
        bps: of.bps,
      });
      moveEconomy(state, { burnt: taken });
      if (!of.isLast || isTombstoned(state, owner)) return true;
      stopRewards(state, owner, world.time);
      tombstone(state, owner, { epoch: number, height: world.height });
      return true;
    }
    case "update":
    case "exit":
    case "unjail": {
      const owner = at(owners, of.target);
      if (of.kind === "exit") return act(world, exitRule, { owner });
      if (of.kind === "unjail") return act(world, unjailRule, { owner });
      const profile = {
        name: new Uint8Array(0),
        site: new Uint8Array(0),
        commission: of.commission,
      };
      return act(world, updateRule, { owner, profile, keys: [] });
    }
    default: {
      const delegator = at(holders, of.actor);
      const validator = at(owners, of.target);
      if (of.kind === "claim")
        return act(world, claimRule, { delegator, validator, isDelegated: of.isDelegated });
      if (of.kind === "withdraw") return withdrawAny(world);
      if (of.kind === "redelegate") {
        const to = at(owners, of.to);
        return act(world, redelegateRule, { delegator, from: validator, to, amount: of.amount });
      }
      const rule = of.kind === "delegate" ? delegateRule : undelegateRule;
      return act(world, rule, { delegator, validator, amount: of.amount });
    }
  }
}

describe("a random life of stake (STK)", () => {
  test("keeps every unit of BTM in one account, and every claim covered, after every action", () => {
    const done: Record<string, number> = {};
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 40, size: "max" }), (events) => {
        const world: World = {
          state: memoryState(start),
          height: 0,
          time: genesis.time,
          spent: 0n,
          held: [],
          reshared: new Set(),
          loaded: new Set(),
          emptied: new Map(),
          forfeited: new Set(),
        };
        checkAll(world);
        for (const one of events) {
          if (run(world, one)) done[one.kind] = (done[one.kind] ?? 0) + 1;
          checkAll(world);
        }
      }),
      { numRuns: Number(process.env.STAKE_RUNS ?? 500) },
    );
    // A test that is refused everything shows nothing.
    for (const kind of [
      "delegate",
      "undelegate",
      "redelegate",
      "withdraw",
      "claim",
      "update",
      "exit",
      "unjail",
      "theft",
    ])
      expect([kind, done[kind] ?? 0]).not.toEqual([kind, 0]);
  }, 600_000);
});
