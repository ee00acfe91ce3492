// What the relay reads of its own ledger at a new height: a generator that yields batches of record keys and is
// sent their values, so that the process drives it over RPC and the simulator straight from the state.
import type {
  EvmState,
  ForeignEvent,
  Genesis,
  Key,
  Plan,
  Table,
  Tip,
} from "@causeway/chain-core/interchain";
import {
  batches,
  bitcoinTips,
  currentKeys,
  eventKinds,
  evmExecutedCodec,
  evmStates,
  inbounds,
  keys as keyRecords,
  listNames,
  lists,
  planKinds,
  plans as planRecords,
  planStatus,
  signedTransaction,
} from "@causeway/chain-core/interchain";
import { equal, keyOf } from "@causeway/primitives";

export type OpenPlan = { readonly id: Uint8Array; readonly plan: Plan };

export type LedgerView = {
  readonly height: number;
  /** Ledger time, ms. */
  readonly time: number;
  readonly bitcoinTip: Tip | undefined;
  /** The current keys of all chains by id. */
  readonly keys: ReadonlyMap<number, Key>;
  /** Plans that are not final, oldest first. */
  readonly plans: readonly OpenPlan[];
  /** Those of Bitcoin that the ring has signed, with the transaction to broadcast. */
  readonly signedTransactions: readonly (OpenPlan & { readonly signed: Uint8Array })[];
  /** Outpoints (36 bytes) of coins that are not spent for good. */
  readonly coins: readonly Uint8Array[];
  /** In the order of genesis.evm; the key is the chain's current one. */
  readonly evm: readonly { readonly state: EvmState | undefined; readonly key: Key | undefined }[];
  /** Event ids (hex) among those asked for that need no statement any more. */
  readonly known: ReadonlySet<string>;
};

/** An event of `chain` that a hint could be about. */
export type Candidate = {
  readonly id: Uint8Array;
  readonly chain: Uint8Array;
  readonly event: ForeignEvent;
};

type Values = readonly (Uint8Array | undefined)[];
export type Reading<Result> = Generator<readonly Uint8Array[], Result, Values>;

/** One record for each key of a table. */
function* read<K, V>(table: Table<K, V>, of: readonly K[]): Reading<(V | undefined)[]> {
  if (of.length === 0) return [];
  const values = yield of.map((key) => table.key(key));
  return of.map((_, i) => {
    const bytes = values[i];
    return bytes === undefined ? undefined : table.codec.decode(bytes);
  });
}

/** At most this many candidates are asked about at a height; the rest wait for the next. */
const candidatesMax = 256;

/** Everything that {@link LedgerView} holds, at the ledger's height and time `at`. */
export function* readView(
  genesis: Genesis,
  at: { readonly height: number; readonly time: number },
  candidates: readonly Candidate[],
): Reading<LedgerView> {
  const evmChains = genesis.evm.map(({ chain }) => chain);
  const chains = [genesis.bitcoin.chain, ...evmChains];
  const [planIds, coinIds] = yield* read(lists, [listNames.plans, listNames.coins]);
  const [bitcoinTip] = yield* read(bitcoinTips, [genesis.bitcoin.chain]);
  const current = yield* read(currentKeys, chains);
  const ids = [...new Set(current.flatMap((one) => (one === undefined ? [] : [one.keyId])))];
  const found = yield* read(keyRecords, ids);
  const keys = new Map<number, Key>();
  for (const key of found) if (key !== undefined) keys.set(key.keyId, key);
  const open = yield* read(planRecords, planIds?.ids ?? []);
  const states = yield* read(evmStates, evmChains);
  const known = yield* readKnown(genesis, candidates.slice(0, candidatesMax), states);
  const plans: OpenPlan[] = [];
  for (const [i, id] of (planIds?.ids ?? []).entries()) {
    const plan = open[i];
    if (plan !== undefined) plans.push({ id, plan });
  }
  const evm = states.map((state, i) => ({ state, key: keys.get(current[i + 1]?.keyId ?? 0) }));
  const signedTransactions = plans.filter(isSignedBitcoin).map(({ id, plan }) => ({
    id,
    plan,
    signed: signedTransaction(plan.subject, plan.signatures),
  }));
  const coins = coinIds?.ids ?? [];
  return { ...at, bitcoinTip, keys, plans, signedTransactions, coins, evm, known };
}

function isSignedBitcoin({ plan }: OpenPlan): boolean {
  const isBitcoin = plan.kind === planKinds.sweep || plan.kind === planKinds.withdrawal;
  return isBitcoin && plan.status === planStatus.signed;
}

function* readKnown(
  genesis: Genesis,
  candidates: readonly Candidate[],
  states: readonly (EvmState | undefined)[],
): Reading<Set<string>> {
  const known = new Set<string>();
  const records = yield* read(
    inbounds,
    candidates.map(({ id }) => id),
  );
  for (const [i, { id, chain, event }] of candidates.entries()) {
    const stated = records[i]?.candidates ?? [];
    const evm = genesis.evm.findIndex((one) => equal(one.chain, chain));
    const isKnown =
      event.kind === eventKinds.evmContract
        ? states[evm]?.stated === true
        : stated.some(({ blockHash }) => equal(blockHash, event.blockHash));
    if (isKnown) known.add(keyOf(id));
  }
  yield* readExecuted(candidates, known);
  return known;
}

/** A batch whose plan is final needs no statement of its execution any more. */
function* readExecuted(candidates: readonly Candidate[], known: Set<string>): Reading<void> {
  const executed = candidates.filter(({ event }) => event.kind === eventKinds.evmExecuted);
  const named = yield* read(
    batches,
    executed.map(({ chain, event }) => ({
      chain,
      nonce: evmExecutedCodec.decode(event.body).nonce,
    })),
  );
  const ids = named.flatMap((one) => (one === undefined ? [] : [one.plan]));
  const records = yield* read(planRecords, ids);
  const final = new Set(
    ids.filter((_, i) => records[i]?.status === planStatus.final).map((id) => keyOf(id)),
  );
  for (const [i, { id }] of executed.entries()) {
    const plan = named[i]?.plan;
    if (plan !== undefined && final.has(keyOf(plan))) known.add(keyOf(id));
  }
}
