// A rehearsed upgrade (GOV-1, FMT-7): four node processes go from version 1 to a test version 2 at an epoch. One that
// lacks it stops before, says why, loses nothing, and follows after its update.
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { must, utf8 } from "@causeway/primitives";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NodePorts, TestNetwork } from "../../chain-core/src/adapters/testing.ts";
import { testClient, testNetwork } from "../../chain-core/src/adapters/testing.ts";
import type { Action } from "../../chain-core/src/codec/action.ts";
import { kinds } from "../../chain-core/src/codec/action.ts";
import { blockId, headerCodec } from "../../chain-core/src/codec/block.ts";
import { roles, transactionCodec } from "../../chain-core/src/codec/transaction.ts";
import { epochs } from "../../chain-core/src/ledger/epoch/epochs.ts";
import { testApproval } from "../../chain-core/src/ledger/governance/testing.ts";
import { upgradeCodec, upgradeSubject } from "../../chain-core/src/ledger/governance/upgrade.ts";
import { protocolVersions } from "../../chain-core/src/ledger/governance/version.ts";
import { signEnvelope } from "../../chain-core/src/ledger/sign.ts";
import { pastEpochs } from "../../chain-core/src/ledger/staking/fixed.ts";
import { validatorSecret } from "../../chain-core/src/ledger/testing.ts";
import { freePorts } from "../../deploy/devnet/ports.ts";
import { noteCodec, noteKind } from "./upgrade/version-2.ts";

const size = 4;
/** The node that is not updated in time. */
const late = 3;
const versionOne = resolve(import.meta.dirname, "../../chain-core/src/main.ts");
const versionTwo = resolve(import.meta.dirname, "upgrade/node-main.ts");

let network: TestNetwork;
let ports: NodePorts[];
const children: ChildProcess[] = [];
const clients: ReturnType<typeof testClient>[] = [];
const client = (i: number): ReturnType<typeof testClient> => must(clients[i], "client");

type End = { readonly code: number | null; readonly errors: readonly string[] };
type Running = {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  readonly ended: Promise<End>;
};

function run(main: string, i: number): Running {
  const { genesis, genesisProofs, data, keys, p2pPort, rpcPort, peers } = network.config(i, ports);
  const file = join(network.folder, `${i}`, "node.env");
  const lines = Object.entries({
    GENESIS: genesis,
    GENESIS_PROOFS: genesisProofs,
    DATA: data,
    KEYS: keys,
    P2P_PORT: p2pPort,
    RPC_PORT: rpcPort,
    PEERS: peers.join(","),
    ONE_MACHINE: "true",
    // The blocks of all epochs are compared at the end.
    ARCHIVE: "true",
    LOG_LEVEL: "error",
  }).map(([key, value]) => `CAUSEWAY_${key}=${value}`);
  writeFileSync(file, lines.join("\n"));
  const child = spawn(process.execPath, ["--no-warnings", main, "--config", file], {
    stdio: "pipe",
  });
  children.push(child);
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  const output = createInterface({ input: child.stdout });
  return {
    child,
    ready: new Promise((done) => output.once("line", done)),
    ended: new Promise((done) => child.once("close", (code) => done({ code, errors }))),
  };
}

beforeAll(async () => {
  network = testNetwork(size, { epochMs: 6_000, blockIntervalMs: 100, heartbeatMs: 500 });
  const free = await freePorts(2 * size);
  ports = Array.from({ length: size }, (_, i) => ({
    p2p: free[2 * i] ?? 0,
    rpc: free[2 * i + 1] ?? 0,
  }));
  for (const { rpc } of ports) clients.push(testClient(rpc));
});
afterAll(() => {
  for (const one of clients) one.close();
  for (const one of children) one.kill("SIGKILL");
  network.remove();
});

/** The newest record of a node's state. */
async function recordOf<T>(
  i: number,
  { key, codec }: { key: (of: "only") => Uint8Array; codec: { decode: (bytes: Uint8Array) => T } },
): Promise<T | undefined> {
  const [bytes] = await client(i).records([key("only")]);
  return bytes === undefined ? undefined : codec.decode(bytes);
}

