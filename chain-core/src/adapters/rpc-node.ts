// The RPC's view of a running node: store, machine state, mempool.
import type { Log } from "@causeway/primitives";
import { equal, Failure, fromHex, keyOf, must, toHex } from "@causeway/primitives";
import type { HttpServer } from "@causeway/primitives/adapters/http-server";
import { startRpcServer } from "@causeway/primitives/adapters/json-rpc-server";
import type { ResultOf } from "../client/api.ts";
import type { Duty } from "../client/beacon-api.ts";
import type {
  AssetResult,
  AssetsResult,
  FeesResult,
  MempoolResult,
  ParametersResult,
  SupplyResult,
  WaitingEntry,
} from "../client/types.ts";
import { bodySizeMax, endsMax } from "../client/wire.ts";
import { blockCodec, committeeCodec, committeeId, headerCodec } from "../codec/block.ts";
import { asciiOf, issuedAssets } from "../ledger/assets/issued.ts";
import { assetId } from "../ledger/assets.ts";
import { economyOf } from "../ledger/economy.ts";
import { nextSequence } from "../ledger/envelope.ts";
import { committeeAt, epochOf } from "../ledger/epoch/epochs.ts";
import { feeEstimate } from "../ledger/fees/base-fee.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { inForce } from "../ledger/governance/in-force.ts";
import { prove } from "../ledger/tree.ts";
import { recentTips, waitingTips } from "../mempool/offers.ts";
import type { Gone } from "../mempool/pool.ts";
import { byId } from "../mempool/pool.ts";
import * as deposits from "../mempool/requests.ts";
import { openEvidence } from "../node/evidence.ts";
import type { State } from "../node/machine.ts";
import { evidence } from "../node/query.ts";
import { nodeMethods } from "../rpc/methods.ts";
import type { Found, Proved, Pruned, RpcNode } from "../rpc/node.ts";
import { noIndex, pruned } from "../rpc/node.ts";
import type { Feed } from "../rpc/subscriptions.ts";
import { feed } from "../rpc/subscriptions.ts";
import { claimed, isCutOff } from "../sync/sync.ts";
import { beaconOf, randomnessOf } from "./beacon-view.ts";
import { finalities, finalityAt } from "./node-blocks.ts";
import { balancesOf, historyOf, placeOf, utxosOf } from "./node-index.ts";
import type { Runtime } from "./node-runtime.ts";
import type { NodeStore } from "./node-store.ts";
import { ringKeysOf, ringOf } from "./ring-view.ts";
import { stakeReader } from "./stake-view.ts";

/** Long polls at one time; more get "busy". */
const waitersMax = 1_024;
/** A peer is one block ahead for a moment with every block. */
const syncingFrom = 2;

export type RpcNodeOptions = {
  readonly genesis: Genesis;
  readonly genesisFiles: RpcNode["genesisFiles"];
  readonly store: NodeStore;
  readonly runtime: Runtime;
  readonly peers: () => number;
  /** What the own validator owes the beacon. */
  readonly duties: () => readonly Duty[];
  /** Whether the store keeps the index that wallets ask. */
  readonly hasIndex: boolean;
};

