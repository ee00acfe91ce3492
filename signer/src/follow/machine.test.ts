import type { NodeClient } from "@causeway/chain-core/client";
import {
  blockId,
  certificateCodec,
  committeeCodec,
  committeeId,
  headerCodec,
} from "@causeway/chain-core/interchain";
import { trustGenesis } from "@causeway/chain-core/light";
import type { Bls } from "@causeway/primitives";
import { must, zero32 } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { provenView } from "../adapters/proven.ts";
import type * as signer from "../machine.ts";
import { genesis, testLedger } from "../testing.ts";
import { turnOf } from "../turn.ts";
import type { Finality } from "../world.ts";
import * as follow from "./machine.ts";

const trusting = { verifyAggregate: () => true } as unknown as Bls;
const context: follow.Context = { genesis, bls: trusting };
const { owner } = must(genesis.validators[0], "validator");
const interest = {
  events: [],
  identities: [],
  brought: [],
  needsCeremony: () => false,
  needsDeals: () => false,
  owner,
};
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

/** Headers of a history in which only epochs pass: ten blocks each, a committee of its own for each. */
function history(mark = 0) {
  const { networkId } = genesis;
  const ledger = testLedger();
  ledger.block(genesis.time + secondsMs);
  const base = ledger.prove(1, []) as signer.Event & { kind: "proved" };
  const committee = (epoch: number) => {
    const first = trustGenesis(genesis).committee;
    const members = first.members.map((member) => ({
      ...member,
      power: member.power + BigInt(mark),
    }));
    return epoch < 2 ? { ...first, epoch } : { epoch, members };
  };
  const at = (height: number): Finality => {
    const epoch = Math.floor((height - 1) / 10);
    const header = {
      ...headerCodec.decode(base.header),
      height,
      time: genesis.time + height * secondsMs,
      committee: committeeId(networkId, committee(epoch)),
      nextCommittee: committeeId(networkId, committee(epoch + 1)),
    };
    const certificate = {
      ...certificateCodec.decode(base.certificate),
      height,
      block: blockId(networkId, header),
      bitmap: Uint8Array.of(15),
    };
    return {
      header: headerCodec.encode(header),
      certificate: certificateCodec.encode(certificate),
      committee: committeeCodec.encode(committee(epoch + 1)),
    };
  };
  /** As a node answers whose newest block is `newest`. */
  const answer = (newest: number, endsFrom?: number): follow.Event => {
    const ends: Finality[] = [];
    for (let height = 10; endsFrom !== undefined && height <= newest; height += 10)
      if (height >= endsFrom) ends.push(at(height));
    return { kind: "proved", ...at(newest), records: [], ends };
  };
  return { at, answer };
}

describe("a signer that was away for epochs (CON-6)", () => {
  const nowMs = genesis.time + 100 * secondsMs;
  /** Asks and is answered until it stands still; gives where. */
  function followed(state: follow.State, newest: number, { answer }: ReturnType<typeof history>) {
    let at = nowMs;
    for (let round = 0; round < 4; round++) {
      at += 10 * secondsMs;
      const turn = turnOf(genesis.networkId, at, zero32);
      const asked = follow.step(context, state, { kind: "height", height: newest }, interest, turn);
      state = asked[0];
      const question = asked[1].find((effect) => effect.kind === "prove");
      if (question === undefined) return state;
      [state] = follow.step(context, state, answer(newest, question.endsFrom), interest, turn);
    }
    return state;
  }
  const restoredAt = (height: number): follow.State => {
    const { header } = history().at(height);
    return follow.restored(context, follow.initial(context), { height, header });
  };

  test("asks for the ends of epochs and comes to the newest header", () => {
    expect(followed(follow.initial(context), 57, history()).trusted.height).toBe(57);
  });

  test("goes on from what an earlier process trusted, over the ends before it", () => {
    const state = restoredAt(44);
    expect(state.trusted.height).toBe(0);
    expect(followed(state, 57, history()).trusted.height).toBe(57);
  });

  test("believes no history that ends below what was trusted, or that goes past it by other committees", () => {
    expect(followed(restoredAt(44), 38, history()).readHeight).toBe(0);
    const other = followed(restoredAt(44), 57, history(1));
    expect(other.trusted.height).toBeLessThan(44);
    expect(other.readHeight).toBe(0);
  });
});

test("a person's command comes over the ends of epochs to what the newest header proves", async () => {
  const client = (newest: ReturnType<typeof history>, way: ReturnType<typeof history>) => ({
    prove: async () => ({ ...newest.at(57), records: [] }),
    ask: (async (_: string, { from }: { from: number }) => ({
      ends: [10, 20, 30, 40, 50, 60]
        .filter((height) => height >= from)
        .map(way.at)
        .slice(0, 2),
    })) as unknown as NodeClient["ask"],
  });
  const [true_, other] = [history(), history(1)];
  const proven = await provenView(client(true_, true_), genesis, trusting, []);
  expect(proven.height).toBe(57);
  await expect(provenView(client(other, true_), genesis, trusting, [])).rejects.toThrow();
  const silent = { ...client(true_, true_), ask: (async () => ({ ends: [] })) as never };
  await expect(provenView(silent, genesis, trusting, [])).rejects.toThrow("does not lead");
});
