// What the ledger takes for a theft of the ring, and what not, however it looks (RNG-7); and how much the ring may hold.
import { isRejected, must, zero32 } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { reclaimDelay, vaultDelay } from "../../interchain/bitcoin/scripts.ts";
import { parseTransaction } from "../../interchain/bitcoin/transaction.ts";
import { vaultsOf } from "../../interchain/policy.ts";
import type { Coin, Inbound, Plan } from "../../interchain/records.ts";
import {
  coinKinds,
  inboundReasons,
  inboundStatus,
  inbounds,
  outpoint,
  planKinds,
  planStatus,
  plans,
} from "../../interchain/records.ts";
import type { ForeignEvent } from "../../interchain/statement.ts";
import { eventIdOf } from "../../interchain/statement.ts";
import { nextKeys } from "../../ring/records.ts";
import { economyOf } from "../economy.ts";
import type { Params } from "../genesis.ts";
import { heldCoins } from "../interchain/coins.ts";
import { spendUnplanned } from "../interchain/settle-foreign.ts";
import type { Deposit, World } from "../interchain/testing.ts";
import {
  account,
  attest,
  bring,
  confirm,
  contextOf,
  createWorld,
  deposit,
  endBlock,
  mine,
  openPlans,
  payment,
  runPlans,
  settle,
} from "../interchain/testing.ts";
import { evmOf, executedEvent, stateContract } from "../interchain/testing-evm.ts";
import { burn, coin, funded, p2wpkh } from "../interchain/testing-funded.ts";
import { prices } from "../prices.ts";
import { slashesOf } from "../staking/punish.ts";
import { forfeit } from "./liability.ts";
import { custodies } from "./liability-records.ts";

/** Half of what stands behind all four. */
const bonds = 2_000_000n * 100_000_000n;

function vaultCoin(world: World): Coin {
  const vault = heldCoins(world.state).find((held) => held.coin.kind === coinKinds.vault);
  return must(vault, "vault coin").coin;
}

/** Coins of ours to a stranger, in one transaction. */
function spend(world: World, coins: readonly Coin[], sequence: number): Uint8Array {
  const script = new Uint8Array(0);
  const inputs = coins.map(({ txid, vout }) => ({ txid, vout, script, sequence }));
  const total = coins.reduce((sum, { amount }) => sum + amount, 0n);
  return payment(world, [{ amount: total - 500n, script: p2wpkh }], inputs);
}

/** Mines it and brings it to final depth; the code of its settlement. */
function seen(world: World, transaction: Uint8Array): string | undefined {
  const block = mine(world, [transaction]);
  bring(world, block, mine(world), mine(world));
  const code = settle(world, block, transaction);
  endBlock(world);
  return code;
}

const forfeited = ({ state }: World): bigint => economyOf(state).restitution;

