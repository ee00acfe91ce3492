// What the doctor says of the other signers, by the health file of a process that runs; nothing else is there.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeClient } from "@causeway/chain-core/client";
import type { Genesis } from "@causeway/chain-core/interchain";
import { systemClock } from "@causeway/primitives/adapters/clock";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { afterEach, beforeEach, expect, test } from "vitest";
import { genesis } from "../testing.ts";
import { examine } from "./doctor.ts";
import { writeHealth } from "./health.ts";
import type { Reach } from "./peer-link.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "doctor-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Nothing listens there. */
const nowhere = rpcClient({ url: "http://127.0.0.1:1" });

async function found(signers: Reach | undefined) {
  const stop = writeHealth(folder, systemClock, () => ({ parts: {}, signers, summary: undefined }));
  stop();
  const findings = await examine({
    genesis: genesis as Genesis,
    dataFolder: folder,
    keysFile: join(folder, "keys.json"),
    client: nodeClient(nowhere),
    bitcoin: nowhere,
    ethereum: nowhere,
    nowMs: systemClock.nowMs(),
  });
  return findings.filter(({ check }) => check === "signers" || check === "own address");
}

test("it names who is away and where it was looked for, and whether others can dial this signer", async () => {
  const announced = ["/ip4/9.9.9.9/tcp/7"];
  expect(await found({ announced, connected: [0, 2], away: [] })).toMatchObject([
    { check: "signers", level: "ok", found: "2 of 2 connected" },
    { check: "own address", level: "ok", found: "/ip4/9.9.9.9/tcp/7" },
  ]);
  const away = [
    { validator: 5, addresses: ["/ip4/9.9.9.8/tcp/7"] },
    { validator: 6, addresses: [] },
  ];
  expect(await found({ announced: [], connected: [0], away })).toMatchObject([
    {
      level: "warn",
      found:
        "1 of 3 connected; away: validator 5 at /ip4/9.9.9.8/tcp/7, validator 6 (no address known)",
    },
    { check: "own address", level: "warn", todo: "set CAUSEWAY_ANNOUNCE" },
  ]);
  expect(await found({ announced, connected: [], away })).toMatchObject([
    { level: "fail", found: expect.stringMatching(/^0 of 2/) },
    { level: "ok" },
  ]);
  // Of an older release.
  expect(await found(undefined)).toEqual([]);
}, 30_000);
