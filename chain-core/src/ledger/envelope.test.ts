import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kinds } from "../codec/action.ts";
import type { Envelope, Transaction } from "../codec/transaction.ts";
import { roles, transactionCodec } from "../codec/transaction.ts";
import { dealCodec } from "../ring/index.ts";
import { checkTransaction } from "./check.ts";
import { ledgerEnv } from "./env.ts";
import { nextSequence, sequenceWindow, useSequence } from "./envelope.ts";
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