describe("a vault coin spent without a plan and without a leaf (RNG-7)", () => {
  test("halts the asset and forfeits the bonds of the key, once, and each delegator can read why", () => {
    const world = funded(2, { vaultCoins: 3 });
    const all = heldCoins(world.state).map((held) => held.coin);
    expect(all.length).toBeGreaterThan(2);
    const [first, second, third] = all as [Coin, Coin, Coin];
    expect(seen(world, spend(world, [first, second], 0xfffffffd))).toBeUndefined();
    expect(account(world).halted).toBe(true);
    expect(forfeited(world)).toBe(bonds);
    for (const { owner } of world.genesis.validators)
      expect(slashesOf(world.state, owner)).toMatchObject([{ cause: 4, bps: 5_000 }]);
    expect(seen(world, spend(world, [third], 0xfffffffd))).toBeUndefined();
    expect(forfeited(world)).toBe(bonds);
    expect(custodies.get(world.state, 1)).toMatchObject({ isForfeited: true });
    expect(custodies.get(world.state, 2)).toMatchObject({ isForfeited: false });
  });

  test("is none before final depth, nor when it left the best chain", () => {
    const world = funded();
    const fork = world.tip;
    const theft = spend(world, [vaultCoin(world)], 0xfffffffd);
    const block = mine(world, [theft]);
    bring(world, block, mine(world));
    expect(settle(world, block, theft)).toBe("too-shallow");
    const branch = [mine(world, [], fork), mine(world), mine(world)];
    bring(world, ...branch);
    bring(world, mine(world));
    expect(settle(world, block, theft)).toBe("unknown-block");
    endBlock(world);
    expect([account(world).halted, forfeited(world)]).toEqual([false, 0n]);
  });

  test("is none by the leaf, after the leaf's delay", () => {
    const world = funded();
    const own = vaultCoin(world);
    const recovery = parseTransaction(spend(world, [own], vaultDelay));
    if (isRejected(recovery)) throw new Error(recovery.message);
    const height = own.height + vaultDelay;
    const at = { transaction: recovery, txid: zero32, blockHash: world.tip.hash, height };
    const block = contextOf(world);
    spendUnplanned(block, { name: outpoint(own.txid, own.vout), coin: own }, at);
    expect(forfeited(world)).toBe(0n);
    const early = { ...at, height: height - 1 };
    spendUnplanned(block, { name: outpoint(own.txid, own.vout), coin: own }, early);
    expect(forfeited(world)).toBe(bonds);
  });

  test("is none by any attempt that was planned, even a dead one that a reorganisation brings back", () => {
    const world = funded(2);
    burn(world, { amount: 150_000_000n });
    endBlock(world);
    const { id, plan } = must(openPlans(world, planKinds.withdrawal)[0], "plan");
    plans.put(world.state, id, { ...plan, status: planStatus.dead });
    expect(seen(world, plan.subject)).toBeUndefined();
    expect([account(world).halted, forfeited(world)]).toEqual([true, 0n]);
  });

  test("is none by what is given to the vault", () => {
    const world = funded();
    const { script } = must(vaultsOf(world.genesis, world.state)[0], "vault");
    expect(seen(world, payment(world, [{ amount: coin, script }]))).toBe("nothing-new");
    expect([account(world).halted, forfeited(world)]).toEqual([false, 0n]);
  });
});

describe("a contract's message that no plan contains (RNG-7)", () => {
  const stolen = (world: World): void => {
    attest(world, [executedEvent(world, 9)], { chain: evmOf(world).chain });
  };

  test("forfeits the bonds of the key that the contract is known to hold", () => {
    const world = funded();
    stateContract(world);
    stolen(world);
    expect([account(world).halted, forfeited(world)]).toEqual([true, bonds]);
    expect(custodies.get(world.state, 2)).toMatchObject({ isForfeited: true });
  });

  test("under a nonce that a plan has, with other content, is one as well", () => {
    const world = funded();
    stateContract(world);
    const { chain } = evmOf(world);
    const other = executedEvent(world, 1);
    burn(world, { destination: { chain, payload: new Uint8Array(20).fill(5) } });
    endBlock(world);
    const { id } = must(openPlans(world, planKinds.evmBatch)[0], "batch");
    attest(world, [other], { chain });
    expect([account(world).halted, forfeited(world)]).toEqual([true, bonds]);
    expect(plans.get(world.state, id)?.status).toBe(planStatus.dead);
  });

  test("only halts while the contract may have taken its next key, or of a time before its key was seen", () => {
    const world = funded();
    const early = executedEvent(world, 9);
    stateContract(world);
    const { chain } = evmOf(world);
    expect(attest(world, [early], { chain })).toBeUndefined();
    expect([account(world).halted, forfeited(world)]).toEqual([true, 0n]);
    nextKeys.put(world.state, chain, { keyId: 3 });
    stolen(world);
    expect(forfeited(world)).toBe(0n);
  });
});

/** Deposits in one block, stated one after the other and deep enough. */
function deposited(world: World, ...amounts: bigint[]): ForeignEvent[] {
  const made = amounts.map((amount): Deposit => deposit(world, { amount }));
  const block = mine(
    world,
    made.map(({ transaction }) => transaction),
  );
  bring(world, block);
  const events = made.map(({ event }) => event(block));
  for (const event of events) attest(world, [event]);
  confirm(world, 1);
  return events;
}

