// Locks of several keys and of a time, opened in real transactions: what the ledger takes is exactly m signatures
// by different keys of the lock, in their order, from its time on.
import { bytes32, concat, isRejected, must } from "@causeway/primitives";
import { addressOf, publicPoint, signRecoverable } from "@causeway/primitives/secp256k1";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Output, OutputId } from "../codec/action.ts";
import { createCodec, kinds, spendCodec } from "../codec/action.ts";
import { transactionCodec, witnessSizeMax } from "../codec/transaction.ts";
import { btm, formatLock, isKeyLock, parseLock } from "./assets.ts";
import { checkTransaction } from "./check.ts";
import { ledgerEnv } from "./env.ts";
import { genesisState } from "./genesis-state.ts";
import type { LockTerms } from "./locks.ts";
import { checkTerms, lockKeysMax, lockOf, lockTerms, lockWitness, openingOf } from "./locks.ts";
import { memoryState } from "./memory-state.ts";
import type { Unsigned } from "./sign.ts";
import { signTransaction, unsignedTransaction } from "./sign.ts";
import { testBls, testGenesis, testHash, testLock, testSecret } from "./testing.ts";
import { addOutput } from "./utxo/outputs.ts";

const genesis = testGenesis(1);
const env = ledgerEnv(genesis, testBls);
const initial = genesisState(genesis);
const asset = btm(genesis);
const opensAt = genesis.time + 5_000;
const secretOf = (i: number): Uint8Array => testSecret(`owner ${i}`);
const addressAt = (i: number): Uint8Array => addressOf(publicPoint(secretOf(i)));

function termsOf(count: number, threshold: number, at = 0): LockTerms {
  const terms = lockTerms(
    Array.from({ length: count }, (_, i) => addressAt(i)),
    threshold,
    at,
  );
  if (isRejected(terms)) throw new Error(terms.message);
  return terms;
}

const id: OutputId = { txid: testHash(genesis.networkId, 1), index: 0 };
/** Ledger time of the block that `tryWitness` asks about. */
const soon = genesis.time + 1_000;

function spendOf(terms: LockTerms): Unsigned {
  const output: Output = { asset, amount: 10_00000000n, lock: lockOf(genesis.networkId, terms) };
  const outputs = [{ asset, amount: 9_00000000n, lock: testLock("bob") }];
  const actions = [
    { kind: kinds.spend, body: spendCodec.encode({ inputs: [id] }) },
    { kind: kinds.create, body: createCodec.encode({ outputs }) },
  ];
  return unsignedTransaction(genesis, actions, [output], genesis.time + 60_000);
}

/** The ledger's answer to the spend of a lock with this witness: a code, or undefined. */
function tryWitness(terms: LockTerms, witness: Uint8Array, time = soon): string | undefined {
  const state = memoryState(initial);
  const lock = lockOf(genesis.networkId, terms);
  addOutput(state, id, { asset, amount: 10_00000000n, lock });
  const bytes = transactionCodec.encode({ ...spendOf(terms).tx, witnesses: [witness] });
  const checked = checkTransaction(env, state, { height: 1, time }, bytes);
  return isRejected(checked) ? checked.code : undefined;
}

/** Canonical bytes of a witness that no honest wallet makes. */
function rawWitness(terms: LockTerms, signatures: readonly Uint8Array[]): Uint8Array {
  const one = must(
    lockWitness({ ...terms, threshold: 0 }, bytes32(new Uint8Array(32)), []),
    "draft",
  );
  const draft = Uint8Array.from(one);
  draft[8 + 8] = terms.threshold;
  return concat(draft, ...signatures);
}

const digestOf = (terms: LockTerms): ReturnType<typeof bytes32> => spendOf(terms).digest;
const inOrder = (terms: LockTerms, who: readonly number[]): Uint8Array[] =>
  terms.keys.flatMap((key) =>
    who
      .filter((i) => key.join() === addressAt(i).join())
      .map((i) => signRecoverable(secretOf(i), digestOf(terms))),
  );

