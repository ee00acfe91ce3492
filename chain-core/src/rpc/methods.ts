// The node's JSON-RPC methods (SEAMS): parameters bounded and checked, bytes as hex, amounts as decimal strings.
// Every error has a code.
import type { Rejected } from "@causeway/primitives";
import { isRejected, rejected, toHex } from "@causeway/primitives";
import {
  fields,
  heightMax,
  hexMax,
  keySizeMax,
  keysMax,
  optional,
  pageMax,
  read,
  transactionSizeMax,
  waitMsMax,
} from "../client/wire.ts";
import { blockCodec, headerCodec } from "../codec/block.ts";
import { depositRequestCodec } from "../interchain/statement.ts";
import type { Reader } from "../ledger/genesis-reader.ts";
import { hex, integer, list } from "../ledger/genesis-reader.ts";
import { isProvable, recordProofCodec } from "../ledger/tree.ts";
import type { FinalBlock } from "../node/machine.ts";
import type { RpcNode } from "./node.ts";

/** `params` is whatever the caller sent. A Rejected becomes an error; its code chooses the number. */
export type Method = (params: unknown, signal: AbortSignal) => Promise<unknown>;

const height = integer(0, heightMax);
const keys = list(hexMax(keySizeMax), { min: 1, max: keysMax });
const limit = optional(integer(1, pageMax));
const nothing: Reader<Record<never, never>> = fields({});

/** A method that takes one object of parameters; no parameters are an empty one. */
function method<P>(
  reader: Reader<P>,
  run: (params: P, signal: AbortSignal) => Promise<unknown>,
): Method {
  return async (params, signal) => {
    const isEmpty = params === undefined || (Array.isArray(params) && params.length === 0);
    const parsed = read(reader, isEmpty ? {} : params);
    return isRejected(parsed) ? parsed : run(parsed, signal);
  };
}

const notFound = (what: string): Rejected<"not-found"> => rejected("not-found", `no ${what}`);

export function nodeMethods(node: RpcNode): Map<string, Method> {
  const finality = ({ block, certificate }: FinalBlock): Record<string, string> => {
    const { header } = blockCodec.decode(block);
    const committee = node.committee(header.nextCommittee);
    return {
      header: toHex(headerCodec.encode(header)),
      certificate: toHex(certificate),
      ...(committee && { committee: toHex(committee) }),
    };
  };
  return new Map<string, Method>([
    ["status", method(nothing, () => status(node))],
    [
      "genesis",
      method(nothing, async () => ({
        body: toHex(node.genesisFiles.body),
        proofs: toHex(node.genesisFiles.proofs),
      })),
    ],
    [
      "finality",
      method(fields({ height: optional(height) }), async (params) => {
        const block = await node.block(params.height);
        return block === undefined ? notFound("final block there") : finality(block);
      }),
    ],
    ["block", method(fields({ height }), (params) => blockAt(node, params.height))],
    [
      "submit",
      method(fields({ transaction: hexMax(transactionSizeMax) }), async ({ transaction }) =>
        named(await node.submit("transactions", transaction)),
      ),
    ],
    ["transaction", method(fields({ id: hex(32) }), ({ id }) => transaction(node, id))],
    [
      "prove",
      method(fields({ keys }), async (params) => {
        const wrong = params.keys.find((key) => !isProvable(key[0] ?? 0));
        if (wrong !== undefined) return rejected("bad-params", `${toHex(wrong)} is not provable`);
        const proved = await node.prove(params.keys);
        if (proved === undefined) return rejected("busy", "no block is final yet");
        const records = proved.records.map(({ key, value, proof }) => ({
          key: toHex(key),
          value: value === undefined ? null : toHex(value),
          proof: toHex(recordProofCodec.encode(proof)),
        }));
        return { ...finality(proved.block), records };
      }),
    ],
    [
      "records",
      method(fields({ keys }), async (params) => {
        const { height: at, values } = await node.records(params.keys);
        return { height: at, values: values.map((value) => (value ? toHex(value) : null)) };
      }),
    ],
    ...lists(node),
  ]);
}

function lists(node: RpcNode): [string, Method][] {
  return [
    [
      "utxos",
      method(
        fields({
          lock: hex(32),
          asset: optional(hex(32)),
          after: optional(hexMax(68)),
          limit,
        }),
        async ({ lock, asset, after, limit: count }) => {
          const page = await node.utxos(lock, asset, after, count ?? 100);
          const utxos = page.utxos.map(({ id, output }) => ({
            txid: toHex(id.txid),
            index: id.index,
            asset: toHex(output.asset),
            amount: output.amount.toString(),
          }));
          return { utxos, ...(page.next && { next: toHex(page.next) }) };
        },
      ),
    ],
    [
      "sequence",
      method(
        fields({ validator: hex(32), role: integer(0, 255) }),
        async ({ validator, role }) => ({
          next: await node.sequence(validator, role),
        }),
      ),
    ],
    [
      "request",
      method(fields({ request: hexMax(depositRequestCodec.sizeMax) }), async ({ request }) => {
        const accepted = await node.submit("requests", request);
        return isRejected(accepted) ? accepted : { accepted: true };
      }),
    ],
    [
      "requests",
      method(
        fields({ after: optional(integer(0, heightMax)), limit }),
        async ({ after, limit: count }) => {
          const { requests, next } = await node.requests(after ?? 0, count ?? 100);
          return { requests: requests.map(toHex), next };
        },
      ),
    ],
    [
      "wait",
      method(fields({ height, timeoutMs: integer(0, waitMsMax) }), async (params, signal) => ({
        height: await node.wait(params.height, params.timeoutMs, signal),
      })),
    ],
  ];
}

async function status(node: RpcNode): Promise<unknown> {
  const { height: at, id, time, seat, peers, syncing } = await node.overview();
  const { networkId, name, validators } = node.genesis;
  const isAlone = peers === 0 && validators.length > 1;
  return {
    networkId: toHex(networkId),
    name,
    height: at,
    block: toHex(id),
    time,
    validator: seat ?? null,
    peers,
    syncing,
    health: isAlone ? "no peers" : syncing ? "catching up" : "ok",
  };
}

async function blockAt(node: RpcNode, at: number): Promise<unknown> {
  const found = await node.block(at);
  if (found === undefined) return notFound(`final block at height ${at}`);
  const { header, transactions } = blockCodec.decode(found.block);
  return {
    header: toHex(headerCodec.encode(header)),
    certificate: toHex(found.certificate),
    transactions: transactions.map(toHex),
  };
}

async function transaction(node: RpcNode, id: Uint8Array): Promise<unknown> {
  const { bytes, ...found } = await node.transaction(id);
  return { id: toHex(id), ...found, ...(bytes && { bytes: toHex(bytes) }) };
}

function named(result: { readonly id: Uint8Array } | Rejected): unknown {
  return isRejected(result) ? result : { id: toHex(result.id) };
}
