// The wallet's commands against a running node.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRejected } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { verifyTypedData } from "ethers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { planTransaction } from "../client.ts";
import { transactionCodec } from "../codec/transaction.ts";
import { btm, parseLock } from "../ledger/assets.ts";
import { signTransaction } from "../ledger/sign.ts";
import { testLock, testSecret } from "../ledger/testing.ts";
import type { RunningNode } from "./run-node.ts";
import { runNode } from "./run-node.ts";
import type { TestNetwork } from "./testing.ts";
import { testClient, testNetwork } from "./testing.ts";
import { walletCommand } from "./wallet-cli.ts";

let network: TestNetwork;
let node: RunningNode;
let client: ReturnType<typeof testClient>;
let folder = "";
let printed: string[] = [];
let answers: boolean[] = [];
const words = `${"abandon ".repeat(11)}about`;
const address = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94";
const other = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

beforeAll(async () => {
  network = testNetwork(1, { heartbeatMs: 200, blockIntervalMs: 100 });
  node = await runNode(network.config(0, []));
  client = testClient(Number(new URL(String(node.ready.rpc)).port));
  folder = mkdtempSync(join(tmpdir(), "wallet-cli-"));
}, 30_000);
afterAll(async () => {
  client.close();
  await node.stop();
  network.remove();
  rmSync(folder, { recursive: true });
});

async function wallet(...args: string[]): Promise<string[]> {
  printed = [];
  await walletCommand(args, {
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
const file = (): string[] => ["--file", join(folder, "wallet.json")];
const json = async (...args: string[]): Promise<Record<string, unknown>> =>
  JSON.parse((await wallet(...args, ...file(), "--json"))[0] ?? "") as Record<string, unknown>;

async function fund(): Promise<void> {
  const { genesis } = network;
  const lock = parseLock(address);
  if (isRejected(lock)) throw new Error(lock.message);
  const planned = planTransaction(genesis, await client.utxos(testLock("alice")), {
    payments: [{ asset: btm(genesis), amount: 100_00000000n, lock }],
    change: testLock("alice"),
    expires: (await client.status()).time + 60_000,
  });
  if (isRejected(planned)) throw new Error(planned.message);
  const signed = signTransaction(planned.unsigned, [testSecret("alice")]);
  if (isRejected(signed)) throw new Error(signed.message);
  await client.submit(transactionCodec.encode(signed));
  while ((await client.balances(lock)).length === 0)
    await client.waitForHeight((await client.status()).height + 1, 5_000);
}

test("words make a wallet, whose balance, payments and history are those of the ledger", async () => {
  expect(await json("import")).toMatchObject({ address });
  expect(await json("address")).toEqual({ address });
  expect(await wallet("balance", ...file())).toEqual(["nothing yet"]);
  await fund();
  expect(await wallet("balance", ...file())).toEqual(["100 BTM  (1 coin)"]);
  const dry = await json("send", "--to", other, "--amount", "1.5", "--memo", "rent", "--dry-run");
  expect(dry).toMatchObject({ status: "dry-run", actions: ['memo "rent"'] });
  expect(dry.pays).toContainEqual({ to: other, amount: "1.5 BTM" });
  expect(await wallet("balance", ...file())).toEqual(["100 BTM  (1 coin)"]);
  const sent = await json("send", "--to", other, "--amount", "1.5", "--yes");
  expect(sent).toMatchObject({ status: "final" });
  const { movements } = (await json("history")) as { movements: Record<string, unknown>[] };
  expect(movements.map(({ change }) => change)).toEqual(["-", "+"]);
  expect(movements[0]).toMatchObject({ txid: sent.id });
  expect((await wallet("history", ...file(), "--limit", "1")).length).toBe(1);
}, 30_000);

test("nothing is sent without a yes, and what is asked is what a browser wallet signs", async () => {
  const before = await wallet("balance", ...file());
  answers = [false];
  const lines = await wallet("send", ...file(), "--to", other, "--amount", "2");
  expect(lines.at(-1)).toBe("status: not-sent");
  expect(await wallet("balance", ...file())).toEqual(before);
  const [text] = await wallet("send", ...file(), "--to", other, "--amount", "2", "--typed-data");
  const { domain, types, message } = JSON.parse(text ?? "");
  const { EIP712Domain: _, ...own } = types;
  expect(() => verifyTypedData(domain, own, message, `0x${"11".repeat(65)}`)).toThrow(
    /signature|recover|point|invalid/i,
  );
});

test("every mistake has a code and a sentence", async () => {
  const pay = ["send", ...file(), "--to", other, "--amount"];
  for (const [args, code] of [
    [["fly"], "usage"],
    [["balance", "--colour", "blue"], "usage"],
    [["balance", "now"], "usage"],
    [["new", "--words", "13"], "usage"],
    [["import", ...file()], "wallet-exists"],
    [["balance", "--file", join(folder, "none")], "no-wallet"],
    [["send", ...file()], "usage"],
    [[...pay, "0.000000001"], "bad-amount"],
    [[...pay, "-1"], "usage"],
    [[...pay, "1", "--asset", "GOLD"], "unknown-asset"],
    [[...pay, "1000000"], "insufficient-funds"],
    [
      ["send", ...file(), "--to", other.toLowerCase().replace("c", "C"), "--amount", "1"],
      "bad-lock",
    ],
    [["balance", ...file(), "--network", "00"], "wrong-network"],
    [["balance", ...file(), "--node", "http://127.0.0.1:1"], "unreachable"],
    [["balance", ...file(), "--account", "x"], "usage"],
  ] as const)
    await expect(wallet(...args), args.join(" ")).rejects.toMatchObject({ code });
}, 30_000);
