import type { Inbound, Withdrawal } from "@causeway/chain-core/interchain";
import {
  accountings,
  assetId,
  bitcoinBest,
  bitcoinTips,
  coins,
  depositRequestCodec,
  depositScript,
  eventId,
  formatAddress,
  formatBitcoinAddress,
  inboundReasons,
  inboundStatus,
  inbounds,
  listNames,
  lists,
  outpoint,
  vaultScript,
  withdrawalId,
  withdrawalStatus,
  withdrawals,
} from "@causeway/chain-core/interchain";
import { bytes32, concat, isRejected, must, reversed, toHex, zero32 } from "@causeway/primitives";
import { publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testGenesis, testLock, testSecret } from "../../../chain-core/src/ledger/testing.ts";
import { handle } from "./routes.ts";
import { testPortal } from "./testing.ts";

const genesis = testGenesis(4);
const point = publicPoint(testSecret("ring"));
const refund = xOnly(publicPoint(testSecret("refund")));
const alice = formatAddress(testLock("alice").slice(12));
const evm = must(genesis.evm[0], "chain");
const bbtc = must(assetId(genesis, "BBTC"), "asset");
const p2wpkh = concat(Uint8Array.of(0, 20), new Uint8Array(20).fill(9));
const payTo = must(formatBitcoinAddress("regtest", p2wpkh), "address");

const good = {
  chain: "bitcoin",
  destination: { chain: "causeway", address: alice },
  maxFee: "5000",
  refund: toHex(refund),
};

type Json = Record<string, unknown>;
const post = async (
  test: ReturnType<typeof testPortal>,
  path: string,
  body: unknown,
): Promise<{ status: number; json: Json }> =>
  (await handle(test.portal, { method: "POST", path, body })) as { status: number; json: Json };
const get = async (
  test: ReturnType<typeof testPortal>,
  path: string,
): Promise<{ status: number; json: Json }> =>
  (await handle(test.portal, { method: "GET", path, body: undefined })) as {
    status: number;
    json: Json;
  };
const codeOf = ({ json }: { json: Json }): unknown => (json.error as Json | undefined)?.code;

