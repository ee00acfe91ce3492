// Random users on one ledger: whatever they send, value is neither made nor lost, and the proposer's block is
// valid for everyone else.
import { fromBigEndian, isRejected, keyOf } from "@causeway/primitives";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Action, Output, OutputId } from "../codec/action.ts";
import { createCodec, kinds, spendCodec } from "../codec/action.ts";
import { transactionCodec, transactionId } from "../codec/transaction.ts";
import { btm } from "./assets.ts";
import { buildTransactions } from "./build.ts";
import { extend, testChain } from "./epoch/testing.ts";
import type { MemoryState } from "./memory-state.ts";
import { signTransaction, unsignedTransaction } from "./sign.ts";
import { testGenesis, testLock, testSecret, testUsers, validatorSecret } from "./testing.ts";
import { emptyTree, root, update } from "./tree.ts";
import { economy, outputs } from "./utxo/outputs.ts";

const genesis = testGenesis(1, { ceremonyWindowMs: 86_400_000 });
const own = btm(genesis);
// The proposer's tips are spent, too.
const secrets = [...testUsers.map(testSecret), validatorSecret(0, "owner")];

type Coin = { readonly id: OutputId; readonly output: Output };

function coinsOf(state: MemoryState): Coin[] {
  const coins: Coin[] = [];
  for (const { key, value } of state.entries())
    if (key[0] === 1) {
      const id = { txid: key.slice(2, 34), index: Number(fromBigEndian(key.slice(34))) };
      coins.push({ id, output: outputs.codec.decode(value) });
    }
  return coins.sort(
    (a, b) => keyOf(a.id.txid).localeCompare(keyOf(b.id.txid)) || a.id.index - b.id.index,
  );
}

/** Which coins, to whom, and how much is missing or too much. */
const wish = fc.record({
  picks: fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 4 }),
  to: fc.array(fc.nat(2), { minLength: 1, maxLength: 3 }),
  extra: fc.constantFrom(0n, 0n, 0n, 1n, 100_000_000_000n),
  fee: fc.constantFrom(1_000_000n, 20_000n, 10n),
});
type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;

function transactionOf(
  coins: readonly Coin[],
  { picks, to, extra, fee }: Wish,
  time: number,
): Uint8Array {
  const chosen = [...new Set(picks.map((pick) => pick % coins.length))].map(
    (i) => coins[i] as Coin,
  );
  const total = chosen.reduce((sum, { output }) => sum + output.amount, 0n);
  const each = (total - fee) / BigInt(to.length);
  const created: Output[] = to.map((user, i) => ({
    asset: own,
    amount: (each > 0n ? each : 1n) + (i === 0 ? extra : 0n),
    lock: testLock(testUsers[user] ?? "alice"),
  }));
  const actions: Action[] = [
    { kind: kinds.spend, body: spendCodec.encode({ inputs: chosen.map(({ id }) => id) }) },
    { kind: kinds.create, body: createCodec.encode({ outputs: created }) },
  ];
  const spent = chosen.map(({ output }) => output);
  // A transaction that pays more than it takes is signed like any other: the fee it states is not negative.
  const unsigned = unsignedTransaction(genesis, actions, spent, time);
  const tx = signTransaction(unsigned, secrets);
  if (isRejected(tx)) throw new Error(tx.message);
  expect(transactionId(genesis.networkId, tx)).toEqual(unsigned.id);
  return transactionCodec.encode(tx);
}

test("no list of transactions makes or loses value, and what is built is valid", () => {
  let taken = 0;
  let left = 0;
  const run = (blocks: readonly (readonly Wish[])[]): void => {
    const chain = testChain(genesis);
    const { state } = chain;
    for (const wishes of blocks) {
      const at = { height: chain.height + 1, time: chain.time + 1_000 };
      const coins = coinsOf(state);
      const candidates = wishes.flatMap((each) => {
        const total = each.picks.reduce(
          (sum, pick) => sum + (coins[pick % coins.length]?.output.amount ?? 0n),
          0n,
        );
        return total > each.fee + each.extra ? [transactionOf(coins, each, at.time)] : [];
      });
      const built = buildTransactions(chain.env, state, at, candidates);
      taken += built.length;
      left += candidates.length - built.length;
      extend(chain, { stepMs: 1_000, transactions: built });
      const record = economy.get(state, "only") ?? { issued: 0n, bonded: 0n, burnt: 0n };
      const unspent = coinsOf(state).reduce((sum, { output }) => sum + output.amount, 0n);
      expect(unspent).toBe(record.issued - record.bonded - record.burnt);
      // The tree kept by increments is the tree of the whole content.
      expect(root(update(emptyTree, state.entries()))).toEqual(root(chain.tree));
    }
  };
  const block = fc.array(wish, { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), run), { numRuns: 60 });
  expect(taken).toBeGreaterThan(100);
  expect(left).toBeGreaterThan(20);
});
