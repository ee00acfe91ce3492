// What the own validator owes the beacon reaches the ledger in this operator's envelope, at once and until it is there.
import { must } from "@causeway/primitives";
import { expect, test } from "vitest";
import { machine as beacon, search } from "../../../chain-core/src/beacon/index.ts";
import { factsOf } from "../../../chain-core/src/ledger/beacon/facts.ts";
import { roundOf } from "../../../chain-core/src/ledger/beacon/round.ts";
import { extend, testChain } from "../../../chain-core/src/ledger/epoch/testing.ts";
import { testBls, testGenesis, validatorSecret } from "../../../chain-core/src/ledger/testing.ts";
import { step } from "./machine.ts";
import { turnMs } from "./rota.ts";
import type { Context, Effect } from "./state.ts";
import { initial } from "./state.ts";
import { quietView } from "./testing.ts";

const genesis = testGenesis(4, { beaconDifficulty: 512, beaconWindowMs: 60_000 });
const seat = 2;
const context: Context = {
  genesis,
  relaySecret: validatorSecret(seat, "relayKey"),
  codeHashes: [],
};

/** The body of the own contribution. */
function contribution(chain: ReturnType<typeof testChain>): Uint8Array {
  const { networkId: network } = genesis;
  const secretKey = validatorSecret(seat, "consensusKey");
  const { consensusKey } = must(genesis.validators[seat], "validator");
  const facts = factsOf(chain.state, genesis, chain.time, consensusKey);
  const env = { network, bls: testBls, secretKey, resubmitMs: 1_000 };
  const [walking, [work]] = beacon.step(beacon.initial(env), { kind: "facts", facts });
  if (work?.kind !== "work" || work.job.kind !== "solve") throw new Error("a puzzle");
  const { id, puzzle, from } = work.job;
  const [, effects] = beacon.step(walking, { kind: "walked", id, ...search(puzzle, from, 9_999) });
  const submit = effects.find(({ kind }) => kind === "submit");
  if (submit?.kind !== "submit") throw new Error("a contribution");
  return submit.body;
}

const submits = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === "submit" ? [effect.transaction] : []));

test("a duty is brought at once, again when it is lost, and no more when it is done", () => {
  const chain = testChain(genesis);
  extend(chain);
  const state = initial(context);
  const { height, time } = chain;
  const { params } = genesis;
  step(context, state, 0, {
    kind: "view",
    view: quietView(state, { height, time, params, sequence: 0 }),
  });
  const duties = [{ what: "contribution", body: contribution(chain) }] as const;
  const [first, ...others] = submits(step(context, state, 0, { kind: "duties", duties })[1]);
  expect(others).toEqual([]);
  expect(submits(step(context, state, 1, { kind: "duties", duties })[1])).toEqual([]);
  // It was lost on its way.
  const again = submits(step(context, state, 4 * turnMs, { kind: "woke" })[1]);
  expect(again).toHaveLength(1);
  extend(chain, { transactions: [must(first, "envelope")] });
  expect(roundOf(chain.state).solved.map((one) => one.seat)).toEqual([seat]);
  expect(submits(step(context, state, 5 * turnMs, { kind: "duties", duties: [] })[1])).toEqual([]);
  expect(submits(step(context, state, 99 * turnMs, { kind: "woke" })[1])).toEqual([]);
});
