// What the outbox takes for done: a contract is stated once for each key that it comes to hold (ETH-1, ETH-3).
import { eventKinds, evmContractCodec, evmStates } from "@causeway/chain-core/interchain";
import { must, zero32 } from "@causeway/primitives";
import { expect, test } from "vitest";
import { memoryState } from "../../../chain-core/src/ledger/memory-state.ts";
import { genesis } from "../testing.ts";
import { isStated } from "./done.ts";

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
