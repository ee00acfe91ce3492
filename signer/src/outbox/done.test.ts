// What the outbox takes for done: a contract is stated once for each key that it comes to hold (ETH-1, ETH-3), a
// complaint is brought until the ledger knows what it says (RNG-3).
import type { Ceremony } from "@causeway/chain-core/interchain";
import {
  badShareCodec,
  badShares,
  ceremonies,
  ceremonyStages,
  complaintCodec,
  eventKinds,
  evmContractCodec,
  evmStates,
  kinds,
  openCeremonies,
} from "@causeway/chain-core/interchain";
import { must, zero32 } from "@causeway/primitives";
import { expect, test } from "vitest";
import { memoryState } from "../../../chain-core/src/ledger/memory-state.ts";
import { genesis } from "../testing.ts";
import { isDone, isStated } from "./done.ts";

const { chain, gateway } = must(genesis.evm[0], "chain");

test("a contract with a newer key is to be stated, one with the key that the ledger knows is not", () => {
  const view = memoryState();
  const stated = (keyId: number): boolean => {
    const fields = { contract: gateway, codeHash: zero32, network: genesis.networkId, key: zero32 };
    const body = evmContractCodec.encode({ ...fields, keyId });
    const place = { txid: zero32, index: 0, blockHash: zero32, height: 1 };
    const event = { kind: eventKinds.evmContract, ...place, body };
    return isStated(genesis.networkId, view, chain, event);
  };
  const contract = { codeHash: zero32, nextNonce: 1 };
  evmStates.put(view, chain, { ...contract, stated: false, keyId: 0 });
  expect([stated(2), stated(3)]).toEqual([false, false]);
  evmStates.put(view, chain, { ...contract, stated: true, keyId: 2 });
  expect([stated(2), stated(3)]).toEqual([true, false]);
  evmStates.put(view, chain, { ...contract, stated: true, keyId: 3 });
  expect([stated(2), stated(3)]).toEqual([true, true]);
});

/** Of attempt 0 of key 1 but for what `change` says. */
function ceremonyWith(change: Partial<Ceremony>): Ceremony {
  const of = { keyId: 1, purpose: 0, term: 0, chain, attempt: 0, threshold: 3, seats: [] };
  const made = { startedAt: 0, startedHeight: 1, dealsHash: zero32, commitments: [] };
  const lists = { dealt: [0, 1, 2, 3], voided: [], wronged: [], confirmed: [] };
  return { ...of, stage: ceremonyStages.active, ...made, ...lists, ...change };
}

const bringer = {
  owner: must(genesis.validators[2], "validator").owner,
  params: genesis.params,
  ledgerMs: 0,
};

test("evidence of a wrong share is to be brought until the ledger has some, or the attempt is over", () => {
  const shown = { chunk: new Uint8Array(0), hashes: [] };
  const lists = { inputs: shown, nonces: shown, shares: shown, tweaks: [], signers: [] };
  const session = { keyId: 1, attempt: 0, request: zero32, coordinator: 0, number: 0 };
  const seat = { seat: 1, boot: 1, index: 0, proof: new Uint8Array(64) };
  const body = badShareCodec.encode({ ...session, ...seat, ...lists });
  const view = memoryState();
  const known = (): boolean =>
    isDone(genesis.networkId, view, { kind: kinds.badShare, body }, bringer);
  openCeremonies.put(view, "only", { keyIds: [1] });
  ceremonies.put(view, 1, ceremonyWith({ stage: ceremonyStages.canary }));
  expect(known()).toBe(false);
  badShares.put(view, { keyId: 1, attempt: 0, seat: 1 }, { evidence: body });
  expect(known()).toBe(true);
  badShares.delete(view, { keyId: 1, attempt: 0, seat: 1 });
  ceremonies.put(view, 1, ceremonyWith({ attempt: 1, stage: ceremonyStages.deal }));
  expect(known()).toBe(true);
});

test("a complaint is to be brought until its deal is void, or the ledger knows who was cheated by whom", () => {
  const view = memoryState();
  const proof = { sharedPoint: new Uint8Array(33).fill(2), dleqProof: new Uint8Array(64) };
  const body = complaintCodec.encode({ keyId: 1, attempt: 0, seat: 2, dealer: 1, ...proof });
  const known = (change: Partial<Ceremony>): boolean => {
    ceremonies.put(view, 1, ceremonyWith(change));
    return isDone(genesis.networkId, view, { kind: kinds.complaint, body }, bringer);
  };
  expect(known({ stage: ceremonyStages.confirm })).toBe(false);
  expect(known({ stage: ceremonyStages.canary })).toBe(false);
  expect(known({})).toBe(false);
  expect(known({ wronged: [{ seat: 3, dealer: 1 }] })).toBe(false);
  expect(known({ wronged: [{ seat: 2, dealer: 1 }] })).toBe(true);
  expect(known({ voided: [1] })).toBe(true);
  expect(known({ attempt: 1 })).toBe(true);
  expect(known({ stage: ceremonyStages.retired })).toBe(true);
});
