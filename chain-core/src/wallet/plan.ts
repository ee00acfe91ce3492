// From a wish and the coins of a wallet to a transaction: which coins it spends, what it pays back to itself and
// what it leaves over as the fee. Pure; integers only.
import type { Rejected } from "@causeway/primitives";
import { amountMax, equal, keyOf, rejected } from "@causeway/primitives";
import type { Action, Burn, Issue, Output, OutputId, Retire, Within } from "../codec/action.ts";
import {
  burnCodec,
  createCodec,
  inputsMax,
  issueCodec,
  kinds,
  memoCodec,
  memoSizeMax,
  outputsMax,
  retireCodec,
  spendCodec,
  withinCodec,
} from "../codec/action.ts";
import { transactionSizeMax } from "../codec/transaction.ts";
import { issuedAssetId } from "../ledger/assets/issued.ts";
import { formatAsset } from "../ledger/assets.ts";
import type { Genesis } from "../ledger/genesis.ts";
import type { LockTerms } from "../ledger/locks.ts";
import { ruleOf } from "../ledger/rules.ts";
import type { KnownLock, Unsigned } from "../ledger/sign.ts";
import { unsignedTransaction } from "../ledger/sign.ts";
import type { Offer, Quote } from "./fee.ts";
import { feeOffer, quoteOf } from "./fee.ts";

/** `terms` of a coin whose lock is no key's: without them a wallet cannot spend it. */
export type Coin = { readonly id: OutputId; readonly output: Output; readonly terms?: LockTerms };
export type Payment = {
  readonly asset: Uint8Array;
  readonly amount: bigint;
  readonly lock: Uint8Array;
};

/** `change` is the lock that the rest goes back to; `expires` ledger time in ms. */
export type Wish = {
  readonly payments: readonly Payment[];
  readonly burn?: Burn;
  /** Its units are there for payments; what these leave is change. */
  readonly issue?: Issue;
  /** Terms of the issuer's lock, where it is no key's. */
  readonly issuerTerms?: LockTerms;
  readonly retire?: Retire;
  /** UTF-8 of 1 to 128 bytes. */
  readonly memo?: Uint8Array;
  readonly within?: Within;
  /** Other actions, whose bodies parse; what they take out of the transaction, as stake does, comes from the coins. */
  readonly others?: readonly Action[];
  /** Coins that are spent in any case: joining small ones into change is a wish of its own. */
  readonly spend?: readonly Coin[];
  readonly change: Uint8Array;
  readonly expires: number;
} & Offer;

export type PlanCode =
  /** No payment, no other action and no coin to join. */
  | "nothing-to-do"
  /** An amount of zero or beyond 2^128 - 1. */
  | "bad-amount"
  /** The coins of an asset, or those for the fee, do not suffice. */
  | "insufficient-funds"
  /** Not 1 to 128 bytes. */
  | "bad-memo"
  /** The asset of the fee has no price. */
  | "not-a-fee-asset"
  /** More inputs or outputs than a transaction has room for: join coins first. */
  | "too-many";

export type Planned = {
  readonly unsigned: Unsigned;
  readonly spent: readonly Coin[];
  /** What the transaction leaves over, in units of `feeAsset`. */
  readonly fee: bigint;
  readonly feeAsset: Uint8Array;
  /** As in ledger/fees/weight.ts. */
  readonly weight: number;
  /** Payments back to `change`, one for each asset at most. */
  readonly change: readonly Output[];
  /** Locks among `unsigned.locks` that are no key's, for `signTransaction`. */
  readonly known: readonly KnownLock[];
};

/**
 * The transaction that fulfils `wish` with the fewest of `coins` (largest first), its fee included. The coins must be
 * unspent, also by what the wallet has sent and not yet seen final, and open when the transaction is in a block.
 */
export function planTransaction(
  genesis: Genesis,
  coins: readonly Coin[],
  wish: Wish,
): Planned | Rejected<PlanCode> {
  const needs = needsOf(genesis, wish);
  if ("kind" in needs) return needs;
  const offer = feeOffer(genesis, wish);
  if ("kind" in offer) return offer;
  const own = { asset: offer.asset, amount: 0n };
  let fee = 0n;
  // A larger fee may take another coin, whose bytes cost again; both only grow, and inputs are bounded.
  for (;;) {
    const wanted = new Map(needs);
    const before = wanted.get(keyOf(own.asset)) ?? own;
    wanted.set(keyOf(own.asset), { asset: own.asset, amount: before.amount + fee });
    const chosen = choose(genesis, coins, [...wanted.values()], wish);
    if ("kind" in chosen) return chosen;
    const unsigned = build(genesis, chosen, wish);
    if ("kind" in unsigned) return unsigned;
    const known = knownLocks(chosen.spent, wish);
    const quote: Quote = quoteOf(unsigned, known, offer);
    if (quote.size > transactionSizeMax)
      return rejected("too-many", `${quote.size} bytes in one transaction`);
    const { weight } = quote;
    if (quote.fee <= fee) return { unsigned, ...chosen, fee, feeAsset: offer.asset, weight, known };
    fee = quote.fee;
  }
}

/** Room for a coin or some that pay the fee. */
const joinMax = inputsMax - 4;

