// What the relay reads of its own ledger at a new height: a generator that yields batches of record keys and is
// sent their values, so that the process drives it over RPC and the simulator straight from the state.
import type { EvmState, Genesis, Key, Params, Plan, Tip } from "@causeway/chain-core/interchain";
import {
  bitcoinBest,
  bitcoinHeaders,
  bitcoinTips,
  committees,
  currentKeys,
  epochs,
  evmStates,
  governingKeys,
  inForceBy,
  isBitcoinPlan,
  keys as keyRecords,
  listNames,
  lists,
  plans as planRecords,
  planStatus,
  roles,
  sequences,
  signedTransaction,
  usedKeys,
} from "@causeway/chain-core/interchain";
import type { Answer, Candidate } from "./candidate.ts";
import { readAnswers } from "./candidate.ts";
import type { Reading } from "./reading.ts";
import { read } from "./reading.ts";
import type { Rota } from "./rota.ts";

export type OpenPlan = { readonly id: Uint8Array; readonly plan: Plan };
/** `signed`: the bytes to broadcast. */
export type SignedPlan = OpenPlan & { readonly signed: Uint8Array };

/** What the relay wants to know besides what it always reads ({@link questions} in machine.ts). */
export type Questions = {
  /** Public key of the own envelopes: whose is it, and what is its sequence (CON-7)? */
  readonly relayKey: Uint8Array;
  /** The epoch whose committee is known. */
  readonly epoch: number;
  /** Events that a hint could be about; at most {@link candidatesMax}. */
  readonly candidates: readonly Candidate[];
  /** Hash of the own Bitcoin tip: does the ledger have its header? */
  readonly bitcoinTip: Uint8Array;
  /** Keys that deposit requests name, besides the current ones. */
  readonly keyIds: readonly number[];
};

export type LedgerView = {
  readonly height: number;
  /** Ledger time, ms. */
  readonly time: number;
  /** In force (GOV-1). */
  readonly params: Params;
  /** The validator that registered the own relay key. */
  readonly owner: Uint8Array | undefined;
  /** The committee, when its epoch is another than {@link Questions}.epoch. */
  readonly rota: Rota | undefined;
  /** Highest sequence that the own relay key has used (CON-7). */
  readonly sequence: number;
  /** The ledger's best Bitcoin chain: its tip, then ever sparser below it; highest first. Empty at the genesis. */
  readonly locator: readonly Tip[];
  /** The hash of {@link Questions}.bitcoinTip, if the ledger has that header: on its best chain or not. */
  readonly knownTip: Uint8Array | undefined;
  /** The current keys of all chains and those asked for, by id. */
  readonly keys: ReadonlyMap<number, Key>;
  /** Current key of Bitcoin. */
  readonly bitcoinKey: Key | undefined;
  /** Plans that are not final, oldest first. */
  readonly plans: readonly OpenPlan[];
  /** Those of Bitcoin that the ring has signed. */
  readonly signedPlans: readonly SignedPlan[];
  /** Outpoints (36 bytes) of coins that are not spent for good. */
  readonly coins: readonly Uint8Array[];
  /** In the order of genesis.evm; the key is the chain's current one. */
  readonly evm: readonly { readonly state: EvmState | undefined; readonly key: Key | undefined }[];
  /** By candidateName, of the candidates asked about. */
  readonly answers: ReadonlyMap<string, Answer>;
};

/** Candidates asked about at a height; the rest wait for the next. */
export const candidatesMax = 256;

/** Everything that {@link LedgerView} holds, at the ledger's height and time `at`. */
export function* readView(
  genesis: Genesis,
  at: { readonly height: number; readonly time: number },
  questions: Questions,
): Reading<LedgerView> {
  const { params } = inForceBy(yield governingKeys, genesis);
  const evmChains = genesis.evm.map(({ chain }) => chain);
  const [planIds, coinIds] = yield* read(lists, [listNames.plans, listNames.coins]);
  const current = yield* read(currentKeys, [genesis.bitcoin.chain, ...evmChains]);
  const currentIds = current.map((one) => one?.keyId ?? 0);
  const keys = yield* readKeys([...currentIds, ...questions.keyIds]);
  const states = yield* read(evmStates, evmChains);
  const plans = yield* readPlans(planIds?.ids ?? []);
  const locator = yield* readLocator(genesis);
  const [ownTip] = yield* read(bitcoinHeaders, [questions.bitcoinTip]);
  const [used] = yield* read(usedKeys, [questions.relayKey]);
  const from = used && [{ validator: used.owner, role: roles.relay }];
  const [sequence] = yield* read(sequences, from ?? []);
  const height = locator[0]?.height ?? 0;
  const asked = questions.candidates.slice(0, candidatesMax);
  return {
    ...at,
    params,
    owner: used?.owner,
    rota: yield* readRota(questions.epoch),
    sequence: sequence?.highest ?? 0,
    locator,
    knownTip: ownTip && questions.bitcoinTip,
    keys,
    bitcoinKey: keys.get(currentIds[0] ?? 0),
    plans,
    signedPlans: plans.filter(isSignedBitcoin).map((one) => ({
      ...one,
      signed: signedTransaction(one.plan.subject, one.plan.signatures),
    })),
    coins: coinIds?.ids ?? [],
    evm: states.map((state, i) => ({ state, key: keys.get(currentIds[i + 1] ?? 0) })),
    answers: yield* readAnswers(genesis, asked, height),
  };
}

function* readRota(known: number): Reading<Rota | undefined> {
  const [epoch] = yield* read(epochs, ["only" as const]);
  if (epoch === undefined || epoch.number === known) return undefined;
  const [committee] = yield* read(committees, [epoch.number]);
  const owners = committee?.members.map(({ validator }) => validator);
  return owners && { epoch: epoch.number, owners };
}

function* readKeys(ids: readonly number[]): Reading<Map<number, Key>> {
  const keys = new Map<number, Key>();
  const found = yield* read(keyRecords, [...new Set(ids)]);
  for (const key of found) if (key !== undefined) keys.set(key.keyId, key);
  return keys;
}

function* readPlans(ids: readonly Uint8Array[]): Reading<OpenPlan[]> {
  const records = yield* read(planRecords, ids);
  return ids.flatMap((id, i) => {
    const plan = records[i];
    return plan === undefined ? [] : [{ id, plan }];
  });
}

/** The tip, the ten blocks below it, then twice as far each time, down to the checkpoint. */
function* readLocator(genesis: Genesis): Reading<Tip[]> {
  const [tip] = yield* read(bitcoinTips, [genesis.bitcoin.chain]);
  if (tip === undefined) return [];
  const base = genesis.bitcoin.checkpoint.height;
  const heights: number[] = [];
  for (let back = 1; tip.height - back > base; back += back < 10 ? 1 : back)
    heights.push(tip.height - back);
  const hashes = yield* read(bitcoinBest, heights);
  const below = heights.flatMap((height, i) => {
    const hash = hashes[i]?.hash;
    return hash === undefined ? [] : [{ hash, height }];
  });
  return [tip, ...below];
}

function isSignedBitcoin({ plan }: OpenPlan): boolean {
  return isBitcoinPlan(plan) && plan.status === planStatus.signed;
}
