import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { depositRequestCodec } from "@causeway/chain-core/interchain";
import { afterAll, expect, test } from "vitest";
import { openRequestStore } from "./request-store.ts";

const folder = mkdtempSync(join(tmpdir(), "requests-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytesOf = (refund: number, expires: number): Uint8Array =>
  depositRequestCodec.encode({
    version: 1,
    chain: new Uint8Array(32),
    keyId: 1,
    destination: { chain: new Uint8Array(32), payload: new Uint8Array(32) },
    maxFee: 1n,
    refund: new Uint8Array(32).fill(refund),
    expires,
  });

test("a request is kept once and survives a restart until it expires", () => {
  const path = join(folder, "requests.journal");
  const first = openRequestStore(path, 0);
  expect(first.add(bytesOf(1, 100))?.expires).toBe(100);
  expect(first.add(bytesOf(1, 100))).toBeUndefined();
  first.add(bytesOf(2, 200));
  expect(first.add(new Uint8Array(50))).toBeUndefined();
  first.close();
  const second = openRequestStore(path, 150);
  expect(second.all().map(({ expires }) => expires)).toEqual([200]);
  second.close();
});

test("a journal of expired requests is written anew", () => {
  const path = join(folder, "old.journal");
  const first = openRequestStore(path, 0);
  for (let i = 0; i < 150; i++) first.add(bytesOf(i, i < 149 ? 100 : 1_000));
  first.close();
  const second = openRequestStore(path, 500);
  second.close();
  const third = openRequestStore(path, 0);
  expect(third.all()).toHaveLength(1);
  third.close();
});
