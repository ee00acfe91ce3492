// The node's JSON-RPC methods (client/api.ts says their shapes): parameters bounded and checked before a method
// sees them, results written by the same table. Every error has a code.
import type { Rejected } from "@causeway/primitives";
import { isRejected, rejected, toHex } from "@causeway/primitives";
import type { MethodName, ParamsOf, ResultOf } from "../client/api.ts";
import { api } from "../client/api.ts";
import type { BeaconApi } from "../client/beacon-api.ts";
import type { RingApi } from "../client/ring-api.ts";
import { read } from "../client/wire.ts";
import { blockCodec, headerCodec } from "../codec/block.ts";
import { isProvable, recordProofCodec } from "../ledger/tree.ts";
import type { RpcNode } from "./node.ts";
import { openrpc } from "./openrpc.ts";

/** `params` is whatever the caller sent. A Rejected becomes an error; its code chooses the number. */
export type Method = (params: unknown, signal: AbortSignal) => Promise<unknown>;

type Handler<N extends MethodName> = (
  params: ParamsOf<N>,
  signal: AbortSignal,
) => Promise<ResultOf<N> | Rejected>;
type Handlers = { readonly [N in MethodName]: Handler<N> };

/** Entries of a page when the caller names no number. */
const pageDefault = 100;

export function nodeMethods(node: RpcNode): Map<string, Method> {
  const handlers: Handlers = {
    ...chain(node),
    ...accounts(node),
    ...waiting(node),
    ...beacon(node),
    ...ring(node),
    ...node.staking,
  };
  const methods = new Map<string, Method>();
  for (const name of Object.keys(api) as MethodName[]) methods.set(name, bind(name, handlers));
  return methods;
}

/** No parameters are an empty object of them. */
function bind<N extends MethodName>(name: N, handlers: Handlers): Method {
  const { params: shape, result } = api[name];
  const run = handlers[name] as (params: unknown, signal: AbortSignal) => Promise<unknown>;
  return async (params, signal) => {
    const isEmpty = params === undefined || (Array.isArray(params) && params.length === 0);
    const parsed = read<unknown>(shape.read, isEmpty ? {} : params);
    if (isRejected(parsed)) return parsed;
    const answer = await run(parsed, signal);
    return isRejected(answer) ? answer : (result.write as (value: unknown) => unknown)(answer);
  };
}

const notFound = (what: string): Rejected<"not-found"> => rejected("not-found", `no ${what}`);

type ChainMethod =
  | "rpc.discover"
  | "status"
  | "genesis"
  | "finality"
  | "ends"
  | "block"
  | "prove"
  | "records"
  | "supply"
  | "fees"
  | "asset"
  | "assets"
  | "parameters"
  | "wait";

function chain(node: RpcNode): Pick<Handlers, ChainMethod> {
  return {
    "rpc.discover": async () => openrpc(),
    status: () => status(node),
    genesis: async () => node.genesisFiles,
    finality: async ({ height }) => (await node.finality(height)) ?? notFound("final block there"),
    ends: async ({ from }) => ({ ends: await node.ends(from) }),
    block: async ({ height }) => {
      const found = await node.block(height);
      if (found === undefined) return notFound(`final block at height ${height}`);
      if (isRejected(found)) return found;
      const { header, transactions } = blockCodec.decode(found.block);
      return { header: headerCodec.encode(header), certificate: found.certificate, transactions };
    },
    prove: async ({ keys }) => {
      const wrong = keys.find((key) => !isProvable(key[0] ?? 0));
      if (wrong !== undefined) return rejected("bad-params", `${toHex(wrong)} is not provable`);
      const proved = await node.prove(keys);
      if (proved === undefined) return rejected("busy", "nothing is proved before the next block");
      const records = proved.records.map(({ key, value, proof }) => ({
        key,
        value,
        proof: recordProofCodec.encode(proof),
      }));
      return { ...proved.finality, records };
    },
    records: ({ keys }) => node.records(keys),
    supply: () => node.supply(),
    fees: () => node.fees(),
    asset: async ({ asset }) => (await node.asset(asset)) ?? notFound("such asset"),
    assets: () => node.assets(),
    parameters: () => node.parameters(),
    wait: async ({ height, timeoutMs }, signal) => ({
      height: await node.wait(height, timeoutMs, signal),
    }),
  };
}

const cutOffHealth =
  "no peer has the next block any more: restart the node to join by a snapshot, an archive with CAUSEWAY_SYNC=snapshot";

async function status(node: RpcNode): Promise<ResultOf<"status">> {
  const { height, id, time, seat, peers, syncing, cutOff } = await node.overview();
  const { networkId, name, validators } = node.genesis;
  const isAlone = peers === 0 && validators.length > 1;
  return {
    networkId,
    name,
    height,
    block: id,
    time,
    validator: seat,
    peers,
    syncing,
    health: isAlone ? "no peers" : cutOff ? cutOffHealth : syncing ? "catching up" : "ok",
  };
}

type AccountMethod = "utxos" | "balances" | "history" | "sequence";

function accounts(node: RpcNode): Pick<Handlers, AccountMethod> {
  return {
    utxos: async ({ lock, asset, after, limit }) => {
      const page = await node.utxos(lock, asset, after, limit ?? pageDefault);
      if (isRejected(page)) return page;
      const utxos = page.utxos.map(({ id, output }) => ({
        txid: id.txid,
        index: id.index,
        asset: output.asset,
        amount: output.amount,
      }));
      return { utxos, next: page.next };
    },
    balances: ({ lock, after, limit }) => node.balances(lock, after, limit ?? pageDefault),
    history: ({ lock, asset, before, limit }) =>
      node.history(lock, asset, before, limit ?? pageDefault),
    sequence: async ({ validator, role }) => ({ next: await node.sequence(validator, role) }),
  };
}

type WaitingMethod =
  | "submit"
  | "submitMany"
  | "transaction"
  | "mempool"
  | "request"
  | "requests"
  | "evidence";

function waiting(node: RpcNode): Pick<Handlers, WaitingMethod> {
  return {
    submit: ({ transaction }) => node.submit("transactions", transaction),
    submitMany: async ({ transactions }) => {
      const answers = transactions.map((bytes) => node.submit("transactions", bytes));
      const results = (await Promise.all(answers)).map((answer) =>
        isRejected(answer)
          ? { id: undefined, code: answer.code, message: answer.message }
          : { id: answer.id, code: undefined, message: undefined },
      );
      return { results };
    },
    transaction: async ({ id }) => {
      const { status: found, by, height, position, bytes } = await node.transaction(id);
      return { id, status: found, by, height, position, bytes };
    },
    mempool: ({ after, limit }) => node.mempool(after, limit ?? pageDefault),
    request: async ({ request }) => {
      const accepted = await node.submit("requests", request);
      return isRejected(accepted) ? accepted : { accepted: true };
    },
    requests: ({ after, limit }) => node.requests(after ?? 0, limit ?? pageDefault),
    evidence: async () => ({ evidence: await node.evidence() }),
  };
}

function beacon(node: RpcNode): Pick<Handlers, keyof BeaconApi> {
  return {
    beacon: () => node.beacon(),
    duties: async () => ({ duties: await node.duties() }),
    randomness: async ({ epoch, domain, context }) =>
      (await node.randomness(epoch, domain, context)) ?? notFound(`output of epoch ${epoch}`),
  };
}

function ring(node: RpcNode): Pick<Handlers, keyof RingApi> {
  return {
    ring: async ({ term }) => (await node.ring(term)) ?? notFound(`ring of term ${term}`),
    ringKeys: () => node.ringKeys(),
  };
}
