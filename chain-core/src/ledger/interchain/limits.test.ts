// What many, or hostile, transfers may not do: grow a list past what its record holds, keep others waiting, or
// be believed before the ledger knows enough.
import { bigEndian, must, sha256 } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { vaultsOf } from "../../interchain/policy.ts";
import {
  inboundReasons,
  inboundStatus,
  listNames,
  planKinds,
  withdrawalStatus,
} from "../../interchain/records.ts";
import { testLock } from "../testing.ts";
import { listOf, move, putList, queueName } from "./accounting.ts";
import { burnRule } from "./burn.ts";
import { openVaultCoin } from "./coins.ts";
import type { World } from "./testing.ts";
import {
  account,
  act,
  attest,
  bring,
  confirm,
  contextOf,
  createWorld,
  deposit,
  endBlock,
  mine,
  openPlans,
  runPlans,
  subjectOf,
} from "./testing.ts";
import { evmOf, executedEvent, stateContract, transferEvent } from "./testing-evm.ts";
import { burn, burnOf, coin, funded, withdrawalOf } from "./testing-funded.ts";
import { assertSound, inboundOf } from "./testing-inbound.ts";

const half = 50_000_000n;

function strangers(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => sha256(bigEndian(i, 4)));
}

describe("A payment", () => {
  test("takes no more withdrawals than its record holds, and the next takes the rest", () => {
    const world = funded();
    const ids = Array.from({ length: 300 }, () => burn(world, { amount: 20_000n }));
    endBlock(world);
    endBlock(world);
    const open = openPlans(world, planKinds.withdrawal);
    expect(open.map(({ plan }) => plan.withdrawals.length)).toEqual([250, 50]);
    runPlans(world);
    for (const id of ids) expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.settled);
    assertSound(world);
  });

  test("goes on behind a withdrawal that its fee does not allow now", () => {
    const world = createWorld({ vaultCoins: 1, minCoin: coin });
    move(world.state, world.bbtc, { supply: 4n * coin, coins: 4n * coin });
    for (let i = 0; i < 4; i++) giveVaultCoin(world, coin, i);
    confirm(world, 3);
    burn(world, { amount: half });
    endBlock(world);
    const most = burn(world, { amount: 3n * coin - 20_000n, maxFee: 330n });
    const small = burn(world, { amount: 30_000n });
    endBlock(world);
    expect(withdrawalOf(world, most).status).toBe(withdrawalStatus.queued);
    expect(withdrawalOf(world, small).status).toBe(withdrawalStatus.planned);
  });

  test("of more than sixty coins at once is made possible by merging them", () => {
    const world = createWorld({ vaultCoins: 1 });
    const each = 1_000_000n;
    const value = 80n * each;
    move(world.state, world.bbtc, { supply: value - 100_000n, coins: value, reserve: 100_000n });
    for (let i = 0; i < 80; i++) giveVaultCoin(world, each, i);
    confirm(world, 3);
    const id = burn(world, { amount: 70n * each });
    endBlock(world);
    const [merge] = openPlans(world, planKinds.withdrawal);
    const { inputs, outputs } = subjectOf(must(merge, "merge").plan);
    expect([inputs.length, outputs.length]).toEqual([60, 1]);
    runPlans(world);
    runPlans(world);
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.settled);
    assertSound(world);
  });
});

function giveVaultCoin(world: World, amount: bigint, vout: number): void {
  const { hash: blockHash, height } = world.tip;
  const [vault] = vaultsOf(world.genesis, world.state);
  const origin = sha256(bigEndian(vout, 4));
  const { keyId } = must(vault, "vault");
  const place = { txid: origin, vout, blockHash, height, origin, lineage: new Uint8Array(0) };
  openVaultCoin(contextOf(world), { ...place, amount, keyId, counted: true });
}

