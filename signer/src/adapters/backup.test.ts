// A signer's folder to a sealed file and back, on a real disk.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { readKeyFile } from "@causeway/primitives/adapters/key-file";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as fence from "../fence.ts";
import { decodeRecord, encodeRecord } from "../journal.ts";
import { selfTest } from "./addon-test.ts";
import { makeBackup, openBackup, restoreSeat } from "./backup.ts";
import { freshKeyFile } from "./fresh-keys.ts";
import { initSeat, openSeat, sharesOf } from "./seat-folder.ts";
import { shareVault } from "./share-vault.ts";
import { keyFields } from "./vault.ts";

const network = new Uint8Array(32).fill(5);
const passphrase = "a passphrase of the backup alone";
const share = { keyId: 1, attempt: 0, seat: 2, share: new Uint8Array(32).fill(7) };
const release = {
  keyId: 1,
  attempt: 0,
  seat: 2,
  plan: new Uint8Array(32),
  coordinator: 0,
  sid: new Uint8Array(32),
  commitment: new Uint8Array(32),
  slots: [{ slot: new Uint8Array(8), message: new Uint8Array(32).fill(1) }],
};

let folder: string;
const at = (name: string): string => join(folder, name);
const backup = (out = "backup", logN = 14) =>
  makeBackup({
    network,
    dataFolder: at("data"),
    keysFile: at("keys.json"),
    out: at(out),
    passphrase,
    nowMs: 1_000,
    logN,
  });
const shares = (data: string) => {
  const { passphrase: own } = readKeyFile(at("keys.json"), keyFields);
  const of = { network, logN: 14, entropy: systemEntropy };
  return shareVault({ ...of, folder: sharesOf(at(data)), passphrase: own });
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backup-"));
  freshKeyFile(at("keys.json"));
  initSeat(at("data"));
  const journal = openSeat(at("data"));
  journal.append(encodeRecord({ kind: "boot", number: 7 }));
  journal.append(encodeRecord({ kind: "release", release }));
  journal.close();
  shares("data").save(share, new Uint8Array(32));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what comes back is what was, of mode 0600, and marked as old", () => {
  expect(backup()).toMatchObject({
    records: 2,
    slots: 1,
    boot: 7,
    madeAt: "1970-01-01T00:00:01.000Z",
  });
  expect(statSync(at("backup")).mode & 0o777).toBe(0o600);
  const keys = readFileSync(at("keys.json"), "utf8");
  rmSync(at("data"), { recursive: true });
  rmSync(at("keys.json"));
  restoreSeat(openBackup(at("backup"), network, passphrase), at("data"), at("keys.json"));
  expect(readFileSync(at("keys.json"), "utf8")).toBe(keys);
  expect(statSync(at("keys.json")).mode & 0o777).toBe(0o600);
  expect(shares("data").load()).toEqual([share]);
  const journal = openSeat(at("data"));
  const records = [...journal.read()].map(decodeRecord);
  journal.close();
  expect(records.map(({ kind }) => kind)).toEqual(["boot", "release", "restored"]);
  expect(fence.started(records, 0).isRestored).toBe(true);
});

test("a running signer is backed up too", () => {
  const journal = openSeat(at("data"));
  journal.append(encodeRecord({ kind: "sent", sequence: 3 }));
  expect(backup().records).toBe(3);
  journal.append(encodeRecord({ kind: "sent", sequence: 4 }));
  journal.close();
});

test("no secret is in the file's clear part or in what is told", () => {
  const told = JSON.stringify(backup());
  const { attest, host, peer, passphrase: own } = readKeyFile(at("keys.json"), keyFields);
  const text = readFileSync(at("backup")).toString("latin1") + told;
  for (const secret of [attest, host, peer, share.share]) {
    expect(text).not.toContain(toHex(secret));
    expect(text).not.toContain(Buffer.from(secret).toString("latin1"));
  }
  expect(text).not.toContain(own);
});

test("a flipped bit, another passphrase or another network opens nothing", () => {
  backup();
  const bytes = readFileSync(at("backup"));
  expect(() => openBackup(at("backup"), network, "another passphrase")).toThrow("does not open");
  expect(() => openBackup(at("backup"), new Uint8Array(32), passphrase)).toThrow("network");
  const places = [0, 1, 40, 70, 78, 80, 110, 125, bytes.length - 1, bytes.length >> 1];
  for (const place of places) {
    const spoiled = Buffer.from(bytes);
    spoiled[place] = (spoiled[place] ?? 0) ^ 1;
    writeFileSync(at("spoiled"), spoiled);
    expect(() => openBackup(at("spoiled"), network, passphrase), `byte ${place}`).toThrow();
  }
});

test("nothing that exists is replaced", () => {
  backup();
  expect(() => backup()).toThrow("not overwritten");
  const opened = openBackup(at("backup"), network, passphrase);
  expect(() => restoreSeat(opened, at("data"), at("keys.json"))).toThrow("already");
  mkdirSync(at("other"));
  writeFileSync(at("other/note"), "");
  expect(() => restoreSeat(opened, at("other"), at("keys.json"))).toThrow("not empty");
  freshKeyFile(at("strange.json"));
  expect(() => restoreSeat(opened, at("new"), at("strange.json"))).toThrow("other keys");
  restoreSeat(opened, at("new"), at("keys.json"));
});

test("the native addon agrees with @noble/curves", () => {
  expect(selfTest()).toBeUndefined();
});
