// The commands of governance against a running node: from a file to a parameter in force.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRejected, must, toHex } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lockOfAddress } from "../ledger/assets.ts";
import { restrictions } from "../ledger/governance/restrictions.ts";
import { testSecret, validatorSecret } from "../ledger/testing.ts";
import { governCommand } from "./govern-cli.ts";
import type { RunningNode } from "./run-node.ts";
import { runNode } from "./run-node.ts";
import type { TestNetwork } from "./testing.ts";
import { testClient, testNetwork } from "./testing.ts";
import { walletCommand } from "./wallet-cli.ts";
import { accountSecret } from "./wallet-file.ts";

let network: TestNetwork;
let node: RunningNode;
let client: ReturnType<typeof testClient>;
let folder = "";
let answers: boolean[] = [];
const words = `${"abandon ".repeat(11)}about`;
const path = (name: string): string => join(folder, name);

function keyFile(name: string, keys: Record<string, string>): string {
  writeFileSync(path(name), JSON.stringify(keys), { mode: 0o600 });
  return path(name);
}
const signerKeys = (seat: number): Record<string, string> => ({
  attest: toHex(validatorSecret(seat, "attestKey")),
  host: toHex(validatorSecret(seat, "hostKey")),
  peer: toHex(validatorSecret(seat, "signerPeerKey")),
  passphrase: "p",
});

beforeAll(async () => {
  const lock = lockOfAddress(addressOf(publicPoint(accountSecret(words, 0))));
  const fast = { heartbeatMs: 200, blockIntervalMs: 100, epochMs: 5_000, govDelayMs: 1_000 };
  network = testNetwork(1, fast, [{ lock, amount: 100_00000000n }]);
  node = await runNode(network.config(0, []));
  client = testClient(Number(new URL(String(node.ready.rpc)).port));
  folder = mkdtempSync(join(tmpdir(), "govern-cli-"));
  keyFile("signer.json", signerKeys(0));
  keyFile("stranger.json", { ...signerKeys(0), attest: toHex(testSecret("stranger")) });
  for (let i = 0; i < 3; i++)
    keyFile(`guardian-${i}.json`, { guardian: toHex(testSecret(`guardian ${i}`)) });
  await run(walletCommand, "import", "--file", path("wallet.json"));
}, 30_000);
afterAll(async () => {
  client.close();
  await node.stop();
  network.remove();
  rmSync(folder, { recursive: true });
});

async function run(command: typeof governCommand, ...args: string[]): Promise<string[]> {
  const printed: string[] = [];
  await command(args, {
    env: { CAUSEWAY_WALLET_PASSPHRASE: "p", CAUSEWAY_NODE_RPC: String(node.ready.rpc) },
    print: (line) => printed.push(line),
    secret: async () => words,
    confirm: async () => answers.shift() ?? false,
    entropy: systemEntropy,
    nowMs: Date.now,
    logN: 14,
  });
  return printed;
}
const json = async (...args: string[]): Promise<Record<string, unknown>> =>
  JSON.parse(must((await run(governCommand, ...args, "--json"))[0], "output"));
const status = (): Promise<Record<string, unknown>> => json("status");

/** From the words of a proposal to a final block. */
async function decide(name: string, ...proposal: string[]): Promise<void> {
  const file = path(`${name}.json`);
  await json("propose", ...proposal, "--out", file);
  const signed = await json("approve", file, "--keys", path("signer.json"), "--yes");
  const action = path(`${name}-action.json`);
  await json("combine", file, String(signed.file), "--out", action);
  const brought = await json("bring", action, "--file", path("wallet.json"), "--yes");
  expect(brought.status).toBe("final");
}

async function parameter(name: string): Promise<bigint | undefined> {
  const { parameters } = await client.ask("parameters", {});
  return parameters.find((one) => one.name === name)?.value;
}

async function until(done: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200 && !(await done()); i++)
    await client.waitForHeight((await client.status()).height + 1, 2_000);
  expect(await done()).toBe(true);
}

test("a parameter and an asset are in force after their epoch, for RPC and wallet alike", async () => {
  const before = must(await parameter("depositMin"), "parameter");
  const after = before + 1n;
  await decide("raise", "set", "depositMin", `${after}`);
  const asset = {
    symbol: "NEW",
    decimals: 3,
    chain: `evm:${must(network.genesis.evm[0], "chain").chainId}`,
    token: "05".repeat(20),
    exports: [],
    price: { btm: "0", units: "1" },
  };
  writeFileSync(path("asset.json"), JSON.stringify(asset));
  await decide("add", "add-asset", path("asset.json"));
  const { sequence, pending, changed, added } = await status();
  expect({ sequence, changed, added }).toEqual({ sequence: 2, changed: [], added: [] });
  expect((pending as { text: string }[]).map(({ text }) => text.slice(0, 22))).toEqual([
    `Set depositMin to ${after}`.slice(0, 22),
    "Add asset:NEW to the registry".slice(0, 22),
  ]);
  expect(await parameter("depositMin")).toBe(before);
  const pay = ["send", "--file", path("wallet.json"), "--to", `0x${"11".repeat(20)}`];
  const send = (): Promise<string[]> =>
    run(walletCommand, ...pay, "--amount", "1.5", "--asset", "NEW", "--dry-run");
  await expect(send()).rejects.toMatchObject({ code: "unknown-asset" });
  await until(async () => (await parameter("depositMin")) === after);
  await until(async () => ((await status()).added as string[]).includes("NEW"));
  const { assets } = await client.ask("assets", {});
  expect(assets.at(-1)).toMatchObject({ symbol: "NEW", decimals: 3 });
  await expect(send()).rejects.toMatchObject({
    code: "insufficient-funds",
    message: expect.stringContaining("1.5 NEW"),
  });
  const lines = await run(governCommand, "status");
  expect(lines).toContain(`changed: name depositMin, value ${after}, genesis ${before}`);
}, 90_000);

