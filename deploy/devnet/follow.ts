// Looking at a devnet as a stranger does: any node that answers, any portal that answers, until something is so.
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeClient } from "@causeway/chain-core/client";
import { fallbackTransport, nodeClient } from "@causeway/chain-core/client";
import type { Table } from "@causeway/chain-core/interchain";
import { headerCodec } from "@causeway/chain-core/interchain";
import { Failure, RpcError, toHex } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import type { Network } from "./network.ts";

/** The operators' nodes as one: the next when one is silent. */
export function anyNode(network: Network): NodeClient {
  const calls = network.operators.map(({ nodeUrl }) =>
    rpcClient({ url: nodeUrl, timeoutMs: 3_000 }),
  );
  return nodeClient(fallbackTransport(calls));
}

export function nodeAt(url: string): NodeClient {
  return nodeClient(rpcClient({ url, timeoutMs: 5_000 }));
}

/** What a transport throws when nobody answers well; everything else is an answer. */
const silences: ReadonlySet<string> = new Set([
  "unreachable",
  "timeout",
  "bad-response",
  "unauthorized",
  "warming-up",
]);

/** The endpoint is away or fails, as opposed to: it refused. -32002 and -32603 are its own trouble. */
function isSilence(error: unknown): boolean {
  if (error instanceof RpcError) return error.rpcCode === -32002 || error.rpcCode === -32603;
  return error instanceof Failure && silences.has(error.code);
}

/** One record at the newest height of the node. */
export async function record<K, V>(
  node: NodeClient,
  table: Table<K, V>,
  key: K,
): Promise<V | undefined> {
  const [bytes] = await node.records([table.key(key)]);
  return bytes === undefined ? undefined : table.codec.decode(bytes);
}

/** Height, header and certificate of the newest block, as a stranger can check them. */
export async function proofOfNow(
  node: NodeClient,
): Promise<{ height: number; header: string; certificate: string }> {
  const newest = await until("a final block", () => node.finality());
  const { height } = headerCodec.decode(newest.header);
  return { height, header: toHex(newest.header), certificate: toHex(newest.certificate) };
}

/** Asks until the answer is there; Failure "timed-out" that says what was waited for. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  options: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 120_000);
  let last = "";
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      if (!isSilence(error)) throw error;
      last = `; last: ${(error as Error).message}`;
    }
    await sleep(options.everyMs ?? 150);
  }
  throw new Failure("timed-out", `waited in vain for ${what}${last}`);
}

/** Asks the portals in turn and goes on with the next when one is silent for 3 s. */
export async function anyPortal(
  network: Network,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
  first: number = 0,
): Promise<Record<string, unknown>> {
  const count = network.operators.length;
  for (let i = 0; i < count; i++) {
    const url = `${network.operators[(first + i) % count]?.portalUrl}${path}`;
    let reply: Response;
    try {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      reply = await fetch(url, { method, ...json, signal: AbortSignal.timeout(3_000) });
    } catch {
      continue;
    }
    const answer = (await reply.json()) as Record<string, unknown>;
    if (reply.ok) return answer;
    const error = (answer.error ?? {}) as { code?: string; message?: string };
    // Another portal may know more: this one's node is behind or away.
    if (reply.status >= 500) continue;
    throw new Failure(error.code ?? "portal", error.message ?? `HTTP ${reply.status}`);
  }
  throw new Failure("no-portal", `none of ${count} portals answers ${path}`);
}