describe("Lists", () => {
  test("of deposits: what waits and what is a coin count together", () => {
    const world = createWorld();
    const made = deposit(world, { amount: half });
    const block = mine(world, [made.transaction]);
    bring(world, block);
    putList(world.state, listNames.waiting, strangers(6_000));
    putList(world.state, listNames.coins, strangers(5_999));
    expect(attest(world, [made.event(block)])).toBeUndefined();
    const other = deposit(world, { amount: half });
    const next = mine(world, [other.transaction]);
    bring(world, next);
    expect(attest(world, [other.event(next)])).toBe("busy");
  });

  test("of deposits never hold what can never be credited", () => {
    const world = createWorld();
    const made = [{ amount: 600n }, { amount: half, maxFee: 0n }].map((of) => deposit(world, of));
    const block = mine(
      world,
      made.map(({ transaction }) => transaction),
    );
    bring(world, block);
    const events = made.map(({ event }) => event(block));
    expect(attest(world, events)).toBeUndefined();
    expect(listOf(world.state, listNames.waiting)).toEqual([]);
    const { chain } = world.genesis.bitcoin;
    for (const event of events)
      expect(inboundOf(world, event, chain)?.status).toBe(inboundStatus.reclaim);
  });

  test("of a full queue hold forwards until there is room", () => {
    const world = createWorld();
    const { chain } = evmOf(world);
    const destination = { chain, payload: new Uint8Array(20).fill(5) };
    const made = deposit(world, { amount: half, destination });
    const block = mine(world, [made.transaction]);
    bring(world, block);
    const event = made.event(block);
    attest(world, [event]);
    putList(world.state, queueName(chain), strangers(12_000));
    confirm(world, 1);
    expect(inboundOf(world, event)).toMatchObject({
      status: inboundStatus.held,
      reason: inboundReasons.queueFull,
    });
    putList(world.state, queueName(chain), []);
    confirm(world, 1);
    expect(inboundOf(world, event)?.status).toBe(inboundStatus.forwarded);
    assertSound(world);
  });

  test("of plans do not grow with a chain that stands still", () => {
    const world = funded();
    stateContract(world);
    const destination = { chain: evmOf(world).chain, payload: new Uint8Array(20).fill(4) };
    for (let i = 0; i < 70; i++) {
      burn(world, { amount: 20_000n, destination });
      endBlock(world);
    }
    expect(openPlans(world, planKinds.evmBatch).length).toBe(64);
    expect(listOf(world.state, queueName(destination.chain)).length).toBe(6);
    attest(world, [executedEvent(world, 1)], { chain: destination.chain });
    endBlock(world);
    const open = openPlans(world, planKinds.evmBatch);
    expect(open.at(-1)?.plan).toMatchObject({ nonce: 65 });
    expect(open.at(-1)?.plan.withdrawals.length).toBe(6);
  });

  test("of thousands of credits are worked off over several blocks", () => {
    const world = createWorld({ depositCap: coin, loanLimit: 1_000n * coin });
    const made = Array.from({ length: 300 }, () => deposit(world, { amount: 20_000n }));
    const block = mine(
      world,
      made.map(({ transaction }) => transaction),
    );
    bring(world, block);
    for (const part of [made.slice(0, 150), made.slice(150)])
      attest(
        world,
        part.map(({ event }) => event(block)),
      );
    confirm(world, 1);
    expect(listOf(world.state, listNames.coins).length).toBe(256);
    endBlock(world);
    expect(listOf(world.state, listNames.coins).length).toBe(300);
    expect(account(world).unswept).toBe(300n * 20_000n);
    assertSound(world);
  });
});

describe("An EVM chain", () => {
  const home = (world: World) => ({ chain: world.genesis.networkId, payload: testLock("bob") });

  test("whose burn is stated before the batch that minted it waits, and halts nothing", () => {
    const world = funded();
    stateContract(world);
    const { chain } = evmOf(world);
    burn(world, { destination: { chain, payload: new Uint8Array(20).fill(4) } });
    endBlock(world);
    const back = transferEvent(world, { amount: 9_000_000n, destination: home(world) });
    expect(attest(world, [back], { chain })).toBeUndefined();
    endBlock(world);
    expect(inboundOf(world, back, chain)?.status).toBe(inboundStatus.waiting);
    expect(account(world).halted).toBe(false);
    attest(world, [executedEvent(world, 1)], { chain });
    endBlock(world);
    expect(inboundOf(world, back, chain)?.status).toBe(inboundStatus.minted);
    assertSound(world);
  });

  test("whose contract is not stated is not believed (ETH-3)", () => {
    const world = funded();
    const { chain } = evmOf(world);
    move(world.state, world.bbtc, { supply: -1_000n, exported: 1_000n });
    const back = transferEvent(world, { amount: 1_000n, destination: home(world) });
    expect(attest(world, [back], { chain })).toBeUndefined();
    expect(attest(world, [executedEvent(world, 1)], { chain })).toBe("not-stated");
    endBlock(world);
    expect(inboundOf(world, back, chain)?.status).toBe(inboundStatus.waiting);
    expect(act(world, burnRule, burnOf(world))).toBeUndefined();
    stateContract(world);
    endBlock(world);
    expect(inboundOf(world, back, chain)?.status).toBe(inboundStatus.minted);
    assertSound(world);
  });
});