/** `onBlock` is to be called after every persisted block. */
export function rpcNode(options: RpcNodeOptions): RpcNode & Pick<Feed, "onBlock" | "subscribe"> {
  const { genesis, genesisFiles, store, runtime, hasIndex } = options;
  const waiters = waitingRoom();
  const followers = feed(hasIndex);
  return {
    genesis,
    genesisFiles,
    subscribe: followers.subscribe,
    onBlock: (block, movements) => {
      waiters.onBlock(block.height);
      followers.onBlock(block, movements);
    },
    overview: () =>
      runtime.read(({ tip, signer, sync }) => ({
        height: tip.height,
        id: tip.id,
        time: tip.time,
        seat: signer?.seat,
        peers: options.peers(),
        syncing: claimed(sync) >= tip.height + syncingFrom,
        cutOff: isCutOff(sync, tip.height),
      })),
    finality: (height) =>
      runtime.read(() =>
        ifKept(store, height, (at) => (at === 0 ? undefined : finalityOf(genesis, store, at))),
      ),
    ends: async (from) => (await finalities(store.db, from, false)).slice(0, endsMax),
    block: (height) => runtime.read(() => ifKept(store, height, store.blocks)),
    submit: runtime.submit,
    transaction: (id) => runtime.read((state) => find(store, state, id)),
    prove: (keys) => runtime.read(() => proveAll(genesis, store, keys)),
    records: (keys) =>
      runtime.read(() => ({
        height: store.head().height,
        values: keys.map((key) => store.state.get(key)),
      })),
    utxos: async (...query) => (hasIndex ? utxosOf(store.db, ...query) : noIndex),
    balances: async (...query) => (hasIndex ? balancesOf(store.db, ...query) : noIndex),
    history: async (...query) => (hasIndex ? historyOf(store.db, ...query) : noIndex),
    staking: stakeReader(genesis, store, runtime),
    supply: () => runtime.read(() => supplyOf(store)),
    fees: () => runtime.read((state) => feesOf(store, state)),
    asset: (id) => runtime.read(() => issuedAsset(store, id)),
    assets: () => runtime.read(() => registryOf(genesis, store)),
    parameters: () => runtime.read(({ frame }) => parametersOf(store, frame)),
    mempool: (after, limit) => runtime.read(({ pool }) => waitingIn(pool, after, limit)),
    sequence: (validator, role) =>
      runtime.read((state) => sequenceAfterPending(store, state, validator, role)),
    evidence: () => runtime.read((state) => openEvidence(store.state, evidence(state))),
    beacon: () => runtime.read(() => beaconOf(store.state)),
    duties: async () => options.duties(),
    randomness: (...of) => runtime.read(() => randomnessOf(store.state, genesis, ...of)),
    ring: (term) => runtime.read(() => ringOf(store.state, term)),
    ringKeys: () => runtime.read(() => ringKeysOf(store.state)),
    requests: (after, limit) =>
      runtime.read((state) => deposits.after(state.requests, after, limit)),
    wait: (height, timeoutMs, signal) =>
      waiters.wait(() => store.head().height, height, timeoutMs, signal),
  };
}

function committeeById(
  { networkId }: Genesis,
  { state }: NodeStore,
  id: Uint8Array,
): Uint8Array | undefined {
  const { number } = epochOf(state);
  for (const epoch of [number + 1, number, number - 1]) {
    const committee = epoch < 0 ? undefined : committeeAt(state, epoch);
    if (committee !== undefined && equal(committeeId(networkId, committee), id))
      return committeeCodec.encode(committee);
  }
  return undefined;
}

function find(store: NodeStore, state: State, id: Uint8Array): Found {
  const waiting = byId(state.pool, id);
  if (waiting !== undefined) return { status: "pending", bytes: waiting.bytes };
  const place = placeOf(store.db, id);
  if (place === undefined) return goneOf(state.pool.gone.get(keyOf(id)));
  const block = store.blocks(place.height)?.block;
  if (block === undefined) return { status: "final", ...place };
  const bytes = must(blockCodec.decode(block).transactions[place.position], "its transaction");
  return { status: "final", ...place, bytes };
}

function goneOf(gone: Gone | undefined): Found {
  if (gone === undefined) return { status: "unknown" };
  return { status: gone.reason, ...(gone.by !== undefined && { by: fromHex(gone.by) }) };
}

/** What is at a height, newest by default; where nothing is although it was final, it was pruned. */
function ifKept<T>(
  { head, lowest }: NodeStore,
  height: number | undefined,
  at: (height: number) => T | undefined,
): T | Pruned | undefined {
  const newest = head().height;
  const found = at(height ?? newest);
  const isPruned = found === undefined && height !== undefined && height > 0 && height <= newest;
  return isPruned ? pruned(height, lowest()) : found;
}

function finalityOf(
  genesis: Genesis,
  store: NodeStore,
  height: number,
): ResultOf<"finality"> | undefined {
  const found = finalityAt(store.db, height);
  if (found === undefined || found.committee.length > 0) return found;
  const { nextCommittee } = headerCodec.decode(found.header);
  return { ...found, committee: committeeById(genesis, store, nextCommittee) };
}

