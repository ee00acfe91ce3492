// Evidence of the own node reaches the ledger in an envelope that the ledger's rules accept.

import { evidenceCodec } from "@causeway/chain-core/interchain";
import { isRejected, must, zero32 } from "@causeway/primitives";
import { expect, test } from "vitest";
import { statementDigestOf } from "../../../chain-core/src/codec/evidence.ts";
import { extend, testChain, tryBlock } from "../../../chain-core/src/ledger/epoch/testing.ts";
import { isTombstoned } from "../../../chain-core/src/ledger/epoch/validators.ts";
import {
  testBls,
  testGenesis,
  testHash,
  validatorSecret,
} from "../../../chain-core/src/ledger/testing.ts";
import { bring } from "./bring.ts";
import { step } from "./machine.ts";
import { turnMs } from "./rota.ts";
import type { Context, State } from "./state.ts";
import { initial } from "./state.ts";
import { quietView } from "./testing.ts";
import type { LedgerView } from "./view.ts";

const genesis = testGenesis(4);
const context: Context = {
  genesis,
  relaySecret: validatorSecret(1, "relayKey"),
  codeHashes: [],
};

function viewOf(state: State, time: number): LedgerView {
  return quietView(state, { height: 2, time, params: genesis.params, sequence: 0 });
}

test("evidence is brought in this operator's turn, until the own node gives it no more", () => {
  const chain = testChain(genesis);
  for (let i = 0; i < 2; i++) extend(chain);
  const statement = (number: number) => {
    const block = testHash(genesis.networkId, number);
    const content = { kind: 1, round: 0, block, polRound: 0, signature: new Uint8Array(96) };
    const digest = statementDigestOf(genesis.networkId, 2, content);
    return { ...content, signature: testBls.sign(validatorSecret(3, "consensusKey"), digest) };
  };
  const body = { height: 2, seat: 3, first: statement(1), second: statement(2), reporter: zero32 };
  const evidence = [evidenceCodec.encode(body), Uint8Array.of(1, 2, 3)];
  const state = initial(context);
  step(context, state, 0, { kind: "evidence", evidence });
  const view = viewOf(state, chain.time);
  // Height 2 begins the rota at seat 2: seat 1 is the last.
  expect(bring(context, state, view, 0)).toEqual({ effects: [], nextAt: 3 * turnMs });
  const { effects } = bring(context, state, view, 3 * turnMs);
  const [submit] = effects;
  if (submit?.kind !== "submit" || effects.length !== 1) throw new Error("one submission");
  expect(bring(context, state, view, 3 * turnMs + 1).effects).toEqual([]);
  const { transaction } = submit;
  expect(tryBlock(chain, { transactions: [transaction] })).toHaveProperty("puts");
  extend(chain, { transactions: [transaction] });
  const { owner } = must(genesis.validators[3], "validator");
  expect(isTombstoned(chain.state, owner)).toBe(true);
  const again = bring(context, state, { ...view, sequence: 1 }, 30 * turnMs).effects[0];
  if (again?.kind !== "submit") throw new Error("a second try");
  const twice = tryBlock(chain, { transactions: [again.transaction] });
  expect(isRejected(twice) && twice.code).toBe("known-evidence");
  step(context, state, 31 * turnMs, { kind: "evidence", evidence: [] });
  expect(bring(context, state, view, 99 * turnMs).effects).toEqual([]);
});