describe("POST /v1/deposits", () => {
  test("the address is that of the terms, and the request is out before the answer", async () => {
    const world = testPortal(genesis, point);
    const { status, json } = await post(world, "/v1/deposits", good);
    expect(status).toBe(200);
    const destination = { chain: genesis.networkId, payload: testLock("alice") };
    const terms = { version: 1, keyPoint: point, destination, maxFee: 5_000n, refund };
    const made = depositScript(genesis, terms);
    expect(json).toMatchObject({
      address: isRejected(made) ? "" : made.address,
      keyId: 1,
      version: 1,
      reclaimAfterBlocks: 26_280,
      minimum: "10000",
      cap: "1000000000",
      fee: "827",
    });
    expect(world.calls).toEqual(["post", "gossip"]);
    const request = depositRequestCodec.decode(must(world.posted[0], "request"));
    expect(request).toMatchObject({ keyId: 1, maxFee: 5_000n, destination, refund });
    expect(request.expires).toBeLessThanOrEqual(genesis.time + 1_000 + genesis.params.requestTtlMs);
    expect(json.lastDay).toContain(`time ${request.expires}`);
  });

  test("a deposit can go on to Ethereum, which costs more and needs more", async () => {
    const world = testPortal(genesis, point);
    const { status, json } = await post(world, "/v1/deposits", {
      ...good,
      destination: { chain: "ethereum", address: alice },
    });
    expect(status).toBe(200);
    expect(json.fee).toBe(`${827n + 1_100n}`);
  });

  test.each([
    ["bad-request", undefined],
    ["bad-request", []],
    ["bad-request", { ...good, destination: "me" }],
    ["unknown-chain", { ...good, destination: { chain: "dogecoin", address: alice } }],
    ["unknown-chain", { ...good, chain: "ethereum" }],
    ["bad-destination", { ...good, destination: { chain: "causeway", address: "0x12" } }],
    ["bad-destination", { ...good, destination: { chain: "causeway", address: 7 } }],
    [
      "bad-destination",
      { ...good, destination: { chain: "causeway", address: alice.replace(/[a-f]/, "F") } },
    ],
    [
      "bad-destination",
      { ...good, destination: { chain: "ethereum", address: `0x${"00".repeat(20)}` } },
    ],
    [
      "own-destination",
      { ...good, destination: { chain: "ethereum", address: formatAddress(evm.gateway) } },
    ],
    ["bad-destination", { ...good, destination: { chain: "bitcoin", address: payTo } }],
    ["bad-amount", { ...good, maxFee: 5_000 }],
    ["bad-amount", { ...good, maxFee: "-1" }],
    ["bad-amount", { ...good, maxFee: "0.5" }],
    ["bad-amount", { ...good, maxFee: (1n << 128n).toString() }],
    ["fee-above-maximum", { ...good, maxFee: "10" }],
    ["bad-refund-key", { ...good, refund: undefined }],
    ["bad-refund-key", { ...good, refund: "ff".repeat(32) }],
    ["bad-refund-key", { ...good, refund: toHex(publicPoint(testSecret("refund"))) }],
  ])("%s: %j", async (code, body) => {
    const world = testPortal(genesis, point);
    const answer = await post(world, "/v1/deposits", body);
    expect(codeOf(answer)).toBe(code);
    expect(answer.status).toBe(400);
    expect(world.calls).toEqual([]);
  });

  test("before the ring has a key, while the asset is halted, or without the node: later", async () => {
    const early = await post(testPortal(genesis), "/v1/deposits", good);
    expect([early.status, codeOf(early)]).toEqual([503, "no-key"]);
    const world = testPortal(genesis, point);
    accountings.put(world.records, bbtc, { ...books, halted: true });
    const halted = await post(world, "/v1/deposits", good);
    expect([halted.status, codeOf(halted)]).toEqual([503, "halted"]);
    const away = testPortal(genesis, point);
    away.isNodeAway = true;
    const silent = await post(away, "/v1/deposits", good);
    expect([silent.status, codeOf(silent)]).toEqual([503, "unreachable"]);
  });

  test("no address is shown whose request the own node does not take", async () => {
    const world = testPortal(genesis, point);
    world.refusal = { kind: "rejected", code: "busy", message: "too many" };
    const answer = await post(world, "/v1/deposits", good);
    expect([answer.status, codeOf(answer)]).toEqual([503, "busy"]);
  });
});

const books = {
  coins: 600n,
  deficit: 0n,
  supply: 400n,
  exported: 100n,
  pending: 50n,
  reserve: 50n,
  rewards: 0n,
  unswept: 0n,
  halted: false,
};

describe("POST /v1/withdrawals/quote", () => {
  const path = "/v1/withdrawals/quote";
  const wish = {
    asset: "BBTC",
    amount: "100000",
    destination: { chain: "bitcoin", address: payTo },
  };

  test("tells fee and limits, and what arrives", async () => {
    const { status, json } = await post(testPortal(genesis, point), path, wish);
    expect(status).toBe(200);
    expect(json.accepted).toBe(true);
    expect(BigInt(String(json.receives)) + BigInt(String(json.fee))).toBe(100_000n);
    expect(json.min).toBe("10000");
  });

  test.each([
    ["below-minimum", { ...wish, amount: "9999" }],
    ["above-maximum", { ...wish, amount: "9999999999999999" }],
    ["fee-above-maximum", { ...wish, maxFee: "1" }],
  ])("not accepted: %s", async (code, body) => {
    const { status, json } = await post(testPortal(genesis, point), path, body);
    expect(status).toBe(200);
    expect(json).toMatchObject({ accepted: false, code });
    expect(String(json.reason).length).toBeGreaterThan(10);
  });

  const vault = vaultScript(genesis, point).address;
  test.each([
    ["unknown-asset", { ...wish, asset: "DOGE" }],
    ["bad-amount", { ...wish, amount: 1 }],
    ["own-destination", { ...wish, destination: { chain: "bitcoin", address: vault } }],
    [
      "wrong-network",
      {
        ...wish,
        destination: {
          chain: "bitcoin",
          address: must(formatBitcoinAddress("mainnet", p2wpkh), "address"),
        },
      },
    ],
    [
      "bad-address",
      { ...wish, destination: { chain: "bitcoin", address: payTo.replace(/.$/, "q") } },
    ],
    ["bad-destination", { ...wish, destination: { chain: "causeway", address: alice } }],
  ])("%s: %j", async (code, body) => {
    const answer = await post(testPortal(genesis, point), path, body);
    expect([answer.status, codeOf(answer)]).toEqual([400, code]);
  });
});

