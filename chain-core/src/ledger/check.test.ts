// The mempool's question to the real ledger, about a transaction that spends what still waits.
import { H, isRejected, must, zero32 } from "@causeway/primitives";
import { expect, test } from "vitest";
import { createCodec, kinds, spendCodec } from "../codec/action.ts";
import { transactionCodec } from "../codec/transaction.ts";
import { bindLedger } from "../node/ledger.ts";
import { btm } from "./assets.ts";
import { memoryState } from "./memory-state.ts";
import { signTransaction, unsignedTransaction } from "./sign.ts";
import { testBls, testGenesis, testLock, testSecret } from "./testing.ts";

const genesis = testGenesis(4);
const ledger = bindLedger(genesis, testBls);
const state = memoryState(ledger.genesis().puts);
const next = { height: 1, time: genesis.time + 1 };

type Coin = { readonly id: { txid: Uint8Array; index: number }; readonly amount: bigint };

/** All of `coin`, owned by `from`, to `to` but for the fee. */
function pay(
  coin: Coin,
  from: string,
  to: string,
): { readonly bytes: Uint8Array; readonly coin: Coin } {
  const output = { asset: btm(genesis), amount: coin.amount - 1_000_000n, lock: testLock(to) };
  const actions = [
    { kind: kinds.spend, body: spendCodec.encode({ inputs: [coin.id] }) },
    { kind: kinds.create, body: createCodec.encode({ outputs: [output] }) },
  ];
  const spent = [{ asset: btm(genesis), amount: coin.amount, lock: testLock(from) }];
  const unsigned = unsignedTransaction(genesis, actions, spent, genesis.time + 60_000);
  const tx = signTransaction(unsigned, [testSecret(from)]);
  if (isRejected(tx)) throw new Error(tx.message);
  const id = { txid: unsigned.id, index: 0 };
  return { bytes: transactionCodec.encode(tx), coin: { id, amount: output.amount } };
}

test("a transaction on top of two waiting ones is valid after them, and only in their order", () => {
  const { amount } = must(genesis.balances[0], "alice's balance");
  const txid = H("genesis", genesis.networkId, new Uint8Array(0));
  const first = pay({ id: { txid, index: 0 }, amount }, "alice", "bob");
  const second = pay(first.coin, "bob", "carol");
  const third = pay(second.coin, "carol", "alice");
  const check = (bytes: Uint8Array, ...parents: { bytes: Uint8Array }[]): unknown => {
    const checked = ledger.check(
      state,
      next,
      bytes,
      parents.map((parent) => parent.bytes),
    );
    return isRejected(checked) ? checked.code : checked.owner;
  };
  expect(check(first.bytes)).toEqual(testLock("alice"));
  expect(check(second.bytes)).toBe("missing-output");
  expect(check(second.bytes, first)).toEqual(testLock("bob"));
  expect(check(third.bytes, first, second)).toEqual(testLock("carol"));
  expect(check(third.bytes, second, first)).toBe("missing-output");
  const block = [first, second, third].map(({ bytes }) => bytes);
  const draft = { ...next, parent: zero32, proposer: 0, certificate: [], late: [] };
  const { tree } = ledger.genesis();
  expect(ledger.build(state, tree, draft, block).transactions).toEqual(block);
});
