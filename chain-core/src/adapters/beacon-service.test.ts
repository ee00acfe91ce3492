// The beacon in a real node with its thread: contributed, delayed, put out; served, proved, and reproduced by whoever
// has the output.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "@causeway/primitives";
import { bytes32, isRejected, must, toHex, utf8 } from "@causeway/primitives";
import { systemClock } from "@causeway/primitives/adapters/clock";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePorts } from "../../../deploy/devnet/ports.ts";
import type { Claim } from "../beacon/contribution.ts";
import { beaconField, encodeElement } from "../beacon/field.ts";
import { subSeed } from "../beacon/output.ts";
import { advance } from "../beacon/sloth.ts";
import { kinds } from "../codec/action.ts";
import { headerCodec } from "../codec/block.ts";
import { roles, transactionCodec } from "../codec/transaction.ts";
import { formatLock } from "../ledger/assets.ts";
import { outputs } from "../ledger/beacon/round.ts";
import { signEnvelope } from "../ledger/sign.ts";
import { validatorSecret } from "../ledger/testing.ts";
import { recordProofCodec, verifyProof } from "../ledger/tree.ts";
import { directBatch, transactionsCodec } from "../node/message.ts";
import { beaconCommand, ringCommand } from "./beacon-cli.ts";
import { beaconService } from "./beacon-service.ts";
import { createBls } from "./bls.ts";
import type { RunningNode } from "./run-node.ts";
import { runNode } from "./run-node.ts";
import type { NodePorts, TestNetwork } from "./testing.ts";
import { testClient, testNetwork } from "./testing.ts";
import type { Terminal } from "./wallet-terminal.ts";

let network: TestNetwork;
let ports: NodePorts[];
let node: RunningNode;
let client: ReturnType<typeof testClient>;
const progress = (): string => join(network.folder, "0", "data", "beacon.progress");

beforeAll(async () => {
  network = testNetwork(1, {
    heartbeatMs: 400,
    blockIntervalMs: 100,
    epochMs: 60_000,
    beaconWindowMs: 6_000,
    beaconDifficulty: 1_024,
    beaconSegments: 3,
    beaconSegmentSteps: 2_000,
    beaconTurnMs: 500,
  });
  const [p2p = 0, rpc = 0] = await freePorts(2);
  ports = [{ p2p, rpc }];
  client = testClient(rpc);
  node = await runNode(network.config(0, ports));
});
afterAll(async () => {
  client.close();
  await node.stop();
  network.remove();
});

/** Brings what the node owes, as its relay does. */
async function bringDuties(): Promise<void> {
  const { genesis } = network;
  const { owner: validator } = must(genesis.validators[0], "validator");
  const [duty] = await client.duties();
  if (duty === undefined) return;
  const action = { kind: kinds[duty.what], body: duty.body };
  const sequence = await client.sequence(validator, roles.relay);
  const from = { validator, role: roles.relay, sequence };
  const { time } = await client.status();
  const tx = signEnvelope(genesis, from, time + 30_000, [action], validatorSecret(0, "relayKey"));
  const taken = await client.submit(transactionCodec.encode(tx));
  if (isRejected(taken)) expect(taken.code).toMatch(/repeated-contribution|wrong-/);
}

test("a node walks in its thread, and its output is served and proved", async () => {
  await vi.waitFor(async () => expect(await client.duties()).toHaveLength(1), 10_000);
  // What a crash would lose is there, and a restart owes the same without another walk.
  const before = await client.duties();
  expect(existsSync(progress())).toBe(true);
  await node.stop();
  node = await runNode(network.config(0, ports));
  await vi.waitFor(async () => expect(await client.duties()).toEqual(before), 10_000);

  await vi.waitFor(
    async () => {
      await bringDuties();
      const { outputs: found } = await client.ask("beacon", {});
      expect(found).toHaveLength(1);
    },
    { timeout: 30_000, interval: 100 },
  );
  const shown = await client.ask("beacon", {});
  expect(shown).toMatchObject({ epoch: 0, stage: "closed", contributions: [0], segmentsDone: 3 });
  expect(await client.duties()).toEqual([]);

  const { networkId } = network.genesis;
  const context = Uint8Array.of(7);
  const asked = await client.ask("randomness", { epoch: 0, domain: "lottery", context });
  expect(asked.seed).toEqual(subSeed(networkId, bytes32(asked.output), "lottery", context));
  const { height } = await client.status();
  await client.waitForHeight(height + 2, 5_000);
  const { header, records } = await client.prove([asked.key]);
  const [record] = records;
  const proof = recordProofCodec.decode(must(record, "record").proof);
  const { stateRoot } = headerCodec.decode(header);
  expect(verifyProof(stateRoot, asked.key, record?.value, proof)).toBe(true);
  expect(outputs.codec.decode(must(record?.value, "value"))).toEqual({ output: asked.output });
  await expect(client.ask("randomness", { epoch: 1, domain: "lottery", context })).rejects.toThrow(
    "no output of epoch 1",
  );
}, 60_000);

