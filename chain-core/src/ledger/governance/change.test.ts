import { equal, isRejected, must, utf8 } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kinds } from "../../codec/action.ts";
import { honestMin, quorum } from "../../consensus/quorum.ts";
import { assetId, formatAsset } from "../assets.ts";
import { blockContext } from "../context.ts";
import { economyOf, moveEconomy } from "../economy.ts";
import { ledgerEnv } from "../env.ts";
import { epochOf, epochs } from "../epoch/epochs.ts";
import { inconsistencies } from "../genesis-check.ts";
import { genesisState } from "../genesis-state.ts";
import type { MemoryState } from "../memory-state.ts";
import { memoryState } from "../memory-state.ts";
import { paramFields, paramNames, readParameters } from "../parameters.ts";
import type { Price } from "../prices.ts";
import { priceCodec, priceOf } from "../prices.ts";
import type { ActionContext, Rule } from "../rule.ts";
import { rules } from "../rules.ts";
import { testBls, testGenesis, testLock } from "../testing.ts";
import { outputs } from "../utxo/outputs.ts";
import { protocolOf } from "../versions.ts";
import { governSequence } from "./approval.ts";
import type { Change } from "./changes.ts";
import { checkChange, isLoosening, parameterValue, pendingOf, putPending } from "./changes.ts";
import { priceKey } from "./price.ts";
import type { AddedAsset } from "./registry.ts";
import { addedAssetCodec, assetKey, withRegistry } from "./registry.ts";
import { restitutionCodec, restitutionKey } from "./restitution.ts";
import type { SetParameter } from "./set-parameter.ts";
import { changeSubject, setParameterCodec, setParameterRule } from "./set-parameter.ts";
import { testApproval } from "./testing.ts";
import { governanceEpoch } from "./turn.ts";
import type { Upgrade } from "./upgrade.ts";
import { upgradeCodec, upgradeRule, upgradeSubject } from "./upgrade.ts";
import { protocolVersion, upgradeNeeded, versionOf } from "./version.ts";

const size = 7;
const genesis = testGenesis(size, { govDelayMs: 600_000 });
const env = ledgerEnv(genesis, testBls);
const everybody = [...Array(size).keys()];

type World = { readonly state: MemoryState; time: number };
const createWorld = (): World => ({
  state: memoryState(genesisState(genesis)),
  time: genesis.time + 1_000,
});

function contextOf({ state, time }: World): ActionContext {
  const context = blockContext(env, state, { height: 5, time });
  return { ...context, txid: context.genesis.networkId as never, position: 0 };
}

/** The code of the rejection, or undefined after the action took effect. */
function run<Body>(world: World, rule: Rule<Body>, body: Body): string | undefined {
  const context = contextOf(world);
  const parsed = rule.codec.parse(rule.codec.encode(body));
  if (isRejected(parsed)) return parsed.code;
  const bad = rule.validate(context, parsed);
  if (bad === undefined) rule.apply(context, parsed);
  return bad?.code;
}

type How = { readonly seats?: readonly number[]; readonly sequence?: number };

function setParameter(change: Change, world: World, how: How = {}): SetParameter {
  const { seats = everybody, sequence = governSequence(world.state) } = how;
  const act = { kind: kinds.setParameter, subject: changeSubject(change), sequence, epoch: 0 };
  return { change, approval: testApproval(genesis, act, seats) };
}

function change(name: string, value: number | bigint, epoch: number): Change {
  return { key: utf8(name), value: parameterValue(value), epoch };
}

const set = (world: World, of: Change, how?: How): string | undefined =>
  run(world, setParameterRule, setParameter(of, world, how));

/** The last block before `epoch`. */
function turn(world: World, epoch: number): void {
  governanceEpoch(contextOf(world), epoch);
  epochs.put(world.state, "only", { ...epochOf(world.state), number: epoch });
}

const paramOf = (world: World, name: string): number | bigint | undefined =>
  Object.entries(readParameters(world.state, genesis.params)).find(([one]) => one === name)?.[1];

