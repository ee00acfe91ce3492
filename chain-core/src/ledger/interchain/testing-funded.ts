// A world with bitcoins in its vault, and burns of them.
import { concat, must } from "@causeway/primitives";
import type { Burn } from "../../codec/action.ts";
import { withdrawalId } from "../../interchain/policy.ts";
import type { Withdrawal } from "../../interchain/records.ts";
import { withdrawals } from "../../interchain/records.ts";
import { testLock } from "../testing.ts";
import { burnRule } from "./burn.ts";
import type { World } from "./testing.ts";
import {
  act,
  attest,
  bring,
  confirm,
  contextOf,
  createWorld,
  deposit,
  mine,
  runPlans,
} from "./testing.ts";

/** One bitcoin. */
export const coin = 100_000_000n;
export const p2wpkh: Uint8Array = concat(Uint8Array.of(0, 20), new Uint8Array(20).fill(3));

/** A world whose vault holds the sweep of `count` deposits of one bitcoin. */
export function funded(count = 1, params: Parameters<typeof createWorld>[0] = {}): World {
  const world = createWorld(params);
  const made = Array.from({ length: count }, () => deposit(world, { amount: coin }));
  const block = mine(
    world,
    made.map(({ transaction }) => transaction),
  );
  bring(world, block);
  attest(
    world,
    made.map(({ event }) => event(block)),
  );
  confirm(world, 2);
  runPlans(world);
  return world;
}

export function burnOf(world: World, change: Partial<Burn> = {}): Burn {
  return {
    asset: world.bbtc,
    amount: 10_000_000n,
    destination: { chain: world.genesis.bitcoin.chain, payload: p2wpkh },
    maxFee: 5_000n,
    refund: testLock("alice"),
    ...change,
  };
}

/** Burns, and gives the withdrawal's id. */
export function burn(world: World, change: Partial<Burn> = {}): Uint8Array {
  const { txid } = contextOf(world);
  world.serial -= 1;
  const code = act(world, burnRule, burnOf(world, change));
  if (code !== undefined) throw new Error(code);
  return withdrawalId(world.genesis.networkId, txid, 0);
}

export function withdrawalOf(world: World, id: Uint8Array): Withdrawal {
  return must(withdrawals.get(world.state, id), "withdrawal");
}
