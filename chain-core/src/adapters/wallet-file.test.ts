import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import { afterEach, beforeEach, expect, test } from "vitest";
import { formatAddress } from "../ledger/assets.ts";
import {
  accountSecret,
  checkedMnemonic,
  newMnemonic,
  openWallet,
  saveWallet,
} from "./wallet-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wallet-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const path = (): string => join(folder, "wallet.json");
const zeros = `${"abandon ".repeat(11)}about`;

test("accounts are those of every Ethereum wallet with the same words", () => {
  const test12 = "test test test test test test test test test test test junk";
  const address = (words: string, i: number): string =>
    formatAddress(addressOf(publicPoint(accountSecret(words, i))));
  // Known to every user of Anvil and Hardhat.
  expect(address(test12, 0)).toBe("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
  expect(address(test12, 1)).toBe("0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
  expect(address(zeros, 0)).toBe("0x9858EfFD232B4033E47d90003D41EC34EcaEda94");
});

test("a wallet comes back with its passphrase alone, and the file shows nothing of it", () => {
  const words = newMnemonic(systemEntropy, 24);
  expect(words.split(" ")).toHaveLength(24);
  saveWallet(path(), "correct horse", words, systemEntropy, 14);
  expect(openWallet(path(), "correct horse")).toBe(words);
  expect(() => openWallet(path(), "wrong")).toThrow(
    expect.objectContaining({ code: "wrong-passphrase" }),
  );
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  const text = readFileSync(path(), "utf8");
  for (const word of words.split(" ")) expect(text).not.toContain(` ${word} `);
  expect(text).not.toContain(toHex(new TextEncoder().encode(words)));
  expect(() => saveWallet(path(), "x", words, systemEntropy, 14)).toThrow(
    expect.objectContaining({ code: "wallet-exists" }),
  );
});

test("changed or foreign files are refused with a code", () => {
  saveWallet(path(), "p", zeros, systemEntropy, 14);
  const json = JSON.parse(readFileSync(path(), "utf8"));
  for (const [change, code] of [
    [{ version: 2 }, "bad-wallet"],
    [{ logN: 40 }, "bad-wallet"],
    [{ salt: "00" }, "bad-wallet"],
    [{ sealed: "00".repeat(2_000) }, "bad-wallet"],
    [{ iv: "00".repeat(12) }, "wrong-passphrase"],
    [{ sealed: "" }, "wrong-passphrase"],
  ] as const) {
    writeFileSync(path(), JSON.stringify({ ...json, ...change }));
    expect(() => openWallet(path(), "p")).toThrow(expect.objectContaining({ code }));
  }
  writeFileSync(path(), "no json");
  expect(() => openWallet(path(), "p")).toThrow(expect.objectContaining({ code: "bad-wallet" }));
  expect(() => openWallet(join(folder, "none"), "p")).toThrow(
    expect.objectContaining({ code: "no-wallet" }),
  );
});

test("words are taken with any spaces and case, and refused with a wrong checksum", () => {
  expect(checkedMnemonic(`  ${zeros.toUpperCase().replaceAll(" ", "\n ")} `)).toBe(zeros);
  expect(() => checkedMnemonic("abandon ".repeat(12))).toThrow(
    expect.objectContaining({ code: "bad-mnemonic" }),
  );
});
