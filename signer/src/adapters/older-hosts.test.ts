// Host keys that leave the key file (RNG-5).
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromHex } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { expect, test } from "vitest";
import { eraseOlderHost } from "./older-hosts.ts";

test("one older host key goes, everything else stays, readable by its owner alone", () => {
  const folder = mkdtempSync(join(tmpdir(), "causeway-hosts-"));
  const path = join(folder, "signer.keys");
  const [host, first, second] = ["11", "22", "33"].map((byte) => byte.repeat(32));
  const keys = { attest: "44".repeat(32), host, olderHosts: [first, second], passphrase: "words" };
  writeFileSync(path, JSON.stringify(keys), { mode: 0o600 });
  eraseOlderHost(path, publicPoint(fromHex(first ?? "")));
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ ...keys, olderHosts: [second] });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  // The newest is none of them.
  eraseOlderHost(path, publicPoint(fromHex(host ?? "")));
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ ...keys, olderHosts: [second] });
  rmSync(folder, { recursive: true });
});
