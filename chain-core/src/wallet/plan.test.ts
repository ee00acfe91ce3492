// A planned transaction is one that the real ledger accepts, whatever the coins.
import { isRejected, toHex, utf8 } from "@causeway/primitives";
import { signRecoverable } from "@causeway/primitives/secp256k1";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { IssuedDefinition } from "../codec/action.ts";
import { transactionCodec } from "../codec/transaction.ts";
import { issuedAssetId } from "../ledger/assets/issued.ts";
import { assetId, btm, formatLock } from "../ledger/assets.ts";
import { checkTransaction } from "../ledger/check.ts";
import { ledgerEnv } from "../ledger/env.ts";
import { baseFeeOf, feeAt } from "../ledger/fees/base-fee.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import { lockOf, lockTerms, lockWitness } from "../ledger/locks.ts";
import { memoryState } from "../ledger/memory-state.ts";
import { signTransaction } from "../ledger/sign.ts";
import { testBls, testGenesis, testHash, testLock, testSecret } from "../ledger/testing.ts";
import { addOutput } from "../ledger/utxo/outputs.ts";
import type { Coin, Wish } from "./plan.ts";
import { coinsToJoin, planTransaction } from "./plan.ts";

const genesis = testGenesis(4);
const env = ledgerEnv(genesis, testBls);
const bbtc = assetId(genesis, "BBTC") as Uint8Array;
const own = btm(genesis);
const [alice, bob] = [testLock("alice"), testLock("bob")];
const at = { height: 1, time: genesis.time + 1 };
const expires = at.time + 1_000;

function wallet(amounts: readonly (readonly [Uint8Array, bigint])[]): Coin[] {
  return amounts.map(([asset, amount], i) => ({
    id: { txid: testHash(genesis.networkId, i), index: i },
    output: { asset, amount, lock: alice },
  }));
}

function check(
  coins: readonly Coin[],
  wish: Wish,
  by: readonly string[] = ["alice"],
): ReturnType<typeof planTransaction> {
  const planned = planTransaction(genesis, coins, wish);
  if (isRejected(planned)) return planned;
  const state = memoryState(genesisState(genesis));
  for (const { id, output } of coins) addOutput(state, id, output);
  const signed = signTransaction(planned.unsigned, by.map(testSecret), planned.known);
  if (isRejected(signed)) throw new Error(signed.message);
  const bytes = transactionCodec.encode(signed);
  const checked = checkTransaction(env, state, at, bytes);
  if (isRejected(checked)) throw new Error(`${checked.code}: ${checked.message}`);
  // Prices are 1:1.
  expect(checked.fee).toBe(planned.fee);
  expect(checked.weight).toBe(planned.weight);
  const baseFee = baseFeeOf(state, genesis.params);
  expect(planned.fee).toBeGreaterThanOrEqual(feeAt(baseFee, planned.weight));
  // Never more than one input or output too much.
  expect(planned.fee).toBeLessThanOrEqual(feeAt(baseFee, planned.weight + 460));
  return planned;
}

const pay = (asset: Uint8Array, amount: bigint): Wish => ({
  payments: [{ asset, amount, lock: bob }],
  change: alice,
  expires,
});

test("a payment of a wrapped asset takes BTM for the fee and gives the rest of both back", () => {
  const planned = check(
    wallet([
      [bbtc, 100n],
      [own, 10_00000000n],
      [bbtc, 50n],
    ]),
    pay(bbtc, 30n),
  );
  if (isRejected(planned)) throw new Error(planned.message);
  expect(planned.spent.map(({ output }) => output.amount)).toEqual([100n, 10_00000000n]);
  expect(planned.change).toEqual([
    { asset: bbtc, amount: 70n, lock: alice },
    { asset: own, amount: 10_00000000n - planned.fee, lock: alice },
  ]);
});

test("what a wallet does not have is refused with the amounts", () => {
  const coins = wallet([
    [bbtc, 100n],
    [own, 10_00000000n],
  ]);
  expect(planTransaction(genesis, coins, pay(bbtc, 101n))).toMatchObject({
    code: "insufficient-funds",
    message: "0.00000101 BBTC needed, 0.000001 BBTC there",
  });
  expect(planTransaction(genesis, coins, pay(own, 10_00000000n))).toMatchObject({
    code: "insufficient-funds",
  });
  expect(planTransaction(genesis, coins, pay(bbtc, 0n))).toMatchObject({ code: "bad-amount" });
  expect(planTransaction(genesis, coins, { payments: [], change: alice, expires })).toMatchObject({
    code: "nothing-to-do",
  });
});

test("more coins than a transaction holds are refused", () => {
  const dust = wallet([
    [own, 10_00000000n],
    ...Array.from({ length: 100 }, () => [bbtc, 1n] as const),
  ]);
  expect(planTransaction(genesis, dust, pay(bbtc, 90n))).toMatchObject({ code: "too-many" });
  expect(isRejected(check(dust, pay(bbtc, 60n)))).toBe(false);
});

