// A person on the ledger: one key, coins looked up at any node, transactions signed as EIP-712 messages (FMT-6).
import type { NodeClient, Wish } from "@causeway/chain-core/client";
import { planTransaction, signTransaction } from "@causeway/chain-core/client";
import type { Burn } from "@causeway/chain-core/interchain";
import { transactionCodec } from "@causeway/chain-core/interchain";
import { Failure, isRejected } from "@causeway/primitives";
import { until } from "./follow.ts";
import type { Genesis } from "./genesis.ts";
import { lockOf } from "./genesis.ts";

export type LedgerUser = {
  readonly lock: Uint8Array;
  readonly balance: (asset: Uint8Array) => Promise<bigint>;
  /** Pays and waits until it is final. */
  readonly pay: (lock: Uint8Array, asset: Uint8Array, amount: bigint) => Promise<Sent>;
  readonly burn: (order: Omit<Burn, "refund">) => Promise<Sent>;
};
export type Sent = {
  readonly id: Uint8Array;
  readonly height: number;
  /** BTM units burnt. */
  readonly feeBtm: bigint;
  /** Position of the burn among the actions; a wallet puts it last. */
  readonly burnPosition: number;
};

export function ledgerUser(genesis: Genesis, node: NodeClient, secret: Uint8Array): LedgerUser {
  const lock = lockOf(secret);

  async function send(wish: Pick<Wish, "payments" | "burn">): Promise<Sent> {
    const { time } = await node.status();
    const expires = time + Math.min(genesis.params.expiryMaxMs, 120_000);
    const coins = await node.utxos(lock);
    const planned = planTransaction(genesis, coins, { ...wish, change: lock, expires });
    if (isRejected(planned)) throw new Failure(planned.code, planned.message);
    const signed = signTransaction(planned.unsigned, [secret]);
    if (isRejected(signed)) throw new Failure(signed.code, signed.message);
    const bytes = transactionCodec.encode(signed);
    const { id } = planned.unsigned;
    // Handed in again while it is not final: the node that took it may be gone.
    const height = await until("a transaction to be final", async () => {
      const found = await node.transaction(id);
      if (found.status === "final") return found.height;
      if (found.status !== "pending") {
        const answer = await node.submit(bytes);
        const { status } = await node.transaction(id);
        const isRefused = isRejected(answer) && status !== "pending" && status !== "final";
        if (isRefused) throw new Failure(answer.code, answer.message);
      }
      return undefined;
    });
    return { id, height, feeBtm: planned.fee, burnPosition: signed.actions.length - 1 };
  }

  return {
    lock,
    balance: async (asset) => {
      const coins = await node.utxos(lock, asset);
      return coins.reduce((sum, { output }) => sum + output.amount, 0n);
    },
    pay: (to, asset, amount) => send({ payments: [{ asset, amount, lock: to }] }),
    burn: (order) => send({ payments: [], burn: { ...order, refund: lock } }),
  };
}