describe("setParameter (GOV-1)", () => {
  test("takes effect with its epoch, two after the running one at the earliest", () => {
    const world = createWorld();
    expect(set(world, change("creditDepth", 3, 1))).toBe("bad-epoch");
    expect(set(world, change("creditDepth", 3, 2))).toBeUndefined();
    turn(world, 1);
    expect(paramOf(world, "creditDepth")).toBe(2);
    turn(world, 2);
    expect(paramOf(world, "creditDepth")).toBe(3);
    expect(pendingOf(world.state)).toEqual([]);
  });

  test("what loosens a limit waits for govDelayMs besides, what tightens it does not", () => {
    const world = createWorld();
    expect(set(world, change("depositCap", 2_000_000_000n, 2))).toBeUndefined();
    expect(set(world, change("loanLimit", 1n, 2))).toBeUndefined();
    world.time += 599_999;
    turn(world, 2);
    expect(paramOf(world, "depositCap")).toBe(genesis.params.depositCap);
    expect(paramOf(world, "loanLimit")).toBe(1n);
    world.time += 1;
    turn(world, 3);
    expect(paramOf(world, "depositCap")).toBe(2_000_000_000n);
  });

  test("a newer change of the same parameter replaces one that waits; an empty value takes it back", () => {
    const world = createWorld();
    expect(set(world, change("vaultCoins", 4, 2))).toBeUndefined();
    expect(set(world, change("vaultCoins", 5, 3))).toBeUndefined();
    turn(world, 2);
    expect(paramOf(world, "vaultCoins")).toBe(8);
    const back = { key: utf8("vaultCoins"), value: new Uint8Array(0), epoch: 4 };
    world.time = genesis.time + 2_000;
    const approved = setParameter(back, world);
    // Epoch 0's committee approves within ten minutes of the end of its epoch only.
    epochs.put(world.state, "only", { ...epochOf(world.state), number: 1 });
    expect(run(world, setParameterRule, { ...approved, change: { ...back, epoch: 3 } })).toBe(
      "bad-signature",
    );
    expect(run(world, setParameterRule, approved)).toBeUndefined();
    expect(pendingOf(world.state)).toEqual([]);
    turn(world, 3);
    expect(paramOf(world, "vaultCoins")).toBe(8);
  });

  test("an approval holds once, for what it says, by the quorum, in its sequence and epoch", () => {
    const world = createWorld();
    const first = setParameter(change("vaultCoins", 4, 2), world);
    const ahead = setParameter(change("vaultCoins", 5, 2), world, { sequence: 1 });
    expect(run(world, setParameterRule, ahead)).toBe("wrong-sequence");
    expect(run(world, setParameterRule, first)).toBeUndefined();
    expect(run(world, setParameterRule, first)).toBe("wrong-sequence");
    expect(run(world, setParameterRule, ahead)).toBeUndefined();
    const other = setParameter(change("vaultCoins", 4, 2), world);
    const moved = { ...other, change: change("vaultCoins", 4, 3) };
    expect(run(world, setParameterRule, moved)).toBe("bad-signature");
    const later = { ...other, approval: { ...other.approval, epoch: 1 } };
    expect(run(world, setParameterRule, later)).toBe("unknown-epoch");
    const stray = { ...other.approval, bitmap: Uint8Array.of(0xff) };
    expect(run(world, setParameterRule, { ...other, approval: stray })).toBe("bad-bitmap");
  });

  test("any set of seats approves exactly when it holds the quorum", () => {
    fc.assert(
      fc.property(fc.subarray(everybody), (seats) => {
        const world = createWorld();
        const power = BigInt(seats.length);
        const expected = power >= quorum(BigInt(size)) ? undefined : "no-quorum";
        expect(set(world, change("vaultCoins", 4, 2), { seats })).toBe(expected);
      }),
      { numRuns: 40 },
    );
    expect(honestMin(7n)).toBeLessThan(quorum(7n));
  });

  test("refuses what no parameter is, what is out of bounds, and what does not go together", () => {
    const world = createWorld();
    expect(set(world, change("colour", 4, 2))).toBe("unknown-parameter");
    expect(set(world, change("constructor", 4, 2))).toBe("unknown-parameter");
    expect(set(world, change("vaultCoins", 65, 2))).toBe("bad-value");
    expect(set(world, { ...change("vaultCoins", 4, 2), value: Uint8Array.of(4) })).toBe(
      "bad-value",
    );
    expect(set(world, change("creditDepth", 4, 2))).toBe("inconsistent");
    expect(set(world, change("finalDepth", 9, 2))).toBeUndefined();
    expect(set(world, change("creditDepth", 4, 2))).toBeUndefined();
    expect(set(world, change("finalDepth", 3, 2))).toBe("inconsistent");
  });

  test("whatever was accepted, parameters stay in their bounds and go together, and nothing is early", () => {
    const wish = fc.record({
      name: fc.constantFrom(...paramNames),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      ahead: fc.integer({ min: 2, max: 4 }),
      turns: fc.integer({ min: 0, max: 2 }),
      waitMs: fc.integer({ min: 0, max: 500_000 }),
    });
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 25 }), (wishes) => {
        const world = createWorld();
        const { state } = world;
        let epoch = 0;
        for (const { name, share, ahead, turns, waitMs } of wishes) {
          const { min, max } = paramFields[name];
          const value = min + BigInt(Math.floor(Number(max - min) * share ** 8));
          const next = change(name, value, epoch + ahead);
          if (checkChange(state, genesis, next) === undefined) {
            const isLoose = isLoosening(state, genesis, next);
            putPending(state, { ...next, notBefore: isLoose ? world.time + 600_000 : 0 });
          }
          for (let i = 0; i < turns; i++) {
            world.time += waitMs;
            epoch += 1;
            const before = readParameters(state, genesis.params);
            const pending = pendingOf(state);
            governanceEpoch(contextOf(world), epoch);
            const after = readParameters(state, genesis.params);
            expect(inconsistencies(after)).toEqual([]);
            for (const one of paramNames) {
              if (after[one] === before[one]) continue;
              const why = must(
                pending.find(({ key }) => new TextDecoder().decode(key) === one),
                "a change",
              );
              expect(why.epoch).toBeLessThanOrEqual(epoch);
              expect(why.notBefore).toBeLessThanOrEqual(world.time);
            }
          }
        }
        const left = pendingOf(state).map(({ key }) => new TextDecoder().decode(key));
        expect(new Set(left).size).toBe(left.length);
      }),
      { numRuns: 200 },
    );
  });

  test("of random bytes gives a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const one of [setParameterCodec, upgradeCodec])
          expect(isRejected(one.parse(bytes))).toBe(true);
      }),
    );
  });
});