/** The smallest coins of an asset, as many as one transaction joins with `spend`; ledger prices make few worth while. */
export function coinsToJoin(coins: readonly Coin[], asset: Uint8Array): Coin[] {
  return coins
    .filter(({ output }) => equal(output.asset, asset))
    .sort((a, b) => (a.output.amount < b.output.amount ? -1 : 1))
    .slice(0, joinMax);
}

type Need = { readonly asset: Uint8Array; readonly amount: bigint };

/** What must come in per asset, fee aside; negative where an issue brings more than is paid. */
function needsOf(genesis: Genesis, wish: Wish): Map<string, Need> | Rejected<PlanCode> {
  const { payments, burn, issue, retire, memo, others = [], spend = [] } = wish;
  const out = [...payments, ...(burn ? [burn] : []), ...(retire ? [retire] : [])];
  const isIdle = issue === undefined && memo === undefined && others.length === 0;
  if (out.length === 0 && isIdle && spend.length === 0)
    return rejected("nothing-to-do", "no payment, no other action and no coin to join");
  if (memo !== undefined && (memo.length === 0 || memo.length > memoSizeMax))
    return rejected("bad-memo", `a memo of ${memo.length} bytes`);
  const sums = new Map<string, Need>();
  const add = (asset: Uint8Array, amount: bigint): bigint => {
    const sum = (sums.get(keyOf(asset))?.amount ?? 0n) + amount;
    sums.set(keyOf(asset), { asset, amount: sum });
    return sum;
  };
  for (const { asset, amount } of out) {
    if (amount <= 0n || amount > amountMax) return rejected("bad-amount", `an amount of ${amount}`);
    const sum = add(asset, amount);
    if (sum > amountMax) return rejected("bad-amount", `a sum of ${sum}`);
  }
  if (issue !== undefined) {
    if (issue.amount <= 0n || issue.amount > amountMax)
      return rejected("bad-amount", `an issue of ${issue.amount}`);
    add(issuedAssetId(genesis.networkId, issue.definition), -issue.amount);
  }
  for (const { kind, body } of others) {
    const rule = ruleOf(kind);
    for (const [asset, value] of rule?.balance({ genesis }, rule.codec.decode(body)) ?? [])
      if (add(asset, -value) > amountMax) return rejected("bad-amount", "a sum beyond 2^128 - 1");
  }
  return sums;
}

type Chosen = { readonly spent: readonly Coin[]; readonly change: readonly Output[] };

function choose(
  genesis: Genesis,
  coins: readonly Coin[],
  needs: readonly Need[],
  { spend = [], change: lock }: Wish,
): Chosen | Rejected<PlanCode> {
  const spent: Coin[] = [...spend];
  const change: Output[] = [];
  const named = new Set(spend.map(nameOf));
  const wanted = new Map(needs.map((need) => [keyOf(need.asset), need]));
  for (const { output } of spend) {
    const { asset } = output;
    if (!wanted.has(keyOf(asset))) wanted.set(keyOf(asset), { asset, amount: 0n });
  }
  for (const { asset, amount } of wanted.values()) {
    const ours = coins
      .filter((coin) => equal(coin.output.asset, asset) && !named.has(nameOf(coin)))
      .sort((a, b) => (a.output.amount < b.output.amount ? 1 : -1));
    let sum = spend
      .filter(({ output }) => equal(output.asset, asset))
      .reduce((total, { output }) => total + output.amount, 0n);
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

function nameOf({ id }: Coin): string {
  return `${keyOf(id.txid)}:${id.index}`;
}

/** One spend, one create for payments and change, then the others, the burn last. */
function build(
  genesis: Genesis,
  { spent, change }: Chosen,
  wish: Wish,
): Unsigned | Rejected<PlanCode> {
  const { payments, burn, issue, retire, memo, within, others = [], expires } = wish;
  const outputs = [
    ...payments.map(({ asset, amount, lock }) => ({ asset, amount, lock })),
    ...change,
  ];
  if (outputs.length > outputsMax)
    return rejected("too-many", `${outputs.length} outputs, at most ${outputsMax} fit`);
  const actions: Action[] = [
    { kind: kinds.spend, body: spendCodec.encode({ inputs: spent.map(({ id }) => id) }) },
  ];
  const add = (kind: number, body: Uint8Array | undefined): void => {
    if (body !== undefined) actions.push({ kind, body });
  };
  add(kinds.create, outputs.length > 0 ? createCodec.encode({ outputs }) : undefined);
  add(kinds.issue, issue && issueCodec.encode(issue));
  add(kinds.retire, retire && retireCodec.encode(retire));
  add(kinds.memo, memo && memoCodec.encode({ text: memo }));
  add(kinds.within, within && withinCodec.encode(within));
  actions.push(...others);
  add(kinds.burn, burn && burnCodec.encode(burn));
  return unsignedTransaction(
    genesis,
    actions,
    spent.map(({ output }) => output),
    expires,
  );
}

function knownLocks(spent: readonly Coin[], { issue, issuerTerms }: Wish): KnownLock[] {
  const known: KnownLock[] = [];
  for (const { output, terms } of spent)
    if (terms !== undefined) known.push({ lock: output.lock, terms });
  if (issue !== undefined && issuerTerms !== undefined)
    known.push({ lock: issue.definition.issuer, terms: issuerTerms });
  return known;
}
