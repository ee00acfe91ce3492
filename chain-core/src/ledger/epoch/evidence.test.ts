import type { NetworkId } from "@causeway/primitives";
import { isRejected, must, zero32 } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { kinds } from "../../codec/action.ts";
import type { Evidence, SignedStatement } from "../../codec/evidence.ts";
import { evidenceCodec, statementDigestOf, statementKinds } from "../../codec/evidence.ts";
import { roles, transactionCodec } from "../../codec/transaction.ts";
import { checkTransaction } from "../check.ts";
import { nextSequence } from "../envelope.ts";
import { signEnvelope } from "../sign.ts";
import { testBls, testGenesis, testHash, validatorSecret } from "../testing.ts";
import { committeeOfHeight, epochOf } from "./epochs.ts";
import { evidenceRule } from "./evidence.ts";
import type { TestChain } from "./testing.ts";
import { extend, seatSecret, testChain, tryBlock } from "./testing.ts";
import { isTombstoned, suspendedSeats, validatorStatus, validators } from "./validators.ts";

const genesis = testGenesis(4, { unbondingMs: 2_000, epochMs: 2_000 });
const { networkId } = genesis;
const [blockA, blockB] = [testHash(networkId, 1), testHash(networkId, 2)];
const { prevote, precommit, proposal } = statementKinds;
const offender = 2;

type Said = Partial<SignedStatement> & { readonly network?: NetworkId; readonly by?: number };

function said(
  chain: TestChain,
  height: number,
  kind: number,
  round: number,
  block: Uint8Array,
  { network = networkId, by = offender, ...change }: Said = {},
): SignedStatement {
  const content = { kind, round, block, polRound: 0, signature: new Uint8Array(96), ...change };
  const committee = committeeOfHeight(chain.state, chain.height);
  const secret = seatSecret(chain, committee, by);
  const signature = testBls.sign(secret, statementDigestOf(network, height, content));
  return { ...content, signature };
}

function envelopeOf(chain: TestChain, evidence: Evidence, role: number = roles.relay): Uint8Array {
  const { owner: validator } = must(genesis.validators[0], "validator");
  const sequence = nextSequence(chain.state, { validator, role });
  const from = { validator, role, sequence };
  const action = { kind: kinds.evidence, body: evidenceCodec.encode(evidence) };
  const secret = validatorSecret(0, role === roles.relay ? "relayKey" : "hostKey");
  return transactionCodec.encode(signEnvelope(genesis, from, chain.time + 1_000, [action], secret));
}

const codeOf = (chain: TestChain, evidence: Evidence): string | undefined => {
  const at = { height: chain.height + 1, time: chain.time + 1 };
  const checked = checkTransaction(chain.env, chain.state, at, envelopeOf(chain, evidence));
  return isRejected(checked) ? checked.code : undefined;
};

function chainOf(blocks: number): TestChain {
  const chain = testChain(genesis);
  for (let i = 0; i < blocks; i++) extend(chain);
  return chain;
}

/** Two statements at `height` of the seat {@link offender}. */
const pair = (first: SignedStatement, second: SignedStatement, height = 2): Evidence => ({
  height,
  seat: offender,
  first,
  second,
  reporter: zero32,
});

