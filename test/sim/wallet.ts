// What a simulated user holds on the ledger, and how it sends: the wallet's own code, a transaction kept until its
// outputs are final, handed to one portal after the other.
import type { Bytes32 } from "@causeway/primitives";
import { equal, H, isRejected, must } from "@causeway/primitives";
import type { Burn, Output, OutputId } from "../../chain-core/src/codec/action.ts";
import { createCodec, kinds } from "../../chain-core/src/codec/action.ts";
import { transactionCodec } from "../../chain-core/src/codec/transaction.ts";
import { lockOfAddress } from "../../chain-core/src/ledger/assets.ts";
import type { Genesis } from "../../chain-core/src/ledger/genesis.ts";
import { signTransaction } from "../../chain-core/src/ledger/sign.ts";
import type { Coin, Payment } from "../../chain-core/src/wallet/index.ts";
import { planTransaction } from "../../chain-core/src/wallet/index.ts";
import { addressNamed, secretOf } from "./genesis.ts";

export type Wallet = {
  readonly name: string;
  /** Where payments to it go; each is used for one thing. */
  readonly locks: readonly Bytes32[];
  readonly secrets: readonly Uint8Array[];
  coins: Coin[];
};

/** What the wallet holds of an asset. */
export function sumOf({ coins }: Wallet, asset: Uint8Array): bigint {
  const own = coins.filter(({ output }) => equal(output.asset, asset));
  return own.reduce((sum, { output }) => sum + output.amount, 0n);
}

/** A transaction on its way. */
export type Sent = {
  readonly bytes: Uint8Array;
  readonly txid: Bytes32;
  /** Its first output. */
  readonly first: OutputId;
  readonly outputs: readonly Coin[];
  /** Position of its burn. */
  readonly burnAt: number;
};

/** `names` are the keys; change goes to the last one. */
export function wallet(name: string, ...names: readonly string[]): Wallet {
  return {
    name,
    locks: names.map((one) => lockOfAddress(addressNamed(one))),
    secrets: names.map(secretOf),
    coins: [],
  };
}

/** Output `index` of the genesis. */
export function genesisCoin(genesis: Genesis, asset: Uint8Array, index: number): Coin {
  const { lock, amount } = must(genesis.balances[index], "balance");
  const txid = H("genesis", genesis.networkId, new Uint8Array(0));
  return { id: { txid, index }, output: { asset, amount, lock } };
}

/** Signs a transaction and books it in the wallet. */
export function pay(
  genesis: Genesis,
  from: Wallet,
  wish: {
    readonly payments: readonly Payment[];
    readonly burn?: Burn;
    /** Ledger time, ms. */
    readonly expires: number;
  },
): Sent {
  const change = must(from.locks.at(-1), "change lock");
  const planned = planTransaction(genesis, from.coins, { ...wish, change });
  if (isRejected(planned)) throw new Error(`${from.name}: ${planned.message}`);
  const { unsigned, spent } = planned;
  const signed = signTransaction(unsigned, from.secrets);
  if (isRejected(signed)) throw new Error(signed.message);
  const txid = unsigned.id;
  const created: Output[] = signed.actions
    .filter(({ kind }) => kind === kinds.create)
    .flatMap(({ body }) => createCodec.decode(body).outputs);
  const outputs = created.map((output, index) => ({ id: { txid, index }, output }));
  const gone = new Set(spent);
  from.coins = from.coins.filter((coin) => !gone.has(coin));
  for (const coin of outputs) receive(from, coin);
  return {
    bytes: transactionCodec.encode(signed),
    txid,
    first: { txid, index: 0 },
    outputs,
    burnAt: signed.actions.findIndex(({ kind }) => kind === kinds.burn),
  };
}

/** Books an output if it is the wallet's. */
export function receive(to: Wallet, coin: Coin): void {
  const isOwn = to.locks.some((lock) => equal(lock, coin.output.lock));
  if (isOwn) to.coins.push(coin);
}
