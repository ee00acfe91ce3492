// Which records of the ledger the signer needs, given those it has: asked until nothing is missing. A record names
// others (a list its plans, a plan its lineage, coins and withdrawals), so this takes a few rounds when something
// is new and one when nothing is.
import type {
  Ceremony,
  ForeignEvent,
  Genesis,
  Key,
  Plan,
  StateReader,
} from "@causeway/chain-core/interchain";
import {
  accountings,
  assetId as assetIdOf,
  batches,
  ceremonies,
  ceremonyStages,
  coinKinds,
  coins,
  deals,
  eventIdOf,
  eventKinds,
  evmExecutedCodec,
  evmStates,
  governingKeys,
  inbounds,
  inForce,
  isBitcoinPlan,
  isEvmPlan,
  keys,
  lineages,
  listNames,
  lists,
  oldRings,
  outpoint,
  planKinds,
  planStatus,
  plans,
  purposes,
  reshares,
  withdrawals,
} from "@causeway/chain-core/interchain";
import { isRejected, keyOf } from "@causeway/primitives";
import { sentKey } from "../fence.ts";
import { heartbeatKeys } from "../heartbeat.ts";
import {
  ceremonyUnderWay,
  keyIdsUpTo,
  keyNames,
  namedKeyIds,
  openKeyIds,
  readCeremony,
  readKey,
} from "./rings.ts";

/** What else than the ledger says what is needed. */
export type Interest = {
  /** Events under way: whether the ledger has them. */
  readonly events: readonly { readonly chain: Uint8Array; readonly event: ForeignEvent }[];
  /** Owner of the own validator, once it is known: which of its envelopes were used (fence.ts). */
  readonly owner: Uint8Array | undefined;
  /** Records that say who the validators are (roster.ts). */
  readonly identities: readonly Uint8Array[];
  /** Records that say whether the ledger has what was brought to it. */
  readonly brought: readonly Uint8Array[];
  /** Whether a share of the key is missing here, and whether a ceremony's deals would give one. */
  readonly needsCeremony: (key: Key) => boolean;
  readonly needsDeals: (ceremony: Ceremony) => boolean;
};

/** Keys without whose records there is no view, because an absent one means something. */
export function needed({ owner }: Interest): Uint8Array[] {
  const sent = owner && sentKey(owner);
  return [...governingKeys, lists.key(listNames.plans), ...(sent === undefined ? [] : [sent])];
}

/** A key of no open plan is read again once in so many blocks: rings are large, and it hardly ever changes. */
const lookEvery = 32;

/**
 * Records of keys that the next reading takes over as they are: of retired ones, which never change, and of those that
 * neither a chain's vault, a ceremony nor an open plan is about. What a plan is approved by is read with every view.
 */
export function lasting(genesis: Genesis, view: StateReader, height: number): Uint8Array[] {
  const open = (lists.get(view, listNames.plans)?.ids ?? []).map((id) => plans.get(view, id));
  const inUse = new Set([
    ...namedKeyIds(genesis, view),
    ...openKeyIds(view),
    ...open.map((plan) => plan?.keyId),
  ]);
  return keyIdsUpTo(genesis, view).flatMap((keyId) => {
    const key = readKey(view, keyId);
    if (key === undefined) return [];
    const isTurn = (height + keyId) % lookEvery === 0;
    return key.active && (inUse.has(keyId) || isTurn) ? [] : [keys.key(keyId)];
  });
}

