import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openJournal } from "@causeway/primitives/adapters/journal";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodeRecord } from "../journal.ts";
import { initSeat, journalOf, openSeat, sharesOf } from "./seat-folder.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "seat-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const addShare = (): void => {
  mkdirSync(sharesOf(folder), { recursive: true });
  writeFileSync(join(sharesOf(folder), "key-1-0-seat-2.share"), "");
};

test("a signer without a journal does not start, and is not given an empty one", () => {
  expect(() => openSeat(folder)).toThrow("causeway signer init");
  expect(() => openSeat(folder)).toThrow("no journal");
});

test("a journal is made once, and not beside shares", () => {
  initSeat(folder);
  openSeat(folder).close();
  expect(() => initSeat(folder)).toThrow("a signer's folder already");
  rmSync(journalOf(folder));
  addShare();
  expect(() => initSeat(folder)).toThrow("a signer's folder already");
});

test("a journal that knows of no start is not the one of a folder with shares", () => {
  initSeat(folder);
  addShare();
  expect(() => openSeat(folder)).toThrow("causeway signer restore");
  const journal = openJournal(journalOf(folder), { create: false });
  journal.append(encodeRecord({ kind: "boot", number: 1 }));
  journal.close();
  openSeat(folder).close();
});

test("two processes cannot have one folder", () => {
  initSeat(folder);
  const journal = openSeat(folder);
  expect(() => openSeat(folder)).toThrow("in use");
  journal.close();
});