const txid = new Uint8Array(32).fill(0xab);
txid[0] = 1;
const inbound: Inbound = {
  chain: genesis.bitcoin.chain,
  asset: bbtc,
  amount: 50_000n,
  destination: { chain: genesis.networkId, payload: testLock("alice") },
  maxFee: 5_000n,
  refund,
  keyId: 1,
  txid,
  index: 2,
  coinbase: false,
  candidates: [{ blockHash: new Uint8Array(32).fill(4), height: 10 }],
  status: inboundStatus.waiting,
  reason: 0,
  credited: 0n,
  fee: 0n,
  statedAt: 100,
  updatedAt: 100,
  withdrawal: zero32,
};
const withdrawal: Withdrawal = {
  source: new Uint8Array(32).fill(7),
  asset: bbtc,
  amount: 40_000n,
  destination: { chain: genesis.bitcoin.chain, payload: p2wpkh },
  maxFee: 5_000n,
  refund: testLock("alice"),
  status: withdrawalStatus.queued,
  reason: 0,
  plan: zero32,
  fee: 0n,
  ringFee: 0n,
  createdAt: 200,
  updatedAt: 200,
};

describe("GET /v1/transfers", () => {
  const event = eventId(genesis.networkId, genesis.bitcoin.chain, undefined, txid, 2);
  const path = (id: string): string => `/v1/transfers/${id}`;

  test("a deposit is found by its event and by its outpoint as explorers show it", async () => {
    const world = testPortal(genesis, point);
    inbounds.put(world.records, event, inbound);
    bitcoinTips.put(world.records, genesis.bitcoin.chain, { hash: zero32, height: 10 });
    bitcoinBest.put(world.records, 10, { hash: new Uint8Array(32).fill(4) });
    const shown = `${toHex(reversed(txid))}:2`;
    for (const id of [toHex(event), shown, shown.replace(":", "%3A"), shown.toUpperCase()]) {
      const { status, json } = await get(world, path(id));
      expect(status).toBe(200);
      expect(json).toMatchObject({
        id: toHex(event),
        kind: "deposit",
        status: "waiting",
        amount: "50000",
        asset: "BBTC",
        next: "Confirmation 1 of 2.",
        from: { chain: "bitcoin", transaction: toHex(reversed(txid)), index: 2, confirmations: 1 },
        to: { chain: "causeway", address: alice },
      });
    }
    expect((await get(world, path(`${toHex(reversed(txid))}:1`))).status).toBe(404);
  });

  test("one that is too small says so and what its owner can do", async () => {
    const world = testPortal(genesis, point);
    inbounds.put(world.records, event, {
      ...inbound,
      status: inboundStatus.reclaim,
      reason: inboundReasons.belowMinimum,
    });
    const { json } = await get(world, path(toHex(event)));
    expect(json.status).toBe("reclaim");
    expect(json.reason).toContain("too small");
    expect(json.next).toContain("reclaim key");
  });

  test("a forwarded one goes on with its withdrawal", async () => {
    const world = testPortal(genesis, point);
    const id = withdrawalId(genesis.networkId, event, 0);
    inbounds.put(world.records, event, {
      ...inbound,
      status: inboundStatus.forwarded,
      withdrawal: id,
    });
    withdrawals.put(world.records, id, withdrawal);
    const queue = listNames.queue(toHex(genesis.bitcoin.chain));
    lists.put(world.records, queue, { ids: [zero32, id] });
    const { json } = await get(world, path(toHex(event)));
    expect(json.next).toContain("Position 2");
    expect((json.steps as Json[]).map(({ state }) => state)).toEqual([
      "stated",
      "forwarded",
      "queued",
    ]);
    expect(json.withdrawal).toBe(toHex(id));
  });

  test("a withdrawal is found by its id and by the ledger transaction that burnt it", async () => {
    const world = testPortal(genesis, point);
    const burn = new Uint8Array(32).fill(0x77);
    const id = withdrawalId(genesis.networkId, burn, 3);
    withdrawals.put(world.records, id, withdrawal);
    for (const name of [id, burn]) {
      const { json } = await get(world, path(toHex(name)));
      expect(json).toMatchObject({ id: toHex(id), kind: "withdrawal", status: "queued" });
      expect(json.to).toMatchObject({ chain: "bitcoin", address: payTo });
    }
  });

  test("an Ethereum event is found by transaction and log, or by the transaction alone", async () => {
    const world = testPortal(genesis, point);
    const id = eventId(genesis.networkId, evm.chain, evm.gateway, txid, 4);
    inbounds.put(world.records, id, { ...inbound, chain: evm.chain, index: 4 });
    for (const name of [`0x${toHex(txid)}:4`, `0x${toHex(txid)}`]) {
      const { status, json } = await get(world, path(name));
      expect(status).toBe(200);
      expect(json.from).toMatchObject({ chain: "ethereum", transaction: `0x${toHex(txid)}` });
    }
    expect((await get(world, path(`0x${toHex(txid)}:3`))).status).toBe(404);
  });

  test("what only the own relay sees so far is told with its confirmations", async () => {
    const world = testPortal(genesis, point);
    const place = { txid, index: 2, blockHash: new Uint8Array(32).fill(4), height: 0 };
    const found = { id: bytes32(event), event: { kind: 1, ...place, body: txid } };
    const { bitcoin } = world.portal.relay;
    bitcoin.found.set("block", { height: 0, deposits: [found], spends: [] });
    const txidShown = toHex(reversed(txid));
    for (const id of [toHex(event), `${txidShown}:2`, txidShown]) {
      const { status, json } = await get(world, path(id));
      expect(status).toBe(200);
      expect(json).toMatchObject({ id: toHex(event), status: "seen", seen: { confirmations: 1 } });
    }
    inbounds.put(world.records, event, inbound);
    const { json } = await get(world, path(txidShown));
    expect(json).toMatchObject({ status: "waiting", seen: { confirmations: 1 } });
  });

  test("a ledger transaction of another kind says whether it is final", async () => {
    const world = testPortal(genesis, point);
    world.transactions.set(toHex(txid), "final");
    const { json } = await get(world, path(toHex(txid)));
    expect(json).toMatchObject({ kind: "transaction", status: "final" });
    world.transactions.set(toHex(txid), "evicted");
    const { json: gone } = await get(world, path(toHex(txid)));
    expect(gone).toMatchObject({ status: "evicted", next: expect.stringContaining("new one") });
  });

  test.each(["x", "0x12", "é", `${"ab".repeat(32)}:-1`, `${"ab".repeat(32)}:9999999999`])(
    "%s is no name of a transfer",
    async (id) => {
      const answer = await get(testPortal(genesis, point), path(id));
      expect([answer.status, codeOf(answer)]).toEqual([400, "bad-id"]);
    },
  );

  test("what nobody knows is not found", async () => {
    const answer = await get(testPortal(genesis, point), path("ab".repeat(32)));
    expect([answer.status, codeOf(answer)]).toEqual([404, "not-found"]);
  });
});