describe("a lock of m keys of n", () => {
  test("is opened by any m of them and by no fewer, whoever else signs", () => {
    const shape = fc.integer({ min: 1, max: lockKeysMax }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        threshold: fc.integer({ min: 1, max: count }),
        who: fc.shuffledSubarray(Array.from({ length: lockKeysMax }, (_, i) => i)),
      }),
    );
    fc.assert(
      fc.property(shape, ({ count, threshold, who }) => {
        const terms = termsOf(count, threshold);
        const signatures = who.map((i) => signRecoverable(secretOf(i), digestOf(terms)));
        const ours = who.filter((i) => i < count);
        const witness = lockWitness(terms, digestOf(terms), signatures);
        expect(witness !== undefined).toBe(ours.length >= threshold);
        if (witness !== undefined) expect(tryWitness(terms, witness)).toBeUndefined();
        // What is there, too few or too many, as it is.
        const raw = inOrder(terms, ours);
        const code = tryWitness(terms, rawWitness(terms, raw));
        expect(code).toBe(raw.length === threshold ? undefined : "bad-signature");
      }),
      { numRuns: 60 },
    );
  });

  test("takes each key once, in order, and nothing more", () => {
    const terms = termsOf(3, 2);
    const [first = new Uint8Array(65), second = first, third = first] = inOrder(terms, [0, 1, 2]);
    const stranger = signRecoverable(testSecret("stranger"), digestOf(terms));
    expect(tryWitness(terms, rawWitness(terms, [first, third]))).toBeUndefined();
    for (const bad of [
      [first],
      [first, first],
      [second, first],
      [first, second, third],
      [first, stranger],
      [],
    ])
      expect(tryWitness(terms, rawWitness(terms, bad))).toBe("bad-signature");
    const good = rawWitness(terms, [first, second]);
    expect(tryWitness(terms, concat(good, Uint8Array.of(0)))).toBe("bad-bytes");
    expect(tryWitness(terms, first)).toBe("bad-bytes");
  });

  test("is opened by its own terms alone", () => {
    const terms = termsOf(3, 2);
    const easier = { ...terms, threshold: 1 };
    const [first = new Uint8Array(65)] = inOrder(terms, [0]);
    expect(tryWitness(terms, rawWitness(easier, [first]))).toBe("wrong-lock-terms");
    const lock = lockOf(genesis.networkId, terms);
    expect(openingOf(genesis.networkId, lock, rawWitness(terms, []))).toMatchObject({
      threshold: 2,
    });
  });

  test("has terms in one form only, that somebody can meet", () => {
    const good = termsOf(3, 2);
    const [a, b] = good.keys as [Uint8Array, Uint8Array];
    for (const bad of [
      { ...good, keys: [] },
      { ...good, keys: [b, a] },
      { ...good, keys: [a, a] },
      { ...good, keys: [new Uint8Array(20)], threshold: 1 },
      { ...good, threshold: 0 },
      { ...good, threshold: 4 },
    ])
      expect(checkTerms(bad)).toMatchObject({ code: "bad-lock-terms" });
    expect(lockTerms([a, a], 1)).toMatchObject({ code: "bad-lock-terms" });
    const many = Array.from({ length: lockKeysMax + 1 }, (_, i) => addressAt(i));
    expect(lockTerms(many)).toMatchObject({ code: "bad-lock-terms" });
  });

  test("fits into a witness with all its keys, and has a text of its own", () => {
    const terms = termsOf(lockKeysMax, lockKeysMax);
    const all = Array.from({ length: lockKeysMax }, (_, i) => i);
    const witness = rawWitness(terms, inOrder(terms, all));
    expect(witness.length).toBeLessThanOrEqual(witnessSizeMax);
    expect(tryWitness(terms, witness)).toBeUndefined();
    const lock = lockOf(genesis.networkId, terms);
    expect(isKeyLock(lock)).toBe(false);
    expect(formatLock(lock)).toMatch(/^cw1/);
    expect(parseLock(formatLock(lock))).toEqual(lock);
    expect(lockOf(testGenesis(2).networkId, terms)).not.toEqual(lock);
  });
});

describe("a lock with a time", () => {
  test("opens exactly at its time", () => {
    const times = fc.integer({ min: genesis.time + 1, max: genesis.time + 10_000 });
    fc.assert(
      fc.property(times, fc.boolean(), (time, isShared) => {
        const terms = isShared ? termsOf(3, 2, opensAt) : termsOf(1, 1, opensAt);
        const unsigned = spendOf(terms);
        const lock = lockOf(genesis.networkId, terms);
        const tx = signTransaction(unsigned, [0, 1].map(secretOf), [{ lock, terms }]);
        if (isRejected(tx)) throw new Error(tx.message);
        const [witness = new Uint8Array(0)] = tx.witnesses;
        const code = tryWitness(terms, witness, time);
        expect(code).toBe(time < opensAt ? "lock-closed" : undefined);
      }),
    );
    const terms = termsOf(1, 1, opensAt);
    const witness = rawWitness(terms, inOrder(terms, [0]));
    // Verified once, and remembered: what is remembered opens nothing before its time.
    expect(tryWitness(terms, witness, opensAt)).toBeUndefined();
    expect(tryWitness(terms, witness, opensAt - 1)).toBe("lock-closed");
  });
});
