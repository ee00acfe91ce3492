// Fees in real transactions (ACC-2): in BTM, base fee and tip; in kind, to the unit into the reserve.
import { isRejected, must } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Action, Output } from "../../codec/action.ts";
import { createCodec, kinds, spendCodec } from "../../codec/action.ts";
import { transactionCodec } from "../../codec/transaction.ts";
import { assetId, btm } from "../assets.ts";
import { blockContext } from "../context.ts";
import { economy } from "../economy.ts";
import { ledgerEnv } from "../env.ts";
import type { Executed } from "../execute.ts";
import { executeTransaction } from "../execute.ts";
import { genesisState } from "../genesis-state.ts";
import { accountOf, halt, isBalanced, move } from "../interchain/accounting.ts";
import type { MemoryState } from "../memory-state.ts";
import { memoryState } from "../memory-state.ts";
import { prices } from "../prices.ts";
import type { Unsigned } from "../sign.ts";
import { signTransaction, unsignedTransaction } from "../sign.ts";
import { testBls, testGenesis, testHash, testLock, testSecret } from "../testing.ts";
import { addOutput, outputs } from "../utxo/outputs.ts";
import { baseFees, feeAt } from "./base-fee.ts";
import { settleFees, tipOutputTxid } from "./settle.ts";
import { amountFor } from "./surplus.ts";

const genesis = testGenesis(1);
const env = ledgerEnv(genesis, testBls);
const initial = genesisState(genesis);
const own = btm(genesis);
const bbtc = must(assetId(genesis, "BBTC"), "BBTC");
const lock = testLock("alice");
const at = { height: 1, time: genesis.time + 1_000 };
const txid = testHash(genesis.networkId, 1);
const held = 100_000_000n;

/** Alice holds BTM and BBTC, both in one coin, and wrapped assets are backed. */
function world(): MemoryState {
  const state = memoryState(initial);
  addOutput(state, { txid, index: 0 }, { asset: own, amount: held, lock });
  addOutput(state, { txid, index: 1 }, { asset: bbtc, amount: held, lock });
  move(state, bbtc, { coins: held, supply: held });
  return state;
}

/** Leaves over these amounts of what it spends; 0: that coin is not spent. */
function transaction(over: { readonly own?: bigint; readonly bbtc?: bigint }): Unsigned {
  const spent: Output[] = [];
  const inputs = [];
  const created: Output[] = [];
  for (const [index, [asset, rest]] of (
    [
      [own, over.own],
      [bbtc, over.bbtc],
    ] as const
  ).entries()) {
    if (rest === undefined) continue;
    spent.push({ asset, amount: held, lock });
    inputs.push({ txid, index });
    if (held > rest) created.push({ asset, amount: held - rest, lock });
  }
  const actions: Action[] = [{ kind: kinds.spend, body: spendCodec.encode({ inputs }) }];
  if (created.length > 0)
    actions.push({ kind: kinds.create, body: createCodec.encode({ outputs: created }) });
  return unsignedTransaction(genesis, actions, spent, at.time + 1_000);
}

function execute(state: MemoryState, unsigned: Unsigned): Executed | string {
  const tx = signTransaction(unsigned, [testSecret("alice")]);
  if (isRejected(tx)) throw new Error(tx.message);
  const bytes = transactionCodec.encode(tx);
  const result = executeTransaction(env, blockContext(env, state, at), bytes);
  return isRejected(result) ? result.code : result;
}

/** Any: the same for every amount of this size. */
function baseFeeFor(unsigned: Unsigned): bigint {
  const result = execute(world(), unsigned);
  if (typeof result === "string") throw new Error(result);
  return feeAt(genesis.params.baseFeeInitial, result.weight);
}

describe("a fee in BTM", () => {
  test("is the base fee of the block's own price, and a tip", () => {
    const state = world();
    const least = baseFeeFor(transaction({ own: 50_000n }));
    expect(execute(state, transaction({ own: least - 1n }))).toBe("fee-too-low");
    expect(execute(state, transaction({ own: least + 5n }))).toMatchObject({
      fee: least + 5n,
      shares: { burnt: least, tip: 5n },
    });
    const dear = world();
    baseFees.put(dear, "only", { baseFee: genesis.params.baseFeeInitial * 2n });
    expect(execute(dear, transaction({ own: least * 2n - 1n }))).toBe("fee-too-low");
    expect(execute(dear, transaction({ own: least * 2n }))).toMatchObject({
      shares: { burnt: least * 2n, tip: 0n },
    });
  });

  test("is burnt, and its tip is one output of the proposer", () => {
    const state = world();
    const before = must(economy.get(state, "only"), "economy");
    const context = blockContext(env, state, at);
    settleFees(context, { burnt: 7n, tip: 3n }, testLock("proposer"), 0);
    settleFees({ ...context, height: 2 }, { burnt: 0n, tip: 0n }, testLock("proposer"), 0);
    expect(economy.get(state, "only")).toEqual({ ...before, burnt: before.burnt + 7n });
    const tip = (height: number): Output | undefined =>
      outputs.get(state, { txid: tipOutputTxid(genesis.networkId, height), index: 0 });
    expect(tip(1)).toEqual({ asset: own, amount: 3n, lock: testLock("proposer") });
    expect(tip(2)).toBeUndefined();
  });
});

describe("a fee in kind", () => {
  test("is worth the base fee at the asset's price and goes to the unit into its reserve", () => {
    const anyPrice = fc.record({
      btm: fc.bigInt(1n, 1_000_000n),
      units: fc.bigInt(1n, 1_000_000n),
    });
    const least = baseFeeFor(transaction({ bbtc: 50_000n }));
    fc.assert(
      fc.property(anyPrice, fc.bigInt(-3n, 100n), (price, more) => {
        const state = world();
        prices.put(state, bbtc, price);
        const amount = amountFor(price, least) + more;
        if (amount < 1n || amount > held) return;
        const result = execute(state, transaction({ bbtc: amount }));
        const account = accountOf(state, bbtc);
        expect(isBalanced(account)).toBe(true);
        // An output more or less changes the weight, so a fee of all that is there may be above the least.
        if (more < 0n && amount < held) expect(result).toBe("fee-too-low");
        if (more < 0n) return;
        expect(result).toMatchObject({ shares: { burnt: 0n, tip: 0n } });
        expect(account).toMatchObject({ supply: held - amount, reserve: amount, coins: held });
      }),
    );
  });

  test("is shown to its signer in the asset's symbol", () => {
    expect(transaction({ bbtc: 1_000n }).message.fee).toBe("0.00001 BBTC");
    expect(transaction({ own: 1_000n, bbtc: 0n }).message.fee).toBe("0.00001 BTM");
    expect(transaction({ own: 0n }).message.fee).toBe("0 BTM");
  });

  test("is of one asset, with a price, that is not halted", () => {
    expect(execute(world(), transaction({ own: 50_000n, bbtc: 1n }))).toBe("unbalanced");
    expect(execute(world(), transaction({ own: 0n, bbtc: 50_000n }))).toMatchObject({
      fee: 50_000n,
    });
    const unpriced = world();
    prices.put(unpriced, bbtc, { btm: 0n, units: 1n });
    expect(execute(unpriced, transaction({ bbtc: 50_000n }))).toBe("not-a-fee-asset");
    const halted = world();
    halt(halted, bbtc);
    expect(execute(halted, transaction({ bbtc: 50_000n }))).toBe("fee-asset-halted");
  });
});