describe("GET /v1/reserves and the rest", () => {
  test("the equation and every coin, so that a stranger can add up", async () => {
    const world = testPortal(genesis, point);
    accountings.put(world.records, bbtc, books);
    const name = outpoint(txid, 1);
    lists.put(world.records, listNames.coins, { ids: [name] });
    coins.put(world.records, name, {
      txid,
      vout: 1,
      amount: 600n,
      keyId: 1,
      kind: 2,
      status: 1,
      counted: true,
      blockHash: zero32,
      height: 9,
      origin: zero32,
      lineage: new Uint8Array(36),
    });
    const { json } = await get(world, "/v1/reserves");
    expect(json.assets).toMatchObject([
      {
        asset: "BBTC",
        coins: "600",
        equation: { left: "600", right: "600", holds: true },
        countedCoins: "600",
        holders: [{ keyId: 1, current: true, term: 0, heldBy: 0, coins: 1, amount: "600" }],
        coinList: [
          {
            outpoint: `${toHex(reversed(txid))}:1`,
            amount: "600",
            kind: "vault",
            status: "live",
          },
        ],
      },
    ]);
  });

  test("keys with their n and t, status, health and the page of the interface", async () => {
    const world = testPortal(genesis, point);
    const { json: keysJson } = await get(world, "/v1/keys");
    expect(keysJson.keys).toMatchObject([
      { keyId: 1, chain: "bitcoin", t: 3, key: toHex(xOnly(point)), current: true },
    ]);
    expect((await get(world, "/v1/status")).json).toMatchObject({ ledger: { height: 7 } });
    expect((await get(world, "/v1/health")).json).toMatchObject({ ok: true });
    const page = (await get(world, "/v1/openapi.json")).json;
    expect(page.openapi).toBe("3.1.0");
    for (const path of Object.keys(page.paths as Json)) {
      const answer = await get(world, path.replace("{id}", "ab".repeat(32)));
      expect(codeOf(answer)).not.toBe("no-such-path");
    }
  });

  test("other paths and methods say what there is", async () => {
    const world = testPortal(genesis, point);
    expect(codeOf(await get(world, "/v1/nothing"))).toBe("no-such-path");
    expect(codeOf(await get(world, "/v1/deposits"))).toBe("no-such-method");
    expect(codeOf(await get(world, `/v1/${"a".repeat(400)}`))).toBe("too-long");
  });
});

