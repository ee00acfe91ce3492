import { certificateCodec, headerCodec } from "@causeway/chain-core/interchain";
import type { Bls } from "@causeway/primitives";
import { must, zero32 } from "@causeway/primitives";
import { expect, test } from "vitest";
import type * as signer from "../machine.ts";
import { genesis, testLedger } from "../testing.ts";
import { turnOf } from "../turn.ts";
import * as follow from "./machine.ts";

const trusting = { verifyAggregate: () => true } as unknown as Bls;
const context: follow.Context = { genesis, bls: trusting };
const interest = { events: [], settled: new Set<number>() };
const secondsMs = 1_000;

test("a view is as old as the oldest header that proves a part of it (RNG-6)", () => {
  const ledger = testLedger();
  const start = genesis.time + 60 * secondsMs;
  const step = (state: follow.State, event: follow.Event, nowMs: number) =>
    follow.step(context, state, event, interest, turnOf(genesis.networkId, nowMs, zero32));
  const proofOf = (keys: readonly Uint8Array[]): follow.Event => {
    const event = ledger.prove(1, keys) as signer.Event & { kind: "proved" };
    // Every seat signed, so that the power is enough; whether they did is not what this is about.
    const certificate = certificateCodec.decode(event.certificate);
    const bitmap = certificate.bitmap.fill(15);
    return { ...event, certificate: certificateCodec.encode({ ...certificate, bitmap }) };
  };
  ledger.block(start);
  let [state, effects] = step(follow.initial(context), { kind: "height", height: 1 }, start);
  let nowMs = start;
  const headers: number[] = [];
  let viewed: follow.Viewed | undefined;
  while (viewed === undefined) {
    const { keys } = must(
      effects.find((effect) => effect.kind === "prove"),
      "question",
    );
    const answer = proofOf(keys);
    if (answer.kind === "proved") headers.push(headerCodec.decode(answer.header).time);
    [state, effects] = step(state, answer, nowMs);
    viewed = effects.find((effect) => effect.kind === "viewed")?.viewed;
    // The node takes its time to answer the next question, and answers by a newer block.
    nowMs += 14 * secondsMs;
    ledger.block(nowMs);
  }
  expect(headers.length).toBeGreaterThan(1);
  expect(viewed.headerMs).toBe(headers[0]);
});
