// How much the contract of an EVM chain may hold under its key's bonds, of all assets together (RNG-7), and what becomes
// of the rest. CUSTODY_RUNS sets the number of histories.
import { bigEndian, bytes32, must } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Inbound } from "../../interchain/records.ts";
import {
  inboundReasons,
  inboundStatus,
  inbounds,
  planKinds,
  withdrawalReasons,
  withdrawalStatus,
} from "../../interchain/records.ts";
import type { ForeignEvent } from "../../interchain/statement.ts";
import { eventIdOf, eventKinds } from "../../interchain/statement.ts";
import { assetId } from "../assets.ts";
import type { Params, RegistryAsset } from "../genesis.ts";
import {
  accountOf,
  isBalanced,
  listOf,
  move,
  queueName,
  setDue,
} from "../interchain/accounting.ts";
import { burnRule } from "../interchain/burn.ts";
import type { World } from "../interchain/testing.ts";
import {
  attest,
  contextOf,
  createWorld,
  endBlock,
  openPlans,
  sign,
} from "../interchain/testing.ts";
import { executedEvent, stateContract, transferEvent } from "../interchain/testing-evm.ts";
import { burn, burnOf, withdrawalOf } from "../interchain/testing-funded.ts";
import { underWayIn } from "../interchain/under-way.ts";
import { prices } from "../prices.ts";
import { testGenesisBody, testLock } from "../testing.ts";
import { forfeit } from "./liability.ts";
import { custodiesIn } from "./liability-custody.ts";
import type { ContractRoom } from "./liability-records.ts";
import { contractRoomOf, unbounded } from "./liability-records.ts";

/** Half of the stake of all four bonds the key, and half of that may be in custody: BTM units. */
const limit = 1_000_000n * 100_000_000n;
/** So many units of an asset are worth the limit, at the price of these tests. */
const most = 1_000_000n;
const price = { btm: limit / most, units: 1n };

const { assets, evm } = testGenesisBody(4);
const here = must(evm[0], "EVM chain");
const { chain } = here;
const far = { ...here, chainId: 5n, chain: bytes32(bigEndian(5n, 32)) };
const entry = (symbol: string, byte: number): RegistryAsset => ({
  symbol,
  decimals: 6,
  chain,
  token: new Uint8Array(20).fill(byte),
  exports: [],
  price,
});
const tokens = { BETH: entry("BETH", 0), BUSD: entry("BUSD", 8) };
/** Of another chain; what is of it here, the contract mints. */
const exported = { chain, token: new Uint8Array(20).fill(7) };
const foreign = { ...entry("BFAR", 9), chain: far.chain, exports: [exported] };
const all = [...Object.values(tokens), foreign];

/** The contract is stated; of the foreign asset there is ten times what may be minted. */
function world(params: Partial<Params> = {}): World {
  const change = { evm: [...evm, far], assets: [...assets, ...all] };
  const made = createWorld({ ringCustodyBps: 5_000, ...params }, change);
  move(made.state, idOf(made, "BFAR"), { coins: 10n * most, supply: 10n * most });
  expect(stateContract(made)).toBeUndefined();
  endBlock(made);
  return made;
}

const idOf = (of: World, symbol: string): Uint8Array => must(assetId(of.genesis, symbol), symbol);

/** The event of a deposit of a token. */
function deposited(of: World, symbol: keyof typeof tokens, amount: bigint): ForeignEvent {
  const event = transferEvent(of, {
    amount,
    destination: { chain: of.genesis.networkId, payload: testLock("alice") },
    token: tokens[symbol].token,
    kind: eventKinds.evmDeposited,
  });
  expect(attest(of, [event], { chain })).toBeUndefined();
  endBlock(of);
  return event;
}

function inboundOf(of: World, event: ForeignEvent): Inbound {
  const id = eventIdOf(of.genesis.networkId, chain, event);
  return must(inbounds.get(of.state, id as Uint8Array), "inbound");
}

const toChain = { chain, payload: new Uint8Array(20).fill(4) };

/** Burns to the chain; gives the withdrawal's id. */
function sent(of: World, symbol: string, amount: bigint): Uint8Array {
  const id = burnt(of, symbol, amount);
  endBlock(of);
  return id;
}

