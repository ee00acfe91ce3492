// Who received and who spent what in a block: for the index and for those who follow an address. Computed from the
// block and from what its writes replaced, so that nothing of it is consensus.
import type { NetworkId, Put } from "@causeway/primitives";
import { isRejected, keyOf } from "@causeway/primitives";
import type { Movement } from "../client/types.ts";
import type { Output, OutputId } from "../codec/action.ts";
import { createCodec, kinds, spendCodec } from "../codec/action.ts";
import { transactionCodec, transactionId } from "../codec/transaction.ts";
import type { StateReader } from "../ledger/state.ts";
import { outputs } from "../ledger/utxo/outputs.ts";
import { outputIdOf } from "./node-keys.ts";

/** A final block, as far as movements go. `old` reads the state before it. */
export type Change = {
  readonly height: number;
  readonly transactions: readonly Uint8Array[];
  readonly puts: readonly Put[];
  readonly old: StateReader["get"];
};

/** In the order of the transactions, what the ledger did by itself last; one for each lock and asset of each. */
export function movementsOf(network: NetworkId, change: Change): Movement[] {
  const { height, transactions, puts, old } = change;
  const found: Movement[] = [];
  const made = new Map<string, Output>();
  const named = new Set<string>();
  const contentOf = (id: OutputId): Output | undefined => {
    const key = outputs.key(id);
    const known = made.get(keyOf(key));
    if (known !== undefined) return known;
    const bytes = old(key);
    return bytes === undefined ? undefined : outputs.codec.decode(bytes);
  };
  for (const [position, bytes] of transactions.entries()) {
    const tx = transactionCodec.parse(bytes);
    if (isRejected(tx)) continue;
    const txid = transactionId(network, tx);
    named.add(keyOf(txid));
    const sums = tally(height, position, txid);
    let index = 0;
    for (const { kind, body } of tx.actions) {
      if (kind === kinds.spend)
        for (const id of spendCodec.decode(body).inputs) sums.add(contentOf(id), "spent");
      if (kind !== kinds.create) continue;
      for (const output of createCodec.decode(body).outputs) {
        made.set(keyOf(outputs.key({ txid, index: index++ })), output);
        sums.add(output, "received");
      }
    }
    found.push(...sums.all());
  }
  return [...found, ...ofLedger(height, puts, named)];
}

/** Credits, refunds and rewards: outputs that no transaction of the block made. */
function ofLedger(height: number, puts: readonly Put[], named: ReadonlySet<string>): Movement[] {
  const found: Movement[] = [];
  for (const { key, value } of puts) {
    const id = outputIdOf(key);
    if (id === undefined || value === undefined || named.has(keyOf(id.txid))) continue;
    const sums = tally(height, undefined, id.txid);
    sums.add(outputs.codec.decode(value), "received");
    found.push(...sums.all());
  }
  return found;
}

type Mutable = { -readonly [Name in keyof Movement]: Movement[Name] };

function tally(
  height: number,
  position: number | undefined,
  txid: Uint8Array,
): {
  readonly add: (output: Output | undefined, side: "received" | "spent") => void;
  readonly all: () => Movement[];
} {
  const sums = new Map<string, Mutable>();
  return {
    add: (output, side) => {
      if (output === undefined) return;
      const { lock, asset, amount } = output;
      const key = keyOf(lock) + keyOf(asset);
      const sum = sums.get(key) ?? { lock, asset, height, position, txid, received: 0n, spent: 0n };
      sum[side] += amount;
      sums.set(key, sum);
    },
    all: () => [...sums.values()],
  };
}
