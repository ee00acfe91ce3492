// From a wish and the coins of a wallet to a transaction: which coins it spends, what it pays back to itself and
// what it burns as the fee. Pure; integers only.
import type { Rejected } from "@causeway/primitives";
import { amountMax, equal, keyOf, must, rejected } from "@causeway/primitives";
import type { Action, Burn, Output, OutputId } from "../codec/action.ts";
import {
  burnCodec,
  createCodec,
  inputsMax,
  kinds,
  outputsMax,
  spendCodec,
} from "../codec/action.ts";
import { transactionCodec, transactionSizeMax } from "../codec/transaction.ts";
import { btm, formatAsset } from "../ledger/assets.ts";
import { feeMin } from "../ledger/fee.ts";
import type { Genesis } from "../ledger/genesis.ts";
import type { Unsigned } from "../ledger/sign.ts";
import { unsignedTransaction } from "../ledger/sign.ts";

export type Coin = { readonly id: OutputId; readonly output: Output };
export type Payment = {
  readonly asset: Uint8Array;
  readonly amount: bigint;
  readonly lock: Uint8Array;
};

/** `change` is the lock that the rest goes back to; `expires` ledger time in ms. */
export type Wish = {
  readonly payments: readonly Payment[];
  readonly burn?: Burn;
  readonly change: Uint8Array;
  readonly expires: number;
};

export type PlanCode =
  /** Neither a payment nor a burn. */
  | "nothing-to-do"
  /** An amount of zero or beyond 2^128 - 1. */
  | "bad-amount"
  /** The coins of an asset, or those of BTM for the fee, do not suffice. */
  | "insufficient-funds"
  /** More inputs or outputs than a transaction has room for: join coins first. */
  | "too-many";

export type Planned = {
  readonly unsigned: Unsigned;
  readonly spent: readonly Coin[];
  /** BTM units burnt. */
  readonly fee: bigint;
  /** Payments back to `change`, one for each asset at most. */
  readonly change: readonly Output[];
};

/** Size of a signature in a transaction: 65 bytes and their offset. */
const witnessSize = 69;

/**
 * The transaction that fulfils `wish` with the fewest of `coins` (largest first), BTM for the fee included. The
 * coins must be unspent, also by what the wallet has sent and not yet seen final.
 */
export function planTransaction(
  genesis: Genesis,
  coins: readonly Coin[],
  wish: Wish,
): Planned | Rejected<PlanCode> {
  const needs = needsOf(wish);
  if ("kind" in needs) return needs;
  const own = btm(genesis);
  let fee = 0n;
  // A larger fee may take another coin, whose bytes cost again; both only grow, and inputs are bounded.
  for (;;) {
    const wanted = new Map(needs.map(([asset, amount]) => [keyOf(asset), { asset, amount }]));
    const before = wanted.get(keyOf(own))?.amount ?? 0n;
    wanted.set(keyOf(own), { asset: own, amount: before + fee });
    const chosen = choose(genesis, coins, [...wanted.values()], wish.change);
    if ("kind" in chosen) return chosen;
    const unsigned = build(genesis, chosen, wish);
    if ("kind" in unsigned) return unsigned;
    const size = transactionCodec.encode(unsigned.tx).length + witnessSize * unsigned.locks.length;
    const least = feeMin(genesis.params, size);
    if (size > transactionSizeMax) return rejected("too-many", `${size} bytes in one transaction`);
    if (least <= fee) return { unsigned, spent: chosen.spent, fee, change: chosen.change };
    fee = least;
  }
}

type Need = readonly [asset: Uint8Array, amount: bigint];

/** What must come in per asset, fee aside. */
function needsOf({ payments, burn }: Wish): Need[] | Rejected<PlanCode> {
  if (payments.length === 0 && burn === undefined)
    return rejected("nothing-to-do", "neither a payment nor a burn");
  const out = burn === undefined ? payments : [...payments, burn];
  const sums = new Map<string, Need>();
  for (const { asset, amount } of out) {
    if (amount <= 0n || amount > amountMax) return rejected("bad-amount", `an amount of ${amount}`);
    const sum = (sums.get(keyOf(asset))?.[1] ?? 0n) + amount;
    if (sum > amountMax) return rejected("bad-amount", `a sum of ${sum}`);
    sums.set(keyOf(asset), [asset, sum]);
  }
  return [...sums.values()];
}

type Chosen = { readonly spent: readonly Coin[]; readonly change: readonly Output[] };

function choose(
  genesis: Genesis,
  coins: readonly Coin[],
  needs: readonly { readonly asset: Uint8Array; readonly amount: bigint }[],
  lock: Uint8Array,
): Chosen | Rejected<PlanCode> {
  const spent: Coin[] = [];
  const change: Output[] = [];
  for (const { asset, amount } of needs) {
    const ours = coins
      .filter(({ output }) => equal(output.asset, asset))
      .sort((a, b) => (a.output.amount < b.output.amount ? 1 : -1));
    let sum = 0n;
    for (const coin of ours) {
      if (sum >= amount) break;
      spent.push(coin);
      sum += coin.output.amount;
    }
    if (sum < amount)
      return rejected(
        "insufficient-funds",
        `${formatAsset(genesis, asset, amount)} needed, ${formatAsset(genesis, asset, sum)} there`,
      );
    if (sum > amount) change.push({ asset, amount: sum - amount, lock });
  }
  if (spent.length > inputsMax)
    return rejected("too-many", `${spent.length} coins needed, at most ${inputsMax} fit`);
  return { spent, change };
}

/** One spend, one create for payments and change, the burn last. */
function build(
  genesis: Genesis,
  { spent, change }: Chosen,
  { payments, burn, expires }: Wish,
): Unsigned | Rejected<PlanCode> {
  const outputs = [
    ...payments.map(({ asset, amount, lock }) => ({ asset, amount, lock })),
    ...change,
  ];
  if (outputs.length > outputsMax)
    return rejected("too-many", `${outputs.length} outputs, at most ${outputsMax} fit`);
  const actions: Action[] = [
    { kind: kinds.spend, body: spendCodec.encode({ inputs: spent.map(({ id }) => id) }) },
  ];
  if (outputs.length > 0)
    actions.push({ kind: kinds.create, body: createCodec.encode({ outputs }) });
  if (burn !== undefined) actions.push({ kind: kinds.burn, body: burnCodec.encode(burn) });
  must(spent[0], "a transaction spends something");
  return unsignedTransaction(
    genesis,
    actions,
    spent.map(({ output }) => output),
    expires,
  );
}
