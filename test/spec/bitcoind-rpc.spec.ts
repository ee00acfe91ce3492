// The embedded Bitcoin node against requests and replies that were recorded from a real Bitcoin Core 31.
// Its clock stands where the recording's stood, and it builds blocks exactly as Core does, so that even
// block hashes come out equal: every reply is compared whole, save for the paths named in `free`.
// CAUSEWAY_VECTORS names the folder of vectors; the recording is in ../research beside it.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Regtest } from "../../deploy/devnet/bitcoin-regtest/index.ts";
import { startBitcoinRegtest } from "../../deploy/devnet/bitcoin-regtest/index.ts";

type Sample = {
  readonly note: string;
  readonly path?: string;
  readonly request?: { readonly method: string; readonly params?: unknown };
  readonly rawRequest?: string;
  readonly http?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly reply?: unknown;
};

const vectors = process.env.CAUSEWAY_VECTORS;
const file = join(vectors ?? "", "../research/bitcoind-rpc-samples.json");
const available = vectors !== undefined && existsSync(file);
if (!available)
  console.warn(
    `SKIPPED: the recording of Bitcoin Core is not there (CAUSEWAY_VECTORS=${vectors ?? "unset"})`,
  );
const samples: readonly Sample[] = available
  ? (JSON.parse(readFileSync(file, "utf8")) as { samples: Sample[] }).samples
  : [];

/** Unix seconds at which the recording's blocks were mined. */
const recordedAt = 1_795_247_941;
const miner = "bcrt1q4exsvqmhjhrzh6hzkspt37vkwt09crsvfcnffm";

/** Methods of the wallet and others that the embedded node does not have: it says so. */
const absent = new Set(
  [
    "createwallet getnewaddress getbalances getaddressinfo sendtoaddress walletprocesspsbt listunspent",
    "getblockstats submitpackage getblocktemplate getdescriptorinfo getdeploymentinfo",
  ].flatMap((line) => line.split(" ")),
);

/** Replies whose value depends on Core's build, disk, clock or allocator: kind of value alone. */
const free = new Set(
  [
    "version subversion protocolversion localservices localservicesnames warnings",
    "size_on_disk verificationprogress usage time mediantime_now",
  ].flatMap((line) => line.split(" ")),
);

let node: Regtest;
const user = "user:password";

async function post(
  body: string,
  path: string = "/",
  credentials: string | undefined = user,
  method: string = "POST",
): Promise<Response> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (credentials !== "") headers.authorization = `Basic ${btoa(credentials)}`;
  return await fetch(`${node.url}${path}`, {
    method,
    headers,
    ...(method === "GET" ? {} : { body }),
  });
}

async function call(method: string, ...params: unknown[]): Promise<unknown> {
  const response = await post(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
  const reply = (await response.json()) as { result?: unknown; error?: unknown };
  expect(reply.error, method).toBeUndefined();
  return reply.result;
}

/** Paths at which `actual` is not what `recorded` says. */
function differences(recorded: unknown, actual: unknown, path: string = ""): string[] {
  const key = path.slice(path.lastIndexOf(".") + 1);
  if (typeof recorded === "string" && /\.\.\.\(\d+ (entries|characters)\)$/.test(recorded))
    return [];
  if (Array.isArray(recorded) && Array.isArray(actual)) {
    if (free.has(key)) return [];
    const cut = typeof recorded.at(-1) === "string" && /^\.\.\.\(\d+/.test(recorded.at(-1));
    const list = cut ? recorded.slice(0, -1) : recorded;
    const length = cut || recorded.length === actual.length ? [] : [`${path}: length`];
    return [...length, ...list.flatMap((item, i) => differences(item, actual[i], `${path}.${i}`))];
  }
  if (isObject(recorded) && isObject(actual)) {
    const [expected, given] = [Object.keys(recorded).sort(), Object.keys(actual).sort()];
    const keys =
      expected.join() === given.join()
        ? []
        : [
            `${path}: keys ${expected.filter((k) => !given.includes(k))} missing, ` +
              `${given.filter((k) => !expected.includes(k))} extra`,
          ];
    const both = expected.filter((name) => given.includes(name));
    return [
      ...keys,
      ...both.flatMap((name) => differences(recorded[name], actual[name], `${path}.${name}`)),
    ];
  }
  if (free.has(key) && typeof recorded === typeof actual) return [];
  // Help texts are ours; their first line, the usage, is Core's.
  const [left, right] = [usage(recorded), usage(actual)];
  return left === right ? [] : [`${path}: ${JSON.stringify(left)} became ${JSON.stringify(right)}`];
}

function usage(value: unknown): unknown {
  return typeof value === "string" && value.includes("\n\n") ? value.split("\n")[0] : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What Core's wallet or an unrecorded request did between two samples. */
async function before(sample: Sample): Promise<void> {
  if (sample.note === "reclaim at tip = deposit height + delay - 1")
    await call("generatetoaddress", 9, miner);
  if (sample.note === "already in the chain") await call("generatetoaddress", 1, miner);
}

/** The wallet's payments, taken from the recorded block that holds them. */
function walletTx(txid: unknown): string {
  const block = samples.find((sample) => sample.note === "with a deposit, verbosity 2");
  const { result } = (block?.reply ?? {}) as { result?: { tx: { txid: string; hex: string }[] } };
  return result?.tx.find((item) => item.txid === txid)?.hex ?? "";
}

async function replay(sample: Sample): Promise<string[]> {
  await before(sample);
  const reply = sample.reply as { result?: unknown };
  if (sample.request?.method === "sendtoaddress") {
    const sent = await call("sendrawtransaction", walletTx(reply.result));
    return differences(reply.result, sent);
  }
  const body = sample.rawRequest ?? JSON.stringify(sample.request);
  const credentials =
    sample.note === "wrong credentials"
      ? "user:wrong"
      : sample.note === "no credentials"
        ? ""
        : user;
  const method = sample.note === "GET" ? "GET" : "POST";
  const response = await post(body, sample.path, credentials, method);
  const text = await response.text();
  if (absent.has(sample.request?.method ?? ""))
    return text.includes("Method not found") ? [] : ["answered, but is listed as absent"];
  const status = response.status === sample.http ? [] : [`HTTP ${response.status}`];
  const headers = Object.entries(sample.headers ?? {}).flatMap(([name, value]) =>
    response.headers.get(name) === value ? [] : [`header ${name}`],
  );
  const actual: unknown = typeof sample.reply === "string" ? text : JSON.parse(text);
  return [...status, ...headers, ...differences(sample.reply, actual)];
}

/** The recording shortened these requests, so they cannot be sent again. */
function isShortened(sample: Sample): boolean {
  return JSON.stringify(sample.request ?? "").includes(" characters)");
}

describe("the embedded node and Bitcoin Core 31", () => {
  if (!available) test.skip("answer alike (no recording: set CAUSEWAY_VECTORS)", () => {});

  beforeAll(async () => {
    node = await startBitcoinRegtest({
      user: "user",
      password: "password",
      clock: () => recordedAt,
      relayFeeRate: 100n,
    });
  });
  afterAll(async () => await node.close());

  for (const [index, sample] of samples.entries()) {
    if (sample.reply === undefined) continue;
    const method = sample.request?.method ?? "raw";
    const answer = absent.has(method) ? "is said to be absent" : sample.note;
    test.skipIf(isShortened(sample))(`${index} ${method}: ${answer}`, async () => {
      expect(await replay(sample)).toEqual([]);
    });
  }
});
