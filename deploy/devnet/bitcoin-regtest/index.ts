// The embedded Bitcoin node of the devnet: a regtest chain that one process mines for itself, behind
// Bitcoin Core's JSON-RPC. It has no peers and no wallet. For development and tests only.
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Node, NodeOptions } from "./node.ts";
import { createNode, now, replay } from "./node.ts";
import { handleBody } from "./rpc.ts";
import { listen } from "./server.ts";
import type { Store } from "./store.ts";
import { openStore } from "./store.ts";

export type RegtestOptions = {
  /** Where blocks and the cookie live; without it everything is in memory and there is no cookie. */
  readonly datadir?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Both or neither; the cookie is valid besides. */
  readonly user?: string;
  readonly password?: string;
  /** Unix seconds; default the system's clock. */
  readonly clock?: () => number;
  /** Least relay fee in satoshi per 1,000 vB; default 1,000 (Core before 29.1), 100 in Core 31. */
  readonly relayFeeRate?: bigint;
  /** Called once after the `stop` method has closed the node. */
  readonly onStop?: () => void;
};

export type Regtest = {
  readonly url: string;
  /** `<datadir>/regtest/.cookie`, as Core writes it. */
  readonly cookiePath: string | undefined;
  readonly close: () => Promise<void>;
};

/** Starts a node; throws Failure "port-in-use" or "listen". */
export async function startBitcoinRegtest(options: RegtestOptions = {}): Promise<Regtest> {
  const folder = options.datadir === undefined ? undefined : join(options.datadir, "regtest");
  let store: Store | undefined;
  const settings: NodeOptions = {
    clock: options.clock ?? (() => Math.floor(Date.now() / 1000)),
    relayFeeRate: options.relayFeeRate ?? 1000n,
    onRecord: (kind, payload) => store?.append(kind, payload),
  };
  const node = createNode(settings);
  const cookie = `__cookie__:${randomBytes(32).toString("hex")}`;
  const credentials = folder === undefined ? [] : [cookie];
  if (options.user !== undefined && options.password !== undefined)
    credentials.push(`${options.user}:${options.password}`);
  const startedAt = settings.clock();
  const host = options.host ?? "127.0.0.1";
  // The port is the lock: a second node on the same port must not touch the first one's files.
  const server = await listen({
    host,
    port: options.port ?? 0,
    credentials,
    handle: (body) => answer(node, body, startedAt, stop),
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const cookiePath = folder === undefined ? undefined : join(folder, ".cookie");
  if (folder !== undefined && cookiePath !== undefined) {
    mkdirSync(folder, { recursive: true });
    store = openStore(join(folder, "blocks.dat"), (kind, payload) => replay(node, kind, payload));
    writeFileSync(cookiePath, cookie, { mode: 0o600 });
  }
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 1000).unref();
    }).then(() => {
      store?.close();
      if (cookiePath !== undefined) rmSync(cookiePath, { force: true });
    });
    return closing;
  };
  function stop(): void {
    setImmediate(() => void close().then(options.onStop));
  }
  return { url: `http://${host}:${port}`, cookiePath, close };
}

/** `uptime` and `stop` belong to the process; everything else to the node. */
function answer(
  node: Node,
  body: string,
  startedAt: number,
  stop: () => void,
): { readonly status: number; readonly body: string } {
  return handleBody(node, body, {
    uptime: {
      params: [],
      about: "Seconds since the start.",
      run: () => now(node) - startedAt,
    },
    stop: {
      params: [{ name: "wait", type: "number", optional: true }],
      about: "Stops the node.",
      run: () => {
        stop();
        return "Bitcoin Core stopping";
      },
    },
  });
}
