// Worker of the network benchmark: makes and signs 1-in-2-out transfers before the clock starts. Each output of a
// transfer is spent by a later one, so that a small genesis feeds any number of transfers, every input another.
import { parentPort, workerData } from "node:worker_threads";
import { H, must } from "@causeway/primitives";
import { addressOf, publicPoint, signRecoverable } from "@causeway/primitives/secp256k1";
import type { OutputId } from "../../chain-core/src/codec/action.ts";
import { createCodec, kinds, spendCodec } from "../../chain-core/src/codec/action.ts";
import { transactionCodec } from "../../chain-core/src/codec/transaction.ts";
import { btm, lockOfAddress } from "../../chain-core/src/ledger/assets.ts";
import type { Genesis } from "../../chain-core/src/ledger/genesis.ts";
import { unsignedTransaction } from "../../chain-core/src/ledger/sign.ts";
import { testSecret } from "../../chain-core/src/ledger/testing.ts";

export type SignJob = {
  readonly genesis: Genesis;
  /** Balances of the genesis that this worker spends: every `step`-th from `first`. */
  readonly first: number;
  readonly step: number;
  readonly roots: number;
  readonly owners: number;
  readonly count: number;
  /** Ledger time, ms. */
  readonly expires: number;
};

/** All transactions in order, one after the other. */
export type Signed = { readonly bytes: Uint8Array; readonly ends: Uint32Array };

type Coin = { readonly id: OutputId; readonly owner: number; readonly amount: bigint };

/** Far above any base fee that a full network reaches within the minutes of a run. */
const fee = 1_000_000n;

export const ownerName = (owner: number): string => `bench ${owner}`;

function sign(job: SignJob): Signed {
  const { genesis, owners } = job;
  const secrets = Array.from({ length: owners }, (_, i) => testSecret(ownerName(i)));
  const locks = secrets.map((secret) => lockOfAddress(addressOf(publicPoint(secret))));
  const asset = btm(genesis);
  const txid = H("genesis", genesis.networkId, new Uint8Array(0));
  const coins: Coin[] = [];
  for (let i = job.first; i < job.roots; i += job.step)
    coins.push({
      id: { txid, index: i },
      owner: i % owners,
      amount: must(genesis.balances[i], "balance").amount,
    });
  const parts: Uint8Array[] = [];
  const ends = new Uint32Array(job.count);
  let size = 0;
  for (let n = 0; n < job.count; n++) {
    const coin = must(coins[n], "coin");
    const lock = must(locks[coin.owner], "lock");
    const payee = (coin.owner * 31 + n * 17 + 7) % owners;
    const paid = (coin.amount - fee) / 2n;
    const rest = coin.amount - fee - paid;
    const outputs = [
      { asset, amount: paid, lock: must(locks[payee], "lock") },
      { asset, amount: rest, lock },
    ];
    const actions = [
      { kind: kinds.spend, body: spendCodec.encode({ inputs: [coin.id] }) },
      { kind: kinds.create, body: createCodec.encode({ outputs }) },
    ];
    const spent = [{ asset, amount: coin.amount, lock }];
    const { tx, id, digest } = unsignedTransaction(genesis, actions, spent, job.expires);
    const witness = signRecoverable(must(secrets[coin.owner], "secret"), digest);
    const bytes = transactionCodec.encode({ ...tx, witnesses: [witness] });
    parts.push(bytes);
    size += bytes.length;
    ends[n] = size;
    coins.push({ id: { txid: id, index: 0 }, owner: payee, amount: paid });
    coins.push({ id: { txid: id, index: 1 }, owner: coin.owner, amount: rest });
  }
  return { bytes: new Uint8Array(Buffer.concat(parts)), ends };
}

if (parentPort !== null && workerData !== null) {
  const signed = sign(workerData as SignJob);
  parentPort.postMessage(signed, [
    signed.bytes.buffer as ArrayBuffer,
    signed.ends.buffer as ArrayBuffer,
  ]);
}
