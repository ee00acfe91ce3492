// Signatures are most of the work of a batch or block, and need nothing of what its other transactions do: helpers take
// them from the end while the ledger goes on from the start, and what they found is there when it arrives.
import { isRejected } from "@causeway/primitives";
import type { Spend } from "../codec/action.ts";
import { kinds, spendCodec } from "../codec/action.ts";
import { transactionKey } from "../codec/transaction.ts";
import type { Job, LedgerEnv } from "./env.ts";
import { withRegistry } from "./governance/registry.ts";
import type { Parsed } from "./parsed.ts";
import { parseTransaction } from "./parsed.ts";
import type { StateReader } from "./state.ts";
import { outputs } from "./utxo/outputs.ts";

/** Fewer are verified before a helper has them. */
const jobsMin = 8;

/** Gives the helpers what they can do of `transactions`, which the ledger judges next, in this order. */
export function verifyAhead(
  env: LedgerEnv,
  reader: StateReader,
  transactions: readonly Uint8Array[],
): void {
  const { helpers, verified } = env;
  if (helpers === undefined || transactions.length < jobsMin) return;
  const jobs: Job[] = [];
  for (const bytes of transactions) {
    const of = transactionKey(bytes);
    if (verified?.knows(of)) continue;
    const parsed = parseTransaction(env, bytes);
    const records = isRejected(parsed) ? undefined : recordsOf(reader, parsed);
    if (records !== undefined) jobs.push({ of, bytes, records });
  }
  if (jobs.length >= jobsMin) helpers.give(withRegistry(reader, env.genesis), jobs);
}

/** Of all that it spends; undefined in an envelope, and where it builds on one that is not in the state. */
function recordsOf(reader: StateReader, { tx }: Parsed): Uint8Array[] | undefined {
  if (tx.envelope.length > 0) return undefined;
  const records: Uint8Array[] = [];
  for (const { kind, body } of tx.actions) {
    if (kind !== kinds.spend) continue;
    const spend = spendCodec.parse(body);
    if (isRejected(spend)) return undefined;
    for (const id of (spend as Spend).inputs) {
      const record = reader.get(outputs.key(id));
      if (record === undefined) return undefined;
      records.push(record);
    }
  }
  return records;
}
