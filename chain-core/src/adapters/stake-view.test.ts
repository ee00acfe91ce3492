// What the RPC says of bonds (RNG-7), of a state that no process need make.
import { must } from "@causeway/primitives";
import { expect, test } from "vitest";
import { moveEconomy } from "../ledger/economy.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import { memoryState } from "../ledger/memory-state.ts";
import { forfeit, noteCustody } from "../ledger/ring/liability.ts";
import { putRoom } from "../ledger/ring/liability-custody.ts";
import { contractRooms } from "../ledger/ring/liability-records.ts";
import { holdKey } from "../ledger/ring/liability-testing.ts";
import { contextOf } from "../ledger/staking/testing.ts";
import { testGenesis } from "../ledger/testing.ts";
import { bondsIn } from "./stake-view.ts";

test("bonds are told by key, with what they wait for", () => {
  const genesis = testGenesis(2);
  const { params } = genesis;
  const { chain } = must(genesis.evm[0], "EVM chain");
  const owners = genesis.validators.map(({ owner }) => owner);
  const world = {
    genesis,
    state: memoryState(genesisState(genesis)),
    height: 1,
    time: genesis.time,
  };
  const { state } = world;
  expect(bondsIn(state, genesis, 7)).toEqual({
    height: 7,
    custody: 0n,
    limit: undefined,
    loan: undefined,
    contracts: [{ chain, custody: 0n, limit: undefined }],
    restitution: 0n,
    keys: [],
  });
  holdKey(contextOf(world), 1, owners);
  holdKey(contextOf(world), 2, owners.slice(1));
  noteCustody(contextOf(world), new Set([1]));
  putRoom(state, { custody: 5n, limit: 9n, loan: 1n });
  contractRooms.put(state, chain, { custody: 30n, limit: 40n });
  const half = 500_000_00000000n;
  const boundUntil = genesis.time + params.unbondingMs;
  const one = { keyId: 1, holders: owners, bond: 2n * half, isLoaded: true, isForfeited: false };
  const two = { keyId: 2, holders: owners.slice(1), bond: half, isLoaded: false };
  const told = bondsIn(state, genesis, 7);
  expect(told).toMatchObject({ custody: 5n, limit: 9n, loan: 1n });
  expect(told.contracts).toEqual([{ chain, custody: 30n, limit: 40n }]);
  expect(told.keys).toEqual([
    { ...one, boundUntil: undefined },
    { ...two, isForfeited: false, boundUntil },
  ]);
  moveEconomy(state, { restitution: 1n, issued: 1n });
  expect(forfeit(contextOf(world), 2)).toBe(half);
  const after = bondsIn(state, genesis, 8);
  expect(after.restitution).toBe(half + 1n);
  expect(after.keys[0]?.bond).toBe(half + half / 2n);
  expect(after.keys[1]).toEqual({ ...two, bond: 0n, isForfeited: true, boundUntil: undefined });
});
