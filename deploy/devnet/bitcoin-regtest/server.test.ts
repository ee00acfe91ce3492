// The process around the node: authentication, bounds, restarts, and what it says when it cannot start.
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Regtest } from "./index.ts";
import { startBitcoinRegtest } from "./index.ts";
import { bodySizeMax } from "./server.ts";

const datadir = mkdtempSync(join(tmpdir(), "bitcoin-regtest-"));
afterAll(() => rmSync(datadir, { recursive: true, force: true }));
const address = "bcrt1q4exsvqmhjhrzh6hzkspt37vkwt09crsvfcnffm";

async function post(url: string, credentials: string, body: string): Promise<Response> {
  const authorization = `Basic ${btoa(credentials)}`;
  return await fetch(url, { method: "POST", headers: { authorization }, body });
}

async function call(node: Regtest, method: string, ...params: unknown[]): Promise<unknown> {
  const cookie = readFileSync(node.cookiePath ?? "", "utf8");
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const reply = (await (await post(node.url, cookie, body)).json()) as { result: unknown };
  return reply.result;
}

test("cookie and password both open the door; the cookie is private and goes with the node", async () => {
  const node = await startBitcoinRegtest({ datadir, user: "u", password: "p" });
  const path = node.cookiePath ?? "";
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await call(node, "getblockcount")).toBe(0);
  const body = '{"method":"getblockcount"}';
  expect((await post(node.url, "u:p", body)).status).toBe(200);
  expect((await post(node.url, "u:q", body)).status).toBe(401);
  await node.close();
  expect(existsSync(path)).toBe(false);
});

test("a body above 32 MiB is refused and the node goes on", async () => {
  const node = await startBitcoinRegtest({ user: "u", password: "p" });
  const refused = await post(node.url, "u:p", " ".repeat(bodySizeMax + 1)).then(
    (response) => response.status,
    () => 413,
  );
  expect(refused).toBe(413);
  expect((await post(node.url, "u:p", '{"method":"getblockcount"}')).status).toBe(200);
  await node.close();
});

test("a restart brings back chain, invalidations and index, and drops a torn record", async () => {
  const folder = join(datadir, "restart");
  const first = await startBitcoinRegtest({ datadir: folder });
  const hashes = (await call(first, "generatetoaddress", 5, address)) as string[];
  await call(first, "invalidateblock", hashes[4]);
  const best = await call(first, "getbestblockhash");
  await first.close();
  appendFileSync(
    join(folder, "regtest", "blocks.dat"),
    Uint8Array.of(0, 200, 0, 0, 0, 1, 2, 3, 4, 5),
  );
  const second = await startBitcoinRegtest({ datadir: folder });
  expect(await call(second, "getbestblockhash")).toBe(best);
  expect(await call(second, "getblockcount")).toBe(4);
  await call(second, "reconsiderblock", hashes[4]);
  await second.close();
  const third = await startBitcoinRegtest({ datadir: folder });
  expect(await call(third, "getblockcount")).toBe(5);
  await third.close();
});

const script = new URL("main.ts", import.meta.url).pathname;
type Line = { ok: boolean; url?: string; cookie?: string; error?: { code: string } };

async function run(...args: string[]): Promise<{ child: ChildProcess; line: Line }> {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [chunk] = (await once(child.stdout as NonNullable<typeof child.stdout>, "data")) as [
    Buffer,
  ];
  return { child, line: JSON.parse(chunk.toString()) as Line };
}

test("killed with -9, the process comes back with every block", async () => {
  const folder = join(datadir, "killed");
  const { child, line } = await run("--datadir", folder, "--port", "0");
  const node = { url: line.url ?? "", cookiePath: line.cookie, close: async () => undefined };
  const hashes = (await call(node, "generatetoaddress", 30, address)) as string[];
  child.kill("SIGKILL");
  await once(child, "exit");
  const again = await run("--datadir", folder, "--port", "0");
  const second = { ...node, url: again.line.url ?? "" };
  expect(await call(second, "getbestblockhash")).toBe(hashes[29]);
  const taken = await run("--datadir", join(datadir, "x"), "--port", new URL(second.url).port);
  expect(taken.line.error?.code).toBe("port-in-use");
  const [code] = (await once(taken.child, "exit")) as [number];
  expect(code).toBe(1);
  await call(second, "stop");
  await once(again.child, "exit");
});
