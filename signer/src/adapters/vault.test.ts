// A disk that is full while the guard writes: a real file system of 64 KB, where this process may mount one.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { openJournal } from "@causeway/primitives/adapters/journal";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodeRecord } from "../journal.ts";
import type { Effect } from "../machine.ts";
import { shareVault } from "./share-vault.ts";
import { settled } from "./vault.ts";

let folder: string;
let isMounted = false;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vault-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], { stdio: "ignore" });
    isMounted = true;
  } catch {
    isMounted = false;
  }
});
afterEach(() => {
  if (isMounted) execFileSync("umount", [folder]);
  rmSync(folder, { recursive: true, force: true });
});

test("a full disk lets nothing of the step leave, and the journal takes no more", (context) => {
  if (!isMounted) context.skip();
  const shares = shareVault({
    folder: join(folder, "shares"),
    passphrase: "passphrase",
    network: new Uint8Array(32),
    logN: 14,
    entropy: systemEntropy,
  });
  const path = join(folder, "journal");
  const journal = openJournal(path, { create: true });
  const record = encodeRecord({
    kind: "bar",
    slots: Array.from({ length: 100 }, () => ({
      slot: new Uint8Array(45),
      message: new Uint8Array(32),
    })),
  });
  const step: Effect[] = [
    { kind: "send", to: 1, bytes: Uint8Array.of(1) },
    { kind: "journal", record },
    { kind: "send", to: 1, bytes: Uint8Array.of(2) },
  ];
  const on = { journal, shares, keysFile: join(folder, "keys.json") };
  let left = 0;
  let failure: unknown;
  try {
    for (let i = 0; i < 100; i++) left += settled(step, on).length;
  } catch (error) {
    failure = error;
  }
  expect(failure).toBeInstanceOf(Failure);
  expect((failure as Failure).code).toBe("disk");
  expect(() => settled(step, on)).toThrow(Failure);
  journal.close();
  // What left was written before, and a restart reads all of it.
  const again = openJournal(path, { create: false });
  expect([...again.read()].length).toBe(left / 2);
  again.close();
});
