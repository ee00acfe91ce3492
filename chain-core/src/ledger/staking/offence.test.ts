// Offences in real blocks: evidence pays its reporter and burns the rest; who is away is jailed and comes back.
import { isRejected, must, zero32 } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { kinds } from "../../codec/action.ts";
import type { Evidence, SignedStatement } from "../../codec/evidence.ts";
import { evidenceCodec, statementDigestOf, statementKinds } from "../../codec/evidence.ts";
import { roles, transactionCodec } from "../../codec/transaction.ts";
import { checkTransaction } from "../check.ts";
import { economyOf } from "../economy.ts";
import { nextSequence } from "../envelope.ts";
import { committeeAt, committeeOfHeight, epochOf } from "../epoch/epochs.ts";
import type { TestChain } from "../epoch/testing.ts";
import { extend, seatSecret, testChain } from "../epoch/testing.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import { signEnvelope } from "../sign.ts";
import { testBls, testGenesis, testHash, validatorSecret } from "../testing.ts";
import { poolOf } from "./pool.ts";
import { causes, slashesOf } from "./punish.ts";
import { act, contextOf } from "./testing.ts";
import { unjailRule } from "./validator-rules.ts";

const genesis = testGenesis(4, { seats: 4, epochMs: 4_000, unbondingMs: 8_000 });
const { networkId, params } = genesis;
const offender = 2;
const ownerOf = (place: number): Uint8Array => must(genesis.validators[place], "validator").owner;

function doubleVote(chain: TestChain): Evidence {
  const height = chain.height;
  const committee = committeeOfHeight(chain.state, height);
  const seat = committee.members.findIndex(({ validator }) =>
    Buffer.from(validator).equals(ownerOf(offender)),
  );
  const said = (number: number): SignedStatement => {
    const block = testHash(networkId, number);
    const content = { kind: statementKinds.precommit, round: 0, block, polRound: 0 };
    const digest = statementDigestOf(networkId, height, { ...content, signature: zero32 });
    return { ...content, signature: testBls.sign(seatSecret(chain, committee, seat), digest) };
  };
  return { height, seat, first: said(1), second: said(2), reporter: zero32 };
}

function broughtBy(chain: TestChain, place: number, evidence: Evidence): Uint8Array {
  const from = { validator: ownerOf(place), role: roles.relay };
  const sequence = nextSequence(chain.state, from);
  const action = { kind: kinds.evidence, body: evidenceCodec.encode(evidence) };
  const secret = validatorSecret(place, "relayKey");
  const tx = signEnvelope(genesis, { ...from, sequence }, chain.time + 1_000, [action], secret);
  return transactionCodec.encode(tx);
}

const codeOf = (chain: TestChain, bytes: Uint8Array): string | undefined => {
  const at = { height: chain.height + 1, time: chain.time + 1 };
  const checked = checkTransaction(chain.env, chain.state, at, bytes);
  return isRejected(checked) ? checked.code : undefined;
};

describe("evidence of a double vote (STK-2)", () => {
  test("burns its part of the stake but the reporter's, who is not the offender, and once", () => {
    const chain = testChain(genesis);
    for (let i = 0; i < 3; i++) extend(chain);
    const evidence = doubleVote(chain);
    expect(codeOf(chain, broughtBy(chain, offender, evidence))).toBe("self-made");
    const own = { ...evidence, reporter: ownerOf(offender) };
    expect(codeOf(chain, broughtBy(chain, 0, own))).toBe(undefined);
    const before = economyOf(chain.state);
    const { tokens } = poolOf(chain.state, ownerOf(offender));
    const bytes = broughtBy(chain, 0, evidence);
    extend(chain, { transactions: [bytes] });
    const taken = (tokens * BigInt(params.slashBps)) / 10_000n;
    const reward = (taken * BigInt(params.reporterBps)) / 10_000n;
    const after = economyOf(chain.state);
    expect(poolOf(chain.state, ownerOf(offender)).tokens).toBe(tokens - taken);
    expect(after.burnt - before.burnt).toBe(taken - reward);
    expect(before.staked - after.staked).toBe(taken);
    expect(slashesOf(chain.state, ownerOf(offender))).toMatchObject([
      { cause: causes.doubleSign, epoch: 0, bps: params.slashBps, amount: taken },
    ]);
    expect(validators.get(chain.state, ownerOf(offender))?.status).toBe(validatorStatus.tombstoned);
    expect(codeOf(chain, broughtBy(chain, 1, evidence))).toBe("known-evidence");
  });
});

describe("absence (CON-4)", () => {
  test("jails without a burn, costs the seat two epochs later, and ends on the owner's word", () => {
    const some = testGenesis(4, {
      seats: 4,
      epochMs: 20_000,
      missedWindow: 32,
      missedMax: 8,
      jailMs: 5_000,
    });
    const chain = testChain(some);
    const away = must(committeeAt(chain.state, 0)?.members[1], "member").validator;
    const statusOf = (): number | undefined => validators.get(chain.state, away)?.status;
    const { tokens } = poolOf(chain.state, away);
    // A vote counts as missed after twice as many blocks as there are seats.
    let blocks = 0;
    for (; statusOf() === validatorStatus.active && blocks < 40; blocks++)
      extend(chain, { absent: [1] });
    expect(blocks).toBe(1 + 8 + 2 * 4);
    expect(statusOf()).toBe(validatorStatus.jailed);
    expect(poolOf(chain.state, away)).toMatchObject({ tokens, rate: 0n });
    expect(slashesOf(chain.state, away)).toEqual([]);
    const seated = (epoch: number): boolean =>
      committeeAt(chain.state, epoch)?.members.some(({ validator }) =>
        Buffer.from(validator).equals(away),
      ) === true;
    while (epochOf(chain.state).number < 1) extend(chain, { stepMs: 2_000 });
    expect([seated(1), seated(2)]).toEqual([true, false]);
    const world = { ...chain, genesis: some };
    expect(contextOf(world).params.jailMs).toBe(5_000);
    expect(act(world, unjailRule, { owner: away })).toBe(undefined);
    while (epochOf(chain.state).number < 2) extend(chain, { stepMs: 2_000 });
    expect([seated(2), seated(3)]).toEqual([false, true]);
  });
});
