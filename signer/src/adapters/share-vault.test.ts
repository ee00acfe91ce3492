// Share files on a real disk.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256, utf8 } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { afterEach, beforeEach, expect, test } from "vitest";
import { shareFileCodec } from "../share-file.ts";
import type { ShareVault, ShareVaultOptions } from "./share-vault.ts";
import { shareVault } from "./share-vault.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "causeway-shares-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function vault(more: Partial<ShareVaultOptions> = {}): ShareVault {
  const network = sha256(utf8("network"));
  const base = { folder, passphrase: "correct horse", network, logN: 14 };
  return shareVault({ ...base, entropy: systemEntropy, ...more });
}

const share = Uint8Array.from(sha256(utf8("share")));
const stored = { keyId: 7, attempt: 3, seat: 2, share };
const packageHash = sha256(utf8("package"));
const path = (): string => join(folder, "key-7-3-seat-2.share");

test("a share comes back as it was saved, and a later one takes its place", () => {
  vault().save({ ...stored, share: sha256(utf8("older")) }, packageHash);
  vault().save(stored, packageHash);
  expect(vault().load()).toEqual([stored]);
});

test("the file is readable by its owner alone and does not hold the share in clear", () => {
  vault().save(stored, packageHash);
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  expect(readFileSync(path()).includes(Buffer.from(share))).toBe(false);
});

test("an erased share is gone, and the others stay", () => {
  const other = { ...stored, attempt: 4 };
  vault().save(stored, packageHash);
  vault().save(other, packageHash);
  vault().erase({ keyId: 7, attempt: 3, seat: 2 });
  vault().erase({ keyId: 7, attempt: 3, seat: 2 });
  expect(existsSync(path())).toBe(false);
  expect(vault().load()).toEqual([other]);
});

test("another passphrase opens nothing", () => {
  vault().save(stored, packageHash);
  expect(() => vault({ passphrase: "wrong" }).load()).toThrow(
    expect.objectContaining({ code: "wrong-passphrase" }),
  );
});

test("shares of one key stand beside each other, by epoch and seat", () => {
  const others = [
    { ...stored, attempt: 4, share: Uint8Array.from(sha256(utf8("epoch"))) },
    { ...stored, seat: 3, share: Uint8Array.from(sha256(utf8("seat"))) },
  ];
  for (const one of [stored, ...others]) vault().save(one, packageHash);
  expect(vault().load().length).toBe(3);
  expect(vault().load()).toEqual(expect.arrayContaining([stored, ...others]));
});

test("a file of another network is refused", () => {
  vault().save(stored, packageHash);
  const code = { code: "bad-share-file" };
  const network = sha256(utf8("other"));
  expect(() => vault({ network }).load()).toThrow(expect.objectContaining(code));
});

test("a file passes for no other key, epoch, seat or package", () => {
  vault().save(stored, packageHash);
  const file = shareFileCodec.decode(readFileSync(path()));
  for (const forged of [
    { ...file, keyId: 8 },
    { ...file, attempt: 4 },
    { ...file, seat: 1 },
    { ...file, packageHash: sha256(utf8("other")) },
    { ...file, logN: 15 },
  ]) {
    writeFileSync(path(), shareFileCodec.encode(forged));
    expect(() => vault().load()).toThrow(expect.objectContaining({ code: "wrong-passphrase" }));
  }
});

test("every flipped byte is found", () => {
  vault().save(stored, packageHash);
  const bytes = readFileSync(path());
  for (let i = 0; i < bytes.length; i += 13) {
    const changed = Uint8Array.from(bytes);
    changed[i] = (changed[i] ?? 0) ^ 1;
    writeFileSync(path(), changed);
    expect(() => vault().load(), `byte ${i}`).toThrow();
  }
});