const burnt = (of: World, symbol: string, amount: bigint): Uint8Array =>
  burn(of, { asset: idOf(of, symbol), amount, destination: toChain });

/** Two of the amount in one block, as far as they are not refused. */
function mintedTwice(of: World, amount: bigint): Uint8Array[] {
  const burnable = burnOf(of, { asset: idOf(of, "BFAR"), amount, destination: toChain });
  const ids = [0, 1].flatMap(() =>
    burnRule.validate(contextOf(of), burnable) === undefined ? [burnt(of, "BFAR", amount)] : [],
  );
  endBlock(of);
  return ids;
}

/** The contract runs all that is planned. */
function ran(of: World): void {
  for (const { id, plan } of openPlans(of, planKinds.evmBatch)) {
    expect(sign(of, id)).toBeUndefined();
    expect(attest(of, [executedEvent(of, plan.nonce)], { chain })).toBeUndefined();
  }
  endBlock(of);
}

function roomOf(of: World): ContractRoom {
  return custodiesIn(contextOf(of), underWayIn(of.state))(chain);
}

const held = { status: inboundStatus.held, reason: inboundReasons.bondLimit };
const minted = { status: inboundStatus.minted, reason: 0 };

describe("what an EVM contract holds (RNG-7)", () => {
  test("above its key's bonds is not credited, of all assets together, and is when there is room", () => {
    const of = world();
    const first = deposited(of, "BETH", (most * 6n) / 10n);
    const second = deposited(of, "BUSD", (most * 5n) / 10n);
    const third = deposited(of, "BUSD", (most * 4n) / 10n);
    expect(inboundOf(of, first)).toMatchObject(minted);
    expect(inboundOf(of, second)).toMatchObject(held);
    expect(inboundOf(of, third)).toMatchObject(minted);
    expect(accountOf(of.state, idOf(of, "BUSD")).coins).toBe((most * 4n) / 10n);
    expect(roomOf(of)).toEqual({ custody: limit, limit });
    sent(of, "BETH", (most * 6n) / 10n);
    expect(inboundOf(of, second)).toMatchObject(held);
    ran(of);
    expect(inboundOf(of, second)).toMatchObject(minted);
  });

  test("is what it can mint, too: a burn is refused, one that came too late waits and says so, releases pass", () => {
    const of = world();
    deposited(of, "BETH", most / 10n);
    const wish = burnOf(of, { asset: idOf(of, "BFAR"), amount: most, destination: toChain });
    expect(burnRule.validate(contextOf(of), wish)).toMatchObject({ code: "above-maximum" });
    const small = burnt(of, "BFAR", most / 2n);
    const big = burnt(of, "BFAR", (most * 9n) / 10n);
    const release = sent(of, "BETH", most / 10n);
    const { bondLimit } = withdrawalReasons;
    expect(withdrawalOf(of, big)).toMatchObject({
      status: withdrawalStatus.queued,
      reason: bondLimit,
    });
    for (const id of [small, release])
      expect(withdrawalOf(of, id)).toMatchObject({ status: withdrawalStatus.planned, reason: 0 });
    const fee = 1_100n;
    expect(roomOf(of).custody).toBe((most / 10n + most / 2n - fee) * price.btm);
    ran(of);
    expect(withdrawalOf(of, big)).toMatchObject({ reason: bondLimit });
    const amount = most / 2n - fee;
    const destination = { chain: of.genesis.networkId, payload: testLock("alice") };
    const home = transferEvent(of, { amount, destination, token: exported.token });
    expect(attest(of, [home], { chain })).toBeUndefined();
    endBlock(of);
    expect(withdrawalOf(of, big)).toMatchObject({ status: withdrawalStatus.planned, reason: 0 });
  });

  test("is none under a forfeited key, and is not bounded without bonds or a price", () => {
    const of = world();
    forfeit(contextOf(of), 2);
    const event = deposited(of, "BETH", 1n);
    expect(inboundOf(of, event)).toMatchObject(held);
    prices.put(of.state, idOf(of, "BETH"), { btm: 0n, units: 1n });
    expect(inboundOf(of, deposited(of, "BETH", 100n * most))).toMatchObject(minted);
    expect(inboundOf(of, event)).toMatchObject(minted);
    const free = world({ ringBondBps: 0 });
    expect(inboundOf(free, deposited(free, "BETH", 100n * most))).toMatchObject(minted);
  });
});