function statusOf(world: World, event: ForeignEvent): Pick<Inbound, "status" | "reason"> {
  const { networkId, bitcoin } = world.genesis;
  const id = eventIdOf(networkId, bitcoin.chain, event);
  const { status, reason } = must(
    isRejected(id) ? undefined : inbounds.get(world.state, id),
    "inbound",
  );
  return { status, reason };
}

const minted = { status: inboundStatus.minted, reason: 0 };
const held = { status: inboundStatus.held, reason: inboundReasons.bondLimit };
/** The bonds are worth four bitcoins, half of which may be in custody. */
const bounded = {
  ringCustodyBps: 5_000,
  // A tenth of the bonds' value is 0.4 bitcoins.
  loanLimit: 10n * coin,
};
function boundedWorld(change: Partial<Params> = {}, price: bigint = bonds / 4n): World {
  const world = createWorld({ ...bounded, ...change });
  prices.put(world.state, world.bbtc, { btm: price, units: coin });
  return world;
}
const small = 30_000_000n;

describe("custody (RNG-7)", () => {
  test("above the limit is not credited and not swept, and is when there is room", () => {
    const world = boundedWorld();
    const [one, big, next] = deposited(world, coin, 105_000_000n, 90_000_000n) as [
      ForeignEvent,
      ForeignEvent,
      ForeignEvent,
    ];
    expect(statusOf(world, big)).toEqual(held);
    confirm(world, 2);
    const swept = openPlans(world, planKinds.sweep).flatMap(({ plan }): Plan["inputs"] => [
      ...plan.inputs,
    ]);
    expect(swept.length).toBe(2);
    runPlans(world);
    expect([one, big, next].map((event) => statusOf(world, event))).toEqual([minted, held, minted]);
    burn(world, { amount: coin });
    endBlock(world);
    runPlans(world);
    expect(statusOf(world, big).reason).not.toBe(inboundReasons.bondLimit);
    runPlans(world);
    runPlans(world);
    expect(statusOf(world, big)).toEqual(minted);
  });

  test("held back can be taken back by its owner", () => {
    const world = boundedWorld();
    const [big] = deposited(world, 3n * coin) as [ForeignEvent];
    expect(statusOf(world, big)).toEqual(held);
    for (let i = 0; i < 14; i++) {
      world.time += 2_000_000;
      expect(bring(world, ...Array.from({ length: 1_900 }, () => mine(world)))).toBeUndefined();
    }
    endBlock(world);
    const own = must(heldCoins(world.state)[0], "coin").coin;
    expect(seen(world, spend(world, [own], reclaimDelay))).toBeUndefined();
    expect(statusOf(world, big)).toEqual({
      status: inboundStatus.reclaim,
      reason: inboundReasons.reclaimed,
    });
    expect(forfeited(world)).toBe(0n);
  });

  test("on loan is a tenth of the bonds' value at most (BTC-2)", () => {
    const world = boundedWorld();
    const [one, two] = deposited(world, small, small) as [ForeignEvent, ForeignEvent];
    const reasons = [one, two].map((event) => statusOf(world, event).reason);
    expect(reasons.sort()).toEqual([0, inboundReasons.loanLimit]);
  });

  test("under a key without bonds is none, and without a price, or any bonds, is not bounded", () => {
    const world = boundedWorld();
    forfeit(contextOf(world), 1);
    expect(statusOf(world, must(deposited(world, small)[0], "event"))).toEqual(held);
    for (const free of [boundedWorld({}, 0n), boundedWorld({ ringBondBps: 0 })]) {
      forfeit(contextOf(free), 1);
      expect(statusOf(free, must(deposited(free, small)[0], "event"))).toEqual(minted);
    }
  });

  test("loads a key while it holds credited value: not by what is not credited yet", () => {
    const world = boundedWorld({ loanLimit: 0n });
    const loaded = (): boolean | undefined => custodies.get(world.state, 1)?.isLoaded;
    deposited(world, coin);
    expect(loaded()).toBe(false);
    confirm(world, 2);
    runPlans(world);
    expect(loaded()).toBe(true);
  });
});
