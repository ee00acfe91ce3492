// An operator's tools on a running network: what the signer is and has, a backup while it runs, the drill, the doctor, a
// lost folder that comes back, and how a key came to be, as a file that a stranger judges with the genesis alone.
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { keys } from "@causeway/chain-core/interchain";
import { must, toHex } from "@causeway/primitives";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { testClient } from "../../chain-core/src/adapters/testing.ts";
import { readState } from "../../chain-core/src/client/read-state.ts";
import type { Network } from "../../deploy/devnet/network.ts";
import { createNetwork } from "../../deploy/devnet/network.ts";

const run = promisify(execFile);
const main = join(import.meta.dirname, "../../cli/src/main.ts");
let network: Network;
let client: ReturnType<typeof testClient>;

type Answer = { readonly code: number; readonly out: string; readonly err: string };

async function causeway(...words: readonly string[]): Promise<Answer> {
  try {
    const { stdout, stderr } = await run(process.execPath, ["--no-warnings", main, ...words]);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

const told = ({ out }: Answer): Record<string, unknown> => JSON.parse(out);
const operator = () => must(network.operators[1], "operator");
const at = (...names: string[]): string => join(operator().settings.folder, "signer", ...names);
const signer = (...words: readonly string[]): Promise<Answer> =>
  causeway("signer", ...words, "--config", at("signer.env"), "--json");
const passphrase = (): string[] => ["--passphrase-file", at("backup.passphrase")];

beforeAll(async () => {
  network = await createNetwork();
  await Promise.all(
    network.operators.map(async (one) => {
      await one.startOne("node");
      await one.startOne("gateway");
      await one.startOne("signer");
    }),
  );
  client = testClient(operator().settings.ports.nodeRpc);
  const isActive = (keyId: number) =>
    readState(client, (state) => {
      const key = keys.get(state, keyId);
      return key?.active === true && key.shares.every((share) => share.some((byte) => byte !== 0));
    });
  await vi.waitFor(
    async () => expect(await Promise.all([isActive(1), isActive(2)])).toEqual([true, true]),
    { timeout: 60_000, interval: 200 },
  );
  writeFileSync(at("backup.passphrase"), "one line for the backup\n", { mode: 0o600 });
}, 120_000);
afterAll(async () => {
  client?.close();
  await network.stop();
});

test("status and doctor tell what is there, and no secret", async () => {
  await vi.waitFor(
    async () => {
      const status = told(await signer("status"));
      expect(status).toMatchObject({ running: true, unwell: [], fence: "open", barred: 0 });
      expect(status).toMatchObject({ signers: "3 of 3 connected", away: [] });
      expect(status.seats).toMatchObject([
        { keyId: 1, seat: 1, confirmed: true, held: true, stage: "active" },
        { keyId: 2, seat: 1, confirmed: true, held: true, stage: "active" },
      ]);
    },
    { timeout: 20_000, interval: 500 },
  );
  const examined = await signer("doctor");
  const { findings } = told(examined) as { findings: { check: string; level: string }[] };
  const failed = findings.filter(({ level }) => level === "fail").map(({ check }) => check);

  expect(failed).toEqual([]);
  expect(examined.code).toBe(0);
  const { signer: secrets } = operator().settings.keys;
  for (const secret of [secrets.host, secrets.attest, secrets.peer])
    expect(examined.out).not.toContain(toHex(secret));
  expect(examined.out).not.toContain(secrets.passphrase);
});

test("a backup of a running signer proves its shares without showing them, and brings a lost folder back", async () => {
  const backup = at("seat.backup");
  expect(told(await signer("backup", "--out", backup, ...passphrase()))).toMatchObject({
    shares: [
      expect.stringMatching(/^key-1-\d+-seat-1\.share$/),
      expect.stringMatching(/^key-2-\d+-seat-1\.share$/),
    ],
  });
  const drilled = told(await signer("restore", backup, "--drill", ...passphrase()));
  expect(drilled).toMatchObject({ ok: true, missing: [] });
  const key = must(await readState(client, (state) => keys.get(state, 1)), "key");
  expect(drilled.shares).toMatchObject([
    { keyId: 1, seat: 1, verdict: "ours", share: toHex(must(key.shares[1], "share")) },
    { keyId: 2, seat: 1, verdict: "ours" },
  ]);

  await operator().kill();
  rmSync(at("data"), { recursive: true });
  await operator().startOne("node");
  await expect(operator().startOne("signer")).rejects.toThrow(/no journal/);
  const { genesisFile, proofsFile } = network;
  const files = ["--genesis", genesisFile, "--proofs", proofsFile];
  const into = ["--data", at("data"), "--keys", at("keys.json")];
  const restored = await causeway("signer", "restore", backup, ...into, ...files, ...passphrase());
  expect(restored).toMatchObject({ code: 0 });
  await operator().start();
  await vi.waitFor(
    async () =>
      expect(told(await signer("status"))).toMatchObject({ running: true, fence: "open" }),
    { timeout: 30_000, interval: 500 },
  );
});

test("a key's transcript is right for a stranger, and wrong with one digit changed", async () => {
  const file = join(network.folder, "transcript.json");
  const node = ["--node", operator().nodeUrl];
  const made = await causeway("ring", "transcript", "--key", "1", "--out", file, ...node);
  expect(made).toMatchObject({ code: 0 });
  const { genesisFile, proofsFile } = network;
  const files = ["--genesis", genesisFile, "--proofs", proofsFile];
  const verified = await causeway("ring", "verify", file, ...files, "--json");
  const key = must(await readState(client, (state) => keys.get(state, 1)), "key");
  expect(told(verified)).toMatchObject({ verified: true, groupPoint: toHex(key.groupPoint) });
  const text = readFileSync(file, "utf8");
  const place = text.lastIndexOf("value") + 40;
  const digit = text[place] === "0" ? "1" : "0";
  writeFileSync(file, text.slice(0, place) + digit + text.slice(place + 1));
  const refused = await causeway("ring", "verify", file, ...files);
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(/record \d+/);
});
