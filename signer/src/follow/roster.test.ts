// Who the validators are, from records of the ledger (STK-1).
import type { Committee, State } from "@causeway/chain-core/interchain";
import { registered, usedKeys, validators } from "@causeway/chain-core/interchain";
import { keyOf, must, sha256, utf8 } from "@causeway/primitives";
import { expect, test } from "vitest";
import { enter } from "../../../chain-core/src/ledger/epoch/validators.ts";
import { memoryState } from "../../../chain-core/src/ledger/memory-state.ts";
import { testGenesis } from "../../../chain-core/src/ledger/testing.ts";
import type { Roster } from "./roster.ts";
import { genesisRoster, learn, peersOf } from "./roster.ts";

const all = testGenesis(300).validators;
const genesis = testGenesis(4);
const validator = (number: number) => must(all[number], "validator");

/** A register of the first `count` validators. */
function ledgerOf(count: number): State {
  const state = memoryState();
  for (const { owner, stake: _, ...keys } of all.slice(0, count))
    enter(state, owner, {
      keys,
      profile: { name: new Uint8Array(0), site: new Uint8Array(0), commission: 0 },
      epoch: 0,
    });
  return state;
}

function committeeOf(epoch: number, numbers: readonly number[]): Committee {
  const members = numbers.map((number) => {
    const { owner, consensusKey, attestKey } = validator(number);
    return { validator: owner, consensusKey, attestKey, power: 1n };
  });
  return { epoch, members };
}

const ringOf = (numbers: readonly number[]) => ({
  seats: numbers.map((number) => {
    const { owner, hostKey } = validator(number);
    return { validator: owner, hostKey };
  }),
});

/** A view that shows nothing but what was asked for, as the light client's does. */
function read(roster: Roster, state: State, peer: number, committee: Committee, epoch: number) {
  const asked = new Set(roster.wanted.map(keyOf));
  const view = { get: (key: Uint8Array) => (asked.has(keyOf(key)) ? state.get(key) : undefined) };
  const rings = [ringOf([0, 1, 2, 3])];
  return learn(roster, validator(peer).signerPeerKey, { view, committee, epoch }, rings);
}

test("a validator of the genesis is known before anything is read, with the others of its numbers", () => {
  const roster = genesisRoster(genesis, validator(2).signerPeerKey);
  expect(roster.own).toEqual({ number: 2, owner: validator(2).owner });
  expect(peersOf(roster).map(({ number }) => number)).toEqual([0, 1, 3]);
});

test("one that registers later finds itself by its identity, and has the place in the register as its number", () => {
  const committee = committeeOf(0, [0, 1, 2, 3]);
  let roster = genesisRoster(genesis, validator(6).signerPeerKey);
  expect(roster.own).toBeUndefined();
  roster = read(roster, ledgerOf(6), 6, committee, 0);
  expect(roster.own).toBeUndefined();
  const state = ledgerOf(8);
  for (let views = 0; views < 3 && roster.own === undefined; views++)
    roster = read(roster, state, 6, committee, 0);
  expect(roster.own).toEqual({ number: 6, owner: validator(6).owner });
  // The register is not read again while everybody who matters is in it.
  roster = read(roster, state, 6, committee, 0);
  roster = read(roster, state, 6, committeeOf(0, [0, 5, 7]), 0);
  expect(roster.wanted.map(keyOf)).not.toContain(keyOf(registered.key("only")));
  expect(usedKeys.get(state, validator(6).signerPeerKey)?.owner).toEqual(validator(6).owner);
});

test("keys are read once in an epoch, and by a header of it", () => {
  const state = ledgerOf(4);
  const committee = committeeOf(1, [0, 1, 2, 3]);
  let roster = genesisRoster(genesis, validator(0).signerPeerKey);
  for (let views = 0; views < 3; views++) roster = read(roster, state, 0, committee, 1);
  expect(roster.wanted).toEqual([]);
  const peerKey = sha256(utf8("another identity"));
  const { owner } = validator(3);
  const signerPeerKey = Uint8Array.of(2, ...peerKey);
  validators.put(state, owner, { ...must(validators.get(state, owner), "record"), signerPeerKey });
  const next = committeeOf(2, [0, 1, 2, 3]);
  // A view that began in the old epoch asks for nothing of the new one, and what it shows does not count for it.
  roster = read(roster, state, 0, next, 1);
  expect(roster.wanted.length).toBe(4);
  roster = read(roster, state, 0, next, 1);
  expect(roster.wanted.length).toBe(4);
  roster = read(roster, state, 0, next, 2);
  expect(roster.wanted).toEqual([]);
  expect(peersOf(roster).find(({ number }) => number === 3)?.peerKey).toEqual(signerPeerKey);
});

test("a large register is read in parts: who matters, not who is registered", () => {
  const state = ledgerOf(300);
  const numbers = Array.from({ length: 150 }, (_, i) => 2 * i);
  const committee = committeeOf(1, numbers);
  let roster = genesisRoster(genesis, validator(0).signerPeerKey);
  const sizes: number[] = [];
  for (let views = 0; views < 6; views++) {
    roster = read(roster, state, 0, committee, 1);
    sizes.push(roster.wanted.length);
  }
  expect(Math.max(...sizes)).toBeLessThanOrEqual(65);
  expect(sizes.at(-1)).toBe(0);
  expect(roster.members.size).toBe(152);
  expect(roster.owners.length).toBe(300);
});