describe("evidence", () => {
  const chain = chainOf(3);
  const say = (kind: number, round: number, block: Uint8Array, change?: Said): SignedStatement =>
    said(chain, 2, kind, round, block, change);
  const judge = (first: SignedStatement, second: SignedStatement): string | undefined => {
    const codes = [pair(first, second), pair(second, first)].map((one) => codeOf(chain, one));
    expect(codes[0]).toBe(codes[1]);
    return codes[0];
  };

  test("convicts by two contents in one height, round and kind", () => {
    for (const kind of [prevote, precommit, proposal]) {
      expect(judge(say(kind, 1, blockA), say(kind, 1, blockB))).toBe(undefined);
      expect(judge(say(kind, 1, blockA), say(kind, 1, zero32))).toBe(undefined);
      expect(judge(say(kind, 1, blockA), say(kind, 1, blockA, { polRound: 1 }))).toBe(undefined);
      expect(judge(say(kind, 1, blockA), say(kind, 2, blockB))).toBe("not-contradictory");
    }
    expect(judge(say(prevote, 1, blockA), say(precommit, 1, blockB))).toBe("not-contradictory");
    expect(judge(say(proposal, 1, blockA), say(prevote, 1, blockB))).toBe("not-contradictory");
  });

  test("convicts by a lock that a later prevote does not respect, and only by that", () => {
    const locked = say(precommit, 3, blockA);
    // polRound 4 is round 3: the precommit's own round has a proof for another block; a later one frees the seat.
    for (const polRound of [0, 1, 3, 4])
      expect(judge(locked, say(prevote, 5, blockB, { polRound }))).toBe(undefined);
    expect(judge(locked, say(prevote, 5, blockB, { polRound: 5 }))).toBe("not-contradictory");
    expect(judge(locked, say(prevote, 5, blockA))).toBe("not-contradictory");
    expect(judge(locked, say(prevote, 5, zero32))).toBe("not-contradictory");
    expect(judge(locked, say(prevote, 2, blockB))).toBe("not-contradictory");
    expect(judge(say(precommit, 3, zero32), say(prevote, 5, blockB))).toBe("not-contradictory");
  });

  test("is refused when it is forged, of another network, seat or height, or one statement twice", () => {
    const [good, other] = [say(prevote, 0, blockA), say(prevote, 0, blockB)];
    expect(judge(good, good)).toBe("duplicate");
    expect(judge(good, say(7, 0, blockB))).toBe("bad-kind");
    const network = testHash(networkId, 3) as Uint8Array as NetworkId;
    expect(judge(good, say(prevote, 0, blockB, { network }))).toBe("bad-signature");
    expect(judge(good, say(prevote, 0, blockB, { by: 1 }))).toBe("bad-signature");
    expect(judge(good, { ...other, signature: good.signature })).toBe("bad-signature");
    expect(judge(good, { ...other, signature: new Uint8Array(96) })).toBe("bad-signature");
    expect(codeOf(chain, { ...pair(good, other), seat: 1 })).toBe("bad-signature");
    expect(codeOf(chain, { ...pair(good, other), seat: 4 })).toBe("bad-seat");
    expect(codeOf(chain, { ...pair(good, other), height: 3 })).toBe("bad-signature");
    expect(codeOf(chain, { ...pair(good, other), height: 5 })).toBe("future-evidence");
  });

  test("is brought by users and by operators, and says what it is", () => {
    const evidence = pair(say(prevote, 0, blockA), say(prevote, 0, blockB));
    expect(evidenceRule.carriers).toBe("anyone");
    const at = { height: 4, time: chain.time + 1 };
    for (const role of [roles.relay, roles.signer]) {
      const bytes = envelopeOf(chain, evidence, role);
      expect(checkTransaction(chain.env, chain.state, at, bytes)).toHaveProperty("id");
    }
    expect(evidenceRule.describe?.(genesis, evidence)).toContain("seat 2");
  });
});

describe("a convicted validator", () => {
  test("is barred at once, known from then on, and dropped two epochs later (CON-3)", () => {
    const chain = chainOf(3);
    const [first, second] = [blockA, blockB].map((block) => said(chain, 3, prevote, 0, block));
    const evidence = pair(must(first, "vote"), must(second, "vote"), 3);
    const { owner } = must(genesis.validators[offender], "validator");
    extend(chain, { transactions: [envelopeOf(chain, evidence)] });
    expect(isTombstoned(chain.state, owner)).toBe(true);
    expect(validators.get(chain.state, owner)).toMatchObject({
      status: validatorStatus.tombstoned,
      since: 0,
    });
    expect(codeOf(chain, evidence)).toBe("known-evidence");
    const seen: [number, number[], number][] = [];
    for (let i = 0; i < 10; i++) {
      const committee = committeeOfHeight(chain.state, chain.height + 1);
      const barred = suspendedSeats(chain.state, committee);
      const { number } = epochOf(chain.state);
      if (seen.at(-1)?.[0] !== number) seen.push([number, barred, committee.members.length]);
      // The old height's certificate still held the offender; no later one may need it.
      const isShort = barred.length > 0 && i > 0;
      if (isShort) expect(tryBlock(chain)).toHaveProperty("puts");
      extend(chain, { absent: barred, proposer: 0 });
    }
    expect(seen).toEqual([
      [1, [offender], 4],
      [2, [], 3],
      [3, [], 3],
    ]);
  });

  test("of an epoch that the ledger has forgotten goes free", () => {
    const chain = chainOf(3);
    const [first, second] = [blockA, blockB].map((block) => said(chain, 3, prevote, 0, block));
    const evidence = pair(must(first, "vote"), must(second, "vote"), 3);
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 16; i++) {
      extend(chain);
      codes.push(codeOf(chain, evidence));
    }
    expect(codes).toEqual([
      ...Array.from({ length: 12 }, () => undefined),
      ...Array.from({ length: 4 }, () => "stale-evidence"),
    ]);
  });
});