describe("the asset registry (GOV-1)", () => {
  const evm = must(genesis.evm[0], "EVM chain");
  const usdc: AddedAsset = {
    decimals: 6,
    chain: evm.chain,
    token: new Uint8Array(20).fill(7),
    exports: [],
    price: { btm: 0n, units: 1n },
  };
  const added = (symbol: string, asset: AddedAsset = usdc): Change => ({
    key: assetKey(symbol),
    value: addedAssetCodec.encode(asset),
    epoch: 2,
  });

  test("an asset is known after its epoch and the delay, to everything that reads the registry", () => {
    const world = createWorld();
    expect(set(world, added("BUSDC"))).toBeUndefined();
    turn(world, 2);
    expect(withRegistry(world.state, genesis)).toBe(genesis);
    world.time += 600_000;
    turn(world, 3);
    const known = contextOf(world).genesis;
    const id = must(assetId(known, "BUSDC"), "asset");
    expect(formatAsset(known, id, 1_500_000n)).toBe("1.5 BUSDC");
    expect(assetId(genesis, "BUSDC")).toBeUndefined();
    expect(withRegistry(world.state, known)).toBe(known);
    expect(set({ ...world, time: genesis.time + 2_000 }, added("BUSDC"))).not.toBeUndefined();
  });

  test("a symbol, origin or chain that is known or none cannot be added", () => {
    const world = createWorld();
    const bad = "bad-asset";
    expect(set(world, added("BBTC"))).toBe(bad);
    expect(set(world, added("BTM"))).toBe(bad);
    expect(set(world, added("usdc"))).toBe(bad);
    expect(set(world, added("X2", { ...usdc, chain: new Uint8Array(32).fill(9) }))).toBe(bad);
    expect(set(world, added("X2", { ...usdc, decimals: 37 }))).toBe(bad);
    expect(set(world, added("X2", { ...usdc, price: { btm: 1n, units: 0n } }))).toBe(bad);
    const btc = { ...usdc, chain: genesis.bitcoin.chain, token: new Uint8Array(20) };
    expect(set(world, added("X2", btc))).toBe(bad);
    expect(set(world, { ...added("X2"), value: Uint8Array.of(1, 2) })).toBe(bad);
  });

  test("of two additions of one origin the second is dropped, not refused by a crash (CON-5)", () => {
    const world = createWorld();
    expect(set(world, added("BUSDC"))).toBeUndefined();
    expect(set(world, added("CUSDC"))).toBeUndefined();
    world.time += 600_000;
    turn(world, 2);
    const { assets } = withRegistry(world.state, genesis);
    expect(assets.map(({ symbol }) => symbol)).toEqual(["BBTC", "BUSDC"]);
  });
});