test("a stranger reads, replays and uses the output, and sees whom it elects", async () => {
  const run = async (command: typeof beaconCommand, ...words: string[]): Promise<unknown> => {
    const lines: string[] = [];
    const node = `http://127.0.0.1:${must(ports[0], "ports").rpc}`;
    const terminal = { env: {}, print: (line: string) => lines.push(line) } as unknown as Terminal;
    await command([...words, "--node", node, "--json"], terminal);
    return JSON.parse(lines.join());
  };
  const { output } = await client.ask("randomness", { epoch: 0, domain: "x", context: undefined });
  const told = { epoch: 0, output: toHex(output) };
  expect(await run(beaconCommand, "show")).toMatchObject({ outputs: [`0:${toHex(output)}`] });
  expect(await run(beaconCommand, "verify", "--epoch", "0")).toMatchObject({
    ...told,
    verified: true,
    contributions: [expect.stringMatching(/^seat 0: /)],
  });
  const context = utf8("7");
  const { seed } = await client.ask("randomness", { epoch: 0, domain: "lottery", context });
  const words = ["seed", "--epoch", "0", "--domain", "lottery", "--context", "7"];
  expect(await run(beaconCommand, ...words)).toMatchObject({ ...told, seed: toHex(seed) });
  const speeds = ["--steps-per-second", "30000,20000,25000"];
  expect(await run(beaconCommand, "difficulty", ...speeds)).toMatchObject({ validators: 3 });
  await expect(run(beaconCommand, "verify", "--epoch", "1")).rejects.toMatchObject({
    code: expect.stringMatching(/no-/),
  });
  const owner = formatLock(must(network.genesis.validators[0], "validator").owner);
  const elected = ["elect", "--seats", "3"];
  expect(await run(ringCommand, ...elected)).toMatchObject({
    ...{ recorded: false, term: 1, seats: 3, threshold: 2, output: toHex(output) },
    elected: [owner, owner, owner],
    order: [{ owner, seats: [0, 1, 2] }],
  });
  expect(await run(ringCommand, ...elected)).toEqual(await run(ringCommand, ...elected));
  expect(await run(ringCommand, "check", "--seats", "3")).toMatchObject({ candidates: 1 });
  const refused = { code: "not-drawn" };
  await expect(run(ringCommand, "elect", "--term", "0")).rejects.toMatchObject(refused);
  expect(await run(ringCommand, "show")).toMatchObject({
    ...{ term: 0, threshold: 1, seats: [`0: ${owner}`] },
    keys: [expect.stringContaining("generate for term 0"), expect.anything()],
  });
}, 30_000);

test("a node whose progress is damaged, or of another epoch, starts all the same", async () => {
  await node.stop();
  writeFileSync(progress(), Uint8Array.of(1, 2, 3));
  node = await runNode(network.config(0, ports));
  const { height } = await client.status();
  await client.waitForHeight(height + 1, 5_000);
});

/** A transaction in an envelope, as a peer sends it, and a service before a runtime of the test's. */
function parts(inner: object, ledger: object) {
  const { genesis, folder } = network;
  const { owner: validator } = must(genesis.validators[0], "validator");
  const action = { kind: kinds.segment, body: new Uint8Array(78) };
  const from = { validator, role: roles.relay, sequence: 1 };
  const tx = signEnvelope(genesis, from, 1, [action], validatorSecret(0, "relayKey"));
  const brought = transactionCodec.encode(tx);
  const log: Log = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: () => {},
    child: () => log,
  };
  const secretKey = validatorSecret(0, "consensusKey");
  const given = { genesis, bls: createBls(), secretKey, folder, clock: systemClock, log };
  const service = beaconService({ ...given, store: {} as never, ledger: ledger as never });
  return { brought, service, runtime: service.before(inner as never) };
}

test("what arrives is judged in the thread before the node's machine sees it, all else at once", async () => {
  const end = encodeElement(beaconField, advance(beaconField, { index: 0, value: 5n }, 100).value);
  const round = { network: network.genesis.networkId, epoch: 0, seed: bytes32(new Uint8Array(32)) };
  const delay = { steps: 100, next: 0, end: 5n };
  const claim: Claim = { kind: "segment", round, delay, posted: { epoch: 0, index: 0, end } };
  const seen: unknown[] = [];
  const inner = {
    submit: async (...of: unknown[]) => seen.push(of),
    message: (peer: string) => seen.push(peer),
    read: async (work: (state: object) => unknown) => work({ tip: { height: 1, time: 1 } }),
  };
  const { brought, service, runtime } = parts(inner, {
    openClaim: () => claim,
    learn: (...of: unknown[]) => seen.push(of),
  });
  const submitted = runtime.submit("transactions", brought);
  runtime.message("a", Uint8Array.of(2, 3));
  expect(seen).toEqual(["a"]);
  await submitted;
  expect(seen).toEqual(["a", [claim, true], ["transactions", brought]]);
  await service.stop();
  // Without the thread the machine judges.
  await runtime.submit("transactions", brought);
  expect(seen.slice(3)).toEqual([["transactions", brought]]);
});

test("what waits for its verdict is not heard of a peer that left meanwhile", async () => {
  const heard: string[] = [];
  const reading = Promise.withResolvers<never>();
  const inner = {
    message: (peer: string) => heard.push(peer),
    gossip: async (peer: string) => heard.push(peer),
    disconnected: (peer: string) => heard.push(`${peer} left`),
    read: () => reading.promise,
  };
  const { brought, service, runtime } = parts(inner, {});
  const bytes = transactionsCodec.encode({ transactions: [brought] });
  for (const peer of ["a", "b"]) runtime.message(peer, directBatch(bytes));
  const gossiped = runtime.gossip("a", "transactions", bytes, () => "accept");
  runtime.disconnected("a");
  reading.reject(new Error("nothing to read"));
  expect(await gossiped).toBe("ignore");
  await vi.waitFor(() => expect(heard).toEqual(["a left", "b"]));
  await service.stop();
});