test("whatever comes in, the answer is JSON with a status, and an error has a code and a sentence", async () => {
  const world = testPortal(genesis, point);
  const near = fc.record(
    {
      chain: fc.oneof(fc.constantFrom("bitcoin", "ethereum"), fc.anything()),
      asset: fc.oneof(fc.constant("BBTC"), fc.string()),
      amount: fc.oneof(fc.bigInt().map(String), fc.anything()),
      destination: fc.oneof(
        fc.record({
          chain: fc.oneof(fc.constantFrom("causeway", "bitcoin", "ethereum"), fc.string()),
          address: fc.oneof(fc.constantFrom(alice, payTo), fc.string(), fc.anything()),
        }),
        fc.anything(),
      ),
      maxFee: fc.oneof(fc.constant("9999"), fc.bigInt().map(String), fc.anything()),
      refund: fc.oneof(fc.constant(toHex(refund)), fc.string(), fc.anything()),
    },
    { requiredKeys: [] },
  );
  const paths = fc.oneof(
    fc.constantFrom(
      "/v1/deposits",
      "/v1/withdrawals/quote",
      "/v1/reserves",
      "/v1/keys",
      "/v1/health",
    ),
    fc.string().map((id) => `/v1/transfers/${id}`),
    fc
      .string({ minLength: 64, maxLength: 64, unit: fc.constantFrom(..."0123456789abcdef") })
      .map((id) => `/v1/transfers/${id}`),
    fc.string(),
  );
  const bodies = fc.oneof(near, fc.anything(), fc.jsonValue());
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("GET", "POST", "PUT"),
      paths,
      bodies,
      async (method, path, body) => {
        const { status, json } = await handle(world.portal, { method, path, body });
        expect([200, 400, 404, 405, 414, 503]).toContain(status);
        expect(typeof JSON.stringify(json)).toBe("string");
        if (status === 200) return;
        const { error } = json as { error: { code: string; message: string } };
        expect(error.code).toMatch(/^[a-z-]+$/);
        expect(error.message.length).toBeGreaterThan(5);
        expect(error.message.length).toBeLessThan(700);
      },
    ),
    { numRuns: 1_500 },
  );
});