describe("the price of an asset (GOV-1, ACC-2, RNG-7)", () => {
  const priced = (symbol: string, price: Price): Change => ({
    key: priceKey(symbol),
    value: priceCodec.encode(price),
    epoch: 2,
  });
  const now = ({ state }: World): Price | undefined =>
    priceOf(state, genesis, must(assetId(genesis, "BBTC"), "BBTC"));

  test.each([
    { btm: 1_000n, units: 3n },
    { btm: 1n, units: 3n },
    { btm: 0n, units: 1n },
  ])(
    "changes to $btm for $units after its epoch and the delay, in whichever direction",
    (price) => {
      const world = createWorld();
      const before = now(world);
      expect(set(world, priced("BBTC", price))).toBeUndefined();
      turn(world, 2);
      expect(now(world)).toEqual(before);
      world.time += 600_000;
      turn(world, 3);
      expect(now(world)).toEqual(price.btm === 0n ? undefined : price);
    },
  );

  test("is of an asset of the registry, and no more than products bear", () => {
    const world = createWorld();
    const bad = "bad-price";
    expect(set(world, priced("BUSDC", { btm: 1n, units: 1n }))).toBe(bad);
    expect(set(world, priced("BBTC", { btm: 1n, units: 0n }))).toBe(bad);
    expect(set(world, priced("BBTC", { btm: 10n ** 31n, units: 1n }))).toBe(bad);
    expect(set(world, { ...priced("BBTC", { btm: 1n, units: 1n }), value: Uint8Array.of(1) })).toBe(
      bad,
    );
  });
});

