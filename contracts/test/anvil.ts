// A real EVM for tests and benchmarks: npm's Anvil binary, itself (killing npm's wrapper would leave it
// alive), on a free port, with unlocked accounts.
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { foundryBinary } from "../foundry.ts";

export type Receipt = {
  readonly status: string;
  readonly gasUsed: string;
  readonly contractAddress: string | null;
  readonly logs: readonly {
    readonly address: string;
    readonly topics: readonly string[];
    readonly data: string;
  }[];
};

/** Bytes become hex with 0x. */
export type Transaction = {
  readonly from: string;
  readonly to?: Uint8Array;
  readonly data: Uint8Array;
  readonly value?: bigint;
};

export type Anvil = AsyncDisposable & {
  readonly url: string;
  readonly chainId: bigint;
  readonly accounts: readonly string[];
  /** A JSON-RPC call; throws the node's error. */
  readonly rpc: <T>(method: string, params?: readonly unknown[]) => Promise<T>;
  /** Sends from an unlocked account and waits; `status` of the receipt is 0x0 if it reverted. */
  readonly send: (transaction: Transaction) => Promise<Receipt>;
  /** eth_call's answer. */
  readonly call: (to: Uint8Array, data: Uint8Array) => Promise<Uint8Array>;
};

/** Starts Anvil; disposing of it kills the process. */
export async function startAnvil(options: readonly string[] = []): Promise<Anvil> {
  const port = await freePort();
  const child = spawn(foundryBinary("anvil"), ["--silent", "--port", String(port), ...options], {
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  const rpc = rpcOf(url);
  const close = (): Promise<void> => stop(child);
  try {
    const chainId = BigInt(await firstAnswer(child, () => rpc<string>("eth_chainId")));
    const accounts = await rpc<string[]>("eth_accounts");
    const send = (transaction: Transaction): Promise<Receipt> => sendOver(rpc, transaction);
    const call = async (to: Uint8Array, data: Uint8Array): Promise<Uint8Array> => {
      const answer = await rpc<string>("eth_call", [{ to: hex(to), data: hex(data) }, "latest"]);
      return new Uint8Array(Buffer.from(answer.slice(2), "hex"));
    };
    return { url, chainId, accounts, rpc, send, call, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

export function hex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString("hex")}`;
}

export function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), "hex"));
}

function rpcOf(url: string): Anvil["rpc"] {
  let id = 0;
  return async <T>(method: string, params: readonly unknown[] = []): Promise<T> => {
    id += 1;
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", body, headers });
    const answer = (await response.json()) as { result: T; error?: unknown };
    if (answer.error !== undefined) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
    return answer.result;
  };
}

/**
 * Not estimated: a bucket refills with the clock, so that a transaction in the next second may cost more than its
 * estimate.
 */
const gas = "0xe4e1c0";

async function sendOver(rpc: Anvil["rpc"], transaction: Transaction): Promise<Receipt> {
  const { from, to, data, value = 0n } = transaction;
  const target = to === undefined ? {} : { to: hex(to) };
  const fields = { from, ...target, gas, data: hex(data), value: `0x${value.toString(16)}` };
  const hash = await rpc<string>("eth_sendTransaction", [fields]);
  for (;;) {
    const receipt = await rpc<Receipt | null>("eth_getTransactionReceipt", [hash]);
    if (receipt !== null) return receipt;
    await sleep(5);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

/** Starting takes 40-80 ms, longer on a busy machine. */
async function firstAnswer<T>(child: ChildProcess, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (child.exitCode !== null) throw new Error(`anvil ended with ${child.exitCode}`);
    try {
      return await ask();
    } catch {
      await sleep(25);
    }
  }
  throw new Error("anvil does not answer");
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}