test("no price stops a block (CON-5)", () => {
  for (const extreme of [
    { btm: 10n ** 30n, units: 1n },
    { btm: 1n, units: 10n ** 30n },
  ]) {
    const of = world({ ringCustodyBps: 1_000_000_000_000 });
    for (const { symbol: name } of of.genesis.assets) prices.put(of.state, idOf(of, name), extreme);
    const event = deposited(of, "BETH", 10n ** 30n);
    expect(inboundOf(of, event)).toMatchObject(extreme.units === 1n ? held : minted);
    expect(contractRoomOf(of.state, chain).custody <= unbounded).toBe(true);
  }
});

const amount = fc.bigInt(2_000n, most / 2n);
const symbol = fc.constantFrom("BETH" as const, "BUSD" as const);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("deposit" as const), symbol, amount }) },
  fc.record({ kind: fc.constant("release" as const), symbol }),
  fc.record({ kind: fc.constant("mint" as const), amount }),
  fc.record({ kind: fc.constant("home" as const) }),
  fc.record({ kind: fc.constant("run" as const) }),
  fc.record({ kind: fc.constant("price" as const), symbol, btm: fc.bigInt(1n, 2n * price.btm) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Life = { readonly of: World; readonly events: ForeignEvent[]; readonly ids: Uint8Array[] };

function take({ of, events, ids }: Life, one: Step): void {
  switch (one.kind) {
    case "deposit":
      events.push(deposited(of, one.symbol, one.amount));
      return;
    case "release": {
      const { supply } = accountOf(of.state, idOf(of, one.symbol));
      if (supply > 4_000n) ids.push(sent(of, one.symbol, supply / 2n));
      return;
    }
    case "mint":
      ids.push(...mintedTwice(of, one.amount));
      return;
    case "home": {
      const amount = accountOf(of.state, idOf(of, "BFAR")).exported;
      if (amount === 0n) return;
      const destination = { chain: of.genesis.networkId, payload: testLock("alice") };
      attest(of, [transferEvent(of, { amount, destination, token: exported.token })], { chain });
      endBlock(of);
      return;
    }
    case "run":
      ran(of);
      return;
    case "price":
      prices.put(of.state, idOf(of, one.symbol), { btm: one.btm, units: 1n });
      endBlock(of);
  }
}

describe("a random life of a contract (RNG-7)", () => {
  test("never takes more than its bonds allow, loses nothing, and credits all once there is room", () => {
    const seen = { held: 0, waiting: 0 };
    fc.assert(
      fc.property(fc.array(step, { minLength: 4, maxLength: 25, size: "max" }), (steps) => {
        const life: Life = { of: world(), events: [], ids: [] };
        const { of, events, ids } = life;
        for (const one of steps) {
          const before = roomOf(of).custody;
          take(life, one);
          const { custody } = roomOf(of);
          // What a price makes of the value that is there already is nobody's admission.
          if (one.kind !== "price") expect(custody <= limit || custody <= before).toBe(true);
          for (const { symbol: name } of all)
            expect(isBalanced(accountOf(of.state, idOf(of, name)))).toBe(true);
        }
        const open = events.filter((event) => inboundOf(of, event).status === held.status);
        for (const event of open) expect(inboundOf(of, event)).toMatchObject(held);
        seen.held += open.length;
        seen.waiting += listOf(of.state, queueName(chain)).length;
        for (const { symbol: name } of all)
          prices.put(of.state, idOf(of, name), { btm: 1n, units: 1n });
        setDue(of.state);
        for (let i = 0; i < 3; i++) ran(of);
        for (const event of events) expect(inboundOf(of, event)).toMatchObject(minted);
        for (const id of ids) expect(withdrawalOf(of, id).status).toBe(withdrawalStatus.settled);
      }),
      { numRuns: Number(process.env.CUSTODY_RUNS ?? 30) },
    );
    expect(Math.min(seen.held, seen.waiting)).toBeGreaterThan(0);
  });
});
