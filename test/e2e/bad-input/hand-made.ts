// Transactions that a wallet would not make, signed all the same, and the code with which a node refuses each.

import { assetId } from "@causeway/chain-core";
import type { Utxo } from "@causeway/chain-core/client";
import { signTransaction, unsignedTransaction } from "@causeway/chain-core/client";
import type { Action, Burn, Genesis, Output } from "@causeway/chain-core/interchain";
import {
  burnCodec,
  createCodec,
  kinds,
  spendCodec,
  transactionCodec,
} from "@causeway/chain-core/interchain";
import type { NetworkId } from "@causeway/primitives";
import { equal, must } from "@causeway/primitives";
import { accepted } from "../strangers.ts";
import { randomBytes } from "./http.ts";

/** Coins of the signer, and of somebody else; ledger time in ms. */
export type Purse = {
  readonly genesis: Genesis;
  readonly secrets: readonly Uint8Array[];
  readonly coins: readonly Utxo[];
  readonly others: readonly Utxo[];
  readonly time: number;
};

export type WrongTransaction = {
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly refused: string;
};

/** BTM units, far above any fee here. */
const fee = 1_000_000n;

type Draft = {
  readonly burn?: Partial<Burn>;
  /** Made out of nothing. */
  readonly extra?: bigint;
  readonly fee?: bigint;
  readonly expiresIn?: number;
  readonly networkId?: Uint8Array;
  /** Spent as if it were the signer's. */
  readonly stolen?: Utxo;
  readonly repeat?: boolean;
  /** Instead of the burn's, once it is signed. */
  readonly kind?: number;
};

export function wrongTransactions(
  purse: Purse,
  order: Omit<Burn, "amount" | "refund">,
): WrongTransaction[] {
  const { genesis, coins, others } = purse;
  const own = must(assetId(genesis, "BTM"), "BTM");
  const btm = coinOf(coins, own);
  const coin = coinOf(coins, order.asset);
  const lock = coin.output.lock;
  const one = (what: string, refused: string, draft: Draft): WrongTransaction => ({
    what,
    refused,
    bytes: made(purse, { ...order, amount: 1_000_000n, refund: lock }, { btm, coin }, draft),
  });
  const to = (chain: Uint8Array, payload: Uint8Array): Draft => ({
    burn: { destination: { chain, payload } },
  });
  const bitcoin = genesis.bitcoin.chain;
  const evm = must(genesis.evm[0], "an EVM chain");
  return [
    one("more burnt than spent", "unbalanced", { burn: { amount: coin.output.amount + 1n } }),
    one("all that a number can say", "unbalanced", { burn: { amount: 2n ** 128n - 1n } }),
    one("coins out of nothing", "unbalanced", { extra: 1n }),
    one("an asset that does not exist", "unbalanced", { burn: { asset: randomBytes(1, 32) } }),
    one("below the minimum", "below-minimum", { burn: { amount: 1n } }),
    one("a maximum fee below the fee", "fee-above-maximum", { burn: { maxFee: 0n } }),
    one("an unknown chain", "unknown-chain", to(randomBytes(2, 32), lock)),
    one("no script", "bad-destination", to(bitcoin, randomBytes(3, 40))),
    one("an empty destination", "bad-destination", to(bitcoin, new Uint8Array(0))),
    one("no address", "bad-destination", to(evm.chain, randomBytes(4, 21))),
    one("the contract itself", "own-destination", to(evm.chain, evm.gateway)),
    one("this ledger", "not-leaving", to(genesis.networkId, lock)),
    one("a refund to nobody", "bad-refund", { burn: { refund: new Uint8Array(32) } }),
    one("no fee", "fee-too-low", { fee: 0n }),
    one("too late", "expired", { expiresIn: -60_000 }),
    one("too far ahead", "expires-too-late", { expiresIn: 10 ** 12 }),
    one("signed for another network", "bad-signature", { networkId: randomBytes(5, 32) }),
    one("somebody else's coin", "wrong-witness-count", { stolen: must(others[0], "a coin") }),
    one("one coin twice", "repeated-input", { repeat: true }),
    one("an unknown action", "unknown-action", { kind: 777 }),
  ];
}

function coinOf(coins: readonly Utxo[], asset: Uint8Array): Utxo {
  const ours = coins.filter(({ output }) => equal(output.asset, asset));
  const largest = ours.sort((a, b) => (a.output.amount < b.output.amount ? 1 : -1))[0];
  return must(largest, "a coin");
}

/** Spends both coins, burns, and pays the rest back. */
function made(
  { genesis, secrets, time }: Purse,
  order: Burn,
  { btm, coin }: { readonly btm: Utxo; readonly coin: Utxo },
  draft: Draft,
): Uint8Array {
  const burn: Burn = { ...order, ...draft.burn };
  const { lock } = coin.output;
  const inputs = [btm, coin, ...(draft.repeat ? [coin] : [])];
  const stolen = draft.stolen && { ...draft.stolen, output: { ...draft.stolen.output, lock } };
  const spent = stolen === undefined ? inputs : [...inputs, stolen];
  const sums = new Map<string, Output>();
  for (const { output } of spent) {
    const key = output.asset.join();
    sums.set(key, { ...output, amount: output.amount + (sums.get(key)?.amount ?? 0n) });
  }
  const take = (asset: Uint8Array, amount: bigint): void => {
    const sum = sums.get(asset.join());
    if (sum !== undefined) sums.set(asset.join(), { ...sum, amount: sum.amount - amount });
  };
  take(burn.asset, burn.amount);
  take(btm.output.asset, draft.fee ?? fee);
  take(coin.output.asset, -(draft.extra ?? 0n));
  const outputs = [...sums.values()].filter(({ amount }) => amount > 0n);
  const actions: Action[] = [
    { kind: kinds.spend, body: spendCodec.encode({ inputs: spent.map(({ id }) => id) }) },
    { kind: kinds.create, body: createCodec.encode({ outputs }) },
    { kind: kinds.burn, body: burnCodec.encode(burn) },
  ];
  const unsigned = unsignedTransaction(
    draft.networkId === undefined
      ? genesis
      : { ...genesis, networkId: draft.networkId as NetworkId },
    actions,
    spent.map(({ output }) => output),
    time + (draft.expiresIn ?? 60_000),
  );
  const signed = accepted(signTransaction(unsigned, secrets));
  const last = { kind: draft.kind ?? kinds.burn, body: burnCodec.encode(burn) };
  return transactionCodec.encode({ ...signed, actions: [...signed.actions.slice(0, -1), last] });
}