describe("a payment from the restitution pool (RNG-7, GOV-1)", () => {
  const lock = testLock("alice");
  const pay = (amount: bigint, name = "case-1", to: Uint8Array = lock): Change => ({
    key: restitutionKey(name),
    value: restitutionCodec.encode({ lock: to, amount }),
    epoch: 2,
  });
  const paidTo = (world: World): bigint[] =>
    [...world.state.entries()]
      .filter(({ key }) => equal(key.slice(0, 2), outputsPrefix))
      .map(({ value }) => outputs.codec.decode(value))
      .filter((one) => equal(one.lock, lock))
      .map(({ amount }) => amount);
  const outputsPrefix = outputs.key({ txid: new Uint8Array(32), index: 0 }).slice(0, 2);
  const filled = (): World => {
    const world = createWorld();
    moveEconomy(world.state, { issued: 100n, restitution: 100n });
    return world;
  };

  test("is made once, to its lock, after its epoch and the delay", () => {
    const world = filled();
    const before = paidTo(world);
    expect(set(world, pay(60n))).toBeUndefined();
    turn(world, 2);
    expect(economyOf(world.state).restitution).toBe(100n);
    world.time += 600_000;
    turn(world, 3);
    turn(world, 4);
    expect(paidTo(world).toSorted()).toEqual([...before, 60n].toSorted());
    expect(economyOf(world.state)).toMatchObject({ restitution: 40n });
  });

  test("that the pool cannot make is refused, or dropped when its day comes (CON-5)", () => {
    const world = filled();
    const bad = "bad-restitution";
    expect(set(world, pay(0n))).toBe(bad);
    expect(set(world, pay(101n))).toBe(bad);
    expect(set(world, pay(1n, "Case"))).toBe(bad);
    expect(set(world, pay(1n, "case", new Uint8Array(32)))).toBe(bad);
    expect(set(world, { ...pay(1n), value: Uint8Array.of(1) })).toBe(bad);
    expect(set(world, pay(60n, "one"))).toBeUndefined();
    expect(set(world, pay(60n, "two"))).toBeUndefined();
    world.time += 600_000;
    turn(world, 2);
    expect(economyOf(world.state).restitution).toBe(40n);
    expect(pendingOf(world.state)).toEqual([]);
  });
});

describe("upgrade (GOV-1, FMT-7)", () => {
  const upgrade = (world: World, version: number, epoch: number): string | undefined => {
    const step = { version, epoch };
    const sequence = governSequence(world.state);
    const act = { kind: kinds.upgrade, subject: upgradeSubject(step), sequence, epoch: 0 };
    const body: Upgrade = { step, approval: testApproval(genesis, act, everybody) };
    return run(world, upgradeRule, body);
  };

  test("the version is the next one from the first block of its epoch", () => {
    const world = createWorld();
    expect(upgrade(world, 2, 1)).toBe("bad-epoch");
    expect(upgrade(world, 3, 2)).toBe("bad-version");
    expect(upgrade(world, 1, 2)).toBe("bad-version");
    expect(upgrade(world, 2, 2)).toBeUndefined();
    turn(world, 1);
    expect(versionOf(world.state)).toBe(1);
    turn(world, 2);
    expect(versionOf(world.state)).toBe(2);
    expect(upgradeNeeded(2, 2)).toBeUndefined();
    expect(upgradeNeeded(2, 1)?.message).toMatch(/version 2.*up to 1.*install a newer/);
  });

  test("a scheduled one is replaced by a later approval, or taken back", () => {
    const world = createWorld();
    expect(upgrade(world, 2, 2)).toBeUndefined();
    expect(upgrade(world, 2, 5)).toBeUndefined();
    turn(world, 2);
    expect(versionOf(world.state)).toBe(1);
    epochs.put(world.state, "only", { ...epochOf(world.state), number: 0 });
    expect(upgrade(world, 1, 2)).toBeUndefined();
    turn(world, 5);
    expect(protocolVersion(world.state)).toEqual({ current: 1, next: 0, epoch: 0 });
  });

  test("the rules of each version stay, and two of one kind and version are a mistake", () => {
    const [first, ...others] = rules;
    const old = must(first, "a rule");
    const changed = { ...old, since: 3, describe: () => "changed" };
    const gone = { ...must(others[0], "another"), until: 2 };
    const protocol = protocolOf(3, [{ ...old, until: 3 }, changed, gone, ...others.slice(1)]);
    expect(protocol.ruleOf(2, old.kind)?.describe).toBe(old.describe);
    expect(protocol.ruleOf(3, old.kind)).toBe(changed);
    expect(protocol.ruleOf(1, gone.kind)).toBe(gone);
    expect(protocol.ruleOf(2, gone.kind)).toBeUndefined();
    expect(protocol.ruleOf(4, old.kind)).toBeUndefined();
    expect(() => protocolOf(3, [old, changed])).toThrow(/two rules/);
  });
});
