// The users of the network benchmark: signed transfers go in at all nodes at a rate, at most so many wait at one
// time, and each one's way to finality is timed at the node that took it.
import * as http from "node:http";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { must } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import type { Genesis } from "../../chain-core/src/ledger/genesis.ts";
import type { Signed, SignJob } from "./network-sign.ts";

/** Transactions in one HTTP request, and HTTP requests of one node under way. */
const batchSize = 200;
const connections = 2;
/** Hex digits at a transaction's end, of its signature: what tells it from others. */
const tailSize = 48;

/** `count` transfers, in an order in which each spends only what is far before it. */
export async function presign(
  genesis: Genesis,
  roots: number,
  owners: number,
  count: number,
): Promise<Uint8Array[]> {
  const step = Math.max(1, Math.min(4, cpus().length));
  const expires = Date.now() + genesis.params.expiryMaxMs - 60_000;
  const parts = await Promise.all(
    Array.from({ length: step }, (_, first) =>
      signed({ genesis, first, step, roots, owners, count: Math.ceil(count / step), expires }),
    ),
  );
  const lists = parts.map(({ bytes, ends }) =>
    Array.from(ends, (end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end)),
  );
  const all: Uint8Array[] = [];
  for (let i = 0; i < count; i++)
    all.push(must(lists[i % step]?.[Math.floor(i / step)], "transfer"));
  return all;
}

function signed(job: SignJob): Promise<Signed> {
  const worker = new Worker(new URL("./network-sign.ts", import.meta.url), { workerData: job });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

export type Load = {
  /** Sends no more. */
  readonly stop: () => void;
  readonly close: () => Promise<void>;
  readonly accepted: () => number;
  readonly final: () => number;
  /** By code. */
  readonly refused: ReadonlyMap<string, number>;
  /** Final at its node at (performance.now()), and after how long, ms; in any order. */
  readonly finals: () => { readonly at: number; readonly ms: number }[];
};

/** `sentAt` of the request that brought it, which counts: a node may answer after the block that has it is final. */
type Sent = { readonly node: number; readonly sentAt: number; isAccepted?: true; height?: number };

/** Begins to send `transfers` to the nodes at `urls`, `rate` a second in all. */
export function startLoad(
  urls: readonly string[],
  transfers: readonly Uint8Array[],
  { rate, waitingMax }: { readonly rate: number; readonly waitingMax: number },
): Load {
  const began = performance.now();
  const agent = new http.Agent({ keepAlive: true });
  const sent = new Map<string, Sent>();
  const refused = new Map<string, number>();
  const times = urls.map(() => new Map<number, number>());
  const counts = { taken: 0, accepted: 0, final: 0, refused: 0 };
  const retry: Uint8Array[] = [];
  let sending = true;
  let open = true;

  const next = (): Uint8Array[] => {
    const due = Math.floor(((performance.now() - began) * rate) / 1_000);
    const waiting = counts.taken - counts.final - counts.refused;
    const left = Math.min(batchSize, due - counts.taken, waitingMax - waiting);
    const again = retry.splice(0, batchSize);
    if (again.length > 0 || left < 8) return again;
    const batch = transfers.slice(counts.taken, counts.taken + left);
    counts.taken += batch.length;
    return batch;
  };
  const send = async (node: number, url: string): Promise<void> => {
    while (sending) {
      const batch = next();
      if (batch.length === 0) {
        await sleep(5);
        continue;
      }
      const hex = batch.map((bytes) =>
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex"),
      );
      const sentAt = performance.now();
      for (const one of hex) sent.set(one.slice(-tailSize), { node, sentAt });
      const answers = await post(url, agent, hex);
      for (const [i, one] of hex.entries()) {
        const code = answers[i]?.code;
        if (code === "busy") retry.push(must(batch[i], "transfer"));
        else if (code !== undefined) {
          counts.refused += 1;
          refused.set(code, (refused.get(code) ?? 0) + 1);
        } else {
          counts.accepted += 1;
          must(sent.get(one.slice(-tailSize)), "sent").isAccepted = true;
        }
      }
    }
  };
  const follow = async (node: number, url: string): Promise<void> => {
    const rpc = rpcClient({ url, sizeMax: 64 * 1024 * 1024 });
    for (let height = 0; open; ) {
      const reply = (await rpc("wait", { height: height + 1, timeoutMs: 2_000 })) as {
        height: number;
      };
      const at = performance.now();
      while (height < reply.height) {
        height += 1;
        must(times[node], "times").set(height, at);
        if (height % urls.length !== node) continue;
        const block = (await rpc("block", { height })) as { transactions: string[] };
        for (const hex of block.transactions) {
          const one = sent.get(hex.slice(-tailSize));
          if (one === undefined || one.height !== undefined) continue;
          one.height = height;
          counts.final += 1;
        }
      }
    }
    rpc.close();
  };
  const ended = Promise.all(
    urls.flatMap((url, node) => [
      follow(node, url),
      ...Array.from({ length: connections }, () => send(node, url)),
    ]),
  );
  ended.catch(() => undefined);
  return {
    stop: () => {
      sending = false;
    },
    close: async () => {
      sending = false;
      open = false;
      await ended;
      agent.destroy();
    },
    accepted: () => counts.accepted,
    final: () => counts.final,
    refused,
    finals: () => {
      const found: { at: number; ms: number }[] = [];
      for (const { node, height, sentAt, isAccepted } of sent.values()) {
        const at = height === undefined ? undefined : times[node]?.get(height);
        if (at !== undefined && isAccepted) found.push({ at, ms: at - sentAt });
      }
      return found;
    },
  };
}

type Answer = { readonly id?: string; readonly code?: string };
type Reply = {
  readonly result?: { readonly results: Answer[] };
  readonly error?: { readonly data: { readonly code: string } };
};

/** One HTTP request of many transactions, an answer for each. */
function post(url: string, agent: http.Agent, hex: readonly string[]): Promise<Answer[]> {
  const body = `{"jsonrpc":"2.0","id":1,"method":"submitMany","params":{"transactions":["${hex.join('","')}"]}}`;
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const request = http.request(url, { method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { result, error } = JSON.parse(Buffer.concat(chunks).toString()) as Reply;
        resolve(result?.results ?? hex.map(() => ({ code: error?.data.code ?? "no-answer" })));
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}
