// `causeway stake` and `causeway validator` against a running node, and what its RPC says of stake.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytes32, must, toHex } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatLock } from "../ledger/assets.ts";
import { testSecret } from "../ledger/testing.ts";
import type { RunningNode } from "./run-node.ts";
import { runNode } from "./run-node.ts";
import { lockOf, stakeCommand } from "./stake-cli.ts";
import type { TestNetwork } from "./testing.ts";
import { testClient, testNetwork } from "./testing.ts";
import { validatorCommand } from "./validator-cli.ts";
import { walletCommand } from "./wallet-cli.ts";

type Command = typeof stakeCommand;
const words = `${"abandon ".repeat(11)}about`;
const address = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94";
const coin = 1_00000000n;

let network: TestNetwork;
let node: RunningNode;
let client: ReturnType<typeof testClient>;
let folder = "";
let first = "";

async function run(command: Command, ...args: string[]): Promise<Record<string, unknown>> {
  const printed: string[] = [];
  await command([...args, "--file", join(folder, "wallet.json"), "--json"], {
    env: { CAUSEWAY_WALLET_PASSPHRASE: "p", CAUSEWAY_NODE_RPC: String(node.ready.rpc) },
    print: (line) => printed.push(line),
    secret: async () => words,
    confirm: async () => false,
    entropy: systemEntropy,
    nowMs: Date.now,
    logN: 14,
  });
  return JSON.parse(printed[0] ?? "") as Record<string, unknown>;
}
const stake = (...args: string[]): Promise<Record<string, unknown>> => run(stakeCommand, ...args);
const validator = (...args: string[]): Promise<Record<string, unknown>> =>
  run(validatorCommand, ...args);

function keyFile(name: string, keys: Record<string, string>): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(keys), { mode: 0o600 });
  return path;
}
const secret = (what: string): string => toHex(testSecret(what));

beforeAll(async () => {
  const amount = 10_000n * coin;
  const lock = bytes32(lockOf("address", address));
  network = testNetwork(
    1,
    { heartbeatMs: 200, blockIntervalMs: 100, epochMs: 2_000, unbondingMs: 1_000 },
    [{ lock, amount }],
  );
  node = await runNode(network.config(0, []));
  client = testClient(Number(new URL(String(node.ready.rpc)).port));
  folder = mkdtempSync(join(tmpdir(), "stake-cli-"));
  first = formatLock(must(network.genesis.validators[0], "validator").owner);
  await run(walletCommand, "import");
}, 30_000);
afterAll(async () => {
  client.close();
  await node.stop();
  network.remove();
  rmSync(folder, { recursive: true });
});

test("a holder delegates, takes back, claims and withdraws", async () => {
  const dry = await stake("delegate", "--validator", first, "--amount", "100", "--dry-run");
  expect(dry).toMatchObject({ status: "dry-run" });
  expect(JSON.stringify(dry.actions)).toContain("Delegate 100 BTM to validator");
  expect(await stake("show")).toMatchObject({ address, delegations: [], exits: [] });
  expect(await stake("bonds")).toMatchObject({ custody: "0", restitution: "0", keys: [] });
  const sent = await stake("delegate", "--validator", first, "--amount", "100", "--yes");
  expect(sent).toMatchObject({ status: "final" });
  expect(await stake("show")).toMatchObject({
    delegations: [{ validator: first, value: String(100n * coin), movable: String(100n * coin) }],
  });
  await stake("undelegate", "--validator", first, "--amount", "40", "--yes");
  const { exits } = (await stake("show")) as { exits: Record<string, unknown>[] };
  expect(exits).toMatchObject([{ validator: first, value: String(40n * coin), isFree: false }]);
  await expect(stake("withdraw", "--yes")).rejects.toMatchObject({ code: "nothing-to-do" });
  // Pays rewards from the epoch after its delegation on.
  for (;;) {
    const told = (await stake("show")) as {
      exits: { isFree: boolean }[];
      delegations: { rewards: string }[];
    };
    if (told.exits[0]?.isFree === true && told.delegations[0]?.rewards !== "0") break;
    await client.waitForHeight((await client.status()).height + 1, 5_000);
  }
  expect(await stake("withdraw", "--yes")).toMatchObject({ status: "final" });
  expect(await stake("claim", "--again", "--yes")).toMatchObject({ status: "final" });
  const after = (await stake("show")) as { exits: unknown[]; delegations: { value: string }[] };
  expect(after.exits).toEqual([]);
  expect(BigInt(after.delegations[0]?.value ?? 0)).toBeGreaterThan(60n * coin);
  await expect(
    stake("undelegate", "--validator", first, "--amount", "1000", "--yes"),
  ).rejects.toMatchObject({ code: "not-delegated" });
}, 60_000);

test("an operator registers with its processes' key files, changes its name and leaves", async () => {
  const files = [
    "--node-keys",
    keyFile("node.json", { consensus: secret("consensus"), peer: secret("node peer") }),
    "--signer-keys",
    keyFile("signer.json", {
      attest: secret("attest"),
      host: secret("host"),
      peer: secret("signer peer"),
      passphrase: "p",
    }),
    "--gateway-keys",
    keyFile("gateway.json", { relay: secret("relay"), evm: secret("evm") }),
  ];
  const profile = ["--name", "Dora", "--site", "https://dora.example", "--commission", "2.5"];
  const register = ["register", "--stake", "200", ...profile, "--yes"];
  await expect(validator(...register)).rejects.toMatchObject({ code: "usage" });
  expect(await validator(...register, ...files)).toMatchObject({ status: "final" });
  const { validators } = (await validator("list")) as { validators: unknown[] };
  expect(validators).toMatchObject([
    { address: first, set: "formal", status: "active" },
    {
      address,
      name: "Dora",
      commission: 250,
      stake: String(200n * coin),
      selfStake: String(200n * coin),
    },
  ]);
  const shown = await validator("show", address);
  expect(shown).toMatchObject({ site: "https://dora.example", slashes: [], updateIn: null });
  expect(await validator("update", "--name", "Dora 2", "--yes")).toMatchObject({ status: "final" });
  expect((await validator("show", address)).updateIn).toBeTypeOf("number");
  await expect(validator("unjail", "--yes")).rejects.toMatchObject({ code: "not-jailed" });
  expect(await validator("exit", "--yes")).toMatchObject({ status: "final" });
  expect(await validator("show", address)).toMatchObject({ status: "exited" });
}, 60_000);

test("the economy is told as the supply and the ledger's formula have it", async () => {
  const { staked } = await client.ask("supply", {});
  const economy = await client.ask("economy", {});
  expect(economy.staked).toBe(staked);
  expect(economy.stakedBps).toBe(Number((economy.staked * 10_000n) / economy.supply));
  expect(economy.yearStakers + economy.yearFoundation).toBeLessThanOrEqual(30_000_000n * coin);
  expect(economy.yieldBps).toBeLessThanOrEqual(6_000);
}, 30_000);