/** Keys of the records, each once, given what `view` has. */
export function wanted(genesis: Genesis, view: StateReader, interest: Interest): Uint8Array[] {
  const out = new Map<string, Uint8Array>();
  const want = (key: Uint8Array): void => {
    out.set(keyOf(key), key);
  };
  for (const key of needed(interest)) want(key);
  for (const key of keyNames(genesis)) want(key);
  const { owner } = interest;
  const { params } = inForce(view, genesis);
  if (owner !== undefined) for (const key of heartbeatKeys(owner, params)) want(key);
  for (const { chain } of genesis.evm) want(evmStates.key(chain));
  for (const id of assetIds(inForce(view, genesis))) want(accountings.key(id));
  wantKeys(genesis, view, interest, want);
  for (const id of lists.get(view, listNames.plans)?.ids ?? []) {
    want(plans.key(id));
    const plan = plans.get(view, id);
    if (plan?.status === planStatus.planned) wantPlan(view, plan, want);
  }
  for (const key of [...interest.identities, ...interest.brought]) want(key);
  for (const { chain, event } of interest.events) wantEvent(genesis, view, chain, event, want);
  return [...out.values()];
}

function assetIds(genesis: Genesis): Uint8Array[] {
  return genesis.assets.flatMap(({ symbol }) => {
    const id = assetIdOf(genesis, symbol);
    return id === undefined ? [] : [id];
  });
}

/** Ceremonies with their deals, and the keys that events and plans may name. */
function wantKeys(
  genesis: Genesis,
  view: StateReader,
  interest: Interest,
  want: (key: Uint8Array) => void,
): void {
  const wantOldRing = (ceremony: Ceremony | undefined): void => {
    if (ceremony?.purpose === purposes.reshare) want(oldRings.key(ceremony));
  };
  const wantDeals = (ceremony: Ceremony | undefined): void => {
    if (ceremony === undefined || ceremony.stage === ceremonyStages.deal) return;
    if (!interest.needsDeals(ceremony)) return;
    const { keyId, attempt } = ceremony;
    for (const seat of ceremony.dealt) want(deals.key({ keyId, attempt, seat }));
  };
  for (const keyId of openKeyIds(view)) {
    want(ceremonies.key(keyId));
    want(reshares.key(keyId));
    // A resharing's key is in use: below.
    const ceremony = ceremonyUnderWay(view, keyId);
    wantOldRing(ceremony);
    wantDeals(ceremony);
  }
  for (const keyId of keyIdsUpTo(genesis, view)) {
    want(keys.key(keyId));
    const key = readKey(view, keyId);
    if (key?.active !== true || !interest.needsCeremony(key)) continue;
    want(ceremonies.key(keyId));
    const ceremony = readCeremony(view, keyId);
    if (ceremony?.attempt !== key.attempt) continue;
    wantOldRing(ceremony);
    wantDeals(ceremony);
  }
}

function wantPlan(view: StateReader, plan: Plan, want: (key: Uint8Array) => void): void {
  want(keys.key(plan.keyId));
  if (plan.kind === planKinds.canary) {
    want(ceremonies.key(plan.keyId));
    want(reshares.key(plan.keyId));
  }
  if (isEvmPlan(plan)) want(batches.key({ chain: plan.chain, nonce: plan.nonce }));
  for (const id of plan.withdrawals) want(withdrawals.key(id));
  if (!isBitcoinPlan(plan)) return;
  want(lineages.key(plan.anchor));
  const before = lineages.get(view, plan.anchor)?.plans[plan.attempt - 1];
  if (before !== undefined) want(plans.key(before));
  for (const { txid, vout } of plan.inputs) {
    const point = outpoint(txid, vout);
    want(coins.key(point));
    const coin = coins.get(view, point);
    if (coin?.kind === coinKinds.deposit) want(inbounds.key(coin.origin));
  }
}

function wantEvent(
  genesis: Genesis,
  view: StateReader,
  chain: Uint8Array,
  event: ForeignEvent,
  want: (key: Uint8Array) => void,
): void {
  const id = eventIdOf(genesis.networkId, chain, event);
  if (isRejected(id)) return;
  if (event.kind !== eventKinds.evmExecuted) {
    want(event.kind === eventKinds.evmContract ? evmStates.key(chain) : inbounds.key(id));
    return;
  }
  const executed = evmExecutedCodec.parse(event.body);
  if (isRejected(executed)) return;
  const place = { chain, nonce: executed.nonce };
  want(batches.key(place));
  const batch = batches.get(view, place);
  if (batch !== undefined) want(plans.key(batch.plan));
}