function proveAll(
  genesis: Genesis,
  store: NodeStore,
  keys: readonly Uint8Array[],
): Proved | undefined {
  const before = store.provable();
  const finality = finalityOf(genesis, store, store.head().height);
  if (before === undefined || finality === undefined) return undefined;
  const records = keys.map((key) => ({
    key,
    value: before.get(key),
    proof: prove(before.tree, key),
  }));
  return { finality, records };
}

/** After what waits in the mempool too, so that a restarted sender does not repeat a number. */
function sequenceAfterPending(
  { state: ledger }: NodeStore,
  { pool }: State,
  validator: Uint8Array,
  role: number,
): number {
  let next = nextSequence(ledger, { validator, role });
  const sender = `${keyOf(validator)}${toHex(Uint8Array.of(role))}`;
  if (!pool.senders.has(sender)) return next;
  for (const entry of pool.entries.values())
    if (entry.sender?.key === sender) next = Math.max(next, entry.sender.sequence + 1);
  return next;
}

function supplyOf({ state, head }: NodeStore): SupplyResult {
  return { height: head().height, ...economyOf(state) };
}

function feesOf({ state }: NodeStore, { frame, pool }: State): FeesResult {
  const estimate = feeEstimate(state, frame.params);
  const { baseFee } = estimate;
  return {
    ...estimate,
    recent: recentTips(pool, baseFee),
    waiting: waitingTips(pool, baseFee),
  };
}

function issuedAsset({ state }: NodeStore, id: Uint8Array): AssetResult | undefined {
  const record = issuedAssets.get(state, id);
  if (record === undefined) return undefined;
  const { definition, issued, retired } = record;
  const { decimals, issuer, cap } = definition;
  const [symbol, name] = [asciiOf(definition.symbol), asciiOf(definition.name)];
  return { asset: id, symbol, name, decimals, issuer, cap, issued, retired };
}

function registryOf(genesis: Genesis, { state, head }: NodeStore): AssetsResult {
  const now = inForce(state, genesis);
  const assets = now.assets.map((one) => {
    const asset = must(assetId(now, one.symbol), "asset of the registry");
    return { asset, ...one };
  });
  return { height: head().height, assets };
}

function parametersOf({ head }: NodeStore, { params }: State["frame"]): ParametersResult {
  const parameters = Object.entries(params).map(([name, value]) => ({
    name,
    value: BigInt(value),
  }));
  return { height: head().height, parameters };
}

/** In order of arrival, from after the order number `after` on. */
function waitingIn(
  { entries, size }: State["pool"],
  after: number | undefined,
  limit: number,
): MempoolResult {
  const transactions: WaitingEntry[] = [];
  let next: number | undefined;
  for (const { id, order, bytes, sender } of entries.values()) {
    if (after !== undefined && order <= after) continue;
    if (transactions.length === limit) {
      next = transactions.at(-1)?.order;
      break;
    }
    transactions.push({ id, order, size: bytes.length, isEnvelope: sender !== undefined });
  }
  return { count: entries.size, size, transactions, next };
}

type WaitingRoom = {
  readonly onBlock: (height: number) => void;
  readonly wait: (
    now: () => number,
    height: number,
    timeoutMs: number,
    signal: AbortSignal,
  ) => Promise<number>;
};

function waitingRoom(): WaitingRoom {
  const waiting = new Set<{ readonly height: number; readonly done: () => void }>();
  return {
    onBlock: (height) => {
      for (const one of waiting) if (height >= one.height) one.done();
    },
    wait: (now, height, timeoutMs, signal) => {
      if (now() >= height || timeoutMs === 0 || signal.aborted) return Promise.resolve(now());
      if (waiting.size >= waitersMax)
        return Promise.reject(new Failure("busy", "too many callers wait"));
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          waiting.delete(one);
          resolve(now());
        };
        const one = { height, done };
        const timer = setTimeout(done, timeoutMs);
        signal.addEventListener("abort", done, { once: true });
        waiting.add(one);
      });
    },
  };
}

/** Serves the methods over HTTP; throws as startHttpServer. */
export function serveRpc(
  node: RpcNode & Pick<Feed, "subscribe">,
  listen: { readonly host: string; readonly port: number },
  log: Log,
): Promise<HttpServer> {
  return startRpcServer({
    ...listen,
    bodySizeMax,
    batchMax: 32,
    methods: nodeMethods(node),
    subscriptions: node.subscribe,
    log,
  });
}
