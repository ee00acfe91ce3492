import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kinds } from "../codec/action.ts";
import type { Envelope, Transaction } from "../codec/transaction.ts";
import { roles, transactionCodec } from "../codec/transaction.ts";
import { dealCodec } from "../ring/index.ts";
import { checkTransaction, refusedEnvelope } from "./check.ts";
import { ledgerEnv } from "./env.ts";
import { nextSequence, sequenceWindow, useQuota, useSequence } from "./envelope.ts";
import { genesisState } from "./genesis-state.ts";
import { memoryState } from "./memory-state.ts";
import { signEnvelope } from "./sign.ts";
import { testBls, testGenesis, validatorSecret } from "./testing.ts";

const genesis = testGenesis(2);
const [{ owner: validator } = { owner: new Uint8Array(32) }] = genesis.validators;

describe("the sequence numbers of envelopes (CON-7)", () => {
  test("each pass once, in any order within the window", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 200 }), (numbers) => {
        const state = memoryState();
        const used = new Set<number>();
        let highest = 0;
        for (const sequence of numbers) {
          const isFresh =
            sequence > 0 &&
            !used.has(sequence) &&
            sequence > highest - sequenceWindow &&
            sequence <= highest + sequenceWindow;
          const result = useSequence(state, { validator, role: 1, sequence });
          expect(result === undefined).toBe(isFresh);
          if (!isFresh) continue;
          used.add(sequence);
          highest = Math.max(highest, sequence);
          expect(nextSequence(state, { validator, role: 1 })).toBe(highest + 1);
        }
        expect(nextSequence(state, { validator, role: 2 })).toBe(1);
      }),
    );
  });
});

describe("the quota of envelopes (CON-7)", () => {
  test("is used up by weight, for each role, and new in every epoch", () => {
    const charge = fc.record({
      role: fc.constantFrom(1, 2),
      weight: fc.integer({ min: 1, max: 60 }),
      turn: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(charge, { maxLength: 60 }), (charges) => {
        const state = memoryState();
        let epoch = 0;
        let spent = new Map<number, number>();
        for (const { role, weight, turn } of charges) {
          if (turn) [epoch, spent] = [epoch + 1, new Map()];
          const sum = (spent.get(role) ?? 0) + weight;
          const result = useQuota(state, { validator, role }, { weight, epoch, quota: 100 });
          expect(result?.code).toBe(sum > 100 ? "quota-exhausted" : undefined);
          if (result === undefined) spent.set(role, sum);
        }
      }),
    );
  });

  test("leaves the sequence numbers as they are", () => {
    const state = memoryState();
    const of = { validator, role: 1 };
    useSequence(state, { ...of, sequence: 5 });
    useQuota(state, of, { weight: 7, epoch: 3, quota: 100 });
    expect(useSequence(state, { ...of, sequence: 5 })).toMatchObject({ code: "sequence-used" });
    expect(useSequence(state, { ...of, sequence: 4 })).toBeUndefined();
    const over = useQuota(state, of, { weight: 94, epoch: 3, quota: 100 });
    expect(over).toMatchObject({ code: "quota-exhausted" });
  });
});

describe("an envelope", () => {
  const env = ledgerEnv(genesis, testBls);
  const state = memoryState(genesisState(genesis));
  const at = { height: 1, time: genesis.time + 1 };
  const blank = new Uint8Array(64);
  const body = dealCodec.encode({
    keyId: 9,
    attempt: 0,
    seat: 0,
    commitments: [],
    proof: blank,
    ephemeral: new Uint8Array(33),
    ephemeralProof: blank,
    hostProof: blank,
    shares: [],
  });

  const sign = (
    change: Partial<Envelope>,
    kind: number = kinds.deal,
    secret: Uint8Array = validatorSecret(0, "hostKey"),
  ): Transaction => {
    const envelope = { validator, role: roles.signer, sequence: 1, ...change };
    return signEnvelope(genesis, envelope, at.time, [{ kind, body }], secret);
  };
  const check = (tx: Transaction): unknown =>
    checkTransaction(env, state, at, transactionCodec.encode(tx));

  test("is refused for an unknown validator, another's key, an action of another role", () => {
    expect(check(sign({}))).toMatchObject({ code: "wrong-ceremony" });
    expect(check(sign({ validator: new Uint8Array(32) }))).toMatchObject({
      code: "unknown-validator",
    });
    expect(check(sign({ role: roles.relay }))).toMatchObject({ code: "wrong-carrier" });
    expect(check(sign({ role: 9 }))).toMatchObject({ code: "wrong-carrier" });
    expect(check(sign({}, kinds.spend))).toMatchObject({ code: "wrong-carrier" });
    for (const secret of [validatorSecret(1, "hostKey"), validatorSecret(0, "relayKey")])
      expect(check(sign({}, kinds.deal, secret))).toMatchObject({ code: "bad-signature" });
  });

  test("is refused when its sender's quota does not hold it, and names its sender when refused", () => {
    const full = memoryState(genesisState(genesis));
    const of = { validator, role: roles.signer };
    const { envelopeQuota: quota } = genesis.params;
    useQuota(full, of, { weight: quota, epoch: 0, quota });
    const bytes = transactionCodec.encode(sign({}));
    expect(checkTransaction(env, full, at, bytes)).toMatchObject({ code: "quota-exhausted" });
    expect(refusedEnvelope(env, full, bytes)).toMatchObject({ ...of, sequence: 1 });
    const forged = sign({}, kinds.deal, validatorSecret(1, "hostKey"));
    expect(refusedEnvelope(env, full, transactionCodec.encode(forged))).toBeUndefined();
    expect(refusedEnvelope(env, full, bytes.slice(1))).toBeUndefined();
  });

  test("is refused when its number is used or too high, or a witness is missing or added", () => {
    const used = memoryState(genesisState(genesis));
    useSequence(used, { validator, role: roles.signer, sequence: 1 });
    const bytes = transactionCodec.encode(sign({}));
    expect(checkTransaction(env, used, at, bytes)).toMatchObject({ code: "sequence-used" });
    const far = sign({ sequence: sequenceWindow + 1 });
    expect(check(far)).toMatchObject({ code: "sequence-too-high" });
    const [witness = blank] = sign({}).witnesses;
    for (const witnesses of [[], [witness, witness]])
      expect(check({ ...sign({}), witnesses })).toMatchObject({ code: "wrong-witness-count" });
  });
});
