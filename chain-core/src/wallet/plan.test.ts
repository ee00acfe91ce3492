// A planned transaction is one that the real ledger accepts, whatever the coins.
import { isRejected } from "@causeway/primitives";
import fc from "fast-check";
import { expect, test } from "vitest";
import { transactionCodec } from "../codec/transaction.ts";
import { assetId, btm } from "../ledger/assets.ts";
import { checkTransaction } from "../ledger/check.ts";
import { ledgerEnv } from "../ledger/env.ts";
import { baseFeeOf, feeAt } from "../ledger/fees/base-fee.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import { memoryState } from "../ledger/memory-state.ts";
import { signTransaction } from "../ledger/sign.ts";
import { testBls, testGenesis, testHash, testLock, testSecret } from "../ledger/testing.ts";
import { addOutput } from "../ledger/utxo/outputs.ts";
import type { Coin, Wish } from "./plan.ts";
import { planTransaction } from "./plan.ts";

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

function check(coins: readonly Coin[], wish: Wish): ReturnType<typeof planTransaction> {
  const planned = planTransaction(genesis, coins, wish);
  if (isRejected(planned)) return planned;
  const state = memoryState(genesisState(genesis));
  for (const { id, output } of coins) addOutput(state, id, output);
  const signed = signTransaction(planned.unsigned, [testSecret("alice")]);
  if (isRejected(signed)) throw new Error(signed.message);
  const bytes = transactionCodec.encode(signed);
  const checked = checkTransaction(env, state, at, bytes);
  if (isRejected(checked)) throw new Error(`${checked.code}: ${checked.message}`);
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
