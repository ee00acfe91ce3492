// The Store port on a real LevelDB, and what it refuses to open.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Failure } from "../failure.ts";
import { journalCompliance, memoryJournal, memoryStore, storeCompliance } from "../testing.ts";
import { openLevelStore } from "./level-store.ts";

let folder = "";
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "level-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
const fresh = (): string => join(folder, String(count++));

for (const { name, run } of storeCompliance(() => {
  const path = fresh();
  let create = true;
  return async () => {
    const store = await openLevelStore(path, { create });
    create = false;
    return store;
  };
}))
  test(`LevelDB: ${name}`, run);

for (const { name, run } of storeCompliance(() => {
  const disk = new Map<string, Uint8Array>();
  return async () => memoryStore(disk);
}))
  test(`store in memory: ${name}`, run);

for (const { name, run } of journalCompliance(() => {
  const disk: Uint8Array[] = [];
  return () => memoryJournal(disk);
}))
  test(`journal in memory: ${name}`, run);

test("a missing database is never made in silence, and an existing one never made anew", async () => {
  const path = fresh();
  await expect(openLevelStore(path, { create: false })).rejects.toMatchObject({ code: "missing" });
  const store = await openLevelStore(path, { create: true });
  await expect(openLevelStore(path, { create: false })).rejects.toMatchObject({ code: "locked" });
  await store.close();
  await expect(openLevelStore(path, { create: true })).rejects.toMatchObject({ code: "exists" });
  rmSync(join(path, "CURRENT"));
  await expect(openLevelStore(path, { create: false })).rejects.toBeInstanceOf(Failure);
});

test("a store whose content fails its owner's check is not opened, and is left free", async () => {
  const path = fresh();
  await (await openLevelStore(path, { create: true })).close();
  const refuse = async (): Promise<void> => {
    throw new Failure("state-mismatch", "another root");
  };
  await expect(openLevelStore(path, { create: false, check: refuse })).rejects.toMatchObject({
    code: "state-mismatch",
  });
  await (await openLevelStore(path, { create: false })).close();
});

test("a rotten manifest is reported as broken", async () => {
  const path = fresh();
  await (await openLevelStore(path, { create: true })).close();
  writeFileSync(join(path, "CURRENT"), "garbage");
  await expect(openLevelStore(path, { create: false })).rejects.toMatchObject({
    code: "store-broken",
  });
});
