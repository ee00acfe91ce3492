// What the committee and the guardians decide reaches the signers with the next block that proves it (GOV-1, GOV-2).
import type { RegistryAsset, State } from "@causeway/chain-core/interchain";
import {
  accountings,
  assetId,
  directions,
  governingKeys,
  keys,
  planStatus,
  plans,
  restrictions,
} from "@causeway/chain-core/interchain";
import { equal, must, utf8 } from "@causeway/primitives";
import { expect, test } from "vitest";
import { registry } from "../../chain-core/src/ledger/governance/registry.ts";
import { putParameters } from "../../chain-core/src/ledger/parameters.ts";
import type { World } from "./testing.ts";
import { addBatchPlan, genesis, world } from "./testing.ts";

const { chain } = must(genesis.evm[0], "chain");

function active(): World {
  const w = world();
  const areActive = (): boolean => [1, 2].every((id) => keys.get(w.ledger, id)?.active === true);
  expect(w.runUntil(areActive, 30_000)).toBe(true);
  return w;
}
const isSigned = (w: World, id: Uint8Array): boolean =>
  plans.get(w.ledger, id)?.status === planStatus.signed;
const codes = (w: World): unknown[] => w.signers.flatMap(({ logs }) => logs.map(codeOf));
const codeOf = ({ fields }: { readonly fields: Readonly<Record<string, unknown>> }): unknown =>
  fields.code;

function pause(state: State, until: number): void {
  const of = { chain, direction: directions.out, sequence: 1, until, open: true };
  restrictions.put(state, "only", { slowUntil: 0, slowOpen: false, pauses: [of] });
}

test("a plan made before a pause is not signed in it, and is when it ends (RNG-6)", () => {
  const w = active();
  w.write((state) => pause(state, w.nowMs + 10_000));
  const id = addBatchPlan(w, 1);
  w.run(9_000);
  expect(isSigned(w, id)).toBe(false);
  expect(codes(w)).toContain("paused");
  expect(w.runUntil(() => isSigned(w, id), 5_000)).toBe(true);
});

test.each(["no proof", "a claim of absence"])(
  "a node that hides a pause by %s gets nothing signed",
  (lie) => {
    const w = active();
    w.tamper = (_, event) => {
      if (event.kind !== "proved") return event;
      const records = event.records.flatMap((record) => {
        if (!equal(record.key, restrictions.key("only"))) return [record];
        return lie === "no proof" ? [] : [{ key: record.key, proof: record.proof }];
      });
      return { ...event, records };
    };
    w.write((state) => pause(state, w.nowMs + 60_000));
    const id = addBatchPlan(w, 1);
    w.run(10_000);
    expect(isSigned(w, id)).toBe(false);
    expect(codes(w)).toContain(lie === "no proof" ? "missing-proof" : "bad-proof");
  },
);

test("every record of what governs is asked for with proof", () => {
  const w = active();
  const asked = w.performed.flatMap(({ effect }) => (effect.kind === "prove" ? effect.keys : []));
  for (const key of governingKeys) expect(asked.some((one) => equal(one, key))).toBe(true);
});

test("the age of finality is the parameter in force, not the genesis' (RNG-6)", () => {
  const w = active();
  const finalityAgeMaxMs = 1_000;
  expect(genesis.params.finalityAgeMaxMs).toBeGreaterThan(10 * finalityAgeMaxMs);
  w.write((state) => putParameters(state, { ...genesis.params, finalityAgeMaxMs }));
  const id = addBatchPlan(w, 1);
  // The plan is proven, but its signing begins only after the chain has stood still.
  w.tamper = (_, event) => (event.kind === "message" ? { kind: "woke" } : event);
  w.run(1_200);
  w.isHalted = true;
  w.run(2 * finalityAgeMaxMs);
  w.tamper = (_, event) => event;
  w.run(5_000);
  expect(codes(w)).toContain("stale-finality");
  expect(isSigned(w, id)).toBe(false);
});

test("an asset that the committee added is paid without a restart (GOV-1)", () => {
  const w = active();
  const first = must(genesis.assets[0], "asset");
  const token = new Uint8Array(20).fill(5);
  const added: RegistryAsset = { ...first, symbol: "NEW", exports: [{ chain, token }] };
  const zeros = { coins: 0n, deficit: 0n, supply: 0n, exported: 0n, pending: 0n };
  const asset = must(assetId({ ...genesis, assets: [added] }, "NEW"), "id");
  const account = { ...zeros, reserve: 0n, rewards: 0n, unswept: 0n, halted: false };
  w.write((state) => accountings.put(state, asset, account));
  const id = addBatchPlan(w, 1, 100_000n, { wrapped: added });
  w.run(3_000);
  expect(isSigned(w, id)).toBe(false);
  const { decimals, exports, price } = added;
  const entry = { symbol: utf8("NEW"), decimals, chain: added.chain, token: added.token };
  const assets = [{ ...entry, exports: [...exports], price }];
  w.write((state) => registry.put(state, "only", { assets }));
  expect(w.runUntil(() => isSigned(w, id), 5_000)).toBe(true);
});