/** An action in an envelope of validator 0's relay. */
async function bring(action: Action): ReturnType<(typeof clients)[number]["submit"]> {
  const { owner } = must(network.genesis.validators[0], "validator");
  const { time } = await client(0).status();
  const sequence = await client(0).sequence(owner, roles.relay);
  const envelope = { validator: owner, role: roles.relay, sequence };
  const secret = validatorSecret(0, "relayKey");
  const tx = signEnvelope(network.genesis, envelope, time + 60_000, [action], secret);
  return client(0).submit(transactionCodec.encode(tx));
}

async function epochAt(i: number): Promise<number> {
  return must(await recordOf(i, epochs), "epoch").number;
}

/** Of the running epoch, or of one that has ended meanwhile. */
async function firstHeightOf(epoch: number): Promise<number> {
  const now = must(await recordOf(0, epochs), "epoch");
  if (now.number === epoch) return now.firstHeight;
  const past = { key: () => pastEpochs.key(epoch), codec: pastEpochs.codec };
  return must(await recordOf(0, past), "past epoch").firstHeight;
}

async function untilEpoch(i: number, epoch: number): Promise<void> {
  for (let tries = 0; tries < 300 && (await epochAt(i)) < epoch; tries++) {
    const { height } = await client(i).status();
    await client(i).waitForHeight(height + 1, 1_000);
  }
  expect(await epochAt(i)).toBeGreaterThanOrEqual(epoch);
}

const note = { kind: noteKind, body: noteCodec.encode({ text: utf8("version 2 is here") }) };

test("three of four go on with version 2; the fourth stops before it, says why, and follows after its update", async () => {
  const nodes = [0, 1, 2, late].map((i) => run(i === late ? versionOne : versionTwo, i));
  await Promise.all(nodes.map(({ ready }) => ready));
  await client(late).waitForHeight(2, 20_000);
  expect(await bring(note)).toMatchObject({ code: "unknown-action" });

  // An epoch that has just begun: the action must be in a block before the next.
  const approvedIn = (await epochAt(0)) + 1;
  await untilEpoch(0, approvedIn);
  const target = approvedIn + 2;
  const step = { version: 2, epoch: target };
  const subject = upgradeSubject(step);
  const act = { kind: kinds.upgrade, subject, sequence: 0, epoch: approvedIn };
  const approval = testApproval(network.genesis, act, [0, 1, late]);
  const body = upgradeCodec.encode({ step, approval });
  expect(await bring({ kind: kinds.upgrade, body })).toMatchObject({ id: expect.anything() });
  await untilEpoch(0, approvedIn + 1);
  expect(await recordOf(0, protocolVersions)).toEqual({ current: 1, next: 2, epoch: target });

  const { code, errors } = await must(nodes[late], "node").ended;
  expect(code).toBe(3);
  const said = JSON.parse(must(errors.at(-1), "an error"));
  expect(said).toEqual({
    error: {
      code: "upgrade-needed",
      message: expect.stringMatching(/version 2.*versions up to 1.*install a newer one/),
    },
  });
  await untilEpoch(0, target);
  const firstHeight = await firstHeightOf(target);
  await client(0).waitForHeight(firstHeight + 2, 20_000);

  const again = await run(versionOne, late).ended;
  expect(again).toEqual({ code: 3, errors: [JSON.stringify(said)] });
  const accepted = await bring(note);
  expect(accepted).toMatchObject({ id: expect.anything() });

  const updated = run(versionTwo, late);
  const ready = JSON.parse(String(await updated.ready));
  // It kept everything up to the last block of version 1, and nothing after.
  expect(ready.height).toBe(firstHeight - 1);
  const { height } = await client(0).status();
  await client(late).waitForHeight(height + 3, 20_000);
  for (const at of [firstHeight - 1, firstHeight, height + 2]) {
    const blocks = await Promise.all([0, late].map((i) => client(i).block(at)));
    const [own, other] = blocks.map((block) =>
      headerCodec.decode(must(block, `block ${at}`).header),
    );
    const ids = [must(own, "header"), must(other, "header")].map((header) =>
      blockId(network.genesis.networkId, header),
    );
    expect(ids[1]).toEqual(ids[0]);
    expect(own?.version).toBe(at < firstHeight ? 1 : 2);
  }
  if (!("id" in accepted)) throw new Error(accepted.message);
  expect(await client(late).transaction(accepted.id)).toMatchObject({ status: "final" });
  updated.child.kill("SIGTERM");
  expect(await updated.ended).toEqual({ code: 0, errors: [] });
}, 120_000);