const gold: IssuedDefinition = {
  symbol: utf8("GOLD"),
  name: utf8("Gold in a vault"),
  decimals: 3,
  issuer: alice,
  cap: 0n,
  isReissuable: true,
};

test("who holds no BTM pays the fee in a wrapped asset", () => {
  const coins = wallet([[bbtc, 100_000n]]);
  expect(planTransaction(genesis, coins, pay(bbtc, 30n))).toMatchObject({
    code: "insufficient-funds",
  });
  const planned = check(coins, { ...pay(bbtc, 30n), feeAsset: bbtc });
  if (isRejected(planned)) throw new Error(planned.message);
  expect(planned.feeAsset).toEqual(bbtc);
  expect(planned.change).toEqual([
    { asset: bbtc, amount: 100_000n - 30n - planned.fee, lock: alice },
  ]);
  expect(planned.unsigned.message.fee).toMatch(/^0\.0000\d+ BBTC$/);
  const unknown = { ...pay(bbtc, 30n), feeAsset: testHash(genesis.networkId, 7) };
  expect(planTransaction(genesis, coins, unknown)).toMatchObject({ code: "not-a-fee-asset" });
});

test("an issue pays out what it makes, with its memo and heights, and says so", () => {
  const asset = issuedAssetId(genesis.networkId, gold);
  const planned = check(wallet([[own, 1_00000000n]]), {
    payments: [{ asset, amount: 600n, lock: bob }],
    issue: { definition: gold, amount: 1_000n },
    memo: utf8("first"),
    within: { from: 1, to: 9 },
    change: alice,
    expires,
  });
  if (isRejected(planned)) throw new Error(planned.message);
  expect(planned.change).toContainEqual({ asset, amount: 400n, lock: alice });
  const id = `0x${toHex(asset)}`;
  expect(planned.unsigned.message.actions).toEqual([
    `Issue 1 GOLD "Gold in a vault" (1000 units of ${id}) by ${formatLock(alice)}, with no cap, more may follow`,
    'memo "first"',
    "Only in blocks 1 to 9",
  ]);
  expect(planned.unsigned.message.pays[0]?.amount).toBe(`600 ${id}`);
});

test("coins under a lock of several keys are spent with the weight of their signatures", () => {
  const keys = ["alice", "bob", "carol"].map((name) => testLock(name).subarray(12));
  const terms = lockTerms(keys, 2, at.time);
  if (isRejected(terms)) throw new Error(terms.message);
  const lock = lockOf(genesis.networkId, terms);
  const coins = [
    {
      id: { txid: testHash(genesis.networkId, 1), index: 0 },
      terms,
      output: { asset: own, amount: 1_00000000n, lock },
    },
    ...wallet([[bbtc, 100n]]),
  ];
  const planned = check(coins, pay(bbtc, 10n), ["alice", "carol"]);
  if (isRejected(planned)) throw new Error(planned.message);
  expect(planned.known).toEqual([{ lock, terms }]);
  // Owners who are apart sign the same digest.
  const { unsigned } = planned;
  const signatures = ["carol", "bob"].map((name) =>
    signRecoverable(testSecret(name), unsigned.digest),
  );
  expect(lockWitness(terms, unsigned.digest, signatures)).toHaveLength(8 + 13 + 60 + 130);
  expect(lockWitness(terms, unsigned.digest, signatures.slice(1))).toBeUndefined();
  const alone = signTransaction(unsigned, [testSecret("alice")], planned.known);
  expect(alone).toMatchObject({ code: "missing-secret" });
});

test("small coins are joined into one", () => {
  const coins = wallet([
    [own, 1_00000000n],
    ...Array.from({ length: 80 }, (_, i) => [bbtc, BigInt(i + 1)] as const),
  ]);
  const spend = coinsToJoin(coins, bbtc);
  expect(spend).toHaveLength(60);
  const planned = check(coins, { payments: [], spend, change: alice, expires });
  if (isRejected(planned)) throw new Error(planned.message);
  expect(planned.change).toContainEqual({ asset: bbtc, amount: 1_830n, lock: alice });
  expect(planned.spent).toHaveLength(61);
});

test("every plan that is made is valid on the ledger and pays the least fee", () => {
  const coin = fc.tuple(fc.constantFrom(bbtc, own), fc.bigInt({ min: 1n, max: 20_000_000n }));
  fc.assert(
    fc.property(
      fc.array(coin, { maxLength: 20 }),
      fc.constantFrom(bbtc, own),
      fc.bigInt({ min: 1n, max: 30_000_000n }),
      (amounts, asset, amount) => {
        const planned = check(wallet(amounts), pay(asset, amount));
        if (isRejected(planned)) expect(planned.code).toBe("insufficient-funds");
      },
    ),
    { numRuns: 100 },
  );
});