test("one guardian slows transfers down at once; three pause a way", async () => {
  const wallet = ["--file", path("wallet.json"), "--yes"];
  const slow = await json("slow", "--guardian-keys", path("guardian-1.json"), ...wallet);
  expect(slow.status).toBe("final");
  expect((await status()).slowUntil).toBeGreaterThan((await client.status()).time);
  const file = path("pause.json");
  await json("propose", "pause", "bitcoin", "out", "--out", file);
  const approvals: string[] = [];
  for (let i = 0; i < 3; i++) {
    const keys = path(`guardian-${i}.json`);
    approvals.push(String((await json("approve", file, "--guardian-keys", keys, "--yes")).file));
  }
  const out = ["--out", path("pause-action.json")];
  await expect(json("combine", file, ...approvals.slice(1), ...out)).rejects.toMatchObject({
    code: "not-enough",
  });
  await json("combine", file, ...approvals, ...out);
  const dry = await json("bring", path("pause-action.json"), ...wallet, "--dry-run");
  expect(dry).toMatchObject({ status: "dry-run", actions: ["Pause what goes to Bitcoin"] });
  expect((await status()).pauses).toEqual([]);
  await json("bring", path("pause-action.json"), ...wallet);
  expect((await status()).pauses).toMatchObject([{ direction: "out" }]);
  const [record] = await client.records([restrictions.key("only")]);
  const parsed = restrictions.codec.parse(must(record, "record"));
  expect(isRejected(parsed)).toBe(false);
}, 90_000);

test("nothing is approved without a yes, and every mistake has a code", async () => {
  const file = path("quiet.json");
  await json("propose", "set", "depositMin", "30000", "--out", file);
  answers = [false];
  const lines = await run(governCommand, "approve", file, "--keys", path("signer.json"));
  expect(lines[0]).toMatch(/^text: Set depositMin to 30000 in epoch \d+$/);
  expect(lines.at(-1)).toBe("status: not-approved");
  const { epoch } = (await status()) as { epoch: { number: number } };
  const coming = ["--committee-epoch", `${epoch.number + 1}`, "--sequence", "9"];
  const words9 = ["propose", "set", "depositMin", "30000", ...coming, "--dry-run"];
  expect(await json(...words9)).toMatchObject({ status: "dry-run", sequence: 9 });
  const text = readFileSync(file, "utf8");
  writeFileSync(path("lie.json"), text.replace("to 30000", "to 3"));
  writeFileSync(path("large.json"), "x".repeat(20_000));
  const keys = ["--keys", path("signer.json"), "--yes"];
  for (const [args, code] of [
    [["fly"], "usage"],
    [["status", "now"], "usage"],
    [["propose", "fly"], "usage"],
    [["propose", "set", "depositMin"], "usage"],
    [["propose", "set", "depositMin", "-1"], "usage"],
    [["propose", "set", "depositMin", "1", "--epoch", "x"], "usage"],
    [["propose", "set", "depositMin", "1", "--out", file], "file-exists"],
    [["propose", "set", "colour", "1"], "unknown-parameter"],
    [["propose", "set", "seats", "1000000"], "bad-value"],
    [["propose", "set", "depositMin", "1", "--epoch", "1"], "bad-epoch"],
    [["propose", "take-back", "depositMin"], "bad-value"],
    [["propose", "upgrade", "7"], "bad-version"],
    [["propose", "pause", "dogecoin", "in"], "unknown-chain"],
    [["propose", "lift", "bitcoin", "in"], "not-paused"],
    [["propose", "add-asset", path("none.json")], "no-file"],
    [["propose", "add-asset", file], "bad-file"],
    [["approve", path("lie.json"), ...keys], "wrong-text"],
    [["approve", path("large.json"), ...keys], "bad-file"],
    [["approve", file], "usage"],
    [["approve", file, "--keys", path("stranger.json"), "--yes"], "stranger"],
    [["approve", file, "--guardian-keys", path("guardian-0.json")], "not-asked"],
    [["approve", file, "--keys", path("guardian-0.json")], "bad-keys"],
    [["combine", file, file], "bad-file"],
    [["bring", path("raise-action.json")], "bad-epoch"],
    [["bring", path("pause-action.json"), "--file", path("wallet.json")], "wrong-sequence"],
    [["slow", "--guardian-keys", path("guardian-1.json")], "rests"],
    [["status", "--network", "00"], "wrong-network"],
    [["status", "--node", "http://127.0.0.1:1"], "unreachable"],
  ] as const)
    await expect(run(governCommand, ...args), args.join(" ")).rejects.toMatchObject({ code });
}, 90_000);
