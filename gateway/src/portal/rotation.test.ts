// What a portal says of keys that follow each other (RNG-2).
import {
  currentKeys,
  depositRequestCodec,
  formatAddress,
  keys,
  rings,
} from "@causeway/chain-core/interchain";
import { must, toHex, zero32 } from "@causeway/primitives";
import { publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import { expect, test } from "vitest";
import { testGenesis, testLock, testSecret } from "../../../chain-core/src/ledger/testing.ts";
import { handle } from "./routes.ts";
import type { TestPortal } from "./testing.ts";
import { testPortal } from "./testing.ts";

const genesis = testGenesis(4);
const point = publicPoint(testSecret("ring"));
const good = {
  destination: { chain: "causeway", address: formatAddress(testLock("alice").slice(12)) },
  maxFee: "5000",
  refund: toHex(xOnly(publicPoint(testSecret("refund")))),
};
const ring = { term: 0, epoch: 0, startedAt: 0, threshold: 3, seats: [], output: zero32 };

type Json = Record<string, unknown>;
async function ask(
  { portal }: TestPortal,
  method: string,
  path: string,
  body?: unknown,
): Promise<Json> {
  return ((await handle(portal, { method, path, body })) as { json: Json }).json;
}

test("an address states its last day of credit, and one of an earlier key is watched again (RNG-2)", async () => {
  const world = testPortal(genesis, point);
  const until = genesis.time + 5_000_000;
  rings.put(world.records, 0, { ...ring, creditUntil: until });
  const json = await ask(world, "POST", "/v1/deposits", good);
  expect(json).toMatchObject({ keyId: 1, lastCredit: until });
  expect(json.lastDay).toContain(`last day of credit is time ${until}`);
  const key = must(keys.get(world.records, 1), "key");
  const later = publicPoint(testSecret("later"));
  keys.put(world.records, 3, { ...key, keyId: 3, term: 2, heldBy: 2, groupPoint: later });
  currentKeys.put(world.records, genesis.bitcoin.chain, { keyId: 3 });
  const fresh = await ask(world, "POST", "/v1/deposits", good);
  expect(fresh).toMatchObject({ keyId: 3, lastCredit: null });
  expect(fresh.address).not.toBe(json.address);
  const again = await ask(world, "POST", "/v1/deposits", { ...good, keyId: 1 });
  expect(again.address).toBe(json.address);
  expect(depositRequestCodec.decode(must(world.posted.at(-1), "request")).keyId).toBe(1);
  expect((await ask(world, "GET", "/v1/keys")).keys).toMatchObject([
    { keyId: 1, term: 0, heldBy: 0, current: false, lastCredit: until },
    { keyId: 3, term: 2, heldBy: 2, current: true, lastCredit: null },
  ]);
  rings.put(world.records, 0, { ...ring, creditUntil: genesis.time });
  const refused = [1, 7, 0].map((keyId) => ask(world, "POST", "/v1/deposits", { ...good, keyId }));
  expect((await Promise.all(refused)).map(({ error }) => (error as Json).code)).toEqual([
    "key-expired",
    "unknown-key",
    "bad-key-id",
  ]);
});
