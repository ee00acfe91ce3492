// What the committee changed is in the next answer (GOV-1): limits, and assets that it added.
import {
  assetId,
  depositRequestCodec,
  directions,
  formatAddress,
  restrictions,
} from "@causeway/chain-core/interchain";
import { must, toHex, utf8 } from "@causeway/primitives";
import { publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import { expect, test } from "vitest";
import { registry } from "../../../chain-core/src/ledger/governance/registry.ts";
import { putParameters } from "../../../chain-core/src/ledger/parameters.ts";
import { testGenesis, testLock, testSecret } from "../../../chain-core/src/ledger/testing.ts";
import { handle } from "./routes.ts";
import type { TestPortal } from "./testing.ts";
import { testPortal } from "./testing.ts";

const genesis = testGenesis(4);
const alice = formatAddress(testLock("alice").slice(12));
const { chain } = must(genesis.evm[0], "chain");

async function ask(
  { portal }: TestPortal,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const { json } = await handle(portal, { method, path, body });
  return json as Record<string, unknown>;
}

test("limits of an address are those in force", async () => {
  const world = testPortal(genesis, publicPoint(testSecret("ring")));
  const requestTtlMs = 30 * 60_000;
  const depositMin = 20_000n;
  putParameters(world.records, { ...genesis.params, depositMin, requestTtlMs });
  const answer = await ask(world, "POST", "/v1/deposits", {
    destination: { chain: "causeway", address: alice },
    maxFee: "5000",
    refund: toHex(xOnly(publicPoint(testSecret("refund")))),
  });
  expect(answer.minimum).toBe("20000");
  const { expires } = depositRequestCodec.decode(must(world.posted[0], "request"));
  expect(expires).toBeLessThanOrEqual(genesis.time + 1_000 + requestTtlMs);
});

test("an added asset has reserves and a quote", async () => {
  const world = testPortal(genesis, publicPoint(testSecret("ring")));
  const to = { chain: "ethereum", address: alice };
  const wish = { asset: "NEW", amount: "50000000", destination: to };
  const before = await ask(world, "POST", "/v1/withdrawals/quote", wish);
  expect(before.error).toMatchObject({ code: "unknown-asset" });
  const token = new Uint8Array(20).fill(5);
  const price = { btm: 0n, units: 1n };
  const added = { decimals: 8, chain, token, exports: [], price };
  registry.put(world.records, "only", { assets: [{ symbol: utf8("NEW"), ...added }] });
  const after = await ask(world, "POST", "/v1/withdrawals/quote", wish);
  expect(after.error).toBeUndefined();
  expect(BigInt(String(after.fee))).toBe(1_100n);
  const { assets } = (await ask(world, "GET", "/v1/reserves")) as { assets: { asset: string }[] };
  expect(assets.map(({ asset }) => asset)).toEqual([
    ...genesis.assets.map(({ symbol }) => symbol),
    "NEW",
  ]);
  expect(assetId(genesis, "NEW")).toBeUndefined();
});

test("status says what guardians slowed or paused, while it lasts (GOV-2)", async () => {
  const world = testPortal(genesis);
  expect(await ask(world, "GET", "/v1/status")).toMatchObject({ slowUntil: null, paused: [] });
  const now = genesis.time + 1_000;
  const pause = (direction: number, until: number) => ({
    chain: genesis.bitcoin.chain,
    direction,
    sequence: 1,
    until,
    open: true,
  });
  const pauses = [pause(directions.in, now), pause(directions.out, now + 1)];
  restrictions.put(world.records, "only", { slowUntil: now + 1, slowOpen: true, pauses });
  expect(await ask(world, "GET", "/v1/status")).toMatchObject({
    slowUntil: now + 1,
    paused: [{ chain: "bitcoin", direction: "out", until: now + 1 }],
  });
});
