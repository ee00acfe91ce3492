// Guardians stop what a ring would sign, the committee lets it go on (GOV-2, RNG-6): four operators' processes, their
// own key files, and the command that operators and guardians use.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Terminal } from "@causeway/chain-core/cli";
import { governCommand, walletCommand } from "@causeway/chain-core/cli";
import type { Plan, Withdrawal } from "@causeway/chain-core/interchain";
import {
  accountings,
  btm,
  parseLock,
  planStatus,
  plans,
  withdrawalId,
  withdrawalStatus,
  withdrawals,
} from "@causeway/chain-core/interchain";
import { concat, isZero, must, toHex } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyPortal, record, until } from "../../deploy/devnet/follow.ts";
import type { Network } from "../../deploy/devnet/network.ts";
import { createNetwork } from "../../deploy/devnet/network.ts";
import { stepDeposit } from "../../deploy/devnet/steps-money.ts";
import { stepKeys, stepStart } from "../../deploy/devnet/steps-network.ts";
import type { Trip } from "../../deploy/devnet/trip.ts";
import { makeTrip } from "../../deploy/devnet/trip.ts";
import { accepted } from "./strangers.ts";

let network: Network;
let trip: Trip;
const words = `${"abandon ".repeat(11)}about`;
const walletAddress = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94";
const path = (name: string): string => join(network.folder, name);

beforeAll(async () => {
  // A loaded machine takes longer than the ten seconds of a devnet's pause.
  network = await createNetwork({ params: { pauseMs: 600_000 } });
  trip = makeTrip(network);
  await stepStart(trip);
  await stepKeys(trip);
  for (const [i, secret] of network.secrets.guardians.entries())
    writeFileSync(path(`guardian-${i}.json`), JSON.stringify({ guardian: toHex(secret) }), {
      mode: 0o600,
    });
  await command(walletCommand, "import", "--file", path("wallet.json"));
  await trip.alice.pay(accepted(parseLock(walletAddress)), btm(network.genesis), 10_00000000n);
});
afterAll(async () => {
  trip.close();
  await network.stop();
});

async function command(
  run: (args: readonly string[], terminal: Terminal) => Promise<void>,
  ...args: string[]
): Promise<Record<string, unknown>> {
  const printed: string[] = [];
  await run([...args, "--json"], {
    env: {
      CAUSEWAY_WALLET_PASSPHRASE: "p",
      CAUSEWAY_NODE_RPC: must(network.operators[1], "operator").nodeUrl,
    },
    print: (line) => printed.push(line),
    secret: async () => words,
    confirm: async () => false,
    entropy: systemEntropy,
    nowMs: Date.now,
    logN: 14,
  });
  return JSON.parse(must(printed[0], "output")) as Record<string, unknown>;
}

/** Proposes, gathers the approvals of these key files, and brings the action. */
async function decide(
  name: string,
  proposal: readonly string[],
  approvers: readonly (readonly [flag: string, file: string])[],
): Promise<void> {
  const file = path(`${name}.json`);
  await command(governCommand, "propose", ...proposal, "--out", file);
  const approvals: string[] = [];
  for (const keys of approvers)
    approvals.push(String((await command(governCommand, "approve", file, ...keys, "--yes")).file));
  const action = path(`${name}-action.json`);
  await command(governCommand, "combine", file, ...approvals, "--out", action);
  const wallet = ["--file", path("wallet.json"), "--yes"];
  expect(await command(governCommand, "bring", action, ...wallet)).toMatchObject({
    status: "final",
  });
}

const unswept = async (): Promise<bigint | undefined> =>
  (await record(trip.node, accountings, trip.bbtc))?.unswept;

/** Mines a block a second until it answers. */
async function mined<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  let next = performance.now() + 1_000;
  return until(what, async () => {
    const answer = await ask();
    if (answer !== undefined || performance.now() < next) return answer;
    next = performance.now() + 1_000;
    await trip.bitcoin.mine(1);
    return undefined;
  });
}

/** A deposit, credited, swept and final in the vault. */
async function sweptDeposit(): Promise<void> {
  await stepDeposit(trip);
  await mined("the sweep to be final", async () => ((await unswept()) === 0n ? true : undefined));
}

const signerLogs = (): string[] =>
  network.operators.map((one) => readFileSync(one.logFile("signer"), "utf8"));

test("a plan of before a pause is signed by nobody in it, sweeps go on, and its end lets it go", async () => {
  const { genesis } = network;
  const { chain } = genesis.bitcoin;
  await sweptDeposit();
  const signers = network.operators.map((one) => must(one.processOf("signer"), "signer"));
  for (const one of signers) one.kill("SIGTERM");
  await Promise.all(signers.map(({ ended }) => ended));
  const script = concat(Uint8Array.of(0, 20), new Uint8Array(20).fill(7));
  const { id: txid, burnPosition } = await trip.alice.burn({
    asset: trip.bbtc,
    amount: 10_000_000n,
    destination: { chain, payload: script },
    maxFee: 20_000n,
  });
  const id = withdrawalId(genesis.networkId, txid, burnPosition);
  const withdrawal = (): Promise<Withdrawal | undefined> => record(trip.node, withdrawals, id);
  const planId = await mined("a plan", async () => {
    const plan = (await withdrawal())?.plan;
    return plan === undefined || isZero(plan) ? undefined : plan;
  });
  const plan = async (): Promise<Plan> => must(await record(trip.node, plans, planId), "plan");

  const guardians = [0, 2, 4].map((i) => ["--guardian-keys", path(`guardian-${i}.json`)] as const);
  await decide("pause", ["pause", "bitcoin", "out"], guardians);
  // A block proves the state before it: the pause by the next.
  await trip.node.waitForHeight((await trip.node.status()).height + 1, 10_000);
  const status = await anyPortal(network, "GET", "/v1/status");
  expect(status.paused).toMatchObject([{ chain: "bitcoin", direction: "out" }]);
  await Promise.all(network.operators.map((one) => one.startOne("signer")));
  await until("every signer to say so", async () =>
    signerLogs().every((log) => log.includes('"code":"paused"')) ? true : undefined,
  );
  await sweptDeposit();
  expect((await plan()).status).toBe(planStatus.planned);

  const members = network.operators
    .slice(1)
    .map(({ settings }) => ["--keys", join(settings.folder, "signer", "keys.json")] as const);
  await decide("lift", ["lift", "bitcoin", "out"], members);
  await mined("the withdrawal to be settled", async () =>
    (await withdrawal())?.status === withdrawalStatus.settled ? true : undefined,
  );
  expect((await plan()).status).toBe(planStatus.final);
}, 150_000);
