// CON-6: from which point a starting node goes on by itself, and what it reads of its configuration.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "@causeway/primitives";
import { afterEach, beforeEach, expect, test } from "vitest";
import { genesisState } from "../ledger/genesis-state.ts";
import { testBls, testGenesis } from "../ledger/testing.ts";
import type { JoinNodeOptions } from "./join-node.ts";
import { checkAgainst, joinerOf, parseCheckpoint, parseSyncMode } from "./join-node.ts";
import { createNodeStore } from "./node-store.ts";

const day = 86_400_000;
const genesis = testGenesis(4, { unbondingMs: 21 * day, epochMs: day });
const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "joiner-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Whether the network would have been started to join by a snapshot. */
async function joins(age: number, given: Partial<JoinNodeOptions> = {}, store?: string) {
  class Started extends Error {}
  const joiner = joinerOf({
    mode: "auto",
    checkpoint: undefined,
    hasPeers: true,
    archive: false,
    genesis,
    bls: testBls,
    service: undefined as never,
    startNetwork: () => Promise.reject(new Started()),
    clock: { nowMs: () => genesis.time + age },
    log: silent,
    ...given,
  } as JoinNodeOptions);
  return joiner(store, join(folder, "staging")).catch((cause: unknown) => {
    if (cause instanceof Started) return true;
    throw cause;
  });
}

test("a fresh node joins by a snapshot where the network is old enough to have one, and it has no reason not to", async () => {
  expect(await joins(day)).toBe(false);
  expect(await joins(3 * day)).toBe(true);
  expect(await joins(3 * day, { archive: true })).toBe(false);
  expect(await joins(3 * day, { hasPeers: false })).toBe(false);
  expect(await joins(3 * day, { mode: "blocks" })).toBe(false);
  expect(await joins(day, { mode: "snapshot", archive: true })).toBe(true);
});

test("one that has a store does so when peers may have pruned what it lacks", async () => {
  const store = join(folder, "store");
  await createNodeStore(store, genesis, genesisState(genesis));
  expect(await joins(2.5 * day, {}, store)).toBe(false);
  expect(await joins(3.5 * day, {}, store)).toBe(true);
  expect(await joins(3.5 * day, { archive: true }, store)).toBe(false);
});

test("beyond two thirds of the unbonding delay it needs a checkpoint, however it syncs", async () => {
  for (const mode of ["auto", "snapshot", "blocks"] as const) {
    await expect(joins(14 * day + 1, { mode })).rejects.toMatchObject({
      code: "checkpoint-needed",
      message: expect.stringMatching(/set CAUSEWAY_CHECKPOINT=height:hash/),
    });
    const checkpoint = { height: 9, id: new Uint8Array(32) };
    expect(await joins(14 * day + 1, { mode, checkpoint })).toBe(mode !== "blocks");
  }
  expect(await joins(14 * day - 1)).toBe(true);
});

test("the configuration is read or refused", () => {
  expect(parseSyncMode("auto")).toBe("auto");
  expect(() => parseSyncMode("fast")).toThrow(/CAUSEWAY_SYNC/);
  expect(parseCheckpoint(undefined)).toBeUndefined();
  const id = new Uint8Array(32).fill(0xab);
  const checkpoint = parseCheckpoint(`17:${"ab".repeat(32)}`);
  expect(checkpoint).toEqual({ height: 17, id });
  for (const text of ["", "17", "17:ab", `x:${"ab".repeat(32)}`, `17:${"AB".repeat(32)}`])
    expect(() => parseCheckpoint(text)).toThrow(/CAUSEWAY_CHECKPOINT/);
  expect(() => checkAgainst(checkpoint, 17, id)).not.toThrow();
  expect(() => checkAgainst(checkpoint, 16, new Uint8Array(32))).not.toThrow();
  expect(() => checkAgainst(checkpoint, 17, new Uint8Array(32))).toThrow(/CAUSEWAY_CHECKPOINT/);
});
