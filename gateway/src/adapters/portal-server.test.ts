// The portal as strangers reach it: over HTTP, with anything in the body.
import { randomBytes } from "node:crypto";
import type { Log } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testGenesis, testSecret } from "../../../chain-core/src/ledger/testing.ts";
import { testPortal } from "../portal/testing.ts";
import { startPortalServer } from "./portal-server.ts";

const genesis = testGenesis(4);
const { portal } = testPortal(genesis, publicPoint(testSecret("ring")));
const errors: string[] = [];
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message) => void errors.push(message),
  child: () => log,
};
let server: Awaited<ReturnType<typeof startPortalServer>>;
let url = "";
beforeAll(async () => {
  server = await startPortalServer({ host: "127.0.0.1", port: 0, portal, log });
  url = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

const ask = async (path: string, init: RequestInit = {}): Promise<[number, unknown]> => {
  const reply = await fetch(`${url}${path}`, init);
  const text = await reply.text();
  return [reply.status, text === "" ? undefined : JSON.parse(text)];
};
const codeOf = (answer: unknown): unknown => (answer as { error?: { code?: string } }).error?.code;

test("JSON goes in and out, and any page may ask", async () => {
  const reply = await fetch(`${url}/v1/health`);
  expect(reply.headers.get("content-type")).toBe("application/json");
  expect(reply.headers.get("access-control-allow-origin")).toBe("*");
  expect((await fetch(`${url}/v1/deposits`, { method: "OPTIONS" })).status).toBe(204);
  expect(await ask("/v1/health?verbose=1")).toMatchObject([200, { ok: true }]);
});

test("what is no JSON, too large or random bytes gets its error, and the next request is served", async () => {
  const post = (body: string | Uint8Array<ArrayBuffer>) =>
    ask("/v1/deposits", { method: "POST", body });
  const [bad, why] = await post("{");
  expect([bad, codeOf(why)]).toEqual([400, "bad-json"]);
  const [large, tooLarge] = await post("x".repeat(20_000));
  expect([large, codeOf(tooLarge)]).toEqual([413, "too-large"]);
  for (let i = 0; i < 50; i++) {
    const [status] = await post(Uint8Array.from(randomBytes(200 + i)));
    expect(status).toBe(400);
  }
  expect((await ask("/v1/health"))[0]).toBe(200);
  expect(errors).toEqual([]);
});

test("a port in use is a Failure that names it", async () => {
  const again = startPortalServer({ host: "127.0.0.1", port: server.port, portal, log });
  await expect(again).rejects.toMatchObject({ code: "port-in-use" });
});
